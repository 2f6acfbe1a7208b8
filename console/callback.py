"""`flow callback`: whom to call back and why, what came of it, and sheets to do it with away from the program."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console import output
from console.completions import instance_ids, task_ids
from console.dates import due_text, left_text
from console.language import Messages, tr
from console.output import Cell
from console.session import Session
from console.shape import NUMBER, group, option
from console.writing import FORCE, check_free, written
from engine.errors import NotFound
from engine.files import read_file
from engine.model import instance_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from engine.queries.worklist import Task
    from survey.callbacks import Callback

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ITEM = click.argument("item", metavar="CALLBACK|TASK", shell_complete=task_ids)
_SURVEY = click.argument("survey", metavar="[INSTANCE]", required=False, shell_complete=instance_ids)
_OUTCOMES: Messages = {
    "satisfied": "satisfied",
    "dissatisfied": "not satisfied",
    "unreachable": "not reached",
    "closed": "closed by the head",
}
_MODES: Messages = {"phone": "phone", "visit": "visit", "email": "email"}
_MOST = 40
"""Cells of a reason in a list."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A call-back as it is listed."""

    callback: Callback
    late: bool
    mine: bool
    """Whether the person may do its open task now."""
    contact: Mapping[str, str | None]
    """Name, telephone and so on: empty for who may not do it."""


@group("callback", example="flow callback next\nflow callback log SV-15 --outcome satisfied --note 已认可")
def callback() -> None:
    """Call-backs: whom to call and why, what came of it, sheets to do it with."""


@callback.command("list", example="flow callback list\nflow callback list SV-12 --all")
@_SURVEY
@option("--all", "everything", is_flag=True, help="Also those that are over, and others than mine.")
@option("--late", is_flag=True, help="Only those that are late.")
@option("-L", "--limit", type=NUMBER, default=100, show_default=True, help="At most so many.")
@click.pass_obj
def list_(session: Session, survey: str | None, everything: bool, late: bool, limit: int) -> None:
    """List the call-backs on my worklist, or those of one survey: the late ones first."""
    with session.read() as conn:
        found = [
            each for each in _lines(session, conn, survey, everything=everything) if each.late or not late
        ]
        rows = [_row(session, conn, each) for each in found[:limit]]
    _note_reading(session, "callback list", found if session.json else found[:limit])
    if session.json:
        output.dump([_plain(each) for each in found])
        return
    heads = ("Call-back", "Customer", "Name", "Why", "Due", "", "Attempts", "Outcome", "With")
    output.table(heads, rows, flexible=3)
    if len(found) > limit:
        output.note("{count} more; --limit shows them", count=len(found) - limit)
    if not found and not everything:
        output.note("Nobody to call back. Those that are over, and others': flow callback list --all")


def _lines(
    session: Session, conn: Connection, survey: str | None, *, everything: bool = False
) -> list[_Line]:
    """What the person may see, the most urgent first."""
    from survey import callbacks

    root = None if survey is None else instance_number(survey)
    mine = _tasks(session, conn)
    if everything:
        found = callbacks.callbacks(conn, root=root, units=session.units(conn))
    else:
        found = callbacks.callbacks(conn, root=root, instances={each.instance for each in mine.values()})
    known = callbacks.contacts(conn, [each for each in found if _doable(each, mine)])
    lines = [
        _Line(
            each,
            _late(session, each),
            _doable(each, mine),
            known.get(each.respondent or 0, {}) if _doable(each, mine) else {},
        )
        for each in found
    ]
    return sorted(lines, key=_urgency)


def _note_reading(session: Session, way: str, lines: Sequence[_Line]) -> None:
    """Whose contact is among them is named in the history as read, before anything is shown."""
    from survey.commands import NoteReading

    read = tuple((each.callback.unit, each.callback.customer) for each in lines if each.contact)
    if read:
        session.do(NoteReading(by=session.actor, way=way, found=read))


def _tasks(session: Session, conn: Connection) -> dict[str, Task]:
    """The open tasks of call-backs that the person may see, by id."""
    from engine.queries import worklist
    from survey import callbacks

    rights, scope = session.rights(conn), worklist.Scope.ALL
    found = worklist.worklist(conn, rights, scope=scope, procedure=callbacks.PROCEDURE)
    return {each.id: each for each in found}


