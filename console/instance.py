"""`flow instance`: runs of procedures, their steps, dates and history."""

from __future__ import annotations

import click

from console import logbook, output, values
from console.completions import instance_ids, procedures, units
from console.dates import due_text, left_text, moment_text
from console.evidence import evidence
from console.language import tr
from console.output import Cell
from console.session import Session
from console.shape import NUMBER, group, option
from engine.model import InstanceStatus, instance_number, label

_INSTANCE = click.argument("instance", metavar="INSTANCE", shell_complete=instance_ids)
_REASON = option("--reason", required=True, metavar="TEXT", help="Why; it goes into the history.")
_COLOURS = {"running": None, "suspended": "yellow", "completed": "green", "cancelled": None, "failed": "red"}


@group("instance", example="flow instance list --status running\nflow instance view SV-12")
def instance() -> None:
    """Runs of procedures: their steps, dates and history."""


instance.add_command(evidence)


@instance.command("list", example="flow instance list --procedure 003G --status running")
@option("--status", type=click.Choice([str(each) for each in InstanceStatus]), help="Only in this state.")
@option(
    "--procedure", metavar="NAME", shell_complete=procedures, help="Only of one procedure, by id or code."
)
@option("--unit", metavar="UNIT", shell_complete=units, help="Only for one unit.")
@option("--called", is_flag=True, help="Also those that were called by others.")
@option("-L", "--limit", type=NUMBER, default=30, show_default=True, help="At most so many.")
@click.pass_obj
def list_(
    session: Session, status: str | None, procedure: str | None, unit: str | None, called: bool, limit: int
) -> None:
    """List instances, the newest first."""
    from engine.queries import instances

    with session.read() as conn:
        units = session.units(conn)
        found = instances.instances(
            conn, status=status, procedure=procedure, unit=unit, units=units, children=called, limit=limit
        )
        if len(found) == limit:
            total = instances.instances_total(
                conn, status=status, procedure=procedure, unit=unit, units=units, children=called
            )
            output.cut(limit, total)
        if session.json:
            output.dump(found)
            return
        rows = [
            (
                Cell(each.id, bold=True),
                session.title(each.title),
                each.unit_name,
                each.period,
                Cell(tr(each.status), fg=_COLOURS.get(each.status)),
                str(each.open_tasks or ""),
                due_text(each.next_due, session.zone),
                left_text(each.next_due, session.now, session.zone, session.calendar(conn, each.unit)),
                Cell(_incidents(each.incidents), fg="red"),
            )
            for each in found
        ]
    output.table(("ID", "Procedure", "Unit", "Period", "Status", "Open", "Due", "", ""), rows, flexible=1)
    if not found:
        output.note("No such instance.")


def _incidents(count: int) -> str:
    return tr("one incident" if count == 1 else "{count} incidents", count=count) if count else ""


@instance.command("view", example="flow instance view SV-12")
@_INSTANCE
@click.pass_obj
def view(session: Session, instance: str) -> None:
    """Show an instance: each step with role, person, due date and when it was done."""
    from console import timeline
    from engine.queries import instances

    number = instance_number(instance)
    with session.read() as conn:
        session.may_read(conn, instances.find(conn, number).unit, label(number))
        found = instances.view(conn, number, session.now)
        if session.json:
            output.dump(found)
        else:
            timeline.show(session, conn, found, session.names(conn))


