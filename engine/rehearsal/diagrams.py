"""A diagram run by itself, for process owners' tests and ours: private database in memory, virtual clock.

What runs is the engine itself, through the same `app.do`; only the clock, the database and the people are made
up. Open user tasks are completed at once, time moves on to whatever is due next.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, wraps
from json import dumps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select

from engine.app import App
from engine.bootstrap import Subject, open_app
from engine.bpmn.diagram import PERSON_TASKS, Diagram, Node
from engine.bpmn.environment import BpmnError
from engine.bpmn.process import ProcessSpec
from engine.bpmn.reader import read
from engine.bpmn.rules.properties import HANDLED
from engine.bpmn.state import variables as variables_of
from engine.calendar.tables import CalendarTable
from engine.check import check_diagram
from engine.check.steps import unsaid
from engine.clock import VirtualClock
from engine.commands import instances
from engine.commands.environment import BUILT_IN
from engine.config import Workspace, shipped
from engine.decisions import read_decisions
from engine.errors import EngineError, Finding, Misbuilt
from engine.handlers import Handler, Handlers, Kind
from engine.model import SYSTEM
from engine.procedures import bundle_hash
from engine.procedures.packing import pack
from engine.rehearsal.playing import END, PEOPLE, START, Progress, Stage, play
from engine.rehearsal.waiting import Wait, waits
from engine.rehearsal.watching import Watch
from engine.store import tables
from engine.store.connect import Store, open_store
from engine.strict_yaml import load

log = logging.getLogger("satisflow")

ZONE = ZoneInfo("Asia/Shanghai")
_UNIT = "rehearsal"
_REHEARSE_WHOLE = "With its functions it runs in a rehearsal of its procedure: `flow rehearse CODE`"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What became of the process that was rehearsed."""

    visited: tuple[str, ...]
    """Element ids in the order they were entered, those of called processes and batches included.

    An activity stands once for each time it is done: for each round of a standard loop, and for each instance of a
    multi-instance activity, before what that instance enters. One that has nothing to do stands once.
    """
    variables: Mapping[str, Any]
    ended: str
    """`completed` (by a terminate end event too), `waiting`, `error(CODE)`, or `incident`: also when it came to no
    rest."""
    incidents: tuple[str, ...] = ()
    """Why elements failed, or why it was left as it stood; of one that waits also what stopped the file's others."""
    waits: tuple[Wait, ...] = ()
    """Of one that waits: where, and for what."""
    left: str = ""
    """Of one that waits, and that time alone would lead on: why no more time passed, if not for the horizon."""
    warnings: tuple[Finding, ...] = ()
    """What was entered though it is `incomplete`: elements whose functions were not called, or that name none."""


