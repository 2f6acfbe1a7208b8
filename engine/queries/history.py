"""The journal as a log book: what happened, in order, personal values in their places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, select

from engine.model import label
from engine.store.journal import instance_chain
from engine.store.private import reveal
from engine.store.tables import instance, journal, person

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One entry: its place in its chain, when, who (and for whom), what, about what."""

    chain: str
    seq: int
    at: datetime
    by: str
    by_name: str
    acting_for: str | None
    kind: str
    subject: str | None
    facts: Mapping[str, Any]
    hash: str
    """Of the row, in hexadecimal."""


def of_instance(conn: Connection, number: int, *, children: bool = True) -> tuple[Line, ...]:
    """What happened in an instance, and (with `children`) in those it called, in the order of time."""
    chains = [instance_chain(number)]
    if children:
        rows = conn.execute(select(instance.c.id).where(instance.c.root_id == number))
        chains += [label(row.id) for row in rows]
    return _lines(conn, chains)


def of_task(conn: Connection, number: int, task: str) -> tuple[Line, ...]:
    """What happened with one task of an instance."""
    return tuple(line for line in _lines(conn, [instance_chain(number)]) if line.subject == task)


def of_chain(conn: Connection, chain: str) -> tuple[Line, ...]:
    """One chain: an instance's, or the organisation's."""
    return _lines(conn, [chain])


def everything(
    conn: Connection, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Line]:
    """All chains, one after the other; rows from `since` to before `until`. Read in pieces, never whole."""
    query = _LINES.order_by(journal.c.chain, journal.c.seq)
    if since is not None:
        query = query.where(journal.c.at >= since)
    if until is not None:
        query = query.where(journal.c.at < until)
    for part in conn.execute(query.execution_options(yield_per=_CHUNK)).partitions():
        yield from _revealed(conn, part)


_LINES: Select[Any] = select(
    journal.c.chain, journal.c.seq, journal.c.at, journal.c.by, person.c.name.label("by_name"),
    journal.c.acting_for, journal.c.kind, journal.c.subject, journal.c.facts, journal.c.hash,
).select_from(journal.outerjoin(person, person.c.id == journal.c.by))  # fmt: skip


def _lines(conn: Connection, chains: list[str]) -> tuple[Line, ...]:
    rows: list[Row[Any]] = []
    for start in range(0, len(chains), _CHUNK):
        rows += conn.execute(_LINES.where(journal.c.chain.in_(chains[start : start + _CHUNK])))
    rows.sort(key=lambda row: (row.at, len(row.chain), row.chain, row.seq))
    return tuple(_revealed(conn, rows))


def _revealed(conn: Connection, rows: Sequence[Row[Any]]) -> Iterator[Line]:
    for row, facts in zip(rows, reveal(conn, [_facts(row.facts) for row in rows]), strict=True):
        yield Line(
            row.chain, row.seq, row.at, row.by, row.by_name or row.by, row.acting_for, row.kind, row.subject, facts,
            row.hash.hex() if isinstance(row.hash, bytes) else str(row.hash),
        )  # fmt: skip


def _facts(text: str) -> dict[str, Any]:
    """What a row says. One that somebody spoiled is shown as it is: `audit verify` names it."""
    try:
        found = orjson.loads(text)
    except ValueError:
        return {"unreadable": text}
    return found if isinstance(found, dict) else {"unreadable": text}
