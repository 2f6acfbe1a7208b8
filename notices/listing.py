"""What became of the messages: reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select

from engine.errors import NotFound
from engine.queries.totals import total
from engine.store.tables import person
from notices.readers import everybody
from notices.settings import NONE, Settings
from notices.tables import FAILED, WAITING, delivery


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one person or chat."""

    number: int
    kind: str
    person: str | None
    person_name: str | None
    channel: str
    subject: str | None
    """Once it was tried."""
    status: str
    attempts: int
    next_try: datetime | None
    created_at: datetime
    tried_at: datetime | None
    error: str | None
    about: tuple[Any, ...]
    """The journal's rows, (chain, seq), as far as they are listed."""
    total: int
    """How many it tells of."""


_NOTICES = select(delivery, person.c.name.label("person_name")).select_from(
    delivery.outerjoin(person, person.c.id == delivery.c.person)
)


def notices(conn: Connection, *, status: str = "open", limit: int | None = None) -> tuple[Notice, ...]:
    """Messages, the newest first: `open` (not done: waiting or failed), `failed`, or `all`."""
    query = _wanted(status).order_by(delivery.c.id.desc())
    return tuple(_notice(row) for row in conn.execute(query if limit is None else query.limit(limit)))


def notices_total(conn: Connection, *, status: str = "open") -> int:
    """How many there are without a limit."""
    return total(conn, _wanted(status))


def _wanted(status: str) -> Select[Any]:
    if status == "failed":
        return _NOTICES.where(FAILED)
    return _NOTICES.where(or_(WAITING, FAILED)) if status == "open" else _NOTICES


def find(conn: Connection, number: int) -> Notice:
    """One message. Raises NotFound."""
    row = conn.execute(_NOTICES.where(delivery.c.id == number)).one_or_none()
    if row is None:
        raise NotFound("There is no notice {number}; see `flow notice list`", number=number)
    return _notice(row)


def failed_count(conn: Connection) -> int:
    """How many messages wait for a person."""
    return conn.execute(select(func.count()).select_from(delivery).where(FAILED)).scalar_one()


def unreachable(conn: Connection, settings: Settings) -> tuple[str, ...]:
    """The names of the people whom no notice reaches, though they do not refuse them."""
    people = everybody(conn).values()
    return tuple(
        each.name
        for each in people
        if each.channel != NONE and settings.channel_of(each.email, each.channel) is None
    )


def _notice(row: Any) -> Notice:
    return Notice(
        number=row.id, kind=row.kind, person=row.person, person_name=row.person_name, channel=row.channel,
        subject=row.subject, status=row.status, attempts=row.attempts, next_try=row.not_before,
        created_at=row.created_at, tried_at=row.tried_at, error=row.error,
        about=() if row.kind == "digest" else tuple(tuple(each) for each in row.about), total=row.total,
    )  # fmt: skip
