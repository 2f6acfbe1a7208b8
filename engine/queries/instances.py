"""Instances: which there are, and one with its steps, deadlines, children, records and incidents."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, case, func, or_, select

from engine.errors import NotFound
from engine.model import label
from engine.queries.totals import total
from engine.store.journal import instance_chain
from engine.store.tables import (
    ARMED_DEADLINE,
    ARMED_TIMER,
    DEAD_JOB,
    OPEN_WORK,
    batch,
    deadline,
    definition,
    instance,
    job,
    journal,
    person,
    record,
    role,
    subscription,
    timer,
    unit,
    user_task,
)

WHOLE = "*"
"""The element of an instance's own deadline."""

_CHUNK = 500

STEPS = 1000
"""Steps shown of one instance at most."""


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance in a list."""

    id: str
    """SV-12."""
    number: int
    procedure: str
    code: str
    version: int
    definition: str
    title: str
    unit: str
    unit_name: str
    period: str | None
    status: str
    started_at: datetime
    started_by: str
    ended_at: datetime | None
    outcome: str | None
    parent: str | None
    open_tasks: int
    next_due: datetime | None
    """The earliest due date among its open tasks."""
    incidents: int


@dataclass(frozen=True, slots=True)
class Step:
    """One user task of an instance (or of its children): who, by when, when, and whether late."""

    task: str
    instance: str
    element: str
    name: str
    role: str | None
    role_name: str | None
    person: str | None
    """Who did it, or has it."""
    person_name: str | None
    acting_for: str | None
    """Whose right was used, where it was not the person's own."""
    account: str | None
    """Who really handed it in; another than `person` when they acted in that one's name (`--as`)."""
    status: str
    opened_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    late: bool
    """Whether it was done after its due date, or is open after it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an instance waits for besides people: a timer, a message, a batch, a job."""

    kind: str
    element: str | None
    what: str
    until: datetime | None
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A controlled document an instance produced; `path` lies within the workspace, `size` is in bytes."""

    name: str
    code: str | None
    element: str
    path: str
    sha256: str
    size: int
    made_at: datetime
    made_by: str


@dataclass(frozen=True, slots=True)
class View:
    """One instance, whole."""

    instance: Instance
    promised_at: datetime | None
    """The first instant at which all of it is late."""
    promise_missed: bool
    steps: tuple[Step, ...]
    more_steps: int
    """Steps left out."""
    waiting: tuple[Waiting, ...]
    children: tuple[Instance, ...]
    records: tuple[Record, ...]


_OPEN = (OPEN_WORK, user_task.c.instance_id == instance.c.id)
_OPEN_TASKS = select(func.count()).select_from(user_task).where(*_OPEN).correlate(instance).scalar_subquery()
_NEXT_DUE = select(func.min(user_task.c.due_at)).where(*_OPEN).correlate(instance).scalar_subquery()
_INCIDENTS = (
    select(job.c.instance_id, func.count().label("incidents"))
    .where(DEAD_JOB)
    .group_by(job.c.instance_id)
    .subquery()
)
_INSTANCES: Select[Any] = select(
    instance.c.id, instance.c.procedure, definition.c.code, definition.c.version, instance.c.definition,
    instance.c.title, instance.c.unit, unit.c.name.label("unit_name"), instance.c.period, instance.c.status,
    instance.c.started_at, instance.c.started_by, instance.c.ended_at, instance.c.outcome, instance.c.parent_id,
    _OPEN_TASKS.label("open_tasks"), _NEXT_DUE.label("next_due"),
    func.coalesce(_INCIDENTS.c.incidents, 0).label("incidents"),
).select_from(
    instance.join(definition, definition.c.hash == instance.c.definition)
    .outerjoin(unit, unit.c.id == instance.c.unit)
    .outerjoin(_INCIDENTS, _INCIDENTS.c.instance_id == instance.c.id)
)  # fmt: skip


def instances(
    conn: Connection,
    *,
    status: str | None = None,
    procedure: str | None = None,
    unit: str | None = None,
    units: Collection[str] | None = None,
    children: bool = False,
    limit: int | None = None,
) -> tuple[Instance, ...]:
    """Instances, the newest first; `procedure` is an id or a code. Called ones only with `children`."""
    query = _wanted(status, procedure, unit, units, children=children).order_by(instance.c.id.desc())
    return tuple(_instance(row) for row in conn.execute(query if limit is None else query.limit(limit)))


def instances_total(
    conn: Connection,
    *,
    status: str | None = None,
    procedure: str | None = None,
    unit: str | None = None,
    units: Collection[str] | None = None,
    children: bool = False,
) -> int:
    """How many there are without a limit."""
    return total(conn, _wanted(status, procedure, unit, units, children=children))


def _wanted(
    status: str | None,
    procedure: str | None,
    unit: str | None,
    units: Collection[str] | None,
    *,
    children: bool,
) -> Select[Any]:
    query = _INSTANCES
    if not children:
        query = query.where(instance.c.parent_id.is_(None))
    if status is not None:
        query = query.where(instance.c.status == status)
    if procedure is not None:
        query = query.where((instance.c.procedure == procedure) | (definition.c.code == procedure))
    if unit is not None:
        query = query.where(instance.c.unit == unit)
    if units is not None:
        query = query.where(instance.c.unit.in_(units))
    return query


def find(conn: Connection, number: int) -> Instance:
    """One instance. Raises NotFound."""
    row = conn.execute(_INSTANCES.where(instance.c.id == number)).one_or_none()
    if row is None:
        raise NotFound("There is no instance {label}", label=label(number))
    return _instance(row)


def view(conn: Connection, number: int, now: datetime) -> View:
    """One instance with all that belongs to it; `now` decides what of the open is late. Raises NotFound."""
    found = find(conn, number)
    family = or_(instance.c.id == number, instance.c.root_id == number)
    steps = steps_of(conn, number, now, limit=STEPS)
    of_family = select(func.count()).select_from(
        user_task.join(instance, instance.c.id == user_task.c.instance_id)
    )
    all_steps = conn.execute(of_family.where(family)).scalar_one()
    promise = conn.execute(
        select(deadline.c.due_at, deadline.c.status, deadline.c.closed_at)
        .where(deadline.c.instance_id == number, deadline.c.element == WHOLE)
        .order_by(deadline.c.id.desc())
        .limit(1)
    ).one_or_none()
    return View(
        instance=found,
        promised_at=None if promise is None else promise.due_at,
        promise_missed=promise is not None and _late(promise.due_at, promise.closed_at, now),
        steps=steps,
        more_steps=all_steps - len(steps),
        waiting=_waiting(conn, number),
        children=tuple(
            _instance(row)
            for row in conn.execute(
                _INSTANCES.where(instance.c.parent_id == number).order_by(instance.c.id).limit(200)
            )
        ),
        records=records(conn, number),
    )


def steps_of(conn: Connection, number: int, now: datetime, *, limit: int | None = None) -> tuple[Step, ...]:
    """The user tasks of an instance and of those it called, as they were opened."""
    family = or_(instance.c.id == number, instance.c.root_id == number)
    query = _STEPS.where(family).order_by(
        user_task.c.opened_at, instance.c.id, func.length(user_task.c.id), user_task.c.id
    )
    rows = conn.execute(query if limit is None else query.limit(limit)).all()
    accounts = _accounts(conn, {row.instance_id for row in rows if row.closed_for is not None})
    return tuple(_step(row, now, accounts.get(row.id)) for row in rows)


def _accounts(conn: Connection, numbers: Collection[int]) -> dict[str, str]:
    """Who handed in each task of these instances: only the journal tells an account from whom it played."""
    chains = [instance_chain(number) for number in numbers]
    found: dict[str, str] = {}
    for start in range(0, len(chains), _CHUNK):
        query = select(journal.c.subject, journal.c.by).where(
            journal.c.chain.in_(chains[start : start + _CHUNK]), journal.c.kind == "task.completed"
        )
        found |= {row.subject: row.by for row in conn.execute(query)}
    return found


def records(conn: Connection, number: int) -> tuple[Record, ...]:
    """The documents of an instance and of those it called, in the order made."""
    columns = (record.c.name, record.c.code, record.c.element, record.c.path, record.c.sha256, record.c.size,
               record.c.made_at, record.c.made_by)  # fmt: skip
    query = select(*columns).select_from(record.join(instance, instance.c.id == record.c.instance_id))
    family = or_(instance.c.id == number, instance.c.root_id == number)
    return tuple(Record(*row) for row in conn.execute(query.where(family).order_by(record.c.id)))


@dataclass(frozen=True, slots=True)
class Placed:
    """Of what an instance is one, where, and who called it."""

    definition: str
    process: str
    procedure: str
    unit: str
    caller: int | None
    called_by: str | None
    """The caller's element."""


