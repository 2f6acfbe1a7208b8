"""Commands on call-backs: one attempt entered, or a sheet of them, whole or not at all.

An attempt hands in the call-back's open task with the shared process's own form, so that the same holds as on the
worklist: who may, what is required, what is late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.characters import blank
from engine.commands.core import Command, Context
from engine.commands.worklist import Complete, complete, form_of
from engine.errors import Conflict, EngineError, Invalid, NotFound, Problem
from engine.forms import Form, visible
from engine.model import task_id
from survey import callbacks
from survey.callbacks import Callback
from survey.sheets import Row, aliases, as_bytes, read_sheet, refuse

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "task": ("任务", "任务号", "回访任务"),
    "outcome": ("结果", "回访结果"),
    "note": ("说明", "回访情况", "客户意见及回访情况"),
    "mode": ("方式", "回访方式"),
    "on": ("日期", "回访日期"),
    "complaint": ("投诉", "投诉内容"),
    "told": ("告知内容", "告知客户的内容"),
}
"""The columns that are read, and what else they may be called."""
SHOWN: Mapping[str, tuple[str, ...]] = {
    "customer": ("客户", "客户编号"),
    "name": ("姓名", "联系人"),
    "phone": ("电话", "联系电话"),
    "reason": ("事由", "回访事由"),
    "due": ("期限", "回访期限"),
    "attempts": ("次数", "已联系次数"),
}
"""The columns that an exported sheet has besides; they are passed over."""
MOST_ROWS = 1_000
"""Attempts entered in one transaction."""

_FIELDS = {
    "outcome": "callback_outcome",
    "mode": "callback_mode",
    "on": "callback_on",
    "complaint": "complaint_text",
    "told": "callback_solution",
}
_NOTES = ("callback_note", "callback_failure")
"""Where a note stands: what the customer said, or why they were not reached."""
_called = aliases({**COLUMNS, **SHOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCallback(Command):
    """Enter one attempt: `item` is the call-back (`SV-15`) or its open task (`SV-15.1`)."""

    item: str
    values: Mapping[str, str] = field(default_factory=dict)
    """By column: outcome, note, mode, on, complaint, told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCallbacks(Command):
    """Enter the attempts of a sheet: a row with an outcome for each, by its task; rows without one are passed over."""

    data: bytes | str
    source: str = "callbacks.xlsx"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbacksTaken:
    """What a sheet brought."""

    encoding: str
    taken: int
    outcomes: Mapping[str, int]
    left_out: int
    """Rows without an outcome."""


def log(cmd: LogCallback, ctx: Context) -> Callback:
    """Enter an attempt. Raises `NotFound`, `Conflict` when nobody is to be called, `Invalid` by column."""
    found = callbacks.called(ctx.conn, cmd.item)
    try:
        _enter(ctx, found, cmd.values)
    except Invalid as error:
        raise Invalid(_placed(problem, "") for problem in error.problems) from None
    return found


def import_callbacks(cmd: ImportCallbacks, ctx: Context) -> CallbacksTaken:
    """Enter every row that has an outcome; with any problem, none of them."""
    known = [name for name in (*COLUMNS, *SHOWN) if name not in ("task", "outcome")]
    sheet = read_sheet(as_bytes(cmd.data), required=("task", "outcome"), known=known, called=_called)
    rows = [row for row in sheet.rows if not blank(row.cells["outcome"])]
    if not rows:
        count = {"count": len(sheet.rows)}
        raise Invalid([Problem("file", "No row has an outcome; the file has {count}", count)])
    if len(rows) > MOST_ROWS:
        params = {"limit": MOST_ROWS}
        raise Invalid([Problem("file", "The file has more than {limit} rows: split it", params)])
    problems: list[Problem] = []
    outcomes: dict[str, int] = {}
    seen: dict[str, int] = {}
    for row in rows:
        try:
            with ctx.attempt():
                outcome = _row(ctx, row, seen)
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
        except Invalid as error:
            problems += [_placed(problem, f"row {row.number}") for problem in error.problems]
        except EngineError as error:
            problems.append(Problem(f"row {row.number}", error.template, error.params))
    refuse(problems)
    left_out = len(sheet.rows) - len(rows)
    return CallbacksTaken(encoding=sheet.encoding, taken=len(rows), outcomes=outcomes, left_out=left_out)


def _row(ctx: Context, row: Row, seen: dict[str, int]) -> str:
    if blank(row.cells["task"]):
        raise Invalid([Problem("task", "The task is missing: it says which call-back the row is about")])
    task = task_id(row.cells["task"])
    first = seen.setdefault(task, row.number)
    if first != row.number:
        raise Invalid(
            [Problem("task", "Task {task} stands already in row {first}", {"task": task, "first": first})]
        )
    values = {
        name: row.cells[name] for name in COLUMNS if name != "task" and not blank(row.cells.get(name, ""))
    }
    return _enter(ctx, callbacks.called(ctx.conn, task), values)


def _enter(ctx: Context, found: Callback, given: Mapping[str, str]) -> str:
    """Hand in the call-back's open task. Returns the outcome entered."""
    if found.task is None:
        raise Conflict("{callback} is over: nobody is to be called any more", callback=found.id)
    if not found.to_call:
        template = "Whether {callback} goes on, the head decides first ({task})"
        raise Conflict(template, callback=found.id, task=found.task)
    instance = ctx.instance_of(found.task)
    form = form_of(instance, "call")
    if form is None:
        raise NotFound("The form {name} of {callback} is gone", name="call", callback=found.id)
    values: dict[str, object] = {_FIELDS[name]: value for name, value in given.items() if name in _FIELDS}
    if "complaint" in given:
        values["complaint_raised"] = True
    if "note" in given:
        values[_note_of(form, values)] = given["note"]
    complete(Complete(by=ctx.actor, task=found.task, values=values), ctx)
    return str(instance.variables()["callback_outcome"])


def _note_of(form: Form, values: Mapping[str, object]) -> str:
    """The field that takes the note: which one is shown depends on the outcome."""
    there = [each.id for each in visible(form, values)]
    return next((name for name in _NOTES if name in there), _NOTES[0])


def _placed(problem: Problem, row: str) -> Problem:
    """The problem under its column, as the sheet or the option calls it."""
    names = {**{name: column for column, name in _FIELDS.items()}, **dict.fromkeys(_NOTES, "note")}
    column = names.get(problem.field, problem.field)
    return Problem(", ".join(part for part in (row, column) if part), problem.template, problem.params)


COMMANDS: Mapping[type[Command], Callable[[Any, Context], Any]] = {
    LogCallback: log,
    ImportCallbacks: import_callbacks,
}
