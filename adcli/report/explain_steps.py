"""A derivation as a tree of rules, and as LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.text import Text
from rich.tree import Tree

from adcli.report.console import TableConsole
from adcli.report.explain_text import ascii_text
from adcli.report.expression_text import latex, text
from adcli_methods.derivation import Derivation
from adcli_methods.derivation_steps import Step

LONGEST = 160
"""A longer expression within the tree is cut; the derivative itself, which the tree ends in, is cut later."""
LONGEST_RESULT = 2000


def print_steps(derivations: Sequence[Derivation], most: int) -> None:
    """A tree for each input, outermost rule first, then the derivative, as derived and simplified.

    Arguments: the derivations, and the most steps of each that are shown.
    """
    console, symbol = TableConsole(), derivations[0].symbol
    spelled = ascii_text if console.options.ascii_only else str
    console.print(Text(spelled(f"{symbol} = {_shown(derivations[0].function)}"), style="bold"))
    for derivation in derivations:
        console.print()
        sign = _sign(derivation, derivations)
        if derivation.step is None:
            console.print(spelled(f"{symbol} does not depend on {derivation.variable}"), style="dim")
        else:
            console.print(_Trees(sign, most, spelled).tree(derivation.step))
        console.print()
        for line in _result(derivation, sign.replace("/", f"{symbol}/")):
            console.print(spelled(line), style="bold green")


def _result(derivation: Derivation, name: str) -> Iterator[str]:
    """The derivative as the rules give it, and on a second line simplified."""
    derived, simplified = (_shown(part, LONGEST_RESULT) for part in (derivation.derivative, derivation.simplified))
    yield f"{name} = {derived}"
    if simplified != derived:
        yield " " * len(name) + f" = {simplified}"


def _sign(derivation: Derivation, derivations: Sequence[Derivation]) -> str:
    d = "d" if len(derivations) == 1 else "∂"
    return f"{d}/{d}{derivation.variable}"


def _shown(expression: object, longest: int = LONGEST) -> str:
    whole = text(expression)
    return whole if len(whole) <= longest else whole[:longest] + " …"


class _Trees:
    """Builds the tree of a derivation; what it has shown it does not show again."""

    def __init__(self, sign: str, most: int, spelled: Callable[[str], str]) -> None:
        self.sign, self.most, self.spelled = sign, most, spelled
        self.seen: set[int] = set()

    def tree(self, step: Step) -> Tree:
        """The tree of a step, without recursion, for formulas may be deep."""
        root = Tree(self._label(step), guide_style="dim")
        waiting = [(root, step)]
        left_out = 0
        while waiting:
            branch, parent = waiting.pop(0)
            for part in parent.parts:
                if part.rule == "variable":
                    continue
                if len(self.seen) >= self.most:
                    left_out += 1
                    continue
                is_known = id(part) in self.seen
                child = branch.add(self._label(part, is_known))
                if not is_known:
                    self.seen.add(id(part))
                    waiting.append((child, part))
        if left_out:
            root.add(Text(self.spelled(f"⋮ more steps (--max-rows {self.most})"), style="dim"))
        return root

    def _label(self, step: Step, is_known: bool = False) -> Text:
        equation = f"{self.sign} {_argument(step)} = {_shown(step.result)}"
        rule = "as above" if is_known else f"{step.rule}: {step.statement}" if step.statement else step.rule
        return Text.assemble((self.spelled(equation), ""), "\n", (self.spelled(rule), "cyan"))


def _argument(step: Step) -> str:
    whole = _shown(step.formula)
    is_single = not any(sign in whole for sign in " ·/") or step.formula.is_Function
    return whole if is_single else f"({whole})"


def latex_of(derivations: Sequence[Derivation]) -> str:
    """The derivations as LaTeX's align* environments, a step a line, the rule beside it."""
    return "\n\n".join(_align(derivation, len(derivations) > 1) for derivation in derivations)


def _align(derivation: Derivation, is_partial: bool) -> str:
    import sympy

    d = r"\partial" if is_partial else "d"
    variable = latex(sympy.Symbol(derivation.variable))
    operator = rf"\frac{{{d}}}{{{d} {variable}}}"
    rows = [
        rf"{operator} \left({latex(step.formula)}\right) &= {latex(step.result)} && \text{{{step.rule}}}"
        for step in _outermost_first(derivation.step)
    ]
    final = (
        rf"\frac{{{d} {derivation.symbol}}}{{{d} {variable}}} &= {latex(derivation.simplified)} && \text{{simplified}}"
    )
    return "\\begin{align*}\n" + " \\\\\n".join([*rows, final]) + "\n\\end{align*}"


def _outermost_first(step: Step | None) -> Iterator[Step]:
    """Each step once, before its parts."""
    seen: set[int] = set()
    waiting = [step] if step is not None else []
    while waiting:
        current = waiting.pop()
        if id(current) in seen or current.rule == "variable":
            continue
        seen.add(id(current))
        yield current
        waiting.extend(reversed(current.parts))
