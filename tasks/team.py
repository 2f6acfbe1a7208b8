"""The team of one survey: appointed by name for it, each member with customers of their own, all of them covered.

The variables `leader`, `members` (a table with the column `member`) and `parts` (who surveys which numbers) come from
forms; whoever is named has to hold the role besides, so that nobody works without a right of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import cast

from sqlalchemy import Connection, select

from engine.errors import Invalid, NotFound, Problem
from engine.handlers import Call, Handlers, Values, asks_for
from engine.model import label
from engine.store import tables
from engine.store.organisation import person_names, rights_of
from survey import draws, ledger, rounds
from survey.figures import percent
from survey.figures.shape import shape_of
from survey.ledger import FINAL, RETURNED
from survey.numbering import allocation, ranges
from survey.questionnaires import published, questionnaire_of
from survey.rounds import Member, Round
from tasks import ledgers
from tasks.appointments import all_hold, holds
from tasks.controlled import books

handlers = Handlers("team")

LEADER, MEMBER, SUPPORT = "team_leader", "team_member", "frontline_support"
"""The roles of those who may lead a survey, survey, and report of calls to customers."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of those who have to be reached are done with."""

    frame: int
    """Members of the round, and who was left out of its census."""
    settled: int
    """With a final disposition (AAPOR): answered, refused, not reached, not eligible."""
    open: tuple[int, ...]
    """The numbers of the others."""
    left_out: int

    @property
    def complete(self) -> bool:
        """Everybody has a final disposition; judged on counts."""
        return self.settled == self.frame

    @property
    def rate(self) -> str:
        """As printed."""
        return percent(Fraction(self.settled, self.frame)) if self.frame else "—"


@handlers.inside
def once(call: Call) -> Values:
    """Looks whether the unit has begun this survey before in the same calendar year; sets `already`, empty if not.

    One that was cancelled or failed does not count. A second is entered in the history as a warning, and goes on.
    """
    table = tables.instance
    rows = call.conn.execute(
        select(table.c.id, table.c.started_at)
        .where(
            table.c.procedure == call.procedure,
            table.c.unit == call.unit,
            table.c.id != call.root,
            table.c.parent_id.is_(None),
            table.c.status.not_in(("cancelled", "failed")),
        )
        .order_by(table.c.id)
    )
    year = call.today[:4]
    same = [label(row.id) for row in rows if f"{row.started_at.astimezone(call.zone).year}" == year]
    if not same:
        return {"already": ""}
    call.note(
        "timetable.warned", {"reason": "a second survey in the same year", "earlier": same, "year": year}
    )
    return {"already": f"本单位{year}年度已有此项调查（{'、'.join(same)}），本次为重复调查。"}


@handlers.verify
@asks_for({LEADER: "满意度调查组长", MEMBER: "满意度调查小组成员", SUPPORT: "一线支持"})
def appointed(call: Call) -> None:
    """Leader and members hold their roles, nobody is named twice, and reports come from first-line support."""
    problems = holds(call, "leader", call.values.get("leader"), LEADER)
    problems += all_hold(call, "members", "member", MEMBER, once=True)
    problems += all_hold(call, "callback_reports", "reported_by", SUPPORT)
    if problems:
        raise Invalid(problems)


@handlers.verify
def everyone_allocated(call: Call) -> None:
    """Every customer has exactly one surveyor, who is of the team, and the census leaves nobody out."""
    found = rounds.round_of(call.conn, call.root)
    parts = call.values.get("parts") or []
    team = {row["member"] for row in call.variables.get("members") or []}
    problems = [
        Problem(
            f"parts.{place}.surveyor", "{person} was not appointed to the team", {"person": part["surveyor"]}
        )
        for place, part in enumerate(parts, 1)
        if part["surveyor"] not in team
    ]
    try:
        allocation(len(rounds.roster(call.conn, found.id)), parts)
    except Invalid as error:
        problems += error.problems
    if left_out := _left_out(call, found):
        template = (
            "The census leaves {count} customers out: take their exclusion back on the roster, then draw again with "
            "`flow round draw {label} --again REASON`"
        )
        problems.append(Problem("parts", template, {"count": left_out, "label": call.label}))
    if problems:
        raise Invalid(problems)


@handlers.collection
def workloads(call: Call) -> Iterable[object]:
    """The members who have customers to survey: surveyor, customers (numbers), count.

    In a further pass, those whom the variable `redo` names, and whoever has customers without a final disposition.
    """
    again = {row["surveyor"] for row in call.variables.get("redo") or []}
    for surveyor, members in _by_surveyor(call).items():
        if not again or surveyor in again or not all(map(_settled, members)):
            numbers = [each.number for each in members]
            yield {"surveyor": surveyor, "customers": ranges(numbers), "count": len(numbers)}


