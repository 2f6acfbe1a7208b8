"""The controlled documents that instances produced, and whether their files are still what was listed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from engine.model import label
from engine.store.tables import record


@dataclass(frozen=True, slots=True)
class Altered:
    """A record whose file is not what the list says."""

    instance: str
    name: str
    path: str
    missing: bool


def altered(conn: Connection, folder: Path) -> Iterator[Altered | None]:
    """For every listed record: None when its file is as listed. Of a record made again the last one counts."""
    newest = {row.path: row for row in conn.execute(select(record).order_by(record.c.id))}
    for path, row in newest.items():
        file = folder / path
        if not file.is_file():
            yield Altered(label(row.instance_id), row.name, path, True)
        elif hashlib.sha256(file.read_bytes()).hexdigest() != row.sha256:
            yield Altered(label(row.instance_id), row.name, path, False)
        else:
            yield None
