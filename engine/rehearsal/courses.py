"""A procedure's scenarios played: what happened is held against what scenarios.yaml expects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select

from engine.app import App
from engine.bootstrap import Subject, open_app
from engine.bpmn.reader import read
from engine.bpmn.state import variables
from engine.clock import VirtualClock
from engine.commands import calendars, definitions, instances, organisation, schedules, worklist
from engine.commands.core import Command
from engine.commands.deadlines import WHOLE as WHOLE_ELEMENT
from engine.config import Workspace, shipped
from engine.errors import Conflict, Denied, EngineError, Invalid
from engine.model import SYSTEM, Actor, label
from engine.procedures import Procedure
from engine.queries import work
from engine.rehearsal.orders import command_of
from engine.scenarios import WHOLE, Act, Look, Order, Scenario, Stage
from engine.scheduler import tick
from engine.store import tables
from engine.store.connect import open_store
from engine.store.journal import instance_chain
from engine.store.verify import verify
from engine.strict_yaml import Document, load

ZONE = ZoneInfo("Asia/Shanghai")
"""The zone in which scenarios are written."""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a scenario."""

    scenario: str
    deviations: tuple[str, ...]
    """Where it differs from what was expected; empty when it came as written."""
    timeline: tuple[tuple[datetime, str], ...]
    """What happened, in local time, in plain words."""

    @property
    def as_expected(self) -> bool:
        """Whether nothing differs."""
        return not self.deviations


@contextmanager
def staged(
    procedure: Procedure,
    stage: Stage,
    begin: datetime,
    folder: Path,
    subjects: tuple[Subject, ...],
    *,
    database: str = "sqlite://",
    others: Sequence[Procedure] = (),
) -> Iterator[App]:
    """The engine with the stage's organisation, the shipped working-day tables and the procedure published.

    `begin` is local time; `others` are procedures that it calls. Raises Misbuilt when one cannot be published.
    """
    workspace = Workspace(folder, "rehearsal", ZONE, "zh", database, False, True)
    clock = VirtualClock(begin.replace(tzinfo=ZONE))
    app = open_app(workspace, subjects, clock=clock, store=open_store(database, upgrade=True))
    with app.store:
        _set_up(app, procedure, stage, others)
        yield app


def play(
    procedure: Procedure,
    stage: Stage,
    scenario: Scenario,
    subjects: tuple[Subject, ...],
    others: Sequence[Procedure] = (),
) -> Played:
    """Play one scenario from its start to its end, in a world of its own."""
    with (
        TemporaryDirectory(prefix="flow-rehearsal-") as folder,
        staged(procedure, stage, scenario.begin.at, Path(folder), subjects, others=others) as app,
    ):
        return Player(app, procedure, stage, scenario).play()


@dataclass(slots=True)
class Player:
    """Plays one scenario on an engine that is set up for it.

    What goes otherwise than expected is reported, not raised; an error that nobody expected ends the play and
    is the last deviation.
    """

    app: App
    procedure: Procedure
    stage: Stage
    scenario: Scenario
    instance: int = 0
    """The instance that the scenario is about, once it has started."""
    deviations: list[str] = field(default_factory=list)
    timeline: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def clock(self) -> VirtualClock:
        """The clock that the play moves."""
        assert isinstance(self.app.clock, VirtualClock)
        return self.app.clock

    def now(self) -> datetime:
        """Local time."""
        return self.clock.now().astimezone(self.app.zone)

    def differs(self, text: str) -> None:
        """Something is otherwise than expected."""
        self.deviations.append(f"{self.now():%Y-%m-%d %H:%M} {text}")

    def says(self, text: str) -> None:
        """Something happened."""
        self.timeline.append((self.now(), text))

    def play(self) -> Played:
        """From the start to the end, and the judgement."""
        try:
            _perform(self)
        except EngineError as error:
            self.differs(f"stopped: {error}")
        return Played(self.scenario.id, tuple(self.deviations), tuple(self.timeline))


def _set_up(app: App, procedure: Procedure, stage: Stage, others: Sequence[Procedure]) -> None:
    """The stage's organisation, the shipped working-day tables, and the procedure published as a person would."""
    roles = {role for held in stage.people.values() for role in held}
    names = {lane.id: lane.name for p in read(procedure.diagram).processes.values() for lane in p.lanes}
    document = {
        "organisation": "flow/1",
        "units": [{"id": stage.unit, "name": stage.unit_name}],
        "roles": [{"id": role, "name": names.get(role, role)} for role in sorted(roles | set(names))],
        "people": [
            {"id": person, "name": person, "roles": [{"role": role, "unit": stage.unit} for role in held]}
            for person, held in stage.people.items()
        ],
    }
    raw = json.dumps(document, ensure_ascii=False).encode()
    app.do(organisation.ImportOrganisation(by=SYSTEM, document=load(raw, "stage"), raw=raw))
    for years in shipped_tables():
        app.do(calendars.ImportCalendar(by=SYSTEM, document=years))
    for each in (*others, procedure):
        app.do(definitions.Publish(by=SYSTEM, procedure=each))


