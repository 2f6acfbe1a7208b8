"""Compares what everything rests on, published procedures and working-day tables, with what the journal says of them.

A definition's hash is that of its files, so that the journal, which names the hash, vouches for every byte of them.
Of a working-day table the journal keeps the sum; entries written before it did are compared without.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

import orjson
from sqlalchemy import BigInteger, Connection, Row, Text, select, type_coerce

from engine.errors import EngineError
from engine.procedures import bundle_hash, from_files
from engine.procedures.packing import listed, unpack
from engine.store import fingerprints
from engine.store.tables import calendar_table, definition, definition_call, journal
from engine.store.verify import DIFFERS, MISSING, UNKNOWN

_CHAIN = "org"
_ENTRIES = (
    select(
        journal.c.seq, type_coerce(journal.c.at, BigInteger).label("at"), journal.c.by, journal.c.kind,
        journal.c.subject, journal.c.facts,
    )
    .where(journal.c.chain == _CHAIN, journal.c.kind.in_(("procedure.published", "calendar.imported")))
    .order_by(journal.c.seq)
)  # fmt: skip
_DEFINITIONS = select(
    definition.c.hash, definition.c.procedure, definition.c.version, definition.c.published_by,
    type_coerce(definition.c.published_at, BigInteger).label("published_at"), definition.c.code, definition.c.title,
    type_coerce(definition.c.facts, Text).label("facts"),
)  # fmt: skip
_TABLES = select(
    calendar_table.c.unit, calendar_table.c.year, calendar_table.c.status, calendar_table.c.imported_by,
    type_coerce(calendar_table.c.imported_at, BigInteger).label("imported_at"),
    type_coerce(calendar_table.c.body, Text).label("body"),
).order_by(calendar_table.c.id)  # fmt: skip


class Say(Protocol):
    """Takes in one thing that does not agree."""

    def __call__(self, name: str, seq: int | None, template: str, /, **params: object) -> None: ...


def compare(conn: Connection, say: Say) -> None:
    """Every published procedure and working-day table that the journal contradicts, misses or does not know."""
    published = {str(row.hash): row for row in conn.execute(_DEFINITIONS)}
    days: dict[tuple[object, ...], list[Row[Any]]] = {}
    for row in conn.execute(_TABLES):
        days.setdefault((row.unit, row.year, row.imported_at), []).append(row)
    for entry in conn.execute(_ENTRIES).all():
        try:
            facts = orjson.loads(entry.facts)
        except (ValueError, TypeError):
            continue  # it was altered, which `verify` finds
        if entry.kind == "procedure.published":
            name = f"{entry.subject} {facts.get('version')}"
            found = published.pop(str(facts.get("definition")), None)
            if found is None:
                say(_CHAIN, entry.seq, MISSING, table="definition", name=name)
            else:
                _definition(conn, say, entry, facts, found)
            continue
        same = days.get((facts.get("unit"), facts.get("year"), entry.at))
        if same:
            _calendar(say, entry, facts, same.pop(0))
        else:
            say(_CHAIN, entry.seq, MISSING, table="calendar_table", name=_calendar_name(facts))
    for row in published.values():
        say(_CHAIN, None, UNKNOWN, table="definition", name=f"{row.procedure} {row.version}")
    for rows in days.values():
        for row in rows:
            say(_CHAIN, None, UNKNOWN, table="calendar_table", name=_calendar_name(row._asdict()))


def _definition(conn: Connection, say: Say, entry: Row[Any], facts: Mapping[str, Any], row: Row[Any]) -> None:
    name = f"{entry.subject} {facts.get('version')}"
    call = definition_call.c
    calls = {each.process: each.callee for each in conn.execute(
        select(call.process, call.callee).where(call.caller == row.hash)
    )}  # fmt: skip
    told = {
        "procedure": entry.subject, "version": facts.get("version"), "published_at": entry.at,
        "published_by": entry.by, "calls": facts.get("calls", calls),
    }  # fmt: skip
    found = {**row._mapping, "calls": calls, "facts": _read(row.facts)}
    stored = conn.execute(select(definition.c.bundle).where(definition.c.hash == row.hash)).scalar_one()
    try:
        files = unpack(stored)
        whole = bundle_hash(files, sorted(told["calls"].values())) == row.hash
    except (EngineError, AttributeError):
        whole = False
    if not whole:
        template = "{name}: the files in the table definition are not those that were published"
        say(_CHAIN, entry.seq, template, name=name)
    else:
        with suppress(EngineError):  # an old one that this program would not accept; its bytes are unaltered
            told |= listed(from_files(files))
    judge(say, _CHAIN, entry.seq, "definition", name, told, found)


def _calendar(say: Say, entry: Row[Any], facts: Mapping[str, Any], row: Row[Any]) -> None:
    told = {"status": facts.get("status"), "imported_by": entry.by}
    found = dict(row._mapping)
    if "sha256" in facts:
        body = _read(row.body)
        told["sha256"] = facts["sha256"]
        found["sha256"] = None if body is None else fingerprints.of_calendar(body)
    judge(say, _CHAIN, entry.seq, "calendar_table", _calendar_name(facts), told, found)


def judge(
    say: Say,
    chain: str,
    seq: int | None,
    table: str,
    name: str,
    told: Mapping[str, object],
    found: Mapping[Any, object],
) -> None:
    """Every column of a row that is not as it was told."""
    for column, expected in told.items():
        if found[column] != expected:
            say(chain, seq, DIFFERS, table=table, name=name, column=column,
                found=_shown(found[column]), expected=_shown(expected))  # fmt: skip


def _read(text: object) -> Any:
    """A stored value; None where somebody left something that is none."""
    try:
        return orjson.loads(text if isinstance(text, str | bytes) else "")
    except ValueError:
        return None


def _calendar_name(facts: Mapping[str, Any]) -> str:
    return f"{facts.get('unit')}" if facts.get("unit") else f"{facts.get('year')}"


def _shown(value: object) -> str:
    if value is None:
        return "–"
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


_LONGEST = 60
