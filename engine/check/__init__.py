"""A procedure judged whole: its files against one another, and against the organisation it is for.

`engine.bpmn.rules` says whether a diagram can run faithfully, `engine.procedures` whether each file can be
read. Here it is seen whether they fit together. What is found is `error` when the procedure could not run,
`incomplete` when something is still missing: publish refuses both, a rehearsal only the former.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from lxml import etree

from engine.bpmn import rules
from engine.bpmn.diagram import Diagram
from engine.bpmn.reader import read_tree
from engine.bpmn.xml import parse
from engine.check import clauses, dates, decisions, drawings, roles, steps, surroundings
from engine.check.dates import Names
from engine.check.roles import Called
from engine.check.settings import files, settings
from engine.check.view import View
from engine.decisions import Decision, read_decisions
from engine.errors import Finding, Misbuilt
from engine.expressions import Texts
from engine.handlers import Handlers
from engine.procedures import Procedure

__all__ = [
    "BUILT_IN",
    "Around",
    "Called",
    "Names",
    "World",
    "called",
    "called_in",
    "check",
    "check_bare",
    "check_diagram",
    "names",
    "needed_roles",
]

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
    called: Mapping[str, Called] = field(default_factory=dict)
    """What is known of those that the procedure calls."""
    functions: Collection[str] = BUILT_IN


def check(procedure: Procedure, world: World) -> list[Finding]:
    """Everything that keeps the procedure from being published; nothing when it can be."""
    name = procedure.diagram_name
    texts = Texts(frozenset(world.functions))
    read = _diagram(procedure.diagram, texts)
    diagram, found = read.diagram, [replace(each, file=name) for each in read.findings]
    if diagram is None:
        return found
    view = View(procedure, diagram, texts)
    found += surroundings.process(view)
    found += surroundings.drawing(view)
    found += [replace(each, file=name) for each in drawings.sound(read.root)] if read.root is not None else []
    found += surroundings.schedules(view)
    found += surroundings.beginnings(view)
    found += surroundings.conditions(view)
    found += roles.roles(view, world.roles, world.registry, world.called)
    found += steps.forms(view)
    found += steps.handlers(view, world.registry)
    found += settings(view, world.registry)
    found += files(view, world.registry)
    found += steps.calls(view, world.processes)
    found += steps.records(view, world.called)
    found += decisions.deciding(view.nodes, procedure.decisions, name)
    found += decisions.unambiguous(procedure.decisions)
    found += decisions.used(view)
    found += decisions.cells(view, dates.settable(view))
    found += dates.anchors(view)
    found += dates.variables(view)
    found += clauses.clauses(view, world.called)
    return [read.placed(each) if each.file == name else each for each in found]


def needed_roles(
    procedure: Procedure, registry: Handlers, known: Mapping[str, Called] | None = None
) -> dict[str, str]:
    """The roles that a procedure needs, by id, with what people call them: those of what it calls as its calls say.

    `known` are the processes that it may call. Raises Misbuilt for a faulty diagram.
    """
    return dict(called(procedure, registry, known or {}).roles)


def called(procedure: Procedure, registry: Handlers, known: Mapping[str, Called]) -> Called:
    """What the callers of a procedure have to know of it; `known` are the processes that it calls itself."""
    view = View(procedure, read_tree(parse(procedure.diagram)), Texts(BUILT_IN))
    there = {node.called for node in view.nodes if node.tag == "callActivity"}
    inner = [each for name, each in known.items() if name in there]
    return Called(
        roles=roles.needed(view, registry, known),
        records=set(procedure.records).union(*(each.records for each in inner)),
        elements=clauses.elements_of(view).union(*(each.elements for each in inner)),
        rules=clauses.rules_of(view).union(*(each.rules for each in inner)),
    )


def called_in(procedure: Procedure) -> set[str]:
    """The processes that a procedure calls and that its diagram does not have. Raises Misbuilt for a faulty diagram."""
    diagram = read_tree(parse(procedure.diagram))
    nodes = [node for process in diagram.processes.values() for node in process.nodes.values()]
    named = {node.called for node in nodes if node.tag == "callActivity" and node.called}
    return named - diagram.processes.keys()


def names(procedure: Procedure, diagram: Diagram, functions: Collection[str]) -> Names:
    """The variables that a procedure knows, as the checks of its diagram see them."""
    return dates.names(View(procedure, diagram, Texts(frozenset(functions))))


def check_diagram(
    xml: bytes,
    *,
    functions: Collection[str] = BUILT_IN,
    tables: Mapping[str, Decision] | None = None,
    closed: bool = True,
) -> list[Finding]:
    """Every `error` of a bare diagram: what keeps it from running faithfully.

    Where `tables` are given, by the ids of their decisions, it is to run by itself: those that its tasks name have
    to be among them, and, unless it is not `closed`, what it calls in the file.
    """
    read = _diagram(xml, Texts(frozenset(functions)))
    found = list(read.findings)
    if read.diagram is not None and tables is not None:
        found += decisions.of_diagram(read.diagram, tables)
        if closed:
            found += [replace(each, level="error") for each in steps.callees(read.diagram, None)]
    return [read.placed(each) for each in found]


@dataclass(frozen=True, slots=True)
class Around:
    """What there is around a bare diagram. None: nothing is known of it, and nothing that is named is missed."""

    published: Collection[str] = ()
    """The processes that it may call besides its own."""
    registry: Handlers | None = None
    tables: Callable[[], Mapping[str, bytes]] | None = None
    """Reads the .dmn files beside it, by name; asked only where a task names a decision."""
    roles: Collection[str] | None = None
    """The ids of the organisation's roles."""
    forms: Collection[str] | None = None
    """The ids of the forms that there are."""
    name: str = ""
    """The procedure that it would become."""


