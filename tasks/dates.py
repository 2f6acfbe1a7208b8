"""Dates: those a procedure counts from, worked out at a step, moved off days without work, and told apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from engine.calendar.counting import Roll, add_working_days
from engine.calendar.due import Due, resolve
from engine.calendar.due_grammar import DueExpression, Offset, parse_due
from engine.calendar.periods import Unit, period_of
from engine.calendar.working import WorkingCalendar
from engine.errors import EngineError, NotFound
from engine.handlers import Call, Handlers, Values, anything, counts, takes
from engine.store.calendars import calendar_of

handlers = Handlers("dates")

SHIFTS: dict[str, Roll] = {"keep": "none", "next": "next", "previous": "previous"}
"""What happens to a date without work: it stays, or moves to the next or the previous working day."""

_parsed = lru_cache(maxsize=1024)(parse_due)
_LINE = re.compile(
    r"\s*(?P<name>[A-Za-z_]\w*)(?P<kept>\?)?(?:\s+(?P<label>[^:：;]+?))?\s*[:：](?P<due>[^;]+)"
)
_PLACE = re.compile(r"\{([A-Za-z_]\w*)\}")
_WHOLE = re.compile(r"\bP\{[A-Za-z_]\w*\}(?=\s|,|$)")
"""A duration that is a parameter as a whole: `P{answer_time}`, which may be `1M`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A line of `flow.dates`."""

    name: str
    label: str
    """What people call it; one without is not compared with others."""
    due: str
    kept: bool = False
    """Worked out only where nobody has set the date."""


@lru_cache(maxsize=1024)
def wanted(text: str) -> tuple[Wanted, ...]:
    """The lines of `flow.dates`: `report_due 编制报告: day 5 of next month of d0`, separated by semicolons.

    Numbers may be parameters: `P{cause_days}WD`, and so may durations: `P{answer_time}`, which is `1M`, say;
    `collect_by?: …` leaves a date as it is that is set.
    Raises `EngineError` for a line that is none.
    """
    lines = []
    for part in filter(str.strip, text.split(";")):
        match = _LINE.fullmatch(part)
        if match is None:
            raise EngineError(
                "{line} is no date: write as in `report_due: day 5 of next month`", line=part.strip()
            )
        lines.append(Wanted(match["name"], match["label"] or "", match["due"].strip(), bool(match["kept"])))
        point = parse_due(_PLACE.sub("1", _WHOLE.sub("P1D", lines[-1].due))).point
        if isinstance(point, Offset) and point.duration.exact:
            raise EngineError("{line} gives a time, not a date: count in days", line=part.strip())
    return tuple(lines)


def _shift(value: Any) -> None:
    """The judge of a shift: one of the three, or the name of a parameter or variable."""
    if not re.fullmatch(r"[A-Za-z_]\w*", str(value).strip()):
        raise EngineError("{value} is none of {known}", value=value, known=", ".join(SHIFTS))


@handlers.inside
@counts()
@takes({"flow.dates": wanted}, {"flow.shift": _shift, "flow.sets": anything})
def work_out(call: Call) -> Values:
    """Works out dates, sets each under its name, and says which were moved and which fall on one day.

    Properties: `flow.dates`, as in `report_due 编制报告: day 5 of next month of d0; …`, where a line may count from
    those before it and from parameters (`P{cause_days}WD`), and `name?` keeps a date that is set; `flow.shift`, keep,
    next or previous, or the parameter that says which. With labels it sets besides `date_moves` and `date_warning`
    (empty when nothing coincides), and journals a warning.
    """
    basis = _basis(call)
    found: list[tuple[Wanted, Due, date]] = []
    for line in wanted(call.properties["flow.dates"]):
        if line.name in call.kept or (line.kept and call.variables.get(line.name) is not None):
            continue
        expression = basis.expression(line)
        due = basis.resolved(expression)
        nominal = basis.resolved(replace(expression, roll="none")).day
        basis.known[line.name] = due.day.isoformat()
        found.append((line, due, nominal))
    warning = "".join(_warnings(found))
    if warning:
        days = {line.name: due.day.isoformat() for line, due, _ in found if line.label}
        call.note("dates.warned", {"reason": warning, **days})
    dates: dict[str, object] = {line.name: due.day.isoformat() for line, due, _ in found}
    if any(line.label for line, _, _ in found):
        dates |= {"date_moves": "".join(_moves(found)), "date_warning": warning}
    return dates


def explained(call: Call, name: str) -> tuple[str, Due] | None:
    """How `work_out` counted the date `name`, called then as `call` says: by which rule, and day by day.

    None where its `flow.dates` do not say. Raises as `work_out`.
    """
    basis = _basis(call)
    for line in wanted(call.properties.get("flow.dates", "")):
        if line.name == name:
            expression = basis.expression(line)
            return expression.text, basis.resolved(expression)
    return None


@handlers.collection
def weeks(call: Call) -> Iterable[object]:
    """The weeks of the month of `d0` that have a working day and are not over: number, first day, last working day.

    A week begins on Monday; the month's first and last may be shorter.
    """
    month = period_of(day_in(call, call.variables, "d0"), Unit.MONTH)
    calendar = calendar_of(cast(Connection, call.conn), call.unit)
    first, number, found = month.begin, 0, []
    while first <= month.end:
        last = min(first + timedelta(days=6 - first.weekday()), month.end)
        days = [first + timedelta(days=each) for each in range((last - first).days + 1)]
        working = [day for day in days if calendar.is_working(day)]
        if working:
            number += 1
            if working[-1].isoformat() >= call.today:
                found.append({"number": number, "first": first.isoformat(), "last": working[-1].isoformat()})
        first = last + timedelta(days=1)
    return found


def working_days_on(call: Call, days: int) -> date:
    """The day so many working days after today, in the unit's calendar."""
    calendar = calendar_of(cast(Connection, call.conn), call.unit)
    return add_working_days(date.fromisoformat(call.today), days, calendar).day


