"""Which function is whose derivative, told by names and read without running the file."""

from __future__ import annotations

import pytest

from adcli.checking.names import Source, functions_in, pairs
from adcli_methods.errors import FunctionError


def told(*names):
    return [(pair.function, pair.claim, pair.kind) for pair in pairs(dict.fromkeys(names, Source()))]


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        *(
            (name, None)
            for name in ("f_grad", "f_gradient", "grad_f", "gradient_f", "f_der", "f_derivative", "df", "d_f")
        ),
        *((name, None) for name in ("f_prime", "fprime", "f_jac", "f_jacobian", "jac_f", "df_dx", "dfdx")),
        *((name, "hessian") for name in ("f_hess", "f_hessian", "hess_f")),
        *((name, "hvp") for name in ("f_hvp", "f_hessp", "f_hess_prod")),
        ("f_jvp", "jvp"),
        ("f_vjp", "vjp"),
        ("f_and_grad", "value_and_gradient"),
    ],
)
def test_a_claim_is_told_by_its_name(claim, kind):
    assert told("f", "other", claim) == [("f", claim, kind)]


@pytest.mark.parametrize("name", ["decide", "default", "gradient_descent", "grade", "degrade", "f_plot", "prime"])
def test_other_names_are_no_claims(name):
    assert told("f", "ef", name) == []


def test_bare_names_belong_to_the_only_objective():
    assert told("fun", "jac", "hess") == [("fun", "jac", None), ("fun", "hess", "hessian")]
    assert told("loss", "grad") == [("loss", "grad", None)]
    assert told("loss", "cost", "grad") == []


def test_the_longest_name_that_fits_is_the_function():
    assert told("loss", "loss_grad", "loss_grad_grad") == [
        ("loss", "loss_grad", None),
        ("loss_grad", "loss_grad_grad", None),
    ]


FILE = '''import numpy as np
from model import energy, energy_grad

raise SystemExit("this file is not run")


def loss(x):
    """A loss."""
    return x @ x


@decorated
def loss_grad(x):
    return 2 * x


d_energy = lambda x: x
scale = 3.0


def both(x):
    grad = 2 * x
    return x @ x, grad


def also_a_pair(x):
    return x, scale


class Loss:
    def value(self): ...
'''


def test_a_file_is_read_without_being_run(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(FILE)
    functions = functions_in(path)
    assert {name: source.line for name, source in functions.items() if source.is_own} == {
        "loss": 7, "loss_grad": 13, "d_energy": 17, "both": 21, "also_a_pair": 26
    }  # fmt: skip
    assert [(pair.function, pair.claim, pair.kind) for pair in pairs(functions)] == [
        ("loss", "loss_grad", None),
        ("energy", "d_energy", None),
        ("both", "both", "value_and_gradient"),
    ]


@pytest.mark.parametrize(("content", "said"), [("def f(x:", "SyntaxError"), ("x = '\0'", "null bytes")])
def test_what_is_no_python_is_an_error(content, said, tmp_path):
    path = tmp_path / "model.py"
    path.write_text(content)
    with pytest.raises(FunctionError, match=said):
        functions_in(path)
