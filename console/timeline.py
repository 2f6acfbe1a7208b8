"""One instance on a page: its steps with role, person and dates, what it waits for, its records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from console import output
from console.dates import due_day, due_text, left_text, moment_text
from console.language import tr
from console.logbook import acted
from console.output import Cell
from engine.queries.instances import Step, View, Waiting

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from console.session import Session

_MARKS = {"open": "○", "claimed": "◐", "done": "●", "cancelled": "–"}


def show(session: Session, conn: Connection, view: View, people: Mapping[str, str]) -> None:
    """Print an instance."""
    found = view.instance
    promise = due_text(view.promised_at, session.zone)
    output.heading(
        f"{found.id}  {session.title(found.title)}  {found.unit_name}"
        + (f"  {found.period}" if found.period else "")
    )
    output.fields(
        (
            (
                tr("procedure"),
                f"{found.code or found.procedure}  {tr('version {number}', number=found.version)}",
            ),
            (tr("status"), _status(found.status, found.outcome)),
            (
                tr("started"),
                f"{moment_text(found.started_at, session.zone)}  {_name(people, found.started_by)}",
            ),
            (tr("ended"), None if found.ended_at is None else moment_text(found.ended_at, session.zone)),
            (tr("promised"), Cell(promise, fg="red" if view.promise_missed else None) if promise else None),
            (tr("called by"), found.parent),
        )
    )
    if view.steps:
        output.echo()
        heads = ("", "Step", "", "Role", "Person", "Due", "Done", "")
        calendar = session.calendar(conn, found.unit)
        rows = [
            _step(session, step, people, left_text(step.due_at, session.now, session.zone, calendar))
            for step in view.steps
        ]
        output.table(heads, rows, flexible=2)
    if view.more_steps:
        output.note(
            "{count} further steps are left out; `flow instance history` has them", count=view.more_steps
        )
    _rest(session, view)


def _step(session: Session, step: Step, people: Mapping[str, str], left: Cell) -> tuple[Cell | str, ...]:
    done = "" if step.closed_at is None else moment_text(step.closed_at, session.zone)
    if step.status == "cancelled":
        done = tr("not needed")
    state = Cell("")
    if step.late:
        state = Cell(tr("late") if step.closed_at else left.text, fg="red", bold=True)
    elif step.closed_at is None and step.due_at is not None:
        state = left
    due = "" if step.due_at is None else due_day(step.due_at, session.zone).isoformat()
    return (
        Cell(
            _MARKS.get(step.status, "·"),
            fg="red" if step.late else "green" if step.status == "done" else None,
        ),
        Cell(step.task, bold=step.closed_at is None),
        Cell(step.name, dim=step.status == "cancelled"),
        step.role_name or "",
        _person(step, people),
        due,
        done,
        state,
    )


def _person(step: Step, people: Mapping[str, str]) -> str:
    """Who has the step; once it is done, in the words of the log book, who acted as whom and for whom."""
    if step.person is None or step.account is None:
        return step.person_name or ""
    names = {**people, step.person: step.person_name or step.person}
    if step.account == step.person:
        return acted(names, step.person, step.acting_for, None)
    absent = None if step.acting_for == step.person else step.acting_for
    return acted(names, step.account, step.person, absent)


def _rest(session: Session, view: View) -> None:
    if view.waiting:
        output.echo()
        output.heading(tr("Waits for"))
        output.table(
            ("", "Element", "What", "Until"),
            [(tr(each.kind), each.element, _what(each), _until(session, each)) for each in view.waiting],
        )
    if view.children:
        output.echo()
        output.heading(tr("Called"))
        output.table(
            ("ID", "Process", "Status", "Open"),
            [(each.id, each.title, tr(each.status), str(each.open_tasks or "")) for each in view.children],
        )
    if view.records:
        output.echo()
        output.heading(tr("Records"))
        output.table(
            ("Record", "Code", "File", "SHA-256"),
            [(each.name, each.code, each.path, each.sha256[:16]) for each in view.records],
        )


def _what(waiting: Waiting) -> str:
    return waiting.what if waiting.total is None else f"{waiting.done}/{waiting.total}"


def _until(session: Session, waiting: Waiting) -> str:
    return "" if waiting.until is None else moment_text(waiting.until, session.zone)


def _status(status: str, outcome: str | None) -> str:
    return tr(status) if outcome in (None, status) else f"{tr(status)} ({outcome})"


def _name(people: Mapping[str, str], id_: str) -> str:
    return people.get(id_, id_)
