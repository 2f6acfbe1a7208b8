"""`flow roster`: who can be asked, unit by unit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import output
from console.completions import units
from console.failures import problem_text
from console.language import Messages, tr
from console.session import Session
from console.shape import NUMBER, group, option
from engine.errors import Invalid, NotFound
from engine.files import read_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from survey.commands import RosterTaken
    from survey.coverage import Known
    from survey.rosters import Change, Respondent

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MOST = 20
"""Rows of a report that are printed; `--json` has all."""

_OUTCOMES: Messages = {"added": "new", "changed": "changed", "left": "left", "refused": "refused"}
_UNIT = option("--unit", metavar="UNIT", shell_complete=units, help="The unit, where several know the code.")


@group("roster", example="flow roster import customers.xlsx\nflow roster list --unit office-3")
def roster() -> None:
    """Rosters: who can be asked, who moved in, who left."""


@roster.command("import", example="flow roster import customers.csv\nflow roster import new.xlsx --partial")
@click.argument("file", metavar="FILE", type=_FILE)
@option("--partial", is_flag=True, help="Those that the file leaves out stay as they are.")
@option("--skip-faulty", is_flag=True, help="Leave faulty rows out, instead of refusing the whole file.")
@option("--yes", is_flag=True, help="Do not ask where most customers of a unit would have left.")
@click.pass_obj
def import_(session: Session, file: Path, partial: bool, skip_faulty: bool, yes: bool) -> None:
    """Bring customers in from a CSV file or workbook with the columns customer and unit, and others.

    Those already known are updated. Those of a unit named there that the file leaves out have left. Names,
    telephone numbers and addresses are kept apart, where they can be erased.
    """
    from survey.commands import ImportRoster
    from survey.sheets import MAX_BYTES

    data = read_file(file, MAX_BYTES)
    command = ImportRoster(
        by=session.actor, data=data, source=file.name, partial=partial, skip=skip_faulty, yes=yes
    )
    try:
        done = session.do(command)
    except Invalid as refusal:
        many = [each for each in refusal.problems if each.field == "yes"]
        if not many or session.json or not output.interactive():
            raise
        for each in many:
            output.warn("{problem}", problem=problem_text(each))
        click.confirm(tr("Have they left?"), abort=True)
        done = session.do(replace(command, yes=True))
    if session.json:
        output.dump(done)
    else:
        _report(done)


def _report(done: RosterTaken) -> None:
    output.table(("Unit", "Customers"), [(unit, str(count)) for unit, count in sorted(done.units.items())])
    told = [each for each in done.rows if each.outcome in ("changed", "left", "refused")]
    if told:
        output.echo()
        rows = [
            (str(each.row or ""), each.code, tr(_OUTCOMES[each.outcome]), _what(each))
            for each in told[:_MOST]
        ]
        output.table(("Row", "Customer", "", "What"), rows, flexible=3)
        if len(told) > _MOST:
            output.note("{count} more; --json lists all", count=len(told) - _MOST)
    output.say(
        "{added} are new, {changed} changed, {unchanged} stayed the same, {left} left ({encoding})",
        added=done.added,
        changed=done.changed,
        unchanged=done.unchanged,
        left=done.left,
        encoding=done.encoding,
    )
    if done.refused:
        output.warn("{count} rows were left out as faulty", count=done.refused)


def _what(each: Change) -> str:
    if each.problems:
        return "; ".join(problem_text(problem) for problem in each.problems)
    return ", ".join(tr(name) for name in each.what)


@roster.command("list", example="flow roster list\nflow roster list --unit office-3 --left")
@option("--unit", metavar="UNIT", shell_complete=units, help="Who stands on the roster of this unit.")
@option("--left", is_flag=True, help="Those who left, instead.")
@option("--limit", type=NUMBER, default=50, show_default=True, help="At most so many.")
@click.pass_obj
def list_(session: Session, unit: str | None, left: bool, limit: int) -> None:
    """List the customers of a unit; without one, how many each unit has. The history keeps who read names."""
    from survey import rosters

    with session.read() as conn:
        mine = session.units(conn)
        if unit is None:
            sizes = {name: each for name, each in rosters.sizes(conn).items() if mine is None or name in mine}
            found = []
        else:
            session.may_read(conn, unit, unit)
            found = rosters.listed(conn, units=[unit], active=not left)
    if not session.json:
        found, more = found[:limit], len(found[limit:])
    _note_reading(session, "roster list", found)
    if session.json:
        output.dump(sizes if unit is None else found)
    elif unit is None:
        rows = [(name, *(str(count) for count in counts.values())) for name, counts in sorted(sizes.items())]
        output.table(("Unit", "Active", "Left", "Excluded"), rows)
    else:
        output.table(
            ("Customer", "Name", "Project", "Segment", "Since", "Remark"),
            [_line(each) for each in found],
            flexible=5,
        )
        if more:
            output.note("{count} more; --limit shows them", count=more)


def _note_reading(session: Session, way: str, found: Sequence[Respondent]) -> None:
    """Those of them who have a contact are named in the history as read, before anything is shown."""
    from survey.commands import NoteReading

    read = tuple((each.unit, each.code) for each in found if each.contact)
    if read:
        session.do(NoteReading(by=session.actor, way=way, found=read))


def _line(each: Respondent) -> tuple[str, ...]:
    remarks = [tr("key account")] if each.key_account else []
    remarks += [tr("left on {day}", day=each.left_on)] if each.left_on else []
    remarks += [tr("excluded: {reason}", reason=each.excluded)] if each.excluded else []
    name = each.contact.get("name") or ""
    return (each.code, name, each.project or "", each.segment or "", each.since or "", "; ".join(remarks))


@roster.command("show", example="flow roster show B-1203 --unit office-3")
@click.argument("code", metavar="CODE")
@_UNIT
@click.pass_obj
def show(session: Session, code: str, unit: str | None) -> None:
    """Show what is known of a customer. The history keeps who read names, telephone numbers and addresses."""
    from survey import rosters

    with session.read() as conn:
        found = rosters.find(conn, code, unit)
        session.may_read(conn, found.unit, found.code)
    _note_reading(session, "roster show", [found])
    if session.json:
        output.dump(found)
        return
    output.heading(f"{found.code}  {found.unit}")
    output.fields(
        [
            (tr("Status"), tr(found.status)),
            (tr("kind"), tr(found.kind)),
            (tr("project"), found.project),
            (tr("segment"), found.segment),
            (tr("since"), found.since),
            (tr("left_on"), found.left_on),
            (tr("key account"), tr("yes") if found.key_account else None),
            (tr("excluded"), found.excluded),
            *found.attributes.items(),
            *((tr(name), value) for name, value in found.contact.items()),
        ]
    )


@roster.command("exclude", example='flow roster exclude B-1203 --reason "asked not to be surveyed"')
@click.argument("code", metavar="CODE")
@_UNIT
@option("--reason", metavar="TEXT", help="Why they are asked no more.")
@option("--undo", is_flag=True, help="Ask them again.")
@click.pass_obj
def exclude(session: Session, code: str, unit: str | None, reason: str | None, undo: bool) -> None:
    """Ask a customer no more, for a reason."""
    from survey.commands import Exclude

    if undo == (reason is not None):
        raise click.UsageError(tr("Give either --reason or --undo"))
    session.do(Exclude(by=session.actor, code=code, unit=unit, reason=reason))
    if session.json:
        output.dump({"code": code, "excluded": reason})
    elif undo:
        output.say("{code} is asked again", code=code)
    else:
        output.say("{code} is asked no more; rounds already drawn stay as they are", code=code)


@roster.command("erase", example='flow roster erase B-1203 --reason "wished so on 2026-10-02"')
@click.argument("code", metavar="CODE")
@_UNIT
@option("--reason", metavar="TEXT", required=True, help="Why, for the history.")
@click.pass_obj
def erase(session: Session, code: str, unit: str | None, reason: str) -> None:
    """Erase a customer's name, telephone, addresses and personal answers; the code stays, and history can be verified.

    Files that held them, and copies of the database made before, keep them: erase those, too.
    """
    from survey.commands import EraseRespondent

    number = session.do(EraseRespondent(by=session.administrator, code=code, unit=unit, reason=reason))
    if session.json:
        output.dump({"code": code, "values": number})
    else:
        output.say("{count} personal values of {code} are erased", count=number, code=code)


@roster.command(
    "coverage", example="flow roster coverage\nflow roster coverage --unit office-3 --years 2 --never"
)
@option("--unit", metavar="UNIT", shell_complete=units, help="Only this unit and those below it.")
@option("--years", type=NUMBER, default=3, show_default=True, help="Within which everybody is to be asked.")
@option("--never", is_flag=True, help="List those who were never asked.")
@option("--due", is_flag=True, help="List those who have to be asked before the year ends.")
@click.pass_obj
def coverage(session: Session, unit: str | None, years: int, never: bool, due: bool) -> None:
    """Who was asked in the last year and in the last three, by whichever procedure, what share that is, who never.

    Counted are customers who may be asked today. Who was given a questionnaire was asked, whether or not it came back.
    """
    from survey.coverage import reach
    from survey.figures import percent

    with session.read() as conn:
        there = _there(session, conn, unit)
    found = {name: reach([each for each, _ in known], session.today, years) for name, known in there.items()}
    if session.json:
        output.dump(found)
        return
    if not never and not due:
        rows = [
            (
                *(name, str(each.customers), str(len(each.year)), percent(each.share_of_year)),
                *(
                    str(len(each.years)),
                    percent(each.share_of_years),
                    str(len(each.never)),
                    str(len(each.due)),
                ),
            )
            for name, each in found.items()
        ]
        within = tr("Last {years} years", years=years)
        output.table(
            ("Unit", "Customers", "Last year", "Share", within, "Share", "Never", "Due this year"), rows
        )
        return
    lines = []
    for name, each in found.items():
        chosen = {*(each.never if never else ()), *(each.due if due else ())}
        lines += [
            (name, customer.code, customer.project, customer.segment, str(seen.last or tr("never")))
            for seen, customer in there[name]
            if seen.code in chosen
        ]
    output.table(("Unit", "Customer", "Project", "Segment", "Asked last"), lines)
    if not lines:
        output.note("There is nobody.")


def _there(session: Session, conn: Connection, unit: str | None) -> dict[str, list[tuple[Known, Respondent]]]:
    """The customers who may be asked today, by their unit, as far as the person may read them."""
    from engine.queries import organisation
    from survey.sampling import Design
    from survey.surveyed import known

    parents = organisation.parents(conn)
    if unit is not None and unit not in parents:
        raise NotFound("There is no unit {unit}; `flow org show` has them", unit=unit)
    mine = session.units(conn)
    there: dict[str, list[tuple[Known, Respondent]]] = {}
    for top in [unit] if unit is not None else [each for each, above in parents.items() if above is None]:
        for seen, customer in known(conn, top, Design(), session.today).values():
            if mine is None or customer.unit in mine:
                there.setdefault(customer.unit, []).append((seen, customer))
    return dict(sorted(there.items()))
