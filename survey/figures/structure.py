"""How items hang together: the consistency of a matrix, and what matters to the overall judgement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

from engine.errors import Invalid, Problem
from engine.forms import Text
from survey.figures.counting import Counts, tally_of, units
from survey.figures.tally import Levels, index

DOUBTFUL = Fraction(7, 10)
"""An alpha under this is flagged (GB/T 19038-2009, annex C)."""


@dataclass(frozen=True, slots=True)
class Consistency:
    """Cronbach's alpha of a matrix."""

    group: str
    label: Text
    items: int
    base: int
    """Answer sets in which all of its items were answered."""
    alpha: Fraction | None
    """None when fewer than two answered all, or all gave the same sum."""

    @property
    def doubtful(self) -> bool:
        """The items hardly measure one thing."""
        return self.alpha is not None and self.alpha < DOUBTFUL


def consistency(counts: Counts) -> tuple[Consistency, ...]:
    """Cronbach's alpha of each matrix with three items or more: k/(k-1) · (1 - sum of the items' variances /
    variance of the sum), over the answer sets without a gap in it."""
    whole, found = counts.whole, []
    for group in counts.shape.rated_groups:
        totals = whole.totals.get(group.field.id)
        if totals is None:
            continue
        worth = units(counts.shape.items[group.first].levels)
        items = [
            _spread({worth[mark]: number for mark, number in marks.items()})
            for marks in whole.complete[group.field.id]
        ]
        spread, many = _spread(totals), len(items)
        alpha = Fraction(many, many - 1) * (1 - sum(items, Fraction(0)) / spread) if spread else None
        found.append(Consistency(group.field.id, group.field.label, many, sum(totals.values()), alpha))
    return tuple(found)


def _spread(numbers: Mapping[int, int]) -> Fraction:
    """The sum of squared deviations: the common divisor of variances cancels out in alpha."""
    many = sum(numbers.values())
    if not many:
        return Fraction(0)
    total = sum(value * number for value, number in numbers.items())
    return sum(value * value * number for value, number in numbers.items()) - Fraction(total * total, many)


@dataclass(frozen=True, slots=True)
class Priority:
    """An item between importance and performance."""

    id: str
    label: Text
    importance: float | None
    """Pearson's correlation with the overall judgement, over those who answered both; None without variation."""
    performance: Fraction | None
    """The index of the item, 0 to 100."""
    base: int
    quadrant: str | None
    """improve (important, below the mean), keep, minor (neither), beyond (unimportant, above the mean)."""


QUADRANTS: Mapping[str, Text] = {
    "improve": Text("优先改进", "improve first"),
    "keep": Text("继续保持", "keep up"),
    "minor": Text("次要改进", "minor"),
    "beyond": Text("锦上添花", "beyond what is needed"),
}


def priorities(counts: Counts) -> tuple[Priority, ...]:
    """Every rated item by derived importance and performance; the crosshair stands at the means of both.

    After the matrix of GB/T 19038-2009, annex D. Raises `Invalid` for a questionnaire without an overall item.
    """
    shape = counts.shape
    if shape.overall is None:
        template = (
            "What matters to customers shows against an overall judgement: name the item that asks for it in "
            "questionnaire {questionnaire}, as score: overall"
        )
        raise Invalid([Problem("overall", template, {"questionnaire": counts.name})])
    judged = shape.items[shape.overall].levels
    marks = counts.whole.marks
    found = []
    for place, item in enumerate(shape.rated_items):
        if place == shape.overall:
            continue
        both = [part[place] for part in marks[: len(judged.points)]]
        tally = tally_of(item.levels, sum((part[place] for part in marks), Counter()))
        importance, base = _correlation(both, judged, item.levels)
        found.append((item, importance, index(tally.mean, item.levels), base))
    across = [importance for _, importance, _, _ in found if importance is not None]
    above = [performance for _, _, performance, _ in found if performance is not None]
    return tuple(
        Priority(item.id, item.label, importance, performance, base, _quadrant(
            None if importance is None else importance >= sum(across) / len(across),
            None if performance is None else performance >= sum(above, Fraction(0)) / len(above),
        ))
        for item, importance, performance, base in found
    )  # fmt: skip


def _quadrant(important: bool | None, good: bool | None) -> str | None:
    if important is None or good is None:
        return None
    return ("keep" if good else "improve") if important else ("beyond" if good else "minor")


def _correlation(both: list[Counter[int]], judged: Levels, levels: Levels) -> tuple[float | None, int]:
    """Pearson's r of the item with the overall judgement, and over how many answer sets."""
    down, over = units(judged), units(levels)
    n = x = y = xx = yy = xy = 0
    for place, marks in enumerate(both):
        for mark, number in marks.items():
            if mark < len(over):
                one, other = over[mark], down[place]
                n, x, y = n + number, x + number * one, y + number * other
                xx, yy, xy = (
                    xx + number * one * one,
                    yy + number * other * other,
                    xy + number * one * other,
                )
    spread = (n * xx - x * x) * (n * yy - y * y)
    return ((n * xy - x * y) / sqrt(spread) if spread else None), n
