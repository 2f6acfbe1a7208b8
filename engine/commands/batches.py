"""Children and batches: called processes and multi-instance activities, in rows of their own.

A single call activity is a batch of one. A multi-instance user task has no children, only rows of the worklist.
The items of a batch live in `batch_item`; the parent's variables see only the declared outputs and a summary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, select, update

from engine.bpmn import effects as fx
from engine.bpmn.diagram import PERSON_TASKS, Loop, Node
from engine.bpmn.environment import no_truth
from engine.bpmn.run import Run
from engine.commands import calls, deadlines, jobs, moving, waits
from engine.commands.environment import InstanceEnvironment
from engine.commands.instances import create
from engine.errors import EngineError
from engine.handlers import Kind
from engine.model import InstanceStatus
from engine.store import tables

if TYPE_CHECKING:
    from engine.commands.core import Context, OpenInstance

CHUNK = 200
"""Items started in one transaction; the rest follow as jobs."""
MAX_STARTED = 400
"""Instances started in one transaction, those that they start themselves included; the rest follow as jobs."""
MAX_DEPTH = 40
"""Instances that start one another in one transaction; those that they start follow as jobs."""
MAX_RECURSION = 500
"""Instances that may come of one when its process calls itself."""
MAX_OUTPUTS = 200
"""Results gathered into a variable; more belong into a table of the subject, not into an instance's state."""

_BATCH = insert(tables.batch).returning(tables.batch.c.id)
_ITEMS = insert(tables.batch_item)
_ACTIVE = select(tables.batch).where(
    tables.batch.c.instance_id == bindparam("instance"),
    tables.batch.c.token == bindparam("place"),
    tables.batch.c.status == "active",
)
_COUNT = (
    update(tables.batch)
    .where(tables.batch.c.id == bindparam("number"), tables.batch.c.status == "active")
    .values(done=tables.batch.c.done + 1)
    .returning(tables.batch)
)
_ITEM_DONE = (
    update(tables.batch_item)
    .where(
        tables.batch_item.c.batch_id == bindparam("number"),
        tables.batch_item.c.idx == bindparam("place"),
        tables.batch_item.c.status == "active",
    )
    .values(status=bindparam("outcome"), output=bindparam("result"))
)


def begin(ctx: Context, instance: OpenInstance, effect: fx.Called) -> None:
    """A token asks for a called process or a batch: lay out its items and start the first chunk."""
    node = moving.node_of(instance, effect.element)
    items: Sequence[object] = effect.items if effect.items is not None else (None,)
    if effect.multi and effect.items is None:
        items = _collected(ctx, instance, node)
    if len(items) > fx.MAX_ITEMS:
        raise EngineError("{count} instances are more than {most}", count=len(items), most=fx.MAX_ITEMS)
    if node.tag == "callActivity":
        _refuse_endless(ctx, instance, node.called or "")
    kind = "task" if node.tag in PERSON_TASKS else "instance"
    loop = node.loop
    if loop is not None and loop.output and len(items) > MAX_OUTPUTS:
        template = "{element} gathers {total} results into a variable; at most {most} may be"
        raise EngineError(template, element=node.id, total=len(items), most=MAX_OUTPUTS)
    batch = ctx.conn.execute(
        _BATCH,
        {
            "instance_id": instance.id,
            "token": effect.token,
            "element": node.id,
            "kind": kind,
            "total": len(items),
            "width": 1 if effect.sequential else 0,
            "condition": None if loop is None else loop.completion,
            "status": "active",
            "facts": {"multi": effect.multi, jobs.CHAIN: ctx.meter.chain},
        },
    ).scalar_one()
    if effect.multi:
        ctx.note("batch.opened", {"items": len(items), "batch": batch}, instance=instance.id, subject=node.id)
    for start in range(0, len(items), 5000):
        ctx.conn.execute(
            _ITEMS,
            [
                {
                    "batch_id": batch,
                    "idx": index,
                    "input": item,
                    "output": None,
                    "status": "waiting",
                    "child_id": None,
                }
                for index, item in enumerate(items[start : start + 5000], start)
            ],
        )
    if not items:
        _finish(ctx, instance, batch, node)
        return
    spawn(ctx, instance, batch)


def _refuse_endless(ctx: Context, instance: OpenInstance, called: str) -> None:
    """A process that calls itself, itself or through others, does so a limited number of times."""
    table = tables.instance
    row: Mapping[str, Any] = instance.row
    while row["process"].partition("#")[0] != called:
        if row["parent_id"] is None:
            return
        row = dict(ctx.conn.execute(select(table).where(table.c.id == row["parent_id"])).mappings().one())
    root = instance.row["root_id"] or instance.id
    family = select(table.c.id).where(table.c.root_id == root).limit(MAX_RECURSION).subquery()
    if ctx.conn.execute(select(func.count()).select_from(family)).scalar_one() == MAX_RECURSION:
        template = "{process} calls itself without end: {most} instances have come of one"
        raise EngineError(template, process=called, most=MAX_RECURSION)


