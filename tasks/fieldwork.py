"""Fieldwork: the timetable, the round, who surveys whom, what was issued and what came back."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any, cast

from sqlalchemy import Connection

from engine.calendar.counting import add_working_days, nth_from
from engine.calendar.durations import parse_duration
from engine.calendar.kickoffs import fits
from engine.calendar.periods import Unit, period_of
from engine.errors import EngineError, Invalid, NotFound, Problem
from engine.handlers import Call, Handlers, Values, a_role, anything, asks_for, number, takes
from engine.model import label
from engine.store.calendars import calendar_of
from engine.store.organisation import rights_of, units_above
from survey import draws, ledger, rounds
from survey.numbering import allocation
from survey.questionnaires import published
from survey.sampling import Design, design_of

handlers = Handlers("fieldwork")

SURVEYOR = "surveyor"
"""The role of those who may be given customers to survey."""
ASSISTANT = "cs_assistant"
"""The role of those who distribute and collect."""

_CODES = {"refused": "refusal", "unreachable": "non-contact"}
"""What forms call the dispositions of those who get no questionnaire."""
_NOT_ISSUED = {"refusal": "拒绝接受", "non-contact": "未能联系", "ineligible": "不属调查对象"}
_TABLES = ("not_issued", "struck_off")
_DESIGN = tuple(each.name for each in fields(Design) if each.name not in ("codes", "where"))
SETTINGS = {f"flow.{name.replace('_', '-')}": anything for name in (*_DESIGN, "where", "codes")}
"""The properties that say how a sample is drawn."""


@handlers.inside
@takes({"flow.working-days": number(1, 250, whole=True)}, {"flow.preparation": parse_duration})
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
        groups=None if groups is None else [name.strip() for name in groups.split(",") if name.strip()],
        method=None if rate is None else str(call.variables.get(rate, call.parameters.get(rate, rate))),
        definition=published(call.conn, call.procedure) if "flow.edition" in call.properties else None,
        redraw=None if redraw is None else call.role(redraw.strip()),
    )
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
        call.note("round.drawn", drawn.facts())
        size = drawn.size
    return {"customers": size}


def settings(call: Call) -> dict[str, object]:
    """The design of a sample as the element's properties give it."""
    found: dict[str, object] = {}
    for name in _DESIGN:
        given = call.properties.get(f"flow.{name.replace('_', '-')}")
        if given is not None:
            found[name] = call.variables.get(given, call.parameters.get(given, given))
    if (codes := call.properties.get("flow.codes")) is not None:
        found["codes"] = codes_in(call.variables.get(codes))
    for name in ("no_repeat", "moved_in"):
        found[name] = str(found.get(name, "")).lower() in ("true", "1", "yes")
    return {**found, "where": conditions(call)}


def codes_in(value: object) -> tuple[str, ...]:
    """The codes that a list, or a text with commas or spaces between them, names, each once."""
    found = re.findall(r"[^\s,，、;；]+", value) if isinstance(value, str) else value or ()
    return tuple(dict.fromkeys(str(code) for code in cast("Iterable[object]", found)))


def conditions(call: Call) -> dict[str, str]:
    """What `flow.where` asks of customers, by column; a value may be the name of a variable or parameter.

    A variable that is null asks nothing.
    """
    found = {}
    for part in filter(str.strip, call.properties.get("flow.where", "").split(",")):
        name, _, value = (each.strip() for each in part.partition("="))
        wanted = call.variables.get(value, call.parameters.get(value, value))
        if wanted is not None:
            found[name] = str(wanted)
    return found


@handlers.verify
@asks_for({SURVEYOR: "参与调查人员", ASSISTANT: "客服助理"})
def everyone_allocated(call: Call) -> None:
    """Every customer has exactly one surveyor, and who was named may do it."""
    assistant = holds(call, "assistant", call.values.get("assistant"), ASSISTANT)
    if problems := [*_misallocated(call), *assistant]:
        raise Invalid(problems)


@handlers.verify
@asks_for({SURVEYOR: "参与调查人员"})
def sample_allocated(call: Call) -> None:
    """Every customer of the sample has exactly one surveyor, who may do it."""
    if problems := _misallocated(call):
        raise Invalid(problems)


def _misallocated(call: Call) -> list[Problem]:
    parts = call.values.get("parts") or []
    problems = [
        problem
        for place, part in enumerate(parts, 1)
        for problem in holds(call, f"parts.{place}.surveyor", part["surveyor"], SURVEYOR)
    ]
    try:
        allocation(len(rounds.roster(call.conn, current(call).id)), parts)
    except Invalid as error:
        problems += error.problems
    return problems


