"""The Python mirror of `adcli diff` and `adcli compare`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from adcli.comparison import Comparison, compare_methods
from adcli.target import Target, resolve
from adcli_methods.derivative import Derivative
from adcli_methods.differentiate import Request, differentiate
from adcli_methods.errors import OperatorError
from adcli_methods.explanation import Explanation
from adcli_methods.prepared.once import differentiate_compiled
from adcli_methods.prepared.prepared import PreparedDerivative
from adcli_methods.prepared.prepared import prepare as prepare_function

if TYPE_CHECKING:
    from adcli_methods.row_function import RowDerivatives


def diff(
    target: Target,
    at: Any = None,
    mode: str = "auto",
    wrt: Sequence[str | int] | str | int | None = None,
    order: int = 1,
    operator: str | None = None,
    dtype: str | None = None,
    device: str = "cpu",
    *,
    vector: Any = None,
    derivative: Target | None = None,
    step: float | None = None,
    chunk: int | None = None,
    compile: bool = False,  # noqa: A002 (the word that users know)
    strict: bool = False,
) -> Derivative:
    """Differentiate a formula, a callable, "file.py:name" or "problem:name" at a point.

    Arguments:
        target: what to differentiate.
        at: a number, an array, a dict of inputs by name, or a tuple of them.
        mode: auto, manual, forward-difference (fd), central-difference (cd), complex-step (cs), symbolic,
            forward, reverse, torch.
        wrt: names or positions of the inputs to differentiate by; None: all floating-point inputs given.
        order: how often.
        operator: derivative, gradient, jacobian, hessian, jvp, vjp, hvp; None: the one that fits the shape.
        dtype: "float32" or "float64".
        device: "cpu" or "cuda".
        vector: for jvp, vjp and hvp.
        derivative: the hand-written derivative for mode "manual".
        step: the step of differences, or of the complex step.
        chunk: how many tangents or cotangents a sweep takes; None: as the method does by itself.
        compile: whether fused native kernels compute it.
        strict: whether the kernels use the C library's scalar functions, as `math` does, and not vector ones, which are
            up to 4 units in the last place off.
    Result: a Derivative, with `.value` and `.derivative`.
    Raises: AdcliError (see adcli_methods.errors).

    >>> diff("log(x1) + x1*x2 - sin(x2)", at={"x1": 2, "x2": 5}).derivative
    {'x1': 5.5, 'x2': 1.7163378145367738}
    """
    function, point = resolve(target, at, derivative)
    request = Request(mode, wrt, order, operator, vector, dtype, device, step, chunk)
    if compile:
        return differentiate_compiled(function, point, request, strict=strict)
    if strict:
        raise OperatorError("strict is for native kernels: give compile=True too")
    return differentiate(function, point, request)


def diff_rows(
    target: Target,
    columns: Mapping[str, Any],
    wrt: Sequence[str | int] | str | int | None = None,
    mode: str = "auto",
    *,
    fixed: Mapping[str, Any] | None = None,
    compile: str = "auto",  # noqa: A002 (the word that users know)
    strict: bool = False,
) -> RowDerivatives:
    """The value and the derivatives of a scalar function of numbers at each row of a table.

    Arguments:
        target: a formula, a callable, or "file.py:name".
        columns: by the name of each input that has a column, one number for each row.
        wrt: the inputs to differentiate by; None: all that have a column.
        mode: "auto", "forward" or "reverse".
        fixed: the inputs that are the same in all rows.
        compile: "auto", "c" for native kernels, "numpy".
        strict: as of `diff`, with compile="c".
    Result: the `value` and the `derivatives` by input, a column each; rows where the function raises hold NaN, and
        `failures` has what was raised.
    Raises: AdcliError.

    >>> diff_rows("S*exp(-r*T)", {"S": [100.0, 50.0], "r": [0.0, 0.0]}, fixed={"T": 2.0}).derivatives["r"].tolist()
    [-200.0, -100.0]
    """
    from adcli.rows import function_of_columns
    from adcli_methods.rows import row_derivatives

    fixed = fixed or {}
    function = function_of_columns(target, tuple(columns), fixed)
    return row_derivatives(function, columns, wrt, mode, fixed=fixed, compile=compile, strict=strict)


def explain(
    target: Target,
    at: Any = None,
    wrt: Sequence[str | int] | str | int | None = None,
    dtype: str | None = None,
    *,
    tangent: Any = None,
    cotangent: Any = None,
) -> Explanation:
    """The evaluation trace of a function with both sweeps beside it: how its derivative comes about.

    Arguments:
        target: what to explain, as in `diff`.
        at: the point.
        wrt: the inputs to differentiate by; None: all floating-point inputs given.
        dtype: "float32" or "float64".
        tangent: the seed of the forward sweep: an input's name, or numbers; None: the first input.
        cotangent: the seed of the reverse sweep: an output's name, or numbers; None: the first output.
    Result: an Explanation, with `.lines`, `.derivative` and `.passes`.
    Raises: AdcliError.

    >>> [(line.name, line.formula, line.adjoint) for line in explain("exp(x**2)", at=2).lines]
    [('v₀', 'x', 218.39260013257694), ('v₁', 'v₀²', 54.598150033144236), ('v₂', 'exp(v₁)', 1.0)]
    """
    from adcli_methods.explaining import explain as explain_function

    function, point = resolve(target, at)
    return explain_function(function, point, wrt=wrt, tangent=tangent, cotangent=cotangent, dtype=dtype)


def prepare(
    target: Target,
    at: Any = None,
    *,
    operator: str = "gradient",
    mode: str = "auto",
    wrt: Sequence[str | int] | str | int | None = None,
    vector: Any = None,
    compile: str = "auto",  # noqa: A002 (the word that users know)
    strict: bool = False,
    chunk: int | None = None,
    device: str = "cpu",
) -> PreparedDerivative:
    """Prepare a derivative once (trace, differentiate, optimise, compile), to be called at many points.

    Arguments:
        target: a formula, a callable, "file.py:name" or "problem:name".
        at: an example of the inputs.
        operator: "gradient" of a scalar function; "jvp", "vjp" or "hvp", whose vector is the last argument of a call;
            "jacobian", or "hessian" of a scalar function.
        mode: "auto", "reverse" or "forward" (a Jacobian's columns; the tangents of all entries at once).
        wrt: names or positions of the inputs to differentiate by; None: all floating-point inputs given.
        vector: an example of the vector; None: ones.
        compile: "auto", "c" for native kernels, "numpy", or "python" for functions of few numbers.
        strict: as of `diff`, with compile="c".
        chunk: how many columns or rows of a Jacobian or Hessian a sweep gives; None: as many as fit the cache.
        device: "cpu", or "cuda" for Triton kernels; inputs may then be torch tensors there, and results are.
    Result: a callable of the function's inputs that returns (value, derivative); `.report` says what was prepared,
        and what may change between calls is said in `adcli_methods.prepared.prepared`.
    Raises: AdcliError.

    >>> value_and_gradient = prepare("exp(x**2)", 2.0)
    >>> value_and_gradient(2.0)
    (54.598150033144236, 218.39260013257694)
    """
    function, point = resolve(target, at, None)
    return prepare_function(
        function,
        point,
        operator=operator,
        mode=mode,
        wrt=wrt,
        vector=vector,
        compile=compile,
        strict=strict,
        chunk=chunk,
        device=device,
    )


def compare(
    target: Target,
    at: Any = None,
    *,
    wrt: Sequence[str | int] | str | int | None = None,
    order: int = 1,
    dtype: str | None = None,
    device: str = "cpu",
    derivative: Target | None = None,
    timeout: float | None = None,
) -> Comparison:
    """Differentiate by every method, with errors against a 50-digit reference.

    Arguments: as of `diff`; and
        timeout: seconds for each method, for the reference and for the advice, where the system has a timer and this
            is the main thread; None: no limit.
    Result: a Comparison, one row for each method.

    >>> {row.method: row.ulp_error < 1 for row in compare("exp(x**2)", at=2).rows if row.method == "reverse"}
    {'reverse': True}
    """
    function, point = resolve(target, at, derivative)
    return compare_methods(function, point, Request("auto", wrt, order, None, None, dtype, device), timeout)
