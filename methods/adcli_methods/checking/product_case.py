"""A claimed product of a derivative with a vector at a point."""

from __future__ import annotations

from typing import Any

import numpy as np

from adcli_methods.checking.cases import Blunt, Case, Mixed, Sharp, basis, only
from adcli_methods.checking.claim_noise import Source
from adcli_methods.checking.claims import Claim, vector_of
from adcli_methods.checking.differences import Estimate
from adcli_methods.checking.directions import cotangent, direction, equalised
from adcli_methods.checking.subject import SAME, Array


class ProductCase(Case):
    """A claimed Jacobian-vector, vector-Jacobian or Hessian-vector product."""

    def begin(self) -> bool:
        """Evaluate the claim for its first vector; whether it changed its inputs.

        Raises: UserError, ShapeError.
        """
        self.given: dict[int, Any] = {}
        self.vectors = [self._new_vector(number) for number in range(3)]
        result, mutated = self.run(self.subject.x, True, self._given(self.vectors[0]))
        self.products = [self._flat(result)]
        self.products += [self.product(self.subject.x, vector) for vector in self.vectors[1:]]
        return mutated

    def _new_vector(self, number: int) -> Array:
        if self.claim.kind == "vjp":
            return cotangent(np.ones(self.subject.m), self.generator)
        return direction(self.sizes, self.generator)

    def _given(self, vector: Array) -> Any:
        subject = self.subject
        if self.claim.kind == "vjp":
            return vector.reshape(subject.output_shape) if subject.output_shape else float(vector[0])
        parts = subject.split(vector)
        return parts[0] if len(parts) == 1 else parts

    def _given_once(self, vector: Array) -> Any:
        """The same object each time for the same vector, so that the claim is traced once for it."""
        number = next(i for i, known in enumerate(self.vectors) if known is vector)
        if number not in self.given:
            self.given[number] = self._given(vector)
        return self.given[number]

    def _flat(self, result: Any) -> Array:
        return vector_of(result, self.subject, self.claim.kind != "jvp")

    def product(self, x: Array, vector: Array) -> Array:
        """The claimed product at a point.

        Raises: UserError, ShapeError.
        """
        return self._flat(self.run(x, vector=self._given(vector))[0])

    def repeated(self, first: Any) -> str:
        """Run the claim again: how the two results differ, or nothing."""
        moved = np.abs(self._again(self.subject.x, self.vectors[0]) - self.products[0])
        largest, size = float(np.max(moved)), float(np.max(np.abs(self.products[0])))
        if largest <= SAME * self.subject.eps * size or not np.isfinite(size + largest):
            return ""
        return f"{self.claim.name} gave entries that differ by {largest:.3g} the second time, for the same input"

    def _again(self, source: Array | Source, vector: Array) -> Array:
        try:
            if callable(source):
                return self._flat(source(self._given_once(vector)))
            return self.product(source, vector)
        except Exception:
            return np.full(self.entry_count, np.nan)

    @property
    def entry_count(self) -> int:
        """How many entries the claim has."""
        return len(self.products[0])

    def told_of(self, wrong: dict[int, Any]) -> dict[int, Any]:
        """The wrong entries to tell of: those of the first product that has any."""
        number = min((place // self.entry_count for place in wrong), default=0)
        return {place: numbers for place, numbers in wrong.items() if place // self.entry_count == number}

    def wrong_value(self) -> str:
        """Nothing: a product comes without a value."""
        return ""

    def as_matrix(self) -> Claim:
        """The matrix that the claim's products with unit vectors make, as a claim of its own."""
        kind, name = ("hessian" if self.order == 2 else "jacobian"), self.claim.name
        count = self.subject.m if self.claim.kind == "vjp" else self.subject.n
        columns = [self.product(self.subject.x, basis(count, i)) for i in range(count)]
        matrix = np.array(columns) if self.claim.kind == "vjp" else np.array(columns).T
        return Claim(name, lambda *inputs: matrix, kind)

    @property
    def is_long(self) -> bool:
        """Whether evaluations must be spared: never, for products with few vectors."""
        return False

    def sharp(self) -> list[Sharp]:
        """The product with each vector."""
        return [self._sharp(number) for number in range(len(self.vectors))]

    def _sharp(self, number: int) -> Sharp:
        assert self.tracing is not None
        vector, pulls = self.vectors[number], self.claim.kind == "vjp"
        sweep = self.tracing.pull if pulls else self.tracing.push
        shaken = self.tracing.shaken_pull if pulls else self.tracing.shaken_push
        product = self.products[number]
        return Sharp(product, sweep(vector), lambda e, g: shaken(vector, e, g), lambda x: self._again(x, vector),
                     number * len(product) + np.arange(len(product)), (len(product),))  # fmt: skip

    def blunt(self, number: int) -> Blunt:
        """The product along the number-th vector, measured by differences."""
        vector, product, eps = self.vectors[number], self.products[number], 2.0**10 * self.subject.eps
        if self.claim.kind == "jvp":
            return Blunt(product, self.along(vector), eps * np.abs(product))
        v = direction(equalised(self.sizes, np.abs(product) * self.sizes) if number else self.sizes, self.generator)
        spread = np.array([eps * (np.abs(product) @ np.abs(v))])
        line = self.along(v, vector) if self.claim.kind == "vjp" else Mixed(self, v, vector)
        return Blunt(np.array([product @ v]), line, spread)

    def probe(self, place: int) -> Estimate:
        """One entry of a product by differences."""
        number, i = divmod(place, self.entry_count)
        vector = self.vectors[number]
        if self.claim.kind == "jvp":
            return only(self.along(vector).full(), i, 1.0)
        if self.claim.kind == "vjp":
            return only(self.along(self.unit(i), vector).full(), 0, self.sizes[i])
        return only(self.mixed(self.unit(i), vector), 0, self.sizes[i])

    def claimed(self, place: int) -> float:
        """What the claim says of an entry."""
        number, i = divmod(place, self.entry_count)
        return float(self.products[number][i])

    def place_name(self, place: int) -> tuple[tuple[int, ...], str]:
        """An entry's index and name."""
        _, i = divmod(place, self.entry_count)
        return (i,), self.subject.output_name(i) if self.claim.kind == "jvp" else self.subject.input_name(i)
