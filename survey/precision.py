"""How many to ask for a precision, and the precision that so many give. Pure.

Sampling error of a share by the normal approximation, with finite-population correction (Cochran, Sampling
Techniques, 3rd edition, ch. 4): n0 = z² p (1 - p) / e², n = n0 / (1 + (n0 - 1) / N).
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, sqrt
from statistics import NormalDist

LEVEL = 0.95
"""Confidence, where nothing else is said."""

Exact = int | float | str | Fraction
"""A number meant as it is written: 0.1 is a tenth."""


def exact(value: Exact) -> Fraction:
    """The number as written. Raises ValueError for text that is none."""
    return value if isinstance(value, Fraction) else Fraction(str(value))


def sample_size(population: int, error: Exact, *, share: float = 0.5, level: float = LEVEL) -> int:
    """How many of `population` to ask so that a share near `share` is known to ± `error` (0.05); rounded up."""
    wanted = _z(level) ** 2 * share * (1 - share) / float(exact(error)) ** 2
    return min(population, ceil(wanted / (1 + (wanted - 1) / population))) if population else 0


def precision(size: int, population: int, *, share: float = 0.5, level: float = LEVEL) -> float | None:
    """The ± that `size` answers out of `population` give a share near `share`; 0 when all answered, None without."""
    if size <= 0:
        return None
    if size >= population:
        return 0.0
    return _z(level) * sqrt(share * (1 - share) / size * (population - size) / (population - 1))


def part_of(total: int, share: Exact, least: int = 0) -> int:
    """`share` of `total`, rounded up, never more than there are: 10 % of 35 are 4, 90 % of 101 are 91."""
    return min(total, max(least, ceil(total * exact(share))))


def _z(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)
