"""`flow notice`: the messages that tell people what happened, and what became of them."""

from __future__ import annotations

import click

from console import output
from console.dates import moment_text
from console.language import Messages, Words, tr
from console.output import Cell
from console.session import Session
from console.shape import NUMBER, group, option

_NUMBER = click.argument("number", metavar="NUMBER", type=NUMBER)
_COLOURS = {"failed": "red", "unknown": "yellow", "sent": "green"}
_KINDS: Messages = {
    "task": "new task",
    "reminder": "reminder",
    "overdue": "overdue notice",
    "notice": "notice of the diagram",
    "incident": "incident",
    "digest": "daily digest",
    "trial": "trial",
}
STATES: Words = ("new", "sending", "unknown", "sent", "failed", "moot", "skipped")


@group("notice", example="flow notice list --failed\nflow notice retry --all")
def notice() -> None:
    """Notices by mail and in group chats: what was sent, and what failed."""


@notice.command("list", example="flow notice list --failed")
@option("--failed", is_flag=True, help="Only what failed and waits for a person.")
@option("--all", "every", is_flag=True, help="Also what was sent, skipped, or needed no more.")
@option("-L", "--limit", type=NUMBER, default=50, show_default=True, help="At most so many.")
@click.pass_obj
def list_(session: Session, failed: bool, every: bool, limit: int) -> None:
    """List notices that are not delivered yet, the newest first."""
    from notices import listing

    with session.read() as conn:
        status = "failed" if failed else "all" if every else "open"
        found = listing.notices(conn, status=status, limit=limit)
        total = listing.notices_total(conn, status=status) if len(found) == limit else 0
    output.cut(limit, total)
    if session.json:
        output.dump(found)
        return
    rows = [
        (
            Cell(str(each.number), bold=True),
            moment_text(each.created_at, session.zone),
            tr(_KINDS[each.kind]),
            each.person_name or each.person or "",
            each.channel,
            Cell(tr(each.status), fg=_COLOURS.get(each.status)),
            str(each.attempts or ""),
            "" if each.next_try is None else moment_text(each.next_try, session.zone),
            each.error or each.subject,
        )
        for each in found
    ]
    output.table(
        ("Notice", "Made", "Kind", "Person", "Channel", "Status", "Attempts", "Next try", "Error or subject"),
        rows,
        flexible=8,
    )
    if not found:
        output.note("Nothing waits.")


@notice.command("show", example="flow notice show 41")
@_NUMBER
@click.pass_obj
def show(session: Session, number: int) -> None:
    """Show one notice: to whom, what about, what became of it."""
    from notices import listing

    with session.read() as conn:
        found = listing.find(conn, number)
    if session.json:
        output.dump(found)
        return
    output.heading(found.subject or tr(_KINDS[found.kind]))
    output.fields(
        (
            (tr("kind"), tr(_KINDS[found.kind])),
            (tr("person"), found.person_name or found.person),
            (tr("channel"), found.channel),
            (tr("status"), Cell(tr(found.status), fg=_COLOURS.get(found.status))),
            (tr("made"), moment_text(found.created_at, session.zone)),
            (tr("attempts"), found.attempts),
            (tr("last try"), None if found.tried_at is None else moment_text(found.tried_at, session.zone)),
            (tr("next try"), None if found.next_try is None else moment_text(found.next_try, session.zone)),
            (tr("error"), found.error),
            (tr("tells of"), "\n".join(f"{chain} {seq}" for chain, seq in found.about)),
        )
    )


@notice.command("retry", example="flow notice retry 41\nflow notice retry --all")
@click.argument("number", metavar="[NUMBER]", type=NUMBER, required=False)
@option("--all", "every", is_flag=True, help="All that failed.")
@click.pass_obj
def retry(session: Session, number: int | None, every: bool) -> None:
    """Have what failed tried again; `flow run` sends it."""
    from notices.delivering import Retry

    if (number is None) != every:
        raise click.UsageError(tr("Name one notice, or --all"))
    count = session.do(Retry(by=session.administrator, number=number))
    if session.json:
        output.dump({"retried": count})
    else:
        output.say("{count} notices are tried again by `flow run`", count=count)


@notice.command("skip", example='flow notice skip 41 --reason "已电话告知"')
@_NUMBER
@option("--reason", required=True, metavar="TEXT", help="Why; it goes into the history.")
@click.pass_obj
def skip(session: Session, number: int, reason: str) -> None:
    """Give a notice up that failed."""
    from notices.delivering import Skip

    session.do(Skip(by=session.administrator, number=number, reason=reason))
    if session.json:
        output.dump({"number": number, "status": "skipped"})
    else:
        output.say("Notice {number} is given up", number=number)


@notice.command("try", example="flow notice try --to zhao.min\nflow notice try --chat service")
@option("--to", "person", metavar="PERSON", help="To whom; by default to yourself.")
@option("--chat", metavar="NAME", help="To a group chat of flow.toml instead.")
@click.pass_obj
def try_(session: Session, person: str | None, chat: str | None) -> None:
    """Send a trial now, and say what the mail server or the chat answered."""
    from engine.errors import Conflict
    from notices import listing
    from notices.delivering import Trial
    from notices.postman import deliver
    from notices.settings import read_settings

    if person is not None and chat is not None:
        raise click.UsageError(tr("Name a person or a chat, not both"))
    settings = read_settings(session.workspace)
    number = session.do(Trial(by=session.actor, person=person, chat=chat))
    deliver(session.app, settings, only=number)
    with session.read() as conn:
        found = listing.find(conn, number)
    if session.json:
        output.dump(found)
    elif found.status == "sent":
        output.say("Sent by {channel}", channel=found.channel)
    if found.status != "sent":
        raise Conflict("It was not taken: {reason}", reason=found.error or found.status)


@notice.command("send", example="flow notice send")
@click.pass_obj
def send(session: Session) -> None:
    """Send now what is due, once; `flow run` does so by itself all the time."""
    from notices.postman import go_round

    count = go_round(session.app)
    if session.json:
        output.dump({"tried": count})
    else:
        output.say("{count} notices were tried; see `flow notice list`", count=count)
