"""One process laid out for judging: what stands where, and where a token can go next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from engine.bpmn.diagram import ACTIVITIES, Diagram, Node, Process
from engine.errors import Finding
from engine.expressions import Texts


def error(element: str, template: str, remedy: str, /, **params: object) -> Finding:
    """A fault for which the diagram is refused."""
    return Finding("error", "", element, template, remedy, params)


@dataclass
class Chart:
    """A process with the indexes that the rules look things up in; every lookup is constant in time."""

    diagram: Diagram
    process: Process
    texts: Texts
    """The expressions and scripts of the diagram."""
    within: dict[str, list[Node]] = field(default_factory=dict)
    """The nodes standing directly in a scope."""
    boundary: dict[str, list[Node]] = field(default_factory=dict)
    """The boundary events of an activity."""
    links: dict[tuple[str, str], str] = field(default_factory=dict)
    """The catching link event by scope and name."""
    handled: dict[str, str] = field(default_factory=dict)
    """A compensation handler to the boundary event that it belongs to."""

    def __post_init__(self) -> None:
        for node in self.nodes:
            self.within.setdefault(node.scope, []).append(node)
            if node.attached_to is not None:
                self.boundary.setdefault(node.attached_to, []).append(node)
            if node.tag == "intermediateCatchEvent":
                for each in node.events:
                    if each.kind == "link":
                        self.links[node.scope, each.name or ""] = node.id
            if "compensate" in kinds(node) and node.tag == "boundaryEvent":
                self.handled.setdefault(self.process.associations.get(node.id, ""), node.id)

    @property
    def nodes(self) -> list[Node]:
        """All nodes."""
        return list(self.process.nodes.values())

    @property
    def scopes(self) -> list[str]:
        """The process and its sub-processes."""
        return [self.process.id, *(node.id for node in self.nodes if node.id in self.within)]

    def node(self, identity: str | None) -> Node | None:
        """A node, or None."""
        return self.process.nodes.get(identity or "")

    @cached_property
    def undoing(self) -> frozenset[str]:
        """The sub-processes and call activities in which something is undone.

        What stands in another file is not known here, and is held to be undone there.
        """
        found: set[str] = set()
        calls = {node.called or "" for node in self.nodes if node.tag == "callActivity"}
        undoing = {name for name in calls if _undoes(self.diagram, name)}
        for node in self.nodes:
            called = node.tag == "callActivity" and (node.called or "") in undoing
            if called:
                found.add(node.id)
            around = self.node(node.scope) if called or _undoing(node) else None
            while around is not None and around.id not in found:
                found.add(around.id)
                around = self.node(around.scope)
        return frozenset(found)

    def name(self, scope: str) -> str:
        """What people call a scope."""
        node = self.node(scope)
        return self.process.name if node is None else node.label

    def starts(self, scope: str) -> list[str]:
        """Where tokens can begin in a scope: its start events, else what nothing leads to."""
        nodes = self.within.get(scope, [])
        return [node.id for node in nodes if node.tag == "startEvent" or self.begins(node)] or [
            node.id
            for node in nodes
            if not node.incoming
            and node.tag != "boundaryEvent"
            and not (node.triggered_by_event or node.for_compensation)
            and "link" not in kinds(node)
        ]

    def begins(self, node: Node) -> bool:
        """Whether an event may begin an instance at a node that is no start event (13.3.3, 13.4.4)."""
        return node.tag != "startEvent" and self.process.begun_at(node)

    def aside(self, scope: str) -> list[str]:
        """What runs in a scope without a flow leading to it: event sub-processes, compensation handlers."""
        return [
            node.id
            for node in self.within.get(scope, [])
            if node.triggered_by_event or node.id in self.handled
        ]

    def next(self, node: Node) -> Iterator[str]:
        """Where a token on the node can go: along its flows, to its boundary events, to a link's other end."""
        for flow in node.outgoing:
            yield flow.target
        for each in self.boundary.get(node.id, ()):
            yield each.id
        if node.tag == "intermediateThrowEvent":
            for definition in node.events:
                target = self.links.get((node.scope, definition.name or ""))
                if definition.kind == "link" and target is not None:
                    yield target


def _undoing(node: Node) -> bool:
    return node.tag in ("boundaryEvent", "startEvent") and "compensate" in kinds(node)


def _undoes(diagram: Diagram, process: str) -> bool:
    """Whether anything in a process, or in what it calls, undoes something."""
    pending, seen = [process], set[str]()
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        if name not in diagram.processes:
            return True
        nodes = diagram.processes[name].nodes.values()
        if any(map(_undoing, nodes)):
            return True
        pending += (node.called or "" for node in nodes if node.tag == "callActivity")
    return False


def kinds(node: Node) -> set[str]:
    """The kinds of a node's event definitions."""
    return {each.kind for each in node.events}


def is_activity(node: Node | None) -> bool:
    """Whether the node is an activity that a token runs (an event sub-process is none)."""
    return node is not None and node.tag in ACTIVITIES and not node.triggered_by_event
