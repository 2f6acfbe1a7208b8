"""What an element names exists in the file, and is of the right kind (BPMN 2.0.2, the attribute tables of 8 to 10)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from lxml import etree

from engine.bpmn.diagram import ACTIVITIES, EVENTS, GATEWAYS
from engine.bpmn.rules.document import Document, fault, text
from engine.bpmn.xml import BPMN, local
from engine.errors import Finding
from engine.strict_yaml import nearest

NODES = ACTIVITIES | EVENTS | GATEWAYS
ITEMS = ("dataObject", "dataObjectReference", "dataStoreReference", "property", "dataInput", "dataOutput")
"""Elements that hold data (10.4.1)."""
_EVENT_DEFINITIONS = tuple(
    f"{kind}EventDefinition"
    for kind in (
        *("cancel", "compensate", "conditional", "error", "escalation"),
        *("link", "message", "signal", "terminate", "timer"),
    )
)
_ACTIVITIES = tuple(sorted(ACTIVITIES))
_COLLABORATIONS = ("collaboration", "choreography", "globalConversation", "globalChoreographyTask")
_CONVERSATIONS = ("conversation", "subConversation", "callConversation")

_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "messageRef": ("message",),
    "signalRef": ("signal",),
    "errorRef": ("error",),
    "escalationRef": ("escalation",),
    "operationRef": ("operation",),
    "dataObjectRef": ("dataObject",),
    "dataStoreRef": ("dataStore",),
    "itemSubjectRef": ("itemDefinition",),
    "itemRef": ("itemDefinition",),
    "processRef": ("process",),
    "definitionalCollaborationRef": _COLLABORATIONS,
    "calledCollaborationRef": _COLLABORATIONS,
    "categoryValueRef": ("categoryValue",),
    "correlationKeyRef": ("correlationKey",),
    "correlationPropertyRef": ("correlationProperty",),
    "oneBehaviorEventRef": _EVENT_DEFINITIONS,
    "noneBehaviorEventRef": _EVENT_DEFINITIONS,
    "parameterRef": ("resourceParameter",),
    "activityRef": _ACTIVITIES,
    "innerMessageFlowRef": ("messageFlow",),
    "outerMessageFlowRef": ("messageFlow",),
    "innerConversationNodeRef": _CONVERSATIONS,
    "outerConversationNodeRef": _CONVERSATIONS,
}
_TEXTS: dict[str, tuple[str, ...]] = {
    "eventDefinitionRef": _EVENT_DEFINITIONS,
    "operationRef": ("operation",),
    "inMessageRef": ("message",),
    "outMessageRef": ("message",),
    "errorRef": ("error",),
    "correlationPropertyRef": ("correlationProperty",),
    "categoryValueRef": ("categoryValue",),
    "participantRef": ("participant",),
    "innerParticipantRef": ("participant",),
    "outerParticipantRef": ("participant",),
    "messageFlowRef": ("messageFlow",),
    "choreographyRef": ("choreography",),
    "interfaceRef": ("interface",),
    "supportedInterfaceRef": ("interface",),
    "endPointRef": ("endPoint",),
    "resourceRef": ("resource",),
    "supports": ("process",),
    "dataInputRefs": ("dataInput",),
    "optionalInputRefs": ("dataInput",),
    "whileExecutingInputRefs": ("dataInput",),
    "dataOutputRefs": ("dataOutput",),
    "optionalOutputRefs": ("dataOutput",),
    "whileExecutingOutputRefs": ("dataOutput",),
    "inputSetRefs": ("inputSet",),
    "outputSetRefs": ("outputSet",),
}
_LOOKED_AT = 200
"""Elements among which the one is looked for that was meant."""
_TYPES = ("itemSubjectRef", "itemRef")
"""With a prefix they may mean a type of another schema, which has no effect here."""


def existing(document: Document) -> Iterator[Finding]:
    """Whatever is named is there, and is what may be named at this place."""
    for element in document.root.iter(f"{{{BPMN}}}*"):
        if not document.judged(element):
            continue
        for attribute, kinds in _ATTRIBUTES.items():
            reference = element.get(attribute)
            if reference is not None and not (attribute in _TYPES and ":" in reference):
                yield from _named(document, element, attribute, reference, kinds)
        called = element.get("calledElement", "")
        if (namespace := document.elsewhere(element, called)) is not None:
            yield _elsewhere(element, "calledElement", called, namespace)
        kinds = _TEXTS.get(local(element), ())
        around = element.getparent()
        if local(element) in ("source", "target") and around is not None:
            kinds = ("linkEventDefinition",) if local(around) == "linkEventDefinition" else ()
        if kinds and around is not None:
            yield from _named(document, around, local(element), text(element), kinds)
    yield from _shared_definitions(document)


def _named(
    document: Document, element: etree._Element, attribute: str, reference: str, kinds: tuple[str, ...]
) -> Iterator[Finding]:
    if (namespace := document.elsewhere(element, reference)) is not None:
        yield _elsewhere(element, attribute, reference, namespace)
        return
    target = document.named(reference)
    if target is None:
        close = nearest(reference, (each.get("id", "") for each in islice(document.all(*kinds), _LOOKED_AT)))
        remedy = "Create one of the kind {kind} with this id, or choose another"
        if kinds is _ACTIVITIES:
            remedy = "Choose an activity of the diagram"
        remedy = "Did you mean {meant}?" if close else remedy
        template = "{attribute} names {reference}, which the file does not have"
        params = {"attribute": attribute, "reference": reference[:60] or "''"}
        yield fault(element, template, remedy, **params, meant=close, kind=kinds[0])
    elif local(target) not in kinds:
        template = "{attribute} names {reference}, which is of the kind {found} instead of {kind}"
        params = {"attribute": attribute, "reference": reference[:60], "found": local(target)}
        kind = "activity" if kinds is _ACTIVITIES else kinds[0]
        yield fault(element, template, "Choose one of the kind {kind}", **params, kind=kind)


def _elsewhere(element: etree._Element, attribute: str, reference: str, namespace: str) -> Finding:
    template = "{attribute} names {reference}, which belongs to {namespace} and not to this file"
    remedy = "Write it without the prefix if it means one of this file, or create it here"
    params = {"attribute": attribute, "reference": reference.strip()[:60], "namespace": namespace[:60]}
    return fault(element, template, remedy, **params)


def _shared_definitions(document: Document) -> Iterator[Finding]:
    """Only a definition of the file itself can be used by several events (10.5.5)."""
    for reference in document.all("eventDefinitionRef"):
        target = document.named(text(reference))
        around = reference.getparent()
        if target is None or around is None or local(target) not in _EVENT_DEFINITIONS:
            continue
        if target.getparent() is not document.root and document.judged(reference):
            template = "The definition {reference} belongs to another event"
            remedy = "Give this event a definition of its own, or move the shared one out of the process"
            yield fault(around, template, remedy, reference=text(reference))


def ends_listed(document: Document) -> Iterator[Finding]:
    """What nodes list as incoming and outgoing is what the flows say (8.4.13, 10.3)."""
    ends = {"incoming": "targetRef", "outgoing": "sourceRef"}
    flows = {flow.get("id", ""): flow for flow in document.all("sequenceFlow") if document.judged(flow)}
    listed: dict[str, set[tuple[str, str]]] = {}
    for way, end in ends.items():
        pairs = listed[way] = set()
        for entry in document.all(way):
            node, name = entry.getparent(), text(entry).rpartition(":")[2]
            if node is None or not document.judged(node):
                continue
            pairs.add((node.get("id", ""), name))
            flow = flows.get(name)
            if flow is None or flow.get(end) != node.get("id"):
                template = "{name} stands among the {way} flows, but is none of them"
                yield fault(
                    node, template, "Delete the entry, or correct the flow", name=name or "''", way=way
                )
    # A tool lists all flows at both ends; whoever writes by hand may list none, or only an order of branches.
    everywhere = all(listed.values())
    for way, end in ends.items():
        writers = {node for node, _ in listed[way]}
        for name, flow in flows.items():
            node = flow.get(end, "")
            if node in document.ids and (node, name) not in listed[way] and (everywhere or node in writers):
                template = "The flow {name} is missing among the {way} flows of {node}"
                remedy = "Add it there, or delete all these lists"
                yield fault(document.ids[node], template, remedy, name=name, way=way, node=node)
