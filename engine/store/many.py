"""Many rows at once, as the database keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Delete, Insert, Update


def execute_many(
    conn: Connection,
    statement: Insert | Update | Delete,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Carry a statement out for each of the rows, whose values stand in the order of `names`, its parameters.

    Values are given as the tables keep them (JSON as text, instants as microseconds): SQLAlchemy's handling of a row
    takes longer than SQLite's, and a hundred thousand of them hold the lock meanwhile.
    """
    if not rows:
        return
    if isinstance(statement, Insert):
        statement = statement.inline()  # nothing is asked back of a row
    compiled = statement.compile(dialect=conn.dialect, column_keys=list(names))
    given: Sequence[Any] = rows
    if not compiled.positional:
        given = [dict(zip(names, row, strict=True)) for row in rows]
    elif list(order := compiled.positiontup or ()) != list(names):
        given = list(map(itemgetter(*(names.index(name) for name in order)), rows))
    conn.exec_driver_sql(str(compiled), given)
