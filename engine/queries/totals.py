"""How many rows a list would have that is shown only in part."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, func, select


def total(conn: Connection, query: Select[Any]) -> int:
    """How many rows the query finds, whatever order and limit it has."""
    rows = query.order_by(None).limit(None).subquery()
    return conn.execute(select(func.count()).select_from(rows)).scalar_one()