@handlers.verify
def own_settled(call: Call) -> None:
    """Whoever reports is the member named, and all their customers have a final disposition."""
    surveyor = str(call.variables["surveyor"])
    rights = rights_of(cast("Connection", call.conn), call.who or call.by, date.fromisoformat(call.today))
    if not rights.represents(surveyor):
        template = "These customers were given to {surveyor}; only they, or a substitute, can report on them"
        raise Invalid([Problem("forms_handed_in", template, {"surveyor": surveyor})])
    found = coverage_of(call, surveyor)
    problems = []
    if not found.complete:
        template = (
            "{settled} of {total} customers have a final disposition ({rate}); open are numbers {open}. Enter answers "
            "with `flow round import`, and who refused or was not reached with `flow round log`"
        )
        params = {
            "settled": found.settled,
            "total": found.frame,
            "rate": found.rate,
            "open": ranges(found.open),
        }
        problems.append(Problem("forms_handed_in", template, params))
    there = _by_surveyor(call)
    returned = sum(each.disposition in RETURNED for each in there.get(surveyor, ()))
    if call.values.get("forms_handed_in") != returned:
        template = "{said} forms are handed in, but the answers of {returned} customers are in"
        params = {"said": call.values.get("forms_handed_in"), "returned": returned}
        problems.append(Problem("forms_handed_in", template, params))
    if problems:
        raise Invalid(problems)


@handlers.inside
def progress(call: Call) -> Values:
    """How far the member `surveyor` is: sets `forms_in`, `customers_settled`, `customers_count` and `done_rate`."""
    surveyor = str(call.variables["surveyor"])
    found = coverage_of(call, surveyor)
    there = _by_surveyor(call)
    return {
        "forms_in": sum(each.disposition in RETURNED for each in there.get(surveyor, ())),
        "customers_settled": found.settled,
        "customers_count": found.frame,
        "done_rate": found.rate,
    }


@handlers.inside
def coverage(call: Call) -> Values:
    """How far the census is, and the ledger of whom was contacted when.

    Sets `coverage_frame`, `coverage_settled`, `coverage_rate` and `coverage_text`.
    """
    found = coverage_of(call)
    current = rounds.round_of(call.conn, call.root)
    drift = draws.drift(call.conn, current)
    text = f"应覆盖{found.frame}个客户，已有最终结果{found.settled}个，覆盖率{found.rate}。"
    if drift.joined:
        text += f"名单生成后新增客户{drift.joined}个，列入下次普查。"
    entered = ledger.lines(call.conn, current)
    names = person_names(cast(Connection, call.conn), {line.recorded_by for line in entered})
    return {
        "coverage_frame": found.frame,
        "coverage_settled": found.settled,
        "coverage_rate": found.rate,
        "coverage_text": text,
        "$record": books(call, [ledgers.of_entries(entered, names)]),
    }


@handlers.verify
def everyone_covered(call: Call) -> None:
    """The forms are accepted only once every customer has a final disposition; sent back, they name surveyors."""
    if call.values.get("forms_verdict") == "accept":
        found = coverage_of(call)
        if not found.complete:
            template = (
                "Coverage is {rate}: {settled} of {frame} customers have a final disposition. Send it back"
            )
            params = {"rate": found.rate, "settled": found.settled, "frame": found.frame}
            raise Invalid([Problem("forms_verdict", template, params)])
        return
    known = _by_surveyor(call)
    problems = [
        Problem(f"redo.{place}.surveyor", "{person} has no customers to survey", {"person": row["surveyor"]})
        for place, row in enumerate(call.values.get("redo") or [], 1)
        if row["surveyor"] not in known
    ]
    if problems:
        raise Invalid(problems)


def coverage_of(call: Call, surveyor: str | None = None) -> Coverage:
    """The coverage of the round, or of one member's customers."""
    found = rounds.round_of(call.conn, call.root)
    members = [
        each for each in rounds.roster(call.conn, found.id) if surveyor is None or each.surveyor == surveyor
    ]
    left_out = _left_out(call, found) if surveyor is None else 0
    still_open = tuple(each.number for each in members if not _settled(each))
    return Coverage(len(members) + left_out, len(members) - len(still_open), still_open, left_out)


def _settled(each: Member) -> bool:
    return each.disposition in (*RETURNED, *FINAL)


def _left_out(call: Call, found: Round) -> int:
    """Active customers whom the draw did not take in."""
    try:
        drawn = draws.drawn(call.conn, found)
    except NotFound:  # listed before draws were kept
        return 0
    excluded = sum(number for reason, number in drawn.left_out.items() if reason != "left")
    return excluded + drawn.population - drawn.size


def _by_surveyor(call: Call) -> dict[str, list[Member]]:
    found: dict[str, list[Member]] = {}
    for each in rounds.roster(call.conn, rounds.round_of(call.conn, call.root).id):
        found.setdefault(each.surveyor or "", []).append(each)
    return found


@handlers.verify
def plan_asked(call: Call) -> None:
    """Every item of the plan is asked about in the questionnaire (as published last), which has an overall item and two
    rated ones."""
    form = questionnaire_of(call.conn, published(call.conn, call.procedure), "questionnaire")
    shape = shape_of(form)
    known = {group.field.id for group in shape.groups}
    problems = []
    if missing := [each for each in call.values.get("survey_items") or () if each not in known]:
        template = "The questionnaire has no question on {items}: add one to it, or take them out of the plan"
        problems.append(Problem("survey_items", template, {"items": ", ".join(missing)}))
    if shape.overall is None or shape.rated < 3:
        template = "The questionnaire needs two rated items and one that asks for the overall judgement"
        problems.append(Problem("survey_items", template))
    if problems:
        raise Invalid(problems)
