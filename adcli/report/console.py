"""The console that tables are printed on."""

from __future__ import annotations

from rich.console import Console


class TableConsole(Console):
    """Standard output as it comes; a reader that has gone ends the command quietly.

    Text is never markup: formulas have brackets, as in x[i].
    """

    def __init__(self, soft_wrap: bool = False) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, soft_wrap=soft_wrap)

    def on_broken_pipe(self) -> None:
        """Leave it to the command line, which ends with 0; rich would end with 1."""
        raise BrokenPipeError
