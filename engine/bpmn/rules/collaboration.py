"""Pools, message flows, lanes, choreography (BPMN 2.0.2, 9, 10.8 and 11)."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.bpmn.diagram import ACTIVITIES
from engine.bpmn.rules.document import Document, fault, text
from engine.bpmn.rules.references import NODES
from engine.bpmn.xml import local
from engine.errors import Finding

_NOT_RUN = (
    *("choreography", "globalChoreographyTask", "globalConversation"),
    *("conversation", "subConversation", "callConversation"),
    *("choreographyTask", "subChoreography", "callChoreography"),
)
_SENDING = ("endEvent", "intermediateThrowEvent")
_CATCHING = ("startEvent", "intermediateCatchEvent", "boundaryEvent")


def not_run(document: Document) -> Iterator[Finding]:
    """Choreography and conversation show what goes on between participants: there is nothing to run."""
    for element in document.all(*_NOT_RUN):
        if document.judged(element):
            yield fault(element, "The {tag} is not run", "Draw a process", tag=local(element))


def participants(document: Document) -> Iterator[Finding]:
    """How many of a participant there are (table 9.4)."""
    for element in document.all("participantMultiplicity"):
        least, most = _number(element.get("minimum"), 0), _number(element.get("maximum"), 1)
        if least is None or most is None:
            continue  # said by the schema
        if least < 0 or most < max(1, least):
            template = "A participant that there are {least} to {most} of"
            remedy = "Write a minimum from 0, and a maximum from 1 that is not below it"
            yield fault(element, template, remedy, least=least, most=most)


def _number(written: str | None, otherwise: int) -> int | None:
    try:
        return otherwise if written is None else int(written)
    except ValueError:
        return None


def message_flows(document: Document) -> Iterator[Finding]:
    """Messages go from one pool to another, between what sends and what receives (7.6.2, 9.4)."""
    for flow in document.all("messageFlow"):
        ends = [document.named(flow.get(end)) for end in ("sourceRef", "targetRef")]
        for way, end in zip(("begins", "ends"), ends, strict=True):
            if end is None:
                remedy = "Connect it to a pool or an element of one"
                if way == "begins":
                    yield fault(flow, "The message flow begins nowhere", remedy)
                else:
                    yield fault(flow, "The message flow ends nowhere", remedy)
            elif reason := _no_end(document, end, sends=way == "begins"):
                remedy = "Connect tasks, message events or pools"
                yield fault(flow, reason, remedy, end=end.get("id"), tag=local(end))
        if ends[0] is not None and ends[1] is not None:
            pools = [_pool(document, end) for end in ends if end is not None]
            if pools[0] == pools[1]:
                remedy = "Draw a sequence flow, or another participant"
                yield fault(flow, "The message flow stays within one pool", remedy)


def _no_end(document: Document, element: etree._Element, *, sends: bool) -> str | None:
    kind = local(element)
    if kind == "participant" or kind in ACTIVITIES or kind == "conversation":
        return None
    if kind not in (_SENDING if sends else _CATCHING):
        return "A message flow cannot begin at {end} ({tag})" if sends else (
            "A message flow cannot end at {end} ({tag})"
        )  # fmt: skip
    definitions = [each for each in element if local(each) == "messageEventDefinition"]
    for each in element:
        target = document.named(text(each)) if local(each) == "eventDefinitionRef" else None
        if target is not None and local(target) == "messageEventDefinition":
            definitions.append(target)
    return None if definitions else "A message flow is connected to {end} ({tag}), which has no message"


def _pool(document: Document, element: etree._Element) -> str:
    """The process behind a pool, or the pool itself when nothing is known about it."""
    if local(element) == "participant":
        return (element.get("processRef") or f"pool {element.get('id')}").rpartition(":")[2]
    process = document.process(element)
    return "" if process is None else process.get("id", "")


def lanes(document: Document) -> Iterator[Finding]:
    """Lanes divide the nodes of their own process among them (10.8)."""
    for process in document.all("process"):
        if not document.judged(process):
            continue
        holder: dict[str, etree._Element] = {}
        for reference in process.iter("{*}flowNodeRef"):
            lane, name = reference.getparent(), text(reference).rpartition(":")[2]
            if lane is None:
                continue
            target = document.ids.get(name)
            if target is None or local(target) not in NODES:
                template = "The lane has {name} in it, which is no element of the file"
                remedy = "Delete the entry: no task, event or gateway has this id"
                yield fault(lane, template, remedy, name=name or "''")
            elif document.process(target) is not process:
                template = "The lane has {name} in it, which belongs to another process"
                yield fault(lane, template, "Delete the entry", name=name)
            elif name in holder and not _nested(holder[name], lane):
                template = "{name} stands in two lanes, {one} and {other}"
                remedy = "Put it into one of them: whose step is it?"
                one, other = holder[name].get("id"), lane.get("id")
                yield fault(target, template, remedy, name=name, one=one, other=other)
            holder[name] = lane


def _nested(one: etree._Element, other: etree._Element) -> bool:
    return one is other or one in other.iterancestors() or other in one.iterancestors()
