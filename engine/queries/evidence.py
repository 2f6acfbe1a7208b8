"""Evidence: clause by clause, what shows that an instance did what the source document requires, or did not.

The clauses are those of the definition that the instance runs. What fulfils a clause are its elements, those of a
lane, or, where it names rules only, the elements at which the rules stand. Whatever such an element called, or
opened for each item of a list, counts as its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, or_, select

from engine.bpmn.diagram import Node, Process
from engine.forms.form import Text
from engine.model import label
from engine.procedures import Clause, Procedure
from engine.queries import history, records
from engine.queries.definitions import Library
from engine.queries.history import Line
from engine.queries.instances import WHOLE, Step, find, steps_of
from engine.queries.records import Filed, FileState, state_of
from engine.store.tables import ARMED_TIMER, batch, deadline, instance, subscription, timer

_FUNCTIONS = ("flow.handler", "flow.verify", "flow.collection")
_OVER = ("completed", "cancelled", "failed")


@dataclass(frozen=True, slots=True)
class Promise:
    """A due date, and what became of it: armed, met, missed or cancelled."""

    instance: str
    element: str
    task: str | None
    name: str
    rule: str
    due_at: datetime
    due_day: str
    status: str
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Paper:
    """A record that was filed, and whether its file still is what was filed."""

    record: Filed
    file: FileState


@dataclass(frozen=True, slots=True)
class Evidence:
    """What shows whether an instance fulfilled a clause."""

    clause: str
    level: str
    statement: Text
    status: str
    """done; late: done, but a deadline was missed; open; overdue: open after its due date; not yet: nothing of it was
    reached; bypassed: nor will it be, for the instance has ended; withdrawn: it was reached, and ended before it was
    done; nothing runs: the clause names nothing that does."""
    reached: tuple[str, ...]
    """Its elements that the instance came to."""
    unreached: tuple[str, ...]
    tasks: tuple[Step, ...]
    deadlines: tuple[Promise, ...]
    records: tuple[Paper, ...]
    journal: tuple[Line, ...]


@dataclass(slots=True)
class _Known:
    """All that is known of an instance and of what it called."""

    number: int
    process: Process
    """The main process of the diagram."""
    processes: Sequence[Process]
    over: bool
    own: set[str]
    """The instances of the same definition; an element's id means the same in them."""
    called: Mapping[str, set[str]]
    """By element: the instances that it called or opened, and those that these called."""
    steps: tuple[Step, ...]
    promises: tuple[Promise, ...]
    papers: tuple[Paper, ...]
    lines: tuple[Line, ...]
    waiting: set[str]
    """Elements at which the instance stands."""
    passed: set[str] = field(default_factory=set)
    """Elements, and flows between them, that the instance came to."""


def evidence(
    conn: Connection, library: Library, number: int, now: datetime, folder: Path
) -> tuple[Evidence, ...]:
    """The evidence of each clause of an instance's procedure, in their order; `folder` is the workspace.

    Without clauses there is none. Raises NotFound for an unknown instance.
    """
    found = find(conn, number)
    definition = library.find(conn, found.definition)
    procedure = definition.procedure
    known = _known(conn, library, number, found.definition, now, folder)
    return tuple(_judged(known, procedure, clause) for clause in procedure.clauses)


def _known(
    conn: Connection, library: Library, number: int, digest: str, now: datetime, folder: Path
) -> _Known:
    diagram, main = library.find(conn, digest).diagram, library.find(conn, digest).procedure.process
    own, called = _family(conn, number, digest)
    lines = history.of_instance(conn, number)
    known = _Known(
        number=number,
        process=diagram.processes[main],
        processes=[each for each in diagram.processes.values() if each.executable],
        over=find(conn, number).status in _OVER,
        own=own,
        called=called,
        steps=steps_of(conn, number, now),
        promises=tuple(_promises(conn, number)),
        papers=tuple(
            Paper(each, state_of(folder, each.path, each.sha256))
            for each in records.filed(conn, library, number=number)
        ),
        lines=lines,
        waiting=_standing(conn, number, own),
    )
    known.passed = _passed(known)
    return known


def _family(conn: Connection, number: int, digest: str) -> tuple[set[str], dict[str, set[str]]]:
    """The instances of the same definition, and by element those called; parents are older than their children."""
    query = (
        select(instance.c.id, instance.c.parent_id, instance.c.definition, batch.c.element)
        .outerjoin(batch, batch.c.id == instance.c.batch_id)
        .where(instance.c.root_id == number)
        .order_by(instance.c.id)
    )
    own, called = {label(number)}, dict[str, set[str]]()
    for row in conn.execute(query):
        mine, parent = label(row.id), label(row.parent_id)
        for group in called.values():
            if parent in group:
                group.add(mine)
        if parent in own:
            called.setdefault(row.element or "", set()).add(mine)
            if row.definition == digest:
                own.add(mine)
    return own, called


def _ids(number: int) -> Select[tuple[int]]:
    """The instance and all below it."""
    return select(instance.c.id).where(or_(instance.c.id == number, instance.c.root_id == number))