def _doable(each: Callback, mine: Mapping[str, Task]) -> bool:
    return each.task is not None and each.task in mine and mine[each.task].doable


def _late(session: Session, each: Callback) -> bool:
    return each.due_at is not None and each.due_at <= session.now


def _urgency(line: _Line) -> tuple[bool, bool, datetime | int, int]:
    """Late ones first, then by due date; what is over comes last."""
    at = line.callback.due_at
    return (
        line.callback.task is None,
        not line.late,
        0 if at is None else int(at.timestamp()),
        line.callback.instance,
    )


def _plain(line: _Line) -> dict[str, Any]:
    plain = output.plain(line.callback)
    assert isinstance(plain, dict)
    return {**plain, "late": line.late, "doable": line.mine, "contact": dict(line.contact)}


def _row(session: Session, conn: Connection, line: _Line) -> tuple[Cell | str | None, ...]:
    each = line.callback
    calendar = session.calendar(conn, each.unit)
    return (
        Cell(each.id, bold=True),
        each.customer,
        line.contact.get("name"),
        output.clip(" ".join(each.reason.split()), _MOST),
        due_text(each.due_at, session.zone) if each.due_at is not None else each.due,
        left_text(each.due_at, session.now, session.zone, calendar),
        str(len(each.attempts)),
        _state(each),
        each.assignee,
    )


def _state(each: Callback) -> str:
    """What came of it: so far, or for good."""
    if each.task is not None and not each.to_call:
        return tr("the head decides")
    return tr(_OUTCOMES[each.outcome]) if each.outcome else ""


@callback.command("show", example="flow callback show SV-15")
@_ITEM
@click.pass_obj
def show(session: Session, item: str) -> None:
    """Show a call-back with every attempt; how to reach the customer, to whoever has to."""
    with session.read() as conn:
        line = _line(session, conn, item)
    _note_reading(session, "callback show", [line])
    if session.json:
        output.dump(_plain(line))
    else:
        _show(session, line)


def _line(session: Session, conn: Connection, item: str) -> _Line:
    from survey import callbacks

    found = callbacks.callback(conn, instance_number(item.partition(".")[0]))
    mine = _tasks(session, conn)
    if found.task not in mine:
        session.may_read(conn, found.unit, found.id)
    doable = _doable(found, mine)
    known = callbacks.contacts(conn, [found]) if doable else {}
    return _Line(found, _late(session, found), doable, known.get(found.respondent or 0, {}))


def _show(session: Session, line: _Line) -> None:
    each = line.callback
    with session.read() as conn:
        names, calendar = session.names(conn), session.calendar(conn, each.unit)
    left = left_text(each.due_at, session.now, session.zone, calendar)
    output.heading(f"{each.id}  {each.customer}")
    due = due_text(each.due_at, session.zone) if each.due_at is not None else each.due or ""
    output.fields(
        (
            *((tr(name), value) for name, value in line.contact.items()),
            (tr("why"), each.reason),
            (tr("what the customer is told"), each.solution or None),
            (tr("due"), Cell(f"{due}  {left}".strip(), fg=left.fg)),
            (tr("outcome"), _state(each) or None),
            (tr("complaint"), tr("yes") if each.complaint else None),
            (tr("with"), names.get(each.assignee or "", each.assignee)),
            (tr("task"), each.task),
        )
    )
    if each.attempts:
        output.echo()
        rows = [
            (
                a.on,
                tr(_MODES.get(a.mode, a.mode)),
                tr(_OUTCOMES.get(a.outcome, a.outcome)),
                a.note,
                names.get(a.by, a.by),
            )
            for a in each.attempts
        ]
        output.table(("Day", "How", "Outcome", "Note", "By"), rows, flexible=3)
    if line.mine and each.to_call:
        command = f"flow callback log {each.id} --outcome satisfied --note …"
        output.note("Enter what came of it with: {command}", command=command)
    elif line.mine:
        output.note("Decide with: {command}", command=f"flow task complete {each.task}")


@callback.command("next", example="flow callback next")
@_SURVEY
@click.pass_obj
def next_(session: Session, survey: str | None) -> None:
    """Show the most urgent call that I may make."""
    with session.read() as conn:
        found = [each for each in _lines(session, conn, survey) if each.mine and each.callback.to_call]
    _note_reading(session, "callback next", found[:1])
    if session.json:
        output.dump(_plain(found[0]) if found else None)
    elif found:
        _show(session, found[0])
        output.note("{count} more to call", count=len(found) - 1)
    else:
        output.note("Nobody to call back.")


