"""When a schedule starts instances: the rule under `schedule` in procedure.yaml.

    schedule: manual                                    # started by hand only
    schedule:
      every: quarter                                    # month, quarter, half-year, year
      months: [3, 6, 9, 12]                             # optional: only this part of the period
      start: {working_day: 3}                           # the 3rd working day; -1 is the last
      at: "09:00"                                       # optional: local time of the kick-off

`start` is one of

    {day: 1, roll: next}                  that day, -1 the last; roll: next, previous or none
    {working_day: 3}                      that working day, -1 the last
    {before: "12-31", by: P1M, roll: …}   so long before a day of the year (every: year)
    {latest_fit: {working_days: 15, counting: from}, preparation: P14D, lead: P7D, roll: previous}
    manual                                by hand, once a period

The latest fit is the last working day `d0` from which (or after which) so many working days still end
within the period; the kick-off lies `preparation` and then `lead` before it. `counting` may be left out
when the procedure has a parameter of that name. What a rule comes to is in `kickoffs`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import cast

from engine.calendar.counting import ROLLS, Roll
from engine.calendar.due_grammar import COUNTINGS, Counting
from engine.calendar.durations import Duration, clipped, parse_duration
from engine.calendar.periods import Period, Unit, period_of
from engine.errors import Invalid
from engine.strict_yaml import Document, Reader, Value

OPENING = time(9)
"""The local start of business, unless the rule says otherwise."""

NO_TIME = Duration()

_STARTS = ("day", "working_day", "before", "latest_fit")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_YEAR_DAY = re.compile(r"([0-9]{2})-([0-9]{2})")
_LEAP_YEAR = 2000


@dataclass(frozen=True, slots=True)
class OnDay:
    """The number-th day of the period, -1 the last."""

    number: int
    roll: Roll = "none"


@dataclass(frozen=True, slots=True)
class OnWorkingDay:
    """The number-th working day of the period, -1 the last."""

    number: int


@dataclass(frozen=True, slots=True)
class Before:
    """So long before a day of the year."""

    month: int
    day: int
    by: Duration
    roll: Roll = "none"


@dataclass(frozen=True, slots=True)
class LatestFit:
    """Prepared so that `working_days` from (or after) d0 just end within the period."""

    working_days: int
    counting: Counting
    preparation: Duration = NO_TIME
    lead: Duration = NO_TIME
    roll: Roll = "none"


@dataclass(frozen=True, slots=True)
class Manual:
    """A person starts it."""


Start = OnDay | OnWorkingDay | Before | LatestFit | Manual


@dataclass(frozen=True, slots=True)
class Rule:
    """One schedule: a kick-off each period, in certain months only when `months` is given."""

    every: Unit | None
    """None when there is no period: wholly manual."""
    start: Start
    months: tuple[int, ...] = ()
    at: time = OPENING

    def period(self, day: date) -> Period | None:
        """The period that holds `day`; None when the rule has none."""
        return period_of(day, self.every) if self.every else None


def read_rule(procedure: Reader, key: str = "schedule", counting: Counting | None = None) -> Rule:
    """Read the rule under `key`; faults are noted in the reader, whose `raise_faults` is the caller's.

    `counting` is the procedure's parameter of that name, for a `latest_fit` that does not say.
    """
    if procedure.value(key) == "manual":
        return Rule(None, Manual())
    reader = procedure.mapping(key)
    every = Unit(reader.choice("every", list(Unit)))
    months = _months(reader, every)
    start: Start = Manual() if reader.value("start") == "manual" else _start(reader, every, counting)
    at = reader.optional_text("at")
    if at is not None and not _CLOCK.fullmatch(at):
        reader.fault("{found} is no time of day", 'Write it as in "09:00"', at=("at",), found=at)
        at = None
    reader.done()
    return Rule(every, start, months, time.fromisoformat(at) if at else OPENING)


def rule_from_mapping(raw: Mapping[str, object] | str, name: str, counting: Counting | None = None) -> Rule:
    """The same from plain values already parsed; `name` is the row they came from. Raises `Misbuilt`."""
    reader = Document(name, {"schedule": cast(Value, raw)}, {}).reader()
    rule = read_rule(reader, "schedule", counting)
    reader.raise_faults()
    return rule


def _months(reader: Reader, every: Unit) -> tuple[int, ...]:
    given = reader.value("months")
    if given is None:
        return ()
    numbers = given if isinstance(given, list) else []
    months = tuple(n for n in numbers if isinstance(n, int) and not isinstance(n, bool) and 1 <= n <= 12)
    if len(months) != len(numbers) or not months:
        reader.fault("months is no list of months", "Write their numbers, as in [6, 12]", at=("months",))
    elif len({(month - 1) // every.months for month in months}) < len(months):
        reader.fault(
            "Two months fall into one {unit}",
            "Keep one of them, or set `every: month`",
            at=("months",),
            unit=every.value,
        )
    return months


def _start(reader: Reader, every: Unit, counting: Counting | None) -> Start:
    start = reader.mapping("start")
    given = [kind for kind in _STARTS if start.has(kind)]
    result: Start = Manual()
    if len(given) != 1:
        start.fault(
            "start needs exactly one of {known}",
            "Keep one, or write `start: manual`",
            known=", ".join(_STARTS),
        )
    elif given == ["day"]:
        result = OnDay(_ordinal(start, "day", every.longest), _roll(start))
    elif given == ["working_day"]:
        result = OnWorkingDay(_ordinal(start, "working_day", every.longest))
    elif given == ["before"]:
        result = _before(start, every)
    else:
        result = _latest_fit(start, counting)
    start.done()
    return result


def _before(start: Reader, every: Unit) -> Before:
    text = start.text("before")
    match = _YEAR_DAY.fullmatch(text)
    month, day = (int(match[1]), int(match[2])) if match else (0, 0)
    if not (1 <= month <= 12 and day and clipped(_LEAP_YEAR, month, day).day == day):
        start.fault(
            "{text} is no day of the year", 'Write month and day, as in "12-31"', at=("before",), text=text
        )
    if every is not Unit.YEAR:
        start.fault("before names a day of the year", "Set `every: year`, or use day: …", at=("before",))
    return Before(month, day, _whole_days(start, "by", required=True), _roll(start))


def _latest_fit(start: Reader, counting: Counting | None) -> LatestFit:
    fit = start.mapping("latest_fit")
    number = _ordinal(fit, "working_days", Unit.YEAR.longest)
    if number < 0:
        fit.fault("working_days is negative", "Write how many, from 1", at=("working_days",))
    chosen: dict[str, Counting] = {counting: counting for counting in COUNTINGS}
    counted = chosen[fit.choice("counting", COUNTINGS, default=counting)]
    fit.done()
    return LatestFit(
        number, counted, _whole_days(start, "preparation"), _whole_days(start, "lead"), _roll(start)
    )


def _ordinal(reader: Reader, key: str, most: int) -> int:
    number = reader.integer(key)
    if reader.has(key) and not 1 <= abs(number) <= most:
        reader.fault(
            "{key} cannot be {found}",
            "Write a number from 1 to {most}, or -1 for the last one",
            at=(key,),
            key=key,
            found=number,
            most=most,
        )
    return number or 1


def _roll(start: Reader) -> Roll:
    rolls: dict[str, Roll] = {roll: roll for roll in ROLLS}
    return rolls[start.choice("roll", ROLLS, default="none")]


def _whole_days(reader: Reader, key: str, *, required: bool = False) -> Duration:
    text = reader.text(key) if required else reader.optional_text(key)
    if not text:
        return NO_TIME
    try:
        duration = parse_duration(text)
    except Invalid as error:
        for problem in error.problems:
            reader.fault(problem.template, "Correct {key}", at=(key,), key=key, **problem.params)
        return NO_TIME
    if duration.exact:
        reader.fault("{key} is measured in hours", "Write whole days, as in P14D or P5WD", at=(key,), key=key)
    return duration
