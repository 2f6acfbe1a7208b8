"""The text of a due date (`flow.due`) and the value it is parsed to.

    due     = point [ "," ( "next" | "previous" ) "working" "day" ] ;
    point   = instant                                               2026-12-31, 2026-12-31T17:00
            | duration [ counting anchor ]                          P15D, P2WD from d0, P7D before d0
            | [ "working" ] "day" n "of" period                     day 5 of next month
            | ( "first" | "last" ) [ "working" ] "day" "of" period  last working day of quarter
            | n month [ "of" period ] ;                             31 december, 31 december of next year
    counting = "after" | "before" | "from" | "counted" ;
    anchor  = name | ( "planned" | "actual" ) "(" name ")" ;        d0, planned(collect)
    period  = [ "this" | "next" | "previous" ] unit [ "of" anchor ] ;
    unit    = "month" | "quarter" | "half-year" | "year" ;
    month   = "january" | "february" | … | "december" ;

`instant` and `duration` are those of `durations`. `after` leaves the anchor's day out, `from` counts it as
day 1, and `counted` leaves the choice to the procedure's parameter `counting`. Without an anchor a text
counts after the moment the task opens, and a period is the one that holds this moment. Words may be
written in capitals, names are taken as they stand. A day beyond the end of its period is its last day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from engine.calendar.counting import Roll
from engine.calendar.durations import Duration, Instant, clipped, parse_duration, parse_instant
from engine.calendar.periods import Unit
from engine.errors import Invalid, Problem

Counting = Literal["after", "from"]
COUNTINGS: tuple[Counting, ...] = ("after", "from")

_TOKEN = re.compile(
    r"(?P<instant>\d{4}-\d\d-\d\d\S*?(?=[,\s]|$))"
    r"|(?P<duration>[-+]?P[T\d][0-9A-Z.]*(?:,\d[0-9A-Z.]*)*(?!\w))"
    r"|(?P<number>\d+)"
    r"|(?P<word>[^\W\d][\w.-]*)"
    r"|(?P<mark>[(),])"
    r"|\s+"
    r"|(?P<other>.)",
    re.DOTALL,
)
_SHIFTS = {"this": 0, "next": 1, "previous": -1}
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_LEAP_YEAR = 2000


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a due date is measured from: a date variable, or when an element is planned to end or did end."""

    name: str
    source: Literal["date", "planned", "actual"] = "date"

    def __str__(self) -> str:
        return self.name if self.source == "date" else f"{self.source}({self.name})"


@dataclass(frozen=True, slots=True)
class Offset:
    """A duration counted from an anchor, or from the opening of the task."""

    duration: Duration
    counting: Literal["after", "before", "from", "counted"]
    anchor: Anchor | None


@dataclass(frozen=True, slots=True)
class PeriodOf:
    """The period of an anchor (of the opening), or one `shift` periods later."""

    unit: Unit
    shift: int
    anchor: Anchor | None


@dataclass(frozen=True, slots=True)
class DayOf:
    """The number-th day, or working day, of a period; -1 is the last."""

    number: int
    working: bool
    period: PeriodOf

    @property
    def anchor(self) -> Anchor | None:
        """Where the period is found."""
        return self.period.anchor


@dataclass(frozen=True, slots=True)
class YearDay:
    """A day of a month, in a year."""

    month: int
    day: int
    period: PeriodOf

    @property
    def anchor(self) -> Anchor | None:
        """Where the year is found."""
        return self.period.anchor


@dataclass(frozen=True, slots=True)
class Fixed:
    """A date or point in time written out."""

    instant: Instant
    anchor: None = None


Point = Offset | DayOf | YearDay | Fixed


@dataclass(frozen=True, slots=True)
class DueExpression:
    """A parsed due date; `text` is what was written."""

    text: str
    point: Point
    roll: Roll

    @property
    def anchor(self) -> Anchor | None:
        """The anchor it needs, if any: no text names more than one."""
        return self.point.anchor

    @property
    def from_opening(self) -> bool:
        """Whether the date depends on the moment the task opens."""
        return self.anchor is None and not isinstance(self.point, Fixed)


def parse_due(text: str) -> DueExpression:
    """Parse the text of a due date; `Invalid` names the column (from 1) and what could stand there."""
    return _Parser(text).due()


def anchors(expression: DueExpression) -> tuple[str, ...]:
    """The anchors it needs, as `resolve` wants them named: `d0`, `planned(collect)`, `actual(collect)`."""
    return (str(expression.anchor),) if expression.anchor else ()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int


