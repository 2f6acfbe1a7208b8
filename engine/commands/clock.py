"""The clock of the machine, when it and the history contradict each other.

A command under a clock that runs ahead writes times that have not come; once the clock is right, everything after
would lie before the history and is refused. A person with `admin` then vouches for the clock: from here on events
carry its time. The journal says so, in `org`; nothing that was written is taken back.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import update

from engine.commands import schedules
from engine.commands.core import Command, Context
from engine.commands.organisation import put_setting
from engine.errors import Conflict, Invalid, Problem
from engine.store import tables, watch
from engine.store.journal import INSTANCE_CHAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptClock(Command):
    """Let the history go on at what the clock says, for a reason. The only command that a wrong clock may give."""

    reason: str


def accept_clock(cmd: AcceptClock, ctx: Context) -> None:
    """Vouch for the clock: enter it in the journal, and let what a clock ahead held up go on.

    Jobs wait no longer for a time of the false clock, and kick-offs made in it are planned again. Raises Conflict
    when clock and history agree, or the clock is a virtual one.
    """
    if ctx.services.workspace.demo:
        raise Conflict("A demo workspace has a virtual clock; move it with `flow demo clock --advance P1D`")
    if not cmd.reason.strip():
        raise Invalid([Problem("reason", "Say why: the auditor will ask")])
    reach = watch.reach(ctx.conn)
    if not reach.contradicts(ctx.now):
        raise Conflict("The clock and the history agree: there is nothing to accept")
    assert reach.history is not None
    ahead = watch.beyond(ctx.conn, ctx.now)
    chains = [chain for chain in ahead if INSTANCE_CHAIN.fullmatch(chain)]
    facts: dict[str, object] = {
        "reached": reach.history.astimezone(ctx.services.zone).isoformat(timespec="seconds"),
        "clock": ctx.now.astimezone(ctx.services.zone).isoformat(timespec="seconds"),
        "reason": cmd.reason,
        "started": [chain for chain in chains if ahead[chain][0] == 1],
        "moved": [chain for chain in chains if ahead[chain][0] > 1],
    }
    if ctx.now < reach.history:
        last = {chain: last for chain, (_, last) in ahead.items()}
        put_setting(ctx, watch.ACCEPTED, {**watch.accepted(ctx.conn), **last})
        job = tables.job
        ctx.conn.execute(
            update(job).where(tables.NEW_JOB, job.c.not_before > ctx.now).values(not_before=ctx.now)
        )
        facts["planned_again"] = schedules.plan_again(ctx)
    ctx.note("clock.accepted", facts)
