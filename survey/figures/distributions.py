"""Two distributions that tests and intervals need, by the closed forms that whole degrees of freedom have.

Sources: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.4.4-5 (chi-square), 26.7.3-4 (Student's t),
26.7.5 (its quantile for many degrees of freedom).
"""

from __future__ import annotations

from math import atan2, cos, erfc, exp, log, pi, sin, sqrt
from statistics import NormalDist

_MANY = 300
"""Degrees of freedom from which the series for t in 1/df is exact to more digits than anybody prints."""


def chi_square_tail(x: float, df: int) -> float:
    """The probability of a chi-square value of `x` or more with `df` (1, 2, …) degrees of freedom."""
    if x <= 0:
        return 1.0
    half = x / 2
    if df % 2:  # erfc, then the odd powers of the root
        tail, term, start = erfc(sqrt(half)), 0.5 * log(half) - half - 0.5 * log(pi) + log(2), 1
    else:
        tail, term, start = exp(-half), log(half) - half, 2
    for degree in range(start, df - 1, 2):  # terms as logarithms: their powers would overflow
        tail += exp(term)
        term += log(half) - log((degree + 2) / 2)
    return min(1.0, tail)


def t_quantile(probability: float, df: int) -> float:
    """The value below which Student's t with `df` (1, 2, …) degrees of freedom lies with this probability, 0.5 to 1."""
    normal = NormalDist().inv_cdf(probability)
    if df >= _MANY:
        return _expansion(normal, df)
    low, high = 0.0, 1.0
    while _t_below(high, df) < probability:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _t_below(middle, df) < probability else (low, middle)
    return high


def _t_below(t: float, df: int) -> float:
    """The probability of a value below `t` (>= 0)."""
    angle = atan2(t, sqrt(df))
    if df == 1:
        return 0.5 + angle / pi
    square, term = cos(angle) ** 2, cos(angle) if df % 2 else 1.0
    total = term
    for degree in range(3 if df % 2 else 2, df - 1, 2):
        term *= (degree - 1) / degree * square
        total += term
    inside = 2 / pi * (angle + sin(angle) * total) if df % 2 else sin(angle) * total
    return 0.5 + inside / 2


def _expansion(x: float, df: int) -> float:
    one = (x**3 + x) / 4
    two = (5 * x**5 + 16 * x**3 + 3 * x) / 96
    three = (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384
    four = (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160
    return x + one / df + two / df**2 + three / df**3 + four / df**4
