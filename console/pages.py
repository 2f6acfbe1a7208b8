"""A published procedure on a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console import output
from console.dates import moment_text
from console.language import chosen, tr
from engine.bpmn.diagram import PERSON_TASKS
from engine.bpmn.reader import read
from engine.forms.form import Text
from engine.procedures import Procedure

if TYPE_CHECKING:
    from console.session import Session
    from engine.queries.definitions import Definition


def plain(procedure: Procedure, versions: Sequence[Definition]) -> dict[str, object]:
    """A procedure as JSON has it."""
    return {
        "procedure": procedure.id,
        "code": procedure.code,
        "title": procedure.title,
        "source": procedure.source,
        "versions": versions,
        "schedules": {name: schedule.written for name, schedule in procedure.schedules.items()},
        "steps": steps(procedure),
        "parameters": procedure.parameters,
        "records": procedure.records,
        "forms": {name: form.title for name, form in procedure.forms.items()},
        "clauses": procedure.clauses,
    }


@dataclass(frozen=True, slots=True)
class Step:
    """A step that people do, as the table of a documented procedure has it."""

    step: str
    name: str
    role: str
    """Who is responsible: the lane's name, or the role that the task names instead."""
    requirement: str
    """The task's documentation, and by when."""
    record: str


def steps(procedure: Procedure) -> list[Step]:
    """What people do, in the order of the diagram's file; of a called process, what the call says of it."""
    process = read(procedure.diagram).processes[procedure.process]
    roles = {lane.id: lane.name or lane.id for lane in process.lanes}
    found = []
    for node in process.nodes.values():
        if node.tag in PERSON_TASKS or (node.called and node.documentation):
            role = node.attributes.get("candidateGroups") or node.lane or ""
            due = node.properties.get("flow.due")
            wanted = " ".join(filter(None, (node.documentation, f"[{due}]" if due else None)))
            record = procedure.records.get(node.properties.get("flow.record", ""))
            titles = "" if record is None else " ".join(filter(None, (record.code, _of(record.title))))
            found.append(Step(node.id, node.label, roles.get(role, role), wanted, titles))
    return found


def show(
    session: Session,
    procedure: Procedure,
    versions: Sequence[Definition],
    *,
    with_clauses: bool,
    with_steps: bool = False,
) -> None:
    """Print a procedure."""
    source = procedure.source
    output.heading(f"{procedure.code or procedure.id}  {_of(procedure.title)}")
    output.fields(
        (
            (tr("id"), procedure.id),
            (
                tr("source"),
                None if source is None else " ".join(filter(None, (source.document, source.section))),
            ),
            (tr("revision"), None if source is None else source.revision),
            (tr("forms"), ", ".join(f"{name} {_of(form.title)}" for name, form in procedure.forms.items())),
        )
    )
    output.echo()
    output.table(
        ("Version", "Published", "By", "Running", "Hash"),
        [
            (
                str(each.version),
                moment_text(each.published_at, session.zone),
                each.published_by,
                str(each.running or ""),
                each.hash[:16],
            )
            for each in versions
        ],
    )
    _show_parts(procedure)
    if with_steps:
        output.echo()
        output.table(
            ("Step", "Responsible", "Requirement", "Record"),
            [(each.name, each.role, each.requirement, each.record) for each in steps(procedure)],
            flexible=2,
        )
    if with_clauses:
        output.echo()
        output.table(
            ("Clause", "Level", "Elements", "Statement"),
            [
                (each.id, each.level, ", ".join(each.elements), _of(each.statement))
                for each in procedure.clauses
            ],
            flexible=3,
        )


def _show_parts(procedure: Procedure) -> None:
    """Print what procedure.yaml holds besides."""
    if procedure.schedules:
        output.echo()
        output.heading(tr("Schedules"))
        output.fields([(name, _inline(each.written)) for name, each in procedure.schedules.items()], indent=2)
    if procedure.parameters:
        output.echo()
        output.table(
            ("Parameter", "Value", "Options", "Title", "Reading"),
            [
                (
                    name,
                    _inline(each.value),
                    ", ".join(map(_inline, each.options)),
                    _of(each.title),
                    each.reading,
                )
                for name, each in procedure.parameters.items()
            ],
        )
    if procedure.records:
        output.echo()
        output.table(
            ("Record", "Title", "Code", "Retention"),
            [(name, _of(each.title), each.code, each.retention) for name, each in procedure.records.items()],
        )


def _of(text: Text) -> str:
    return text.of(chosen())


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_inline(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return str(value)