@instance.command("history", example="flow instance history SV-12")
@_INSTANCE
@option("--all", "everything", is_flag=True, help="Also the way from element to element.")
@click.pass_obj
def history(session: Session, instance: str, everything: bool) -> None:
    """Read what happened, like a log book: when, who, what."""
    from engine.queries import history as journal
    from engine.queries import instances

    number = instance_number(instance)
    with session.read() as conn:
        session.may_read(conn, instances.find(conn, number).unit, label(number))
        found = instances.view(conn, number, session.now)
        lines = journal.of_instance(conn, number)
        names, steps = logbook.names_of(session, conn, (found.instance, *found.children))
    if session.json:
        output.dump(lines)
        return
    own = label(number)
    rows = [
        (
            Cell(moment_text(line.at, session.zone), dim=True),
            logbook.who(line, names),
            Cell(
                ("" if line.chain == own else f"[{line.chain}] ")
                + logbook.sentence(line, names, session.zone, steps(line.chain)),
                fg="red" if logbook.is_loud(line) else None,
            ),
        )
        for line in lines
        if everything or line.kind not in ("instance.moved", "variables.set")
    ]
    output.table(("When", "Who", "What"), rows)


@instance.command("suspend", example='flow instance suspend SV-12 --reason "封控"')
@_INSTANCE
@_REASON
@click.pass_obj
def suspend(session: Session, instance: str, reason: str) -> None:
    """Stop an instance for a while: its timers wait, its tasks cannot be completed."""
    from engine.commands.instances import Suspend

    session.do(Suspend(by=session.administrator, instance=instance_number(instance), reason=reason))
    _report(session, instance, "{instance} is suspended")


@instance.command("resume", example="flow instance resume SV-12")
@_INSTANCE
@option("--reason", metavar="TEXT", help="Why; it goes into the history.")
@click.pass_obj
def resume(session: Session, instance: str, reason: str | None) -> None:
    """Let a suspended instance go on."""
    from engine.commands.instances import Resume

    session.do(Resume(by=session.administrator, instance=instance_number(instance), reason=reason))
    _report(session, instance, "{instance} goes on")


@instance.command("correct", example='flow instance correct SV-12 --set d0=2026-09-14 --reason "日期填错"')
@_INSTANCE
@option(
    "--set",
    "sets",
    metavar="NAME=VALUE",
    multiple=True,
    required=True,
    help="A variable; may be repeated. The value is text; NAME:=VALUE gives a number or other JSON.",
)
@_REASON
@click.pass_obj
def correct(session: Session, instance: str, sets: tuple[str, ...], reason: str) -> None:
    """Put variables of a running instance right; old and new values go into the history."""
    from engine.commands.instances import Correct

    number = instance_number(instance)
    session.do(Correct(by=session.administrator, instance=number, values=values.pairs(sets), reason=reason))
    _report(session, instance, "{instance} is corrected")


@instance.command("cancel", example='flow instance cancel SV-12 --reason "重复启动"')
@_INSTANCE
@_REASON
@option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def cancel(session: Session, instance: str, reason: str, yes: bool) -> None:
    """End an instance for good, with everything it started. Its history stays."""
    from engine.commands.instances import Cancel

    number = instance_number(instance)
    if not yes and output.interactive() and not session.json:
        click.confirm(tr("Cancel {instance} for good?", instance=label(number)), abort=True)
    session.do(Cancel(by=session.administrator, instance=number, reason=reason))
    _report(session, instance, "{instance} is cancelled")


@instance.command("erase", example='flow instance erase SV-12 --reason "业主要求"')
@_INSTANCE
@_REASON
@click.pass_obj
def erase(session: Session, instance: str, reason: str) -> None:
    """Erase the personal answers given in an instance that has ended; its history stays, and can be verified.

    Its records, files that held them, and copies of the database made before keep them: erase those, too.
    """
    from engine.commands.personal import Erase

    number = instance_number(instance)
    count = session.do(Erase(by=session.administrator, instance=number, reason=reason))
    if session.json:
        output.dump({"instance": label(number), "values": count})
    else:
        output.say("{count} personal values of {instance} are erased", count=count, instance=label(number))


def _report(session: Session, text: str, template: str) -> None:
    from engine.queries import instances

    number = instance_number(text)
    if session.json:
        with session.read() as conn:
            output.dump(instances.find(conn, number))
    else:
        output.say(template, instance=label(number))
