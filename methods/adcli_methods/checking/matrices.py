"""A claimed matrix of derivatives: dense, sparse, or only its diagonal."""

from __future__ import annotations

from typing import Any

import numpy as np

from adcli_methods.checking.subject import Array


class Matrix:
    """A matrix of m rows and n columns.

    Arguments:
        array: the matrix, dense or a scipy.sparse one; or the diagonal alone.
        diagonal: whether it is the diagonal alone, all else claimed to be zero.
    """

    def __init__(self, array: Any, diagonal: bool = False) -> None:
        self.array = array
        self.diagonal = diagonal
        self.shape: tuple[int, int] = (len(array), len(array)) if diagonal else array.shape

    def times(self, v: Array) -> Array:
        """The matrix times a vector."""
        return self.array * v if self.diagonal else np.asarray(self.array @ v)

    def transposed_times(self, u: Array) -> Array:
        """A vector times the matrix."""
        return self.array * u if self.diagonal else np.asarray(self.array.T @ u)

    def sizes_of_rows(self, v: Array) -> Array:
        """For each row, the sum of |entry| * |v|."""
        return abs(Matrix(abs(self.array), self.diagonal).times(np.abs(v)))

    def shares_of_columns(self, sizes: Array) -> Array:
        """For each column, its largest entry times its size, with each row in units of its largest."""
        if self.diagonal:
            return np.ones(len(self.array))
        if self.shape[0] == 1:
            return np.abs(np.asarray(self.row(0))) * sizes
        rows = self.sizes_of_rows(sizes)
        weights = 1.0 / np.where((rows > 0) & np.isfinite(rows), rows, np.inf)
        return Matrix(abs(self.array)).transposed_times(weights) * sizes

    def row(self, i: int) -> Array:
        """One row, dense."""
        if self.diagonal:
            row = np.zeros(self.shape[1])
            row[i] = self.array[i]
            return row
        return np.asarray(self.array[i] if isinstance(self.array, np.ndarray) else self.array[[i]].toarray()).ravel()

    def column(self, j: int) -> Array:
        """One column, dense."""
        if self.diagonal:
            return self.row(j)
        return np.asarray(
            self.array[:, [j]] if isinstance(self.array, np.ndarray) else self.array[:, [j]].toarray()
        ).ravel()