def _collected(ctx: Context, instance: OpenInstance, node: Node) -> list[object]:
    name = node.properties.get("flow.collection")
    if not name:
        raise EngineError("{element} has neither a number of instances nor a collection", element=node.id)
    assert instance.run is not None
    handler = ctx.services.registry.find(name, Kind.COLLECTION)
    env = InstanceEnvironment(ctx, instance)
    return list(handler.function(env.call(node, instance.run.data)))


def spawn(ctx: Context, instance: OpenInstance, batch: int) -> None:
    """Start waiting items: all, or as many at once as the batch allows, a chunk in this transaction."""
    row = ctx.conn.execute(select(tables.batch).where(tables.batch.c.id == batch).with_for_update()).one()
    if row.status != "active":
        return
    room = CHUNK if not row.width else min(CHUNK, row.width - (row.spawned - row.done))
    wanted = row.spawned + room if row.width else row.total
    item = tables.batch_item
    waiting = ctx.conn.execute(
        select(item.c.idx, item.c.input)
        .where(item.c.batch_id == batch, item.c.idx >= row.spawned)
        .order_by(item.c.idx)
        .limit(room)
    ).all()
    node = instance.definition.node(instance.row["process"], row.element)
    children: dict[int, int | None] = {}
    held = False
    for each in waiting:
        if ctx.started >= MAX_STARTED or (ctx.depth >= MAX_DEPTH and row.kind != "task"):
            break
        if row.kind == "task":
            waits.open_task(
                ctx, instance, node, row.token, batch_id=batch, batch_index=each.idx, item=each.input
            )
            children[each.idx] = None
        else:
            crossed = ctx.crossed
            child = children[each.idx] = _start_child(ctx, instance, node, row, each, held=held)
            ended = ctx.instance(child).get("status") != InstanceStatus.RUNNING
            if ctx.crossed > crossed or (ended and node.loop is not None and node.loop.early):
                held = True  # the others are there too (13.3.7), and go on when it is known that they have to
    if children:
        ctx.conn.execute(
            update(item)
            .where(item.c.batch_id == batch, item.c.idx == bindparam("place"))
            .values(status="active", child_id=bindparam("child")),
            [{"place": index, "child": child} for index, child in children.items()],
        )
    spawned = row.spawned + len(children)
    ctx.conn.execute(update(tables.batch).where(tables.batch.c.id == batch).values(spawned=spawned))
    if spawned < min(wanted, row.total):
        jobs.put(ctx, "spawn", instance=instance.id, key=f"spawn:{batch}:{spawned}", batch=batch)


def _start_child(
    ctx: Context, instance: OpenInstance, node: Node, batch: Any, item: Any, *, held: bool
) -> int:
    given = calls.given(instance, node, item.input, item.idx, multi=batch.facts["multi"])
    if node.tag == "callActivity":
        definition, process = calls.called(instance, node)
    else:
        whole = instance.row["process"].partition("#")[0]  # ids are unique in it: an item's own items too
        definition, process = instance.row["definition"], f"{whole}#{node.id}"
    return create(
        ctx,
        definition=definition,
        process=process,
        unit=instance.row["unit"],
        variables=given,
        title=node.label,
        parent=instance,
        token=batch.token,
        batch=batch.id,
        index=item.idx,
        called_as=calls.called_as(instance, node),
        held=held,
    )


def child_ended(ctx: Context, instance: OpenInstance, job: Mapping[str, Any]) -> None:
    """A child is done: count it, and let the parent go on when it was the last one, or enough."""
    batch, index = job["batch"], job["index"]
    row = ctx.conn.execute(select(tables.batch).where(tables.batch.c.id == batch)).one()
    node = instance.definition.node(instance.row["process"], row.element)
    if row.status != "active":
        return
    if job["error"] is not None:
        _close(ctx, batch, "cancelled")
        moving.loaded(ctx, instance)
        _cancel_children(ctx, batch)
        moving.move(ctx, instance, lambda run: run.error(row.token, job["error"]))
        return
    if row.facts["multi"]:  # each item begins where the batch began, so that many items are no endless loop
        ctx.meter.chain = row.facts.get(jobs.CHAIN, 0)
    result = calls.returned(node, job["outputs"], multi=row.facts["multi"])
    item_done(ctx, instance, node, batch, index, result)


def child_skipped(ctx: Context, instance: OpenInstance, job: Mapping[str, Any]) -> None:
    """What a child brought could not be taken in, and a person leaves it out: it counts as done, without result."""
    row = ctx.conn.execute(select(tables.batch).where(tables.batch.c.id == job["batch"])).one()
    if row.status == "active":
        node = instance.definition.node(instance.row["process"], row.element)
        item_done(ctx, instance, node, job["batch"], job["index"], {}, judged=False)


