"""`flow action`: corrective actions across procedures, and whether they had their effect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import output
from console.completions import instance_ids, units
from console.dates import due_text, left_text, moment_text
from console.language import both, chosen, tr
from console.output import Cell
from console.session import Session
from console.shape import NUMBER, group, option
from console.workbooks import XLSX, write
from console.writing import FORCE, check_free
from engine.model import instance_number, label

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from engine.queries.actions import Action


@group("action", example="flow action list\nflow action list --late\nflow action show SV-7")
def action() -> None:
    """Corrective actions of all procedures: who does what by when, and whether it helped."""


@action.command(
    "list", example="flow action list\nflow action list --all --unit office-3 --xlsx actions.xlsx"
)
@option("--all", "everything", is_flag=True, help="Also those that are over.")
@option("--late", is_flag=True, help="Only those with a step that is late.")
@option("--unit", metavar="UNIT", shell_complete=units, help="Only of this unit.")
@option("--owner", metavar="PERSON", help="Only those that this person has to carry out.")
@option("-L", "--limit", type=NUMBER, default=100, show_default=True, help="At most so many.")
@XLSX
@FORCE
@click.pass_obj
def list_(
    session: Session, everything: bool, late: bool, unit: str | None, owner: str | None, limit: int,
    file: Path | None, force: bool,
) -> None:  # fmt: skip
    """List corrective actions: late ones first, then by their next due date.

    --xlsx writes the table of problems and measures, without a limit.
    """
    from engine.queries import actions

    check_free(file, force=force)
    with session.read() as conn:
        library = session.app.services.library
        there = [
            each
            for each in actions.actions(conn, library, session.now, units=session.units(conn))
            if (each.late or not late)
            and unit in (None, each.unit, each.unit_name)
            and owner in (None, each.owner, each.owner_name)
        ]
        found = [each for each in there if everything or each.open]
        if file is not None:
            from tasks.ledgers import of_actions

            write(session, file, [of_actions(found, session.zone)], "问题及整改措施表")
            return
        if session.json:
            output.dump(found)
            return
        rows = [_row(session, conn, each) for each in found[:limit]]
    output.table(
        ("ID", "What", "Owner", "Measure", "To be done by", "State", "Due", "", "Effect", "Rounds"),
        rows,
        flexible=1,
    )
    if len(found) > limit:
        output.note("{count} more; --limit shows them", count=len(found) - limit)
    if not found and there:
        output.note("Nothing is open; {count} are over: --all lists them, too", count=len(there))
    elif not found:
        output.note("There is nothing.")


def _row(session: Session, conn: Connection, each: Action) -> tuple[Cell | str | None, ...]:
    calendar = session.calendar(conn, each.unit)
    return (
        Cell(each.id, bold=True),
        output.clip(_line(each.item), 40),
        each.owner_name,
        output.clip(_line(each.measure or ""), 30),
        each.due,
        _state(each),
        due_text(each.next_due, session.zone),
        left_text(each.next_due, session.now, session.zone, calendar),
        _effect(each),
        str(each.rounds),
    )


def _line(text: str) -> str:
    return " ".join(text.split())


def _state(each: Action) -> str:
    return both("、", ", ").join(each.steps) if each.steps else tr(each.status)


def _effect(each: Action) -> Cell:
    """The last verdict in the words of the form."""
    if each.verdict is None:
        return Cell("")
    text = str(each.verdict) if each.verdict_label is None else each.verdict_label.of(chosen())
    return Cell(text, fg="yellow" if each.open else None)


@action.command("show", example="flow action show SV-7")
@click.argument("instance", metavar="ACTION", shell_complete=instance_ids)
@click.pass_obj
def show(session: Session, instance: str) -> None:
    """Show a corrective action: cause, measure, verdict, and every step of every round."""
    from engine.queries import actions, instances

    number = instance_number(instance)
    with session.read() as conn:
        session.may_read(conn, instances.find(conn, number).unit, label(number))
        found = actions.find(conn, session.app.services.library, session.now, number)
        steps = instances.view(conn, number, session.now).steps
    if session.json:
        output.dump({"action": found, "steps": steps})
        return
    output.heading(f"{found.id}  {_line(found.item)}")
    output.fields(
        (
            (
                tr("procedure"),
                "  ".join(filter(None, (found.root, session.title(found.procedure), found.period))),
            ),
            (tr("unit"), found.unit_name),
            (tr("owner"), found.owner_name),
            (tr("cause"), found.cause),
            (tr("measure"), found.measure),
            (tr("to be done by"), found.due),
            (tr("done on"), found.done),
            (tr("state"), _state(found)),
            (tr("effect"), _effect(found)),
            (tr("grounds"), found.reason),
            (tr("rounds"), found.rounds),
        )
    )
    output.echo()
    output.table(
        ("ID", "Step", "Person", "Due", "Done", ""),
        [
            (
                each.task,
                each.name,
                each.person_name,
                due_text(each.due_at, session.zone),
                "" if each.closed_at is None else moment_text(each.closed_at, session.zone),
                Cell(tr("late") if each.late else "", fg="red", bold=True),
            )
            for each in steps
        ],
        flexible=1,
    )
