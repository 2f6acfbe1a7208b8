"""An indicator system of several levels: each indicator weighs so much among its neighbours, all together 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from engine.errors import Invalid, Problem

Path = tuple[str, ...]
"""An indicator under those above it, the first level first."""
LEVELS = ("first", "second", "third")
"""The columns of a table of indicators."""


@dataclass(frozen=True, slots=True)
class System:
    """Indicators as a tree; those without any below them are measured."""

    leaves: tuple[Path, ...]

    @property
    def nodes(self) -> tuple[Path, ...]:
        """All of them, each before those below it."""
        return tuple(dict.fromkeys(leaf[:depth] for leaf in self.leaves for depth in range(1, len(leaf) + 1)))

    @property
    def neighbours(self) -> Mapping[Path, tuple[Path, ...]]:
        """The indicators directly under each, those of the first level under `()`."""
        found: dict[Path, list[Path]] = {}
        for node in self.nodes:
            found.setdefault(node[:-1], []).append(node)
        return {above: tuple(nodes) for above, nodes in found.items()}


def called(path: Path) -> str:
    """An indicator as forms and tables name it."""
    return "—".join(path)


def system_of(rows: Sequence[Mapping[str, object]], most_levels: int, field: str = "indicators") -> System:
    """The system that a table of measured indicators describes (columns `first`, `second`, `third`).

    Raises `Invalid` with problems by row: a level left out or too many, an indicator that stands twice, or one that
    is measured itself and has others below it.
    """
    problems, leaves = [], list[Path]()
    for place, row in enumerate(rows, 1):
        names = [str(row.get(level) or "").strip() for level in LEVELS]
        path = tuple(filter(None, names))
        if names[: len(path)] != list(path):
            template = "A level is left out: fill in the one above first"
            problems.append(Problem(f"{field}.{place}.{LEVELS[names.index('')]}", template))
        elif len(path) > most_levels:
            template = "Indicators have at most {most} levels"
            problems.append(
                Problem(f"{field}.{place}.{LEVELS[most_levels]}", template, {"most": most_levels})
            )
        elif path in leaves:
            template = "{indicator} stands here twice"
            problems.append(Problem(f"{field}.{place}.first", template, {"indicator": called(path)}))
        leaves.append(path)
    above = {leaf[:depth] for leaf in leaves for depth in range(1, len(leaf))}
    for place, leaf in enumerate(leaves, 1):
        if leaf in above:
            template = "{indicator} has others below it: measure those, or it alone"
            problems.append(Problem(f"{field}.{place}.first", template, {"indicator": called(leaf)}))
    if problems:
        raise Invalid(problems)
    return System(tuple(leaves))


def unbalanced(system: System, weights: Mapping[Path, Fraction]) -> dict[Path, Fraction]:
    """What the weights of neighbours add up to, where that is not 1; by the indicator above them."""
    sums = {
        above: sum((weights[node] for node in nodes), Fraction(0))
        for above, nodes in system.neighbours.items()
    }
    return {above: found for above, found in sums.items() if found != 1}


def overall(system: System, weights: Mapping[Path, Fraction]) -> dict[Path, Fraction]:
    """What each measured indicator weighs in the whole: the product down to it."""
    found: dict[Path, Fraction] = {}
    for leaf in system.leaves:
        part = Fraction(1)
        for depth in range(1, len(leaf) + 1):
            part *= weights[leaf[:depth]]
        found[leaf] = part
    return found
