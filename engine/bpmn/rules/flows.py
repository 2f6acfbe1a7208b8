"""Ids, sequence flows and gateways (BPMN 2.0.2, 8.4.13 and 10.6)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.bpmn.diagram import ACTIVITIES, Flow, Node
from engine.bpmn.rules.chart import Chart, error, kinds
from engine.errors import Finding

MAX_ID = 200
"""Characters of an id."""
_ID = re.compile(r"[^\W\d][\w.-]*")
_CHOOSING = ("exclusiveGateway", "inclusiveGateway", "complexGateway")
_CATCHING = ("message", "signal", "timer", "conditional")


def ids(chart: Chart) -> Iterator[Finding]:
    """Every element is named, in signs that commands and addresses can carry."""
    process = chart.process
    for identity, tag, line in (
        (process.id, "process", 0),
        *((node.id, node.tag, node.line) for node in chart.nodes),
        *(
            (flow.id, f"sequenceFlow from {flow.source} to {flow.target}", 0)
            for flow in process.flows.values()
        ),
    ):
        if not identity:
            place = f"line {line}" if line else process.id
            yield error(
                place, "The {tag} has no id", "Give it one; BPMN editors do so by themselves", tag=tag
            )
        elif len(identity) > MAX_ID or not _ID.fullmatch(identity):
            remedy = "Begin with a letter or _, go on with letters, digits, _ - and ., at most 200 of them"
            yield error(identity, "This cannot be an id", remedy)


def ends(chart: Chart) -> Iterator[Finding]:
    """Flows join two nodes of one scope."""
    for flow in chart.process.flows.values():
        source, target = chart.node(flow.source), chart.node(flow.target)
        for end, node in (("begins", source), ("ends", target)):
            if node is None:
                template = "The flow {end} nowhere, or in another process"
                remedy = "Connect it to an element of its process; between pools draw a message flow"
                yield error(flow.id, template, remedy, end=end)
        if source is not None and target is not None and source.scope != target.scope:
            remedy = "End it at the sub-process itself, or lead out with a boundary event"
            yield error(flow.id, "The flow crosses the border of a sub-process", remedy)


def attachment(chart: Chart) -> Iterator[Finding]:
    """Nothing leads to where tokens begin by themselves, nor away from where they end."""
    for node in chart.nodes:
        if node.incoming and (reason := _no_incoming(node)):
            yield error(node.id, reason, "Delete the flow that leads to it")
        if node.outgoing and (reason := _no_outgoing(node)):
            yield error(node.id, reason, "Delete the flow that leads away from it")


def _no_incoming(node: Node) -> str | None:
    if node.tag == "startEvent":
        return "A flow leads to a start event"
    if node.tag == "boundaryEvent":
        return "A flow leads to a boundary event"
    if node.tag == "intermediateCatchEvent" and "link" in kinds(node):
        return "A flow leads to a catching link event"
    return _apart(node)


def _no_outgoing(node: Node) -> str | None:
    if node.tag == "endEvent":
        return "A flow leads away from an end event"
    if node.tag == "intermediateThrowEvent" and "link" in kinds(node):
        return "A flow leads away from a throwing link event"
    if node.tag == "boundaryEvent" and "compensate" in kinds(node):
        return "A flow leads away from a compensation event, which an association connects to its handler"
    return _apart(node)


def _apart(node: Node) -> str | None:
    if node.triggered_by_event:
        return "A flow joins an event sub-process, which its start event begins"
    if node.for_compensation:
        return "A flow joins a compensation handler, which runs when its activity is undone"
    return None


def choices(chart: Chart) -> Iterator[Finding]:
    """Conditions and defaults stand where something is chosen (8.4.13, 10.6.2, 10.6.3)."""
    for node in chart.nodes:
        chooses = node.tag in ACTIVITIES or node.tag in _CHOOSING
        for flow in node.outgoing:
            if flow.condition is not None and not chooses:
                remedy = "Delete the condition, or put an exclusive or inclusive gateway in between"
                yield error(
                    flow.id, "A condition has no meaning on a flow out of the {tag}", remedy, tag=node.tag
                )
        if node.default is not None:
            yield from _default(node, chooses)
        if node.tag == "exclusiveGateway" and len(node.outgoing) > 1:
            yield from (_bare(flow) for flow in node.outgoing if _unconditional(node, flow))


def _default(node: Node, chooses: bool) -> Iterator[Finding]:
    if not chooses:
        yield error(
            node.id, "The {tag} cannot have a default flow", "Delete the attribute default", tag=node.tag
        )
    elif node.default not in {flow.id for flow in node.outgoing}:
        template = "The default flow {flow} does not lead away from here"
        yield error(node.id, template, "Choose one of its own outgoing flows", flow=node.default)


def _unconditional(node: Node, flow: Flow) -> bool:
    return flow.condition is None and flow.id != node.default


def _bare(flow: Flow) -> Finding:
    template = "A flow out of an exclusive gateway has no condition, so that those after it are never taken"
    return error(flow.id, template, "Write its condition, or make it the default flow")


def gateways(chart: Chart) -> Iterator[Finding]:
    """Gateways split or join, and event-based ones wait for events."""
    for node in chart.nodes:
        if node.tag == "complexGateway" and len(node.incoming) > 1 and not node.activation:
            template = "The complex gateway joins flows, but says not when it goes on"
            remedy = "Write an activationCondition such as `activationCount >= 2`"
            yield error(node.id, template, remedy)
        if node.tag == "eventBasedGateway":
            yield from _event_based(chart, node)
        elif node.tag.endswith("Gateway") and not node.outgoing:
            yield error(node.id, "The gateway leads nowhere", "Draw its outgoing flow")


def _event_based(chart: Chart, node: Node) -> Iterator[Finding]:
    if node.instantiate and not chart.begins(node):
        template = "An event-based gateway that begins instances stands where none begins"
        yield error(node.id, template, "Delete the attribute instantiate, or the flow that leads to it")
    elif node.parallel_multiple and not node.instantiate:
        template = "A parallel event-based gateway has to begin the instance"
        yield error(node.id, template, 'Set instantiate="true", or use a parallel gateway and catch events')
    if len(node.outgoing) < 2:
        template = "An event-based gateway needs two events at least to choose from"
        yield error(node.id, template, "Add an event, or use a plain catch event")
    waiting = [target for flow in node.outgoing if (target := chart.node(flow.target)) is not None]
    if {True, False} <= {target.tag == "receiveTask" for target in waiting if _takes_message(target)}:
        template = "An event-based gateway leads to receive tasks and to message events"
        yield error(node.id, template, "Use one of the two for all messages")
    for target in waiting:
        if target.tag != "receiveTask" and not (
            target.tag == "intermediateCatchEvent" and kinds(target) and kinds(target) <= set(_CATCHING)
        ):
            template = "An event-based gateway leads to {target}, which waits for no event"
            remedy = "Lead to catch events (message, timer, signal, condition) or receive tasks only"
            yield error(node.id, template, remedy, target=target.label)
        elif node.instantiate and kinds(target) - {"message", "signal"}:
            template = "{target} cannot begin an instance"
            yield error(target.id, template, "Use messages and signals only", target=target.label)
        elif len(target.incoming) > 1:
            remedy = "Give the other flow an event of its own"
            yield error(target.id, "An event behind an event-based gateway has another incoming flow", remedy)
        elif chart.boundary.get(target.id) or target.loop is not None:
            template = "A receive task behind an event-based gateway has a boundary event or a loop"
            yield error(target.id, template, "Use a catch event with a message instead")


def _takes_message(node: Node) -> bool:
    return node.tag == "receiveTask" or "message" in kinds(node)


def unconnected(chart: Chart) -> bool:
    """Whether some flow has no two ends in one scope, so that paths cannot be judged."""
    return any(True for _ in ends(chart)) or "" in chart.process.nodes or "" in chart.process.flows
