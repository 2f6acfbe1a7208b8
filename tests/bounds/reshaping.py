"""The same diagram written otherwise: in another order, under other ids, drawn elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

from lxml import etree

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
NODES = re.compile(r".*(Task|Event|Gateway|[sS]ubProcess|Activity|transaction|task)")
_REFERRING = ("id", "sourceRef", "targetRef", "default", "attachedToRef", "activityRef", "bpmnElement")
_NAMING = ("incoming", "outgoing", "flowNodeRef")
_IDS = (
    "Start",
    "End",
    "Root",
    "Task",
    "开始",
    "审批",
    "结束",
    "main_",
    "id",
    "data",
    "None",
    "self",
    "_1",
    "end",
)
"""Ids that the library underneath uses, those of another script, and what a program might take for its own."""


def _local(element: etree._Element) -> str:
    name = etree.QName(element)
    return name.localname if name.namespace == BPMN else ""


def _is_node(element: etree._Element) -> bool:
    name = _local(element)
    return bool(NODES.fullmatch(name)) and "global" not in name


def shuffled(xml: bytes, random: Random) -> bytes:
    """The elements of each process and sub-process in another order; flows out of one node keep theirs."""
    root = etree.fromstring(xml)
    for scope in [each for each in root.iter(f"{{{BPMN}}}*") if _local(each) in _SCOPES]:
        moved = [each for each in scope if _is_node(each) or _local(each) in ("sequenceFlow", "association")]
        after = list(moved)
        random.shuffle(after)
        for source in {each.get("sourceRef") for each in moved if _local(each) == "sequenceFlow"}:
            places = [place for place, each in enumerate(after) if _flow_of(each, source)]
            flows = [each for each in moved if _flow_of(each, source)]
            for place, flow in zip(places, flows, strict=True):
                after[place] = flow
        rest = [each for each in scope if each not in moved]
        scope[:] = [*rest, *after]
    return etree.tostring(root)


_SCOPES = ("process", "subProcess", "transaction", "adHocSubProcess")


def _flow_of(element: etree._Element, source: str | None) -> bool:
    return _local(element) == "sequenceFlow" and element.get("sourceRef") == source


def renamed(xml: bytes, random: Random) -> tuple[bytes, dict[str, str]]:
    """The nodes and flows under other ids. Returns also what each new id was before."""
    root = etree.fromstring(xml)
    old = [
        each.get("id", "")
        for each in root.iter(f"{{{BPMN}}}*")
        if _is_node(each) or _local(each) == "sequenceFlow"
    ]
    taken = {str(each.get("id")) for each in root.iter("*")} - set(old)
    fresh = [each for each in _IDS if each not in taken] + [f"节点-{n}.x" for n in range(len(old))]
    random.shuffle(fresh)
    new = dict(zip(old, fresh, strict=False))
    for each in root.iter("*"):
        for name in _REFERRING:
            if each.get(name) in new:
                each.set(name, new[each.get(name)])
        if _local(each) in _NAMING:
            each.text = new.get((each.text or "").strip(), each.text)
        elif each.text and each.text.strip():
            each.text = _told(each.text, new)
        if "value" in each.attrib:
            each.set("value", _told(each.get("value", ""), new))
            if each.get("name") in ("flow.not-same-as", "flow.due-until"):
                each.set(
                    "value",
                    ", ".join(new.get(part.strip(), part) for part in each.get("value", "").split(",")),
                )
    return etree.tostring(root), {after: before for before, after in new.items()}


def _told(text: str, new: Mapping[str, str]) -> str:
    return re.sub(r"\b(planned|actual)\((\w+)\)", lambda m: f"{m[1]}({new.get(m[2], m[2])})", text)


def moved(xml: bytes, random: Random) -> bytes:
    """Every shape and edge drawn somewhere else."""
    root = etree.fromstring(xml)
    for each in root.iter("{*}Bounds", "{*}waypoint"):
        for name in each.attrib:
            each.set(name, str(random.randint(0, 3000)))
    return etree.tostring(root)
