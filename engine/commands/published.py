"""Published definitions, read once and shared: a definition never changes, so it is kept by its hash."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from sqlalchemy import Connection, desc, select

from engine.bpmn.diagram import Diagram, Node
from engine.bpmn.process import ProcessSpec, alone
from engine.bpmn.reader import read
from engine.bpmn.rules.properties import others
from engine.calendar.due_grammar import DueExpression, parse_due
from engine.check import Called, Names, called, names
from engine.errors import EngineError, Invalid, NotFound
from engine.handlers import Handlers
from engine.procedures import Procedure, bundle_hash, from_files
from engine.procedures.packing import unpack
from engine.store import tables


@dataclass(slots=True)
class Definition:
    """One published version of a procedure, ready to run."""

    hash: str
    version: int
    procedure: Procedure
    diagram: Diagram
    calls: Mapping[str, str]
    """Called process to the hash of the definition that has it."""
    _specs: dict[str, ProcessSpec] = field(default_factory=dict)
    _dues: dict[str, Mapping[str, DueExpression]] = field(default_factory=dict)
    _measured: dict[str, frozenset[str]] = field(default_factory=dict)
    _timed: dict[str, bool] = field(default_factory=dict)
    _paired: dict[str, frozenset[str]] = field(default_factory=dict)
    _names: Names | None = None

    def spec(self, process: str) -> ProcessSpec:
        """The spec of one of the file's processes, or (`process#element`) of one activity by itself."""
        if process not in self._specs:
            name, _, element = process.partition("#")
            source = self.diagram.processes[name]
            self._specs[process] = ProcessSpec(alone(source, element) if element else source)
        return self._specs[process]

    def node(self, process: str, element: str) -> Node:
        """A node of a process."""
        return self.spec(process).source.nodes[element]

    def dues(self, process: str) -> Mapping[str, DueExpression]:
        """The `flow.due` of every element that has one, by element."""
        if process not in self._dues:
            nodes = self.diagram.processes[process.partition("#")[0]].nodes.values()
            self._dues[process] = {
                node.id: parse_due(node.properties["flow.due"])
                for node in nodes
                if node.properties.get("flow.due")
            }
        return self._dues[process]

    def awaits(self, element: str, known: Collection[str]) -> str | None:
        """The date variable, not among those `known`, that the due date of an element of the main process counts from.

        Through planned ends; None where there is no such.
        """
        dues = self.dues(self.procedure.process)
        anchor, seen = dues[element].anchor if element in dues else None, {element}
        while (
            anchor is not None
            and anchor.source == "planned"
            and anchor.name in dues
            and anchor.name not in seen
        ):
            seen.add(anchor.name)
            anchor = dues[anchor.name].anchor
        if (
            anchor is None
            or anchor.source != "date"
            or anchor.name in known
            or anchor.name in self.parameters
        ):
            return None
        return anchor.name

    def awaited(self, known: Collection[str]) -> Mapping[str, list[str]]:
        """The dates not `known` that due dates of the main process count from: each to the steps' names."""
        nodes = self.diagram.processes[self.procedure.process].nodes
        found: dict[str, list[str]] = {}
        for element in self.dues(self.procedure.process):
            if (name := self.awaits(element, known)) is not None:
                found.setdefault(name, []).append(nodes[element].label)
        return found

    def measured(self, process: str) -> frozenset[str]:
        """The elements whose completion some due date is measured from: `actual(element)`."""
        if process not in self._measured:
            source = self.diagram.processes[process.partition("#")[0]]
            texts = [source.properties.get("flow.due", "")]
            texts += [each.text or "" for node in source.nodes.values() for each in node.events]
            dues = [*self.dues(process).values(), *filter(None, map(_due, texts))]
            anchors = [due.anchor for due in dues]
            self._measured[process] = frozenset(a.name for a in anchors if a and a.source == "actual")
        return self._measured[process]

    def timed(self, process: str) -> bool:
        """Whether some timer is a due date that counts from a variable."""
        if process not in self._timed:
            nodes = self.spec(process).source.nodes.values()
            dues = [_due(each.text or "") for node in nodes for each in node.events if each.kind == "timer"]
            self._timed[process] = any(due is not None and due.anchor is not None for due in dues)
        return self._timed[process]

    def paired(self, process: str) -> frozenset[str]:
        """The elements that another's `flow.not-same-as` names: it has to be known who did them."""
        if process not in self._paired:
            nodes = self.spec(process).source.nodes.values()
            named = ",".join(node.properties.get("flow.not-same-as", "") for node in nodes)
            self._paired[process] = frozenset(others(named)[0])
        return self._paired[process]

    def begun_by(self, kind: str, name: str) -> str | None:
        """The element at which that message or signal begins an instance; None when it begins none."""
        spec = self.spec(self.procedure.process)
        for element in spec.beginnings:
            if spec.task_specs[element].awaited(kind, name) is not None:
                return element
        return None

    def names(self, functions: Collection[str]) -> Names:
        """The variables it knows; `functions` are those that its expressions may call besides the language's."""
        if self._names is None:
            self._names = names(self.procedure, self.diagram, functions)
        return self._names

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The procedure's parameters."""
        return self.procedure.values


