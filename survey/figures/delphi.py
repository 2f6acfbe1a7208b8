"""What a panel of experts agrees on: its numbers in one, how far they lie apart, and whether they rank alike.

Exact; floats are left to what is printed of the coefficient of variation and to the test of Kendall's W.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import TypeVar

from survey.figures.distributions import chi_square_tail

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Opinion:
    """The numbers that a panel gave for one thing."""

    number: int
    """Who gave one."""
    mean: Fraction
    lower: Fraction
    """The first quartile; quartiles are interpolated between neighbours (Hyndman and Fan's definition 7)."""
    median: Fraction
    upper: Fraction
    variance: Fraction
    """Over n - 1; 0 of a single number."""

    def varies_at_most(self, limit: Fraction) -> bool:
        """Whether the coefficient of variation is at most `limit`; where all gave 0 they agree."""
        return self.variance <= (limit * self.mean) ** 2

    @property
    def variation(self) -> float | None:
        """The coefficient of variation, to be printed; None where the mean is 0."""
        return sqrt(self.variance) / float(self.mean) if self.mean else None


@dataclass(frozen=True, slots=True)
class Concordance:
    """Kendall's W with its test: 0, no common order; 1, everybody has the same."""

    w: Fraction
    statistic: Fraction
    """Chi-square, m (n - 1) W."""
    df: int
    p: float


def opinion(numbers: Sequence[Fraction]) -> Opinion:
    """What the numbers come to; there is at least one."""
    ordered, many = sorted(numbers), len(numbers)
    mean = sum(ordered, Fraction(0)) / many
    squares = sum(((each - mean) ** 2 for each in ordered), Fraction(0))
    lower, median, upper = (_quantile(ordered, Fraction(part, 4)) for part in (1, 2, 3))
    return Opinion(many, mean, lower, median, upper, squares / (many - 1) if many > 1 else Fraction(0))


def _quantile(ordered: Sequence[Fraction], part: Fraction) -> Fraction:
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def furthest(before: Mapping[K, Fraction], now: Mapping[K, Fraction]) -> Fraction | None:
    """The greatest change of a number from one round to the next; None where there was none before."""
    return max((abs(now[each] - before[each]) for each in now), default=None) if before else None


def concordance(rows: Sequence[Sequence[Fraction]]) -> Concordance | None:
    """Kendall's W of what each expert (a row) gave to each thing (a column), ties at their mean rank.

    W = 12 S / (m^2 (n^3 - n) - m sum(t^3 - t)) for m experts and n things, t of a row tied; M. G. Kendall, Rank
    Correlation Methods, ch. 6. None for fewer than two of either, or where every row is one tie.
    """
    experts, things = len(rows), len(rows[0]) if rows else 0
    if experts < 2 or things < 2:
        return None
    ranked = [_ranks(row) for row in rows]
    sums = [sum(column, Fraction(0)) for column in zip(*ranked, strict=True)]
    middle = sum(sums, Fraction(0)) / things
    spread = sum(((each - middle) ** 2 for each in sums), Fraction(0))
    ties = sum(number**3 - number for row in rows for number in map(row.count, set(row)))
    most = experts**2 * (things**3 - things) - experts * ties
    if not most:
        return None
    w = 12 * spread / most
    statistic = experts * (things - 1) * w
    return Concordance(w, statistic, things - 1, chi_square_tail(float(statistic), things - 1))


def _ranks(row: Sequence[Fraction]) -> list[Fraction]:
    ordered = sorted(row)
    return [ordered.index(each) + Fraction(row.count(each) + 1, 2) for each in row]
