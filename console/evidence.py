"""`flow instance evidence`: clause by clause, what shows that an instance did what its document requires."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console import logbook, output
from console.completions import instance_ids
from console.dates import day_text, due_text, moment_text
from console.language import Messages, chosen, tr
from console.output import Cell, Shown
from console.session import Session
from console.shape import Command, option
from engine.errors import NotFound
from engine.model import instance_number, label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.queries.evidence import Evidence

_Rows = list[tuple[Shown, ...]]

_STATES: Messages = {
    "done": "done",
    "late": "done late",
    "in part": "its own part done",
    "unproven": "done, its proof damaged",
    "open": "in progress",
    "overdue": "overdue",
    "not yet": "not yet",
    "bypassed": "bypassed",
    "elsewhere": "not in this part",
    "withdrawn": "broken off",
    "not met": "done, not met",
    "nothing runs": "nothing to show",
}
_LOUD = ("late", "unproven", "not met", "overdue", "bypassed", "withdrawn")
_TURNS: Messages = {
    "this": "started this instance",
    "started": "started",
    "missed": "could not start",
    "not started": "not started",
    "to come": "to come",
}
_FILES: Messages = {
    "as listed": "as listed",
    "missing": "missing",
    "changed": "changed",
    "made again": "made again",
}
_SHOWN = 8
"""Of one clause's tasks, dates, records and entries, so many are shown, unless it was asked for."""


@click.command(
    "evidence",
    cls=Command,
    example="flow instance evidence SV-12\nflow instance evidence SV-12 --clause 003G-14",
)
@click.argument("instance", metavar="INSTANCE", shell_complete=instance_ids)
@option("--clause", "only", metavar="ID", multiple=True, help="Only this clause, in full; may be repeated.")
@click.pass_obj
def evidence(session: Session, instance: str, only: tuple[str, ...]) -> None:
    """Show clause by clause what proves that an instance did what its document requires, or that it did not.

    Tasks with who and when, due dates kept and missed, records with their SHA-256 and whether the file still
    agrees, and the rows of the journal with their hashes; what was called counts with the step that called it.

    done; done late (late): a due date was missed; its own part done (in part): this instance is one of several that
    the clause asks for in a year, and not all of them were started; done, its proof damaged (unproven): a file of its
    records is missing or changed; done, not met (not met): a quota or standard that it sets was missed; in progress
    (open); overdue: open after a due date; not yet: not reached; bypassed: the instance ended without reaching it; not
    in this part (elsewhere): the instance is a part of another, whose evidence shows it; broken off (withdrawn): it was
    reached, and ended before it was done. In brackets: as --json has it.
    """
    from engine.queries import evidence as proofs
    from engine.queries import instances

    number = instance_number(instance)
    with session.read() as conn:
        viewed = instances.view(conn, number, session.now)
        found = viewed.instance
        session.may_read(conn, found.unit, label(number))
        library = session.app.services.library
        clauses = proofs.evidence(conn, library, number, session.now, session.workspace.folder, session.zone)
        names, steps = logbook.names_of(session, conn, (found, *viewed.children))
    unknown = sorted(set(only) - {each.clause for each in clauses})
    if unknown:
        raise NotFound(
            "{procedure} has no clause {clauses}", procedure=found.title, clauses=", ".join(unknown)
        )
    clauses = tuple(each for each in clauses if not only or each.clause in only)
    if session.json:
        output.dump([proofs.plain(each) for each in clauses])
        return
    if not clauses:
        output.note("{procedure} has no clauses.yaml: there is nothing to be proven", procedure=found.title)
    if found.parent is not None:
        template = "{part} is a part of {whole}: `flow instance evidence {whole}` shows all of it"
        output.note(template, part=label(number), whole=found.parent)
    for each in clauses:
        _show(session, each, names, steps, most=None if only else _SHOWN)


def _show(
    session: Session,
    found: Evidence,
    names: logbook.Names,
    steps: Callable[[str], Mapping[str, str]],
    most: int | None,
) -> None:
    loud = found.status in _LOUD
    output.table(
        ("", "", ""),
        [(Cell(found.clause, bold=True), Cell(tr(_STATES[found.status]), fg="red" if loud else None, bold=loud),
          found.statement.of(chosen()))],
    )  # fmt: skip
    zone = session.zone
    tasks: _Rows = [
        (each.task, each.name, each.person_name or each.role_name or "", due_text(each.due_at, zone),
         moment_text(each.closed_at, zone) if each.closed_at else tr(each.status),
         Cell(tr("late") if each.late else "", fg="red"))
        for each in found.tasks
    ]  # fmt: skip
    promises: _Rows = [
        (each.instance, each.name, due_text(each.due_at, zone),
         Cell(tr(each.status), fg="red" if each.status == "missed" else None))
        for each in found.deadlines if each.task is None
    ]  # fmt: skip
    papers: _Rows = [
        (each.record.code or "", each.record.name, each.record.path, each.record.sha256[:16],
         Cell(tr(_FILES[each.file]), fg="red" if each.file in ("missing", "changed") else None))
        for each in found.records
    ]  # fmt: skip
    rows: _Rows = [
        (f"{line.chain} #{line.seq}", line.hash[:12], moment_text(line.at, zone), logbook.who(line, names),
         logbook.sentence(line, names, zone, steps(line.chain)))
        for line in found.journal
    ]  # fmt: skip
    turns: _Rows = [
        (each.period, "" if each.day is None else day_text(each.day), each.instance or "",
         Cell(tr(_TURNS[each.status]), fg="red" if each.status in ("missed", "not started") else None))
        for each in found.turns
    ]  # fmt: skip
    for part in (turns, tasks, promises, papers, rows):
        _listed(part, most)
    if found.unreached and found.reached:
        output.fields(
            [(tr("not reached"), ", ".join(steps("").get(each, each) for each in found.unreached))], indent=4
        )


def _listed(rows: _Rows, most: int | None) -> None:
    """A part of the evidence, indented; of a long one the first."""
    shown = rows if most is None else rows[:most]
    if not shown:
        return
    output.table([""] * (len(shown[0]) + 1), [("  ", *row) for row in shown])
    if len(rows) > len(shown):
        output.echo("    " + tr("and {number} more", number=len(rows) - len(shown)))
