"""Archive: the records of an instance as plain files, with a list of their hashes that anybody can check."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Connection, or_, select

from engine.archiving import contents
from engine.commands.archives import judge_retention, put
from engine.errors import Invalid, Problem
from engine.handlers import Call, Handlers, Values, anything, takes
from engine.store import tables
from tasks.controlled import listed

handlers = Handlers("archive")

LIST = "SHA256SUMS"


def _retention(value: Any) -> None:
    """The judge of `flow.retention`: how long, or a variable that says it."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", str(value)):
        judge_retention(value)


@handlers.inside
@takes(optional={"flow.elements": anything})
def index(call: Call) -> Values:
    """Lists every record of the instance and what it called, as `sha256sum -c` reads it (`SHA256SUMS`).

    Property: `flow.elements`, the steps that have to have left a record, or the variable that names them. Sets
    `archive_files`, their number, `archive_list`, their titles, and `archive_missing`, the steps without one.
    """
    files = _files(call)
    there = {row.element for row in files.values()}
    needed = listed(_said(call, "flow.elements"))
    folder = PurePosixPath("records") / call.label
    lines = [f"{row.sha256}  {_seen_from(folder, path)}" for path, row in sorted(files.items())]
    return {
        "archive_files": len(files),
        "archive_list": _titles(files),
        "archive_missing": [name for name in needed if name not in there],
        "$record": {LIST: "".join(f"{line}\n" for line in lines)},
    }


@handlers.verify
def complete(call: Call) -> None:
    """Every step left its record, and every file is there unchanged."""
    problems = []
    if missing := call.variables.get("archive_missing"):
        template = "These steps left no record: {steps}"
        problems.append(Problem("archive_checklist", template, {"steps": ", ".join(missing)}))
    assert isinstance(call.conn, Connection)
    made = contents.records(call.conn, contents.family(call.conn, call.root))
    damaged = contents.damage(call.folder, made)
    problems += (replace(each, field="archive_checklist") for each in damaged)
    if problems:
        raise Invalid(problems)


@handlers.inside
@takes(optional={"flow.custodian": anything, "flow.retention": _retention})
def seal(call: Call) -> Values:
    """Seals what the instance and those it called left so far: records, definitions, journal up to this step.

    Properties: `flow.custodian`, the person or role that takes it over (without it, whoever did the step before);
    `flow.retention`, such as P3Y or permanent (without it, what the procedure's records say); each may be a variable
    that says it, or says nothing. Sets `archive_number`, `archive_sha256`, `archive_keep_until` and `archived_on`.
    """
    retention = _said(call, "flow.retention")
    if retention is not None:
        judge_retention(retention)
    sealed = put(
        call.conn, call.root, now=call.now, day=date.fromisoformat(call.today), by=call.by,
        custodian=_said(call, "flow.custodian") or call.by, retention=retention,
    )  # fmt: skip
    call.note("archive.sealed", sealed.facts)
    return {
        "archive_number": sealed.number,
        "archive_sha256": sealed.sha256,
        "archive_keep_until": None if sealed.keep_until is None else sealed.keep_until.isoformat(),
        "archived_on": call.today,
    }


def _said(call: Call, name: str) -> str | None:
    """What a property says, or the variable or parameter that it names; None where that is nothing."""
    text = call.properties.get(name, "").strip()
    value = {**call.parameters, **call.variables}.get(text, text)
    return None if value is None else str(value).strip() or None


def _titles(files: Mapping[str, Any]) -> str:
    """The records by their titles, a line each, with how many there are of one."""
    counted = Counter(f"{row.code} {row.name}" if row.code else row.name for row in files.values())
    return "\n".join(title if number == 1 else f"{title}（{number}件）" for title, number in counted.items())


def _files(call: Call) -> dict[str, Any]:
    """The instance's records and its children's by path; of a file made again, the latest."""
    record, instance = tables.record, tables.instance
    rows = call.conn.execute(
        select(record)
        .join(instance, instance.c.id == record.c.instance_id)
        .where(or_(instance.c.id == call.root, instance.c.root_id == call.root))
        .order_by(record.c.id)
    )
    return {row.path: row for row in rows}


def _seen_from(folder: PurePosixPath, path: str) -> str:
    """The path of a record as seen from the folder that holds the list."""
    file = PurePosixPath(path)
    return file.name if file.parent == folder else f"../{file.relative_to('records')}"
