"""What the table `setting` keeps: read as text first, so that a damaged value is told by its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import Connection, Text, select, type_coerce

from engine.errors import EngineError
from engine.store.tables import setting

DAMAGED = (
    "The setting {name} in the database was altered: nobody can read {found}. Stop every program that uses the "
    "database and restore the last backup"
)
_ROWS = select(setting.c.name, type_coerce(setting.c.value, Text).label("value"))


def kept(conn: Connection, name: str) -> Any:
    """A setting of the workspace; None when there is none. Raises EngineError for one that was damaged."""
    row = conn.execute(_ROWS.where(setting.c.name == name)).one_or_none()
    try:
        return None if row is None else orjson.loads(row.value)
    except ValueError:
        raise damaged(name, row.value if row is not None else None) from None


def damaged(name: str, found: object) -> EngineError:
    """The error that says so."""
    return EngineError(DAMAGED, name=name, found=repr(found)[:60])


def unreadable(conn: Connection) -> Iterator[EngineError]:
    """An error for every setting that was damaged."""
    for row in conn.execute(_ROWS.order_by(setting.c.name)).all():
        try:
            orjson.loads(row.value)
        except ValueError:
            yield damaged(row.name, row.value)
