"""The journal: what happened, append-only, every row bound to the one before it.

Each instance has a chain of its own, whose head (the number and the hash of its last row) lies in the
instance's locked row; the organisation's chains keep theirs in the table `chain`. A row's hash is SHA-256
(FIPS 180-4) over the previous hash and all that the row says, in the very bytes that are stored.
`delivered_at` is not part of it: it says how far notices have come, not what happened. A row that concerns no
notice has it from the start.

What the chains prove, and what only a seal kept elsewhere can, is said in `engine.store.seal`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.store import tables
from engine.store.columns import to_micros

INSTANCE_CHAIN = re.compile(r"SV-([1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends: the number of its last row (from 1; 0: no row yet) and that row's hash."""

    seq: int
    hash: bytes


START = Head(0, tables.NO_HASH)
"""The head of a chain without rows."""

ANNOUNCED = frozenset(
    {
        *("task.opened", "task.assigned", "task.delegated"),
        *("notice.reminder", "notice.overdue", "notice.given"),
        *("job.failed", "element.failed", "schedule.failed"),
    }
)
"""Kinds of entries that somebody may have to be told of: their rows wait to be taken over by the notices."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: when, by whom, for whom, what kind, about what, the facts (JSON)."""

    at: datetime
    by: str
    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None
    acting_for: str | None = None


_INSERT = insert(tables.journal)
_SELECT_CHAIN = select(tables.chain.c.seq, tables.chain.c.hash)


def digest(*parts: bytes | str | int | None) -> bytes:
    """SHA-256 over `parts`, each after its kind and length, so that no two lists of parts run together."""
    framed = bytearray()
    for part in parts:
        if part is None:
            framed += b"-"
            continue
        if isinstance(part, int):
            mark, raw = b"i", b"%d" % part
        elif isinstance(part, str):
            mark, raw = b"s", part.encode()
        else:
            mark, raw = b"b", part
        framed += b"%b%d:%b" % (mark, len(raw), raw)
    return hashlib.sha256(framed).digest()


def instance_chain(instance_id: int) -> str:
    """The name of an instance's chain."""
    return f"SV-{instance_id}"


def head_values(head: Head) -> dict[str, Any]:
    """The columns of `instance` that keep the head of its chain, and leave word for the sealer."""
    return {"head_seq": head.seq, "head_hash": head.hash, "sealed": False}


def append(conn: Connection, chain: str, head: Head, entries: Sequence[Entry]) -> Head:
    """Write `entries` after `head` and return the new head, which the caller saves in the same transaction.

    The caller holds the lock on the row that keeps the head. Raises TypeError for facts that JSON cannot
    hold.
    """
    if not entries:
        return head
    rows = []
    seq, prev = head.seq, head.hash
    for entry in entries:
        seq += 1
        facts = orjson.dumps(entry.facts, option=orjson.OPT_SORT_KEYS).decode()
        at = to_micros(entry.at)
        now = digest(prev, chain, seq, at, entry.by, entry.acting_for, entry.kind, entry.subject, facts)
        rows.append(
            {
                "chain": chain,
                "seq": seq,
                "at": entry.at,
                "by": entry.by,
                "acting_for": entry.acting_for,
                "kind": entry.kind,
                "subject": entry.subject,
                "facts": facts,
                "prev": prev,
                "hash": now,
                "delivered_at": None if entry.kind in ANNOUNCED else entry.at,
            }
        )
        prev = now
    conn.execute(_INSERT, rows)
    return Head(seq, prev)


def append_shared(conn: Connection, chain: str, entries: Sequence[Entry]) -> Head:
    """Write `entries` to a chain of the organisation, whose head the table `chain` keeps; made when new.

    Raises ValueError when the name is an instance's.
    """
    if INSTANCE_CHAIN.fullmatch(chain):
        raise ValueError(f"{chain} is the chain of an instance")
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    conn.execute(make(tables.chain).values(name=chain).on_conflict_do_nothing())
    mine = tables.chain.c.name == chain
    row = conn.execute(_SELECT_CHAIN.where(mine).with_for_update()).one()
    head = append(conn, chain, Head(row.seq, row.hash), entries)
    conn.execute(update(tables.chain).where(mine).values(seq=head.seq, hash=head.hash, sealed=False))
    return head
