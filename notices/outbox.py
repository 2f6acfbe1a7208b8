"""The journal as outbox: entries that somebody has to be told of become messages, each entry once.

What happens within `gather` seconds goes into one message to each person, a message for each kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.commands.core import Command, Context
from engine.model import instance_number
from engine.store.journal import INSTANCE_CHAIN
from engine.store.tables import UNDELIVERED, journal
from notices.readers import Readers, instances_of, tasks_of
from notices.settings import Settings, read_settings
from notices.tables import delivery

MOST = 20_000
"""Entries taken over at once."""
LISTED = 50
"""Of what a message is about, so much is kept and shown; the rest is counted."""

KINDS = {
    **dict.fromkeys(("task.opened", "task.assigned", "task.delegated"), "task"),
    "notice.reminder": "reminder",
    "notice.overdue": "overdue",
    "notice.given": "notice",
    **dict.fromkeys(("job.failed", "element.failed", "schedule.failed"), "incident"),
}
"""Kind of entry, to the kind of message."""
_TASK = re.compile(r"SV-[0-9]+\.[0-9]+")
_INSERT = {
    "sqlite": sqlite.insert(delivery).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(delivery).on_conflict_do_nothing(),
}
_TAKEN = (
    update(journal)
    .where(journal.c.chain == bindparam("of"), journal.c.seq == bindparam("number"))
    .values(delivered_at=bindparam("moment"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collect(Command):
    """Make messages of what happened. Returns how many entries were taken over."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the journal that somebody may have to be told of."""

    row: Any
    facts: dict[str, Any]
    instance: Any
    """Its instance's row; None for what concerns none."""
    task: Any
    """Its user task's row; None for what concerns none."""

    @property
    def kind(self) -> str:
        return KINDS[self.row.kind]

    @property
    def place(self) -> list[object]:
        """Where it stands in the journal."""
        return [self.row.chain, self.row.seq]

    @property
    def over(self) -> bool:
        """Whether nobody has to be told any more: the task is done, the instance has ended."""
        if self.kind in ("incident", "notice"):
            return False
        if self.instance is not None and self.instance.status not in ("running", "suspended"):
            return True
        return self.task is not None and self.task.status not in ("open", "claimed")


def collect(_cmd: Collect, ctx: Context) -> int:
    """Take over what waits, once the oldest of it has waited long enough for the rest to have happened."""
    settings = read_settings(ctx.services.workspace)
    oldest = select(func.min(journal.c.at)).where(UNDELIVERED, journal.c.at <= ctx.now)
    at = ctx.conn.execute(oldest).scalar_one()
    if at is None or at > ctx.now - settings.gather:
        return 0
    waiting = (
        select(journal)
        .where(UNDELIVERED, journal.c.at <= ctx.now)
        .order_by(journal.c.at, journal.c.chain, journal.c.seq)
        .limit(MOST)
        .with_for_update(skip_locked=True)
    )
    rows = ctx.conn.execute(waiting).all()
    if settings.on:
        _put(ctx, _addressed(ctx, settings, entries(ctx.conn, rows)))
    if rows:
        ctx.conn.execute(_TAKEN, [{"of": row.chain, "number": row.seq, "moment": ctx.now} for row in rows])
    return len(rows)


def entries(conn: Any, rows: Sequence[Any]) -> list[Entry]:
    """Entries with what they are about."""
    known = [row for row in rows if row.kind in KINDS]
    chains = {row.chain for row in known if INSTANCE_CHAIN.fullmatch(row.chain)}
    instances = instances_of(conn, [instance_number(each) for each in chains])
    tasks = tasks_of(conn, [row.subject for row in known if row.subject and _TASK.fullmatch(row.subject)])
    return [
        Entry(
            row,
            _facts(row.facts),
            instances.get(instance_number(row.chain)) if row.chain in chains else None,
            tasks.get(row.subject),
        )
        for row in known
    ]


def _facts(text: str) -> dict[str, Any]:
    found = orjson.loads(text)
    return found if isinstance(found, dict) else {}


Address = tuple[str, str | None, str]
"""Kind of message, person (None: a chat), channel."""


def _addressed(ctx: Context, settings: Settings, found: list[Entry]) -> dict[Address, list[Entry]]:
    """The entries by kind, person and channel."""
    readers = Readers(ctx.conn, ctx.today)
    messages: dict[Address, list[Entry]] = {}
    for entry in found:
        if entry.over:
            continue
        for address in {*_people(readers, settings, entry), *_chats(readers, settings, entry)}:
            messages.setdefault(address, []).append(entry)
    return messages


def _people(readers: Readers, settings: Settings, entry: Entry) -> Iterator[Address]:
    if entry.kind not in settings.at_once:
        return
    excluded = {person for person, _ in (entry.task.excluded or ())} if entry.task is not None else set()
    for reader in readers.told(_named(readers, entry), excluded if entry.kind == "task" else ()):
        channel = settings.channel_of(reader.email, reader.channel)
        if channel is not None:
            yield entry.kind, reader.id, channel


def _named(readers: Readers, entry: Entry) -> list[str]:
    """Whom the entry is meant for."""
    facts, task = entry.facts, entry.task
    if entry.row.kind == "task.opened":
        if facts.get("assignee"):
            return [facts["assignee"]]
        return readers.holders(facts.get("role"), entry.instance.unit) if task.status == "open" else []
    if entry.kind == "task":
        return [facts["to"]] if task.assignee == facts["to"] else []
    if entry.kind == "incident":
        return readers.admins()
    # An overdue step that nobody answers for is an administrator's to see to.
    return list(facts.get("to") or ()) or readers.admins()


def _chats(readers: Readers, settings: Settings, entry: Entry) -> Iterator[Address]:
    unit = None if entry.instance is None else entry.instance.unit
    for name, chat in settings.chats.items():
        here = not chat.units or (unit is not None and bool(chat.units & set(readers.above(unit))))
        if entry.kind in chat.about and here:
            yield entry.kind, None, name


def _put(ctx: Context, messages: dict[Address, list[Entry]]) -> None:
    for (kind, person, channel), about in sorted(messages.items(), key=lambda each: str(each[0])):
        first = about[0].row
        put(
            ctx,
            f"{kind}:{channel}:{person or ''}:{first.chain}:{first.seq}",
            kind=kind,
            person=person,
            channel=channel,
            about=[each.place for each in about[:LISTED]],
            total=len(about),
        )


def put(ctx: Context, key: str, **values: Any) -> None:
    """Write a message down that is to be delivered; one of that key is there already, or is made."""
    row = {"idem_key": key, "status": "new", "attempts": 0, "created_at": ctx.now, **values}
    ctx.conn.execute(_INSERT[ctx.conn.dialect.name], row)