def check_bare(xml: bytes, around: Around = Around()) -> list[Finding]:
    """Every `error` of a bare diagram, and what is `incomplete` in it whatever procedure it is for."""
    read = _diagram(xml, Texts(BUILT_IN))
    found = list(read.findings)
    if read.root is not None:
        found += drawings.sound(read.root)
    if (diagram := read.diagram) is not None:
        found += steps.callees(diagram, around.published)
        found += steps.unsaid(diagram)
        if around.tables is not None and decisions.asked(diagram):
            try:
                found += decisions.of_diagram(diagram, read_decisions(around.tables()))
            except Misbuilt as error:
                found += error.findings
        if around.registry is not None:
            found += steps.functions(diagram, around.registry)
        if around.forms is not None:
            found += steps.unwritten(diagram, around.forms, around.name)
        if around.roles is not None:
            found += roles.strangers(diagram, around.roles, around.registry or Handlers())
    return [read.placed(each) if not each.file else each for each in found]


@dataclass(frozen=True, slots=True)
class _Read:
    """A diagram, if it can be read, and what is wrong with it."""

    diagram: Diagram | None
    findings: Sequence[Finding]
    lines: Mapping[str, int]
    """Where each element stands."""
    root: etree._Element | None = None
    """The file, where it can be read at all."""

    def placed(self, finding: Finding) -> Finding:
        """The finding with its line."""
        return finding if finding.line is not None else replace(finding, line=self.lines.get(finding.element))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let Python not look for circles in what is made, of which there are none: each look goes through all of it."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@_undisturbed()
def _diagram(xml: bytes, texts: Texts) -> _Read:
    try:
        root = parse(xml)
    except Misbuilt as error:
        return _Read(None, error.findings, {})
    found = rules.of_document(root)
    diagram = None
    try:
        diagram = read_tree(root)
    except Misbuilt as error:
        found += error.findings
    else:
        found += rules.findings(diagram, texts)
    once = {(each.element, each.reason): each for each in reversed(found)}
    lines = {str(each.get("id")): each.sourceline or 0 for each in root.iter("{*}*") if each.get("id")}
    return _Read(diagram, list(once.values())[::-1], lines, root)
