"""Seals: all chains of the journal bound into one, and the proof that none was touched.

A seal names the heads of the chains that grew since the seal before it, and binds that seal's hash. So the
hash of one seal stands for all that had happened up to it. Print it, mail it, have it signed: kept outside,
it is what the program's owner cannot rewrite. What `verify` proves:

* by the chains alone: no row was altered, dropped, inserted or moved by anyone who did not recompute all the
  hashes after it and the head as well;
* by the seals: nobody recomputed a chain up to its last sealed row, or dropped a chain, without recomputing
  every later seal as well; and no newest seal was deleted while a chain that it names still is as it was sealed;
* by a seal kept outside: nothing up to that seal was rewritten at all.

What no check can find: a consistent rewrite (rows, hashes and heads together) of what is younger than the
last seal kept outside; an erasure of personal values that was not journaled; a `delivered_at` that could be true,
of an entry of which no message was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Column, Connection, Select, select, text, update

from engine.errors import Invalid, Problem
from engine.store.columns import to_micros
from engine.store.journal import INSTANCE_CHAIN, digest, instance_chain
from engine.store.tables import NO_HASH, UNSEALED_CHAIN, UNSEALED_INSTANCE, chain, instance
from engine.store.tables import seal as seal_table

_MOST_HEADS = 10_000
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal as it is kept outside: its number (from 1), its instant, the hash that stands for all before."""

    number: int
    at: datetime
    hash: bytes

    def __str__(self) -> str:
        """One line to print or mail; `read_seal` reads it back."""
        return f"{self.number} {self.at.astimezone(UTC).isoformat()} {self.hash.hex()}"


MAX_BYTES = 1_000
"""Of a file with a seal."""


def read_seal(line: str) -> Seal:
    """The seal that `str(seal)` wrote. Raises Invalid for anything else."""
    try:
        number, at, hexadecimal = line.split()
        seal = Seal(int(number), datetime.fromisoformat(at), bytes.fromhex(hexadecimal))
        if seal.at.tzinfo is None or len(seal.hash) != len(NO_HASH):
            raise ValueError
    except ValueError:
        problem = Problem(
            "seal", "{line!r} is no seal: it needs a number, an instant and 64 hex digits", {"line": line}
        )
        raise Invalid([problem]) from None
    return seal


def seal_hash(prev: bytes, number: int, at: int, heads: str) -> bytes:
    """The hash of a seal over the seal before it (`at` in microseconds since 1970 UTC, `heads` as stored)."""
    return digest(prev, "seal", number, at, heads)


def seal(conn: Connection, at: datetime) -> Seal | None:
    """Seal all chains that grew since the last seal and return the newest seal, or None when none grew.

    Makes a further seal for every 10,000 heads. Chains that a step has locked at this moment wait for the
    next call, so that the sealer never stands in anybody's way.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(text("LOCK TABLE seal IN SHARE ROW EXCLUSIVE MODE"))
    newest = select(seal_table.c.number, seal_table.c.hash).order_by(seal_table.c.number.desc()).limit(1)
    last = conn.execute(newest).first()
    number, prev = (last.number, last.hash) if last else (0, NO_HASH)
    made = None
    for heads in _take_unsealed(conn):
        number += 1
        stored = orjson.dumps([(name, seq, hash_.hex()) for name, seq, hash_ in heads]).decode()
        now = seal_hash(prev, number, to_micros(at), stored)
        conn.execute(seal_table.insert().values(number=number, at=at, heads=stored, prev=prev, hash=now))
        made = Seal(number, at, now)
        prev = now
    return made


def _take_unsealed(conn: Connection) -> Iterator[list[tuple[str, int, bytes]]]:
    """The heads that wait for a seal, up to 10,000 of a kind at a time, marked as sealed when given out."""
    instances = select(instance.c.id, instance.c.head_seq, instance.c.head_hash).where(UNSEALED_INSTANCE)
    chains = select(chain.c.name, chain.c.seq, chain.c.hash).where(UNSEALED_CHAIN)
    while True:
        rows = [
            (instance_chain(id_), seq, hash_) for id_, seq, hash_ in _take(conn, instances, instance.c.id)
        ]
        rows += _take(conn, chains, chain.c.name)
        if not rows:
            return
        if heads := [(name, seq, bytes(hash_)) for name, seq, hash_ in rows if seq > 0]:
            yield heads


def _take(
    conn: Connection, unsealed: Select[int, int, bytes] | Select[str, int, bytes], key: Column[Any]
) -> list[tuple[Any, int, bytes]]:
    rows = conn.execute(unsealed.order_by(key).limit(_MOST_HEADS).with_for_update(skip_locked=True)).all()
    for start in range(0, len(rows), _CHUNK):
        mine = key.in_([row[0] for row in rows[start : start + _CHUNK]])
        conn.execute(update(key.table).where(mine).values(sealed=True))
    return [(row[0], row[1], row[2]) for row in rows]


def unnamed(conn: Connection) -> dict[str, int]:
    """Chains marked as sealed whose head, row n, no seal names: its seal was deleted.

    Holds two numbers for each sealed instance, of all else one seal at a time.
    """
    sealed = select(instance.c.id, instance.c.head_seq).where(instance.c.sealed, instance.c.head_seq > 0)
    others = select(chain.c.name, chain.c.seq).where(chain.c.sealed, chain.c.seq > 0)
    left: dict[int | str, int] = {}
    for query in (sealed, others):
        left.update((key, seq) for key, seq in conn.execute(query.execution_options(yield_per=2000)))
    heads = select(seal_table.c.heads).execution_options(yield_per=10)
    for (stored,) in conn.execute(heads):
        for name, seq in _named(stored):
            match = INSTANCE_CHAIN.fullmatch(name)
            key = name if match is None else int(match[1])
            if left.get(key) == seq:
                del left[key]
    return {key if isinstance(key, str) else instance_chain(key): seq for key, seq in left.items()}


def _named(stored: str) -> list[tuple[str, int]]:
    """The chains that a seal names, and up to which row; nothing where its heads were replaced."""
    try:
        return [(str(name), int(seq)) for name, seq, _ in orjson.loads(stored)]
    except (ValueError, TypeError):
        return []
