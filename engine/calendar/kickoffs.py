"""The kick-offs a schedule's rule comes to: when each instance starts, and the dates it starts with.

Every kick-off gives the anchors `period_start` and `period_end` (of the whole period) and `d0`: for a latest
fit the day the work proper begins, for any other start the kick-off's own day. A start `before` a day of the
year also gives that day, as `deadline`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from engine.calendar.counting import ONE_DAY, Count, Roll, add_working_days, nth_from, out_of_range, roll
from engine.calendar.due_grammar import Counting
from engine.calendar.durations import Duration, clipped
from engine.calendar.periods import Period, Unit, period_named, period_of
from engine.calendar.rules import Before, LatestFit, Manual, OnDay, OnWorkingDay, Rule
from engine.calendar.working import WorkingCalendar
from engine.errors import Conflict, NotFound, Problem

_LONGEST_BREAK = timedelta(days=15)
"""More days off in a row than any year's notice has given: how far a date may move to a working day."""
_YEAR = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Kickoff:
    """One start of an instance."""

    period: str
    """The period's key, as 2026-Q3: a schedule has one kick-off a period."""
    day: date
    """The local day."""
    at: datetime
    """The instant, in UTC."""
    anchors: Mapping[str, date]
    provisional: bool
    """Whether it rests on a year whose notice is still to come, so that it may yet move."""
    warnings: tuple[Problem, ...] = ()


def kickoffs(
    rule: Rule,
    start: date,
    end: date,
    calendar: WorkingCalendar,
    zone: ZoneInfo,
    created: datetime | None = None,
) -> list[Kickoff]:
    """The kick-offs on the local days `start` to `end`, both included; none for a manual start.

    Those before `created`, the moment the schedule was made, carry a warning, since nothing fires them.
    `NotFound` when the calendar lacks the table of a year that they depend on.
    """
    found, missing = known_kickoffs(rule, start, end, calendar, zone, created)
    if missing is not None:
        raise missing
    return found


def known_kickoffs(
    rule: Rule,
    start: date,
    end: date,
    calendar: WorkingCalendar,
    zone: ZoneInfo,
    created: datetime | None = None,
) -> tuple[list[Kickoff], NotFound | None]:
    """The same up to the first that depends on a year without a table, and which table that is."""
    found: list[Kickoff] = []
    try:
        for kickoff in _from(rule, start, end, calendar, zone):
            if kickoff.day > end:
                break
            if kickoff.day >= start:
                found.append(_with_missed(kickoff, created))
    except NotFound as missing:
        return found, missing
    return found, None


def kickoff_of(key: str, rule: Rule, calendar: WorkingCalendar, zone: ZoneInfo) -> Kickoff | None:
    """The kick-off of the period of that key, as 2026-Q3; None when the rule has none for it.

    `NotFound` as in `kickoffs`, `Invalid` when it lies outside the years 1 to 9999.
    """
    if rule.every is None or isinstance(rule.start, Manual):
        return None
    period = period_named(key, rule.every)
    spans = [] if period is None else _spans(rule, period)
    return _Reckoning(rule, period, spans[0], calendar).kickoff(zone) if period and spans else None


def next_kickoff(
    rule: Rule,
    after: datetime,
    calendar: WorkingCalendar,
    zone: ZoneInfo,
    *,
    since: date | None = None,
    done: Collection[str] = (),
) -> Kickoff | None:
    """The first kick-off strictly after the instant; None for a manual start. `NotFound` as in `kickoffs`.

    With `since`, also an earlier one if its period begins on that day or later. Periods that are `done` are passed
    over. Raises Conflict when the work fits neither into its period nor into any other that begins within a year.
    """
    today = after.astimezone(zone).date()
    following = _from(rule, today if since is None else min(since, today), date.max, calendar, zone)
    for kickoff in following:
        owed = since is not None and kickoff.anchors["period_start"] >= since
        if kickoff.period not in done and (owed or kickoff.at > after):
            _refuse_misfit(rule, kickoff, following)
            return kickoff
    return None


def _refuse_misfit(rule: Rule, first: Kickoff, following: Iterator[Kickoff]) -> None:
    """One period too short begins at once, with a warning; a rule that fits into none of them is a mistake."""
    if not isinstance(rule.start, LatestFit) or not first.warnings:
        return
    try:
        for each in following:
            if each.anchors["period_start"] - first.anchors["period_start"] > _YEAR:
                break
            if not each.warnings:
                return
    except NotFound:
        pass  # what is known has to do
    raise Conflict(
        "{working_days} working days fit neither into {period} nor into a later one: write fewer, or a longer period",
        working_days=rule.start.working_days, period=first.period,
    )  # fmt: skip


def fits(
    d0: date, working_days: int, period_end: date, counting: Counting, calendar: WorkingCalendar
) -> Problem | None:
    """A warning when so many working days from (or after) `d0` do not end by `period_end`.

    Counted back from the end, so that the following year's table is not needed.
    """
    first_counted = nth_from(period_end, -working_days, calendar).day
    latest = first_counted if counting == "from" else first_counted - ONE_DAY
    if d0 <= latest:
        return None
    return Problem(
        "d0",
        "{working_days} working days {counting} {d0} do not fit before {end}: begin by {latest}",
        {
            "working_days": working_days,
            "counting": counting,
            "d0": d0.isoformat(),
            "end": period_end.isoformat(),
            "latest": latest.isoformat(),
        },
    )


def latest_fit(working_days: int, period_end: date, counting: Counting, calendar: WorkingCalendar) -> Count:
    """The latest working day from (or after) which so many working days end by `period_end`."""
    return nth_from(period_end, -(working_days + (counting == "after")), calendar)


