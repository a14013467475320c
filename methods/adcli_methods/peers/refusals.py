"""What another package cannot do, as this package's one-line error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from adcli_methods.errors import AdcliError, OperatorError


@contextmanager
def refusals_of(package: str) -> Iterator[None]:
    """Turn an exception of another package into an OperatorError that names it."""
    try:
        yield
    except (AdcliError, MemoryError):
        raise
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        raise OperatorError(f"{package} cannot do this: {type(error).__name__}: {lines[0][:200]}") from error