@cache
def shipped_tables() -> tuple[Document, ...]:
    """The shipped working-day tables, read once."""
    files = sorted((shipped() / "processes" / "calendars").glob("*.yaml"))
    return tuple(load(file.read_bytes(), file.name) for file in files)


def _perform(current: Player) -> None:
    app, begin, stage, procedure = current.app, current.scenario.begin, current.stage, current.procedure
    for name in (*stage.before, *begin.before):
        order = stage.orders[name]
        app.do(_command(current, order, order.by, order.values))
    if begin.by_calendar:
        current.instance = _started_by_calendar(current)
    else:
        current.instance = app.do(
            instances.Start(
                by=SYSTEM, procedure=procedure.id, unit=stage.unit, element=begin.event,
                variables={**begin.parameters, **begin.variables},
            )
        ).value  # fmt: skip
    app.settle()
    for step in current.scenario.steps:
        _pass_time(current, step.at.replace(tzinfo=app.zone).astimezone(UTC))
        if isinstance(step, Look):
            found = tuple(sorted(row.element for row in _open_tasks(current)))
            if found != step.open:
                current.differs(f"open are {list(found)}, expected {list(step.open)}")
        else:
            _act(current, step)
            app.settle()
    with app.store.read() as conn:
        table = tables.job  # what failed and waits for its next try has not come through either
        failed = select(table).where(table.c.status != "done", table.c.error.is_not(None))
        for job in conn.execute(failed.order_by(table.c.id)).all():
            current.differs(f"incident: {job.error}")
    _judge(current)


def _started_by_calendar(current: Player) -> int:
    """The instance that the procedure's own schedule starts for the unit now. Raises Conflict when none does."""
    app, begin = current.app, current.scenario.begin
    moment = current.clock.now()
    plan = schedules.Schedule(
        by=SYSTEM,
        procedure=current.procedure.id,
        unit=current.stage.unit,
        since=moment - timedelta(seconds=1),
    )
    app.do(plan)
    tick(app)
    table, kickoff = tables.schedule, tables.kickoff
    query = select(table.c.next_at, kickoff.c.instance_id).outerjoin(
        kickoff, kickoff.c.schedule_id == table.c.id
    )
    with app.store.read() as conn:
        row = conn.execute(query.where(table.c.element == begin.event)).one_or_none()
    if row is None or row.instance_id is None:
        planned = (
            "-"
            if row is None or row.next_at is None
            else f"{row.next_at.astimezone(app.zone):%Y-%m-%d %H:%M}"
        )
        raise Conflict("The calendar starts nothing at {moment}, but next at {planned}",
                       moment=f"{current.now():%Y-%m-%d %H:%M}", planned=planned)  # fmt: skip
    number: int = row.instance_id
    return number


def _pass_time(current: Player, until: datetime) -> None:
    """Let time pass, stopping at everything that falls due."""
    app = current.app
    while True:
        with app.store.read() as conn:
            due = work.next_due(conn)
        if due is None or due > until:
            break
        current.clock.move_to(max(due, current.clock.now()))
        if not tick(app):
            break  # what is due waits for something else: a suspended instance
    current.clock.move_to(max(until, current.clock.now()))
    tick(app)


def _act(current: Player, act: Act) -> None:
    if act.order is not None:
        command: Command = _command(current, act.order, act.by, act.values)
        what = act.order.command
    else:
        row = _task(current, act)
        if row is None:
            current.differs(f"no open task for {act.element}")
            return
        late = row.due_at is not None and row.due_at <= current.clock.now()
        if late != act.late:
            current.differs(
                f"{act.element} is {'late' if late else 'in time'}, expected otherwise (due {row.due_at})"
            )
        command = worklist.Complete(by=Actor(act.by), task=row.id, values=dict(act.values))
        what = str(act.element)
    try:
        current.app.do(command)
    except Invalid as refused:
        fields = tuple(sorted({problem.field for problem in refused.problems}))
        if fields != tuple(sorted(act.refused)):
            current.differs(f"{what} was refused: {refused}")
        current.says(f"{what} refused: {', '.join(fields)}")
        return
    except (Denied, Conflict) as denied:
        if not act.denied:
            raise
        current.says(f"{what} denied to {act.by}: {denied}")
        return
    if act.denied:
        current.differs(f"{what} was done by {act.by}, who was expected to have no right to it")
    if act.refused:
        current.differs(f"{what} was accepted, though a refusal of {list(act.refused)} was expected")
    current.says(f"{what} ({act.by})")


