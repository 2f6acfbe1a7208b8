"""What people do with their tasks: claim, release, assign, delegate, draft, comment, complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Update, bindparam, select, update

from engine import policy
from engine.bpmn.diagram import Node
from engine.characters import blank
from engine.commands import batches, deadlines, moving, records, waits
from engine.commands.core import Command, Context, OpenInstance
from engine.commands.environment import InstanceEnvironment
from engine.commands.personal import kept_apart
from engine.errors import Conflict, Denied, Invalid, NotFound, Problem
from engine.forms import clean, draft
from engine.forms.form import Form
from engine.forms.loading import LENGTHS
from engine.handlers import Kind
from engine.model import Actor, InstanceStatus
from engine.policy import Rights
from engine.store import tables

MAX_ROWS = 200
"""Rows of a table field that enter the instance's variables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCommand(Command):
    """Something done with one user task."""

    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(TaskCommand):
    """Take an open task: it leaves the others' worklists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(TaskCommand):
    """Give a task back to everybody who may do it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign(TaskCommand):
    """Give a task to somebody who may do it."""

    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegate(TaskCommand):
    """Have somebody else do one's own task, whatever roles they hold; both names stay in the history."""

    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveDraft(TaskCommand):
    """Keep what has been filled in so far; nothing is required yet."""

    values: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment(TaskCommand):
    """Say something about a task, for its history."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete(TaskCommand):
    """Hand in a task with its form's values."""

    values: Mapping[str, object]


_TASK = select(tables.user_task).where(tables.user_task.c.id == bindparam("task")).with_for_update()


def _open(ctx: Context, task: str) -> tuple[OpenInstance, Any, policy.Work]:
    """Lock the task's instance, then read the task: whoever comes second sees what the first one did."""
    instance = ctx.instance_of(task)
    row = ctx.conn.execute(_TASK, {"task": task}).one()
    called_off = instance.label if instance.row["status"] == InstanceStatus.CANCELLED else None
    work = replace(work_of(ctx, row), called_off=called_off, excluded_because=_did(instance, row))
    return instance, row, work


def _did(instance: OpenInstance, row: Any) -> dict[str, str]:
    """What each person did that bars them from the task, by the names of the steps."""
    if not row.excluded:
        return {}
    nodes = {
        id_: node
        for process in instance.definition.diagram.processes.values()
        for id_, node in process.nodes.items()
    }
    steps: dict[str, dict[str, None]] = {}
    for person, element in row.excluded:  # an element, or a variable that names the person
        steps.setdefault(person, {})[nodes[element].label if element in nodes else element] = None
    return {person: ", ".join(names) for person, names in steps.items()}


def work_of(ctx: Context, row: Any) -> policy.Work:
    """What of the task's row decides who may do it."""
    return _work(row, ctx.units(row.unit))


def _work(row: Any, units: tuple[str, ...]) -> policy.Work:
    excluded = row.excluded or []
    return policy.Work(
        id=row.id,
        status=row.status,
        role=row.role,
        role_name=row.role or "",
        units=units,
        assignee=row.assignee,
        excluded=tuple(person for person, _ in excluded),
        closed_by=row.closed_by,
        delegated=row.delegated_by is not None,
    )


@lru_cache(maxsize=64)
def _setting(columns: tuple[str, ...]) -> Update:
    """The statement that sets these columns of a task, built once for each set of columns."""
    table = tables.user_task
    return (
        update(table)
        .where(table.c.id == bindparam("task"), table.c.version == bindparam("read"))
        .values({name: bindparam(name) for name in columns} | {"version": table.c.version + 1})
    )


def _set(ctx: Context, row: Any, **values: Any) -> None:
    where = {"task": row.id, "read": row.version}
    if ctx.conn.execute(_setting(tuple(values)), {**values, **where}).rowcount != 1:
        raise Conflict("Task {task} changed meanwhile; look again", task=row.id)


def _asking(ctx: Context) -> Rights:
    """The rights of who asks. In a demo workspace one account plays everybody, so there it stands for nobody."""
    rights = ctx.rights(ctx.who)
    return rights if ctx.services.workspace.demo else replace(rights, account=ctx.actor.person)


def _by(ctx: Context, holder: str | None) -> Actor:
    """Who is named in the history: who acted, as whom, and whose right they used."""
    if ctx.actor.acting_for is None:
        return Actor(ctx.actor.person, holder)
    return Actor(ctx.actor.person, ctx.actor.acting_for, holder)


