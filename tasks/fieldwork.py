"""Fieldwork: the timetable, the round, who surveys whom, what was issued and what came back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date
from typing import Any, cast

from sqlalchemy import Connection

from engine.calendar.counting import add_working_days, nth_from
from engine.calendar.durations import parse_duration
from engine.calendar.kickoffs import fits
from engine.calendar.periods import Unit, period_of
from engine.errors import EngineError, Invalid, Problem
from engine.handlers import Call, Handlers, Values, a_role, anything, asks_for, counts, number, takes
from engine.store.calendars import calendar_of
from engine.store.organisation import person_names
from survey import draws, ledger, rounds
from survey.agreement import opening
from survey.numbering import allocation
from survey.questionnaires import published
from survey.sampling import Design, design_of
from tasks.appointments import all_hold, holds
from tasks.controlled import listed, tabled
from tasks.dates import day_in
from tasks.meaning import (
    addressed,
    asked,
    channel_of,
    codes_in,
    conditions,
    current,
    meant,
    parameter,
    part_of,
)

handlers = Handlers("fieldwork")

SURVEYOR = "surveyor"
"""The role of those who may be given customers to survey."""
ASSISTANT = "cs_assistant"
"""The role of those who distribute and collect."""

_CODES = {"refused": "refusal", "unreachable": "non-contact"}
"""What forms call the dispositions of those who get no questionnaire."""
_NOT_ISSUED = {"refusal": "拒绝接受", "non-contact": "未能联系", "ineligible": "不属调查对象"}
_DESIGN = tuple(each.name for each in fields(Design) if each.name not in ("codes", "where"))
SETTINGS = {f"flow.{name.replace('_', '-')}": anything for name in (*_DESIGN, "where", "codes")}
"""The properties that say how a sample is drawn."""


@handlers.inside
@counts()
@takes({"flow.working-days": number(1, 250, whole=True)}, {"flow.preparation": parse_duration})
def timetable(call: Call) -> Values:
    """Whether the survey fits its quarter, and on which day its last working day falls.

    Properties: `flow.working-days`, how many; `flow.preparation`, how long before D0 the plan is due. Sets
    `tracking_end` and `fit_warning` (empty when all is well). A warning is entered in the history.
    """
    d0 = day_in(call, call.variables, "d0")
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


def edition(value: Any) -> None:
    """The judge of `flow.edition`."""
    if str(value).strip() != "published":
        raise EngineError("{value} is no edition: write published, or leave it out", value=value)


@handlers.inside
@takes(
    optional={
        **dict.fromkeys(
            ("flow.questionnaire", "flow.part", "flow.groups", "flow.rate"),
            anything,
        ),
        "flow.edition": edition,
        "flow.redraw": a_role,
        **SETTINGS,
    }
)
def open_round(call: Call) -> Values:
    """Opens a round and draws its sample from the unit's customers; sets `customers`, the size of the sample.

    Properties: `flow.questionnaire`, the form that is the questionnaire, or the variable or parameter that names it;
    `flow.edition`, `published` for its latest published version instead of the instance's own; `flow.part`, the
    round's name where there are several (a name, or the variable that holds it; without it, the variable
    `round_part`); `flow.groups`, by what answers are grouped (`project, segment`); `flow.rate`, the method of the
    satisfaction rate, or the variable or parameter that names it; and the design of the sample, a census if nothing
    is said: `flow.method`, `flow.size` and the others of `survey.sampling.Design`, each a value or the name of a
    variable or parameter; `flow.where`, as in `kind = household, segment = chosen`; `flow.codes`, the variable with
    the codes of a targeted sample (a list, or a text); `flow.redraw`, the role that alone may draw the sample again
    (003F: headquarters draws, not the office).
    """
    groups, redraw = call.properties.get("flow.groups"), call.properties.get("flow.redraw")
    rate = call.properties.get("flow.rate")
    found = rounds.open_round(
        call.conn,
        instance=call.root,
        questionnaire=asked(call),
        now=call.now,
        part=part_of(call) or "",
        groups=None if groups is None else listed(groups),
        method=None if rate is None else str(meant(call, rate)),
        definition=published(call.conn, call.procedure) if "flow.edition" in call.properties else None,
        redraw=None if redraw is None else call.role(redraw.strip()),
    )
    if found.opened_at == call.now:
        call.note("round.opened", opening(found))
    size = rounds.progress(call.conn, found).members
    if not size:
        drawn = draws.draw_sample(
            call.conn,
            found,
            design_of(settings(call)),
            seed=None,
            by=call.by,
            now=call.now,
            today=date.fromisoformat(call.today),
        )
        call.note("round.drawn", {**drawn.facts(), "part": found.part})
        size = drawn.size
    return {"customers": size}


def settings(call: Call) -> dict[str, object]:
    """The design of a sample as the element's properties give it."""
    found: dict[str, object] = {}
    for name in _DESIGN:
        given = call.properties.get(f"flow.{name.replace('_', '-')}")
        if given is not None:
            found[name] = meant(call, given)
    if (codes := call.properties.get("flow.codes")) is not None:
        found["codes"] = codes_in(call.variables.get(codes))
    for name in ("no_repeat", "moved_in"):
        found[name] = str(found.get(name, "")).lower() in ("true", "1", "yes")
    return {**found, "where": conditions(call)}