def item_done(
    ctx: Context, instance: OpenInstance, node: Node, batch: int, index: int, result: Mapping[str, Any],
    *, judged: bool = True,
) -> None:  # fmt: skip
    """One item of a batch is done; the cost depends neither on the batch's size nor on the parent's state.

    Unless it is `judged`, the completion condition is not asked.
    """
    place = {"number": batch, "place": index, "outcome": "done", "result": dict(result) or None}
    if ctx.conn.execute(_ITEM_DONE, place).rowcount != 1:
        return
    row = ctx.conn.execute(_COUNT, {"number": batch}).one_or_none()
    if row is None:
        return
    if node.loop is not None and node.loop.behavior != "All":
        _throw(ctx, instance, node.loop, row, index, result, judged=judged)
        if not moving.awaits(ctx, instance, row.token):
            return  # what was thrown led away from the activity
    asked = row.condition if judged else None
    if row.done >= row.total or (asked and _holds(ctx, instance, asked, row, index, result)):
        _finish(ctx, instance, batch, node)
    elif row.width and row.spawned < row.total:
        moving.loaded(ctx, instance)
        spawn(ctx, instance, batch)


def _throw(
    ctx: Context, instance: OpenInstance, loop: Loop, row: Any, index: int, result: Mapping[str, Any],
    *, judged: bool,
) -> None:  # fmt: skip
    """An item is done: throw what the loop's behaviour says, to be caught at the activity's border (13.3.7)."""
    thrown = [loop.none_event] if loop.behavior == "None" else []
    if loop.behavior == "One" and row.done == 1:
        thrown = [loop.behavior_event]
    elif loop.behavior == "Complex" and judged:
        thrown = [event for text, event in loop.complex if _holds(ctx, instance, text, row, index, result)]
    for each in thrown:
        if each is not None and moving.awaits(ctx, instance, row.token):
            moving.move(ctx, instance, partial(Run.throw, number=row.token, definition=each))


def _holds(
    ctx: Context, instance: OpenInstance, text: str, row: Any, index: int, result: Mapping[str, Any]
) -> bool:
    """A condition of the loop: it sees the variables, the item's result and how far the batch is."""
    run = moving.loaded(ctx, instance)
    seen = {**run.data, **result, "loopCounter": index}
    counts = {"": row.total, "Completed": row.done, "Active": row.spawned - row.done}
    for which, count in counts.items():
        seen[f"numberOf{which}Instances"] = seen[f"nrOf{which}Instances"] = count
    value = run.env.evaluate(text, seen)
    if not isinstance(value, bool):
        raise no_truth(EngineError("The condition {text}", text=text), value)
    return value


def _finish(ctx: Context, instance: OpenInstance, batch: int, node: Node) -> None:
    row = _close(ctx, batch, "done")
    if row.done < row.total:
        _cancel_children(ctx, batch)
        if row.kind == "task":
            moving.gone(ctx, instance, fx.Withdrawn(row.token, row.element))
    moving.loaded(ctx, instance)
    deadlines.keep_whole(ctx, instance, node.id)
    values: dict[str, object] = deadlines.remember_actual(ctx, instance, node)
    if not row.facts["multi"]:
        values.update(_results(ctx, batch, 1)[0] or {})
    else:
        name = node.properties.get("flow.output")
        if name:
            values[name] = {"total": row.total, "done": row.done}
        loop = node.loop
        if loop is not None and loop.output:
            results = _results(ctx, batch, row.total)
            values[loop.output] = [
                None if each is None else each.get(loop.output_item or "") for each in results
            ]
        facts = {"total": row.total, "done": row.done, "batch": batch}
        ctx.note("batch.done", facts, instance=instance.id, subject=node.id)
    moving.move(ctx, instance, lambda run: run.complete(row.token, values))


def _results(ctx: Context, batch: int, number: int) -> list[dict[str, Any] | None]:
    item = tables.batch_item
    rows = ctx.conn.execute(
        select(item.c.output).where(item.c.batch_id == batch).order_by(item.c.idx).limit(number)
    )
    return [row.output for row in rows]


def _close(ctx: Context, batch: int, status: str) -> Any:
    return ctx.conn.execute(
        update(tables.batch).where(tables.batch.c.id == batch).values(status=status).returning(tables.batch)
    ).one()


def withdraw(ctx: Context, instance: OpenInstance, effect: fx.Withdrawn) -> None:
    """The token is gone: its batch ends, its children are cancelled by jobs."""
    moving.gone(ctx, instance, effect)
    node = moving.node_of(instance, effect.element)
    if node.tag != "callActivity" and node.loop is None:
        return
    for row in ctx.conn.execute(_ACTIVE, {"instance": instance.id, "place": effect.token}).all():
        _close(ctx, row.id, "cancelled")
        _cancel_children(ctx, row.id)


def _cancel_children(ctx: Context, batch: int) -> None:
    table = tables.instance
    for row in ctx.conn.execute(
        select(table.c.id).where(table.c.batch_id == batch, table.c.status.in_(("running", "suspended")))
    ).all():
        jobs.put(ctx, "cancel", instance=row.id, key=f"cancel:{row.id}", reason="the parent went another way")


EFFECTS: Mapping[type[fx.Effect], Callable[[Context, OpenInstance, Any], None]] = {
    fx.Called: begin,
    fx.Withdrawn: withdraw,
}
"""What becomes of the effects that concern children, before `moving.EFFECTS`."""
