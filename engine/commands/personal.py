"""Personal answers (form fields marked `personal`): kept apart from the journal, and erased when somebody asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import or_, select, update

from engine.bpmn import state
from engine.characters import blank
from engine.commands.core import Command, Context
from engine.errors import Conflict, Invalid, Problem
from engine.model import label
from engine.store import tables
from engine.store.private import erase as erase_values
from engine.store.private import overwriting, set_aside

if TYPE_CHECKING:
    from engine.commands.core import OpenInstance
    from engine.commands.published import Definition


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase(Command):
    """Erase the personal answers given in an instance that has ended, and in those it called."""

    instance: int
    reason: str


def personal_names(definition: Definition) -> frozenset[str]:
    """The variables that hold personal answers, by the forms of the procedure."""
    forms = definition.procedure.forms.values()
    return frozenset[str]().union(*(form.personal for form in forms))


def kept_apart(
    ctx: Context, instance: OpenInstance, values: Mapping[str, object], personal: Collection[str]
) -> dict[str, object]:
    """Values as the journal keeps them: the personal ones can be erased."""
    return {
        name: set_aside(ctx.conn, instance.label, value) if name in personal and value is not None else value
        for name, value in values.items()
    }


def reason_apart(ctx: Context, instance: OpenInstance, reason: str) -> object:
    """A reason as the journal keeps it: one that may repeat a personal answer can be erased."""
    personal = personal_names(instance.definition)
    return set_aside(ctx.conn, instance.label, reason) if personal else reason


def erase(cmd: Erase, ctx: Context) -> int:
    """Erase them from the journal, the variables, the drafts and what batches keep. Returns how many the journal had.

    The chains stay whole. Raises Conflict for an instance that still works with them, or that another called.
    """
    if blank(cmd.reason):
        raise Invalid([Problem("reason", "Say why: the auditor will ask")])
    top = ctx.instance(cmd.instance)
    if top.row["parent_id"] is not None:
        raise Conflict(
            "{label} was called by {parent}: erase there, which takes all that it called along",
            label=top.label, parent=label(top.row["root_id"] or top.row["parent_id"]),
        )  # fmt: skip
    if top.get("ended_at") is None:
        raise Conflict(
            "{label} still works with these answers: let it end, or `flow instance cancel {label}`, and erase then",
            label=top.label,
        )
    table = tables.instance
    family = ctx.conn.execute(
        select(table.c.id, table.c.definition, table.c.state).where(
            or_(table.c.id == top.id, table.c.root_id == top.id)
        )
    ).all()
    count = 0
    with overwriting(ctx.conn):
        for row in family:
            count += erase_values(ctx.conn, label(row.id), ctx.now)
            names = personal_names(ctx.services.library.find(ctx.conn, row.definition))
            if names:
                _forget(ctx, row.id, state.without(row.state, names, label(row.id)), names)
                if row.id == top.id:
                    top.row = {**top.row, "state": state.without(row.state, names, top.label)}
    ctx.note("person.erased", {"values": count, "reason": cmd.reason}, instance=top.id, subject=top.label)
    return count


def _forget(ctx: Context, number: int, kept: bytes, names: Collection[str]) -> None:
    """Take the named answers out of an instance's variables and drafts, and out of what its items brought back."""
    table, task, item, batch = tables.instance, tables.user_task, tables.batch_item, tables.batch
    ctx.conn.execute(update(table).where(table.c.id == number).values(state=kept))
    ctx.conn.execute(
        update(task).where(task.c.instance_id == number, task.c.draft.is_not(None)).values(draft=None)
    )
    of_it = select(batch.c.id).where(batch.c.instance_id == number)
    rows = ctx.conn.execute(
        select(item.c.batch_id, item.c.idx, item.c.output).where(item.c.batch_id.in_(of_it))
    ).all()
    for row in rows:
        if isinstance(row.output, dict) and any(name in row.output for name in names):
            left = {name: value for name, value in row.output.items() if name not in names}
            same = (item.c.batch_id == row.batch_id, item.c.idx == row.idx)
            ctx.conn.execute(update(item).where(*same).values(output=left))
