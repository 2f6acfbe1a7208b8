"""Controlled documents that steps produce: plain files in the workspace, listed with their hashes.

A file is written just before the commit that lists it, beside its final name and then moved there, so that a
listed record always exists; one written by a commit that then failed is overwritten by the next try.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from sqlalchemy import insert, select

from engine.bpmn.diagram import Node
from engine.config import whole
from engine.forms.conditions import answered
from engine.forms.form import Field, Form
from engine.forms.wording import option_words, people_in, words
from engine.procedures import Record
from engine.store import tables
from engine.store.organisation import person_names

if TYPE_CHECKING:
    from engine.commands.core import Context, OpenInstance
    from engine.handlers import Call


def keep(ctx: Context, instance: OpenInstance, node: Node, files: Mapping[str, str | bytes]) -> None:
    """List the files a step produced as its record (`flow.record`), and write them with the commit."""
    record, meta = _filed(ctx, instance, node)
    for name, content in files.items():
        raw = content.encode("utf-8") if isinstance(content, str) else content
        title = name if meta is None else meta.title.of("zh")
        path = Path("records") / instance.label / name
        digest = hashlib.sha256(raw).hexdigest()
        ctx.conn.execute(
            insert(tables.record).values(
                instance_id=instance.id,
                name=title,
                code=None if meta is None else meta.code,
                element=node.id,
                path=path.as_posix(),
                sha256=digest,
                size=len(raw),
                made_at=ctx.now,
                made_by=ctx.actor.person,
            )
        )
        ctx.note(
            "record.made",
            {
                "record": record,
                "name": title,
                "path": path.as_posix(),
                "sha256": digest,
                "size": len(raw),
                "code": None if meta is None else meta.code,
            },
            instance=instance.id,
            subject=node.id,
        )
        workspace = ctx.services.workspace
        ctx.before_commit.append(partial(_write, workspace.folder / path, raw, workspace.durable))


def _filed(ctx: Context, instance: OpenInstance, node: Node) -> tuple[str, Record | None]:
    """As which record of which procedure a step files what it leaves: its own, or the caller's."""
    digest, record = instance.filed(node.properties.get("flow.record", node.id))
    own = digest == instance.definition.hash
    definition = instance.definition if own else ctx.services.library.find(ctx.conn, digest)
    return record, definition.procedure.records.get(record)


def _write(target: Path, raw: bytes, durable: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole(target) as beside, beside.open("wb") as file:
        file.write(raw)
        if durable:
            file.flush()
            os.fsync(file.fileno())


def keep_form(
    ctx: Context, instance: OpenInstance, node: Node, task: str, form: Form | None, call: Call
) -> None:  # fmt: skip
    """A form's clean values (`Call.values`) as the record its step produces: what was asked and what was answered, in
    Chinese; as plain text, or as the files that the record is to be kept as.

    The task is closed already: who filled it in, and for whom, is read from it.
    """
    record, meta = _filed(ctx, instance, node)
    setter, values = ctx.services.registry.form_setter, call.values
    if meta is not None and meta.files and form is not None and setter is not None:
        keep(ctx, instance, node, setter(call, form, task, _filled_in_by(ctx, task)))
        return
    title = node.label if meta is None else meta.title.of("zh")
    fields = () if form is None else form.questions
    names = person_names(
        ctx.conn, {id_ for field in fields for id_ in people_in(field, values.get(field.id))}
    )
    facts = [
        ("编号", "" if meta is None else meta.code),
        ("流程", instance.get("title")),
        ("单位", _unit(ctx, instance.get("unit"))),
        ("期间", instance.get("period")),
        ("步骤", node.label),
        ("任务", task),
        ("填写人", _filled_in_by(ctx, task)),
        ("日期", ctx.today.isoformat()),
    ]
    lines = [title, "=" * _width(title), ""]
    lines += [f"{name}：{value}" for name, value in facts if value]
    lines.append("")
    for field in fields:
        if answered(value := values.get(field.id)):
            lines += _written(field, value, names)
    lines = [line for line, before in zip(lines, ["", *lines], strict=False) if line or before]
    text = "\n".join(lines).rstrip() + "\n"
    keep(ctx, instance, node, {f"{record}-{task.partition('.')[2]}.txt": text})


def _filled_in_by(ctx: Context, task: str) -> str:
    table = tables.user_task
    row = ctx.conn.execute(select(table.c.closed_by, table.c.closed_for).where(table.c.id == task)).one()
    person = ctx.actor.person if row.closed_for else row.closed_by or ctx.actor.person
    names = person_names(ctx.conn, {person, row.closed_by or person, row.closed_for or person})
    name = names.get(person, person)
    if not row.closed_for:
        return name
    played = (
        ""
        if row.closed_by in (person, row.closed_for)
        else f"以{names.get(row.closed_by, row.closed_by)}名义，"
    )
    return f"{name}（{played}代{names.get(row.closed_for, row.closed_for)}）"


def _unit(ctx: Context, unit: str) -> str:
    table = tables.unit
    return ctx.conn.execute(select(table.c.name).where(table.c.id == unit)).scalar() or unit


def _written(field: Field, value: Any, names: Mapping[str, str]) -> list[str]:
    """One answer under its label; what takes several lines stands between blank lines."""
    label = field.label.of("zh")
    if field.type == "table":
        columns = [each for each in field.fields if any(answered(row.get(each.id)) for row in value)]
        rows = [[column.label.of("zh") for column in columns]]
        rows += [
            [words(column, row.get(column.id), names).replace("\n", " ") for column in columns]
            for row in value
        ]
        return ["", f"{label}：", *_aligned(rows), ""]
    if field.type == "matrix":
        rows = [
            [f"{row.label.of('zh')}：", option_words(field, value[row.id])]
            for row in field.rows
            if answered(value.get(row.id))
        ]
        return ["", f"{label}：", *_aligned(rows), ""]
    text = words(field, value, names)
    return ["", f"{label}：", *text.split("\n"), ""] if "\n" in text else [f"{label}：{text}"]


def _aligned(rows: list[list[str]]) -> list[str]:
    """Rows with their columns under each other, where a Chinese character is two cells wide."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell + " " * (cells - _width(cell)) for cell, cells in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
