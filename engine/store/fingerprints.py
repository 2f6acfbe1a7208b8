"""What rows too long to be repeated in the journal come to: it keeps the sums, `audit verify` compares them.

SHA-256 (FIPS 180-4) over the values as JSON, keys in order, in hexadecimal.
"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Connection, select

from engine.store import tables
from engine.store.journal import digest


def of_calendar(body: Any) -> str:
    """Of a working-day table, as it is stored."""
    return digest(_text(body)).hex()


def of_arithmetic(anchors: Any, counting: str | None, calendar: str | None, lines: Any) -> str:
    """Of how a due date was counted: what it was measured from, how, by which table, day by day."""
    return digest(_text(anchors), counting, calendar, _text(lines)).hex()


def of_organisation(conn: Connection) -> str:
    """Of the organisation as its tables have it: who may do what where, who stands in for whom."""
    said = []
    for table in _ORGANISATION:
        columns = [each for each in table.c if not (table is tables.substitute and each.name == "id")]
        said.append(sorted(orjson.dumps(tuple(row)).decode() for row in conn.execute(select(*columns))))
    return digest(_text(said)).hex()


_ORGANISATION = (
    *(tables.unit, tables.role, tables.person),
    *(tables.holding, tables.permission, tables.substitute),
)


def _text(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
