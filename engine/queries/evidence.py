"""Evidence: clause by clause, what shows that an instance did what the source document requires, or did not.

The clauses are those of the definition that the instance runs. What fulfils a clause are its elements, those of a
lane, or, where it names rules only, the elements at which the rules stand. Whatever such an element called, or
opened for each item of a list, counts as its own; where a rule stands in what was called, only that part of it does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from engine.errors import EngineError
from engine.forms.form import Text
from engine.model import label
from engine.procedures import Clause, Procedure
from engine.queries.course import Course, Paper, Promise, course_of, standing_at
from engine.queries.definitions import Library
from engine.queries.history import Line
from engine.queries.instances import WHOLE, Step, find
from engine.queries.records import Filed, FileState
from engine.queries.turns import STARTED, Turn, turns_of

_HAD = ("done", "late", "in part")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What shows whether an instance fulfilled a clause."""

    clause: str
    level: str
    statement: Text
    status: str
    """done; late: done, but a deadline was missed; in part: done, and other turns of the year that the clause asks for
    were not had (`turns`); unproven: done, but a file that was to prove it is missing or changed; open; overdue: open
    after its due date; not yet: nothing of it was reached; bypassed: nor will it be, for the instance has ended;
    elsewhere: the instance is a part of another, which answers for it; withdrawn: it was reached, and ended before it
    was done; not met: it was done, and what the clause wants to come of it (`fulfilled`) did not; nothing runs: the
    clause names nothing that does."""
    reached: tuple[str, ...]
    """Its elements that the instance came to."""
    unreached: tuple[str, ...]
    tasks: tuple[Step, ...]
    deadlines: tuple[Promise, ...]
    records: tuple[Paper, ...]
    journal: tuple[Line, ...]
    turns: tuple[Turn, ...] = ()
    """Of a clause that names a schedule: all of the year, of which the instance is at most one."""


def evidence(
    conn: Connection, library: Library, number: int, now: datetime, folder: Path, zone: ZoneInfo
) -> tuple[Evidence, ...]:
    """The evidence of each clause of an instance's procedure, in their order; `folder` is the workspace.

    Without clauses there is none. Raises NotFound for an unknown instance.
    """
    found = find(conn, number)
    definition = library.find(conn, found.definition)
    procedure = definition.procedure
    known = course_of(conn, library, number, found.definition, now, folder)
    known.turns = turns_of(conn, procedure, found, now, zone)
    return tuple(_judged(known, procedure, clause) for clause in procedure.clauses)


def _judged(known: Course, procedure: Procedure, clause: Clause) -> Evidence:
    named = {each: set(_meant(known, each)) for each in clause.elements}
    if not named:
        rules = clause.rules
        named = {each: {each} for rule in rules for each in standing_at(known.processes, procedure, rule)}
    elements = set().union(*named.values())
    whole = known.process.id in elements
    below = set().union(*(known.called.get(each, set()) for each in elements))
    belongs = _belonging(known, clause, elements, below)
    tasks = tuple(each for each in known.steps if belongs(each.instance, each.element))
    promises = tuple(
        each
        for each in known.promises
        if belongs(each.instance, each.element)
        or (whole and each.element == WHOLE and each.instance == label(known.number))
    )
    papers = tuple(each for each in known.papers if belongs(each.record.instance, each.record.element))
    ids = {each.task for each in tasks}
    turns = tuple(each for each in known.turns if each.schedule in (*clause.elements, *clause.rules))
    scheduled = any(each in procedure.schedules for each in (*elements, *clause.rules))
    lines = tuple(
        line
        for line in known.lines
        if line.chain in below
        or line.subject in ids
        or (line.chain in known.own and _about(line, elements, whole=whole, scheduled=scheduled))
    )
    reached = [each for each, meant in named.items() if meant & known.passed or each == known.process.id]
    unreached = tuple(each for each in named if each not in reached)
    status = _status(known, elements, tasks, promises, turns, bool(reached))
    if status in _HAD:
        status = _doubted(known, clause, unreached, papers) or status
    return Evidence(
        clause=clause.id,
        level=clause.level,
        statement=clause.statement,
        status=status,
        reached=tuple(reached),
        unreached=unreached,
        tasks=tasks,
        deadlines=promises,
        records=papers,
        journal=lines,
        turns=turns,
    )