class _Parser:
    """Recursive descent, a method a rule of the grammar."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [
            _Token(match.lastgroup, match[0], match.start() + 1)
            for match in _TOKEN.finditer(text)
            if match.lastgroup
        ]
        self.tokens.append(_Token("end", "", len(text) + 1))
        self.position = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.position]

    def wrong(self, template: str, token: _Token | None = None, **params: object) -> Invalid:
        at = token or self.token
        found = at.text or "…"
        return Invalid(
            [Problem(f"column {at.column}", template, {"text": self.text, "found": found, **params})]
        )

    def take(self) -> _Token:
        token = self.token
        self.position = min(self.position + 1, len(self.tokens) - 1)
        return token

    def taken(self, *words: str) -> str | None:
        """The next token, lower case, if it is one of `words`."""
        return self.take().text.lower() if self.token.text.lower() in words else None

    def expect(self, word: str) -> None:
        if not self.taken(word):
            raise self.wrong("'{word}' is missing before '{found}' in '{text}': write it there", word=word)

    def due(self) -> DueExpression:
        point = self.point()
        roll: Roll = "none"
        if self.taken(","):
            direction = self.taken("next", "previous")
            if direction is None:
                raise self.wrong(
                    "After the comma of '{text}' write `next working day` or `previous working day`"
                )
            roll = "next" if direction == "next" else "previous"
            self.expect("working")
            self.expect("day")
        if self.token.kind != "end":
            raise self.wrong("'{text}' is complete before '{found}': remove the rest")
        return DueExpression(self.text.strip(), point, roll)

    def point(self) -> Point:
        token = self.token
        if token.kind == "instant":
            return Fixed(self.instant())
        if token.kind == "duration":
            return self.offset()
        if token.kind == "number":
            return self.year_day()
        edge = self.taken("first", "last")
        working = self.taken("working") is not None
        if edge or working or token.text.lower() == "day":
            return self.day_of(edge, working)
        raise self.wrong(
            "'{text}' is no due date: begin with a duration (P15D, P5WD), a date (2026-12-31, 31 december), "
            "or as in `day 5 of next month` or `last working day of quarter`"
        )

    def instant(self) -> Instant:
        token = self.take()
        try:
            return parse_instant(token.text)
        except Invalid as error:
            raise _placed(error, token) from error

    def offset(self) -> Offset:
        token = self.take()
        try:
            duration = parse_duration(token.text)
        except Invalid as error:
            raise _placed(error, token) from error
        if self.token.kind == "end" or self.token.text == ",":
            return Offset(duration, "after", None)
        for counting in ("after", "before", "from", "counted"):
            if self.taken(counting):
                return Offset(duration, counting, self.anchor())
        raise self.wrong(
            "'{found}' cannot follow the duration of '{text}': write after, before, from or counted"
        )

    def day_of(self, edge: str | None, working: bool) -> DayOf:
        self.expect("day")
        token = self.token
        number = {"first": 1, "last": -1}[edge] if edge else self.number()
        self.expect("of")
        period = self.period()
        if number > period.unit.longest:
            raise self.wrong(
                "'{text}' counts further than a {unit} goes: give a number up to {longest}",
                token,
                unit=period.unit.value,
                longest=period.unit.longest,
            )
        return DayOf(number, working, period)

    def year_day(self) -> YearDay:
        token = self.token
        day = self.number()
        name = self.taken(*_MONTHS)
        if name is None:
            raise self.wrong("'{found}' is no month: write 31 december, or 2026-12-31")
        month = _MONTHS.index(name) + 1
        if clipped(_LEAP_YEAR, month, day).day != day:
            raise self.wrong("'{text}' names a day its month does not have: correct it", token)
        if not self.taken("of"):
            return YearDay(month, day, PeriodOf(Unit.YEAR, 0, None))
        place = self.token
        period = self.period()
        if period.unit is not Unit.YEAR:
            raise self.wrong("'{text}' needs a year here: write `of next year` or `of year of d0`", place)
        return YearDay(month, day, period)

    def number(self) -> int:
        if self.token.kind != "number" or int(self.token.text[:9]) == 0:
            raise self.wrong("'{found}' is not the number of a day in '{text}': write one from 1")
        return int(self.take().text[:9])

    def period(self) -> PeriodOf:
        shift = _SHIFTS[self.taken(*_SHIFTS) or "this"]
        unit = self.taken(*Unit)
        if unit is None:
            raise self.wrong("'{found}' is no period in '{text}': write month, quarter, half-year or year")
        return PeriodOf(Unit(unit), shift, self.anchor() if self.taken("of") else None)

    def anchor(self) -> Anchor:
        if self.token.kind != "word":
            raise self.wrong("'{text}' lacks the date it counts from: name one, as in P15D after d0")
        token = self.take()
        if token.text not in ("planned", "actual") or self.token.text != "(":
            return Anchor(token.text)
        self.take()
        if self.token.kind != "word":
            raise self.wrong("'{found}' is no element in '{text}': write its id, as in planned(collect)")
        element = self.take().text
        self.expect(")")
        return Anchor(element, "planned" if token.text == "planned" else "actual")


def _placed(error: Invalid, token: _Token) -> Invalid:
    return Invalid(
        Problem(f"column {token.column}", problem.template, problem.params) for problem in error.problems
    )
