"""The effect of each kind of job, inside the transaction that marks it done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from engine.bpmn.run import Run
from engine.calendar.durations import Cycle, parse_timer
from engine.calendar.working import WorkingCalendar
from engine.characters import blank
from engine.commands import batches, deadlines, instances, jobs, messages, moving, notices
from engine.commands.core import Context, OpenInstance
from engine.commands.environment import take_records
from engine.errors import Conflict, Invalid, Problem
from engine.model import SYSTEM, InstanceStatus
from engine.store import tables

_DUE = select(tables.timer).where(tables.timer.c.id == bindparam("number"))
_REARM = (
    update(tables.timer)
    .where(tables.timer.c.id == bindparam("number"))
    .values(status="armed", due_at=bindparam("due"), facts=bindparam("kept"))
)
_ANY_CALENDAR = WorkingCalendar.of(())
"""For cycles that count no working days."""


def _timer(ctx: Context, job: Any) -> None:
    """A timer fell due: the event happens, a notice goes out."""
    timer = ctx.conn.execute(_DUE, {"number": job.payload["timer"]}).one()
    if timer.status != "fired":
        return  # withdrawn between tick and work
    ctx.meter.chain = timer.facts.get(jobs.CHAIN, 0)
    instance = ctx.running(job.instance_id)
    if timer.kind != "event":
        notices.give(ctx, instance, timer)
        return
    token = timer.token
    if not moving.awaits(ctx, instance, token):
        return
    _rearm(ctx, instance, timer)
    ctx.note(
        "timer.fired", {"rule": timer.rule, "due": timer.due_at.isoformat()},
        instance=instance.id, subject=timer.element,
    )  # fmt: skip
    moving.move(ctx, instance, lambda run: run.fire(token, timer.facts["index"]))


def _rearm(ctx: Context, instance: Any, timer: Any) -> None:
    """A cycle goes on: with the next firing still to come, so that an outage makes one firing, not a burst."""
    cycle = parse_timer(timer.rule) if timer.rule.startswith("R") else None
    if not isinstance(cycle, Cycle) or not timer.facts.get("repeats"):
        return
    armed = datetime.fromisoformat(timer.facts["armed"])
    zone, counts = ctx.services.zone, cycle.every.working_days is not None
    calendar = ctx.calendar(instance.row["unit"]) if counts else _ANY_CALENDAR
    number = cycle.following(timer.facts.get("firing", 1) + 1, ctx.now, armed, zone, calendar)
    due = cycle.firing(number, armed, zone, calendar)
    if due is not None:
        kept = {**timer.facts, "firing": number, jobs.CHAIN: 0}
        ctx.conn.execute(_REARM, {"number": timer.id, "due": due, "kept": kept})


def _deadline(ctx: Context, job: Any) -> None:
    deadlines.miss(ctx, ctx.instance(job.instance_id), job.payload["deadline"])


def _child(ctx: Context, job: Any) -> None:
    batches.child_ended(ctx, ctx.running(job.instance_id), job.payload)


def _spawn(ctx: Context, job: Any) -> None:
    instance = ctx.running(job.instance_id)
    moving.loaded(ctx, instance)
    batches.spawn(ctx, instance, job.payload["batch"])


def _escalated(ctx: Context, job: Any) -> None:
    instance = ctx.running(job.instance_id)
    token = job.payload["token"]
    if moving.awaits(ctx, instance, token):
        moving.move(ctx, instance, lambda run: run.escalate(token, job.payload["code"]))


def _cancel(ctx: Context, job: Any) -> None:
    if ctx.instance(job.instance_id).get("status") in ("running", "suspended"):
        command = instances.Cancel(by=SYSTEM, instance=job.instance_id, reason=job.payload["reason"])
        instances.cancel(command, ctx)


def _suspend(ctx: Context, job: Any) -> None:
    if ctx.instance(job.instance_id).get("status") == "running":
        command = instances.Suspend(by=SYSTEM, instance=job.instance_id, reason=job.payload["reason"])
        instances.suspend(command, ctx)


def _resume(ctx: Context, job: Any) -> None:
    if ctx.instance(job.instance_id).get("status") == "suspended":
        instances.resume(instances.Resume(by=SYSTEM, instance=job.instance_id), ctx)


def _element(ctx: Context, job: Any) -> None:
    """An element that failed inside a step is tried again."""
    instance = ctx.running(job.instance_id)
    token = job.payload["token"]
    if moving.awaits(ctx, instance, token):
        moving.move(ctx, instance, lambda run: run.retry(token))


def _go_on(ctx: Context, job: Any) -> None:
    instance = ctx.running(job.instance_id)
    if _may_be_ended(ctx, instance):
        jobs.put(ctx, "go-on", instance=instance.id, key=f"go-on:{job.id}:{instance.id}")
    else:
        moving.move(ctx, instance, Run.look_again)


def _may_be_ended(ctx: Context, instance: OpenInstance) -> bool:
    """Whether an escalation is on its way to those who called the instance, or their word to end it is."""
    table = tables.job
    waiting = select(table.c.id).where(
        tables.NEW_JOB, table.c.instance_id.in_(messages.around(ctx, instance)),
        table.c.kind.in_(("escalated", "cancel", "catch")), table.c.attempts == 0,
    )  # fmt: skip
    return ctx.conn.execute(waiting.limit(1)).first() is not None


def _outside(_ctx: Context, job: Any) -> None:
    raise Conflict("Job {job} calls the outside: a worker runs it, in no transaction", job=job.id)


EFFECTS: Mapping[str, Callable[[Context, Any], None]] = {
    "timer": _timer,
    "deadline": _deadline,
    "child": _child,
    "spawn": _spawn,
    "escalated": _escalated,
    "cancel": _cancel,
    "suspend": _suspend,
    "resume": _resume,
    "element": _element,
    "go-on": _go_on,
    "outside": _outside,
    "message": messages.thrown,
    "letter": messages.deliver,
    "signal": messages.raised,
    "broadcast": messages.spread,
    "catch": messages.catch,
    "begin": messages.begin,
}


def answer(cmd: jobs.AnswerJob, ctx: Context) -> None:
    """An outside handler answered: its token goes on, or the BPMN error it raised takes its way."""
    job = jobs.find(ctx, cmd.job)
    if job.status != "new":
        return
    instance = ctx.instance(job.instance_id)
    if instance.get("status") == InstanceStatus.SUSPENDED:
        raise Conflict("{label} is suspended; the answer is asked for again", label=instance.label)
    token = job.payload["token"]
    if moving.awaits(ctx, instance, token):
        for kind, facts in cmd.notes:
            ctx.note(kind, facts, instance=instance.id, subject=job.payload["element"])
        if cmd.error is not None:
            moving.move(ctx, instance, lambda run: run.error(token, cmd.error or ""))
        else:
            node = moving.node_of(instance, job.payload["element"])
            values = take_records(ctx, instance, node, dict(cmd.values))
            moving.move(ctx, instance, lambda run: run.complete(token, values))
    jobs.done(ctx, cmd.job)


def skip_job(cmd: jobs.SkipJob, ctx: Context) -> None:
    """Leave an incident out; a token that waited for it goes on."""
    if blank(cmd.reason):
        raise Invalid([Problem("reason", "Say why it is skipped: the auditor will ask")])
    job = jobs.incident_of(ctx, cmd.job)
    facts = {"job": job.id, "kind": job.kind, "reason": cmd.reason}
    ctx.note("job.skipped", facts, instance=job.instance_id, subject=job.payload.get("element"))
    if job.instance_id is not None and job.kind in ("element", "outside", "child"):
        instance = ctx.instance(job.instance_id)
        if instance.get("status") == InstanceStatus.SUSPENDED:
            instance = ctx.running(job.instance_id)  # says so
        if moving.awaits(ctx, instance, job.payload["token"]):
            if job.kind == "child":
                batches.child_skipped(ctx, instance, job.payload)
            else:
                moving.move(ctx, instance, lambda run: run.skip(job.payload["token"]))
    ctx.conn.execute(
        update(tables.job).where(tables.job.c.id == job.id).values(status="done", done_at=ctx.now)
    )
