"""The controlled documents that instances produced: which of them count, and whether their files are as listed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, or_, select

from engine.errors import NotFound
from engine.model import label
from engine.queries.definitions import Library
from engine.store.tables import batch_item, instance, person, record, unit, user_task


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
        found = state_of(folder, path, row.sha256)
        if found is FileState.SOUND:
            yield None
        else:
            yield Altered(label(row.instance_id), row.name, path, found is FileState.MISSING)


class FileState(StrEnum):
    """What became of a record's file."""

    SOUND = "as listed"
    MISSING = "missing"
    CHANGED = "changed"
    REPLACED = "made again"
    """A later record has the same name and stands in its place."""


def state_of(folder: Path, path: str, sha256: str) -> FileState:
    """Whether a record's file still is what was listed; `folder` is the workspace."""
    file = folder / path
    if not file.is_file():
        return FileState.MISSING
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return FileState.SOUND if digest == sha256 else FileState.CHANGED


@dataclass(frozen=True, slots=True)
class Filed:
    """One file of a record."""

    number: int
    """By which it is called."""
    instance: str
    root: str
    """The instance at the top of the calls."""
    procedure: str
    """The title of the procedure at the top."""
    unit: str
    unit_name: str
    period: str | None
    code: str | None
    name: str
    """The record's title."""
    version: str
    """The one printed on it: the procedure's, unless the diagram says another."""
    element: str
    path: str
    """Within the workspace."""
    sha256: str
    size: int
    made_at: datetime
    made_by: str
    made_by_name: str | None
    replaced_by: int | None
    """The record whose file stands in the place of its own, which is gone."""
    later: int | None
    """The last record of the same step, for the same item: a plan drawn up again after it was sent back."""

    @property
    def counts(self) -> bool:
        """Whether its file is there to be looked at; of files written over, the last one counts."""
        return self.replaced_by is None


def filed(
    conn: Connection, library: Library, *, number: int | None = None, units: Collection[str] | None = None
) -> tuple[Filed, ...]:
    """Records in the order made: all, or those of an instance and what it called."""
    query = _FILED.order_by(record.c.id)
    if number is not None:
        query = query.where(or_(instance.c.id == number, instance.c.root_id == number))
    if units is not None:
        query = query.where(instance.c.unit.in_(units))
    return _with_heirs(conn, library, conn.execute(query).all())


def find(conn: Connection, library: Library, numbers: Sequence[int]) -> tuple[Filed, ...]:
    """The records of these numbers. Raises NotFound naming those there are not."""
    of = select(record.c.instance_id).where(record.c.id.in_(numbers))
    rows = conn.execute(_FILED.where(record.c.instance_id.in_(of)).order_by(record.c.id)).all()
    found = {each.number: each for each in _with_heirs(conn, library, rows)}
    missing = [number for number in numbers if number not in found]
    if missing:
        names = ", ".join(map(str, missing))
        raise NotFound("There is no record {numbers}; `flow record list` has their numbers", numbers=names)
    return tuple(found[number] for number in numbers)


_TOP = instance.alias("top")
_FILED: Select[Any] = (
    select(
        record, instance.c.definition, instance.c.process, instance.c.called_as, instance.c.unit,
        instance.c.root_id, instance.c.title, instance.c.period, _TOP.c.title.label("top_title"),
        _TOP.c.period.label("top_period"), unit.c.name.label("unit_name"), person.c.name.label("person_name"),
    )
    .select_from(
        record.join(instance, instance.c.id == record.c.instance_id)
        .outerjoin(_TOP, _TOP.c.id == instance.c.root_id)
        .outerjoin(unit, unit.c.id == instance.c.unit)
        .outerjoin(person, person.c.id == record.c.made_by)
    )
)  # fmt: skip
_AT_ONCE = 500
"""Tasks that one query asks for."""


def _with_heirs(conn: Connection, library: Library, rows: Sequence[Row[Any]]) -> tuple[Filed, ...]:
    """The records, each with those that came after it."""
    items = _items(conn, rows)
    over = {row.path: row.id for row in rows}
    steps = [_step(row, items) for row in rows]
    last = {step: row.id for step, row in zip(steps, rows, strict=True)}
    return tuple(
        _filed(conn, library, row, over[row.path], last[step]) for step, row in zip(steps, rows, strict=True)
    )


def _step(row: Row[Any], items: Mapping[tuple[str, str], str]) -> tuple[object, ...]:
    """What two records of one step have in common: the file; of forms, the step and the item that it was for."""
    task = (_task(row), row.element)
    if task in items:
        return row.instance_id, row.element, row.name, PurePosixPath(row.path).suffix, items[task]
    return row.instance_id, row.path


def _task(row: Row[Any]) -> str:
    """The task whose form was filed: `plan-3.txt` or `调查方案-3.docx` of SV-12 is of SV-12.3.

    For other files, one that there is not.
    """
    return f"{label(row.instance_id)}.{PurePosixPath(row.path).stem.rpartition('-')[2]}"


def _items(conn: Connection, rows: Sequence[Row[Any]]) -> dict[tuple[str, str], str]:
    """The tasks that records may be of, with their elements, to the item that each was for: tasks of a batch do not
    replace each other."""
    wanted = sorted({task for row in rows if (task := _task(row)).rpartition(".")[2].isdigit()})
    found: dict[tuple[str, str], str] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        query = (
            select(user_task.c.id, user_task.c.element, batch_item.c.input)
            .outerjoin(
                batch_item,
                and_(
                    batch_item.c.batch_id == user_task.c.batch_id, batch_item.c.idx == user_task.c.batch_index
                ),
            )
            .where(user_task.c.id.in_(wanted[start : start + _AT_ONCE]))
        )
        found |= {(row.id, row.element): json.dumps(row.input, sort_keys=True) for row in conn.execute(query)}
    return found


def _filed(conn: Connection, library: Library, row: Row[Any], over: int, last: int) -> Filed:
    return Filed(
        number=row.id, instance=label(row.instance_id), root=label(row.root_id or row.instance_id),
        procedure=row.top_title or row.title, unit=row.unit, unit_name=row.unit_name or row.unit,
        period=row.top_period or row.period, code=row.code, name=row.name, version=_version(conn, library, row),
        element=row.element, path=row.path, sha256=row.sha256, size=row.size, made_at=row.made_at,
        made_by=row.made_by, made_by_name=row.person_name, replaced_by=None if over == row.id else over,
        later=None if last == row.id else last,
    )  # fmt: skip


def _version(conn: Connection, library: Library, row: Row[Any]) -> str:
    """As papers print it: of the procedure that knows the record, unless the step says another."""
    own = library.find(conn, row.definition)
    node = own.diagram.processes[row.process.partition("#")[0]].nodes.get(row.element)
    properties = {} if node is None else node.properties
    if "flow.version" in properties:
        return properties["flow.version"]
    records = (row.called_as or {}).get("records", {})
    other = records.get(properties.get("flow.record", row.element))
    return f"V{(library.find(conn, other[0]) if other else own).version}"
