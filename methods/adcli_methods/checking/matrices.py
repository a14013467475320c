"""A claimed matrix of derivatives: dense, sparse, or only its diagonal."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from adcli_methods.checking.passes import largest_gap, total_size
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

    def copied(self) -> Matrix:
        """The same in memory of its own."""
        return Matrix(self.array.copy(), self.diagonal)

    def gap(self, other: Matrix) -> tuple[float, float]:
        """The largest difference of an entry from another matrix's, and the largest entry; NaN where there is one."""
        if isinstance(self.array, np.ndarray) and isinstance(other.array, np.ndarray):
            return largest_gap(self.array.ravel(), other.array.ravel())
        return float(abs(self.array - other.array).max()), float(abs(self.array).max())

    @cached_property
    def magnitudes(self) -> Matrix:
        """The matrix of absolute values."""
        return Matrix(abs(self.array), self.diagonal)

    @property
    def is_row(self) -> bool:
        """Whether it is one dense row, as of a gradient."""
        return not self.diagonal and self.shape[0] == 1 and isinstance(self.array, np.ndarray)

    def times(self, v: Array) -> Array:
        """The matrix times a vector."""
        if self.is_row:
            return np.array([np.einsum("i,i->", self.array[0], v)])  # no threads, which cost more than they bring
        return np.asarray(self.array * v if self.diagonal else self.array @ v)

    def transposed_times(self, u: Array) -> Array:
        """A vector times the matrix."""
        return np.asarray(self.array * u if self.diagonal else self.array.T @ u)

    def sizes_of_rows(self, v: Array) -> Array:
        """For each row, the sum of |entry| * |v|."""
        return np.array([total_size(self.array[0], v)]) if self.is_row else self.magnitudes.times(np.abs(v))

    def shares_of_columns(self, sizes: Array) -> Array:
        """For each column, its largest entry times its size, with each row in units of its largest."""
        if self.diagonal:
            return np.ones(len(self.array))
        if self.is_row:
            shares = self.array[0] * sizes
            return np.asarray(np.abs(shares, out=shares))
        rows = self.sizes_of_rows(sizes)
        weights = 1.0 / np.where((rows > 0) & np.isfinite(rows), rows, np.inf)
        return self.magnitudes.transposed_times(weights) * sizes

    def row(self, i: int) -> Array:
        """One row, dense."""
        if self.diagonal:
            row = np.zeros(self.shape[1])
            row[i] = self.array[i]
            return row
        if self.is_row:
            return np.asarray(self.array[0])
        part = self.array[[i]]
        return np.asarray(part if isinstance(part, np.ndarray) else part.toarray()).ravel()

    def column(self, j: int) -> Array:
        """One column, dense."""
        if self.diagonal:
            return self.row(j)
        part = self.array[:, [j]]
        return np.asarray(part if isinstance(part, np.ndarray) else part.toarray()).ravel()
