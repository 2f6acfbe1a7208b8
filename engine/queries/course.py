"""What is known of an instance and of all that it called: the ways taken, tasks, due dates, records, history."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, or_, select

from engine.bpmn import state
from engine.bpmn.diagram import Node, Process
from engine.model import label
from engine.procedures import Procedure
from engine.queries import history, records
from engine.queries.definitions import Library
from engine.queries.history import Line
from engine.queries.instances import Step, find, steps_of, variables
from engine.queries.records import Filed, FileState, state_of
from engine.queries.turns import Turn
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


@dataclass(slots=True)
class Course:
    """All that is known of an instance and of what it called."""

    number: int
    part: bool
    """Whether another instance called it."""
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
    turns: tuple[Turn, ...]
    variables: Mapping[str, Any]
    waiting: set[str]
    """Elements at which the instance stands."""
    ahead: set[str]
    """Elements that it may still come to from there."""
    inside: Mapping[str, str]
    """By called instance: the hash of its definition."""
    at: Callable[[str, str], Collection[str]]
    """The elements of a definition at which a rule stands."""
    passed: set[str] = field(default_factory=set)
    """Elements, and flows between them, that the instance came to."""


def course_of(
    conn: Connection, library: Library, number: int, digest: str, now: datetime, folder: Path
) -> Course:
    """All that is known of an instance of the definition `digest`. Raises NotFound for an unknown one."""
    diagram, main = library.find(conn, digest).diagram, library.find(conn, digest).procedure.process
    own, called, inside = _family(conn, number, digest)

    @cache
    def at(definition: str, rule: str) -> frozenset[str]:
        there = library.find(conn, definition)
        return frozenset(standing_at(_executable(there.diagram.processes.values()), there.procedure, rule))

    lines = history.of_instance(conn, number)
    found = find(conn, number)
    known = Course(
        number=number,
        part=found.parent is not None,
        process=diagram.processes[main],
        processes=_executable(diagram.processes.values()),
        over=found.status in _OVER,
        own=own,
        called=called,
        steps=steps_of(conn, number, now),
        promises=tuple(_promises(conn, number)),
        papers=_papers(folder, records.filed(conn, library, number=number)),
        lines=lines,
        turns=(),
        variables=variables(conn, number),
        waiting=_standing(conn, number, own),
        ahead=set(),
        inside=inside,
        at=at,
    )
    if not known.over:
        tokens = {each.element for each in _places(conn, number)}
        known.waiting |= tokens
        known.ahead = _ahead(known.processes, tokens)
    known.passed = _passed(known)
    return known


def _executable(processes: Iterable[Process]) -> list[Process]:
    return [each for each in processes if each.executable]


def _papers(folder: Path, filed: Sequence[Filed]) -> tuple[Paper, ...]:
    """Each with what became of its file; of several under one path the last one's is there."""
    last = {each.path: each.number for each in sorted(filed, key=lambda each: each.number)}
    return tuple(
        Paper(
            each,
            state_of(folder, each.path, each.sha256)
            if last[each.path] == each.number
            else FileState.REPLACED,
        )
        for each in filed
    )


def _places(conn: Connection, number: int) -> tuple[state.Place, ...]:
    stored = conn.execute(select(instance.c.state).where(instance.c.id == number)).scalar_one()
    return state.places(stored, label(number))


def _ahead(processes: Iterable[Process], tokens: Iterable[str]) -> set[str]:
    """The elements, flows among them, that may still be reached from where tokens stand."""
    nodes = {node.id: node for process in processes for node in process.nodes.values()}
    found, left = set[str](), [each for each in tokens if each in nodes]
    while left:
        node = nodes[left.pop()]
        next_ = [flow.target for flow in node.outgoing]
        next_ += [each.id for each in nodes.values() if node.id in (each.attached_to, each.scope)]
        next_ += [flow.target for flow in nodes[node.scope].outgoing] if node.scope in nodes else []
        found |= {flow.id for flow in node.outgoing}
        left += [each for each in next_ if each not in found]
        found |= set(next_)
    return found


def _family(
    conn: Connection, number: int, digest: str
) -> tuple[set[str], dict[str, set[str]], dict[str, str]]:
    """The instances of the same definition, by element those called, and their definitions.

    Parents are older than their children.
    """
    query = (
        select(instance.c.id, instance.c.parent_id, instance.c.definition, batch.c.element)
        .outerjoin(batch, batch.c.id == instance.c.batch_id)
        .where(instance.c.root_id == number)
        .order_by(instance.c.id)
    )
    own, called, inside = {label(number)}, dict[str, set[str]](), dict[str, str]()
    for row in conn.execute(query):
        mine, parent = label(row.id), label(row.parent_id)
        inside[mine] = row.definition
        for group in called.values():
            if parent in group:
                group.add(mine)
        if parent in own:
            called.setdefault(row.element or "", set()).add(mine)
            if row.definition == digest:
                own.add(mine)
    return own, called, inside


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


def _passed(known: Course) -> set[str]:
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
            # A token at a join came over the only flow of what leads there.
            alone |= (
                flow.target in known.waiting
                and flow.source in reached - known.waiting
                and len(process.nodes[flow.source].outgoing) == 1
            )
            if alone or (flow.source, flow.target) in pairs:
                reached.add(flow.id)
    return reached


def standing_at(processes: Iterable[Process], procedure: Procedure, rule: str) -> Iterator[str]:
    """The elements at which a rule stands: a function, a record, a form's field, a decision, a schedule."""
    nodes: list[Node] = [node for process in processes for node in process.nodes.values()]
    form = rule.partition(".")[0]
    for node in nodes:
        told = {node.properties.get(name, "").strip() for name in (*_FUNCTIONS, "flow.record")}
        decides = node.attributes.get("decisionRef") == rule
        filled = form in procedure.forms and node.attributes.get("formKey") == form
        if rule in told or decides or filled or (rule == node.id and rule in procedure.schedules):
            yield node.id