def claim(cmd: Claim, ctx: Context) -> None:
    """Take a task. Raises Conflict naming who was faster, Denied without the role."""
    _, row, work = _open(ctx, cmd.task)
    holder = policy.may_claim(work, _asking(ctx))
    if row.assignee == ctx.who:
        return
    _set(ctx, row, status="claimed", assignee=ctx.who, claimed_at=ctx.now)
    ctx.note("task.claimed", {}, instance=row.instance_id, subject=row.id, by=_by(ctx, holder))


def release(cmd: Release, ctx: Context) -> None:
    """Give a task back."""
    _, row, work = _open(ctx, cmd.task)
    holder = policy.may_release(work, ctx.rights(ctx.who), _leaders(ctx))
    _set(ctx, row, status="open", assignee=None, claimed_at=None, delegated_by=None)
    ctx.note(
        "task.released", {"from": row.assignee}, instance=row.instance_id, subject=row.id, by=_by(ctx, holder)
    )


_TAKEN = (
    select(tables.user_task)
    .where(tables.OPEN_WORK, tables.user_task.c.assignee.is_not(None))
    .order_by(tables.user_task.c.instance_id, tables.user_task.c.id)
)


def release_lapsed(ctx: Context) -> tuple[str, ...]:
    """Give back every task whose assignee may no longer do it, or has left. Returns the tasks."""
    rights: dict[str, Rights | None] = {}
    units: dict[str, tuple[str, ...]] = {}

    def stays(row: Any) -> bool:
        if row.assignee not in rights:
            rights[row.assignee] = _rights_if_known(ctx, row.assignee)
        if row.unit not in units:
            units[row.unit] = ctx.units(row.unit)
        theirs = rights[row.assignee]
        return theirs is not None and not policy.lapsed(_work(row, units[row.unit]), theirs)

    released = []
    for found in ctx.conn.execute(_TAKEN).all():
        if stays(found):
            continue
        _, row, _ = _open(ctx, found.id)
        if row.status != "claimed" or stays(row):
            continue  # done or given to somebody else before it was locked
        _set(ctx, row, status="open", assignee=None, claimed_at=None, delegated_by=None)
        facts = {"from": row.assignee, "lapsed": True}
        ctx.note("task.released", facts, instance=row.instance_id, subject=row.id)
        released.append(row.id)
    return tuple(released)


def _rights_if_known(ctx: Context, person: str) -> Rights | None:
    try:
        return ctx.rights(person)
    except NotFound:
        return None


def assign(cmd: Assign, ctx: Context) -> None:
    """Give a task to a person who may do it. Raises Denied when they may not."""
    _, row, work = _open(ctx, cmd.task)
    holder = policy.may_assign(work, ctx.rights(ctx.who), _leaders(ctx))
    theirs = ctx.rights(cmd.person)
    policy.may_claim(
        policy.Work(
            work.id, "open", work.role, work.role_name, work.units, None, work.excluded, work.excluded_because
        ),
        theirs,
    )
    _set(ctx, row, status="claimed", assignee=cmd.person, claimed_at=ctx.now, delegated_by=None)
    ctx.note(
        "task.assigned", {"to": cmd.person}, instance=row.instance_id, subject=row.id, by=_by(ctx, holder)
    )


def delegate(cmd: Delegate, ctx: Context) -> None:
    """Have another person do one's task. Four eyes still hold."""
    _, row, work = _open(ctx, cmd.task)
    holder = policy.may_work(work, _asking(ctx))
    ctx.rights(cmd.person)
    if cmd.person in work.excluded:
        raise Denied(
            "Task {task} asks for a second pair of eyes: {person} already did {other}",
            task=row.id, person=cmd.person, other=work.excluded_because.get(cmd.person, ""),
        )  # fmt: skip
    _set(ctx, row, status="claimed", assignee=cmd.person, claimed_at=ctx.now, delegated_by=ctx.who)
    ctx.note(
        "task.delegated", {"to": cmd.person}, instance=row.instance_id, subject=row.id, by=_by(ctx, holder)
    )


def save_draft(cmd: SaveDraft, ctx: Context) -> None:
    """Keep a draft with the task; the journal only says that there is one."""
    instance, row, work = _open(ctx, cmd.task)
    holder = policy.may_work(work, _asking(ctx))
    form = form_of(instance, row.form)
    kept = dict(cmd.values) if form is None else draft(form, cmd.values)
    _set(ctx, row, draft={**(row.draft or {}), **kept})
    facts = {"fields": sorted(kept)}
    ctx.note("task.drafted", facts, instance=row.instance_id, subject=row.id, by=_by(ctx, holder))