@callback.command(
    "log",
    example="flow callback log SV-15 --outcome satisfied --note 对处理结果认可\n"
    "flow callback log SV-15 --outcome unreachable --note 无人接听",
)
@_ITEM
@option(
    "--outcome",
    type=click.Choice(["satisfied", "dissatisfied", "unreachable"]),
    required=True,
    help="What came of it.",
)
@option(
    "--note",
    metavar="TEXT",
    help="What the customer said, or why they were not reached; without personal data.",
)
@option("--mode", type=click.Choice(["phone", "visit", "email"]), help="How; by default by telephone.")
@option("--on", "day", metavar="DATE", help="The day, as 2026-09-14; by default today.")
@option("--told", metavar="TEXT", help="What the customer was told is being done.")
@option("--complaint", metavar="TEXT", help="A complaint that was raised.")
@click.pass_obj
def log(
    session: Session,
    item: str,
    outcome: str,
    note: str | None,
    mode: str | None,
    day: str | None,
    told: str | None,
    complaint: str | None,
) -> None:
    """Enter an attempt: the call-back is done, or stays open where it has to be tried again."""
    from survey import callbacks
    from survey.commands import LogCallback

    given = {"outcome": outcome, "note": note, "mode": mode, "on": day, "told": told, "complaint": complaint}
    values = {name: value for name, value in given.items() if value is not None}
    done = session.do(LogCallback(by=session.actor, item=item, values=values))
    with session.read() as conn:
        now = callbacks.callback(conn, done.instance)
    if session.json:
        output.dump(now)
    elif now.task is None:
        output.say("{callback} is done: {outcome}", callback=now.id, outcome=_state(now))
    elif now.to_call:
        output.say(
            "Entered; {callback} stays open until {due} (attempts: {count})",
            callback=now.id,
            due=now.due,
            count=len(now.attempts),
        )
    else:
        output.say(
            "Entered; whether {callback} goes on the head decides ({task})", callback=now.id, task=now.task
        )


@callback.command(
    "export", example="flow callback export -o calls.xlsx\nflow callback export SV-12 -o calls.csv"
)
@_SURVEY
@option(
    "-o",
    "--output",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write there: .xlsx or .csv.",
)
@FORCE
@click.pass_obj
def export(session: Session, survey: str | None, target: Path | None, force: bool) -> None:
    """Write a sheet of the calls that I may make, with telephone numbers, to fill the outcomes in.

    The file holds personal data: delete it when its outcomes are in.
    """
    from console.callback_sheet import as_csv, as_workbook

    with session.read() as conn:
        found = [each for each in _lines(session, conn, survey) if each.mine and each.callback.to_call]
    if not found:
        raise NotFound("Nobody to call back.")
    file = target or Path(f"callbacks-{session.today.isoformat()}.xlsx")
    check_free(file, force=force)
    _note_reading(session, "callback export", found)
    write = as_csv if file.suffix.casefold() == ".csv" else as_workbook
    with written(file, force=force) as beside:
        beside.write_bytes(write([(each.callback, each.contact) for each in found]))
    if session.json:
        output.dump({"file": file, "callbacks": len(found)})
        return
    output.say("{file} is written: {count} to call back", file=file, count=len(found))
    output.note("It holds telephone numbers: delete it when its outcomes are in")


@callback.command("import", example="flow callback import calls.xlsx")
@click.argument("file", metavar="FILE", type=_FILE)
@click.pass_obj
def import_(session: Session, file: Path) -> None:
    """Enter the outcomes of a sheet: all of them, or none when a row does not fit. Rows without one are passed over."""
    from survey.commands import ImportCallbacks
    from survey.sheets import MAX_BYTES

    done = session.do(ImportCallbacks(by=session.actor, data=read_file(file, MAX_BYTES), source=file.name))
    if session.json:
        output.dump(done)
        return
    said = ", ".join(f"{tr(_OUTCOMES[name])} {count}" for name, count in sorted(done.outcomes.items()))
    output.say(
        "Entered {taken} attempts ({encoding}): {outcomes}",
        taken=done.taken,
        encoding=done.encoding,
        outcomes=said,
    )
    if done.left_out:
        output.note("{count} rows without an outcome were passed over", count=done.left_out)
