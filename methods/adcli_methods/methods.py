"""Every method, by name. Methods installed by others arrive through the entry-point group `adcli.methods`."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from adcli_methods.errors import OperatorError
from adcli_methods.method import Method

METHODS: dict[str, str] = {
    "manual": "manual:Manual",
    "forward-difference": "finite_difference:ForwardDifference",
    "central-difference": "finite_difference:CentralDifference",
    "complex-step": "complex_step:ComplexStep",
    "symbolic": "symbolic:Symbolic",
    "forward": "forward:Forward",
    "reverse": "reverse:Reverse",
    "torch": "torch_autograd:TorchAutograd",
}
"""Each method's file and class, in the order of reports; a file is imported when its method is asked for."""
PEERS: dict[str, str] = {
    "jax": "peers.jax_eager:JaxEager",
    "jax-jit": "peers.jax_jit:JaxJit",
    "autograd": "peers.hips_autograd:HipsAutograd",
    "casadi": "peers.casadi_graph:CasadiGraph",
    "numdifftools": "peers.numdifftools_limit:NumdifftoolsLimit",
    "scipy-difference": "peers.scipy_difference:ScipyDifference",
    "torch-func": "peers.torch_func:TorchFunc",
    "torch-compile": "peers.torch_compile:TorchCompile",
}
"""Other packages' ways to differentiate, measured beside ours: each one's file and class, as in METHODS."""
_AUTO = "inhouse:InHouse"


@cache
def _load(place: str) -> type[Method]:
    module, _, name = place.partition(":")
    found: type[Method] = getattr(import_module(f"adcli_methods.{module}"), name)
    return found


def own_methods() -> tuple[type[Method], ...]:
    """The methods of this package."""
    return tuple(_load(place) for place in METHODS.values())


def peer_methods() -> tuple[type[Method], ...]:
    """Other packages' ways to differentiate, whether or not they are installed."""
    return tuple(_load(place) for place in PEERS.values())


def plugin_methods() -> tuple[type[Method], ...]:
    """The methods that other packages bring."""
    from importlib.metadata import entry_points

    return tuple(point.load() for point in entry_points(group="adcli.methods"))


def installed_methods() -> tuple[type[Method], ...]:
    """The methods of this package and of installed plugins."""
    return own_methods() + plugin_methods()


def method_named(name: str) -> type[Method]:
    """The method of a name or a short name; "auto" picks forward or reverse by shape.

    Raises: OperatorError with the nearest names.

    >>> method_named("cd").name
    'central-difference'
    """
    wanted = name.strip().lower().replace("_", "-")
    if wanted == "auto":
        return _load(_AUTO)
    for places in (METHODS, PEERS):
        if wanted in places:
            return _load(places[wanted])
    for methods in (own_methods, peer_methods, plugin_methods):
        for method in methods():
            if wanted == method.name or wanted in method.aliases:
                return method
    from difflib import get_close_matches

    near = get_close_matches(wanted, [*METHODS, *PEERS], n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise OperatorError(f"unknown method {name[:60]!r}: {hint}known are auto, {', '.join([*METHODS, *PEERS])}")
