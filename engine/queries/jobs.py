"""Jobs: what waits to be done, and what failed and waits for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from engine.model import label
from engine.queries.totals import total
from engine.store.tables import DEAD_JOB, instance, job


@dataclass(frozen=True, slots=True)
class Job:
    """A job that is not done. `incident`: it failed for good and waits for a person."""

    number: int
    kind: str
    status: str
    incident: bool
    instance: str | None
    title: str | None
    element: str | None
    attempts: int
    not_before: datetime | None
    created_at: datetime
    error: str | None
    payload: Mapping[str, Any]


def jobs(conn: Connection, *, incidents: bool = False, limit: int | None = None) -> tuple[Job, ...]:
    """What is not done, the oldest first; only `incidents`, if wanted."""
    query = (
        select(job, instance.c.title)
        .select_from(job.outerjoin(instance, instance.c.id == job.c.instance_id))
        .where(_undone(incidents))
        .order_by(job.c.id)
    )
    return tuple(
        Job(
            number=row.id, kind=row.kind, status=row.status, incident=row.status == "dead",
            instance=None if row.instance_id is None else label(row.instance_id), title=row.title,
            element=row.payload.get("element"), attempts=row.attempts, not_before=row.not_before,
            created_at=row.created_at, error=row.error, payload=row.payload,
        )
        for row in conn.execute(query if limit is None else query.limit(limit))
    )  # fmt: skip


def jobs_total(conn: Connection, *, incidents: bool = False) -> int:
    """How many there are without a limit."""
    return total(conn, select(job.c.id).where(_undone(incidents)))


def _undone(incidents: bool) -> ColumnElement[bool]:
    return DEAD_JOB if incidents else job.c.status.in_(("new", "dead"))


def incident_count(conn: Connection) -> int:
    """How many jobs wait for a person."""
    return conn.execute(select(func.count()).select_from(job).where(DEAD_JOB)).scalar_one()
