"""What a sealed set holds: the records, the definitions, the journal of an instance and of those it called.

A set is no copy. Its manifest names every file with its SHA-256 (FIPS 180-4); the records lie in the workspace, the
definitions and the journal in the database, and both give the same bytes again as long as nobody changes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, func, or_, select

from engine.calendar.durations import Duration, parse_duration
from engine.errors import Problem
from engine.model import label
from engine.procedures import from_files
from engine.procedures.packing import unpack
from engine.store import tables
from engine.store.columns import to_micros
from engine.store.seal import Seal

FORMAT = "satisflow-archive/1"
HISTORY = "history.jsonl"
PERMANENT = "permanent"
_CHUNK = 500
Head = tuple[str, int, str]
"""Where a chain stood: its name, the number of its last row, that row's hash in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a set: its name there, its SHA-256 in hexadecimal, its size in bytes, and what else is known."""

    name: str
    sha256: str
    size: int
    facts: Mapping[str, object]


def family(conn: Connection, number: int) -> list[int]:
    """An instance and all it called, oldest first."""
    table = tables.instance
    query = select(table.c.id).where(or_(table.c.id == number, table.c.root_id == number))
    return list(conn.execute(query.order_by(table.c.id)).scalars())


def heads(conn: Connection, numbers: Sequence[int]) -> list[Head]:
    """Where the chains of instances stand."""
    table = tables.instance
    found: list[Head] = []
    for start in range(0, len(numbers), _CHUNK):
        query = select(table.c.id, table.c.head_seq, table.c.head_hash).order_by(table.c.id)
        rows = conn.execute(query.where(table.c.id.in_(numbers[start : start + _CHUNK])))
        found += [(label(row.id), row.head_seq, bytes(row.head_hash).hex()) for row in rows if row.head_seq]
    return found


def newest_seal(conn: Connection) -> str | None:
    """The latest seal of the journal as it is printed; None when there is none."""
    table = tables.seal
    row = conn.execute(select(table).order_by(table.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else str(Seal(row.number, row.at, bytes(row.hash)))


def records(conn: Connection, numbers: Sequence[int]) -> list[Item]:
    """The controlled documents; of one made again, the latest."""
    table = tables.record
    found: dict[str, Any] = {}
    for start in range(0, len(numbers), _CHUNK):
        query = (
            select(table).where(table.c.instance_id.in_(numbers[start : start + _CHUNK])).order_by(table.c.id)
        )
        found |= {row.path: row for row in conn.execute(query)}
    return [
        Item(
            row.path,
            row.sha256,
            row.size,
            {"title": row.name, "code": row.code, "element": row.element, "instance": label(row.instance_id),
             "made_at": row.made_at.isoformat(), "made_by": row.made_by},
        )
        for row in sorted(found.values(), key=lambda each: str(each.path))
    ]  # fmt: skip


def damage(folder: Path, found: Iterable[Item]) -> Iterator[Problem]:
    """Which files of records are gone, or not as they were made; `folder` is the workspace."""
    for each in found:
        file = folder / each.name
        if not file.is_file():
            yield Problem("", "The file {path} is missing: put it back from a backup", {"path": each.name})
            continue
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        if digest != each.sha256:
            template = "The file {path} was changed after it was made: put it back as it was"
            yield Problem("", template, {"path": each.name})


def definitions(conn: Connection, numbers: Sequence[int]) -> dict[str, Mapping[str, bytes]]:
    """The bundles of the definitions that ran, by the folder they stand in."""
    table, instance = tables.definition, tables.instance
    ran: set[str] = set()
    for start in range(0, len(numbers), _CHUNK):
        query = select(instance.c.definition).where(instance.c.id.in_(numbers[start : start + _CHUNK]))
        ran.update(conn.execute(query.distinct()).scalars())
    rows = conn.execute(
        select(table.c.procedure, table.c.version, table.c.bundle).where(table.c.hash.in_(sorted(ran)))
    )
    return {f"definitions/{row.procedure}-{row.version}": unpack(row.bundle) for row in rows}


def history(conn: Connection, chains: Sequence[Head]) -> Iterator[bytes]:
    """The journal's rows up to these heads, a line of JSON each, exactly as they are stored and hashed.

    `at` is in microseconds since 1970-01-01T00:00Z; personal values are digests. Raises nothing for a row that
    somebody spoiled: its line differs.
    """
    table, last = tables.journal, {chain: seq for chain, seq, _ in chains}
    names = sorted(last, key=lambda name: (len(name), name))
    query = select(table).order_by(func.length(table.c.chain), table.c.chain, table.c.seq)
    for start in range(0, len(names), _CHUNK):
        chunk = query.where(table.c.chain.in_(names[start : start + _CHUNK]))
        for row in conn.execute(chunk.execution_options(yield_per=_CHUNK)):
            if row.seq <= last[row.chain]:
                yield _line(row)


def _line(row: Any) -> bytes:
    plain = {
        "chain": row.chain, "seq": row.seq, "at": to_micros(row.at), "by": row.by, "acting_for": row.acting_for,
        "kind": row.kind, "subject": row.subject, "facts": row.facts, "prev": bytes(row.prev).hex(),
        "hash": bytes(row.hash).hex(),
    }  # fmt: skip
    return orjson.dumps(plain, option=orjson.OPT_APPEND_NEWLINE)


def measured(parts: Iterator[bytes]) -> tuple[str, int]:
    """The SHA-256 in hexadecimal and the size of bytes that come in pieces."""
    digest, size = hashlib.sha256(), 0
    for part in parts:
        digest.update(part)
        size += len(part)
    return digest.hexdigest(), size


def items(conn: Connection, numbers: Sequence[int], chains: Sequence[Head]) -> list[Item]:
    """Every file of the set, in the order of names."""
    found = records(conn, numbers)
    for folder, files in definitions(conn, numbers).items():
        for name, raw in files.items():
            found.append(Item(f"{folder}/{name}", hashlib.sha256(raw).hexdigest(), len(raw), {}))
    found.append(Item(HISTORY, *measured(history(conn, chains)), {}))
    return sorted(found, key=lambda each: each.name)


def retention_of(conn: Connection, numbers: Sequence[int]) -> str | None:
    """The longest time that any record of the procedures is kept; None when they say nothing."""
    found: list[str] = []
    for files in definitions(conn, numbers).values():
        found += [each.retention for each in from_files(files).records.values() if each.retention]
    if PERMANENT in found:
        return PERMANENT
    return max(found, key=lambda text: _length(text).move(date(2000, 1, 1)), default=None)


def keep_until(retention: str | None, day: date) -> date | None:
    """The first day on which a set sealed on `day` need not be kept any more; None: for ever, or not said.

    Raises Invalid for a text that is no duration of years, months, weeks or days.
    """
    if retention in (None, PERMANENT):
        return None
    return _length(str(retention)).move(day)


def _length(text: str) -> Duration:
    return parse_duration(text)


def manifest(
    head: Mapping[str, object], chains: Sequence[Head], seal: str | None, found: Sequence[Item]
) -> str:
    """The list of a set, in the very bytes that are hashed."""
    plain = {
        "archive": FORMAT,
        **head,
        "journal": {"heads": chains, "seal": seal},
        "files": [
            {**each.facts, "name": each.name, "sha256": each.sha256, "size": each.size} for each in found
        ],
    }
    return orjson.dumps(plain, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"
