"""Numbers as people write them; exact until then."""

from __future__ import annotations

from fractions import Fraction


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
