"""A procedure judged whole: its files against one another, and against the organisation it is for.

`engine.bpmn.rules` says whether a diagram can run faithfully, `engine.procedures` whether each file can be
read. Here it is seen whether they fit together. What is found is `error` when the procedure could not run,
`incomplete` when something is still missing: publish refuses both, a rehearsal only the former.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from engine.bpmn import rules
from engine.bpmn.reader import read
from engine.check import clauses, dates, steps, surroundings
from engine.check.view import View
from engine.errors import Finding, Misbuilt
from engine.handlers import Handlers
from engine.procedures import Procedure

__all__ = ["BUILT_IN", "World", "check", "check_diagram"]

BUILT_IN = frozenset({"throw_error"})
"""The functions that scripts of every procedure may call besides the language's own."""


@dataclass(frozen=True, slots=True)
class World:
    """What a procedure has to fit into."""

    roles: Collection[str]
    """The ids of the organisation's roles."""
    registry: Handlers
    processes: Mapping[str, str] = field(default_factory=dict)
    """The published processes: id to the hash of the definition that has it."""
    functions: Collection[str] = BUILT_IN


def check(procedure: Procedure, world: World) -> list[Finding]:
    """Everything that keeps the procedure from being published; nothing when it can be."""
    name = procedure.diagram_name
    try:
        diagram = read(procedure.diagram)
    except Misbuilt as error:
        return [replace(each, file=name) for each in error.findings]
    found = [replace(each, file=name) for each in rules.findings(diagram, functions=world.functions)]
    view = View(procedure, diagram, frozenset(world.functions))
    found += surroundings.process(view)
    found += surroundings.drawing(view)
    found += surroundings.schedules(view)
    found += surroundings.beginnings(view)
    found += steps.roles(view, world.roles)
    found += steps.forms(view)
    found += steps.handlers(view, world.registry)
    found += steps.calls(view, world.processes)
    found += steps.records(view)
    found += dates.anchors(view)
    found += dates.variables(view)
    found += clauses.clauses(view)
    return found


def check_diagram(xml: bytes, *, functions: Collection[str] = BUILT_IN) -> list[Finding]:
    """Every `error` of a bare diagram: what keeps it from running faithfully."""
    try:
        return rules.findings(read(xml), functions=functions)
    except Misbuilt as error:
        return list(error.findings)