def _promises(conn: Connection, number: int) -> Iterator[Promise]:
    query = select(deadline).where(deadline.c.instance_id.in_(_ids(number))).order_by(deadline.c.id)
    for row in conn.execute(query):
        yield Promise(
            label(row.instance_id), row.element, row.task_id, row.name, row.rule, row.due_at, row.due_day,
            row.status, row.closed_at,
        )  # fmt: skip


def _standing(conn: Connection, number: int, own: set[str]) -> set[str]:
    """The elements of its own at which the instance waits for time, messages, or what they called."""
    found: set[str] = set()
    for table, holds in (
        (timer, (ARMED_TIMER, timer.c.kind == "event")),
        (subscription, ()),
        (batch, (batch.c.status == "active",)),
    ):
        query = select(table.c.element, table.c.instance_id).where(
            table.c.instance_id.in_(_ids(number)), *holds
        )
        found |= {row.element for row in conn.execute(query) if label(row.instance_id) in own}
    return found


def _passed(known: _Known) -> set[str]:
    """The elements on the ways taken, and the flows that lead from one to the next."""
    ways: dict[str, list[str]] = {}
    for line in known.lines:
        if line.chain in known.own:
            if line.kind == "instance.moved":
                ways.setdefault(line.chain, []).extend(line.facts["path"])
            elif line.kind == "batch.opened" and line.subject:
                ways.setdefault(line.chain, []).append(line.subject)
    reached = {each for way in ways.values() for each in way}
    reached |= {each.element for each in known.steps if each.instance in known.own}
    pairs = {pair for way in ways.values() for pair in pairwise(way)}
    for process in known.processes:
        for flow in process.flows.values():
            alone = len(process.nodes[flow.target].incoming) == 1 and flow.target in reached
            if alone or (flow.source, flow.target) in pairs:
                reached.add(flow.id)
    return reached


def _judged(known: _Known, procedure: Procedure, clause: Clause) -> Evidence:
    named = {each: set(_meant(known, each)) for each in clause.elements}
    if not named:
        named = {each: {each} for rule in clause.rules for each in _standing_at(known, procedure, rule)}
    elements = set().union(*named.values())
    whole = known.process.id in elements
    below = set().union(*(known.called.get(each, set()) for each in elements))

    def belongs(where: str, element: str | None) -> bool:
        return where in below or (where in known.own and element in elements)

    tasks = tuple(each for each in known.steps if belongs(each.instance, each.element))
    promises = tuple(
        each
        for each in known.promises
        if belongs(each.instance, each.element)
        or (whole and each.element == WHOLE and each.instance == label(known.number))
    )
    ids = {each.task for each in tasks}
    scheduled = any(each in procedure.schedules for each in (*elements, *clause.rules))
    lines = tuple(
        line
        for line in known.lines
        if line.chain in below
        or line.subject in ids
        or (line.chain in known.own and _about(line, elements, whole=whole, scheduled=scheduled))
    )
    reached = [each for each, meant in named.items() if meant & known.passed or each == known.process.id]
    return Evidence(
        clause=clause.id,
        level=clause.level,
        statement=clause.statement,
        status=_status(known, elements, tasks, promises, bool(reached)),
        reached=tuple(reached),
        unreached=tuple(each for each in named if each not in reached),
        tasks=tasks,
        deadlines=promises,
        records=tuple(each for each in known.papers if belongs(each.record.instance, each.record.element)),
        journal=lines,
    )


def _meant(known: _Known, element: str) -> Iterator[str]:
    """An element; of a lane what stands in it."""
    yield element
    for process in known.processes:
        yield from (node.id for node in process.nodes.values() if node.lane == element)


def _standing_at(known: _Known, procedure: Procedure, rule: str) -> Iterable[str]:
    """The elements at which a rule stands: a function, a record, a form's field, a decision, a schedule."""
    nodes: list[Node] = [node for process in known.processes for node in process.nodes.values()]
    form = rule.partition(".")[0]
    for node in nodes:
        told = {node.properties.get(name, "").strip() for name in (*_FUNCTIONS, "flow.record")}
        decides = node.attributes.get("decisionRef") == rule
        filled = form in procedure.forms and node.attributes.get("formKey") == form
        if rule in told or decides or filled or (rule == node.id and rule in procedure.schedules):
            yield node.id


def _about(line: Line, elements: set[str], *, whole: bool, scheduled: bool) -> bool:
    if line.kind == "instance.moved":
        return bool(elements & set(line.facts["path"]))
    if line.kind == "schedule.fired":
        return scheduled
    if whole and (line.subject == WHOLE or line.kind.startswith("instance.")):
        return True
    return line.subject in elements


def _status(
    known: _Known, elements: set[str], tasks: Sequence[Step], promises: Sequence[Promise], reached: bool
) -> str:
    if not elements:
        return "nothing runs"
    if not reached:
        return "bypassed" if known.over else "not yet"
    missed = any(each.status == "missed" for each in promises)
    finished = any(each.status == "done" for each in tasks) or bool(_left(known) & elements)
    waits = any(each.status in ("open", "claimed") for each in tasks) or bool(known.waiting & elements)
    if (waits or known.process.id in elements) and not known.over:
        return "overdue" if missed or any(each.late and each.closed_at is None for each in tasks) else "open"
    if not finished and known.process.id not in elements:
        return "withdrawn"
    return "late" if missed or any(each.late for each in tasks) else "done"


def _left(known: _Known) -> set[str]:
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
