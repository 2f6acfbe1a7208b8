"""Moving an instance: what its step left (`engine.bpmn.effects`) becomes rows, jobs and journal entries.

Every function here works inside one command's transaction, on an instance whose row is locked. What concerns
another instance (a child to start, a parent to tell) becomes a job, so that locks are never taken upward.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, update

from engine.bpmn import effects as fx
from engine.bpmn import state
from engine.bpmn.diagram import PERSON_TASKS, Node
from engine.bpmn.run import Run
from engine.calendar.working import NoTable
from engine.commands import deadlines, jobs, recounting, waits
from engine.commands.environment import InstanceEnvironment
from engine.errors import EngineError
from engine.model import InstanceStatus
from engine.store import tables

if TYPE_CHECKING:
    from engine.commands.core import Context, OpenInstance


def loaded(ctx: Context, instance: OpenInstance) -> Run:
    """The instance's run, read from its state when this command has not yet done so."""
    if instance.run is None:
        env = InstanceEnvironment(ctx, instance)
        spec = instance.definition.spec(instance.row["process"])
        instance.run = state.load(
            instance.row["state"], instance.row["state_format"], spec, env, instance.label
        )
        instance.run.meter = ctx.meter
        instance.run.called = instance.row["parent_id"] is not None
    return instance.run


def move(ctx: Context, instance: OpenInstance, act: Callable[[Run], None]) -> None:
    """Let the instance act and go on as far as it can, and write down everything that follows."""
    run = loaded(ctx, instance)
    act(run)
    settle(ctx, instance)


def settle(ctx: Context, instance: OpenInstance) -> None:
    """Write down what the step left."""
    run = loaded(ctx, instance)
    path: list[str] = []
    while run.effects:  # taken one by one: an empty batch moves the instance on from within
        effect = run.effects.popleft()
        if isinstance(effect, fx.Entered):
            path.append(effect.element)
            continue
        if isinstance(effect, fx.Called | fx.Ended) and path:
            # The journal has the way to the call before what the child does, and that to the end before the end.
            ctx.note("instance.moved", {"path": path}, instance=instance.id)
            path = []
        if isinstance(effect, _DEMANDING):
            _attempt(ctx, instance, effect)
        else:
            ctx.services.effects[type(effect)](ctx, instance, effect)
    if path:
        ctx.note("instance.moved", {"path": path}, instance=instance.id)


_DEMANDING = (fx.Called, fx.Armed, fx.TaskOpened)
"""Effects that ask expressions, handlers or calendars, which may refuse."""


def _attempt(ctx: Context, instance: OpenInstance, effect: fx.Effect) -> None:
    """Do what the effect asks, or leave an incident at its element: what the person did before is not lost.

    Only a call writes before it has asked everything (its children take their first steps), so only its rows
    have to be undone when it is refused.
    """
    try:
        with ctx.attempt() if isinstance(effect, fx.Called) else nullcontext():
            ctx.services.effects[type(effect)](ctx, instance, effect)
    except EngineError as fault:
        run = loaded(ctx, instance)
        if effect.token in run.tasks:
            run.tasks[effect.token].internal_data["e"] = str(fault)
        failed = fx.Failed(effect.token, effect.element, str(fault), fault)
        ctx.services.effects[fx.Failed](ctx, instance, failed)


def awaits(ctx: Context, instance: OpenInstance, token: int) -> bool:
    """Whether the token still waits: an answer may come for what was withdrawn, or ended, meanwhile."""
    return instance.get("status") == InstanceStatus.RUNNING and token in loaded(ctx, instance).tasks


def node_of(instance: OpenInstance, element: str) -> Node:
    """A node of the instance's process."""
    return instance.definition.node(instance.row["process"], element)


# -- effects ---------------------------------------------------------------------------------------


def _opened(ctx: Context, instance: OpenInstance, effect: fx.TaskOpened) -> None:
    waits.open_task(ctx, instance, node_of(instance, effect.element), effect.token)


_CANCEL_TASKS = (
    update(tables.user_task)
    .where(
        tables.user_task.c.instance_id == bindparam("instance"),
        tables.user_task.c.token == bindparam("place"),
        tables.OPEN_WORK,
    )
    .values(status="cancelled", closed_at=bindparam("at"))
    .returning(tables.user_task.c.id)
)


def gone(ctx: Context, instance: OpenInstance, effect: fx.Withdrawn | fx.Finished) -> None:
    """The token waits no more: what was laid out for it goes."""
    node = node_of(instance, effect.element)
    place = {"instance": instance.id, "place": effect.token}
    if node.tag in PERSON_TASKS and isinstance(effect, fx.Withdrawn):
        for row in ctx.conn.execute(_CANCEL_TASKS, {**place, "at": ctx.now}):
            ctx.note("task.withdrawn", {}, instance=instance.id, subject=row.id)
        deadlines.drop(ctx, instance, effect.token)
    elif (
        isinstance(effect, fx.Finished) and node.tag not in PERSON_TASKS
    ):  # a person's is kept as they complete it
        _done_today(ctx, instance, node)
    if node.events or node.tag == "receiveTask":
        waits.disarm(ctx, instance, effect.token)


