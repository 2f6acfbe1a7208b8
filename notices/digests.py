"""The daily digest: on every working day, one message to each person of what is late, due and new for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from engine.commands.core import Command, Context
from engine.commands.organisation import put_setting
from engine.errors import NotFound
from engine.store import tables
from engine.store.calendars import calendar_of
from notices.outbox import put
from notices.readers import everybody
from notices.settings import read_settings

PLANNED_ON = "digest_on"
"""In the table `setting`: the last day whose digests were planned, and since when they tell what is new."""
_SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDigests(Command):
    """Write down today's digests, if it is time and they are not yet. Returns how many there are."""


def plan_digests(_cmd: PlanDigests, ctx: Context) -> int:
    """One message for each person who can be reached; one without anything to tell is not sent."""
    settings = read_settings(ctx.services.workspace)
    local = ctx.now.astimezone(ctx.services.zone)
    if settings.digest is None or local.time() < settings.digest:
        return 0
    table = tables.setting
    last = ctx.conn.execute(
        select(table.c.value).where(table.c.name == PLANNED_ON).with_for_update()
    ).scalar()
    today = ctx.today.isoformat()
    if last is not None and last["day"] >= today:
        return 0
    if not _worked(ctx, ctx.today):
        return 0
    since = None if last is None else last["at"]
    put_setting(ctx, PLANNED_ON, {"day": today, "at": ctx.now.isoformat()})
    count = 0
    for reader in everybody(ctx.conn).values():
        if (channel := settings.channel_of(reader.email, reader.channel)) is not None:
            key = f"digest:{reader.id}:{today}"
            put(ctx, key, kind="digest", person=reader.id, channel=channel, about=[since], total=0)
            count += 1
    return count


def since_of(about: list[object]) -> datetime | None:
    """From when on a digest tells what is new."""
    return datetime.fromisoformat(str(about[0])) if about and about[0] else None


def _worked(ctx: Context, day: date) -> bool:
    """Whether the organisation works on a day; by the week where it has no table for the year."""
    unit = tables.unit
    top = select(unit.c.id).where(unit.c.parent.is_(None), unit.c.active).order_by(unit.c.id).limit(1)
    try:
        return calendar_of(ctx.conn, ctx.conn.execute(top).scalar() or "").is_working(day)
    except NotFound:
        return day.weekday() < _SATURDAY
