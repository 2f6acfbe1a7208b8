"""Histories for the tests to seal, to verify and to tamper with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from engine.store import Store
from engine.store.columns import to_micros
from engine.store.journal import (
    START,
    Entry,
    Head,
    append,
    digest,
    head_values,
    instance_chain,
)
from engine.store.seal import Seal, seal_hash
from engine.store.tables import chain, definition, instance, journal
from engine.store.tables import seal as seals
from engine.store.verify import Verdict

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
PHONE = "13800138000"


def new_instance(conn: Connection) -> int:
    if conn.execute(select(definition)).first() is None:
        conn.execute(
            insert(definition).values(
                hash="d",
                procedure="p",
                version=1,
                code="C",
                title="T",
                published_at=NOW,
                published_by="x",
                bundle=b"",
                facts={},
            )
        )
    row = conn.execute(
        insert(instance).values(
            definition="d",
            process="p",
            procedure="p",
            unit="u",
            title="t",
            status="running",
            state=b"",
            state_format=1,
            started_at=NOW,
            started_by="zhang",
        )
    )
    assert row.inserted_primary_key
    return int(row.inserted_primary_key[0])


def happen(conn: Connection, number: int, *facts: dict[str, Any]) -> None:
    """Some steps of an instance, as a command writes them."""
    mine = instance.c.id == number
    kept = conn.execute(select(instance.c.head_seq, instance.c.head_hash).where(mine).with_for_update()).one()
    entries = [Entry(NOW, "zhang", "task.completed", fact, f"SV-{number}.1", "li") for fact in facts]
    head = append(conn, instance_chain(number), Head(*kept), entries)
    conn.execute(update(instance).where(mine).values(**head_values(head)))


class UndoneError(Exception):
    """Ends a transaction that only tried something out."""


@contextmanager
def tampering(store: Store) -> Iterator[Connection]:
    """A transaction that is taken back, so that each attempt starts from the same history."""
    try:
        with store.write() as conn:
            yield conn
            raise UndoneError
    except UndoneError:
        pass


def places(verdict: Verdict) -> set[tuple[str, int | None]]:
    return {(fault.chain, fault.seq) for fault in verdict.faults}


def newest_seal(conn: Connection) -> Seal:
    row = conn.execute(select(seals).order_by(seals.c.number.desc()).limit(1)).one()
    return Seal(row.number, row.at, row.hash)


def at(name: str, seq: int) -> Any:
    return (journal.c.chain == name) & (journal.c.seq == seq)


def rewrite(conn: Connection, name: str, first: int) -> None:
    """Lie about row `first`, then recompute every hash after it and the head: no row contradicts another."""
    conn.execute(update(journal).where(at(name, first)).values(by="somebody else"))
    rows = conn.execute(select(journal).where(journal.c.chain == name).order_by(journal.c.seq)).all()
    prev = rows[first - 2].hash if first > 1 else START.hash
    for row in rows[first - 1 :]:
        now = digest(
            prev, name, row.seq, to_micros(row.at), row.by, row.acting_for, row.kind, row.subject, row.facts
        )
        conn.execute(update(journal).where(at(name, row.seq)).values(prev=prev, hash=now))
        prev = now
    set_head(conn, name, Head(rows[-1].seq, prev))


def set_head(conn: Connection, name: str, head: Head) -> None:
    if name.startswith("SV-"):
        mine = instance.c.id == int(name.removeprefix("SV-"))
        conn.execute(update(instance).where(mine).values(**head_values(head)))
    else:
        conn.execute(update(chain).where(chain.c.name == name).values(seq=head.seq, hash=head.hash))


def rewrite_seals(conn: Connection) -> None:
    """Make every seal name the rows as they are now and bind the seal before it."""
    import orjson

    prev = START.hash
    for row in conn.execute(select(seals).order_by(seals.c.number)).all():
        named = []
        for name, seq, _ in orjson.loads(row.heads):
            there = conn.execute(select(journal.c.hash).where(at(name, seq))).scalar()
            if there is not None:
                named.append((name, seq, there.hex()))
        heads = orjson.dumps(named).decode()
        now = seal_hash(prev, row.number, to_micros(row.at), heads)
        conn.execute(
            update(seals).where(seals.c.number == row.number).values(heads=heads, prev=prev, hash=now)
        )
        prev = now
