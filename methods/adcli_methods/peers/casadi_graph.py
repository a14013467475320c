"""CasADi: the function and its derivative as one expression graph, run by CasADi's virtual machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adcli_methods.errors import OperatorError
from adcli_methods.function import FlatFunction
from adcli_methods.method import Flat, Linearization, Method, Native, Prepared, identity
from adcli_methods.operators import require_scalar
from adcli_methods.peers.black_box import Layout, layout_of
from adcli_methods.peers.refusals import refusals_of
from adcli_methods.primitive import Value, shape_of
from adcli_methods.program import Program

MOST_SCALAR_NODES = 20_000
"""With more operations on numbers than this, arrays are kept whole (MX), unless they are short."""
SHORT = 32


class CasadiGraph(Method):
    """casadi.gradient and casadi.jacobian of the Program's expressions, through CasADi's buffers."""

    name = "casadi"
    summary = "CasADi: the Program's expressions (SX or MX) in its virtual machine; first derivatives"
    operators = frozenset({"derivative", "gradient", "jacobian", "jvp", "vjp"})
    highest_order = 1
    needs = "casadi"
    install = 'pip install "adcli[peers]"'

    def prepare(self, problem: FlatFunction, order: int) -> Native:
        self._build(problem)
        evaluate = _Machine([self.x], [self.y])

        def function(leaves: Sequence[Value]) -> list[Value]:
            self.tally.primal_evaluations += 1
            return self.rows.parted(evaluate([self.columns.flattened(leaves)])[0])

        return Native(function, problem.leaves, identity)

    def _build(self, problem: FlatFunction) -> None:
        """The function as a column of expressions of the column of all inputs."""
        if any(np.asarray(leaf).dtype != np.float64 for leaf in problem.leaves):
            raise OperatorError("casadi computes in double precision alone: ask for --dtype float64")
        values = problem.traced[0].values
        self.values = [values[slot] for slot in problem.program.outputs]
        self.rows, self.columns = layout_of(self.values), layout_of(problem.leaves)
        self.x, self.y = _expressions(problem.program, values, self.columns)

    def linearize(self, function: Flat, leaves: Sequence[Value], order: int) -> Linearization:
        import casadi

        rows, columns = self.rows, self.columns
        at = columns.flattened(leaves)
        tangent, cotangent = type(self.x).sym("t", columns.size), type(self.x).sym("w", rows.size)

        def push(tangents: Sequence[Value]) -> list[Value]:
            self.tally.tangent_sweeps += 1
            moved = _Machine([self.x, tangent], [casadi.jtimes(self.y, self.x, tangent)])
            return rows.parted(moved([at, columns.flattened(tangents)])[0])

        def pull(cotangents: Sequence[Value]) -> list[Value]:
            self.tally.adjoint_sweeps += 1
            pulled = _Machine([self.x, cotangent], [casadi.jtimes(self.y, self.x, cotangent, True)])
            seeds = [np.broadcast_to(w, shape_of(v)) for w, v in zip(cotangents, self.values, strict=True)]
            return columns.parted(pulled([at, rows.flattened(seeds)])[0])

        return Linearization(function(leaves), push, pull)

    def prepared(self, problem: FlatFunction, operator: str) -> Prepared:
        self.check(operator, 1)
        self._build(problem)
        import casadi

        with refusals_of("casadi"):
            if operator == "gradient":
                require_scalar(self.values, operator)
                derivative = casadi.gradient(self.y, self.x)
            else:
                derivative = casadi.jacobian(self.y, self.x).T  # CasADi's columns are NumPy's rows
            evaluate = _Machine([self.x], [self.y, derivative])
        rows, columns = self.rows, self.columns

        def run(leaves: Sequence[Value]) -> tuple[list[Value], list[Value]]:
            values, matrix = evaluate([columns.flattened(leaves)])
            if operator == "gradient":
                return rows.parted(values), columns.parted(matrix)
            return rows.parted(values), rows.blocks(matrix.reshape(rows.size, columns.size), columns)

        return Prepared(run, problem.leaves, identity, self.convert)


def _expressions(program: Program, values: Sequence[Value], columns: Layout) -> tuple[Any, Any]:
    """The column of all inputs as symbols, and the column of all outputs."""
    import casadi

    from adcli_methods.execution import execute
    from adcli_methods.targets.casadi_functions import Expressions
    from adcli_methods.targets.casadi_target import CASADI, lifted

    kind = casadi.SX if _by_scalars(program, values) else casadi.MX
    x = kind.sym("x", columns.size)
    leaves = [Expressions(x[start:stop], shape) for start, stop, shape in columns.places]
    with refusals_of("casadi"):
        outputs = [lifted(output, kind) for output in execute(program, leaves, CASADI)]
        return x, casadi.vertcat(*[output.column for output in outputs])


def _by_scalars(program: Program, values: Sequence[Value]) -> bool:
    """Whether a node for each number is the better graph: few numbers, or short arrays."""
    work = 0
    for slot, instruction in enumerate(program.instructions):
        if instruction.primitive is not None:
            inner = np.shape(values[instruction.operands[0]])[-1] if instruction.primitive.name == "matmul" else 1
            work += np.size(values[slot]) * inner
    return work <= MOST_SCALAR_NODES or work <= SHORT * len(program.instructions)


class _Machine:
    """A CasADi function on NumPy vectors, by way of its buffers: new results at each call."""

    def __init__(self, inputs: list[Any], outputs: list[Any]) -> None:
        import casadi

        # CasADi's buffer knows addresses alone, so everything it points at is kept here
        self.function = casadi.Function("f", inputs, [casadi.densify(output) for output in outputs])
        self.buffer: Any = None
        self.buffer, self.evaluate = self.function.buffer()
        self.given = [np.zeros(symbol.shape[0]) for symbol in inputs]
        self.results = [np.zeros(output.numel()) for output in outputs]
        for position, array in enumerate(self.given):
            self.buffer.set_arg(position, array.data)
        for position, array in enumerate(self.results):
            self.buffer.set_res(position, array.data)

    def __call__(self, vectors: list[Any]) -> list[Any]:
        for array, vector in zip(self.given, vectors, strict=True):
            array[:] = vector
        self.evaluate()
        return [result.copy() for result in self.results]