@handlers.inside
def assign(call: Call) -> Values:
    """Writes down who surveys whom, and makes the allocation list."""
    found = current(call)
    size = len(rounds.roster(call.conn, found.id))
    rounds.assign(call.conn, found.id, allocation(size, call.variables["parts"]))
    rows = [(each.number, each.code, each.surveyor) for each in rounds.roster(call.conn, found.id)]
    return {"$record": {"任务分配表.csv": sheet(("序号", "客户", "调查人员"), rows)}}


@handlers.verify
def customers_known(call: Call) -> None:
    """The customers in a table (`not_issued`: who got no questionnaire; `struck_off`) are on the roster, each once."""
    size = rounds.progress(call.conn, current(call)).members
    if problems := [
        each for name in _TABLES for each in misnumbered(name, call.values.get(name) or [], size)
    ]:
        raise Invalid(problems)


def misnumbered(table: str, rows: Sequence[Mapping[str, Any]], size: int) -> Iterator[Problem]:
    """What is wrong with the numbers in a table of customers, where the roster has so many."""
    seen: set[int] = set()
    for place, row in enumerate(rows, 1):
        number = row["number"]
        if number > size:
            yield Problem(f"{table}.{place}.number", "The roster goes from 1 to {size}", {"size": size})
        elif number in seen:
            template = "Customer {number} stands here twice"
            yield Problem(f"{table}.{place}.number", template, {"number": number})
        seen.add(number)


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
    ledger.issue(
        call.conn,
        found,
        without,
        by=call.by,
        today=date.fromisoformat(call.today),
        now=call.now,
        channel=channel,
        rest=rest is not False,
    )
    members = rounds.roster(call.conn, found.id)
    rows = [
        (
            *(each.number, each.code, each.surveyor),
            _NOT_ISSUED.get(each.disposition, "未发放") if each.issued_on is None else "已发放",
            *("" if each.issued_on is None else ledger.CHANNELS.get(each.channel or "", ""), each.issued_on),
        )
        for each in members
    ]
    head = ("序号", "客户", "调查人员", "发放情况", "渠道", "发放日期")
    issued = sum(each.issued_on is not None for each in members)
    return {"issued": issued, "$record": {"问卷发放记录.csv": sheet(head, rows)}}


def channel_of(call: Call) -> str:
    """The way that `flow.channel` names, itself or by a variable. Raises `EngineError` for one that there is not."""
    named = call.properties.get("flow.channel", "paper").strip()
    channel = str(call.variables.get(named) or ("paper" if named == "channel" else named))
    if channel not in ledger.CHANNELS:
        known = {"element": call.element, "channel": channel, "known": ", ".join(ledger.CHANNELS)}
        raise EngineError("{element} knows no channel {channel}; there are {known}", **known)
    return channel


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


def asked(call: Call) -> str:
    """Which questionnaire a step is about: `flow.questionnaire`, a form's id, or the variable or parameter with it."""
    named = call.properties.get("flow.questionnaire", "questionnaire").strip()
    return str(call.variables.get(named, call.parameters.get(named, named)))


def part_of(call: Call) -> str | None:
    """Which round of several a step is about: `flow.part`, a name or the variable with it, else `round_part`."""
    named = call.properties.get("flow.part", "round_part").strip()
    value = call.variables.get(named, None if named == "round_part" else named)
    return None if value is None else str(value)


def addressed(found: rounds.Round) -> str:
    """How a command is told which round: `SV-12`, or `SV-12 --part inpatients`."""
    return f"{label(found.instance)} --part {found.part}" if found.part else label(found.instance)


def current(call: Call) -> rounds.Round:
    """The round that a step is about. Raises `NotFound`, and `Conflict` when it is not said which."""
    return rounds.round_of(call.conn, call.root, part_of(call))


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
    """A problem unless the person holds the role in the unit, or whichever the caller of the process has for it."""
    conn, role = cast(Connection, call.conn), call.role(role)
    try:
        rights = rights_of(conn, str(person), date.fromisoformat(call.today))
    except NotFound as unknown:
        return [Problem(field, unknown.template, unknown.params)]
    if rights.holder(role, units_above(conn, call.unit)) is not None:
        return []
    params: Mapping[str, object] = {"person": person, "role": role, "unit": call.unit}
    return [Problem(field, "{person} does not hold the role {role} in unit {unit}", params)]
