"""A task opened: its form, what stands in it, and the dates and words printed with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from console import output
from console.dates import day_text, due_text, left_text, moment_text
from console.due_words import in_words
from console.language import Messages, both, chosen, tr
from console.output import Cell
from engine.forms import Form, Prompt, outline, prefill
from engine.model import instance_number, label
from engine.queries import history, instances, worklist
from engine.queries.worklist import Because, Deadline, Task

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from console.session import Session
    from console.worked_out import WorkedOut

_WHY: Messages = {
    Because.ASSIGNED: "yours",
    Because.ASSIGNED_TO_ABSENT: "for {person}",
    Because.ROLE: "{role}",
    Because.ROLE_OF_ABSENT: "{role}, for {person}",
    Because.ANYBODY: "anybody's",
    Because.COLLEAGUE: "with {assignee}",
    Because.FOUR_EYES: "not you: you did {element}",
}
_ANCHOR = re.compile(r"(planned|actual)\((.+)\)")
_ANCHORS: Messages = {"planned": "planned end of {step}", "actual": "end of {step}"}
_COUNTINGS: Messages = {"from": "the first day counts", "after": "counting starts on the day after"}
_REASONS: Messages = {
    "weekday": "working day",
    "weekend": "weekend",
    "holiday": "holiday",
    "make-up day": "make-up working day",
    "unit's day off": "the unit's day off",
    "unit's working day": "the unit's working day",
    "start": "counting starts after it",
    "date": "by date",
}


@dataclass(frozen=True, slots=True)
class OpenForm:
    """A task's form as it is opened; `form` is None for a task without one."""

    form: Form | None
    variables: Mapping[str, Any]
    values: dict[str, Any]
    """What stands in it: what was filled in beforehand, and the draft."""


def form_of(session: Session, conn: Connection, task: Task) -> OpenForm:
    """The task's form, of the definition its instance runs."""
    definition = session.app.services.library.find(conn, task.definition)
    form = None if task.form is None else definition.procedure.forms.get(task.form)
    variables = {**definition.parameters, **instances.variables(conn, task.instance)}
    if task.item is not None:
        variables["item"] = task.item
    values = {} if form is None else prefill(form, today=session.today, variables=variables)
    return OpenForm(form, variables, {**values, **worklist.draft_of(conn, task.id)})


def why_text(session: Session, conn: Connection, task: Task, people: Mapping[str, str]) -> str:
    """In a few words, why the task is on the worklist."""
    if task.why is None:
        return ""
    mine = []
    if task.why is Because.FOUR_EYES:
        rights, steps = session.rights(conn), session.steps(conn, task.definition)
        names = {rights.person, rights.account, *rights.stands_in_for}
        mine = list(dict.fromkeys(steps.get(step, step) for person, step in task.excluded if person in names))
    return tr(
        _WHY[task.why],
        person=people.get(task.on_behalf_of or "", task.on_behalf_of or ""),
        role=task.role_name or task.role or "",
        assignee=task.assignee_name or task.assignee or "",
        element=both("、", ", ").join(mine),
    )


def show_list(session: Session, conn: Connection, tasks: tuple[Task, ...], people: Mapping[str, str]) -> None:
    """Print tasks as a table."""
    rows = [
        (
            Cell(each.id, bold=True),
            each.name,
            session.title(each.title),
            each.unit_name,
            due_text(each.due_at, session.zone),
            Cell(tr("suspended"), fg="yellow")
            if each.suspended
            else left_text(each.due_at, session.now, session.zone, session.calendar(conn, each.unit)),
            Cell(why_text(session, conn, each, people), dim=not each.doable),
        )
        for each in tasks
    ]
    output.table(("ID", "Task", "Procedure", "Unit", "Due", "", "Why"), rows, flexible=2)


