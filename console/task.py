"""`flow task`: the worklist, and what people do with their tasks."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import opened, output, values
from console.completions import people, task_ids
from console.due_words import in_words
from console.language import tr
from console.session import Session
from console.shape import NUMBER, group, option
from engine.errors import NotFound
from engine.model import task_id

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from engine.queries.worklist import Task

_TASK = click.argument("task", metavar="TASK", shell_complete=task_ids)
_TASKS = click.argument("tasks", metavar="TASK...", nargs=-1, required=True, shell_complete=task_ids)
_PERSON = click.argument("person", metavar="PERSON", shell_complete=people)


@group("task", example="flow task list --mine\nflow task complete SV-12.3 --set decision=agree")
def task() -> None:
    """The worklist: find, take, fill in and complete tasks."""


@task.command("list", example="flow task list --due today\nflow task list --role cs_supervisor --all")
@option("--mine", is_flag=True, help="Only what I have, or somebody I stand in for has.")
@option("--all", "everything", is_flag=True, help="Also what colleagues in my roles have taken.")
@option("--role", metavar="ROLE", help="Only tasks of one role, by its id.")
@option(
    "--due", type=click.Choice(["today", "overdue"]), help="Only what is due by the end of today, or late."
)
@option("-L", "--limit", type=NUMBER, default=30, show_default=True, help="At most so many.")
@click.pass_obj
def list_(
    session: Session, mine: bool, everything: bool, role: str | None, due: str | None, limit: int
) -> None:
    """List my tasks and those I may take, the most urgent first."""
    from engine.queries import worklist

    if mine and everything:
        raise click.UsageError(tr("--mine and --all exclude each other"))
    scope = worklist.Scope.MINE if mine else worklist.Scope.ALL if everything else worklist.Scope.OPEN
    with session.read() as conn:
        rights, late = session.rights(conn), _by(session, due)
        found = worklist.worklist(conn, rights, scope=scope, role=role, due_before=late, limit=limit)
        cut_off = len(found) == limit
        there = (
            worklist.worklist_total(conn, rights, scope=scope, role=role, due_before=late) if cut_off else 0
        )
        if session.json:
            output.dump(found)
        elif found:
            opened.show_list(session, conn, found, session.names(conn))
        else:
            output.note("Nothing to do.")
        output.cut(len(found), there)


def _by(session: Session, due: str | None) -> datetime | None:
    if due == "today":
        return datetime.combine(session.today + timedelta(days=1), time(), session.zone)
    return session.now if due == "overdue" else None


@task.command("view", example="flow task view SV-12.3")
@_TASK
@click.pass_obj
def view(session: Session, task: str) -> None:
    """Show a task: its dates, its form with what stands in it, its comments."""
    from engine.queries import history, worklist

    with session.read() as conn:
        found = worklist.task(conn, task_id(task), session.rights(conn))
        if session.json:
            form = opened.form_of(session, conn, found)
            output.dump(
                {
                    **_plain(found),
                    "fields": () if form.form is None else form.form.questions,
                    "values": form.values,
                    "deadlines": worklist.deadlines_of(conn, found.id),
                    "history": history.of_task(conn, found.instance, found.id),
                }
            )
            return
        opened.show(session, conn, found, session.names(conn))
        if found.closed_at is None:
            _hint(session, conn, found)
        if worklist.deadlines_of(conn, found.id):
            output.note("How the due date was counted: flow task why {task}", task=found.id)


def _hint(session: Session, conn: Connection, found: Task) -> None:
    """Say how the task is handed in."""
    output.note(
        "Hand it in with: {command}",
        command=opened.how_to_hand_in(found, opened.form_of(session, conn, found)),
    )


def _plain(row: object) -> dict[str, object]:
    plain = output.plain(row)
    assert isinstance(plain, dict)
    return plain


@task.command("why", example="flow task why SV-12.3")
@_TASK
@click.pass_obj
def why(session: Session, task: str) -> None:
    """Show how a task's due date was counted, day by day, or what it waits for."""
    from console import worked_out
    from engine.queries import instances, worklist

    with session.read() as conn:
        found = worklist.task(conn, task_id(task), session.rights(conn))
        deadlines = worklist.deadlines_of(conn, found.id)
        steps = session.steps(conn, found.definition)
        behind = worked_out.behind(session, conn, found, deadlines[0]) if deadlines else None
        awaited = None
        if not deadlines:
            definition = session.app.services.library.find(conn, found.definition)
            awaited = definition.awaits(found.element, instances.variables(conn, found.instance))
    if session.json:
        output.dump({"task": found.id, "deadlines": deadlines, "worked_out": behind, "waits_for": awaited})
        return
    if awaited is not None:
        rule = definition.dues(definition.procedure.process)[found.element].text
        output.heading(f"{found.id}  {found.name}")
        output.fields(((tr("rule"), rule), (tr("in words"), in_words(rule, None, steps))))
        output.say(
            "It has no due date yet: it waits for the date {name}, which nothing has set so far", name=awaited
        )
        return
    if not deadlines:
        raise NotFound("Task {task} has no due date", task=found.id)
    output.heading(f"{found.id}  {found.name}")
    opened.show_arithmetic(session, deadlines[0], steps, behind)


