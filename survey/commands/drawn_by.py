"""Which element of its diagram drew a survey's sample: what became of the draw later counts as evidence with it."""

from __future__ import annotations

import orjson
from sqlalchemy import or_, select

from engine.commands.core import Context
from engine.store import tables
from engine.store.journal import instance_chain
from survey.rounds import Round


def element(ctx: Context, found: Round, seed: str) -> str | None:
    """What the journal says that the draw with that seed was made by; None for one that no element made."""
    instance, table = tables.instance, tables.journal
    family = select(instance.c.id).where(
        or_(instance.c.id == found.instance, instance.c.root_id == found.instance)
    )
    chains = [instance_chain(number) for number in ctx.conn.scalars(family)]
    rows = ctx.conn.execute(
        select(table.c.subject, table.c.facts).where(table.c.kind == "round.drawn", table.c.chain.in_(chains))
    )
    return next((row.subject for row in rows if orjson.loads(row.facts).get("seed") == seed), None)