def show(session: Session, conn: Connection, task: Task, people: Mapping[str, str]) -> None:
    """Print one task: what it is, its dates, its form with values, its comments."""
    opened = form_of(session, conn, task)
    left = left_text(task.due_at, session.now, session.zone, session.calendar(conn, task.unit))
    if task.closed_at is not None:
        left = Cell("")
    output.heading(f"{task.id}  {task.name}")
    output.fields(
        (
            (tr("procedure"), session.title(task.title) + (f"  {task.period}" if task.period else "")),
            (tr("unit"), task.unit_name),
            (tr("role"), task.role_name or task.role),
            (tr("status"), _status(task)),
            (tr("with"), task.assignee_name),
            (tr("delegated by"), people.get(task.delegated_by or "", task.delegated_by)),
            (tr("due"), Cell(f"{due_text(task.due_at, session.zone)}  {left}".strip(), fg=left.fg)),
            (tr("opened"), moment_text(task.opened_at, session.zone)),
            (tr("Done"), _closed(session, task, people)),
            (tr("why me"), why_text(session, conn, task, people) if task.closed_at is None else None),
            (tr("item"), None if task.item is None else _inline(task.item)),
        )
    )
    if opened.form is not None:
        output.echo()
        output.heading(opened.form.title.of(chosen()))
        output.fields(
            _answers(opened, _handed_in(conn, task) if task.status == "done" else opened.values, people),
            indent=2,
        )
    _show_records(conn, task)
    comments = [
        line for line in history.of_task(conn, task.instance, task.id) if line.kind == "task.commented"
    ]
    if comments:
        output.echo()
        output.heading(tr("Comments"))
        for line in comments:
            output.echo(
                f"  {moment_text(line.at, session.zone)}  {line.by_name}: {line.facts.get('text', '')}"
            )


def _status(task: Task) -> Cell:
    if not task.suspended or task.closed_at is not None:
        return Cell(tr(task.status))
    resume = f"flow instance resume {label(task.instance)}"
    return Cell(
        f"{tr(task.status)}{_aside(tr('suspended; {command} lets it go on', command=resume))}", fg="yellow"
    )


def _closed(session: Session, task: Task, people: Mapping[str, str]) -> str:
    if task.closed_at is None:
        return ""
    return f"{moment_text(task.closed_at, session.zone)}  {people.get(task.closed_by or '', task.closed_by or '')}"


def _handed_in(conn: Connection, task: Task) -> dict[str, Any]:
    lines = [line for line in history.of_task(conn, task.instance, task.id) if line.kind == "task.completed"]
    return dict(lines[-1].facts.get("values", {})) if lines else {}


def _answers(
    opened: OpenForm, values: Mapping[str, Any], people: Mapping[str, str]
) -> list[tuple[str, Cell]]:
    assert opened.form is not None
    shown = []
    choices: tuple[tuple[Any, str], ...] = ()
    for prompt in outline(opened.form, chosen(), values):
        field, _, row = prompt.name.partition(".")
        value = values.get(prompt.name, values.get(field))
        if row and isinstance(value, Mapping):
            value = value.get(row)
        words = people if prompt.type == "person" else {str(key): label for key, label in prompt.choices}
        known, choices = choices, prompt.choices
        if prompt.type == "info":
            shown.append((prompt.label, Cell(prompt.help or " ", dim=True)))
        elif value is None or value == []:
            mark = tr("required") if prompt.required else tr("optional")
            options = () if row and prompt.choices == known else prompt.choices  # a matrix's rows share them
            asked = [
                f"{_aside(mark).strip()}{both('', ' ')}{prompt.name}{both('：', ': ')}{prompt.hint}",
                *_options(options),
                *_columns(prompt),
            ]
            shown.append((prompt.label, Cell("\n".join(asked), dim=True)))
        elif prompt.type == "table":
            shown.append((prompt.label, Cell("\n".join(_row(prompt, row, people) for row in value))))
        elif isinstance(value, list):
            chosen_ = [words.get(str(each), _inline(each)) for each in value]
            shown.append((prompt.label, Cell(both("、", ", ").join(chosen_))))
        else:
            shown.append((prompt.label, Cell(words.get(str(value), _inline(value)))))
    return shown


def _options(choices: tuple[tuple[Any, str], ...]) -> list[str]:
    most = max((output.width(str(value)) for value, _ in choices), default=0)
    return [
        f"  {value}{' ' * (most - output.width(str(value)))}  {label}".rstrip() for value, label in choices
    ]


def _columns(prompt: Prompt) -> list[str]:
    """A table's columns, their labels and what may stand in them."""
    lines = []
    for column in prompt.columns:
        mark = _aside(tr("required")) if column.required else ""
        options = ", ".join(f"{value} {label}" for value, label in column.choices)
        hint = f"{column.hint}: {options}" if options else column.hint
        lines.append(f"  {column.name}  {column.label}{mark}  {hint}".rstrip())
    return lines


def _row(prompt: Prompt, row: Any, people: Mapping[str, str]) -> str:
    """A row of a table under the labels of its columns; a draft's may be anything."""
    if not isinstance(row, Mapping):
        return _inline(row)
    parts = []
    for column in prompt.columns:
        value = row.get(column.name)
        if value is not None and value != []:
            words = people if column.type == "person" else {str(key): label for key, label in column.choices}
            parts.append(f"{column.label}{both('：', ': ')}{words.get(str(value), _inline(value))}")
    return both("；", "; ").join(parts)