@task.command("next", example="flow task next")
@click.pass_obj
def next_(session: Session) -> None:
    """Show the most urgent task that I may work on."""
    from engine.queries import worklist

    with session.read() as conn:
        found = [each for each in worklist.worklist(conn, session.rights(conn)) if each.doable]
        if session.json:
            output.dump(found[0] if found else None)
        elif found:
            opened.show(session, conn, found[0], session.names(conn))
            _hint(session, conn, found[0])
        else:
            output.note("Nothing to do.")


@task.command("claim", example="flow task claim SV-12.3 SV-12.4")
@_TASKS
@click.pass_obj
def claim(session: Session, tasks: tuple[str, ...]) -> None:
    """Take tasks: they leave the others' worklists."""
    from engine.commands.worklist import Claim

    for each in map(task_id, tasks):
        session.do(Claim(by=session.actor, task=each))
        _report(session, each, "{task} is yours")


@task.command("release", example="flow task release SV-12.3")
@_TASKS
@click.pass_obj
def release(session: Session, tasks: tuple[str, ...]) -> None:
    """Give tasks back to everybody who may do them."""
    from engine.commands.worklist import Release

    for each in map(task_id, tasks):
        session.do(Release(by=session.actor, task=each))
        _report(session, each, "{task} is free again")


@task.command("assign", example="flow task assign SV-12.3 wang.fang")
@_TASK
@_PERSON
@click.pass_obj
def assign(session: Session, task: str, person: str) -> None:
    """Give a task to somebody who may do it."""
    from engine.commands.worklist import Assign

    session.do(Assign(by=session.actor, task=task_id(task), person=person))
    _report(session, task_id(task), "{task} is with {person} now", person=person)


@task.command("delegate", example="flow task delegate SV-12.3 li.lei")
@_TASK
@_PERSON
@click.pass_obj
def delegate(session: Session, task: str, person: str) -> None:
    """Have somebody else do my task, whatever roles they hold; history names both."""
    from engine.commands.worklist import Delegate

    session.do(Delegate(by=session.actor, task=task_id(task), person=person))
    _report(session, task_id(task), "{task} is with {person} now", person=person)


_SET = option(
    "--set",
    "sets",
    metavar="NAME=VALUE",
    multiple=True,
    help="The answer to one field; may be repeated. Several choices: a,b; a table: its rows as NAME:=JSON, or --form.",
)
_FORM = option(
    "--form",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A YAML or JSON file of answers: the way for tables and long texts.",
)
_EDIT = option("--edit", is_flag=True, help="Fill the form in with the editor (EDITOR).")


@task.command("draft", example="flow task draft SV-12.3 --set budget=1200")
@_TASK
@_SET
@_FORM
@_EDIT
@click.pass_obj
def draft(session: Session, task: str, sets: tuple[str, ...], file: Path | None, edit: bool) -> None:
    """Keep what has been filled in so far; nothing is required yet."""
    from engine.commands.worklist import SaveDraft

    given = _given(session, task_id(task), sets, file, edit)
    if not given:
        raise click.UsageError(tr("Nothing to keep: give --set, --form or --edit"))
    with values.syntax_told():
        session.do(SaveDraft(by=session.actor, task=task_id(task), values=given))
    _report(session, task_id(task), "The draft of {task} is kept")


@task.command("comment", example='flow task comment SV-12.3 "等管理处回电"')
@_TASK
@click.argument("text", metavar="TEXT")
@click.pass_obj
def comment(session: Session, task: str, text: str) -> None:
    """Say something about a task, for its history."""
    from engine.commands.worklist import Comment

    session.do(Comment(by=session.actor, task=task_id(task), text=text))
    _report(session, task_id(task), "Added to the history of {task}")


@task.command(
    "complete", example="flow task complete SV-12.3 --set decision=agree\nflow task complete SV-12.3 --edit"
)
@_TASK
@_SET
@_FORM
@_EDIT
@click.pass_obj
def complete(session: Session, task: str, sets: tuple[str, ...], file: Path | None, edit: bool) -> None:
    """Hand in a task with its form; at a terminal, what is missing is asked for.

    A draft counts as filled in; --form goes before the draft, --set before both.
    """
    from engine.commands.worklist import Complete

    identity = task_id(task)
    given = _given(
        session, identity, sets, file, edit, with_draft=True, ask=output.interactive() and not session.json
    )
    with values.syntax_told():
        session.do(Complete(by=session.actor, task=identity, values=given))
    _report(session, identity, "{task} is done")


def _given(
    session: Session, task: str, sets: tuple[str, ...], file: Path | None, edit: bool, *, with_draft: bool = False,
    ask: bool = False,
) -> dict[str, object]:  # fmt: skip
    """The answers given on the command line, in a file, in the editor and (to be completed) at the terminal."""
    from engine.queries import worklist

    given = {**(values.from_file(file) if file else {}), **values.pairs(sets)}
    if not (with_draft or edit):
        return given
    with session.read() as conn:
        found = worklist.task(conn, task, session.rights(conn))
        form = opened.form_of(session, conn, found)
        kept = worklist.draft_of(conn, task)
    if form.form is None or found.closed_at is not None:
        return given  # the command says what is wrong, if anything is
    given = {**kept, **given}
    if edit:
        given = {**given, **values.edited(form.form, {**form.values, **given})}
    if ask:
        return values.asked(form.form, given, today=session.today, variables=form.variables)
    return given


def _report(session: Session, task: str, template: str, **params: object) -> None:
    from engine.queries import worklist

    if session.json:
        with session.read() as conn:
            output.dump(worklist.task(conn, task))
    else:
        output.say(template, task=task, **params)
