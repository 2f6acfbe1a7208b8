"""Whether the journal's delivery marks and the messages made of its entries say the same.

A message and the marks of the entries it tells of are written in one transaction, so they bear one moment.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from sqlalchemy import BigInteger, Connection, Row, Text, select, tuple_, type_coerce

from engine.store.tables import journal
from engine.store.verify import MARK_ALTERED, Fault
from notices.outbox import KINDS
from notices.tables import delivery

_MESSAGES = (
    select(
        delivery.c.id,
        type_coerce(delivery.c.about, Text).label("about"),
        type_coerce(delivery.c.created_at, BigInteger).label("created_at"),
    )
    .where(delivery.c.kind.in_(sorted(set(KINDS.values()))))
    .order_by(delivery.c.id)
    .execution_options(yield_per=100)
)
_PLACE = tuple_(journal.c.chain, journal.c.seq)
_MARKS = select(journal.c.chain, journal.c.seq, type_coerce(journal.c.delivered_at, BigInteger))


def unmarked(conn: Connection) -> Iterator[Fault]:
    """Every entry that a message tells of and that is missing, or marked as taken over at another moment."""
    for messages in conn.execute(_MESSAGES).partitions():
        told = {message.id: _places(message) for message in messages}
        wanted = sorted({place for places in told.values() for place in places or ()})
        marks = {(chain, seq): mark for chain, seq, mark in conn.execute(_MARKS.where(_PLACE.in_(wanted)))}
        for message in messages:
            places = told[message.id]
            if places is None:
                yield Fault("org", None, "What notice {number} is about was altered", {"number": message.id})
                continue
            for chain, seq in places:
                if (chain, seq) not in marks:
                    template = "is missing, though notice {number} tells of it"
                    yield Fault(chain, seq, template, {"number": message.id})
                elif marks[chain, seq] != message.created_at:
                    yield Fault(chain, seq, MARK_ALTERED)


def _places(message: Row[tuple[int, str, int]]) -> list[tuple[str, int]] | None:
    """The entries that a message names; None where somebody left what names none."""
    try:
        return [(str(chain), int(seq)) for chain, seq in orjson.loads(message.about)]
    except (ValueError, TypeError):
        return None
