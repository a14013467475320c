"""The pytest plugin: a fixture that asserts gradients. It is loaded with every pytest run, so it imports late."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from adcli_methods.checking.report import CheckReport


@pytest.fixture(scope="session")
def assert_gradient() -> Callable[..., CheckReport]:
    """`adcli.assert_gradient`: fails the test, with the report, unless a hand-written derivative is right."""
    from adcli.assertions import assert_gradient

    return assert_gradient