def _done_today(ctx: Context, instance: OpenInstance, node: Node) -> None:
    """Keep when the element was done, if a due date is measured from it."""
    kept = deadlines.remember_actual(ctx, instance, node)
    if kept:
        loaded(ctx, instance).data.update(kept)
        recounting.reconsider(ctx, instance, kept)


def _armed(ctx: Context, instance: OpenInstance, effect: fx.Armed) -> None:
    waits.arm(ctx, instance, node_of(instance, effect.element), effect)


def _requested(ctx: Context, instance: OpenInstance, effect: fx.Requested) -> None:
    jobs.put(
        ctx,
        "outside",
        instance=instance.id,
        key=f"outside:{instance.id}:{effect.token}",
        token=effect.token,
        element=effect.element,
        handler=effect.handler,
    )


def _thrown(ctx: Context, instance: OpenInstance, effect: fx.Thrown) -> None:
    ctx.note(f"{effect.kind}.thrown", {"name": effect.name}, instance=instance.id, subject=effect.element)
    ctx.crossed += 1
    key = f"{effect.kind}:{instance.id}:{effect.token}:{effect.name}:{instance.row['version']}"
    if effect.kind == "message":
        kind = "message" if effect.near else "letter"
        jobs.put(ctx, kind, key=key, name=effect.name, correlation=effect.key, origin=instance.id)
    elif effect.kind == "signal":
        kind = "signal" if effect.near else "broadcast"
        jobs.put(ctx, kind, key=key, name=effect.name, origin=instance.id)
    elif effect.kind == "escalation" and instance.row["parent_id"] is not None:
        jobs.put(
            ctx, "escalated", instance=instance.row["parent_id"], key=key,
            token=instance.row["parent_token"], code=effect.name,
        )  # fmt: skip


def _changed(ctx: Context, instance: OpenInstance, effect: fx.Changed) -> None:
    node = node_of(instance, effect.element)
    if node.tag not in PERSON_TASKS:  # a person's values stand in task.completed
        ctx.note("variables.set", dict(effect.values), instance=instance.id, subject=effect.element)
    recounting.reconsider(ctx, instance, effect.values)


def _failed(ctx: Context, instance: OpenInstance, effect: fx.Failed) -> None:
    if isinstance(effect.fault, NoTable):
        ctx.untabled.append(effect.fault)
    ctx.note("element.failed", {"reason": effect.reason}, instance=instance.id, subject=effect.element)
    jobs.incident(ctx, instance, effect.token, effect.element, effect.reason)


def _paused(ctx: Context, instance: OpenInstance, _effect: fx.Paused) -> None:
    jobs.put(ctx, "go-on", instance=instance.id, key=f"go-on:{instance.id}:{instance.row['version']}")


_CLOSE_TASKS = (
    update(tables.user_task)
    .where(tables.user_task.c.instance_id == bindparam("instance"), tables.OPEN_WORK)
    .values(status="cancelled", closed_at=bindparam("at"))
)


def _ended(ctx: Context, instance: OpenInstance, effect: fx.Ended) -> None:
    failed = effect.outcome.startswith("error(")
    cancelled = effect.outcome == "cancelled"
    status = InstanceStatus.COMPLETED
    if failed or cancelled:
        status = InstanceStatus.FAILED if failed else InstanceStatus.CANCELLED
    instance.changes.update(status=str(status), ended_at=ctx.now, outcome=effect.outcome)
    ctx.note(f"instance.{status}", {"outcome": effect.outcome}, instance=instance.id)
    deadlines.end(ctx, instance, met=status == InstanceStatus.COMPLETED)
    row = instance.row
    if row["parent_id"] is None or cancelled:
        return
    jobs.put(
        ctx,
        "child",
        instance=row["parent_id"],
        key=f"child:{instance.id}",
        child=instance.id,
        batch=row["batch_id"],
        index=row["batch_index"],
        token=row["parent_token"],
        error=effect.outcome[6:-1] if failed else None,
        outputs=_outputs(ctx, instance),
    )


def _outputs(ctx: Context, instance: OpenInstance) -> dict[str, Any]:
    """What an ended child offers its parent, which takes what it declared."""
    return dict(loaded(ctx, instance).data)


EFFECTS: Mapping[type[fx.Effect], Callable[[Context, OpenInstance, Any], None]] = {
    fx.TaskOpened: _opened,
    fx.Withdrawn: gone,
    fx.Finished: gone,
    fx.Armed: _armed,
    fx.Requested: _requested,
    fx.Thrown: _thrown,
    fx.Changed: _changed,
    fx.Failed: _failed,
    fx.Paused: _paused,
    fx.Ended: _ended,
}
"""What becomes of each effect; `batches.EFFECTS` has those that concern children."""
