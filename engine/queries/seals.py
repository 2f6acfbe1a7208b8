"""The seals: what binds all chains of the journal together."""

from __future__ import annotations

from sqlalchemy import Connection, select

from engine.store.seal import Seal
from engine.store.tables import seal


def newest(conn: Connection) -> Seal | None:
    """The last seal; None before the first."""
    row = conn.execute(
        select(seal.c.number, seal.c.at, seal.c.hash).order_by(seal.c.number.desc()).limit(1)
    ).one_or_none()
    return None if row is None else Seal(row.number, row.at, bytes(row.hash))