def _due(text: str) -> DueExpression | None:
    """A due date, where a timer may stand as well."""
    try:
        return parse_due(text)
    except Invalid:
        return None


class Library:
    """The definitions in use."""

    def __init__(self) -> None:
        self._known: dict[str, Definition] = {}
        self._lock = Lock()

    def find(self, conn: Connection, digest: str) -> Definition:
        """The definition of that hash. Raises NotFound, and EngineError when it is not what was published."""
        found = self._known.get(digest)
        if found is None:
            table = tables.definition
            row = conn.execute(select(table).where(table.c.hash == digest)).one_or_none()
            if row is None:
                raise NotFound("No definition has the hash {hash}", hash=digest)
            call = tables.definition_call.c
            found_calls = conn.execute(select(call.process, call.callee).where(call.caller == digest))
            calls = {each.process: each.callee for each in found_calls}
            procedure = from_files(_unaltered(row, calls))
            found = Definition(digest, row.version, procedure, read(procedure.diagram), calls)
            with self._lock:
                self._known[digest] = found
        return found


def _unaltered(row: Any, calls: Mapping[str, str]) -> dict[str, bytes]:
    """A definition's files, whose hash is its name: nothing else is ever run."""
    with suppress(EngineError):
        files = unpack(row.bundle)
        if bundle_hash(files, calls.values()) == row.hash:
            return files
    raise EngineError(
        "Version {version} of {procedure} is not in the database as it was published: it was damaged or altered. "
        "Restore the database from a backup; `flow audit verify` names what differs",
        version=row.version, procedure=row.procedure,
    )  # fmt: skip


def described(
    conn: Connection, library: Library, registry: Handlers, calls: Mapping[str, str]
) -> dict[str, Called]:
    """What callers have to know of published processes; `calls` are the hashes of their definitions."""
    found = {}
    for process, digest in calls.items():
        definition = library.find(conn, digest)
        inner = described(conn, library, registry, definition.calls)
        found[process] = called(definition.procedure, registry, inner)
    return found


def newest(conn: Connection, name: str, version: int | None = None) -> str:
    """The hash of a procedure's newest (or named) version, by its id or code. Raises NotFound."""
    table = tables.definition
    query = select(table.c.hash).where((table.c.procedure == name) | table.c.code.in_((name, name.upper())))
    if version is not None:
        query = query.where(table.c.version == version)
    digest = conn.execute(query.order_by(desc(table.c.version)).limit(1)).scalar_one_or_none()
    if digest is None:
        raise NotFound(
            "No procedure {name} is published here; see `flow procedure list`, then `flow procedure publish {name}`",
            name=name,
        )
    return str(digest)


def newest_process(conn: Connection, process: str) -> str | None:
    """The hash of the newest definition whose main process has that id."""
    table = tables.definition
    for row in conn.execute(
        select(table.c.hash, table.c.facts).order_by(desc(table.c.published_at), desc(table.c.version))
    ):
        if row.facts.get("process") == process:
            return str(row.hash)
    return None
