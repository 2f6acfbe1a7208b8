"""The worklist: the open user tasks a person may see, and why each is theirs.

What a person sees follows `engine.policy`: tasks they (or someone they stand in for) have, and tasks of a role
that they or such a person hold in the task's unit or above it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, false, func, or_, select

from engine.errors import Denied, NotFound
from engine.policy import Rights
from engine.queries.organisation import parents as unit_parents
from engine.queries.totals import total
from engine.store.tables import OPEN_WORK, deadline, instance, person, role, unit, user_task


class Because(StrEnum):
    """Why a task is on somebody's worklist."""

    ASSIGNED = "assigned"
    """It is theirs."""
    ASSIGNED_TO_ABSENT = "assigned to someone represented"
    ROLE = "role"
    """They hold its role in its unit, or above it."""
    ROLE_OF_ABSENT = "role of someone represented"
    ANYBODY = "anybody"
    """It asks for no role."""
    COLLEAGUE = "a colleague's"
    """Another holder of the role has it."""
    FOUR_EYES = "four eyes"
    """The role would fit, but they did the step that this one checks."""


class Scope(StrEnum):
    """Which of the tasks a person may see are wanted."""

    MINE = "mine"
    """What they, or someone they stand in for, have."""
    OPEN = "open"
    """These, and what nobody has taken yet."""
    ALL = "all"
    """These, and what colleagues have."""


@dataclass(frozen=True, slots=True)
class Task:
    """A user task."""

    id: str
    """SV-12.3."""
    instance: int
    title: str
    """The instance's."""
    procedure: str
    definition: str
    period: str | None
    element: str
    name: str
    status: str
    role: str | None
    role_name: str | None
    unit: str
    unit_name: str
    assignee: str | None
    assignee_name: str | None
    delegated_by: str | None
    due_at: datetime | None
    """The first instant that is late."""
    priority: int
    form: str | None
    item: Any
    excluded: tuple[tuple[str, str], ...]
    """(person, element): who may not do it, and the step they did."""
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    suspended: bool
    """Its instance is stopped for a while: it cannot be completed now."""
    why: Because | None = None
    on_behalf_of: str | None = None
    """Whose right it is, where it is not the person's own."""

    @property
    def doable(self) -> bool:
        """Whether the person it was listed for may work on it now."""
        return self.why not in (None, Because.COLLEAGUE, Because.FOUR_EYES) and not self.suspended


@dataclass(frozen=True, slots=True)
class Deadline:
    """A task's due date with the arithmetic behind it."""

    rule: str
    counting: str | None
    calendar: str | None
    due_at: datetime
    due_day: str
    status: str
    anchors: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...]
    """Day by day: day, count, reason, name, provisional."""


def worklist(
    conn: Connection,
    rights: Rights,
    *,
    scope: Scope = Scope.OPEN,
    role: str | None = None,
    procedure: str | None = None,
    due_before: datetime | None = None,
    limit: int | None = None,
) -> tuple[Task, ...]:
    """Open tasks, the most urgent first: by due date, then priority, then age.

    `role` keeps to one role, `procedure` to one procedure's own steps, `due_before` to what is late by that instant.
    """
    above = unit_parents(conn)
    query = _wanted(_visible(rights, above, scope), role, procedure, due_before).order_by(
        user_task.c.due_at.is_(None),
        user_task.c.due_at,
        user_task.c.priority.desc(),
        user_task.c.opened_at,
        user_task.c.instance_id,
        func.length(user_task.c.id),
        user_task.c.id,
    )
    if limit is not None:
        query = query.limit(limit)
    found = (_task(row, rights, above) for row in conn.execute(query))
    return tuple(each for each in found if each.why is not None)


def worklist_total(
    conn: Connection,
    rights: Rights,
    *,
    scope: Scope = Scope.OPEN,
    role: str | None = None,
    due_before: datetime | None = None,
) -> int:
    """How many tasks the worklist has without a limit."""
    return total(conn, _wanted(_visible(rights, unit_parents(conn), scope), role, None, due_before))


def _wanted(
    visible: ColumnElement[bool], role: str | None, procedure: str | None, due_before: datetime | None
) -> Select[Any]:
    query = _TASKS.where(OPEN_WORK, visible)
    if role is not None:
        query = query.where(user_task.c.role == role)
    if procedure is not None:
        query = query.where(instance.c.procedure == procedure)
    return query if due_before is None else query.where(user_task.c.due_at <= due_before)


def task(conn: Connection, id_: str, rights: Rights | None = None) -> Task:
    """One task, also one that is done. With `rights`, as that person may see it: Denied when they may not.

    Raises NotFound.
    """
    row = conn.execute(_TASKS.where(user_task.c.id == id_)).one_or_none()
    if row is None:
        raise NotFound("There is no task {task}", task=id_)
    if rights is None:
        return _task(row, None, {})
    found = _task(row, rights, unit_parents(conn))
    if found.why is None and not rights.represents(found.closed_by):
        raise Denied("Task {task} is not for {person} to see", task=id_, person=rights.person)
    return found


