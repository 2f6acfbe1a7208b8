"""The figures of a round: counts, bases, satisfaction rates and means, exact until they are printed.

    satisfied    the two best points of the item's scale (top-2 box)
    base         those who gave a point: abstentions ("don't know") and blanks are counted apart
    rate         satisfied / base
    mean         the points' weights (their values, where the scale names none) over the base
    return rate  returned / issued

Three denominators are in use for the rate; `METHOD` names ours wherever a figure is shown. The figures of a
group of items, and of the whole, pool the answers of its items: an item that many abstained from weighs less.
Everything here is pure: answers in, `Figures` out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from engine.errors import Invalid, Problem
from engine.forms import Field, Form, Scale, Text

METHOD = "top2/answered"
"""Top-2 box over those who answered, abstentions left out."""
METHOD_TEXT = Text(
    "满意率＝评为最高两级的份数÷有效评价份数（不含“不了解”及未答）",
    "top-2 box over answers given, abstentions and blanks left out",
)

Answers = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Tally:
    """What was answered to one item, or to several together."""

    counts: Mapping[int | float | str, int]
    """Answers by the scale's point, in the scale's order."""
    abstained: int
    blank: int
    satisfied: int
    base: int
    total: Fraction
    """The sum of the weights of the points given."""

    @property
    def rate(self) -> Fraction | None:
        """Satisfied over base; None without a base."""
        return Fraction(self.satisfied, self.base) if self.base else None

    @property
    def mean(self) -> Fraction | None:
        """The mean weight; None without a base."""
        return self.total / self.base if self.base else None


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the questionnaire and its tally."""

    id: str
    group: str
    label: Text
    tally: Tally


@dataclass(frozen=True, slots=True)
class ItemGroup:
    """The items of one matrix, pooled."""

    id: str
    label: Text
    tally: Tally


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one round, or of several rounds with the same questionnaire."""

    questionnaire: str
    """Its id and version."""
    points: tuple[int | float | str, ...]
    issued: int
    returned: int
    items: tuple[Item, ...]
    groups: tuple[ItemGroup, ...]
    whole: Tally
    method: str = METHOD

    @property
    def return_rate(self) -> Fraction | None:
        """Returned over issued; None when nothing was issued."""
        return Fraction(self.returned, self.issued) if self.issued else None


def summarise(questionnaire: Form, answers: Iterable[Answers], issued: int) -> Figures:
    """The figures of the answer sets, each as `engine.forms.clean` returns it.

    Items are the rows of the questionnaire's matrices and its single choices on a scale. Raises `Invalid` for
    a questionnaire with several scales: their answers cannot be pooled.
    """
    counted: dict[str, Counter[object]] = {}
    returned = 0
    rated = [field for field in questionnaire.fields if field.scale is not None]
    scales = {field.scale.id for field in rated if field.scale is not None}
    if len(scales) > 1:
        known = {"scales": ", ".join(sorted(scales))}
        raise Invalid([Problem("scales", "Items on several scales cannot be pooled: {scales}", known)])
    for answer in answers:
        returned += 1
        for field in rated:
            given = answer.get(field.id)
            if field.type != "matrix":
                counted.setdefault(field.id, Counter())[given] += 1
                continue
            cells = given if isinstance(given, Mapping) else {}
            for row in field.rows:
                counted.setdefault(row.id, Counter())[cells.get(row.id)] += 1
    items = tuple(
        Item(identity, field.id, label, _tally(field, counted.get(identity, Counter())))
        for field in rated
        for identity, label in _items(field)
    )
    groups = tuple(
        ItemGroup(field.id, field.label, _pool(item.tally for item in items if item.group == field.id))
        for field in rated
    )
    return Figures(
        questionnaire=f"{questionnaire.id} {questionnaire.version}",
        points=tuple(items[0].tally.counts) if items else (),
        issued=issued,
        returned=returned,
        items=items,
        groups=groups,
        whole=_pool(item.tally for item in items),
    )


def _items(field: Field) -> list[tuple[str, Text]]:
    return (
        [(row.id, row.label) for row in field.rows] if field.type == "matrix" else [(field.id, field.label)]
    )


def _tally(field: Field, counted: Mapping[object, int]) -> Tally:
    assert field.scale is not None
    weights = _weights(field.scale)
    counts = {point.value: counted.get(point.value, 0) for point in field.scale.points}
    base = sum(counts.values())
    best = sorted(weights.values(), reverse=True)[:2]
    abstained = 0 if field.scale.na is None else counted.get(field.scale.na.value, 0)
    return Tally(
        counts=counts,
        abstained=abstained,
        blank=sum(counted.values()) - base - abstained,
        satisfied=sum(number for value, number in counts.items() if weights[value] in best),
        base=base,
        total=sum((weights[value] * number for value, number in counts.items()), Fraction(0)),
    )


def _weights(scale: Scale) -> dict[int | float | str, Fraction]:
    """What each point counts: its weight, else its value, else its place from the worst (1) up."""
    weights: dict[int | float | str, Fraction] = {}
    for place, point in enumerate(reversed(scale.points), 1):
        if point.weight is not None:
            weights[point.value] = Fraction(str(point.weight))
        elif isinstance(point.value, str):
            weights[point.value] = Fraction(place)
        else:
            weights[point.value] = Fraction(str(point.value))
    return weights


def _pool(tallies: Iterable[Tally]) -> Tally:
    counts: Counter[int | float | str] = Counter()
    abstained = blank = satisfied = base = 0
    total = Fraction(0)
    for tally in tallies:
        for value, number in tally.counts.items():
            counts[value] += number
        abstained += tally.abstained
        blank += tally.blank
        satisfied += tally.satisfied
        base += tally.base
        total += tally.total
    return Tally(dict(counts), abstained, blank, satisfied, base, total)


def decimal(value: Fraction, places: int) -> str:
    """The number with so many decimal places, halves rounded away from zero."""
    unit = 10**places
    doubled = 2 * abs(value) * unit
    whole = (doubled.numerator // doubled.denominator + 1) // 2
    sign = "-" if value < 0 and whole else ""
    digits = f"{whole:0{places + 1}d}"
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def percent(rate: Fraction | None, places: int = 1) -> str:
    """A rate as a percentage; a dash where there is none."""
    return "—" if rate is None else f"{decimal(rate * 100, places)}%"


def shown(mean: Fraction | None, places: int = 2) -> str:
    """A mean; a dash where there is none."""
    return "—" if mean is None else decimal(mean, places)
