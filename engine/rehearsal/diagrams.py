"""A diagram run by itself, for process owners' tests and ours: private database in memory, virtual clock.

What runs is the engine itself, through the same `app.do`; only the clock, the database and the people are made
up. Open user tasks are completed at once, time moves on to whatever is due next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from json import dumps
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select

from engine.app import App
from engine.bootstrap import Subject, open_app
from engine.bpmn.diagram import Diagram
from engine.bpmn.reader import read
from engine.bpmn.state import variables as variables_of
from engine.calendar.tables import CalendarTable
from engine.check import check_diagram
from engine.clock import VirtualClock
from engine.commands import instances, timers, worklist
from engine.commands.environment import BUILT_IN
from engine.commands.published import pack
from engine.config import Workspace, shipped
from engine.errors import Finding, Misbuilt
from engine.events import Fact
from engine.handlers import Handlers
from engine.model import SYSTEM, Actor
from engine.procedures import bundle_hash
from engine.queries import work
from engine.store import tables
from engine.store.connect import open_store
from engine.strict_yaml import load

START = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
"""When rehearsals begin: a Monday, 09:00 in Shanghai."""
MAX_ACTS = 20_000
"""Acts after which a rehearsal is left as it stands."""
_PEOPLE = ("rehearsal", "rehearsal-2")
"""Two, for steps that ask for a second pair of eyes."""
_UNIT = "rehearsal"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What became of the process that was rehearsed."""

    visited: tuple[str, ...]
    """Element ids in the order they were entered, those of called processes and batches included."""
    variables: Mapping[str, Any]
    ended: str
    """`completed`, `terminated`, `waiting`, `error(CODE)` or `incident`."""
    incidents: tuple[str, ...] = ()
    """Why elements failed."""


@dataclass(slots=True)
class _Stage:
    """The made-up world of one rehearsal."""

    clock: VirtualClock
    slept: bool = False
    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def sleep(self, seconds: float) -> None:
        """For scripts: virtual time passes; what falls due meanwhile fires after the script."""
        self.clock.advance(seconds=float(seconds))
        self.slept = True

    def paused(self) -> bool:
        slept, self.slept = self.slept, False
        return slept


def run(
    bpmn: bytes,
    process_id: str,
    variables: dict[str, Any],
    *,
    functions: dict[str, Callable[..., Any]] | None = None,
    also_start: Sequence[str] = (),
    horizon_s: float = 3600.0,
    reload: bool = False,
) -> Rehearsal:
    """Run one process of a diagram and say what became of it.

    `functions` are extra callables for its scripts, which may also call `sleep(seconds)` and
    `throw_error(code)`. `also_start` names other processes of the file to start too; `horizon_s` is how much
    virtual time may pass. With `reload` the state is read back from the database after every step.
    Raises Misbuilt for a diagram that cannot run faithfully.
    """
    stage = _Stage(VirtualClock(START), functions=dict(functions or {}))
    stage.functions["sleep"] = stage.sleep
    findings = check_diagram(bpmn, functions=frozenset((*stage.functions, *BUILT_IN)))
    if findings:
        raise Misbuilt(findings)
    diagram = read(bpmn)
    processes = (*also_start, process_id)
    for name in processes:
        if name not in diagram.processes:
            known = ", ".join(diagram.processes)
            raise Misbuilt(
                [
                    Finding(
                        "error",
                        "",
                        name,
                        "The file has no such process",
                        "Name one of {known}",
                        {"known": known},
                    )
                ]
            )
    app = _app(stage, reload)
    visited: list[tuple[int, str]] = []
    app.witness = lambda fact: visited.extend(_path(fact))
    with app.store:
        _lay_out(app, bpmn, diagram, processes)
        for place, name in enumerate(processes):
            given = variables if name == process_id else {}
            command = instances.Start(
                by=Actor(_PEOPLE[0]), procedure=f"rehearsal-{place}", unit=_UNIT, variables=given
            )
            number = app.do(command).value
        _play(app, stage, START + timedelta(seconds=horizon_s))
        return _outcome(app, number, visited)


def _path(fact: Fact) -> list[tuple[int, str]]:
    if fact.kind != "instance.moved" or fact.instance is None:
        return []
    path = fact.facts["path"]
    return [(fact.instance, element) for element in path] if isinstance(path, list) else []