@handlers.verify
@asks_for({SURVEYOR: "参与调查人员"})
def sample_allocated(call: Call) -> None:
    """Every customer of the sample has exactly one surveyor, who may do it; so may whoever is named as `assistant`."""
    problems = all_hold(call, "parts", "surveyor", SURVEYOR)
    try:
        allocation(len(rounds.roster(call.conn, current(call).id)), call.values.get("parts") or [])
    except Invalid as error:
        problems += error.problems
    if assistant := call.values.get("assistant"):
        problems += holds(call, "assistant", assistant, ASSISTANT)
    if problems:
        raise Invalid(problems)


@handlers.inside
def assign(call: Call) -> Values:
    """Writes down who surveys whom, and makes the allocation list."""
    found = current(call)
    size = len(rounds.roster(call.conn, found.id))
    draws.assign(call.conn, found.id, allocation(size, call.variables["parts"]))
    there = rounds.roster(call.conn, found.id)
    names = surveyors(call, there)
    rows = [(each.number, each.code, names.get(each.surveyor or "")) for each in there]
    return {"$record": tabled(call, ("序号", "客户", "调查人员"), rows)}


@handlers.inside
@takes(optional={"flow.channel": anything, "flow.rest": anything, "flow.part": anything})
def issue(call: Call) -> Values:
    """Writes down who got a questionnaire, and makes the distribution record; sets `issued`, how many have one by now.

    Everybody listed got one, but for the rows of the variable `not_issued` (number, reason). `flow.channel` says
    how (paper, phone, visit, email, link, post, fax, sms, chat), or a variable that says so; on paper if none does;
    `flow.rest`, a variable: where it is false, only those got one of whom the ledger says so.
    """
    channel = channel_of(call)
    found = current(call)
    without = {
        row["number"]: _CODES.get(row["reason"], row["reason"])
        for row in call.variables.get("not_issued") or []
    }
    rest = call.variables.get(call.properties.get("flow.rest", "").strip())
    entered = ledger.issue(
        call.conn,
        found,
        without,
        by=call.by,
        today=date.fromisoformat(call.today),
        now=call.now,
        channel=channel,
        rest=rest is not False,
    )
    if entered:
        facts = {"count": entered, "channel": channel, "day": call.today, "part": found.part}
        call.note("round.issued", facts)
    members = rounds.roster(call.conn, found.id)
    names = surveyors(call, members)
    rows = [
        (
            *(each.number, each.code, names.get(each.surveyor or "")),
            _NOT_ISSUED.get(each.disposition, "未发放") if each.issued_on is None else "已发放",
            "" if each.issued_on is None else ledger.CHANNELS.get(each.channel or "", ""),
            None if each.issued_on is None else date.fromisoformat(each.issued_on),
        )
        for each in members
    ]
    head = ("序号", "客户", "调查人员", "发放情况", "渠道", "发放日期")
    issued = sum(each.issued_on is not None for each in members)
    return {"issued": issued, "$record": tabled(call, head, rows)}


def surveyors(call: Call, members: Iterable[rounds.Member]) -> Mapping[str, str]:
    """The names of the members' surveyors, by id."""
    ids = {each.surveyor for each in members if each.surveyor}
    return {each: each for each in ids} | person_names(cast(Connection, call.conn), ids)


@handlers.verify
def returns_entered(call: Call) -> None:
    """The questionnaires counted on paper are those whose answers were imported."""
    found = current(call)
    progress = rounds.progress(call.conn, found)
    entered, said = progress.returned, call.values["returned_forms"]
    if entered != said:
        template = (
            "{said} questionnaires came back, but the answers of {entered} are in: import the rest with "
            "`flow round import {label} FILE`, or correct the count"
        )
        params = {"said": said, "entered": entered, "label": addressed(found)}
        raise Invalid([Problem("returned_forms", template, params)])
