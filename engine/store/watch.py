"""How far time has come here: what the history reaches, and when a scheduler was last seen.

A clock that was wrong for a while leaves rows of a time that had not come yet. Once somebody has vouched for the
clock again (`clock.accepted` in the journal), those rows no longer count for how far the history reaches: the
setting `clock_accepted` names, for each chain that has such rows, the last of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, func, select, type_coerce

from engine.store.columns import from_micros
from engine.store.settings import damaged, kept
from engine.store.tables import journal

TICKED, STOPPED, ACCEPTED = "ticked_at", "stopped_at", "clock_accepted"
"""Names in the table `setting`."""

STALE = timedelta(minutes=2)
"""A scheduler that has not ticked for so long is not running."""

TOLERANCE = timedelta(minutes=1)
"""How far the clocks of several machines may differ."""

LEAP = timedelta(days=400)
"""A clock so far beyond everything that happened here is wrong rather than right: yearly procedures start within."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far time has come, as far as the database knows."""

    history: datetime | None
    """The latest entry of the journal."""
    seen: datetime | None
    """The same, or a scheduler's last tick when that was later."""

    def contradicts(self, now: datetime) -> str:
        """`behind` or `ahead` when the clock cannot be right, else nothing."""
        if self.history is not None and now < self.history - TOLERANCE:
            return "behind"
        if self.seen is not None and now > self.seen + LEAP:
            return "ahead"
        return ""


UNKNOWN = Reach(None, None)
"""Of a database in which nothing happened yet."""


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Whether a scheduler is at work: the last tick, and when one was stopped if there was none since."""

    ticked_at: datetime | None
    stopped_at: datetime | None

    def running(self, now: datetime) -> bool:
        """Whether one ticked lately and none was stopped since. A tick still to come was a wrong clock's."""
        return self.stopped_at is None and self.ticked_at is not None and abs(now - self.ticked_at) < STALE


def reach(conn: Connection) -> Reach:
    """How far time has come."""
    history, ticked = latest(conn), _moment(conn, TICKED)
    return Reach(history, max((each for each in (history, ticked) if each is not None), default=None))


def scheduler(conn: Connection) -> Scheduler:
    """What schedulers left word of."""
    return Scheduler(_moment(conn, TICKED), _moment(conn, STOPPED))


def latest(conn: Connection) -> datetime | None:
    """How far the history reaches. What somebody wrote there by hand is for `audit verify` to tell, not for this."""
    false = accepted(conn)
    query = select(journal.c.chain, journal.c.seq, type_coerce(journal.c.at, BigInteger))
    with conn.execute(query.order_by(journal.c.at.desc()).execution_options(yield_per=50)) as rows:
        for chain, seq, at in rows:
            if seq > false.get(chain, 0):
                return from_micros(at) if isinstance(at, int) else None
    return None


def beyond(conn: Connection, now: datetime) -> dict[str, tuple[int, int]]:
    """The chains with rows of a time that has not come yet: the first and the last of those rows."""
    false = accepted(conn)
    rows = conn.execute(
        select(journal.c.chain, func.min(journal.c.seq), func.max(journal.c.seq))
        .where(journal.c.at > now)
        .group_by(journal.c.chain)
        .order_by(func.length(journal.c.chain), journal.c.chain)
    )
    return {chain: (first, last) for chain, first, last in rows if last > false.get(chain, 0)}


def accepted(conn: Connection) -> dict[str, int]:
    """The last row of a false time, by chain."""
    found = kept(conn, ACCEPTED) or {}
    if not isinstance(found, dict):
        raise damaged(ACCEPTED, found)
    return found


def _moment(conn: Connection, name: str) -> datetime | None:
    text = kept(conn, name)
    try:
        return None if text is None else datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise damaged(name, text) from None
