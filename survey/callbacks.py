"""Call-backs: who is called back and why, how often it was tried, what came of it.

A call-back is an instance of the shared process `call_back`, whichever procedure called it. What is known of it stands
in its variables and its history; telephone numbers stand in `contact` alone and are read from there by whoever may
see them. Functions work in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection as Database
from sqlalchemy import select

from engine.bpmn.state import variables
from engine.errors import Conflict, NotFound
from engine.model import instance_number, label, task_id
from engine.ports import Connection
from engine.store import tables
from survey import rosters, rounds
from survey.rosters import Respondent
from survey.rounds import Member, Round
from survey.tables import contact, respondent
from survey.wanted import Wanted, named, opinions

PROCEDURE = "call-back"
"""The shared procedure; its instances are the call-backs."""
CALL, DECISION = "call_customer", "decide_callback"
"""Its elements: the call, and what the head decides when calling goes on and on."""
UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call, visit or letter."""

    on: str
    mode: str
    outcome: str
    note: str
    told: str
    """What the customer was told."""
    by: str
    """A person's id."""


@dataclass(frozen=True, slots=True)
class Callback:
    """A call-back as it stands."""

    id: str
    """SV-15."""
    instance: int
    root: int
    """The survey it belongs to."""
    unit: str
    status: str
    part: str
    """Of the round that the number is of; empty where the survey has but one."""
    number: int | None
    customer: str
    reason: str
    solution: str
    due: str | None
    """ISO date."""
    due_at: datetime | None
    """The first instant that is late, of an open one."""
    task: str | None
    """The open task, if it is open."""
    element: str | None
    assignee: str | None
    outcome: str | None
    """satisfied, dissatisfied, unreachable, closed; of an open one what the last attempt brought."""
    complaint: bool
    attempts: tuple[Attempt, ...]
    respondent: int | None

    @property
    def to_call(self) -> bool:
        """Whether somebody is to be called, rather than something decided."""
        return self.element == CALL


_ROWS = select(
    tables.instance.c.id,
    tables.instance.c.root_id,
    tables.instance.c.unit,
    tables.instance.c.status,
    tables.instance.c.state,
    tables.user_task.c.id.label("task"),
    tables.user_task.c.element,
    tables.user_task.c.assignee,
    tables.user_task.c.due_at,
).select_from(
    tables.instance.outerjoin(
        tables.user_task, (tables.user_task.c.instance_id == tables.instance.c.id) & tables.OPEN_WORK
    )
)


def callbacks(
    conn: Connection,
    *,
    root: int | None = None,
    instances: Collection[int] | None = None,
    called_by: Collection[str] = (),
    units: Collection[str] | None = None,
) -> tuple[Callback, ...]:
    """Call-backs in the order in which they began; only those of a survey, of some units, of some call activities."""
    table = tables.instance
    wanted = _ROWS.where(table.c.procedure == PROCEDURE).order_by(table.c.id)
    if root is not None:
        wanted = wanted.where((table.c.root_id == root) | (table.c.id == root))
    if instances is not None:
        wanted = wanted.where(table.c.id.in_(instances))
    if units is not None:
        wanted = wanted.where(table.c.unit.in_(units))
    if called_by:
        batches = select(tables.batch.c.id).where(tables.batch.c.element.in_(called_by))
        wanted = wanted.where(table.c.batch_id.in_(batches))
    return tuple(map(_callback, conn.execute(wanted)))


def callback(conn: Connection, number: int) -> Callback:
    """One call-back. Raises `NotFound`."""
    found = callbacks(conn, instances=[number])
    if not found:
        raise NotFound("{label} is no call-back; see `flow callback list`", label=label(number))
    return found[0]


def called(conn: Connection, item: str) -> Callback:
    """The call-back that a person named: itself (`SV-15`), or its open task (`SV-15.1`).

    Raises `NotFound` for what is none, `Conflict` for a task of it that is done.
    """
    if "." not in item:
        return callback(conn, instance_number(item))
    task = task_id(item)
    found = callback(conn, instance_number(task.partition(".")[0]))
    if found.task != task:
        template = "{task} is done already, or was never a task; of {callback} the open task is {open}"
        raise Conflict(template, task=task, callback=found.id, open=found.task or "–")
    return found


def _callback(row: Any) -> Callback:
    known: dict[str, Any] = dict(variables(row.state, label(row.id)))
    return Callback(
        id=label(row.id),
        instance=row.id,
        root=row.root_id or row.id,
        unit=row.unit,
        status=row.status,
        part=str(known.get("round_part") or ""),
        number=known.get("callback_number"),
        customer=str(known.get("callback_customer") or ""),
        reason=str(known.get("callback_reason") or ""),
        solution=str(known.get("callback_solution") or ""),
        due=known.get("callback_by"),
        due_at=row.due_at,
        task=row.task,
        element=row.element,
        assignee=row.assignee,
        outcome=known.get("callback_outcome"),
        complaint=bool(known.get("callback_complaint")),
        attempts=tuple(Attempt(**each) for each in known.get("callback_log") or ()),
        respondent=known.get("callback_respondent"),
    )


def contacts(conn: Connection, found: Sequence[Callback]) -> dict[int, Mapping[str, str | None]]:
    """Name, telephone, mail and address of who is to be called back, by respondent: personal, not to be kept."""
    wanted = {each.respondent for each in found} - {None}
    rows = conn.execute(select(contact).where(contact.c.respondent_id.in_(wanted)))
    return {
        row.respondent_id: {name: getattr(row, name) for name in rosters.PERSONAL if getattr(row, name)}
        for row in rows
    }


def uncalled(conn: Connection, found: Round, items: Collection[str] = ()) -> tuple[Wanted, ...]:
    """Whoever wrote an opinion (`items`: in these items only) and has no call-back in this round, open or over."""
    there = {each.number for each in callbacks(conn, root=found.instance) if each.part == found.part}
    return tuple(each for each in opinions(conn, found, items) if each.number not in there)


def in_round(conn: Connection, found: Round, *, number: int | None, customer: str) -> Member | None:
    """The member of that number, or of that code; None for a code that the round does not have.

    Raises `NotFound` for a number that it does not have.
    """
    who = rounds.member_of(conn, named(found), number=number, code=customer)
    if who is None and number is not None:
        raise NotFound("There is no number {number} in {round}", number=number, round=found.name)
    return who


def on_roster(conn: Connection, unit: str, code: str) -> Respondent | None:
    """The customer of the unit, or of the only one that knows the code; None where there is none."""
    known = select(respondent.c.unit).where(respondent.c.code == code).order_by(respondent.c.unit)
    units = list(conn.execute(known).scalars())
    if unit not in units and len(units) != 1:
        return None
    return rosters.find(cast("Database", conn), code, unit if unit in units else units[0])
