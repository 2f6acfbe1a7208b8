"""The rule behind a date that a step worked out (`dates.work_out`), for who asks why a task is due on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.bpmn.rules.properties import inputs
from engine.calendar.due_grammar import Offset, parse_due
from engine.commands import redating
from engine.commands.deadlines import line_of
from engine.handlers import Call
from engine.model import label
from engine.queries import instances
from engine.store.variables import values_of, variables_of
from tasks import dates

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from console.session import Session
    from engine.queries.instances import Placed
    from engine.queries.worklist import Deadline, Task

HANDLER = "dates.work_out"


@dataclass(frozen=True, slots=True)
class WorkedOut:
    """A date with its arithmetic."""

    name: str
    rule: str
    counting: str | None
    """The parameter for what is `counted`."""
    step: str
    """The step that worked it out."""
    instance: str
    """Where that was: SV-12."""
    lines: tuple[Mapping[str, Any], ...]
    """As those of a deadline."""


def behind(session: Session, conn: Connection, task: Task, deadline: Deadline) -> WorkedOut | None:
    """How the date was counted on which a task is due, where its own rule says no more than that date's name.

    None where nobody but a person or the start gave the date, or somebody changed it since.
    """
    due = parse_due(deadline.rule)
    point, anchor = due.point, due.anchor
    if (
        not isinstance(point, Offset)
        or not point.duration.is_zero
        or anchor is None
        or anchor.source != "date"
    ):
        return None
    name: str | None = anchor.name
    number: int | None = task.instance
    while name is not None and number is not None:
        here = instances.placed(conn, number)
        found = _counted(session, conn, number, here, name)
        if found is not None:
            return found if found.lines[-1]["day"] == deadline.due_day else None
        name, number = _passed(session, conn, here, name), here.caller
    return None


def _passed(session: Session, conn: Connection, called: Placed, name: str) -> str | None:
    """What the caller's variable is called that a called instance got under a name; None for no single one."""
    if called.caller is None or called.called_by is None:
        return None
    caller = instances.placed(conn, called.caller)
    node = session.app.services.library.find(conn, caller.definition).node(caller.process, called.called_by)
    given = dict(inputs(node.properties["flow.in"])) if "flow.in" in node.properties else {name: name}
    text = given.get(name, "")
    return text if text.isidentifier() else None


def _counted(session: Session, conn: Connection, number: int, here: Placed, name: str) -> WorkedOut | None:
    definition = session.app.services.library.find(conn, here.definition)
    known = variables_of(conn, number, redating.counting(session.app.registry, definition, here.process))
    for step in known.steps:
        node = definition.node(here.process, step.element)
        setting = step.set.get(name)
        if setting is None or setting.corrected or known.now.get(name) is not setting:
            continue
        if node.properties.get("flow.handler", "").strip() != HANDLER:
            return None
        seen = values_of(step.known) | values_of(step.set)
        call = Call(
            instance=number, label=label(number), root=number, unit=here.unit, procedure=here.procedure,
            element=node.id, name=node.label, properties=node.properties, variables=seen,
            parameters=definition.parameters, by=step.by, now=step.at,
            today=step.at.astimezone(session.zone).date().isoformat(), conn=conn, folder=Path(), zone=session.zone,
        )  # fmt: skip
        if (counted := dates.explained(call, name)) is not None:
            rule, due = counted
            counting = definition.parameters.get("counting")
            return WorkedOut(name, rule, counting, node.label, label(number), tuple(map(line_of, due.lines)))
    return None
