"""A rule for a due date in the reader's words, beside the text of the diagram: `P3WD after planned(collect)`.

What the rule means is said in `engine.calendar.due_grammar`; here each of its forms has a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from console.language import Messages, Words, both, tr
from engine.calendar.due_grammar import (
    Anchor,
    DayOf,
    DueExpression,
    Fixed,
    Offset,
    PeriodOf,
    YearDay,
    parse_due,
)
from engine.calendar.durations import Duration

_LENGTHS: Messages = {
    "years": "{count} years",
    "months": "{count} months",
    "weeks": "{count} weeks",
    "days": "{count} calendar days",
    "working_days": "{count} working days",
    "hours": "{count} hours",
    "minutes": "{count} minutes",
    "seconds": "{count} seconds",
}
_ONE: Messages = {
    "years": "1 year",
    "months": "1 month",
    "weeks": "1 week",
    "days": "1 calendar day",
    "working_days": "1 working day",
    "hours": "1 hour",
    "minutes": "1 minute",
    "seconds": "1 second",
}
_OFFSETS: Messages = {
    "after": "within {length} after {anchor}, counted from the day after",
    "from": "within {length} from {anchor}, which counts as the first day",
    "before": "{length} before {anchor} at the latest",
}
_EXACT: Messages = {
    "after": "within {length} after {anchor}",
    "from": "within {length} from {anchor}",
    "before": "{length} before {anchor} at the latest",
}
_ANCHORS: Messages = {
    "planned": "the planned end of {step}",
    "actual": "the end of {step}",
}
_DAYS: Messages = {
    (False, 1): "on the first day of {period}",
    (False, -1): "on the last day of {period}",
    (True, 1): "on the first working day of {period}",
    (True, -1): "on the last working day of {period}",
    False: "on day {number} of {period}",
    True: "on working day {number} of {period}",
}
_PERIODS: Messages = {
    ("month", 0): "this month",
    ("month", 1): "next month",
    ("month", -1): "the month before",
    ("quarter", 0): "this quarter",
    ("quarter", 1): "next quarter",
    ("quarter", -1): "the quarter before",
    ("half-year", 0): "this half-year",
    ("half-year", 1): "next half-year",
    ("half-year", -1): "the half-year before",
    ("year", 0): "this year",
    ("year", 1): "next year",
    ("year", -1): "the year before",
}
_PERIODS_OF: Messages = {
    ("month", 0): "the month of {anchor}",
    ("month", 1): "the month after that of {anchor}",
    ("month", -1): "the month before that of {anchor}",
    ("quarter", 0): "the quarter of {anchor}",
    ("quarter", 1): "the quarter after that of {anchor}",
    ("quarter", -1): "the quarter before that of {anchor}",
    ("half-year", 0): "the half-year of {anchor}",
    ("half-year", 1): "the half-year after that of {anchor}",
    ("half-year", -1): "the half-year before that of {anchor}",
    ("year", 0): "the year of {anchor}",
    ("year", 1): "the year after that of {anchor}",
    ("year", -1): "the year before that of {anchor}",
}
_MONTHS: Words = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_ROLLS: Messages = {
    "next": "{date}; moved on to the next working day where that is none",
    "previous": "{date}; moved back to the working day before where that is none",
}


def in_words(
    text: str, counting: str | None, steps: Mapping[str, str], days: Mapping[str, str] | None = None
) -> str:
    """A due date in the language in use.

    `counting` is the procedure's parameter for what is `counted`, `steps` has the names of the diagram's
    elements, `days` what is known of the anchors (`d0`: the date). Raises Invalid for a text that is no due date.
    """
    due = parse_due(text)
    date = _point(due, counting, _Anchors(steps, days or {}))
    return tr(_ROLLS[due.roll], date=date) if due.roll in _ROLLS else date


class _Anchors:
    def __init__(self, steps: Mapping[str, str], days: Mapping[str, str]) -> None:
        self._steps = steps
        self._days = days

    def __call__(self, anchor: Anchor | None) -> str:
        day = self._days.get("opened" if anchor is None else str(anchor))
        name = tr("the opening of the task") if anchor is None else anchor.name
        if anchor is not None and anchor.source != "date":
            name = tr(_ANCHORS[anchor.source], step=both("“{}”", "{}").format(self._steps.get(name, name)))
        return name if day is None else both(f"{name}（{day}）", f"{name} ({day})")


def _point(due: DueExpression, counting: str | None, anchors: _Anchors) -> str:
    point = due.point
    if isinstance(point, Fixed):
        return tr("by {date}", date=str(point.instant).replace("T", " "))
    if isinstance(point, Offset):
        return _offset(point, counting, anchors)
    period = _period(point.period, anchors)
    if isinstance(point, YearDay):
        month = tr(_MONTHS[point.month - 1])
        return tr("on {day} {month} of {period}", day=point.day, month=month, period=period)
    assert isinstance(point, DayOf)
    template = _DAYS.get((point.working, point.number), _DAYS[point.working])
    return tr(template, number=point.number, period=period)


def _offset(point: Offset, counting: str | None, anchors: _Anchors) -> str:
    kind = (counting or "after") if point.counting == "counted" else point.counting
    anchor = anchors(point.anchor)
    if point.duration.is_zero:
        if point.duration.working_days is None:
            return tr("on the day of {anchor}", anchor=anchor)
        return tr("on the day of {anchor}, or the next working day", anchor=anchor)
    templates = _EXACT if point.duration.exact else _OFFSETS
    return tr(templates[kind], length=_length(point.duration), anchor=anchor)


def _length(duration: Duration) -> str:
    parts = []
    for name in (part.name for part in fields(duration)):
        count = getattr(duration, name)
        if count:
            parts.append(tr(_ONE[name]) if count == 1 else tr(_LENGTHS[name], count=count))
    return both("", ", ").join(parts)


def _period(period: PeriodOf, anchors: _Anchors) -> str:
    key = (period.unit.value, period.shift)
    return tr(_PERIODS[key]) if period.anchor is None else tr(_PERIODS_OF[key], anchor=anchors(period.anchor))