def draft_of(conn: Connection, id_: str) -> dict[str, Any]:
    """What has been filled in so far."""
    kept = conn.execute(select(user_task.c.draft).where(user_task.c.id == id_)).scalar_one_or_none()
    return dict(kept or {})


def deadlines_of(conn: Connection, task_id: str) -> tuple[Deadline, ...]:
    """The task's deadlines, the newest first; several when its date was set anew."""
    query = select(deadline).where(deadline.c.task_id == task_id).order_by(deadline.c.id.desc())
    number = conn.execute(
        select(user_task.c.instance_id).where(user_task.c.id == task_id)
    ).scalar_one_or_none()
    return tuple(
        Deadline(
            row.rule, row.counting, row.calendar, row.due_at, row.due_day, row.status, row.anchors or {},
            tuple(row.lines or ()),
        )
        for row in conn.execute(query.where(deadline.c.instance_id == number))
    )  # fmt: skip


_COLUMNS = (
    user_task.c.id, user_task.c.instance_id, instance.c.title, instance.c.procedure, instance.c.definition,
    instance.c.period, user_task.c.element, user_task.c.name, user_task.c.status, user_task.c.role,
    role.c.name.label("role_name"), user_task.c.unit, unit.c.name.label("unit_name"), user_task.c.assignee,
    person.c.name.label("assignee_name"), user_task.c.delegated_by, user_task.c.due_at, user_task.c.priority,
    user_task.c.form, user_task.c.item, user_task.c.excluded, user_task.c.opened_at, user_task.c.closed_at,
    user_task.c.closed_by, (instance.c.status == "suspended").label("suspended"),
)  # fmt: skip
_TASKS: Select[Any] = select(*_COLUMNS).select_from(
    user_task.join(instance, instance.c.id == user_task.c.instance_id)
    .outerjoin(role, role.c.id == user_task.c.role)
    .outerjoin(unit, unit.c.id == user_task.c.unit)
    .outerjoin(person, person.c.id == user_task.c.assignee)
)


def _task(row: Row[Any], rights: Rights | None, parents: Mapping[str, str | None]) -> Task:
    values = row._asdict()
    values["suspended"] = bool(row.suspended)
    values["instance"] = values.pop("instance_id")
    values["unit_name"] = row.unit_name or row.unit
    values["excluded"] = tuple((each[0], each[1]) for each in row.excluded or ())
    if rights is not None:
        values["why"], values["on_behalf_of"] = _why(row, rights, parents)
    return Task(**values)


def _why(
    row: Row[Any], rights: Rights, parents: Mapping[str, str | None]
) -> tuple[Because | None, str | None]:
    excluded = {each[0] for each in row.excluded or ()}
    if row.assignee is not None and rights.represents(row.assignee):
        if row.delegated_by is None and rights.holder(row.role, _above(row.unit, parents)) is None:
            return None, None  # the role was taken from them, or their time as a substitute is over
        if rights.barred(excluded) is not None:
            return Because.FOUR_EYES, None
        own = row.assignee == rights.person
        return (Because.ASSIGNED, None) if own else (Because.ASSIGNED_TO_ABSENT, row.assignee)
    units = _above(row.unit, parents)
    holder = rights.holder(row.role, units)
    if holder is None:
        return None, None
    if row.assignee is not None:
        return Because.COLLEAGUE, None
    holder = rights.holder(row.role, units, excluded)
    if holder is None or rights.barred(excluded) is not None:
        return Because.FOUR_EYES, None
    if row.role is None:
        return Because.ANYBODY, None
    return (Because.ROLE, None) if holder == rights.person else (Because.ROLE_OF_ABSENT, holder)


def _above(unit_: str, parents: Mapping[str, str | None]) -> list[str]:
    chain: list[str] = []
    current: str | None = unit_
    while current is not None and current not in chain:
        chain.append(current)
        current = parents.get(current)
    return chain


def _visible(rights: Rights, parents: Mapping[str, str | None], scope: Scope) -> ColumnElement[bool]:
    theirs = user_task.c.assignee.in_([rights.person, *rights.stands_in_for])
    if scope is Scope.MINE:
        return theirs
    by_role = [
        and_(user_task.c.role == role_, user_task.c.unit.in_(sorted(units)))
        for role_, units in sorted(_reach(rights, parents).items())
    ]
    fitting = or_(user_task.c.role.is_(None), *by_role, false())
    if scope is Scope.OPEN:
        fitting = and_(fitting, user_task.c.assignee.is_(None))
    return or_(theirs, fitting)


def _reach(rights: Rights, parents: Mapping[str, str | None]) -> dict[str, set[str]]:
    """The units in which each role counts as held: those it is held in, and all below them."""
    below: dict[str, list[str]] = {}
    for each, parent in parents.items():
        if parent is not None:
            below.setdefault(parent, []).append(each)
    reach: dict[str, set[str]] = {}
    for pairs in rights.holdings.values():
        for role_, held_in in pairs:
            _descend(held_in, below, reach.setdefault(role_, set()))
    return reach


def _descend(top: str, below: Mapping[str, Sequence[str]], seen: set[str]) -> None:
    waiting = [top]
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            waiting.extend(below.get(each, ()))
