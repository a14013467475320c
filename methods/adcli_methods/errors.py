"""Every error that a user's input can cause, one tree.

AdcliError                     exit code 2 unless a subclass says otherwise
├── ExpressionError            a formula that cannot be read
├── PointError                 a point, seed or vector that does not fit the function
├── FunctionError              a file, a name or a user's function that fails
│   └── TraceError             an operation of the user's function that cannot be traced
├── OperatorError              an operator that a method cannot give
└── UnavailableError           a method or device that is not installed here; exit code 3
"""

from __future__ import annotations


class AdcliError(Exception):
    """An error of the user's input, told in one line without a traceback."""

    exit_code = 2


class ExpressionError(AdcliError):
    """A formula that cannot be read.

    Arguments: the message, the formula's text, and the column (from 0) that the caret points at.
    """

    def __init__(self, message: str, text: str = "", column: int | None = None) -> None:
        super().__init__(message)
        self.text = text
        self.column = column


class PointError(AdcliError):
    """A point, seed or vector that does not fit the function."""


class FunctionError(AdcliError):
    """A file, a name or a user's function that fails."""


class TraceError(FunctionError):
    """An operation of the user's function that cannot be traced."""


class OperatorError(AdcliError):
    """An operator that a method cannot give."""


class UnavailableError(AdcliError):
    """A method or device that is not installed here."""

    exit_code = 3
