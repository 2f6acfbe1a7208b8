"""Intervals of confidence, for a simple random sample (or all) of a finite population.

Floats: nothing is decided on them.

    rate of an item    Wilson's score interval; `normal`, the plain one, for comparison with others' papers
    mean of an item    Student's t
    pooled rate        a ratio of two sums over answer sets, linearised: one person's answers are not independent

All are narrowed by the finite-population correction (N - n) / (N - 1), as in Cochran, Sampling Techniques, ch. 2-3,
6: whoever asked all of the frame is certain, and whoever knows no frame takes it for endless. Item abstentions
are taken to fall by chance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from statistics import NormalDist

from survey.figures.distributions import t_quantile
from survey.figures.tally import Tally

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, in the unit of its figure, at `level`, by `method`."""

    low: float
    high: float
    method: str
    """wilson, normal, t, ratio."""
    level: float = LEVEL


def correction(population: int | None, sampled: int) -> float:
    """The finite-population correction of variances, 0 to 1; 1 where the population is not known."""
    if population is None or population < 1:
        return 1.0
    return max(0.0, (population - sampled) / (population - 1)) if population > 1 else 0.0


def wilson(part: int, base: int, factor: float = 1.0, level: float = LEVEL) -> Interval | None:
    """Wilson's interval of the rate part / base; None without a base. `factor` is `correction`'s."""
    if not base:
        return None
    rate = part / base
    if factor == 0.0:
        return Interval(rate, rate, "wilson", level)
    z, size = _z(level), base / factor  # as many independent answers as these are worth
    middle = (rate + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * sqrt(rate * (1 - rate) / size + z * z / (4 * size * size))
    low = 0.0 if part == 0 else max(0.0, middle - half)
    high = 1.0 if part == base else min(1.0, middle + half)
    return Interval(low, high, "wilson", level)


def normal(part: int, base: int, factor: float = 1.0, level: float = LEVEL) -> Interval | None:
    """The plain interval rate ± z·s; None without a base. Too narrow near 0 and 1 and for small bases."""
    if not base:
        return None
    rate = part / base
    half = _z(level) * sqrt(rate * (1 - rate) / base * factor)
    return Interval(max(0.0, rate - half), min(1.0, rate + half), "normal", level)


def mean_interval(tally: Tally, factor: float = 1.0, level: float = LEVEL) -> Interval | None:
    """Student's interval of the mean weight; None for fewer than two answers."""
    mean, variance = tally.mean, tally.variance
    if mean is None or variance is None:
        return None
    half = t_quantile((1 + level) / 2, tally.base - 1) * sqrt(float(variance) / tally.base * factor)
    return Interval(float(mean) - half, float(mean) + half, "t", level)


def ratio(
    pairs: Iterable[tuple[int, int, int]], factor: float = 1.0, level: float = LEVEL
) -> Interval | None:
    """The interval of a rate pooled over items: (base, satisfied, so many answer sets); None for fewer than two."""
    sets = bases = parts = 0
    squares = [0, 0, 0]
    for base, part, number in pairs:
        if base:
            sets, bases, parts = sets + number, bases + number * base, parts + number * part
            for place, square in enumerate((part * part, part * base, base * base)):
                squares[place] += number * square
    if sets < 2:
        return None
    rate = Fraction(parts, bases)  # exact until here: the order of the answer sets leaves no trace
    spread = (squares[0] - 2 * rate * squares[1] + rate * rate * squares[2]) / (sets - 1)
    half = t_quantile((1 + level) / 2, sets - 1) * sqrt(float(spread) * factor / sets) * sets / bases
    return Interval(max(0.0, float(rate) - half), min(1.0, float(rate) + half), "ratio", level)


def _z(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)
