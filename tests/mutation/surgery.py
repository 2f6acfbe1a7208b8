"""Elements of a diagram bypassed: what leads to them is joined to what they lead to, and the rest stays sound."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator

from lxml import etree

from engine.bpmn.diagram import ACTIVITIES, EVENTS, GATEWAYS
from engine.bpmn.xml import BPMN, CAMUNDA

NODES = ACTIVITIES | GATEWAYS | EVENTS
NAMING = ("flow.elements", "flow.not-same-as", "flow.in", "flow.due-until")
"""Properties that name other elements, in lists or in the text of an expression."""
TIMED = ("flow.due", "flow.remind", "flow.overdue")


class NotBypassedError(Exception):
    """The element has no bypass: its clause needs a mutant of its own."""


def local(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _due_of(element: etree._Element) -> str:
    holder = element.find(f"{{{BPMN}}}extensionElements")
    for each in holder.iter(f"{{{CAMUNDA}}}property") if holder is not None else ():
        if each.get("name") == "flow.due":
            return str(each.get("value"))
    return ""


class Drawing:
    """A diagram that is being changed."""

    def __init__(self, root: etree._Element, before: frozenset[str], led: frozenset[str]) -> None:
        self.root = root
        self.dues = {str(each.get("id")): due for each in root.iter(f"{{{BPMN}}}*") if (due := _due_of(each))}
        """The due dates before the change, by element."""
        self.before = before
        """The ids of all elements before the change."""
        self.led = led
        """The nodes that flows led to before the change."""

    def find(self, identity: str) -> etree._Element:
        for each in self.root.iter(f"{{{BPMN}}}*"):
            if each.get("id") == identity:
                return each
        raise NotBypassedError(f"the diagram has no element {identity}")

    def written(self) -> bytes:
        """The diagram as a file."""
        return bytes(etree.tostring(self.root, xml_declaration=True, encoding="UTF-8"))

    @property
    def nodes(self) -> list[etree._Element]:
        return [each for each in self.root.iter(f"{{{BPMN}}}*") if local(each) in NODES]

    @property
    def flows(self) -> list[etree._Element]:
        return list(self.root.iter(f"{{{BPMN}}}sequenceFlow"))

    def incoming(self, node: str | None) -> list[etree._Element]:
        return [each for each in self.flows if each.get("targetRef") == node]

    def outgoing(self, node: str | None) -> list[etree._Element]:
        return [each for each in self.flows if each.get("sourceRef") == node]

    def remove(self, element: etree._Element) -> None:
        """Take an element out with all that stands in it, is attached to it, or leads to or from it."""
        gone = {str(each.get("id")) for each in element.iter() if each.get("id")}
        drop(element)
        for each in [*self.nodes, *self.flows]:
            if each.get("attachedToRef") in gone:
                self.remove(each)
            elif local(each) == "sequenceFlow" and gone & {each.get("sourceRef"), each.get("targetRef")}:
                drop(each)

    def sound(self) -> None:
        """Mend what the change left behind: what nothing leads to any more, gateways without a choice, references."""
        while self._unreached() or self._idle():
            pass
        self._references()

    def _unreached(self) -> bool:
        reached = {str(each.get("id")) for each in self.nodes if self._begins(each)}
        waiting = list(reached)
        hosts: dict[str, list[str]] = {}
        for each in self.nodes:
            if each.get("attachedToRef"):
                hosts.setdefault(str(each.get("attachedToRef")), []).append(str(each.get("id")))
        leads: dict[str, list[str]] = {}
        for each in self.flows:
            leads.setdefault(str(each.get("sourceRef")), []).append(str(each.get("targetRef")))
        while waiting:
            here = waiting.pop()
            for there in (*leads.get(here, ()), *hosts.get(here, ())):
                if there not in reached:
                    reached.add(there)
                    waiting.append(there)
        lost = [each for each in self.nodes if each.get("id") not in reached]
        for each in lost:
            if each.getparent() is not None:
                self.remove(each)
        return bool(lost)

    def _begins(self, node: etree._Element) -> bool:
        """Whether a node never needed a flow: a start, an event sub-process, a handler of compensation, a link."""
        return not node.get("attachedToRef") and node.get("id") not in self.led

    def _idle(self) -> bool:
        """Join the flows at a gateway that neither parts nor joins any more; a lone flow has no condition."""
        for node in self.nodes:
            out = self.outgoing(node.get("id"))
            if len(out) == 1 and local(node) in GATEWAYS:
                for each in out[0].findall(f"{{{BPMN}}}conditionExpression"):
                    out[0].remove(each)
                node.attrib.pop("default", None)
                if len(self.incoming(node.get("id"))) == 1:
                    self.join(node, out[0])
                    return True
            if node.get("default") and node.get("default") not in {each.get("id") for each in out}:
                node.attrib.pop("default")
                for each in out[-1:]:  # the last way that is left
                    node.set("default", str(each.get("id")))
                    for condition in each.findall(f"{{{BPMN}}}conditionExpression"):
                        each.remove(condition)
        return False

    def join(self, node: etree._Element, way: etree._Element) -> None:
        """Lead what led to the node where the way leads, and take the node out."""
        target = str(way.get("targetRef"))
        if target == node.get("id"):
            raise NotBypassedError("the way leads back to the element itself")
        for each in self.incoming(node.get("id")):
            each.set("targetRef", target)
        for each in self.outgoing(node.get("id")):
            drop(each)
        self.remove(node)

    def _references(self) -> None:
        """Forget what is gone: in lanes, the drawing, associations, and properties that name elements."""
        known = {str(each.get("id")) for each in self.root.iter(f"{{{BPMN}}}*") if each.get("id")}
        lost = self.before - known
        for each in list(self.root.iter("{*}*")):
            name, text = local(each), (each.text or "").strip()
            refs = {each.get(key) for key in ("bpmnElement", "sourceRef", "targetRef", "attachedToRef")}
            if name == "flowNodeRef" and text in lost:
                drop(each)
            elif name in ("incoming", "outgoing"):
                end = {"incoming": "targetRef", "outgoing": "sourceRef"}[name]
                flow = next((one for one in self.flows if one.get("id") == text), None)
                if flow is None or flow.get(end) != each.getparent().get("id"):
                    drop(each)
            elif refs & lost and each.getparent() is not None:
                drop(each)
        for each in list(self.root.iter(f"{{{CAMUNDA}}}property")):
            _forget(each, lost)
        self._undated(lost)

    def _undated(self, lost: frozenset[str]) -> None:
        """Count what counted from a date of an element that is gone from that one's own anchor; else from nothing."""
        anchors = {name: _anchor(due) for name, due in self.dues.items() if name in lost}
        undated = set(lost)
        while undated:
            missing, undated = undated, set()
            for each in self._dated():
                text = str(each.get("value") or each.text)
                for gone in missing & set(_OF_ELEMENT.findall(text)):
                    anchor = anchors.get(gone, "")
                    text = re.sub(rf"\w+\({gone}\)", anchor, text) if anchor else ""
                if not text and each.get("name"):
                    undated.add(_without_due(each))
                elif not text:
                    each.tag, each.text = f"{{{BPMN}}}timeDuration", "PT0S"
                elif each.get("name"):
                    each.set("value", text)
                else:
                    each.text = text

    def _dated(self) -> list[etree._Element]:
        """The due dates of elements, and the times of timers."""
        found = [each for each in self.root.iter(f"{{{CAMUNDA}}}property") if each.get("name") == "flow.due"]
        return [*found, *self.root.iter(f"{{{BPMN}}}timeDate")]


