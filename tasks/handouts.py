"""Handouts: questionnaires for whoever comes (outpatients, say), counted by department, where no roster says who."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from engine.errors import EngineError, Invalid, Problem
from engine.handlers import Call, Handlers, Values, anything, takes
from survey import ledger, rounds
from survey.agreement import opening
from survey.figures import method as method_called
from survey.tables import answers
from tasks.controlled import listed

handlers = Handlers("handouts")


@handlers.inside
@takes(
    {"flow.questionnaire": anything, "flow.groups": anything},
    {"flow.part": anything, "flow.rate": method_called},
)
def open_round(call: Call) -> Values:
    """Opens an anonymous round without a sample, to hand questionnaires out to whoever comes; sets nothing.

    Properties: `flow.questionnaire`; `flow.groups`, by what answers are grouped, the first of which is what
    questionnaires are counted by; `flow.part`, the round's name where there are several; `flow.rate`.
    """
    found = rounds.open_round(
        call.conn,
        instance=call.root,
        questionnaire=call.properties["flow.questionnaire"],
        now=call.now,
        part=call.properties.get("flow.part", ""),
        groups=listed(call.properties["flow.groups"]),
        method=call.properties.get("flow.rate"),
    )
    if not found.anonymous:
        template = "{questionnaire} is not anonymous: fieldwork.open_round draws whom it is given to"
        raise EngineError(template, questionnaire=found.questionnaire)
    if found.opened_at == call.now:
        call.note("round.opened", opening(found))
    return {}


@handlers.inside
@takes({"flow.table": anything}, {"flow.part": anything})
def register(call: Call) -> Values:
    """Counts what was handed out and collected; sets nothing.

    Properties: `flow.table`, the variable with the rows (`department`, `issued`, `collected`, and `part` where the
    rows are of several rounds); `flow.part`, the round of them all.
    """
    rows = _rows(call.variables.get(call.properties["flow.table"]), call.properties.get("flow.part", ""))
    for part in dict.fromkeys(part for part, _ in rows):
        here = [row for name, row in rows if name == part]
        found = rounds.round_of(call.conn, call.root, part)
        issued, collected = _sum(here, "issued"), _sum(here, "collected")
        ledger.hand_out(call.conn, found, issued, collected)
        facts = {"issued": sum(issued.values()), "collected": sum(collected.values())}
        by_department = {"handed_out": issued, "back": collected}
        call.note("round.handed_out", {"part": part or found.name, **facts, **by_department})
    return {}


@handlers.verify
def counts_fit(call: Call) -> None:
    """In the tables that count questionnaires no department stands twice, and none gives back more than it got.

    Rows without a `part` are of people who answer on the spot: what comes back is part of what the row gives out.
    """
    problems = [
        problem
        for field, rows in call.values.items()
        if _counts(rows)
        for problem in _misfits(call, _rows(rows, ""), field)
    ]
    if problems:
        raise Invalid(problems)


@handlers.verify
def entered(call: Call) -> None:
    """In every department as many answers are in as questionnaires were collected.

    The field `counted_late` has what is counted only now, in rows as for `handouts.register`.
    """
    table = "counted_late"
    rows = _rows(call.values.get(table), "")
    problems = _misfits(call, rows, table)
    for found in rounds.rounds_of(call.conn, call.root):
        more = _sum([row for part, row in rows if part == found.part], "collected")
        collected = Counter(rounds.counted(call.conn, found, rounds.COLLECTED))
        collected.update(more)
        there = answers_by(call, found)
        for name in sorted({*collected, *there}):
            if collected[name] != there[name]:
                template = (
                    "{round}, {group}: {collected} questionnaires were collected, the answers of {entered} are in: "
                    "import the rest with `flow round import`, or count what is missing here"
                )
                params = {
                    "round": found.name,
                    "group": name or "…",
                    "collected": collected[name],
                    "entered": there[name],
                }
                problems.append(Problem(table, template, params))
    if problems:
        raise Invalid(problems)


def answers_by(call: Call, found: rounds.Round) -> Counter[str]:
    """How many answer sets there are in each department (the first of the round's groups)."""
    rows = call.conn.execute(select(answers.c.groups).where(answers.c.round_id == found.id)).scalars()
    return Counter(groups.get(found.groups[0], "") for groups in rows)


def _counts(rows: object) -> bool:
    """Whether the answer is a table that counts questionnaires."""
    columns = {"department", "issued"}
    return isinstance(rows, list) and all(isinstance(row, Mapping) and columns <= row.keys() for row in rows)


def _misfits(call: Call, rows: list[tuple[str, Mapping[str, Any]]], table: str) -> list[Problem]:
    problems = []
    seen: set[tuple[str, str]] = set()
    known = {each.part: each for each in rounds.rounds_of(call.conn, call.root)}
    for place, (part, row) in enumerate(rows, 1):
        name = row["department"]
        if (part, name) in seen:
            problems.append(
                Problem(f"{table}.{place}.department", "{department} stands here twice", {"department": name})
            )
        seen.add((part, name))
        if part and part not in known:
            params = {"part": part, "parts": ", ".join(known)}
            problems.append(
                Problem(f"{table}.{place}.part", "There is no round {part}, but: {parts}", params)
            )
            continue
        issued, collected = (int(row.get(column) or 0) for column in ("issued", "collected"))
        if part:
            issued += rounds.counted(call.conn, known[part], rounds.HANDED_OUT).get(name, 0)
            collected += rounds.counted(call.conn, known[part], rounds.COLLECTED).get(name, 0)
        if collected > issued:
            template = "More came back than were given out: {returned} of {issued}"
            counts = {"returned": collected, "issued": issued}
            problems.append(Problem(f"{table}.{place}.collected", template, counts))
    return problems


def _rows(given: Any, part: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The rows with their part."""
    rows: Iterable[Mapping[str, Any]] = given or []
    return [(str(row.get("part") or part), row) for row in rows]


def _sum(rows: Iterable[Mapping[str, Any]], column: str) -> dict[str, int]:
    found: Counter[str] = Counter()
    for row in rows:
        found[row["department"]] += int(row.get(column) or 0)
    return dict(found)
