"""Opinions that come in, or come to light, after a survey has listed whom to call back for theirs."""

from __future__ import annotations

from sqlalchemy import select

from engine.commands import messages
from engine.commands.core import Context
from engine.model import label
from engine.store import tables
from engine.store.journal import instance_chain
from survey import callbacks
from survey.numbering import ranges
from survey.rounds import Round

ENTERED = "opinion_entered"
"""The message to a survey that opens a call-back for each of them."""
_COLLECTION = "callbacks.opinions"


def take_up(ctx: Context, found: Round) -> None:
    """Tell the survey of opinions nobody is called back for; where it waits for none any more, the journal says so."""
    if found.anonymous or not _listed(ctx, found):
        return
    late = callbacks.uncalled(ctx.conn, found)
    if late and not messages.tell(ctx, found.instance, ENTERED):
        numbers = sorted(each.number for each in late if each.number is not None)
        facts = {
            "members": ranges(numbers),
            "count": len(late),
            **({"part": found.part} if found.part else {}),
        }
        ctx.note("round.uncalled", facts, instance=found.instance, subject=label(found.instance))


def _listed(ctx: Context, found: Round) -> bool:
    """Whether the survey has listed, of this round, whom to call back for an opinion: before, it is yet to do so."""
    instance, table = ctx.instance(found.instance), tables.journal
    opened = select(table.c.subject).where(
        table.c.chain == instance_chain(instance.id),
        table.c.kind == "batch.opened",
        table.c.at >= found.opened_at,
    )
    nodes = [instance.definition.node(instance.row["process"], name) for name in ctx.conn.scalars(opened)]
    return any(node.properties.get("flow.collection", "").strip() == _COLLECTION for node in nodes)