_OF_ELEMENT = re.compile(r"\b(?:planned|actual)\((\w+)\)")
_ANCHOR = re.compile(
    r"\b(?:after|before|from|counted|of)\s+((?:planned|actual)\(\w+\)|(?!next\b|this\b|previous\b)[a-z]\w*)\s*(?:,|$)"
)


def _anchor(due: str) -> str:
    found = _ANCHOR.search(due)
    return found[1] if found else ""


def _without_due(entry: etree._Element) -> str:
    """Take a due date away, with what reminds of it. Returns whose it was."""
    holder = entry.getparent()
    for each in list(holder):
        if each.get("name") in TIMED:
            holder.remove(each)
    return str(next(each for each in holder.iterancestors() if each.get("id")).get("id"))


def _forget(entry: etree._Element, lost: frozenset[str]) -> None:
    """Take what is gone out of a property that names elements."""
    if entry.get("name") not in NAMING:
        return
    value = str(entry.get("value", ""))
    if entry.get("name") == "flow.in":
        kept = re.sub(r"""(["'])(.*?)\1""", lambda found: found[1] + _kept(found[2], lost) + found[1], value)
    else:
        kept = _kept(value, lost)
    if kept.strip():
        entry.set("value", kept)
    else:
        drop(entry)


def _kept(listed: str, lost: frozenset[str]) -> str:
    """A list with commas without what is gone."""
    parts = listed.split(",")
    kept = [each for each in parts if each.strip() not in lost]
    return listed if len(kept) == len(parts) else ",".join(kept).strip()


