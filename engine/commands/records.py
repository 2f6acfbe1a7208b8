"""Controlled documents that steps produce: plain files in the workspace, listed with their hashes.

A file is written just before the commit that lists it, beside its final name and then moved there, so that a
listed record always exists; one written by a commit that then failed is overwritten by the next try.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import insert

from engine.bpmn.diagram import Node
from engine.forms.form import Form
from engine.store import tables

if TYPE_CHECKING:
    from engine.commands.core import Context, OpenInstance


def keep(ctx: Context, instance: OpenInstance, node: Node, files: Mapping[str, str | bytes]) -> None:
    """List the files a step produced as its record (`flow.record`), and write them with the commit."""
    record = node.properties.get("flow.record", node.id)
    meta = instance.definition.procedure.records.get(record)
    for name, content in files.items():
        raw = content.encode("utf-8") if isinstance(content, str) else content
        path = Path("records") / instance.label / name
        digest = hashlib.sha256(raw).hexdigest()
        ctx.conn.execute(
            insert(tables.record).values(
                instance_id=instance.id,
                name=name if meta is None else meta.title.of("zh"),
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
            {"record": record, "path": path.as_posix(), "sha256": digest, "size": len(raw)},
            instance=instance.id,
            subject=node.id,
        )
        target = ctx.services.workspace.folder / path
        ctx.before_commit.append(lambda target=target, raw=raw: _write(target, raw))  # type: ignore[misc]


def _write(target: Path, raw: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    with beside.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(target)


def keep_form(
    ctx: Context, instance: OpenInstance, node: Node, task: str, form: Form | None, values: Mapping[str, object]
) -> None:  # fmt: skip
    """A form's clean values as the record its step produces: what was asked and what was answered, as text."""
    record = node.properties["flow.record"]
    meta = instance.definition.procedure.records.get(record)
    title = node.label if meta is None else meta.title.of("zh")
    lines = [title, "=" * 2 * len(title), ""]
    facts = [("编号", "" if meta is None else meta.code or ""), ("流程", instance.get("title")), ("步骤", node.label),
             ("任务", task), ("填写人", ctx.actor.person), ("日期", ctx.today.isoformat())]  # fmt: skip
    lines += [f"{name}:{value}" for name, value in facts if value]
    lines.append("")
    names = {} if form is None else {field.id: field.label.of("zh") for field in form.fields}
    for name, value in values.items():
        lines.extend(_written(names.get(name, name), value))
    keep(ctx, instance, node, {f"{record}-{task.partition('.')[2]}.txt": "\n".join(lines) + "\n"})


def _written(name: str, value: object) -> list[str]:
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        columns = list(dict.fromkeys(key for row in value for key in row))
        return [
            f"{name}:",
            "\t".join(columns),
            *("\t".join(str(row.get(c, "")) for c in columns) for row in value),
        ]
    if isinstance(value, dict):
        return [f"{name}:", *(f"  {key}:{each}" for key, each in value.items())]
    if isinstance(value, list):
        return [f"{name}:{'、'.join(map(str, value))}"]
    return [f"{name}:{value}"]