@dataclass(frozen=True, slots=True)
class _Basis:
    """What dates are counted from."""

    call: Call
    known: dict[str, Any]
    calendar: WorkingCalendar
    shift: Roll

    def expression(self, line: Wanted) -> DueExpression:
        due = _parsed(_PLACE.sub(lambda place: str(_value(self.call, self.known, place[1])), line.due))
        return replace(due, roll=self.shift) if due.roll == "none" else due

    def resolved(self, expression: DueExpression) -> Due:
        anchor, anchors = expression.anchor, {}
        if anchor is not None:
            anchors = {str(anchor): day_in(self.call, self.known, anchor.name)}
        zone = cast(ZoneInfo, self.call.zone)
        return resolve(expression, anchors, self.call.now, self.calendar, zone, self.known.get("counting"))


def _basis(call: Call) -> _Basis:
    calendar = calendar_of(cast(Connection, call.conn), call.unit)
    return _Basis(call, {**call.parameters, **call.variables, **call.kept}, calendar, _shift_of(call))


def day_in(call: Call, known: Mapping[str, Any], name: str) -> date:
    """The date that is known by a name. Raises `EngineError` where there is none."""
    try:
        return date.fromisoformat(str(known.get(name)))
    except ValueError:
        template = "{element} needs the date {name} (as in 2026-09-14), found {found!r}"
        raise EngineError(template, element=call.element, name=name, found=known.get(name)) from None


def _value(call: Call, known: dict[str, Any], name: str) -> Any:
    if name not in known:
        raise NotFound(
            "{element} needs the parameter {name}: add it to procedure.yaml", element=call.element, name=name
        )
    return known[name]


def _shift_of(call: Call) -> Roll:
    named = call.properties.get("flow.shift", "keep").strip()
    value = named if named in SHIFTS else str(call.variables.get(named, call.parameters.get(named)))
    if value not in SHIFTS:
        raise EngineError("{value} is none of {known}", value=value, known=", ".join(SHIFTS))
    return SHIFTS[value]


def _moves(found: list[tuple[Wanted, Due, date]]) -> Iterator[str]:
    for line, due, nominal in found:
        if line.label and due.day != nominal:
            yield f"{line.label}由{nominal}移至{due.day}；"
        if line.label and due.provisional:
            yield f"{line.label}按暂定的日历推算；"


def _warnings(found: list[tuple[Wanted, Due, date]]) -> Iterator[str]:
    """Of those with a label: what falls on one day though it was meant to come one after the other."""
    by_day: dict[date, list[tuple[str, date]]] = {}
    for line, due, nominal in found:
        if line.label:
            by_day.setdefault(due.day, []).append((line.label, nominal))
    for day, lines in by_day.items():
        if len({nominal for _, nominal in lines}) > 1:
            yield f"{'、'.join(label for label, _ in lines)}同在{day}到期；"
    for line, due, nominal in found:
        if line.label and (due.day.year, due.day.month) < (nominal.year, nominal.month):
            yield f"{line.label}提前到了上个月（{due.day}），当月资料尚不完整；"
