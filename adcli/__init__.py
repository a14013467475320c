"""Differentiate any formula or unmodified Python function, by every method.

>>> import adcli
>>> adcli.diff("exp(x**2)", at=2, mode="reverse").derivative
218.39260013257694
>>> adcli.gradient(lambda x: x**3)(2.0)
12.0
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "diff": "adcli.api",
    "diff_rows": "adcli.api",
    "compare": "adcli.api",
    "explain": "adcli.api",
    "prepare": "adcli.api",
    "check": "adcli.assertions",
    "assert_gradient": "adcli.assertions",
    "GradientError": "adcli.assertions",
    "CheckReport": "adcli_methods.checking.report",
    "Verdict": "adcli_methods.checking.report",
    "Derivative": "adcli_methods.derivative",
    "Explanation": "adcli_methods.explanation",
    "AdcliError": "adcli_methods.errors",
    "gradient": "adcli_methods.functional",
    "value_and_gradient": "adcli_methods.functional",
    "jacobian": "adcli_methods.functional",
    "hessian": "adcli_methods.functional",
    "jvp": "adcli_methods.functional",
    "vjp": "adcli_methods.functional",
    "hvp": "adcli_methods.functional",
}
__all__ = [
    "AdcliError",
    "CheckReport",
    "Derivative",
    "Explanation",
    "GradientError",
    "Verdict",
    "assert_gradient",
    "check",
    "compare",
    "diff",
    "diff_rows",
    "explain",
    "gradient",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "prepare",
    "value_and_gradient",
    "vjp",
]


def __getattr__(name: str) -> Any:
    """Public names, imported at first use so that `adcli --help` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'adcli' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
