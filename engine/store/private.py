"""Personal values: kept apart from the journal, so that they can be erased without breaking it.

The journal holds `{"$private": DIGEST}` in their place, SHA-256 over a random salt and the value. Salt and
value lie in the table `private`. Erasing removes both: without the salt not even a guessed telephone number
can be tried against the digest.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select, update

from engine.store.tables import private

MARKER = re.compile(r'\{"\$private":"([0-9a-f]{64})"\}')
"""A marker in stored facts. Inside a text the quotes would be escaped, so only true markers match."""

_CHUNK = 500


def set_aside(conn: Connection, owner: str, value: Any) -> dict[str, str]:
    """Keep `value` (JSON) as a personal value of `owner`; return the marker to put in its place."""
    salt = secrets.token_bytes(32)
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    digest = private_digest(salt, text)
    conn.execute(insert(private).values(digest=digest, owner=owner, salt=salt, value=text))
    return {"$private": digest}


def private_digest(salt: bytes, text: str) -> str:
    """What stands for a personal value: SHA-256 over the salt (32 bytes) and its JSON text, in hex."""
    return hashlib.sha256(salt + text.encode()).hexdigest()


def erase(conn: Connection, owner: str, at: datetime) -> int:
    """Erase every personal value of `owner` and return how many there were. The journal stays verifiable.

    The bytes are overwritten in an SQLite file, but live on in its `-wal` file until the next checkpoint (at
    the latest when the last program closes it), on PostgreSQL until the next VACUUM, and in backups taken
    before.
    """
    statement = update(private).where(private.c.owner == owner, private.c.erased_at.is_(None))
    statement = statement.values(salt=None, value=None, erased_at=at)
    with overwriting(conn):
        return conn.execute(statement).rowcount


@contextmanager
def overwriting(conn: Connection) -> Iterator[None]:
    """What the block deletes or replaces in an SQLite file is overwritten there."""
    if conn.dialect.name != "sqlite":
        yield
        return
    usual = conn.exec_driver_sql("PRAGMA secure_delete").scalar_one()
    conn.exec_driver_sql("PRAGMA secure_delete = ON")
    try:
        yield
    finally:
        conn.exec_driver_sql(f"PRAGMA secure_delete = {int(usual)}")


def reveal(conn: Connection, facts: Any) -> Any:
    """A copy of `facts` (any JSON value, also a list of many) with the personal values in their places.

    An erased value is shown as `{"$erased": DAY}`, its day of erasure in UTC. A marker whose row is missing
    stays.
    """
    digests = MARKER.findall(orjson.dumps(facts).decode())
    values: dict[str, Any] = {}
    for start in range(0, len(digests), _CHUNK):
        columns = select(private.c.digest, private.c.value, private.c.erased_at)
        for row in conn.execute(columns.where(private.c.digest.in_(digests[start : start + _CHUNK]))):
            erased = {"$erased": row.erased_at.date().isoformat()} if row.erased_at else None
            values[row.digest] = erased or orjson.loads(row.value)
    return _fill(facts, values)


def _fill(facts: Any, values: dict[str, Any]) -> Any:
    if isinstance(facts, dict):
        if facts.keys() == {"$private"}:
            return values.get(facts["$private"], facts)
        return {name: _fill(value, values) for name, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [_fill(value, values) for value in facts]
    return facts