def placed(conn: Connection, number: int) -> Placed:
    """Raises NotFound."""
    query = select(
        instance.c.definition, instance.c.process, instance.c.procedure, instance.c.unit, instance.c.parent_id,
        batch.c.element,
    ).select_from(instance.outerjoin(batch, batch.c.id == instance.c.batch_id))  # fmt: skip
    row = conn.execute(query.where(instance.c.id == number)).one_or_none()
    if row is None:
        raise NotFound("There is no instance {label}", label=label(number))
    return Placed(*row)


def variables(conn: Connection, number: int) -> dict[str, Any]:
    """An instance's variables as they stand. Raises NotFound."""
    from engine.bpmn import state

    stored = conn.execute(select(instance.c.state).where(instance.c.id == number)).scalar_one_or_none()
    if stored is None:
        raise NotFound("There is no instance {label}", label=label(number))
    return state.variables(stored, label(number))


_STEPS: Select[Any] = select(
    user_task.c.id, user_task.c.instance_id, user_task.c.element, user_task.c.name, user_task.c.role,
    role.c.name.label("role_name"), func.coalesce(user_task.c.closed_by, user_task.c.assignee).label("person"),
    person.c.name.label("person_name"), user_task.c.closed_by, user_task.c.closed_for, user_task.c.status,
    user_task.c.opened_at, user_task.c.due_at, user_task.c.closed_at,
).select_from(
    user_task.join(instance, instance.c.id == user_task.c.instance_id)
    .outerjoin(role, role.c.id == user_task.c.role)
    .outerjoin(person, person.c.id == func.coalesce(user_task.c.closed_by, user_task.c.assignee))
)  # fmt: skip


