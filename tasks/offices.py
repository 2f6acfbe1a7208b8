"""Offices: how far the same survey is in every unit that has it in the same period, and what all of them come to.

For a headquarters that reviews the reports of many units, each of which runs an instance of its own (003F).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import select

from documents.content import Column, Value
from engine.calendar.periods import Period, Unit, period_of
from engine.errors import EngineError
from engine.handlers import Call, Handlers, Values, anything, takes
from engine.model import label
from engine.store import tables
from survey import rounds
from survey.figures import Figures, percent
from survey.rounds import Round
from survey.tables import survey_round
from tasks.controlled import tabled

handlers = Handlers("offices")

_OVER = ("cancelled", "failed")


def _period(value: Any) -> Unit:
    """The judge of `flow.every`."""
    try:
        return Unit(str(value).strip())
    except ValueError:
        known = ", ".join(Unit)
        raise EngineError("{value} is none of {known}", value=value, known=known) from None


@dataclass(frozen=True, slots=True)
class Office:
    """One unit's survey of the period."""

    unit: str
    name: str
    instance: int | None
    """None: it has not begun."""
    reported: str | None
    """The day of its report."""
    reviewed: str | None
    """The day on which that report was reviewed; None where a later one has come since."""
    round: Round | None
    """The last one that is closed: its figures are final."""
    figures: Figures | None


@handlers.inside
@takes({"flow.every": _period, "flow.report": anything, "flow.review": anything}, {"flow.sets": anything})
def standing(call: Call) -> Values:
    """Which units have handed in their report of the period, which not, and the figures of each and of all.

    A unit belongs to it that has an instance of the procedure begun within the period, or a schedule for it.
    Properties: `flow.every`, the period (half-year); `flow.report` and `flow.review`, the steps that hand a report in
    and review it. Sets `offices_text`, `offices_missing` (names of units without a report) and `offices_rate`, the
    rate of all answers together (a dash where there are none, or questionnaires differ).
    """
    period = period_of(date.fromisoformat(call.today), _period(call.properties["flow.every"]))
    found = list(_offices(call, period))
    missing = [each.name for each in found if each.reported is None]
    there = [each.round for each in found if each.round is not None]
    alike = len({(each.questionnaire, each.version, each.method) for each in there}) == 1
    together = rounds.figures_of(call.conn, there) if alike else None
    rows = [_row(each) for each in found]
    rate = _rate(together)
    text = "；".join(_said(each) for each in found)
    text += f"。{period.key}全部{len(found)}个单位，合计满意率{rate}。"
    if missing:
        text += f"尚未上报：{'、'.join(missing)}。"
    head = ("单位", "流程编号", "报告上报日期", "审阅日期", "发放", "回收", Column("满意率", "percent", 1))
    total = (
        [("合计", "", "", "", together.issued, together.returned, together.whole.rate.value)]
        if together is not None
        else []
    )
    return {
        "offices_text": text,
        "offices_missing": missing,
        "offices_rate": rate,
        "$record": tabled(call, head, [*rows, *total]),
    }


def _offices(call: Call, period: Period) -> Iterator[Office]:
    instances = _instances(call, period)
    table, unit = tables.schedule, tables.unit
    planned = select(table.c.unit).where(table.c.procedure == call.procedure, table.c.status == "active")
    wanted = {*instances, *call.conn.execute(planned).scalars()}
    names = {row.id: row.name for row in call.conn.execute(select(unit.c.id, unit.c.name))}
    for each in sorted(wanted, key=lambda one: (names.get(one, one), one)):
        number = instances.get(each)
        if number is None:
            yield Office(each, names.get(each, each), None, None, None, None, None)
            continue
        done = _done(call, number)
        reported, reviewed = (
            done.get(call.properties[name].strip()) for name in ("flow.report", "flow.review")
        )
        again = reported is not None and reviewed is not None and reviewed < reported
        closed = _closed(call, number)
        yield Office(
            each,
            names.get(each, each),
            number,
            None if reported is None else _day(call, reported),
            None if reviewed is None or again else _day(call, reviewed),
            closed,
            None if closed is None else rounds.figures_of(call.conn, [closed]),
        )


def _instances(call: Call, period: Period) -> dict[str, int]:
    """The latest instance of the procedure that each unit began within the period."""
    table = tables.instance
    rows = call.conn.execute(
        select(table.c.id, table.c.unit, table.c.started_at)
        .where(
            table.c.procedure == call.procedure,
            table.c.parent_id.is_(None),
            table.c.status.not_in(_OVER),
        )
        .order_by(table.c.id)
    )
    begin, end = period.begin, period.end
    return {row.unit: row.id for row in rows if begin <= row.started_at.astimezone(call.zone).date() <= end}


def _done(call: Call, instance: int) -> Mapping[str, datetime]:
    """When each step of the instance was done last."""
    task = tables.user_task
    rows = call.conn.execute(
        select(task.c.element, task.c.closed_at)
        .where(task.c.instance_id == instance, task.c.status == "done")
        .order_by(task.c.closed_at)
    )
    return {row.element: row.closed_at for row in rows}


def _closed(call: Call, instance: int) -> Round | None:
    """The last closed round of the instance."""
    table = survey_round
    parts = (
        call.conn.execute(
            select(table.c.part)
            .where(table.c.instance_id == instance, table.c.status == "closed")
            .order_by(table.c.id)
        )
        .scalars()
        .all()
    )
    return rounds.round_of(call.conn, instance, parts[-1]) if parts else None


def _day(call: Call, moment: datetime) -> str:
    return moment.astimezone(call.zone).date().isoformat()


def _rate(made: Figures | None) -> str:
    value: Fraction | None = None if made is None else made.whole.rate.value
    return percent(value)


def _row(each: Office) -> Sequence[Value]:
    made = each.figures
    return (
        each.name,
        "尚未开始" if each.instance is None else label(each.instance),
        each.reported or "未上报",
        each.reviewed or "",
        *((None, None, None) if made is None else (made.issued, made.returned, made.whole.rate.value)),
    )


def _said(each: Office) -> str:
    if each.reported is None:
        return f"{each.name}未上报"
    reviewed = "已审阅" if each.reviewed else "待审阅"
    return f"{each.name}{each.reported}上报（{reviewed}），满意率{_rate(each.figures)}"