def _command(current: Player, order: Order, by: str, values: Mapping[str, Any]) -> Command:
    return command_of(current.app, current.procedure, current.instance, order.command, by, values)


def _family(current: Player) -> Any:
    table = tables.instance
    return select(table.c.id).where(or_(table.c.id == current.instance, table.c.root_id == current.instance))


def _open_tasks(current: Player) -> list[Any]:
    table, instance = tables.user_task, tables.instance
    with current.app.store.read() as conn:
        return list(
            conn.execute(
                select(table, func.coalesce(table.c.batch_index, instance.c.batch_index).label("place"))
                .join(instance, instance.c.id == table.c.instance_id)
                .where(tables.OPEN_WORK, table.c.instance_id.in_(_family(current)))
                .order_by(table.c.instance_id, table.c.opened_at, table.c.batch_index, table.c.id)
            )
        )


def _task(current: Player, act: Act) -> Any:
    rows = [row for row in _open_tasks(current) if row.element == act.element]
    if act.item is not None:
        rows = [row for row in rows if row.place is not None and row.place + 1 == act.item]
    return rows[0] if rows else None


def _judge(current: Player) -> None:
    """Hold the end against what was expected."""
    app, end = current.app, current.scenario.end
    deadline, table = tables.deadline, tables.instance
    with app.store.read() as conn:
        row = conn.execute(select(table).where(table.c.id == current.instance)).one()
        promises = conn.execute(
            select(deadline).where(deadline.c.instance_id.in_(_family(current))).order_by(deadline.c.id)
        ).all()
        verdict = verify(conn)
        told = _told(conn, current)
        filed = _filed(conn, current)
    if row.status != end.status:
        current.differs(f"{label(current.instance)} is {row.status}, expected {end.status}")
    named = [(WHOLE if each.element == WHOLE_ELEMENT else each.element, each) for each in promises]
    missed = tuple(sorted({name for name, each in named if each.status == "missed"}))
    if missed != end.missed:
        current.differs(f"missed are {list(missed)}, expected {list(end.missed)}")
    for element, day in current.scenario.dues.items():
        days = {each.due_day for name, each in named if name == element}
        if day not in days:
            current.differs(f"{element} was due {sorted(days) or 'never'}, expected {day}")
    for element, roles in end.overdue.items():
        if tuple(sorted(told.get(element, ()))) != tuple(sorted(roles)):
            current.differs(
                f"overdue {element} was told to {sorted(told.get(element, ()))}, expected {sorted(roles)}"
            )
    found = variables(row.state)
    for name, value in end.variables.items():
        if found.get(name) != value:
            current.differs(f"variable {name} is {found.get(name)!r}, expected {value!r}")
    for element, code in end.records.items():
        if code not in filed.get(element, ()):
            made = [str(each or "no code") for each in filed.get(element, ())]
            current.differs(
                f"{element} filed {made or 'nothing'}, expected {code or 'a record without a code'}"
            )
    for fault in verdict.faults:
        current.differs(f"the journal does not verify: {fault}")


def _filed(conn: Any, current: Player) -> dict[str, list[str | None]]:
    """The codes of the records that were filed, by element."""
    table = tables.record
    found: dict[str, list[str | None]] = {}
    rows = conn.execute(
        select(table.c.element, table.c.code)
        .where(table.c.instance_id.in_(_family(current)))
        .distinct()
        .order_by(table.c.element, table.c.code)
    )
    for element, code in rows.all():
        found.setdefault(element, []).append(code or None)
    return found


def _told(conn: Any, current: Player) -> dict[str, set[str]]:
    """The roles that overdue notices went to, by element."""
    chains = [instance_chain(number) for number in conn.execute(_family(current)).scalars()]
    journal, task = tables.journal, tables.user_task
    found: dict[str, set[str]] = {}
    rows = conn.execute(
        select(journal.c.facts, journal.c.subject, task.c.element)
        .outerjoin(task, task.c.id == journal.c.subject)
        .where(journal.c.chain.in_(chains), journal.c.kind == "notice.overdue")
    ).all()
    for row in rows:
        element = row.element or (WHOLE if row.subject == WHOLE_ELEMENT else row.subject)
        found.setdefault(element, set()).add(str(json.loads(row.facts).get("role")))
    return found
