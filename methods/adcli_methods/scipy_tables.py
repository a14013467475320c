"""Which front stands for which function of SciPy; read only where SciPy is in use."""

from __future__ import annotations

import functools
import importlib
import sys
from typing import Any

import numpy as np

from adcli_methods.functions import linalg, reductions, special
from adcli_methods.numpy_tables import Front, fronts_of
from adcli_methods.primitives import elementary as e
from adcli_methods.primitives import special as sp

SPECIAL_UFUNCS: dict[str, Front] = {
    **fronts_of(sp, "erf erfc erfinv gamma gammaln xlogy logit ndtr log_ndtr"),
    **fronts_of(e, "exp2 expm1 log1p cbrt"),
    **fronts_of(
        special,
        "beta poch entr rel_entr kl_div xlog1py log_expit softplus exp10 cosm1 sindg cosdg tandg cotdg huber "
        "pseudo_huber boxcox boxcox1p",
    ),
    "expit": sp.sigmoid,
    "loggamma": sp.gammaln,
    "digamma": sp.digamma,
    "psi": sp.digamma,
    "betaln": sp.log_beta,
    "gammasgn": special.gamma_sign,
    **{name: special.of_order(sp.bessel_j, name) for name in ("jv", "jn")},
    **{name: special.of_order(sp.bessel_y, name) for name in ("yv", "yn")},
    "iv": special.of_order(sp.bessel_i, "iv"),
    **{name: special.of_order(sp.bessel_k, name) for name in ("kv", "kn")},
    **{
        f"{letter}{order}": special.of_fixed_order(row, order)
        for letter, row in (("j", sp.bessel_j), ("y", sp.bessel_y), ("i", sp.bessel_i), ("k", sp.bessel_k))
        for order in (0, 1)
    },
}
"""By the ufunc's name in scipy.special."""

SPECIAL_FUNCTIONS: dict[str, Front] = {
    "logsumexp": reductions.log_sum_exp,
    "softmax": reductions.softmax,
    "log_softmax": reductions.log_softmax,
    "polygamma": special.polygamma,
    "multigammaln": special.multigammaln,
    "sinc": special.sinc,
    "softplus": special.softplus,
}
LINALG_FUNCTIONS: dict[str, Front] = {
    **{name: getattr(linalg, f"scipy_{name}") for name in ("solve", "inv", "det", "cholesky")},
    **fronts_of(linalg, "cho_factor cho_solve solve_triangular norm"),
}


def special_ufunc(ufunc: Any) -> Front | None:
    """The front of one of scipy.special's ufuncs."""
    module = sys.modules.get("scipy.special")
    name = ufunc.__name__
    if module is None or getattr(np, name, None) is ufunc:
        return None
    return SPECIAL_UFUNCS.get(name)


@functools.cache
def _functions(module: str) -> dict[Any, Front]:
    table = SPECIAL_FUNCTIONS if module == "scipy.special" else LINALG_FUNCTIONS
    owner = importlib.import_module(module)
    return {getattr(owner, name): front for name, front in table.items() if hasattr(owner, name)}


def front_of_function(function: Any) -> Front | None:
    """The front of one of SciPy's functions that is no ufunc."""
    for module in ("scipy.special", "scipy.linalg"):
        if module in sys.modules:
            try:
                front = _functions(module).get(function)
            except TypeError:
                return None
            if front is not None:
                return front
    return None
