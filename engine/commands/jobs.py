"""Jobs: what waits to be done, a row each; called at least once, with effect exactly once.

A job takes effect in one transaction: the instance row is locked, the job is checked to be new, its effect and
its completion are committed together. What fails is tried again with growing delay, then left as an incident
that a person retries or skips with a reason. An outside call runs between two transactions, holding none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.commands.core import Command, Context
from engine.errors import Conflict, NotFound
from engine.model import rank
from engine.store import tables

if TYPE_CHECKING:
    from engine.commands.core import OpenInstance

ATTEMPTS = 5
"""Tries before a job is left to a person."""
CHAIN = "chain"
"""In a job's payload or a timer's facts: what `Meter.chain` had come to."""

_PUT = {
    "sqlite": sqlite.insert(tables.job).on_conflict_do_nothing().returning(tables.job.c.id),
    "postgresql": postgresql.insert(tables.job).on_conflict_do_nothing().returning(tables.job.c.id),
}
_FIND = select(tables.job).where(tables.job.c.id == bindparam("number")).with_for_update()
_DONE = (
    update(tables.job)
    .where(tables.job.c.id == bindparam("number"), tables.job.c.status == "new")
    .values(status="done", done_at=bindparam("at"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunJob(Command):
    """Carry out one job, if it still waits."""

    job: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailJob(Command):
    """A job could not be carried out: try again later, or leave it to a person."""

    job: int
    reason: str
    moot: bool = False
    """The instance it is for has ended meanwhile: nobody has to try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerJob(Command):
    """An outside handler is done: with values, or with a BPMN error."""

    job: int
    values: dict[str, Any]
    error: str | None = None
    notes: tuple[tuple[str, Mapping[str, object]], ...] = ()
    """What the handler had to say for the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryJob(Command):
    """A person has an incident tried again."""

    job: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipJob(Command):
    """A person has an incident left out, for a reason; the procedure goes on as if it had been done."""

    job: int
    reason: str


def put(ctx: Context, kind: str, *, instance: int | None = None, key: str, **payload: Any) -> int | None:
    """Write a job in this transaction and ring for it; None when one of that key is there already.

    It knows how much went before it without waiting, so that a chain of jobs cannot be endless either.
    """
    if ctx.meter.chain:
        payload[CHAIN] = ctx.meter.chain
    number = ctx.conn.execute(
        _PUT[ctx.conn.dialect.name],
        {
            "instance_id": instance,
            "kind": kind,
            "payload": payload,
            "idem_key": key,
            "status": "new",
            "attempts": 0,
            "created_at": ctx.now,
        },
    ).scalar_one_or_none()
    if number is not None:
        ctx.services.doorbell.ring(ctx.conn, number, instance, rank=rank(kind))
    return number


def incident(ctx: Context, instance: OpenInstance, token: int, element: str, reason: str) -> None:
    """An element failed inside a step: a dead job that a person retries or skips."""
    number = put(
        ctx,
        "element",
        instance=instance.id,
        key=f"element:{instance.id}:{token}:{instance.row['version']}",
        token=token,
        element=element,
    )
    if number is not None:
        ctx.conn.execute(
            update(tables.job)
            .where(tables.job.c.id == number)
            .values(status="dead", attempts=1, error=reason)
        )


def find(ctx: Context, number: int) -> Any:
    """A job's row, locked. Raises NotFound."""
    row = ctx.conn.execute(_FIND, {"number": number}).one_or_none()
    if row is None:
        raise NotFound("There is no job {job}; see `flow job list`", job=number)
    return row


def run_job(cmd: RunJob, ctx: Context) -> bool:
    """Carry a job out. False when somebody else already did."""
    job = find(ctx, cmd.job)
    if job.status != "new" or (job.not_before is not None and job.not_before > ctx.now):
        return False
    ctx.meter.chain = job.payload.get(CHAIN, 0)
    ctx.services.jobs[job.kind](ctx, job)
    done(ctx, cmd.job)
    return True


def done(ctx: Context, number: int) -> None:
    """The job had its effect. Raises Conflict when another worker was faster."""
    if ctx.conn.execute(_DONE, {"number": number, "at": ctx.now}).rowcount != 1:
        raise Conflict("Job {job} was already done", job=number)


def fail_job(cmd: FailJob, ctx: Context) -> None:
    """Count the attempt; after the last one the job is an incident."""
    job = find(ctx, cmd.job)
    if job.status != "new":
        return
    if cmd.moot:
        ctx.conn.execute(_DONE, {"number": job.id, "at": ctx.now})
        facts = {"job": job.id, "kind": job.kind, "reason": cmd.reason[:2000]}
        ctx.note("job.moot", facts, instance=job.instance_id, subject=job.payload.get("element"))
        return
    attempts = job.attempts + 1
    dead = attempts >= ATTEMPTS
    ctx.conn.execute(
        update(tables.job)
        .where(tables.job.c.id == job.id)
        .values(
            attempts=attempts,
            error=cmd.reason[:2000],
            status="dead" if dead else "new",
            not_before=ctx.now + timedelta(seconds=10 * 6 ** (attempts - 1)),
        )
    )
    if dead:
        ctx.note(
            "job.failed",
            {"job": job.id, "kind": job.kind, "reason": cmd.reason[:2000], "attempts": attempts},
            instance=job.instance_id,
            subject=job.payload.get("element"),
        )


def retry_job(cmd: RetryJob, ctx: Context) -> None:
    """Wake an incident. What went before it does not count any more: somebody acted."""
    job = incident_of(ctx, cmd.job)
    payload = {name: value for name, value in job.payload.items() if name != CHAIN}
    ctx.conn.execute(
        update(tables.job)
        .where(tables.job.c.id == job.id)
        .values(status="new", attempts=0, not_before=None, error=None, payload=payload)
    )
    ctx.note("job.retried", {"job": job.id, "kind": job.kind}, instance=job.instance_id)
    ctx.services.doorbell.ring(ctx.conn, job.id, job.instance_id, rank=rank(job.kind))


def incident_of(ctx: Context, number: int) -> Any:
    """A job that waits for a person, locked. Raises Conflict for any other."""
    job = find(ctx, number)
    if job.status != "dead":
        raise Conflict("Job {job} needs nobody: it is {status}", job=number, status=job.status)
    return job