def _instance(row: Row[Any]) -> Instance:
    return Instance(
        id=label(row.id), number=row.id, procedure=row.procedure, code=row.code, version=row.version,
        definition=row.definition, title=row.title, unit=row.unit, unit_name=row.unit_name or row.unit,
        period=row.period, status=row.status, started_at=row.started_at, started_by=row.started_by,
        ended_at=row.ended_at, outcome=row.outcome, parent=None if row.parent_id is None else label(row.parent_id),
        open_tasks=row.open_tasks, next_due=row.next_due, incidents=row.incidents,
    )  # fmt: skip


def open_elements(conn: Connection, number: int) -> tuple[str, ...]:
    """The elements of an instance's open user tasks."""
    query = select(user_task.c.element).where(user_task.c.instance_id == number, OPEN_WORK)
    return tuple(conn.execute(query.order_by(user_task.c.opened_at, user_task.c.id)).scalars())


def _step(row: Row[Any], now: datetime, account: str | None) -> Step:
    gone = row.status == "cancelled"
    return Step(
        task=row.id, instance=label(row.instance_id), element=row.element, name=row.name, role=row.role,
        role_name=row.role_name or row.role, person=row.person, person_name=row.person_name or row.person,
        acting_for=row.closed_for, account=account or row.closed_by, status=row.status,
        opened_at=row.opened_at, due_at=row.due_at, closed_at=row.closed_at,
        late=not gone and row.due_at is not None and _late(row.due_at, row.closed_at, now),
    )  # fmt: skip


def _late(due: datetime, closed: datetime | None, now: datetime) -> bool:
    return (closed or now) >= due


def _waiting(conn: Connection, number: int) -> tuple[Waiting, ...]:
    timers = select(timer).where(timer.c.instance_id == number, ARMED_TIMER, timer.c.kind == "event")
    messages = select(subscription).where(subscription.c.instance_id == number)
    batches = select(batch).where(batch.c.instance_id == number, batch.c.status == "active")
    jobs = select(job).where(job.c.instance_id == number, job.c.status != "done").order_by(job.c.id)
    return (
        *(
            Waiting("timer", row.element, row.rule, row.due_at)
            for row in conn.execute(timers.order_by(timer.c.due_at))
        ),
        *(Waiting(row.kind, row.element, row.name, None) for row in conn.execute(messages)),
        *(
            Waiting("batch", row.element, row.kind, None, row.done, row.total)
            for row in conn.execute(batches.order_by(batch.c.id))
        ),
        *(
            Waiting(
                "incident" if row.status == "dead" else "job",
                row.payload.get("element"),
                row.kind,
                row.not_before,
            )
            for row in conn.execute(jobs.limit(50))
        ),
    )


def late_instances(conn: Connection, now: datetime) -> tuple[Instance, ...]:
    """Running instances that are late: a task open after its due date, or the whole after its promise."""
    open_late = select(user_task.c.instance_id).where(OPEN_WORK, user_task.c.due_at <= now)
    promise_late = select(deadline.c.instance_id).where(
        deadline.c.element == WHOLE,
        or_(deadline.c.status == "missed", and_(ARMED_DEADLINE, deadline.c.due_at <= now)),
    )
    root = case((instance.c.root_id.is_(None), instance.c.id), else_=instance.c.root_id)
    roots = select(root).where(or_(instance.c.id.in_(open_late), instance.c.id.in_(promise_late)))
    query = _INSTANCES.where(instance.c.id.in_(roots), instance.c.status == "running").order_by(instance.c.id)
    return tuple(_instance(row) for row in conn.execute(query))
