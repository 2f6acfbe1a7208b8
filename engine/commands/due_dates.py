"""Due dates worked out for an instance: the arithmetic of `engine.calendar.due`, fed with the instance's dates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from engine.calendar.due import Due, plan, resolve
from engine.calendar.due_grammar import Anchor, DueExpression, parse_due
from engine.calendar.durations import day_start
from engine.errors import Invalid

if TYPE_CHECKING:
    from engine.commands.core import Context, OpenInstance

ACTUAL = "actual_days"
"""The variable that keeps when elements completed that some due date is measured from: element to ISO date."""

parsed = lru_cache(maxsize=4096)(parse_due)
"""A parsed due date, kept: its text stands in a diagram that does not change."""


def anchors_of(
    ctx: Context, instance: OpenInstance, expression: DueExpression
) -> Mapping[str, date | datetime]:
    """The date that an expression is measured from, if the instance knows it.

    A date variable, `actual(element)` or `planned(element)`; of the last kind the whole chain is worked out.
    """
    dues = instance.definition.dues(instance.row["process"])
    chain: dict[str, DueExpression] = {}
    known: dict[str, date | datetime] = {}
    anchor = expression.anchor
    while anchor is not None:
        day = _known(instance, anchor)
        if day is not None:
            known[str(anchor)] = day
        if anchor.source != "planned" or anchor.name not in dues or anchor.name in chain:
            break
        chain[anchor.name] = dues[anchor.name]
        anchor = chain[anchor.name].anchor
    if not chain:
        return known
    calendar = ctx.calendar(instance.row["unit"])
    planned = plan(chain, known, calendar, ctx.services.zone, counting_of(instance))
    return {f"planned({element})": due.anchor for element, due in planned.items()}


def _known(instance: OpenInstance, anchor: Anchor) -> date | datetime | None:
    """What a variable says of an anchor; a variable of a parameter's name hides the parameter."""
    assert instance.run is not None
    data, parameters = instance.run.data, instance.definition.parameters
    if anchor.source == "date":
        return date_of(data.get(anchor.name, parameters.get(anchor.name)))
    return date_of(data.get(ACTUAL, {}).get(anchor.name)) if anchor.source == "actual" else None


def date_of(value: object) -> date | datetime | None:
    """The date or aware moment that a variable holds as ISO 8601 text; None for any other value."""
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d", value):
        return None
    try:
        if len(value) == len("2026-09-14"):
            return date.fromisoformat(value)
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def leading_to(year: int, entered: Mapping[str, object], today: date) -> list[str]:
    """The fields (`d0`, `rows.2.day`) whose dates lie nearest to a year; none while today lies as near."""

    def away(day: date) -> timedelta:
        return max(date(year, 1, 1) - day, day - date(year, 12, 31), timedelta())

    days = dict(_days(entered))
    nearest = min(map(away, days.values()), default=timedelta.max)
    return [place for place, day in days.items() if away(day) == nearest < away(today)]


def _days(value: object, *place: str) -> Iterator[tuple[str, date]]:
    """The dates in values of a form and the rows of its tables, by their fields."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _days(each, *place, name)
    elif isinstance(value, list):
        for number, each in enumerate(value, 1):
            yield from _days(each, *place, str(number))
    elif (day := date_of(value)) is not None:
        yield ".".join(place), day.date() if isinstance(day, datetime) else day


def counting_of(instance: OpenInstance) -> Any:
    """How `counted` counts here: the instance's variable `counting`, else the procedure's parameter."""
    assert instance.run is not None
    return instance.run.data.get("counting", instance.definition.procedure.counting)


def work_out(ctx: Context, instance: OpenInstance, expression: DueExpression, opened: datetime) -> Due | None:
    """The due date, or None while a date it is measured from is not known yet."""
    known = anchors_of(ctx, instance, expression)
    if expression.anchor is not None and str(expression.anchor) not in known:
        return None
    calendar = ctx.calendar(instance.row["unit"])
    return resolve(expression, known, opened, calendar, ctx.services.zone, counting_of(instance))


def readable(text: str) -> DueExpression | None:
    """A due date that stands where a timer may; None when the text is none."""
    try:
        return parsed(text)
    except Invalid:
        return None


def day_begins(ctx: Context, day: date) -> datetime:
    """The first instant of a local day, in UTC."""
    return day_start(day, ctx.services.zone)