def comment(cmd: Comment, ctx: Context) -> None:
    """Add a comment; whoever may see the task may speak."""
    _, row, work = _open(ctx, cmd.task)
    if blank(cmd.text):
        raise Invalid([Problem("text", "The comment is empty")])
    if len(cmd.text) > LENGTHS["long_text"]:
        params = {"count": len(cmd.text), "limit": LENGTHS["long_text"]}
        raise Invalid([Problem("text", "The comment has {count} characters; at most {limit} may be", params)])
    rights = ctx.rights(ctx.who)
    if not policy.may_see(work, rights):
        raise Denied("Task {task} is not for {person} to see", task=row.id, person=ctx.who)
    by = _by(ctx, rights.lender(work.role, work.units))
    ctx.note("task.commented", {"text": cmd.text}, instance=row.instance_id, subject=row.id, by=by)


def complete(cmd: Complete, ctx: Context) -> None:
    """Hand in a task: judge, clean the values, verify, close it, and let the instance go on."""
    instance, row, work = _open(ctx, cmd.task)
    asking = _asking(ctx)
    holder = policy.may_work(work, asking)
    ctx.running(instance.id)
    actor = _by(ctx, holder)
    node = moving.node_of(instance, row.element)
    run = moving.loaded(ctx, instance)
    env = InstanceEnvironment(ctx, instance)
    form = form_of(instance, row.form)
    seen = {**env.seen(run.data), **({"item": row.item} if row.item is not None else {})}
    values = clean(form, cmd.values, today=ctx.today, variables=seen) if form is not None else _formless(cmd)
    if verify := node.properties.get("flow.verify"):
        handler = ctx.services.registry.find(verify, Kind.VERIFY)
        handler.function(env.call(node, run.data, values=values, item=row.item))
    _set(
        ctx, row, status="done", closed_at=ctx.now, closed_by=ctx.who,
        closed_for=actor.right_of or actor.acting_for, draft=None, assignee=ctx.who,
    )  # fmt: skip
    deadlines.close(ctx, instance, node, row.id)
    late = row.due_at is not None and ctx.now >= row.due_at
    personal = frozenset() if form is None else form.personal
    shown = kept_apart(ctx, instance, values, personal)
    facts: dict[str, object] = {"element": row.element, "name": row.name, "values": shown, "late": late}
    apart = [name for name, value in values.items() if row.batch_id is not None or not _enters(form, value)]
    facts |= {"apart": sorted(apart)} if apart else {}  # they become no variables
    ctx.note("task.completed", facts, instance=instance.id, subject=row.id, by=actor)
    if "flow.record" in node.properties:
        records.keep_form(ctx, instance, node, row.id, form, env.call(node, run.data, values=values))
    _go_on(ctx, instance, node, row, dict(values), form, (ctx.who, asking.account, holder))


def _formless(cmd: Complete) -> Mapping[str, object]:
    if cmd.values:
        raise Invalid([Problem(name, "This task has no form, so it takes no values") for name in cmd.values])
    return {}


def form_of(instance: OpenInstance, name: str | None) -> Form | None:
    """The task's form, of the definition the instance runs."""
    return None if name is None else instance.definition.procedure.forms.get(name)


def _go_on(
    ctx: Context, instance: OpenInstance, node: Node, row: Any, values: dict[str, Any], form: Form | None,
    people: tuple[str | None, ...],
) -> None:  # fmt: skip
    assert instance.run is not None
    entering = {name: value for name, value in values.items() if _enters(form, value)}
    changed = {name: value for name, value in entering.items() if instance.run.data.get(name) != value}
    kept = waits.remember(instance, node, *people)
    with ctx.within_tables(changed):
        if row.batch_id is not None:
            instance.run.data.update(kept)
            batches.item_done(ctx, instance, node, row.batch_id, row.batch_index, entering)
            return
        deadlines.keep_whole(ctx, instance, node.id)
        kept |= deadlines.remember_actual(ctx, instance, node)
        moving.move(ctx, instance, lambda run: run.complete(row.token, {**entering, **kept}))
    ctx.refuse_past(changed)


def _enters(form: Form | None, value: object) -> bool:
    """Questionnaire answers never enter the variables, nor do long tables: they belong to their subject's tables."""
    if form is not None and form.kind == "questionnaire":
        return False
    return not (isinstance(value, list | dict) and len(value) > MAX_ROWS)


def _leaders(ctx: Context) -> frozenset[str]:
    table = tables.permission
    rows = ctx.conn.execute(select(table.c.person).where(table.c.name == "assign"))
    return frozenset(row.person for row in rows)
