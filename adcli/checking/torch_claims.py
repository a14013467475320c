"""Torch functions and modules as functions of NumPy arrays, and their own autograd as the claim about them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adcli_methods.checking.claims import Claim
from adcli_methods.errors import FunctionError, PointError, UnavailableError
from adcli_methods.function import Function, describe
from adcli_methods.loading import load_module, names_python, object_named
from adcli_methods.structure import leaves_of, rebuild

PARAMETERS = "parameters"
"""The last input: a module's parameters by name."""
BLACK_BOX = "a torch function: autograd is checked by differences, as a black box"
SMALL = 10**5
"""Parameters of a module that one thread is enough for."""
_SIZES = (4, 3, 2, 1)


@dataclass(frozen=True)
class TorchSubject:
    """What to check, its claim, and where."""

    function: Function
    claim: Claim
    point: dict[str, Any]


def torch_subject(target: str, at: Any, size: int | None, seed: int) -> TorchSubject:
    """A torch function, module, method of a module, or autograd.Function, in float64.

    The inputs are those of the function and, of a module, its parameters. All of its random numbers (dropout) are the
    same at each call.

    Arguments:
        target: "file.py:name" or "module:name"; a module's class is built without arguments.
        at: values of inputs by name, or of the first one; None: random ones of a shape that it takes.
    Raises: FunctionError, PointError, UnavailableError.
    """
    try:
        import torch
    except ImportError:
        raise UnavailableError('--torch needs torch, which is not installed: pip install "adcli[torch]"') from None
    if not names_python(target) or target.endswith(".py"):
        raise FunctionError(f"--torch: {target}: which function? write file.py:function or file.py:Module.forward")
    call, module = _called(target, torch)
    names = _input_names(call, module)
    parameters = {} if module is None else {
        name: value.detach().numpy() for name, value in module.named_parameters() if value.requires_grad
    }  # fmt: skip
    if sum(value.size for value in parameters.values()) < SMALL:
        torch.set_num_threads(1)  # more of them cost more than they give
    tensors = _Tensors(call, module, names, seed, target)
    given = _given(at, names, target)
    inputs = tensors.find_inputs(given, size, parameters)
    point = {**inputs, **({PARAMETERS: parameters} if parameters else {})}
    function = Function(target.rpartition(":")[2], tensors.values, tuple(point), is_file=True)
    return TorchSubject(function, Claim("autograd", tensors.pulled_back, "vjp", BLACK_BOX), point)


def _called(target: str, torch: Any) -> tuple[Callable[..., Any], Any]:
    """What to call with tensors, and the module that it belongs to, if it does."""
    place, _, name = target.rpartition(":")
    loaded = load_module(place)
    first, *rest = name.split(".")
    found = object_named(loaded, first, place)
    if isinstance(found, type) and issubclass(found, torch.autograd.Function):
        return object_named(found, "apply", target), None
    if isinstance(found, type):
        try:
            found = found()
        except Exception as error:
            raise FunctionError(
                f"{place}:{first}() cannot be built without arguments ({describe(error, first)}): "
                f"write model = {first}(...) in the file, and check {place}:model.forward"
            ) from None
    owner = found.double() if isinstance(found, torch.nn.Module) else None
    call = object_named(found, ".".join(rest), f"{place}:{first}") if rest else found
    if not callable(call):
        raise FunctionError(f"{target} is a {type(call).__name__}, not a torch function or module")
    return call, owner


def _input_names(call: Any, module: Any) -> tuple[str, ...]:
    """The inputs that must be given: of forward, for a module; without the context, for an autograd.Function."""
    owner = getattr(call, "__self__", None)
    if isinstance(owner, type) and hasattr(owner, "forward"):
        return tuple(inspect.signature(owner.forward).parameters)[1:]
    try:
        parameters = inspect.signature(module.forward if call is module else call).parameters.values()
    except (TypeError, ValueError):
        return ("x",)
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(item.name for item in parameters if item.kind in plain and item.default is item.empty) or ("x",)


def _given(at: Any, names: Sequence[str], target: str) -> dict[str, Any]:
    if at is None:
        return {}
    if not isinstance(at, dict):
        return {names[0]: np.asarray(at, dtype=float)}
    unknown = [name for name in at if name not in names]
    if unknown:
        raise PointError(f"{target} has no input {unknown[0]!r}: its inputs are {', '.join(names)}")
    return {name: np.asarray(value, dtype=float) for name, value in at.items()}


