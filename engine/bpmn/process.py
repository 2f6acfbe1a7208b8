"""A process as SpiffWorkflow's `WorkflowSpec`: its nodes' specs, built once and shared by its instances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from operator import or_

from SpiffWorkflow.specs import WorkflowSpec

from engine.bpmn.diagram import SCOPES, Node, Process
from engine.bpmn.event_specs import (
    BoundarySpec,
    CatchEventSpec,
    ReceiveSpec,
    StartSpec,
    ThrowSpec,
)
from engine.bpmn.gateways import ComplexSpec, EventGatewaySpec, ExclusiveSpec, InclusiveSpec, ParallelSpec
from engine.bpmn.propagation import match
from engine.bpmn.specs import NodeSpec, activity_spec
from engine.errors import NotFound

_KINDS: dict[str, type[NodeSpec]] = {
    "startEvent": StartSpec,
    "endEvent": ThrowSpec,
    "intermediateThrowEvent": ThrowSpec,
    "intermediateCatchEvent": CatchEventSpec,
    "boundaryEvent": BoundarySpec,
    "exclusiveGateway": ExclusiveSpec,
    "parallelGateway": ParallelSpec,
    "inclusiveGateway": InclusiveSpec,
    "complexGateway": ComplexSpec,
    "eventBasedGateway": EventGatewaySpec,
    "receiveTask": ReceiveSpec,
}


class ProcessSpec(WorkflowSpec):  # type: ignore[misc]
    """One process; the nodes of its embedded sub-processes stand beside its own, ids being unique."""

    task_specs: dict[str, NodeSpec]

    def __init__(self, source: Process) -> None:
        super().__init__(name=source.id)
        self.source = source
        self._within: dict[str, list[Node]] = {source.id: []}
        self.bit = {name: 1 << place for place, name in enumerate(source.nodes)}
        """Each node's bit in a set of nodes that is kept as a number."""
        self._before: dict[bool, list[int]] = {}
        self._upstream: dict[tuple[str, bool], Mapping[str, int]] = {}
        self.boundary: dict[str, list[Node]] = {}
        """The boundary events of each activity that has some."""
        for node in source.nodes.values():
            self._within.setdefault(node.scope, []).append(node)
            if node.attached_to:
                self.boundary.setdefault(node.attached_to, []).append(node)
        for node in source.nodes.values():
            (_KINDS.get(node.tag) or activity_spec(node))(self, node)
        self.beginnings = [node.id for node in self._within[source.id] if source.begun_at(node)]
        """The start events of the process, and what else an event may begin it at."""

    def starts(self, scope: str, element: str | None) -> list[str]:
        """Where a scope begins: the event named, else its none start, its first, or what nothing leads to."""
        nodes = self._within.get(scope, [])
        events = [node for node in nodes if node.tag == "startEvent"]
        if element is not None:
            if element not in self.beginnings:
                raise NotFound(
                    "Process {process} has no start event {element}", process=self.name, element=element
                )
            return [element]
        plain = [node.id for node in events if not node.events]
        if plain:
            return plain[:1]
        if events and scope == self.source.id:
            return [events[0].id]
        unled = [node.id for node in self._unled(nodes) if not node.instantiate]
        return unled or self.beginnings[:1]

    @staticmethod
    def _unled(nodes: list[Node]) -> list[Node]:
        """What nothing leads to, and begins with its scope all the same (13.3.4)."""
        return [
            node
            for node in nodes
            if not node.incoming
            and node.tag != "boundaryEvent"
            and not (node.triggered_by_event or node.for_compensation)
            and not any(each.kind == "link" for each in node.events)
        ]

    def triggers(self, scope: str) -> list[str]:
        """The start events of a scope's event sub-processes that have to be waited for."""
        return [
            start.id
            for each in self._within.get(scope, [])
            if each.triggered_by_event
            for start in self._within.get(each.id, [])
            if start.tag == "startEvent" and self.task_specs[start.id].waits
        ]

    def catching_trigger(self, scope: str, kind: str, code: str) -> str | None:
        """The start of an event sub-process of the scope that catches an error or escalation."""
        starts = [
            start
            for each in self._within.get(scope, [])
            if each.triggered_by_event
            for start in self._within.get(each.id, [])
            if start.tag == "startEvent"
        ]
        return match(starts, kind, code)

    def is_event_subprocess(self, element: str) -> bool:
        """Whether the element is a sub-process triggered by an event."""
        node = self.source.nodes.get(element)
        return node is not None and node.triggered_by_event

    def compensation_handler(self, activity: str) -> str | None:
        """What undoes an activity: its boundary event's handler, or its compensation event sub-process."""
        for node in self._within_of(activity):
            if node.attached_to == activity and any(each.kind == "compensate" for each in node.events):
                return self.source.associations.get(node.id)
        for node in self._within.get(activity, []):
            if node.triggered_by_event and any(
                each.kind == "compensate" for start in self._within.get(node.id, []) for each in start.events
            ):
                return node.id
        return None

    def _within_of(self, activity: str) -> list[Node]:
        return self._within.get(self.source.nodes[activity].scope, [])

    def link_target(self, scope: str, name: str) -> str:
        """The catching link event of that name."""
        for node in self._within.get(scope, []):
            if node.tag == "intermediateCatchEvent" and any(
                each.kind == "link" and each.name == name for each in node.events
            ):
                return node.id
        raise NotFound("No link event catches {name}", name=name)

    def _link_sources(self, target: Node) -> list[str]:
        names = {each.name for each in target.events if each.kind == "link"}
        return [
            node.id
            for node in self._within[target.scope]
            if node.tag == "intermediateThrowEvent"
            and any(each.kind == "link" and each.name in names for each in node.events)
        ]

    def upstream(self, gateway: str, *, by_events: bool) -> Mapping[str, int]:
        """For each incoming flow of a gateway: the nodes that reach it without passing the gateway, by their bits.

        Unless `by_events`, along sequence flows and links alone, not from an activity over its boundary event.
        """
        key = gateway, by_events
        if key not in self._upstream:
            before, known = self._predecessors(by_events), dict[int, int]()
            self._upstream[key] = {
                flow.id: _reaching(self.bit[flow.source], self.bit[gateway], before, known)
                for flow in self.source.nodes[gateway].incoming
            }
        return self._upstream[key]

    def _predecessors(self, by_events: bool) -> list[int]:
        """For each node, in their order: those from which a token comes to it in one step."""
        if by_events not in self._before:
            self._before[by_events] = [
                self._step_before(node, by_events) for node in self.source.nodes.values()
            ]
        return self._before[by_events]

    def _step_before(self, node: Node, by_events: bool) -> int:
        names = {flow.source for flow in node.incoming}
        if node.attached_to and by_events:
            names.add(node.attached_to)
        if node.tag == "intermediateCatchEvent":
            names.update(self._link_sources(node))
        return reduce(or_, (self.bit[name] for name in names), 0)


def _reaching(target: int, without: int, before: list[int], known: dict[int, int]) -> int:
    """The nodes that reach one node, itself included, without passing another; `known` are those found earlier."""
    found, pending = 0, target & ~without
    while pending:
        each = pending & -pending
        found |= known.get(each, each)
        pending = (pending | before[each.bit_length() - 1]) & ~(found | without)
    known[target] = found
    return found


def alone(source: Process, element: str) -> Process:
    """One activity of a process as a process of its own, `process#element`: what a batch's child runs.

    Its boundary events and its multi-instance marker stay with the parent, whose token waits for the batch.
    """
    name = f"{source.id}#{element}"
    node = source.nodes[element]
    if node.tag not in SCOPES:
        nodes = {element: replace(node, scope=name, loop=None, incoming=(), outgoing=(), default=None)}
        return replace(source, id=name, nodes=nodes, flows={})
    inside = {element}
    for each in source.nodes.values():  # the reader lists an outer sub-process before what stands in it
        if each.scope in inside:
            inside.add(each.id)
    nodes = {
        each.id: replace(each, scope=name) if each.scope == element else each
        for each in source.nodes.values()
        if each.id in inside and each.id != element
    }
    return replace(source, id=name, nodes=nodes)