def how_to_hand_in(task: Task, opened: OpenForm) -> str:
    """The command line that completes the task, with the fields that still have to be filled in."""
    if opened.form is None:
        return f"flow task complete {task.id}"
    prompts = [
        prompt
        for prompt in outline(opened.form, chosen(), opened.values)
        if prompt.required and not prompt.read_only and prompt.type != "info"
    ]
    missing = [prompt for prompt in prompts if opened.values.get(prompt.name) in (None, [])]
    sets = [f"--set {_example(prompt)}" for prompt in missing if len(missing) <= _MOST_SETS]
    return " ".join((f"flow task complete {task.id}", *(sets or ["--form FILE.yaml"] if missing else [])))


_MOST_SETS = 4
"""Beyond it a file is easier than a command line."""


def _example(prompt: Prompt) -> str:
    if prompt.type == "table":
        row = ", ".join(f'"{column.name}": "…"' for column in prompt.columns)
        return f"'{prompt.name}=[{{{row}}}]'"
    return f"{prompt.name}=…,…" if prompt.type == "choices" else f"{prompt.name}=…"


def _show_records(conn: Connection, task: Task) -> None:
    """List the documents there are so far: what an approver reads."""
    found = instances.find(conn, task.instance)
    records = list(instances.records(conn, task.instance))
    if found.parent is not None:
        records = [*instances.records(conn, instance_number(found.parent)), *records]
    rows = list(dict.fromkeys((each.name, each.code, each.path) for each in records))
    if rows:
        output.echo()
        output.heading(tr("Records so far"))
        output.table(("Record", "Code", "File"), rows)


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_inline(each)}" for name, each in value.items())
    if isinstance(value, list):
        return "\n".join(_inline(each) for each in value)
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    return str(value)


def show_arithmetic(
    session: Session, deadline: Deadline, steps: Mapping[str, str], behind: WorkedOut | None = None
) -> None:
    """Print how a due date was counted, day by day; `steps` has the names of the diagram's elements.

    `behind` says how a step worked out the date that the rule names.
    """
    lines = deadline.lines if behind is None else behind.lines
    output.fields(
        (
            (tr("rule"), deadline.rule),
            (tr("in words"), _words(deadline.rule, deadline.counting, steps, deadline.lines)),
            *_worked_out(behind, steps),
            (tr("counting"), _counting(deadline)),
            (tr("calendar"), deadline.calendar),
            (tr("due"), Cell(due_text(deadline.due_at, session.zone), bold=True)),
            (tr("status"), tr(deadline.status)),
        )
    )
    output.echo()
    output.table(("Day", "Count", "Reason"), [_day_line(line, steps) for line in lines])


def _worked_out(behind: WorkedOut | None, steps: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if behind is not None:
        yield tr("worked out"), f"{behind.name}: {behind.rule}" + _aside(f"{behind.instance} {behind.step}")
        yield tr("in words"), _words(behind.rule, behind.counting, steps, behind.lines)


def _words(
    rule: str, counting: str | None, steps: Mapping[str, str], lines: Iterable[Mapping[str, Any]]
) -> str:
    starts = {line["name"]: line["day"] for line in lines if line["reason"] == "start"}
    return in_words(rule, counting, steps, starts)


def _counting(deadline: Deadline) -> str | None:
    """How the first day counts, where the rule leaves it to the procedure."""
    if deadline.counting is None or "counted" not in deadline.rule:
        return None
    return tr(_COUNTINGS.get(deadline.counting, deadline.counting))


def _day_line(line: Mapping[str, Any], steps: Mapping[str, str]) -> tuple[Cell, Cell, Cell]:
    counted = line.get("count") is not None
    reason = tr(_REASONS.get(line["reason"], line["reason"]))
    name = f" {line['name']}" if line.get("name") else ""
    if line["reason"] in ("start", "date"):
        name = _aside(_anchor(line["name"], steps)) if line.get("name") else ""
    doubt = _aside(tr("provisional")) if line.get("provisional") else ""
    return (
        Cell(
            day_text(date.fromisoformat(line["day"])),
            dim=not counted and line["reason"] not in ("start", "date"),
        ),
        Cell(str(line["count"]) if counted else ""),
        Cell(f"{reason}{name}{doubt}", dim=not counted),
    )


def _anchor(name: str, steps: Mapping[str, str]) -> str:
    """What a due date is measured from, in words: a step's planned or actual end, the opening, or a variable."""
    if name == "opened":
        return tr("the task was opened")
    match = _ANCHOR.fullmatch(name)
    if match is None:
        return name
    return tr(_ANCHORS[match[1]], step=steps.get(match[2], match[2]))


def _aside(text: str) -> str:
    return both(f"（{text}）", f" ({text})")