def run(
    bpmn: bytes | bytearray | memoryview,
    process_id: str,
    variables: dict[str, Any],
    *,
    functions: dict[str, Callable[..., Any]] | None = None,
    also_start: Sequence[str] = (),
    horizon_s: float = 3600.0,
    reload: bool = False,
    decisions: Mapping[str, bytes] | None = None,
    progress: Progress | None = None,
) -> Rehearsal:
    """Run one process of a diagram and say what became of it.

    `functions` are extra callables for its expressions and scripts; what one raises is an incident. Scripts may
    also call `sleep(seconds)` and `throw_error(code)`. `also_start` names other processes of the file to start
    too; those not named begin when a message or signal begins them, those named as though it had come.
    `horizon_s` is how much virtual time may pass. With `reload` the state is read back from the database after
    every step. `decisions` are the decision tables that its business rule tasks name: .dmn files, by file name.
    `progress` is told after every step how far it is.
    Raises Misbuilt for a diagram, or tables, that cannot run faithfully; EngineError for variables that cannot be
    kept as JSON; TypeError and ValueError for other arguments than these.
    """
    if not isinstance(bpmn, (bytes, bytearray, memoryview)):
        raise TypeError(f"bpmn is the diagram's file as bytes, not {type(bpmn).__name__}: read it as such")
    if not (math.isfinite(horizon_s) and horizon_s >= 0):
        raise ValueError(f"horizon_s is {horizon_s}: give a number of seconds from 0")
    if isinstance(also_start, str):
        raise TypeError(f"also_start is a list of ids, not one text: give [{also_start!r}]")
    if taken := sorted({"sleep", *BUILT_IN} & set(functions or ())):
        raise ValueError(f"functions holds {', '.join(taken)}, which scripts have already: call it otherwise")
    bpmn = bytes(bpmn)
    stage = Stage(VirtualClock(START))
    stage.functions |= {name: _guarded(name, function) for name, function in (functions or {}).items()}
    stage.functions["sleep"] = stage.sleep
    decisions = decisions or {}
    known = frozenset((*stage.functions, *BUILT_IN))
    findings = check_diagram(bpmn, functions=known, tables=read_decisions(decisions))
    if findings:
        raise Misbuilt(findings)
    diagram = read(bpmn)
    processes = (*dict.fromkeys(name for name in also_start if name != process_id), process_id)
    for name in processes:
        if name not in diagram.processes:
            template, remedy = "The file has no such process", "Name one of {known}"
            params = {"known": ", ".join(diagram.processes)}
            raise Misbuilt([Finding("error", "", name, template, remedy, params)])
    watch = Watch(diagram, functions or {}, reload=reload)
    with TemporaryDirectory(prefix="rehearsal-") as folder, open_store("sqlite://") as store:
        app = _app(stage, store, Path(folder), reload)
        app.registry.include(_nothing_done(diagram))
        app.witness = watch
        _lay_out(app, bpmn, decisions, diagram, processes)
        for place, name in enumerate(processes):
            given = variables if name == process_id else {}
            command = instances.Start(by=SYSTEM, procedure=f"rehearsal-{place}", unit=_UNIT, variables=given)
            number = app.do(command).value
        horizon = timedelta(seconds=min(horizon_s, (END - START).total_seconds()))
        restless = play(app, stage, watch, START + horizon, progress or (lambda _, __: None))
        return _outcome(app, diagram, number, watch, restless)


