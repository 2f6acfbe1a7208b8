"""What waits to be done, for whoever runs it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, func, or_, outerjoin, select

from engine.store import tables
from engine.store.settings import kept

_ANYWAY = ("resume", "cancel", "suspend", "deadline")
"""Kinds of jobs that a suspended instance does not hold up."""

_JOBS = outerjoin(tables.job, tables.instance, tables.instance.c.id == tables.job.c.instance_id)
_WAITING = (
    select(tables.job.c.id, tables.job.c.kind)
    .select_from(_JOBS)
    .where(
        tables.NEW_JOB,
        or_(tables.job.c.not_before.is_(None), tables.job.c.not_before <= bindparam("now")),
        or_(
            tables.instance.c.id.is_(None),
            tables.instance.c.status != "suspended",
            tables.job.c.kind.in_(_ANYWAY),
        ),
    )
    .order_by(tables.job.c.id)
    .limit(bindparam("most", type_=Integer))
)
_FAMILIES = (
    select(func.coalesce(tables.instance.c.root_id, tables.instance.c.id))
    .where(tables.instance.c.id.in_(bindparam("instances", expanding=True)))
    .scalar_subquery()
)
_WAITING_IN = _WAITING.where(func.coalesce(tables.instance.c.root_id, tables.instance.c.id).in_(_FAMILIES))
_KIND = (
    select(tables.job.c.kind, tables.instance.c.status)
    .select_from(_JOBS)
    .where(tables.job.c.id == bindparam("number"), tables.NEW_JOB)
)


def waiting(conn: Connection, now: datetime, limit: int = 500) -> list[tuple[int, str]]:
    """Jobs that are due with their kinds, oldest first. Those of suspended instances wait until these are resumed."""
    return [(row.id, row.kind) for row in conn.execute(_WAITING, {"now": now, "most": limit})]


def waiting_in(
    conn: Connection, now: datetime, instances: Collection[int], limit: int = 500
) -> list[tuple[int, str]]:
    """The same, of these instances only, of those that called them and of those that they called."""
    given = {"now": now, "most": limit, "instances": list(instances)}
    return [(row.id, row.kind) for row in conn.execute(_WAITING_IN, given)] if instances else []


def kind(conn: Connection, number: int) -> str | None:
    """The kind of a job that can run; None when it is done, or never was, or its instance is suspended."""
    found = conn.execute(_KIND, {"number": number}).one_or_none()
    if found is None or (found.status == "suspended" and found.kind not in _ANYWAY):
        return None
    return str(found.kind)


def job(conn: Connection, number: int) -> Any:
    """A job's row."""
    return conn.execute(select(tables.job).where(tables.job.c.id == number)).one()


def has_ended(conn: Connection, number: int) -> bool:
    """Whether the instance a job is for has ended, so that no later try can help."""
    instance, table = tables.instance, tables.job
    status = conn.execute(
        select(instance.c.status)
        .join(table, table.c.instance_id == instance.c.id)
        .where(table.c.id == number)
    ).scalar_one_or_none()
    return status in ("completed", "cancelled", "failed")


_NEXT = [
    select(func.min(tables.timer.c.due_at)).where(tables.ARMED_TIMER),
    select(func.min(tables.deadline.c.due_at)).where(tables.ARMED_DEADLINE),
    select(func.min(tables.schedule.c.next_at)).where(tables.schedule.c.status == "active"),
    select(func.min(tables.job.c.not_before)).where(tables.NEW_JOB),
]
_NEXT_DUE = select(*(each.scalar_subquery() for each in _NEXT))


def next_due(conn: Connection) -> datetime | None:
    """The next moment at which something falls due by itself: a timer, a deadline, a kick-off, a job's next try."""
    return min((each for each in conn.execute(_NEXT_DUE).one() if each is not None), default=None)


def setting(conn: Connection, name: str) -> Any:
    """A setting of the workspace; None when there is none. Raises EngineError for one that was damaged."""
    return kept(conn, name)
