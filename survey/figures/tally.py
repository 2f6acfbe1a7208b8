"""What was answered to an item, or to several on one scale together: counts, and what follows from them exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from engine.forms import Option, Scale

Point = int | float | str


@dataclass(frozen=True, slots=True)
class Levels:
    """The points of a scale, in the order shown, and what each counts."""

    points: tuple[Point, ...]
    weights: tuple[Fraction, ...]
    """A point's weight, else its value, else its place from the worst (1) up. Empty for plain options."""
    satisfied: frozenset[int]
    """The places of the points that count as satisfied."""
    na: Point | None = None

    @property
    def best(self) -> Fraction:
        """The greatest weight."""
        return max(self.weights)

    @property
    def worst(self) -> Fraction:
        """The least weight."""
        return min(self.weights)

    def place(self, answer: object) -> int | None:
        """Which point was chosen, by its place; None for no answer, and for one off the scale ("not applicable")."""
        return next((place for place, point in enumerate(self.points) if point == answer), None)


def levels_of(scale: Scale) -> Levels:
    """What figures need of a scale.

    Satisfied are the upper half of the points without the middle one (two of four or five, three of seven),
    unless the scale says how many; points that weigh the same go together.
    """
    weights = _weights(scale)
    many = len(weights) // 2 if scale.satisfied is None else scale.satisfied
    least = sorted(weights, reverse=True)[many - 1] if many else None
    satisfied = frozenset(
        place for place, weight in enumerate(weights) if least is not None and weight >= least
    )
    na = None if scale.na is None else scale.na.value
    return Levels(tuple(point.value for point in scale.points), weights, satisfied, na)


def levels_of_options(options: Iterable[Option]) -> Levels:
    """Plain options: they are counted, but nothing is better than anything else."""
    return Levels(tuple(option.value for option in options), (), frozenset())


def _weights(scale: Scale) -> tuple[Fraction, ...]:
    weights = []
    for place, point in enumerate(scale.points):
        if point.weight is not None:
            weights.append(Fraction(str(point.weight)))
        elif isinstance(point.value, str):
            weights.append(Fraction(len(scale.points) - place))
        else:
            weights.append(Fraction(str(point.value)))
    return tuple(weights)


@dataclass(frozen=True, slots=True)
class Tally:
    """Answers by point, and what was no answer."""

    levels: Levels
    numbers: tuple[int, ...]
    """Answers by the place of the point."""
    abstained: int = 0
    """Answered with the scale's "not applicable"."""
    blank: int = 0
    """Not answered, or unreadable: an abstention from this item."""
    unasked: int = 0
    """A condition hid the item: in no base."""

    @property
    def counts(self) -> Mapping[Point, int]:
        """Answers by point, in the scale's order."""
        return dict(zip(self.levels.points, self.numbers, strict=True))

    @property
    def base(self) -> int:
        """Answers given."""
        return sum(self.numbers)

    @property
    def asked(self) -> int:
        """Answers given, abstentions and blanks."""
        return self.base + self.abstained + self.blank

    @property
    def satisfied(self) -> int:
        """Answers at the satisfied points."""
        return sum(self.numbers[place] for place in self.levels.satisfied)

    @property
    def total(self) -> Fraction:
        """The sum of the weights of the points given."""
        return sum(map(Fraction.__mul__, self.levels.weights, map(Fraction, self.numbers)), Fraction(0))

    @property
    def mean(self) -> Fraction | None:
        """The mean weight; None without a base, or without weights."""
        return self.total / self.base if self.base and self.levels.weights else None

    @property
    def variance(self) -> Fraction | None:
        """The sample variance (over n - 1) of the weights given; None for fewer than two answers."""
        if self.base < 2 or not self.levels.weights:
            return None
        squares = sum(w * w * n for w, n in zip(self.levels.weights, self.numbers, strict=True))
        return (squares - self.total**2 / self.base) / (self.base - 1)


def pool(tallies: Iterable[Tally]) -> Tally:
    """Several tallies on one scale as one; of none, an empty one."""
    found = list(tallies) or [Tally(Levels((), (), frozenset()), ())]
    return Tally(
        found[0].levels,
        tuple(map(sum, zip(*(each.numbers for each in found), strict=True))),
        sum(each.abstained for each in found),
        sum(each.blank for each in found),
        sum(each.unasked for each in found),
    )


def index(mean: Fraction | None, levels: Levels) -> Fraction | None:
    """The mean on a scale from 0 (worst) to 100 (best): (S - 1) / (k - 1) · 100 for points 1 to k (004F)."""
    if mean is None or levels.best == levels.worst:
        return None
    return (mean - levels.worst) / (levels.best - levels.worst) * 100