def _belonging(
    known: Course, clause: Clause, elements: set[str], below: set[str]
) -> Callable[[str, str | None], bool]:
    """Whether an element of an instance is the clause's; of what it called, where a rule stands there, that step is."""
    steps = {
        (definition, each)
        for definition in {known.inside[each] for each in below - known.own}
        for rule in clause.rules
        for each in known.at(definition, rule)
    }
    narrowed = {definition for definition, _ in steps}

    def belongs(where: str, element: str | None) -> bool:
        if where in below:
            definition = known.inside[where]
            return definition not in narrowed or (definition, element) in steps
        return where in known.own and element in elements

    return belongs


def _doubted(
    known: Course, clause: Clause, unreached: Collection[str], papers: Sequence[Paper]
) -> str | None:
    """Why what was done is not all that the clause wants."""
    if known.ahead.intersection(unreached):
        return "open"
    if not _came_of_it(clause, known.variables):
        return "not met"
    if any(each.file in (FileState.MISSING, FileState.CHANGED) for each in papers):
        return "unproven"
    return None


def _meant(known: Course, element: str) -> Iterator[str]:
    """An element; of a lane what stands in it."""
    yield element
    for process in known.processes:
        yield from (node.id for node in process.nodes.values() if node.lane == element)


def _came_of_it(clause: Clause, variables: Mapping[str, Any]) -> bool:
    """Whether what the clause wants is true; what cannot be judged for want of a variable is not called untrue."""
    if clause.fulfilled is None:
        return True
    try:
        return clause.fulfilled.evaluate(variables, {}) is not False
    except EngineError:
        return True


def _about(line: Line, elements: set[str], *, whole: bool, scheduled: bool) -> bool:
    if line.kind == "instance.moved":
        return bool(elements & set(line.facts["path"]))
    if line.kind == "schedule.fired":
        return scheduled
    if whole and (line.subject == WHOLE or line.kind.startswith("instance.")):
        return True
    return line.subject in elements


def _status(
    known: Course, elements: set[str], tasks: Sequence[Step], promises: Sequence[Promise], turns: Sequence[Turn],
    reached: bool,
) -> str:  # fmt: skip
    if not elements:
        return "nothing runs"
    if not reached:
        return "elsewhere" if known.part else "bypassed" if known.over else "not yet"
    missed = [each for each in promises if each.status == "missed"]
    finished = any(each.status == "done" for each in tasks) or bool(_left(known) & elements)
    waits = any(each.status in ("open", "claimed") for each in tasks) or bool(known.waiting & elements)
    if (waits or known.process.id in elements) and not known.over:
        owed = any(each.task is None and each.element in (WHOLE, *known.waiting) for each in missed)
        return "overdue" if owed or any(each.late and each.closed_at is None for each in tasks) else "open"
    if not finished and known.process.id not in elements:
        return "withdrawn" if known.over or not known.ahead & elements else "open"
    if missed or any(each.late for each in tasks):
        return "late"
    return "in part" if len(turns) > 1 and any(each.status not in STARTED for each in turns) else "done"


def _left(known: Course) -> set[str]:
    """The elements that the instance came to and went on from, or ended at."""
    return {
        node.id
        for process in known.processes
        for node in process.nodes.values()
        if node.id in known.passed
        and (not node.outgoing or any(flow.id in known.passed for flow in node.outgoing))
    } | {flow for process in known.processes for flow in process.flows if flow in known.passed}


def plain(found: Evidence) -> dict[str, Any]:
    """As JSON has it: records with the state of their files."""
    return {
        **{name: getattr(found, name) for name in Evidence.__slots__ if name != "records"},
        "records": [
            {name: getattr(each.record, name) for name in Filed.__slots__} | {"file": each.file}
            for each in found.records
        ],
    }