class _Tensors:
    """The function on tensors, between arrays on both sides."""

    def __init__(self, call: Callable[..., Any], module: Any, names: Sequence[str], seed: int, target: str) -> None:
        self.call = call
        self.module = module
        self.names = names
        self.seed = seed
        self.random_state = _random_state(seed)
        self.target = target
        self.holder = None if module is None else _holder(module, call)

    def values(self, *arrays: Any) -> Any:
        """The outputs, all in one vector where there are several."""
        import torch

        with torch.no_grad():
            return self._output([rebuild(array, lambda _, leaf: _tensor(leaf)) for array in arrays]).numpy().copy()

    def pulled_back(self, *arrays: Any) -> Any:
        """By autograd: the cotangent, given last, times the Jacobian; a part for each input."""
        import torch

        *given, cotangent = arrays
        trees = [rebuild(tree, lambda _, leaf: _tensor(leaf, wanted=True)) for tree in given]
        leaves = [leaf for _, leaf in leaves_of(trees)]
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        output = self._output(trees)
        if not output.requires_grad:
            raise FunctionError(f"{self.target} cuts the graph: autograd has no derivative of its result")
        seed = torch.as_tensor(np.asarray(cotangent), dtype=output.dtype).reshape(output.shape)
        found = iter(torch.autograd.grad(output, wanted, seed, allow_unused=True))
        parts = [next(found) if leaf.requires_grad else None for leaf in leaves]
        arrays_of = iter([
            np.zeros(leaf.shape) if part is None else part.detach().numpy()
            for leaf, part in zip(leaves, parts, strict=True)
        ])  # fmt: skip
        rebuilt = [rebuild(tree, lambda *_: next(arrays_of)) for tree in trees]
        kept = [any(leaf.requires_grad for _, leaf in leaves_of(tree)) for tree in trees]
        result = tuple(tree for tree, is_kept in zip(rebuilt, kept, strict=True) if is_kept)
        return result if len(result) > 1 else result[0]

    def _output(self, trees: Sequence[Any]) -> Any:
        import torch

        inputs = list(trees[: len(self.names)])
        torch.set_rng_state(self.random_state)
        if self.module is not None and len(trees) > len(self.names):
            named = {f"inner.{name}": value for name, value in trees[-1].items()}
            result = torch.func.functional_call(self.holder, named, tuple(inputs))
        else:
            result = self.call(*inputs)
        outputs = [leaf for _, leaf in leaves_of(result) if torch.is_tensor(leaf) and leaf.is_floating_point()]
        if not outputs:
            raise FunctionError(f"{self.target} returned no tensor of floating-point numbers")
        return outputs[0] if len(outputs) == 1 else torch.cat([output.reshape(-1) for output in outputs])

    def find_inputs(self, given: dict[str, Any], size: int | None, parameters: dict[str, Any]) -> dict[str, Any]:
        """Inputs that the function takes: those given, the others random, of the first shape that it runs on.

        Raises: PointError if it runs on none.
        """
        rest = [name for name in self.names if name not in given]
        reason = ""
        for shape, is_whole in self._shapes(size) if rest else [((), False)]:
            generator = np.random.default_rng(self.seed)
            inputs = {
                name: given[name] if name in given else _drawn(generator, shape, is_whole) for name in self.names
            }  # fmt: skip
            try:
                self.values(*inputs.values(), *([parameters] if parameters else []))
            except Exception as error:
                reason = reason or describe(error, self.target)
            else:
                return inputs
        raise PointError(f"{self.target} does not run on random inputs ({reason}): give --at x=[[...]] or a file")

    def _shapes(self, size: int | None) -> list[tuple[tuple[int, ...], bool]]:
        """Shapes to try, with whether to try whole numbers: what the first layer says, then small ones."""
        shapes: list[tuple[int, ...]] = []
        for layer in self.module.modules() if self.module is not None else ():
            if hasattr(layer, "in_features"):
                shapes.append((2, layer.in_features))
            elif hasattr(layer, "in_channels"):
                shapes.append((2, layer.in_channels, *(8,) * len(getattr(layer, "kernel_size", ()))))
            elif hasattr(layer, "input_size"):
                shapes += [(2, 3, layer.input_size), (2, layer.input_size)]
        sizes = (size,) if size is not None else _SIZES
        shapes += [shape for n in sizes for shape in ((n,), (n, n), (2, 3, n), (2, n, 8, 8))] + [()]
        return [(shape, False) for shape in shapes] + [(shape, True) for shape in shapes]


def _drawn(generator: np.random.Generator, shape: tuple[int, ...], is_whole: bool) -> Any:
    return generator.integers(0, 2, shape) if is_whole else generator.standard_normal(shape)


def _tensor(leaf: Any, wanted: bool = False) -> Any:
    import torch

    tensor = torch.as_tensor(np.array(leaf, copy=True))
    return tensor.requires_grad_(wanted and tensor.is_floating_point())


def _random_state(seed: int) -> Any:
    """The state of torch's generator after this seed: setting it is quicker than seeding all devices each time."""
    import torch

    return torch.Generator().manual_seed(seed).get_state()


def _holder(module: Any, call: Callable[..., Any]) -> Any:
    """A module whose forward is this call, of the module or of any method of it, so that it can be given parameters."""
    import torch

    class Holder(torch.nn.Module):  # type: ignore[misc]  # torch may be missing, so its types are not read
        def __init__(self) -> None:
            super().__init__()
            self.inner = module

        def forward(self, *arguments: Any) -> Any:
            return call(*arguments)

    return Holder()
