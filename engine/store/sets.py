"""Compares the sealed sets with the journal's entries of them, `archive.sealed`.

An entry stands in the chain of the instance that was sealed, or of one that it called and whose step sealed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, Select, select, type_coerce

from engine.model import label
from engine.store.groundwork import Say, judge
from engine.store.tables import archive, instance, journal
from engine.store.told import facts_of, number_of
from engine.store.verify import MISSING, UNKNOWN

TOLD = ("number", "sha256", "files", "size", "custodian", "retention", "keep_until")
"""What an entry says of a set."""
_ENTRIES = (
    select(
        journal.c.chain, journal.c.seq, type_coerce(journal.c.at, BigInteger).label("at"), journal.c.by,
        journal.c.facts,
    )
    .where(journal.c.kind == "archive.sealed")
    .order_by(journal.c.chain, journal.c.seq)
    .execution_options(yield_per=300)
)  # fmt: skip
_SETS: Select[Any] = select(
    archive.c.instance_id, archive.c.number, archive.c.sha256, archive.c.files, archive.c.size, archive.c.custodian,
    archive.c.retention, archive.c.keep_until, archive.c.manifest, archive.c.sealed_by,
    type_coerce(archive.c.sealed_at, BigInteger).label("sealed_at"),
)  # fmt: skip
_KEYS = select(archive.c.instance_id, archive.c.number)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the journal says of one set, and the set's row, if it is there."""

    instance: int
    """The one that was sealed."""
    chain: str
    seq: int
    at: int
    by: str
    facts: Mapping[str, Any]
    row: Row[Any] | None

    @property
    def number(self) -> object:
        """Of the instance's sets."""
        return self.facts.get("number")


def entries(conn: Connection) -> Iterator[Entry]:
    """Every entry of a set, and the row it speaks of."""
    for part in conn.execute(_ENTRIES).partitions():
        numbers = {row.chain: number_of(row.chain) for row in part}
        query = select(instance.c.id, instance.c.root_id).where(instance.c.id.in_(list(numbers.values())))
        roots = {row.id: row.root_id or row.id for row in conn.execute(query)}
        there = {
            (row.instance_id, row.number): row
            for row in conn.execute(_SETS.where(archive.c.instance_id.in_(list(roots.values()))))
        }
        for row in part:
            whole = roots.get(numbers[row.chain])
            if whole is not None:  # else the instance itself is missing, which is said of it
                facts = facts_of(row.facts)
                found = there.get((whole, facts.get("number")))
                yield Entry(whole, row.chain, row.seq, row.at, row.by, facts, found)


def compare(conn: Connection, say: Say) -> None:
    """Every sealed set that the journal contradicts, misses or does not know."""
    left = {(row.instance_id, row.number) for row in conn.execute(_KEYS)}
    for entry in entries(conn):
        name = f"{label(entry.instance)} ({entry.number})"
        if entry.row is None:
            say(entry.chain, entry.seq, MISSING, table="archive", name=name)
            continue
        left.discard((entry.instance, entry.row.number))
        told = {column: entry.facts[column] for column in TOLD if column in entry.facts}
        told |= {"sealed_at": entry.at, "sealed_by": entry.by, "manifest": entry.facts.get("sha256")}
        manifest = entry.row.manifest
        sum_ = sha256(manifest.encode()).hexdigest() if isinstance(manifest, str) else None
        judge(say, entry.chain, entry.seq, "archive", name, told, {**entry.row._mapping, "manifest": sum_})
    for number, which in left:
        say(label(number), None, UNKNOWN, table="archive", name=f"{label(number)} ({which})")
