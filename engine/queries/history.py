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
from engine.store.private import MARKER, reveal
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


def of_instance(
    conn: Connection, number: int, *, children: bool = True, personal: bool = True
) -> tuple[Line, ...]:
    """What happened in an instance, and (with `children`) in those it called, in the order of time.

    Without `personal`, values that may be erased are left out.
    """
    depths = {instance_chain(number): 0}
    if children:
        rows = conn.execute(
            select(instance.c.id, instance.c.parent_id)
            .where(instance.c.root_id == number)
            .order_by(instance.c.id)
        )
        for row in rows:  # a parent is always older than its children
            depths[label(row.id)] = depths.get(label(row.parent_id), 0) + 1
    return _lines(conn, list(depths), depths, personal)


def of_task(conn: Connection, number: int, task: str) -> tuple[Line, ...]:
    """What happened with one task of an instance."""
    return tuple(line for line in _lines(conn, [instance_chain(number)]) if line.subject == task)


def of_chain(conn: Connection, chain: str) -> tuple[Line, ...]:
    """One chain: an instance's, or the organisation's."""
    return _lines(conn, [chain])


def clock_changes(conn: Connection) -> tuple[Line, ...]:
    """Where history did not go on from where it stood, because somebody vouched for a clock that contradicted it."""
    rows = conn.execute(_LINES.where(journal.c.chain == "org", journal.c.kind == "clock.accepted"))
    return tuple(_revealed(conn, sorted(rows, key=lambda row: row.seq)))


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


def _lines(
    conn: Connection, chains: list[str], depths: Mapping[str, int] | None = None, personal: bool = True
) -> tuple[Line, ...]:
    rows: list[Row[Any]] = []
    for start in range(0, len(chains), _CHUNK):
        rows += conn.execute(_LINES.where(journal.c.chain.in_(chains[start : start + _CHUNK])))
    by_time = _by_time(rows)
    if depths is not None:
        by_time = _children_first(by_time, depths)
    return tuple(_revealed(conn, [row for _, row in by_time], personal))


_Timed = list[tuple[datetime, Row[Any]]]


def _by_time(rows: Sequence[Row[Any]]) -> _Timed:
    """Rows in the order of time, each with the moment it is placed by.

    That is its own, or that of the first of its chain which follows it and is earlier: what was written while a clock
    ran ahead happened before what came after it, whatever it says.
    """
    moments: dict[str, datetime] = {}
    timed = []
    for row in sorted(rows, key=lambda row: -row.seq):
        moments[row.chain] = min(row.at, moments.get(row.chain, row.at))
        timed.append((moments[row.chain], row))
    return sorted(timed, key=lambda each: (each[0], len(each[1].chain), each[1].chain, each[1].seq))


def _children_first(rows: _Timed, depths: Mapping[str, int]) -> _Timed:
    """Of what happened at one instant, the end of a batch and what follows it after its children's ends.

    `depths` says how many calls deep each chain lies.
    """
    closing: dict[str, datetime] = {}
    places = []
    for at, row in rows:
        if row.kind == "batch.done":
            closing[row.chain] = at
        depth, over = depths.get(row.chain, 0), closing.get(row.chain) == at
        places.append((at, over, -depth if over else depth))
    order = sorted(range(len(rows)), key=lambda index: places[index])
    return [rows[index] for index in order]


def _revealed(conn: Connection, rows: Sequence[Row[Any]], personal: bool = True) -> Iterator[Line]:
    stored = [_facts(MARKER.sub('"…"', row.facts)) if not personal else _facts(row.facts) for row in rows]
    for row, facts in zip(rows, reveal(conn, stored), strict=True):
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
