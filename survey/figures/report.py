"""The figures of a round: every item, every field of items, the whole, each with its base; exact until printed.

    satisfied    answers at the scale's satisfied points: the upper half, unless the questionnaire says how many
    rate         by the questionnaire's method (see `methods`)
    mean         the points' weights (their values, where the scale names none) over the answers given
    index        the mean from 0 (worst) to 100 (best)
    return rate  returned / issued

The whole of a top-2 rate is the item that the questionnaire names as its overall judgement; where it names none,
all items together: an item that many abstained from weighs less then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from engine.forms import Form, Text
from survey.figures.counting import Answers, Counts, count
from survey.figures.intervals import Interval, correction, mean_interval, ratio, wilson
from survey.figures.methods import MEAN_DEPARTMENTS, TOP2_ANSWERED, TOP2_RETURNED, Method, method_of
from survey.figures.shape import CountedGroup, CountedItem
from survey.figures.tally import Levels, Point, Tally, index, pool

WHOLE = Text("合计", "Whole")


@dataclass(frozen=True, slots=True)
class Rate:
    """A satisfaction rate, the method it was computed by, and its base."""

    value: Fraction | None
    """None without a base."""
    base: int
    method: Method


@dataclass(frozen=True, slots=True)
class Line:
    """An item, the items of a field together, or the whole."""

    id: str
    group: str
    """The field it belongs to; empty for the whole."""
    label: Text
    tally: Tally
    rate: Rate
    mean: Fraction | None
    """In weights, aggregated as the method has it."""
    interval: Interval | None = None
    """Of the rate of a top-2 method, of the mean otherwise; None where the design gives none."""

    @property
    def index(self) -> Fraction | None:
        """The mean from 0 to 100."""
        return index(self.mean, self.tally.levels)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one round, of several rounds with the same questionnaire, or of a group of answers."""

    questionnaire: str
    """Its id and version."""
    points: tuple[Point, ...]
    """Of the scale that satisfaction is figured on."""
    satisfied: tuple[Point, ...]
    """The points that count as satisfied."""
    method: Method
    issued: int
    returned: int
    abstained: int
    """Returned without a single rating: abstentions as a whole."""
    items: tuple[Line, ...]
    groups: tuple[Line, ...]
    whole: Line
    withheld: int = 0
    """Of those returned in no line: so few of an anonymous round that nothing of them may be shown."""

    @property
    def return_rate(self) -> Fraction | None:
        """Returned over issued; None when nothing was issued."""
        return Fraction(self.returned, self.issued) if self.issued else None


def figures(
    counts: Counts, *, issued: int, method: Method | None = None, population: int | None = None
) -> Figures:
    """The figures that follow from counts.

    `issued` questionnaires were given out; `method` instead of the questionnaire's own. `population`, the size of
    the frame, narrows the intervals: who has asked all is certain. Raises `Invalid` for a method or a scale
    that the questionnaire leaves open.
    """
    chosen = method or method_of(counts.questionnaire)
    shape, tallies, cell = counts.shape, counts.tallies, counts.whole
    factor = correction(population, cell.returned)
    items = tuple(
        _item(item, tally, chosen, factor) for item, tally in zip(shape.rated_items, tallies, strict=False)
    )
    groups = tuple(_group(group, items[group.first : group.last], chosen) for group in shape.rated_groups)
    levels = items[0].tally.levels if items else Levels((), (), frozenset())
    whole = _whole(items, groups, chosen, shape.overall, shape.rated_groups)
    if whole.interval is None and chosen in (TOP2_ANSWERED, TOP2_RETURNED):
        whole = replace(whole, interval=ratio(_pairs(cell.profile, chosen), factor))
    return Figures(
        questionnaire=counts.name,
        points=levels.points,
        satisfied=tuple(levels.points[place] for place in sorted(levels.satisfied)),
        method=chosen,
        issued=issued,
        returned=counts.returned,
        abstained=sum(number for (_, answered, _), number in cell.profile.items() if not answered),
        items=items,
        groups=groups,
        whole=whole,
        withheld=counts.withheld,
    )