def _from(rule: Rule, day: date, end: date, calendar: WorkingCalendar, zone: ZoneInfo) -> Iterator[Kickoff]:
    """Kick-offs in order: from the first that can lie on `day`, until none can lie before `end`."""
    if rule.every is None or isinstance(rule.start, Manual):
        return
    first = day - _LONGEST_BREAK if _roll_of(rule) == "next" else day
    shift = 0
    while True:
        period = period_of(first, rule.every, shift)
        shift += 1
        for span in _spans(rule, period):
            try:
                kickoff = _Reckoning(rule, period, span, calendar).kickoff(zone)
            except NotFound:
                # A year without its table matters only if its kick-off may still lie in the range.
                if _earliest(rule, span) > end:
                    return
                raise
            yield kickoff


def _spans(rule: Rule, period: Period) -> list[Period]:
    """The part of the period that counts: all of it, or the month the rule names in it, if it names one."""
    if not rule.months:
        return [period]
    return [
        period_of(date(period.begin.year, month, 1), Unit.MONTH)
        for month in rule.months
        if period.begin.month <= month <= period.end.month
    ]


def _roll_of(rule: Rule) -> Roll:
    return "none" if isinstance(rule.start, OnWorkingDay | Manual) else rule.start.roll


def _earliest(rule: Rule, span: Period) -> date:
    """A day no kick-off of the span lies before, told without the calendar."""
    start = rule.start
    earliest = span.begin
    if isinstance(start, Before):
        earliest = _at_least_before(clipped(span.begin.year, start.month, start.day), start.by)
    elif isinstance(start, LatestFit):
        fit = _at_least_before(span.end, Duration(working_days=start.working_days))
        earliest = _at_least_before(_at_least_before(max(span.begin, fit), start.preparation), start.lead)
    return earliest - _LONGEST_BREAK if _roll_of(rule) == "previous" else earliest


def _at_least_before(day: date, duration: Duration) -> date:
    if duration.working_days is None:
        return duration.move(day, -1)
    return day - timedelta(days=2 * duration.working_days) - _LONGEST_BREAK


def _with_missed(kickoff: Kickoff, created: datetime | None) -> Kickoff:
    if created is None or kickoff.at >= created:
        return kickoff
    missed = Problem(
        "period",
        "The kick-off of {period} on {day} was due before the schedule was made: start it by hand if wanted",
        {"period": kickoff.period, "day": kickoff.day.isoformat()},
    )
    return replace(kickoff, warnings=(*kickoff.warnings, missed))


class _Reckoning:
    """One period's kick-off; gathers warnings, and whether a provisional year was looked at."""

    def __init__(self, rule: Rule, period: Period, span: Period, calendar: WorkingCalendar) -> None:
        self.rule = rule
        self.period = period
        self.span = span
        self.calendar = calendar
        self.provisional = False
        self.warnings: list[Problem] = []
        self.anchors = {"period_start": period.begin, "period_end": period.end}

    def kickoff(self, zone: ZoneInfo) -> Kickoff:
        day = self.reached(roll(self.day(), _roll_of(self.rule), self.calendar))
        self.anchors.setdefault("d0", day)
        try:
            at = datetime.combine(day, self.rule.at, zone).astimezone(UTC)
        except OverflowError as error:
            raise out_of_range(day) from error
        return Kickoff(self.period.key, day, at, self.anchors, self.provisional, tuple(self.warnings))

    def day(self) -> date:
        """The day before it is moved to a working day."""
        start = self.rule.start
        if isinstance(start, OnDay):
            return self.on_day(start.number)
        if isinstance(start, OnWorkingDay):
            return self.on_working_day(start.number)
        if isinstance(start, Before):
            self.anchors["deadline"] = clipped(self.span.begin.year, start.month, start.day)
            return self.back(self.anchors["deadline"], start.by)
        assert isinstance(start, LatestFit)
        self.anchors["d0"] = self.latest_fit(start)
        return self.back(self.back(self.anchors["d0"], start.preparation), start.lead)

    def on_day(self, number: int) -> date:
        if number > 0:
            return min(self.span.begin + (number - 1) * ONE_DAY, self.span.end)
        return max(self.span.end + (number + 1) * ONE_DAY, self.span.begin)

    def on_working_day(self, number: int) -> date:
        begin, end = self.span.begin, self.span.end
        day = self.reached(nth_from(begin if number > 0 else end, number, self.calendar))
        if begin <= day <= end:
            return day
        self.warnings.append(
            Problem(
                "working_day",
                "{period} has fewer than {number} working days: the nearest one in it was taken",
                {"period": self.span.key, "number": abs(number)},
            )
        )
        return self.reached(
            nth_from(end, -1, self.calendar) if number > 0 else nth_from(begin, 1, self.calendar)
        )

    def latest_fit(self, start: LatestFit) -> date:
        count = latest_fit(start.working_days, self.span.end, start.counting, self.calendar)
        d0 = self.reached(count)
        if d0 < self.span.begin:
            d0 = self.reached(nth_from(self.span.begin, 1, self.calendar))
            warning = fits(d0, start.working_days, self.span.end, start.counting, self.calendar)
            self.warnings += [warning] if warning else []
        return d0

    def back(self, day: date, duration: Duration) -> date:
        if duration.working_days is None:
            return duration.move(day, -1)
        return self.reached(add_working_days(day, -duration.working_days, self.calendar))

    def reached(self, count: Count) -> date:
        self.provisional = self.provisional or count.provisional
        return count.day