def drop(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def opened(xml: bytes) -> Drawing:
    """The diagram, to be changed."""
    root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
    before = frozenset(str(each.get("id")) for each in root.iter(f"{{{BPMN}}}*") if each.get("id"))
    led = frozenset(str(each.get("targetRef")) for each in root.iter(f"{{{BPMN}}}sequenceFlow"))
    return Drawing(root, before, led)


def bypassed(xml: bytes, identity: str) -> Iterator[tuple[str, Drawing]]:
    """The diagram with an element bypassed: of a choice, once for every way out, taken always.

    A node is taken out and its ways joined; a boundary event is taken out with what follows it; an event at the
    beginning or the end loses what makes it an event, or is taken out where there is another; a flow is taken
    out; a lane's work is given to another lane; a process loses its promise.
    Raises NotBypassedError where none of this leaves a diagram.
    """
    drawing = opened(xml)
    element = drawing.find(identity)
    kind = local(element)
    out = drawing.outgoing(identity)
    if kind == "sequenceFlow":
        yield f"without {identity}", _without_flow(drawing, element)
    elif kind == "lane":
        yield from _given_away(drawing, element)
    elif kind == "process":
        yield f"{identity} promises nothing", _unpromised(drawing, element)
    elif kind == "boundaryEvent":
        drawing.remove(element)
        yield f"without {identity}", drawing
    elif kind in ("startEvent", "endEvent"):
        yield _bare(drawing, element)
    elif kind not in NODES:
        raise NotBypassedError(f"{identity} is a {kind}")
    elif not out:
        raise NotBypassedError(f"nothing follows {identity}")
    else:
        for way in [str(each.get("id")) for each in out]:
            each = copy_of(drawing)
            each.join(each.find(identity), each.find(way))
            yield (f"without {identity}" if len(out) == 1 else f"always {way}"), each


def copy_of(drawing: Drawing) -> Drawing:
    """The same diagram again."""
    return Drawing(copy.deepcopy(drawing.root), drawing.before, drawing.led)


def _without_flow(drawing: Drawing, flow: etree._Element) -> Drawing:
    if len(drawing.outgoing(flow.get("sourceRef"))) == 1:
        raise NotBypassedError(f"{flow.get('id')} is the only way on")
    drop(flow)
    return drawing


def _given_away(drawing: Drawing, lane: etree._Element) -> Iterator[tuple[str, Drawing]]:
    others = [each for each in lane.getparent() if local(each) == "lane" and each is not lane]
    if not others:
        raise NotBypassedError(f"{lane.get('id')} is the only lane")
    for each in lane.findall(f"{{{BPMN}}}flowNodeRef"):
        others[0].append(each)
    yield f"{lane.get('id')} left to {others[0].get('id')}", drawing


def _unpromised(drawing: Drawing, process: etree._Element) -> Drawing:
    found = process.findall(f"{{{BPMN}}}extensionElements")
    if not any(list(each.iter(f"{{{CAMUNDA}}}property")) for each in found):
        raise NotBypassedError(f"{process.get('id')} promises nothing")
    for each in found:
        process.remove(each)
    return drawing


def _bare(drawing: Drawing, event: etree._Element) -> tuple[str, Drawing]:
    """A start or an end without what makes it special, or without the event where there is another."""
    identity = str(event.get("id"))
    scope = event.getparent()
    same = [each for each in scope if local(each) == local(event) and each is not event]
    special = [each for each in event if local(each).endswith("EventDefinition")]
    if local(event) == "startEvent" and same:
        drawing.remove(event)
        return f"without {identity}", drawing
    if special and scope.get("triggeredByEvent") != "true":
        for each in special:
            event.remove(each)
        return f"{identity} is a plain one", drawing
    if scope.get("triggeredByEvent") == "true":
        drawing.remove(scope)
        return f"without {scope.get('id')}", drawing
    before = drawing.incoming(identity)
    if before and all(len(drawing.outgoing(each.get("sourceRef"))) > 1 for each in before) and same:
        drawing.remove(event)
        return f"without {identity}", drawing
    raise NotBypassedError(f"{identity} is the only {local(event)}, and a plain one")
