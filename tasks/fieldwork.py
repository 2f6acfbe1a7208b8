"""Fieldwork: the timetable, the round, who surveys whom, what was issued and what came back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, cast

from sqlalchemy import Connection

from engine.calendar.counting import add_working_days, nth_from
from engine.calendar.durations import parse_duration
from engine.calendar.kickoffs import fits
from engine.calendar.periods import Unit, period_of
from engine.errors import EngineError, Invalid, NotFound, Problem
from engine.handlers import Call, Handlers, Values
from engine.store.calendars import calendar_of
from engine.store.organisation import rights_of, units_above
from survey import rounds

handlers = Handlers("fieldwork")

SURVEYOR = "surveyor"
"""The role of those who may be given customers to survey."""
ASSISTANT = "cs_assistant"
"""The role of those who distribute and collect."""

_NOT_ISSUED = {"refused": "拒绝接受", "unreachable": "未能联系", "ineligible": "不属调查对象"}


@handlers.inside
def timetable(call: Call) -> Values:
    """Whether the survey fits its quarter, and on which day its last working day falls.

    Properties: `flow.working-days`, how many; `flow.preparation`, how long before D0 the plan is due. Sets
    `tracking_end` and `fit_warning` (empty when all is well). A warning is entered in the history.
    """
    d0 = _day(call, "d0")
    number = int(call.properties["flow.working-days"])
    counting = parameter(call, "counting")
    calendar = calendar_of(cast(Connection, call.conn), call.unit)
    last = (nth_from if counting == "from" else add_working_days)(d0, number, calendar).day
    period = period_of(d0, Unit.QUARTER)
    warnings = []
    if misfit := fits(d0, number, period.end, counting, calendar):
        call.note("timetable.warned", {"reason": str(misfit), **misfit.params})
        latest = misfit.params["latest"]
        warnings.append(
            f"自{d0}起{number}个工作日至{last}结束，超出本季度（{period.end}止）；最迟应于{latest}开始。"
        )
    plan_due = parse_duration(call.properties.get("flow.preparation", "P0D")).move(d0, -1)
    if call.today > plan_due.isoformat():
        call.note(
            "timetable.warned", {"reason": "plan late", "d0": d0.isoformat(), "due": plan_due.isoformat()}
        )
        warnings.append(f"方案应于{plan_due}前提交，实际提交于{call.today}。")
    return {"tracking_end": last.isoformat(), "fit_warning": "".join(warnings)}


@handlers.inside
def open_round(call: Call) -> Values:
    """Opens the round on the unit's customers; sets `customers`, their number.

    Property: `flow.questionnaire`, the form that is the questionnaire.
    """
    found = rounds.open_round(
        call.conn,
        instance=call.root,
        questionnaire=call.properties.get("flow.questionnaire", "questionnaire"),
        now=call.now,
    )
    return {"customers": len(rounds.roster(call.conn, found.id))}


@handlers.verify
def everyone_allocated(call: Call) -> None:
    """Every customer has exactly one surveyor, and who was named may do it."""
    found = rounds.round_of(call.conn, call.root)
    parts = call.values.get("parts") or []
    problems = [
        problem
        for place, part in enumerate(parts, 1)
        for problem in holds(call, f"parts.{place}.surveyor", part["surveyor"], SURVEYOR)
    ]
    problems += holds(call, "assistant", call.values.get("assistant"), ASSISTANT)
    try:
        rounds.allocation(len(rounds.roster(call.conn, found.id)), parts)
    except Invalid as error:
        problems += error.problems
    if problems:
        raise Invalid(problems)


@handlers.inside
def assign(call: Call) -> Values:
    """Writes down who surveys whom, and makes the allocation list."""
    found = rounds.round_of(call.conn, call.root)
    size = len(rounds.roster(call.conn, found.id))
    rounds.assign(call.conn, found.id, rounds.allocation(size, call.variables["parts"]))
    rows = [(each.number, each.code, each.surveyor) for each in rounds.roster(call.conn, found.id)]
    return {"$record": {"任务分配表.csv": sheet(("序号", "客户", "调查人员"), rows)}}


@handlers.verify
def customers_known(call: Call) -> None:
    """The customers said to have got no questionnaire are on the roster, each once."""
    found = rounds.round_of(call.conn, call.root)
    size = len(rounds.roster(call.conn, found.id))
    problems: list[Problem] = []
    seen: set[int] = set()
    for place, row in enumerate(call.values.get("not_issued") or [], 1):
        number = row["number"]
        if number > size:
            template = "The roster goes from 1 to {size}"
            problems.append(Problem(f"not_issued.{place}.number", template, {"size": size}))
        elif number in seen:
            template = "Customer {number} stands here twice"
            problems.append(Problem(f"not_issued.{place}.number", template, {"number": number}))
        seen.add(number)
    if problems:
        raise Invalid(problems)


@handlers.inside
def issue(call: Call) -> Values:
    """Writes down who got a questionnaire, and makes the distribution record; sets `issued`."""
    found = rounds.round_of(call.conn, call.root)
    without = {row["number"]: row["reason"] for row in call.variables.get("not_issued") or []}
    issued = rounds.issue(call.conn, found.id, without, call.now)
    rows = [
        (each.number, each.code, each.surveyor, _NOT_ISSUED.get(each.disposition, "已发放"))
        for each in rounds.roster(call.conn, found.id)
    ]
    head = ("序号", "客户", "调查人员", "发放情况")
    return {"issued": issued, "$record": {"问卷发放记录.csv": sheet(head, rows)}}


@handlers.verify
def returns_entered(call: Call) -> None:
    """The questionnaires counted on paper are those whose answers were imported."""
    counts = rounds.dispositions(call.conn, rounds.round_of(call.conn, call.root).id)
    entered, said = counts["returned"], call.values["returned_forms"]
    if entered != said:
        template = (
            "{said} questionnaires came back, but the answers of {entered} are in: import the rest with "
            "`flow round import {label} FILE`, or correct the count"
        )
        params = {"said": said, "entered": entered, "label": call.label}
        raise Invalid([Problem("returned_forms", template, params)])


def sheet(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as CSV text that spreadsheets open in the right encoding."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    return "\ufeff" + text.getvalue()


def parameter(call: Call, name: str) -> Any:
    """A parameter of the procedure, as an instance's variable of the same name overrides it. Raises `EngineError`."""
    if name not in call.variables and name not in call.parameters:
        raise EngineError(
            "{element} needs the parameter {name}: add it to procedure.yaml", element=call.element, name=name
        )
    return call.variables.get(name, call.parameters.get(name))


def _inert(cell: object) -> object:
    """Text that a spreadsheet would take for a formula is kept text by an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t") else cell


def _day(call: Call, name: str) -> date:
    value = call.variables.get(name)
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise EngineError(
            "{element} needs the date {name} (as in 2026-09-14), found {found!r}",
            element=call.element,
            name=name,
            found=value,
        ) from None


def holds(call: Call, field: str, person: Any, role: str) -> list[Problem]:
    """A problem unless the person holds the role in the unit."""
    conn = cast(Connection, call.conn)
    try:
        rights = rights_of(conn, str(person), date.fromisoformat(call.today))
    except NotFound as unknown:
        return [Problem(field, unknown.template, unknown.params)]
    if rights.holder(role, units_above(conn, call.unit)) is not None:
        return []
    params: Mapping[str, object] = {"person": person, "role": role, "unit": call.unit}
    return [Problem(field, "{person} does not hold the role {role} in unit {unit}", params)]
