"""Who has to be asked in a year so that enough are asked every year and everybody within several. Pure.

A customer falls due when their last survey (before any: the day they became a customer) lies `years` back by the
end of the year planned for; the three years roll with each customer (003C 4.1, reading A5). Where periods stand fixed
instead (`begun`, the first year of one), everybody not asked in a period is due in its last year. Customers won in the
year before are planned for, too (004B).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from engine.calendar.durations import Duration
from engine.errors import Problem
from survey.numbering import natural, some
from survey.precision import Exact, exact, part_of
from survey.sampling import rank

SHARE = Fraction(2, 5)
YEARS = 3


@dataclass(frozen=True, slots=True)
class Known:
    """A customer: since when, and when they were asked last."""

    code: str
    since: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom to ask in a year."""

    year: int
    due: tuple[str, ...]
    """They may not be left out."""
    new: tuple[str, ...]
    """Customers since the year before."""
    filled: tuple[str, ...]
    """Those asked longest ago, up to the share wanted."""

    @property
    def codes(self) -> tuple[str, ...]:
        """All of them, in natural order."""
        return _ordered({*self.due, *self.new, *self.filled})


@dataclass(frozen=True, slots=True)
class Reach:
    """How many customers were asked in the last year and in the last years, as of a day."""

    customers: int
    year: tuple[str, ...]
    """Asked since the same day of the year before."""
    years: tuple[str, ...]
    """Asked since the same day so many years ago; the former are among them."""
    never: tuple[str, ...]
    due: tuple[str, ...]
    """They have to be asked before the calendar year ends."""

    @property
    def share_of_year(self) -> Fraction | None:
        """The part asked in the last year; None of nobody."""
        return Fraction(len(self.year), self.customers) if self.customers else None

    @property
    def share_of_years(self) -> Fraction | None:
        """The part asked in the last years; None of nobody."""
        return Fraction(len(self.years), self.customers) if self.customers else None


def reach(customers: Sequence[Known], day: date, years: int = YEARS) -> Reach:
    """Who was asked within a year and within so many years before the day, who never, and who is due."""

    def asked(since: int) -> tuple[str, ...]:
        first = Duration(years=since).move(day, -1)
        return _ordered(each.code for each in customers if each.last and first < each.last <= day)

    never = _ordered(each.code for each in customers if each.last is None)
    return Reach(len(customers), asked(1), asked(years), never, due(customers, day.year, years))


def due(
    customers: Iterable[Known], year: int, years: int = YEARS, begun: int | None = None
) -> tuple[str, ...]:
    """Who has to be asked in `year`. Of whom nothing is known is due."""
    return _ordered(each.code for each in customers if _due(each, year, years, begun))


def period(year: int, years: int, begun: int) -> tuple[int, int]:
    """The first and the last year of the fixed period that holds `year`."""
    first = begun + (year - begun) // years * years
    return first, first + years - 1


def new(customers: Iterable[Known], year: int) -> tuple[str, ...]:
    """Who became a customer in the year before, and was not asked since."""
    return _ordered(
        each.code
        for each in customers
        if each.since and each.since.year == year - 1 and not (each.last and each.last >= each.since)
    )


def plan(
    customers: Sequence[Known],
    year: int,
    *,
    share: Exact = SHARE,
    years: int = YEARS,
    begun: int | None = None,
    seed: str = "",
) -> Plan:
    """The least that keeps both rules: who is due, who is new, then who was asked longest ago (by lot if alike)."""
    must, fresh = due(customers, year, years, begun), new(customers, year)
    taken = {*must, *fresh}
    others = [each for each in customers if each.code not in taken]
    others.sort(key=lambda each: (each.last or each.since or date.min, rank(seed, each.code)))
    missing = max(0, part_of(len(customers), share) - len(taken))
    return Plan(year, must, fresh, _ordered(each.code for each in others[:missing]))


def check(
    planned: Collection[str],
    customers: Sequence[Known],
    year: int,
    *,
    share: Exact = SHARE,
    years: int = YEARS,
    begun: int | None = None,
) -> list[Problem]:
    """What a plan lacks: too few of all, or some who are due. A share is judged on counts (39 of 100 are too few)."""
    problems = []
    known = {each.code for each in customers}
    count, needed = len(known & set(planned)), part_of(len(known), share)
    if count < needed:
        params = {
            "count": count,
            "total": len(known),
            "needed": needed,
            "percent": f"{float(exact(share)):.0%}",
        }
        template = "The plan has {count} of {total} customers; {percent} a year are {needed}"
        problems.append(Problem("plan", template, params))
    left_out = [code for code in due(customers, year, years, begun) if code not in planned]
    if left_out:
        params = {"codes": some(left_out), "count": len(left_out), "years": years, "year": year}
        template = (
            "{count} customers not asked for {years} years by the end of {year} are not in the plan: {codes}"
        )
        problems.append(Problem("plan", template, params))
    return problems


def _due(each: Known, year: int, years: int, begun: int | None) -> bool:
    if begun is not None:
        first, end = period(year, years, begun)
        return year == end and (each.last is None or each.last.year < first)
    last = each.last or each.since
    return last is None or last.year + years <= year


def _ordered(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(codes, key=lambda code: (natural(code), code)))