def _app(stage: _Stage, reload: bool) -> App:
    """The engine on a database in memory, with two people who may do everything."""
    workspace = Workspace(
        Path("rehearsal"), "rehearsal", ZoneInfo("Asia/Shanghai"), "en", "sqlite://", True, True
    )
    return open_app(
        workspace,
        (Subject(Handlers()),),
        clock=stage.clock,
        store=open_store("sqlite://"),
        functions=stage.functions,
        paused=(lambda: True) if reload else stage.paused,
    )


def _lay_out(app: App, bpmn: bytes, diagram: Diagram, processes: Sequence[str]) -> None:
    """Keep the diagram as one definition a process, and the people who do its tasks."""
    roles = {lane.id for process in diagram.processes.values() for lane in process.lanes}
    roles |= {
        node.attributes["candidateGroups"]
        for process in diagram.processes.values()
        for node in process.nodes.values()
        if node.attributes.get("candidateGroups")
    }
    with app.store.write() as conn:
        conn.execute(insert(tables.unit).values(id=_UNIT, name=_UNIT))
        conn.execute(insert(tables.person), [{"id": name, "name": name, "active": True} for name in _PEOPLE])
        conn.execute(insert(tables.calendar_table), list(_calendars()))
        for role in sorted(roles):
            conn.execute(insert(tables.role).values(id=role, name=role))
            conn.execute(
                insert(tables.holding), [{"person": name, "role": role, "unit": _UNIT} for name in _PEOPLE]
            )
        for number, process in enumerate(processes):
            name = f"rehearsal-{number}"
            yaml = f"procedure: flow/1\nid: {name}\ntitle: {name}\nprocess: {dumps(process)}\n"
            files = {"procedure.yaml": yaml.encode(), f"{name}.bpmn": bpmn}
            conn.execute(
                insert(tables.definition).values(
                    hash=bundle_hash(files), procedure=name, version=1, code=process, title=process,
                    published_at=START, published_by=_PEOPLE[0], bundle=pack(files), facts={"process": process},
                )
            )  # fmt: skip


@cache
def _calendars() -> tuple[dict[str, object], ...]:
    """The shipped working-day tables, as rows."""
    found = []
    for file in sorted((shipped() / "processes" / "calendars").glob("*.yaml")):
        table = CalendarTable.from_document(load(file.read_bytes(), file.name))
        found.append(
            {
                "year": table.year, "status": str(table.status.value), "body": table.to_mapping(),
                "imported_at": START, "imported_by": _PEOPLE[0],
            }
        )  # fmt: skip
    return tuple(found)


def _play(app: App, stage: _Stage, end: datetime) -> None:
    """Do everything that can be done, and let time pass to the next thing due, until nothing is left."""
    for _ in range(MAX_ACTS):
        app.settle()
        if app.do(timers.FireTimers(by=SYSTEM)).value:
            continue
        if _complete_one(app):
            continue
        with app.store.read() as conn:
            due = work.next_due(conn)
        if due is None or due > end:
            return
        stage.clock.move_to(max(due, stage.clock.now()))


def _complete_one(app: App) -> bool:
    table = tables.user_task
    with app.store.read() as conn:
        row = conn.execute(
            select(table.c.id, table.c.excluded)
            .join(tables.instance, tables.instance.c.id == table.c.instance_id)
            .where(tables.OPEN_WORK, tables.instance.c.status == "running")
            .order_by(table.c.opened_at, table.c.instance_id, table.c.id)
            .limit(1)
        ).one_or_none()
    if row is None:
        return False
    taken = {person for person, _ in row.excluded or ()}
    person = next((name for name in _PEOPLE if name not in taken), _PEOPLE[0])
    app.do(worklist.Complete(by=Actor(person), task=row.id, values={}))
    return True


def _outcome(app: App, number: int, visited: Sequence[tuple[int, str]]) -> Rehearsal:
    table, job = tables.instance, tables.job
    with app.store.read() as conn:
        row = conn.execute(select(table).where(table.c.id == number)).one()
        family = {
            each.id
            for each in conn.execute(select(table.c.id, table.c.root_id))
            if number in (each.id, each.root_id)
        }
        dead = (
            conn.execute(
                select(job.c.error)
                .where(job.c.status == "dead", job.c.instance_id.in_(family))
                .order_by(job.c.id)
            )
            .scalars()
            .all()
        )
    ended = row.outcome or ("incident" if dead else "waiting")
    return Rehearsal(
        visited=tuple(element for instance, element in visited if instance in family),
        variables=variables_of(row.state),
        ended=ended,
        incidents=tuple(dead),
    )
