"""The table of the notices: one row a message to one person, or to one group chat.

The rows that wait and those that need a person are found through partial indexes; queries repeat their conditions,
`WAITING` and `FAILED`.
"""

from __future__ import annotations

from sqlalchemy import Integer, Text

from engine.store.columns import Instant, Json, matches, may, must, numbered, partial

__all__ = ["FAILED", "WAITING", "delivery"]

delivery = numbered(
    "delivery",
    must("idem_key", Text, unique=True),
    must("kind", Text),  # task | reminder | overdue | notice | incident | digest | trial
    may("person", Text),  # None: a group chat
    must("channel", Text),  # mail, or the name of a group chat
    must("about", Json),  # the journal's rows: [[chain, seq], …], the first of `total`
    must("total", Integer),
    may("subject", Text),
    must("status", Text),  # new | sending | unknown | sent | failed | moot | skipped
    must("attempts", Integer, default=0),
    may("not_before", Instant),
    must("created_at", Instant),
    may("tried_at", Instant),
    may("closed_at", Instant),
    may("error", Text),
)
WAITING = matches(delivery.c.status, "new", "sending", "unknown")
FAILED = matches(delivery.c.status, "failed")
partial("ix_delivery_waiting", WAITING, delivery.c.id)
partial("ix_delivery_failed", FAILED, delivery.c.id)
