"""A claimed gradient, Jacobian, diagonal or Hessian at a point."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from adcli_methods.checking.cases import Blunt, Case, Mixed, Sharp, basis, only
from adcli_methods.checking.claim_noise import Source
from adcli_methods.checking.claims import matrix_of
from adcli_methods.checking.differences import Estimate
from adcli_methods.checking.directions import cotangent, direction, equalised
from adcli_methods.checking.matrices import Matrix
from adcli_methods.checking.passes import one_of
from adcli_methods.checking.subject import SAME, Array

FEW_SWEEPS = 32
"""Up to this many rows or columns are compared entry by entry at once; beyond it, products with random vectors."""
MOST_ENTRIES = 200_000


class MatrixCase(Case):
    """A claimed gradient, Jacobian, diagonal or Hessian."""

    value: float | None = None
    is_fixed = False
    """Whether the claim is known at this point only."""

    def begin(self) -> bool:
        """Evaluate the claim at the point; whether it changed its inputs.

        Raises: UserError, ShapeError.
        """
        result, mutated = self.run(self.subject.x, watch=True)
        self.matrix = self._matrix(result).copied()  # the claim may return its own memory
        return mutated

    def _matrix(self, result: Any) -> Matrix:
        kind = self.claim.kind
        if kind == "value_and_gradient":
            self.value = (
                self.value if self.value is not None else float(np.ravel(np.asarray(result[0], dtype=np.float64))[0])
            )
            result = result[1]
            kind = "gradient"
        return matrix_of(result, str(kind), self.subject)

    def repeated(self, first: Any) -> str:
        """Run the claim again, or take a result of before: how the two differ, or nothing."""
        second = self._matrix(first) if first is not None else self.again(self.subject.x)
        largest, size = self.matrix.gap(second)
        if largest <= SAME * self.subject.eps * size or not np.isfinite(size + largest):
            return ""
        return f"{self.claim.name} gave entries that differ by {largest:.3g} the second time, for the same input"

    def again(self, source: Array | Source) -> Matrix:
        """The claimed matrix at another point, or from a source of results; NaN where the claim fails there."""
        try:
            return self._matrix(source(None) if callable(source) else self.run(source)[0])
        except Exception:
            return Matrix(np.full_like(self.matrix.array, np.nan), self.matrix.diagonal)

    @property
    def entry_count(self) -> int:
        """How many entries the claim has."""
        return len(self.matrix.array) if self.matrix.diagonal else self.matrix.shape[0] * self.matrix.shape[1]

    def told_of(self, wrong: dict[int, Any]) -> dict[int, Any]:
        """The wrong entries to tell of: all."""
        return wrong

    def wrong_value(self) -> str:
        """Where the claim returns a value too: how it differs from the function's, or nothing."""
        if self.value is None or abs(self.value - self.subject.y[0]) <= 2.0**10 * self.subject.eps * abs(self.value):
            return ""
        return f"the value it returns is {self.value:.17g}, the function's is {self.subject.y[0]:.17g}"

    @property
    def is_long(self) -> bool:
        """Whether it is a gradient of so many inputs that evaluations must be spared."""
        return self.matrix.is_row and self.order == 1 and self.subject.n > MOST_ENTRIES

    @property
    def is_seen(self) -> bool:
        """Whether sweeps compare each of very many entries by itself, so that differences need only confirm them."""
        return self.tracing is not None and self.is_long

    def sharp(self) -> list[Sharp]:
        """Every entry where few sweeps give it, else products with random vectors on both sides."""
        tracing, (m, n) = self.tracing, self.matrix.shape
        assert tracing is not None
        if self.matrix.diagonal:
            ones = np.ones(n)
            return [
                Sharp(self.matrix.array, tracing.push(ones), lambda e, g: tracing.shaken_push(ones, e, g),
                      lambda x: np.asarray(self.again(x).array), np.arange(n), self.subject.output_shape)
            ]  # fmt: skip
        if m <= min(n, FEW_SWEEPS) or n <= FEW_SWEEPS or (m * n <= MOST_ENTRIES and min(m, n) <= 8 * FEW_SWEEPS):
            return [self.entries_of(range(m), None) if m <= n else self.entries_of(None, range(n))]
        v = direction(self.equal_sizes, self.generator)
        u = cotangent(self.matrix.sizes_of_rows(self.sizes), self.generator)
        return [
            Sharp(self.matrix.times(v), tracing.push(v), lambda e, g: tracing.shaken_push(v, e, g),
                  lambda x: self.again(x).times(v), None, (m,)),
            Sharp(self.matrix.transposed_times(u), tracing.pull(u), lambda e, g: tracing.shaken_pull(u, e, g),
                  lambda x: self.again(x).transposed_times(u), None, (n,)),
        ]  # fmt: skip

    def entries_of(self, rows: Any, columns: Any) -> Sharp:
        """The entries of some rows, by adjoint sweeps, or of some columns, by tangent sweeps."""
        tracing, (m, n) = self.tracing, self.matrix.shape
        assert tracing is not None
        chosen = np.array(list(rows if rows is not None else columns))
        size = m if rows is not None else n
        seeds = [basis(size, i) for i in chosen]
        sweep = tracing.pull if rows is not None else tracing.push
        shaken_sweep = tracing.shaken_pull if rows is not None else tracing.shaken_push

        def of(matrix: Matrix) -> Array:
            parts = [matrix.row(i) if rows is not None else matrix.column(i) for i in chosen]
            return one_of(parts)

        def shaken(eps: float, generator: np.random.Generator) -> Array:
            return one_of([shaken_sweep(seed, eps, generator) for seed in seeds])

        if rows is not None:
            places = one_of([np.arange(i * n, (i + 1) * n) for i in chosen])
            shape: tuple[int, ...] = (len(chosen), n)
        else:
            places = (np.arange(m)[None, :] * n + chosen[:, None]).ravel()
            shape = (len(chosen), m)
        reference = one_of([sweep(seed) for seed in seeds])
        return Sharp(of(self.matrix), reference, shaken, lambda x: of(self.again(x)), places, shape)

    @cached_property
    def spread(self) -> Array:
        """A bound of sizes_of_rows for every direction."""
        return self.matrix.sizes_of_rows(self.sizes)

    @cached_property
    def equal_sizes(self) -> Array:
        """The sizes of the inputs, equalised by what the claim says."""
        return equalised(self.sizes, self.matrix.shares_of_columns(self.sizes))

    def blunt(self, number: int) -> Blunt:
        """The claim along a random direction; the second and third are equalised by what the claim says."""
        sizes = self.equal_sizes if number and not self.is_seen else self.sizes
        v = direction(sizes, self.generator)
        eps = 2.0**10 * self.subject.eps
        if self.order == 1:
            spread = self.spread if self.is_seen else self.matrix.sizes_of_rows(v)
            return Blunt(self.matrix.times(v), self.along(v), eps * spread)
        u = direction(sizes, self.generator)
        spread = np.abs(u) @ self.matrix.sizes_of_rows(v)
        return Blunt(np.array([u @ self.matrix.times(v)]), Mixed(self, u, v), np.array([eps * spread]))

    def probe(self, place: int) -> Estimate:
        """One entry by differences along its input."""
        i, j = self.indices(place)
        if self.order == 1:
            estimate = self.along(self.unit(j)).full()
            return only(estimate, i, self.sizes[j])
        estimate = self.mixed(self.unit(i), self.unit(j))
        return only(only(estimate, 0, self.sizes[i]), 0, self.sizes[j])

    def indices(self, place: int) -> tuple[int, int]:
        """An entry's row and column."""
        return (place, place) if self.matrix.diagonal else divmod(place, self.matrix.shape[1])

    def claimed(self, place: int) -> float:
        """What the claim says of an entry."""
        i, j = self.indices(place)
        return float(self.matrix.array[i] if self.matrix.diagonal else self.matrix.array[i, j])

    def place_name(self, place: int) -> tuple[tuple[int, ...], str]:
        """An entry's index and name."""
        (i, j), subject = self.indices(place), self.subject
        x_j = subject.input_name(j)
        if self.matrix.diagonal:
            return (j,), x_j
        if self.order == 2:
            return (i, j), f"d²/d{subject.input_name(i)}d{x_j}"
        if subject.m == 1:
            return (j,), x_j
        return (i, j), f"d{subject.output_name(i)}/d{x_j}"
