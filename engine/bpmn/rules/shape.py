"""How nodes have to be joined: beginnings and ends, gateways, conditions (BPMN 2.0.2, 8.3.13, 10.3, 10.5, 10.6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from engine.bpmn.diagram import ACTIVITIES, Node, Process
from engine.bpmn.rules.chart import Chart, error, kinds
from engine.bpmn.rules.document import Document, fault
from engine.bpmn.xml import local
from engine.errors import Finding


def ends(chart: Chart) -> Iterator[Finding]:
    """Where a scope shows where it begins, it shows where it ends, and nothing stops in between (10.5.2, 10.5.3)."""
    for scope in chart.scopes:
        nodes = chart.within.get(scope, [])
        starts = [node for node in nodes if node.tag == "startEvent"]
        finals = [node for node in nodes if node.tag == "endEvent"]
        if not finals and any(node.tag == "startEvent" for node in starts):
            template = "{scope} has a start event but no end event"
            yield error(
                scope, template, "Add an end event, or delete the start event", scope=chart.name(scope)
            )
        if finals and not starts and not any(map(chart.begins, nodes)):
            template = "{scope} has an end event but no start event"
            yield error(
                scope, template, "Add a start event, or delete the end event", scope=chart.name(scope)
            )
        for node in nodes:
            if not node.outgoing and _goes_on(node, bool(finals)):
                template = "Nothing follows here, although there are end events"
                yield error(node.id, template, "Lead a flow to an end event, or to what is next")


def _goes_on(node: Node, ended: bool) -> bool:
    """Whether a flow has to lead away from a node."""
    if node.tag == "endEvent" or node.triggered_by_event or node.for_compensation:
        return False
    if node.tag == "boundaryEvent":
        return "compensate" not in kinds(node)
    if node.tag == "intermediateThrowEvent" and "link" in kinds(node):
        return False
    return ended or node.tag == "startEvent"


def gateways(chart: Chart) -> Iterator[Finding]:
    """A gateway brings flows together or parts them (10.6)."""
    for node in chart.nodes:
        if node.tag.endswith("Gateway") and len(node.incoming) < 2 and len(node.outgoing) == 1:
            template = "The gateway neither parts flows nor joins them"
            yield error(node.id, template, "Delete it, or draw the other flows")


def conditions(chart: Chart) -> Iterator[Finding]:
    """Where something has a condition, there is another way (8.3.13); a default flow has none (10.6)."""
    for node in chart.nodes:
        if node.tag in ACTIVITIES and len(node.outgoing) == 1 and node.outgoing[0].condition is not None:
            template = "The only flow out of {node} has a condition: when it does not hold, nothing goes on"
            remedy = "Delete the condition, or draw the flow for the other case"
            yield error(node.outgoing[0].id, template, remedy, node=node.label)
        for flow in node.outgoing:
            if flow.id == node.default and flow.condition is not None:
                template = "The default flow has a condition, which is never asked"
                yield error(flow.id, template, "Delete the condition, or choose another default flow")


def called(chart: Chart) -> Iterator[Finding]:
    """A called process can begin without an event (10.5.2)."""
    calls = [node for node in chart.nodes if node.tag == "callActivity"]
    processes = {node.called: chart.diagram.processes.get(node.called or "") for node in calls}
    closed = {name for name, process in processes.items() if process is not None and _by_events(process)}
    for node in calls:
        process = processes[node.called]
        if process is not None and process.id in closed:
            template = "The called process {called} begins by events only"
            yield error(node.id, template, "Add a start event without a trigger to it", called=process.name)


def _by_events(process: Process) -> bool:
    starts = [each for each in process.within(process.id) if each.tag == "startEvent"]
    return bool(starts) and all(each.events for each in starts)


def immediate(document: Document) -> Iterator[Finding]:
    """Between the ends of a flow that is run, nothing happens that is not drawn (8.3.13)."""
    for flow in document.all("sequenceFlow"):
        if flow.get("isImmediate") in ("false", "0") and document.judged(flow):
            template = "The flow leaves room for steps that are not drawn"
            yield fault(flow, template, "Delete isImmediate, and draw every step that is to happen")


def directions(document: Document) -> Iterator[Finding]:
    """What a gateway says of its direction is what its flows show (10.6.1)."""
    entering = Counter(flow.get("targetRef") for flow in document.all("sequenceFlow"))
    leaving = Counter(flow.get("sourceRef") for flow in document.all("sequenceFlow"))
    for element in document.root.iter("{*}*"):
        direction = element.get("gatewayDirection")
        if direction is None or not local(element).endswith("Gateway") or not document.judged(element):
            continue
        several = entering[element.get("id")] > 1, leaving[element.get("id")] > 1
        wanted = {"Converging": (True, False), "Diverging": (False, True), "Mixed": (True, True)}.get(
            direction
        )
        if wanted is not None and several != wanted:
            template = "The gateway is declared {direction}, but has {entering} incoming and {leaving} outgoing flows"
            remedy = "Correct gatewayDirection, or delete it"
            counts = {"entering": entering[element.get("id")], "leaving": leaving[element.get("id")]}
            yield fault(element, template, remedy, direction=direction, **counts)