def summarise(
    questionnaire: Form,
    answers: Iterable[Answers],
    issued: int,
    *,
    method: Method | None = None,
    population: int | None = None,
) -> Figures:
    """The figures of the answer sets, each as `engine.forms.clean` returns it; see `figures`."""
    return figures(count(questionnaire, answers), issued=issued, method=method, population=population)


def rate_of(tally: Tally, method: Method) -> Rate:
    """The rate of one item, or of items pooled."""
    if method == TOP2_ANSWERED:
        value, base = (Fraction(tally.satisfied, tally.base) if tally.base else None), tally.base
    elif method == TOP2_RETURNED:
        value, base = (Fraction(tally.satisfied, tally.asked) if tally.asked else None), tally.asked
    else:
        value, base = _share(tally.mean, tally.levels), tally.base
    return Rate(value, base, method)


def weighted(means: Iterable[tuple[Fraction | None, float | Fraction | None]]) -> Fraction | None:
    """The mean of means with their weights (1 where there is none); those without a value are left out."""
    there = [
        (mean, Fraction(1) if weight is None else Fraction(str(weight)))
        for mean, weight in means
        if mean is not None
    ]
    weight = sum((weight for _, weight in there), Fraction(0))
    return sum((mean * weight for mean, weight in there), Fraction(0)) / weight if weight else None


def mean_of(lines: Sequence[Line]) -> Fraction | None:
    """The simple mean of the means of projects, departments or the like (003E-A4)."""
    return weighted((line.mean, None) for line in lines)


def _share(mean: Fraction | None, levels: Levels) -> Fraction | None:
    return None if mean is None or not levels.best else mean / levels.best


def _item(item: CountedItem, tally: Tally, method: Method, factor: float) -> Line:
    rate = rate_of(tally, method)
    if method in (TOP2_ANSWERED, TOP2_RETURNED):
        interval = wilson(tally.satisfied, rate.base, factor)
    else:
        interval = mean_interval(tally, factor)
    return Line(item.id, item.group, item.label, tally, rate, tally.mean, interval)


def _group(group: CountedGroup, items: Sequence[Line], method: Method) -> Line:
    if group.last - group.first == 1:
        return replace(items[0], id=group.field.id, label=group.field.label)
    tally = pool(item.tally for item in items)
    rate, mean = rate_of(tally, method), tally.mean
    if method == MEAN_DEPARTMENTS:
        weights = [row.weight for row in group.field.rows]
        mean = weighted(zip((item.mean for item in items), weights, strict=True))
        rate = Rate(_share(mean, tally.levels), rate.base, method)
    return Line(group.field.id, group.field.id, group.field.label, tally, rate, mean)


def _whole(
    items: Sequence[Line],
    groups: Sequence[Line],
    method: Method,
    overall: int | None,
    shape: Sequence[CountedGroup],
) -> Line:
    asked = None if overall is None else items[overall]
    if asked is not None and method in (TOP2_ANSWERED, TOP2_RETURNED):
        return replace(asked, group="")
    others = [item for item in items if item is not asked] or items
    tally = pool(item.tally for item in others)
    rate, mean = rate_of(tally, method), tally.mean
    if method == MEAN_DEPARTMENTS:
        parts = [
            (line.mean, group.field.weight)
            for line, group in zip(groups, shape, strict=True)
            if len(groups) == 1 or asked is None or line.id != asked.id
        ]
        mean = weighted(parts)
        rate = Rate(_share(mean, tally.levels), rate.base, method)
    return Line("", "", WHOLE, tally, rate, mean)


def _pairs(profile: Mapping[tuple[int, int, int], int], method: Method) -> list[tuple[int, int, int]]:
    """(base, satisfied, answer sets) of a top-2 method."""
    return [
        (answered if method == TOP2_ANSWERED else asked, satisfied, number)
        for (asked, answered, satisfied), number in profile.items()
    ]