def _guarded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, its bugs incidents at the element that called it, however the step was run."""

    @wraps(function)
    def guarded(*args: Any, **named: Any) -> Any:
        try:
            return function(*args, **named)
        except (EngineError, BpmnError):
            raise
        except Exception as bug:
            log.exception("function %s", name)
            template = "Function {name} failed: {kind}: {reason}"
            raise EngineError(template, name=name, kind=type(bug).__name__, reason=str(bug)) from bug

    return guarded


def _app(stage: Stage, store: Store, folder: Path, reload: bool) -> App:
    """The engine on a database in memory; the records that steps leave go with `folder`."""
    workspace = Workspace(folder, "rehearsal", ZONE, "en", "sqlite://", True, True)
    return open_app(
        workspace,
        (Subject(Handlers()),),
        clock=stage.clock,
        store=store,
        functions=stage.functions,
        slept=lambda: stage.slept,
        paused=(lambda: stage.paused() or True) if reload else stage.paused,
    )


def _named(diagram: Diagram) -> Iterator[tuple[Node, str, Kind]]:
    """The functions of a workspace that the diagram names: a file by itself has none."""
    for process in diagram.processes.values():
        for node in process.nodes.values():
            wanted = [("flow.collection", Kind.COLLECTION)]
            if node.tag in HANDLED:
                wanted.append(("flow.handler", Kind.INSIDE))
            if node.tag in PERSON_TASKS:
                wanted.append(("flow.verify", Kind.VERIFY))
            for name, kind in wanted:
                if function := node.properties.get(name, "").strip():
                    yield node, function, kind


def _nothing_done(diagram: Diagram) -> Handlers:
    """Functions in place of those named: they do nothing, judge nothing, and bring no items."""
    return Handlers(known={name: Handler(name, kind, lambda _: {}, "") for _, name, kind in _named(diagram)})


def _not_called(diagram: Diagram) -> Iterator[Finding]:
    template = "The function {handler} is not called in the rehearsal of a file"
    for node, name, _ in _named(diagram):
        yield Finding("incomplete", "", node.id, template, _REHEARSE_WHOLE, {"handler": name})


def _lay_out(
    app: App, bpmn: bytes, decisions: Mapping[str, bytes], diagram: Diagram, processes: Sequence[str]
) -> None:
    """Keep the diagram as one definition a process, those named first, and the people who do its tasks."""
    roles = {lane.id for process in diagram.processes.values() for lane in process.lanes}
    roles |= {
        node.attributes["candidateGroups"]
        for process in diagram.processes.values()
        for node in process.nodes.values()
        if node.attributes.get("candidateGroups")
    }
    with app.store.write() as conn:
        conn.execute(insert(tables.unit).values(id=_UNIT, name=_UNIT))
        conn.execute(insert(tables.person), [{"id": name, "name": name, "active": True} for name in PEOPLE])
        conn.execute(insert(tables.calendar_table), list(_calendars()))
        for role in sorted(roles):
            conn.execute(insert(tables.role).values(id=role, name=role))
            conn.execute(
                insert(tables.holding), [{"person": name, "role": role, "unit": _UNIT} for name in PEOPLE]
            )
        others = [each.id for each in diagram.processes.values() if each.executable]
        for number, process in enumerate(dict.fromkeys((*processes, *others))):
            name = f"rehearsal-{number}"
            yaml = f"procedure: flow/1\nid: {name}\ntitle: {name}\nprocess: {dumps(process)}\n"
            files = {"procedure.yaml": yaml.encode(), f"{name}.bpmn": bpmn, **decisions}
            conn.execute(
                insert(tables.definition).values(
                    hash=bundle_hash(files), procedure=name, version=1, code=process, title=process,
                    published_at=START, published_by=PEOPLE[0], bundle=pack(files),
                    facts={"process": process, "begins": _begun_by_others(diagram, process, processes)},
                )
            )  # fmt: skip


def _begun_by_others(diagram: Diagram, process: str, named: Sequence[str]) -> bool:
    """Whether messages and signals begin instances of the process.

    Not of one that only an event can begin, and that was named: it was begun as though its event had come.
    """
    spec = ProcessSpec(diagram.processes[process])
    events = [spec.source.nodes[each].events for each in spec.beginnings]
    return process not in named or not all(events)


@cache
def _calendars() -> tuple[dict[str, object], ...]:
    """The shipped working-day tables, as rows."""
    found = []
    for file in sorted((shipped() / "processes" / "calendars").glob("*.yaml")):
        table = CalendarTable.from_document(load(file.read_bytes(), file.name))
        found.append(
            {
                "year": table.year, "status": str(table.status.value), "body": table.to_mapping(),
                "imported_at": START, "imported_by": PEOPLE[0],
            }
        )  # fmt: skip
    return tuple(found)


def _outcome(app: App, diagram: Diagram, number: int, watch: Watch, restless: str | None) -> Rehearsal:
    table = tables.instance
    with app.store.read() as conn:
        row = conn.execute(select(table).where(table.c.id == number)).one()
        known = conn.execute(select(table.c.id, table.c.root_id, table.c.process, table.c.outcome)).all()
        family = {each.id for each in known if number in (each.id, each.root_id)}
        failed = _failed(conn)
        dead = [reason for instance, reason in failed if instance in family]
        visited = watch.way(conn, family)
        waiting = waits(conn, diagram, family) if row.outcome is None else ()
    entered = set(visited)
    # What still goes on elsewhere is no concern of a process that has ended.
    reasons = (*dead, *([restless] if restless and row.outcome is None else ()))
    ended = row.outcome or ("incident" if reasons else "waiting")
    if row.outcome is None:
        others = {each.id: each.process for each in known if each.id not in family}
        uncaught = [
            (each.id, str(EngineError("it ended with {error}, which nothing catches", error=each.outcome)))
            for each in known
            if (each.outcome or "").startswith("error(")
        ]
        reasons += tuple(
            str(EngineError("In the process {process}: {reason}", process=others[instance], reason=reason))
            for instance, reason in (*failed, *uncaught)
            if instance in others
        )
    return Rehearsal(
        visited=visited,
        variables=variables_of(row.state),
        ended="completed" if ended == "terminated" else ended,
        incidents=reasons,
        waits=waiting,
        left=watch.left if ended == "waiting" else "",
        warnings=tuple(each for each in (*unsaid(diagram), *_not_called(diagram)) if each.element in entered),
    )


def _failed(conn: Connection) -> list[tuple[int, str]]:
    """The instance and the reason of every incident."""
    table = tables.job
    query = select(table.c.instance_id, table.c.error).where(tables.DEAD_JOB).order_by(table.c.id)
    return [(row.instance_id, row.error) for row in conn.execute(query)]
