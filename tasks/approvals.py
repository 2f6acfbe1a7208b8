"""Approvals: who decided, and when, as papers and callers want to know it."""

from __future__ import annotations

from sqlalchemy import select

from engine.errors import EngineError
from engine.handlers import Call, Handlers, Values, anything, takes
from engine.store import tables
from tasks.controlled import listed

handlers = Handlers("approvals")


@handlers.inside
@takes({"flow.steps": anything})
def signed(call: Call) -> Values:
    """Who did the latest of some steps of the instance, and on which day: sets `approved_by` and `approved_on`.

    Property: `flow.steps`, the steps, with commas between them.
    """
    steps = listed(call.properties["flow.steps"])
    task = tables.user_task
    row = call.conn.execute(
        select(task.c.closed_by, task.c.closed_at)
        .where(task.c.instance_id == call.instance, task.c.element.in_(steps), task.c.status == "done")
        .order_by(task.c.closed_at.desc(), task.c.opened_at.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise EngineError(
            "{element}: nobody has done any of {steps} yet", element=call.element, steps=", ".join(steps)
        )
    return {
        "approved_by": row.closed_by,
        "approved_on": row.closed_at.astimezone(call.zone).date().isoformat(),
    }
