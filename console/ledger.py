"""`flow round ledger` and `log`: what was given out, who was reminded, what became of everybody."""

from __future__ import annotations

import click

from console import output
from console.drawing import INSTANCE, PART, round_to_read
from console.language import tr
from console.session import Session
from console.shape import NUMBER, Command, option
from engine.model import instance_number

_CHANNELS = click.Choice(["paper", "phone", "visit", "email", "link", "post", "fax", "sms", "chat"])
_KINDS = click.Choice(["issue", "reminder", "attempt", "refusal", "recheck"])
_FINAL = click.Choice(["refusal", "non-contact", "other", "unknown-eligibility", "ineligible"])


@click.command("ledger", cls=Command, example="flow round ledger SV-12\nflow round ledger SV-12 --remind 7")
@INSTANCE
@PART
@option("--of", "code", metavar="CODE", help="The entries of one customer.")
@option(
    "--remind",
    type=NUMBER,
    metavar="DAYS",
    help="Who has had a questionnaire for so long and sent none back.",
)
@click.pass_obj
def ledger(session: Session, instance: str, part: str | None, code: str | None, remind: int | None) -> None:
    """Show the ledger of issue and return: a line for each customer of the sample."""
    from survey import ledger as entries
    from survey import returns, rounds

    with session.read() as conn:
        found = round_to_read(session, conn, instance, part)
        if code is not None:
            number = returns.member_called(conn, found, code).number
            lines = entries.lines(conn, found, number)
        elif remind is not None:
            members = entries.to_remind(conn, found, remind, session.today)
        else:
            members = rounds.roster(conn, found.id)
        tries = entries.attempts(conn, found)
    if code is not None:
        if session.json:
            output.dump(lines)
            return
        rows = [
            (each.day, tr(each.kind), tr(each.channel or ""), each.recorded_by, each.note or "")
            for each in lines
        ]
        output.table(("Day", "What", "Channel", "By", "Note"), rows, flexible=4)
        return
    if session.json:
        output.dump([{"member": each, "attempts": tries.get(each.id, 0)} for each in members])
        return
    output.table(
        ("No.", "Customer", "Surveyor", "Channel", "Issued on", "Returned on", "Result", "Attempts"),
        [
            (
                *(str(each.number), each.code, each.surveyor or "", tr(each.channel) if each.channel else ""),
                *(each.issued_on or "", each.returned_on or "", tr(each.disposition)),
                str(tries.get(each.id, 0) or ""),
            )
            for each in members
        ],
    )
    if remind is not None and found.anonymous:
        output.note("The round is anonymous: nobody knows who sent theirs back, so all are reminded, or none")


@click.command(
    "log",
    cls=Command,
    example="flow round log SV-12 B-1203 --kind attempt --channel phone\n"
    "flow round log SV-12 --all --kind issue --channel paper",
)
@INSTANCE
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@PART
@option("--all", "everybody", is_flag=True, help="Everybody in the sample.")
@option("--kind", type=_KINDS, required=True, help="What was done.")
@option("--channel", type=_CHANNELS, help="By which way.")
@option("--on", "day", metavar="DATE", help="The day, as 2026-09-14; by default today.")
@option("--result", type=_FINAL, help="What became of it, for good (AAPOR).")
@option("--note", metavar="TEXT", help="A remark, without personal data.")
@click.pass_obj
def log(
    session: Session,
    instance: str,
    codes: tuple[str, ...],
    part: str | None,
    everybody: bool,
    kind: str,
    channel: str | None,
    day: str | None,
    result: str | None,
    note: str | None,
) -> None:
    """Enter in the ledger what was done: by the customers' codes, or #12 for a number of the sample."""
    from survey.commands import Record

    if everybody == bool(codes):
        raise click.UsageError(tr("Name customers, or say --all"))
    count = session.do(
        Record(
            by=session.actor,
            instance=instance_number(instance),
            part=part,
            codes=("*",) if everybody else codes,
            kind=kind,
            channel=channel,
            day=day,
            disposition=result,
            note=note,
        )
    )
    if session.json:
        output.dump({"members": count})
    else:
        output.say("Entered for {count} customers", count=count)
