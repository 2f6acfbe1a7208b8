"""What the metronome does: what fell due becomes jobs, each once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, bindparam, select, update

from engine.commands import jobs
from engine.commands.core import Command, Context
from engine.store import tables

_DUE = (
    select(tables.timer.c.id, tables.timer.c.instance_id, tables.timer.c.due_at, tables.timer.c.facts)
    .join(tables.instance, tables.instance.c.id == tables.timer.c.instance_id)
    .where(
        tables.ARMED_TIMER,
        tables.timer.c.due_at <= bindparam("now"),
        tables.instance.c.status != "suspended",
    )
    .order_by(tables.timer.c.due_at, tables.timer.c.id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(of=tables.timer, skip_locked=True)
)
_MISSED = (
    select(tables.deadline.c.id, tables.deadline.c.instance_id, tables.deadline.c.due_at)
    .where(tables.ARMED_DEADLINE, tables.deadline.c.due_at <= bindparam("now"))
    .order_by(tables.deadline.c.due_at, tables.deadline.c.id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
_FIRED = update(tables.timer).where(tables.timer.c.id == bindparam("number")).values(status="fired")
_WAITING = select(tables.job.c.payload).where(tables.NEW_JOB, tables.job.c.kind == "deadline")


@dataclass(frozen=True, slots=True, kw_only=True)
class FireTimers(Command):
    """Turn timers and deadlines that fell due into jobs. Returns how many there were."""

    limit: int = 200


def fire_timers(cmd: FireTimers, ctx: Context) -> int:
    """Mark due timers fired and write their jobs, in the order they fell due.

    What belongs to a suspended instance waits until it is resumed.
    """
    due = ctx.conn.execute(_DUE, {"now": ctx.now, "most": cmd.limit}).all()
    missed = _missed(ctx, cmd.limit)
    both: list[tuple[Any, str, Any]] = [(r.due_at, "timer", r) for r in due]
    both += [(r.due_at, "deadline", r) for r in missed]
    for _, kind, row in sorted(both, key=lambda each: (each[0], each[1], each[2].id)):
        if (
            kind == "timer"
        ):  # by its firing, not its moment: a changed calendar may move the next one to this one's
            key = f"timer:{row.id}:#{row.facts.get('firing', 1)}"
            jobs.put(ctx, "timer", instance=row.instance_id, key=key, timer=row.id)
        else:  # by this moment: one that moved away before its job was run may come back to its own
            key = f"deadline:{row.id}:{int(ctx.now.timestamp() * 1_000_000)}"
            jobs.put(ctx, "deadline", instance=row.instance_id, key=key, deadline=row.id)
    if due:
        ctx.conn.execute(_FIRED, [{"number": row.id} for row in due])
    return len(due) + len(missed)


def _missed(ctx: Context, limit: int) -> list[Any]:
    rows = ctx.conn.execute(_MISSED, {"now": ctx.now, "most": limit}).all()
    if not rows:
        return []
    waiting = {row.payload["deadline"] for row in ctx.conn.execute(_WAITING)}
    return [row for row in rows if row.id not in waiting]
