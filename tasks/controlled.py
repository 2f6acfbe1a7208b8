"""Controlled documents: what makes a paper or a table one (title, code, version, sign-off), and the files it becomes.

Title and code are those of the step's record in procedure.yaml; a Word template `templates/<record>.docx` of the
procedure, where there is one, gives the look (docs/documents.md). The same content makes the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import or_, select

from documents.content import Block, Column, Control, Document, Signature, Table, Value
from documents.excel import Sheet, workbook
from documents.pdf import pdf
from documents.sheets import sheet_name, sheets
from documents.word import word
from engine.errors import EngineError
from engine.handlers import Call, anything
from engine.procedures import FILES, Procedure, from_files
from engine.procedures.packing import unpack
from engine.store import tables
from engine.store.organisation import person_names

WIDE = 6
"""So many columns fit an upright page."""
FILLED = "填写"
"""What is signed on a form that somebody filled in."""
USUAL = ("word", "pdf")
"""The files of a paper, where neither the step nor its record says which."""


def _kinds(value: Any) -> None:
    """The judge of `flow.files`."""
    for name in listed(str(value)):
        if name not in FILES:
            raise EngineError(
                "{name} is no kind of file; there are {known}", name=name, known=", ".join(FILES)
            )


def _signed(value: Any) -> None:
    """The judge of `flow.signed`."""
    for part in listed(str(value)):
        if len(part.split()) > 2:
            template = "{part} cannot be read: write what is signed, and behind it the step that does it"
            raise EngineError(template, part=part)


SIGNED = {"flow.signed": _signed, "flow.version": anything}
"""The properties that every controlled document takes: who signs (`编制 draft_plan, 审核 review, 批准`: what is done,
and the step that does it; without a step, by hand), and the version printed (the procedure's, if none)."""
MADE = {**SIGNED, "flow.files": _kinds}
"""Those of a paper: besides, as which files (`word, pdf, excel`)."""


def listed(value: str | None) -> list[str]:
    """What stands between the commas, of whichever script, of a property or parameter."""
    return [part.strip() for part in re.split("[,，、]", value or "") if part.strip()]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a paper needs to know of the instance it is made in."""

    procedure: Procedure
    definition: str
    filed: Procedure
    """The procedure that knows the step's record: its own, or the caller's that files it."""
    record: str
    """The record's id there; empty where the step has none."""
    version: int
    """Of the procedure that knows the record."""
    unit: str
    """Its name."""
    period: str


def setting(call: Call) -> Setting:
    """The instance's procedure as it was published, its unit and period."""
    instance, definition, unit = tables.instance, tables.definition, tables.unit
    row = call.conn.execute(
        select(
            instance.c.period, instance.c.definition, definition.c.bundle, definition.c.version, unit.c.name
        )
        .join(definition, definition.c.hash == instance.c.definition)
        .join(unit, unit.c.id == instance.c.unit)
        .where(instance.c.id == call.instance)
    ).one()
    own, version = _parsed(row.bundle), row.version
    filed, record = own, call.properties.get("flow.record", "")
    if record and call.filed is not None:
        digest, record = call.filed
        if digest != row.definition:
            other = call.conn.execute(select(definition).where(definition.c.hash == digest)).one()
            filed, version = _parsed(other.bundle), other.version
    return Setting(own, row.definition, filed, record, version, row.name, row.period or "")


@lru_cache(maxsize=16)
def _parsed(bundle: bytes) -> Procedure:
    return from_files(unpack(bundle))


def control(call: Call, here: Setting, *signed: Signature) -> Control:
    """What makes the document of the step's record a controlled one; `signed` already, beside what the step says."""
    known = here.filed.records.get(here.record)
    return Control(
        title=call.name if known is None else known.title.zh,
        dated=date.fromisoformat(call.today),
        code="" if known is None else known.code or "",
        version=call.properties.get("flow.version", f"V{here.version}"),
        organisation=here.unit,
        signatures=(*signed, *_signatures(call)),
    )


def files(
    call: Call,
    here: Setting,
    blocks: Iterable[Block],
    *signed: Signature,
    landscape: bool = False,
    name: str = "",
) -> dict[str, bytes]:
    """The document of the step's record, in the files that the step or the record asks for, by name.

    `name` is what the files are called, if not by the title.
    """
    about = control(call, here, *signed)
    document = Document(about, tuple(blocks), landscape)
    fonts = call.folder / "fonts"
    own = fonts if fonts.is_dir() else None
    known = here.filed.records.get(here.record)
    wanted = listed(call.properties.get("flow.files")) or (known and known.files) or USUAL
    name = name or about.title
    made: dict[str, bytes] = {}
    if "word" in wanted:
        template = f"templates/{here.record}.docx"
        made[f"{name}.docx"] = word(document, here.filed.files.get(template), template, own)
    if "pdf" in wanted:
        made[f"{name}.pdf"] = pdf(document, own)
    if "excel" in wanted:
        made[f"{name}.xlsx"] = workbook(sheets(document), about)
    return made


def tabled(
    call: Call,
    head: Sequence[str | Column],
    rows: Iterable[Sequence[Value]],
    *,
    name: str = "",
    note: str = "",
) -> dict[str, bytes]:
    """The record of the step as a workbook with one table, by name (the record's title, if none is given)."""
    body = tuple(tuple(row) for row in rows)
    title = name or control(call, setting(call)).title
    table = Table(columns(head, body), body, note=note)
    return books(call, [Sheet(sheet_name(title), table, landscape=len(head) > WIDE)], name=name)


def columns(head: Sequence[str | Column], rows: Sequence[Sequence[Value]]) -> tuple[Column, ...]:
    """The columns of a table; one that is only named holds numbers or dates where its cells do, else text."""
    return tuple(
        each if isinstance(each, Column) else Column(each, _kind([row[place] for row in rows]))
        for place, each in enumerate(head)
    )


def books(call: Call, pages: Sequence[Sheet], *, name: str = "") -> dict[str, bytes]:
    """The record of the step as a workbook of these sheets, by name (the record's title, if none is given)."""
    about = control(call, setting(call))
    if name:
        about = replace(about, title=name)
    return {f"{about.title}.xlsx": workbook(pages, about)}


def _kind(cells: Iterable[Value]) -> Literal["text", "number", "date"]:
    there = [each for each in cells if each is not None and each != ""]
    if there and all(isinstance(each, date) for each in there):
        return "date"
    if there and all(isinstance(each, int | Fraction) for each in there):
        return "number"
    return "text"


def _signatures(call: Call) -> Iterator[Signature]:
    for part in listed(call.properties.get("flow.signed")):
        act, _, element = part.partition(" ")
        done = _done(call, element.strip()) if element else None
        if done is None:
            yield Signature(act)
        else:
            yield Signature(act, person_names(call.conn, [done[0]]).get(done[0], done[0]), done[1])


def _done(call: Call, element: str) -> tuple[str, date] | None:
    """Who did the step last, and when."""
    task, instance = tables.user_task, tables.instance
    row = call.conn.execute(
        select(task.c.closed_by, task.c.closed_at)
        .join(instance, instance.c.id == task.c.instance_id)
        .where(
            or_(instance.c.id == call.root, instance.c.root_id == call.root),
            task.c.element == element,
            task.c.status == "done",
        )
        .order_by(task.c.closed_at.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return row.closed_by, row.closed_at.astimezone(call.zone).date()
