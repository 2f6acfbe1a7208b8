"""Messages on their way: taken, tried, written down, tried again or left to a person.

A message is taken in one transaction and what became of it is written in another; none is open while a server is
waited for. One whose taker vanished in between counts as handed over without an answer.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, or_, select, update

from engine.characters import blank
from engine.commands.core import Command, Context
from engine.errors import Conflict, Invalid, NotFound, Problem
from notices.outcome import Outcome, Result
from notices.readers import everybody
from notices.settings import read_settings
from notices.tables import WAITING, delivery

WAITS = tuple(timedelta(minutes=each) for each in (1, 5, 15, 60, 240, 720))
"""Before each further try. After the last one the message is left to a person."""
STALE = timedelta(minutes=10)
"""Longer than any try takes: whoever took the message is gone."""
_VANISHED = "The program was stopped while it was being sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Take(Command):
    """Take the oldest message that is due, so that nobody else sends it. Returns a `Taken`, or None."""

    only: int | None = None
    """Take this one, due or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Command):
    """Write down what became of a try."""

    number: int
    attempt: int
    outcome: Outcome
    subject: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry(Command):
    """A person has a failed message tried again; `number` None: all of them. Returns how many."""

    number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip(Command):
    """A person has a failed message given up, for a reason."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial(Command):
    """A message without content, to try the settings: to a person, or to a chat. Returns its number."""

    person: str | None = None
    chat: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that this program tries to deliver."""

    number: int
    key: str
    kind: str
    person: str | None
    channel: str
    about: list[Any]
    total: int
    attempt: int
    """This try's number, from 1."""


def take(cmd: Take, ctx: Context) -> Taken | None:
    """Mark a message as being sent."""
    _give_up_vanished(ctx)
    c = delivery.c
    query = select(delivery).where(WAITING, c.status.in_(("new", "unknown"))).order_by(c.id).limit(1)
    if cmd.only is not None:
        query = query.where(c.id == cmd.only)
    else:
        query = query.where(or_(c.not_before.is_(None), c.not_before <= ctx.now))
    row = ctx.conn.execute(query.with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return None
    _set(ctx, row.id, status="sending", attempts=row.attempts + 1, tried_at=ctx.now)
    return Taken(
        row.id, row.idem_key, row.kind, row.person, row.channel, row.about, row.total, row.attempts + 1
    )


def _give_up_vanished(ctx: Context) -> None:
    c = delivery.c
    stale = select(delivery).where(WAITING, c.status == "sending", c.tried_at <= ctx.now - STALE)
    for row in ctx.conn.execute(stale.with_for_update(skip_locked=True)).all():
        _failed(ctx, row, "unknown", _VANISHED)


def report(cmd: Report, ctx: Context) -> None:
    """The try ended. What somebody else took over meanwhile is theirs, unless it was sent all the same."""
    query = select(delivery).where(delivery.c.id == cmd.number).with_for_update()
    row = ctx.conn.execute(query).one()
    result = cmd.outcome.result
    if row.status not in ("sending", "unknown") or (row.attempts != cmd.attempt and result != Result.SENT):
        return
    if cmd.subject is not None:
        _set(ctx, row.id, subject=cmd.subject)
    if result in (Result.SENT, Result.MOOT):
        _set(ctx, row.id, status=str(result), closed_at=ctx.now, not_before=None, error=None)
    elif row.kind == "trial":  # whoever tries is told at once
        _set(
            ctx, row.id, status="skipped", closed_at=ctx.now, not_before=None, error=cmd.outcome.reason[:500]
        )
    elif result == Result.REFUSED:
        _fail(ctx, row, cmd.outcome.reason)
    else:
        _failed(ctx, row, "unknown" if result == Result.UNKNOWN else "new", cmd.outcome.reason)


def _failed(ctx: Context, row: Any, status: str, reason: str) -> None:
    """Try again later, or after the last try leave it to a person."""
    if row.attempts > len(WAITS):
        _fail(ctx, row, reason)
    else:
        wait = WAITS[row.attempts - 1]
        _set(ctx, row.id, status=status, not_before=ctx.now + wait, error=reason[:500])


def _fail(ctx: Context, row: Any, reason: str) -> None:
    # The reason may name an address: it stays in the table, which forgets.
    _set(ctx, row.id, status="failed", not_before=None, error=reason[:500])
    facts = {"notice": row.id, "kind": row.kind, "channel": row.channel, "attempts": row.attempts}
    ctx.note("notice.undelivered", facts, subject=row.person)


def _set(ctx: Context, number: int, **values: Any) -> None:
    ctx.conn.execute(update(delivery).where(delivery.c.id == number).values(**values))


def retry(cmd: Retry, ctx: Context) -> int:
    """Have failed messages tried again from the beginning."""
    failed = select(delivery.c.id).where(delivery.c.status == "failed").order_by(delivery.c.id)
    numbers = [cmd.number] if cmd.number is not None else list(ctx.conn.execute(failed).scalars())
    for number in numbers:
        row = _of_person(ctx, number)
        _set(ctx, number, status="new", attempts=0, not_before=None, error=None)
        ctx.note("notice.retried", {"notice": number, "kind": row.kind}, subject=row.person)
    return len(numbers)


def skip(cmd: Skip, ctx: Context) -> None:
    """Give a message up."""
    if blank(cmd.reason):
        raise Invalid([Problem("reason", "Say why it is skipped: the auditor will ask")])
    row = _of_person(ctx, cmd.number)
    _set(ctx, cmd.number, status="skipped", closed_at=ctx.now)
    facts = {"notice": cmd.number, "kind": row.kind, "reason": cmd.reason}
    ctx.note("notice.skipped", facts, subject=row.person)


def _of_person(ctx: Context, number: int) -> Any:
    """A message that waits for a person, locked. Raises NotFound, Conflict."""
    query = select(delivery).where(delivery.c.id == number).with_for_update()
    row = ctx.conn.execute(query).one_or_none()
    if row is None:
        raise NotFound("There is no notice {number}; see `flow notice list`", number=number)
    if row.status != "failed":
        raise Conflict("Notice {number} needs nobody: it is {status}", number=number, status=row.status)
    return row


def trial(cmd: Trial, ctx: Context) -> int:
    """Write a trial message down. Raises Conflict when the settings reach nobody by it."""
    settings = read_settings(ctx.services.workspace)
    channel = cmd.chat
    if cmd.chat is not None and cmd.chat not in settings.chats:
        raise NotFound("[notices] of flow.toml has no chat {name}", name=cmd.chat)
    if cmd.chat is None:
        person = everybody(ctx.conn).get(cmd.person or ctx.who)
        if person is None:
            template = "The organisation knows no {person}; see `flow org show`"
            raise NotFound(template, person=cmd.person or ctx.who)
        channel = settings.channel_of(person.email, person.channel)
        if channel is None:
            raise Conflict(
                "{person} cannot be reached: give them an `email` in org.yaml and import it, and set up "
                "[notices.mail] in flow.toml",
                person=person.id,
            )
    number = ctx.conn.execute(
        insert(delivery).returning(delivery.c.id),
        {
            "idem_key": f"trial:{secrets.token_hex(16)}",
            "kind": "trial", "person": None if cmd.chat else cmd.person or ctx.who, "channel": channel,
            "about": [], "total": 0, "status": "new", "attempts": 0, "created_at": ctx.now,
            "not_before": ctx.now + STALE,  # it is for whoever tries to send it, not for `flow run`
        },
    ).scalar_one()  # fmt: skip
    return int(number)
