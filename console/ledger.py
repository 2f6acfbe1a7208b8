"""`flow round ledger` and `log`: what was given out, who was reminded, what became of everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import output
from console.drawing import INSTANCE, PART, round_to_read
from console.language import tr
from console.session import Session
from console.shape import NUMBER, Command, option
from console.workbooks import XLSX, write
from console.writing import FORCE, check_free
from engine.model import instance_number

if TYPE_CHECKING:
    from survey.rounds import Member, Round

_CHANNELS = click.Choice(["paper", "phone", "visit", "email", "link", "post", "fax", "sms", "chat"])
_KINDS = click.Choice(["issue", "reminder", "attempt", "refusal", "recheck", "correction"])
_FINAL = click.Choice(
    ["refusal", "non-contact", "other", "unknown-eligibility", "ineligible", "issued", "listed"]
)


@click.command(
    "ledger",
    cls=Command,
    example="flow round ledger SV-12\nflow round ledger SV-12 --remind 7\n"
    "flow round ledger SV-12 --xlsx ledger.xlsx",
)
@INSTANCE
@PART
@option("--of", "code", metavar="CODE", help="The entries of one customer.")
@option(
    "--remind",
    type=NUMBER,
    metavar="DAYS",
    help="Who has had a questionnaire for so long and sent none back.",
)
@XLSX
@FORCE
@click.pass_obj
def ledger(
    session: Session, instance: str, part: str | None, code: str | None, remind: int | None, file: Path | None,
    force: bool,
) -> None:  # fmt: skip
    """Show the ledger of issue and return: a line for each customer of the sample.

    --xlsx writes it with all its entries; it follows --of and --remind.
    """
    from survey import ledger as entries
    from survey import returns, rounds

    check_free(file, force=force)
    number: int | None = None
    members: Sequence[Member] = ()
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
    if file is not None:
        _write(session, found, members, tries, number, file)
        return
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


def _write(
    session: Session, found: Round, members: Sequence[Member], tries: Mapping[int, int], number: int | None,
    file: Path,
) -> None:  # fmt: skip
    """The ledger as a workbook: the members, without them the entries alone."""
    from engine.queries.organisation import names, unit_names
    from survey.ledger import lines
    from tasks import ledgers

    shown = {each.number for each in members} if number is None else {number}
    with session.read() as conn:
        entered = [each for each in lines(conn, found, number) if each.number in shown]
        people, unit = names(conn), unit_names(conn).get(found.unit, found.unit)
    sheets = [ledgers.of_members(members, tries, people)] if number is None else []
    write(session, file, [*sheets, ledgers.of_entries(entered, people)], f"调查联系台账 {found.name}", unit)


@click.command(
    "log",
    cls=Command,
    example="flow round log SV-12 B-1203 --kind attempt --channel phone\n"
    "flow round log SV-12 --all --kind issue --channel paper\n"
    "flow round log SV-12 A-7 --kind correction --result ineligible --note 已搬走",
)
@INSTANCE
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@PART
@option("--all", "everybody", is_flag=True, help="Everybody in the sample.")
@option("--kind", type=_KINDS, required=True, help="What was done.")
@option("--channel", type=_CHANNELS, help="By which way.")
@option("--on", "day", metavar="DATE", help="The day, as 2026-09-14; by default today.")
@option(
    "--result",
    type=_FINAL,
    metavar="RESULT",
    help="What became of it, for good (AAPOR): refusal, non-contact, other, unknown-eligibility, ineligible; in a "
    "correction also issued or listed, of which nothing is known.",
)
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
    """Enter in the ledger what was done: by the customers' codes, or #12 for a number of the sample.

    A wrong result is put right by --kind correction, with --result and the reason as --note: also of a closed round,
    whose figures are then counted anew whenever they are shown, while papers made before keep the earlier ones.
    """
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
