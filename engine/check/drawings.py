"""The drawing of a diagram: whether a BPMN editor can open it (BPMN 2.0.2, clause 12 and BPMNDI.xsd).

A drawing changes nothing about a run. What is wrong with it is `incomplete`, and a new one puts it right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice

from lxml import etree

from engine.bpmn.xml import BPMN, BPMNDI
from engine.errors import Finding

MOST = 50
"""Faults of a drawing that are told."""
_DC, _DI = "http://www.omg.org/spec/DD/20100524/DC", "http://www.omg.org/spec/DD/20100524/DI"
_KNOWN = {
    BPMNDI: ("BPMNDiagram", "BPMNPlane", "BPMNShape", "BPMNEdge", "BPMNLabel", "BPMNLabelStyle"),
    _DC: ("Bounds", "Font"),
    _DI: ("waypoint", "extension"),
}
_REMEDY = "Draw it anew: `flow procedure layout --redraw`, or a BPMN editor"


def sound(root: etree._Element) -> Iterator[Finding]:
    """What keeps an editor from showing the drawing as it is meant; of very many faults the first."""
    yield from islice(_faults(root), MOST)


def _faults(root: etree._Element) -> Iterator[Finding]:
    taken = {each.get("id") for each in root.iter(f"{{{BPMN}}}*")} - {None}
    seen: set[str] = set()
    for drawing in root.findall(f"{{{BPMNDI}}}BPMNDiagram"):
        for element in drawing.iter("{*}*"):
            identity, name = element.get("id"), etree.QName(element)
            if identity is not None and identity in taken:
                template = "The drawing has the id {id}, which an element of the diagram has"
                yield _fault("error", element, template, id=identity[:60])
            elif identity is not None and identity in seen:
                yield _fault(
                    "incomplete", element, "The id {id} stands twice in the drawing", id=identity[:60]
                )
            seen.add(identity or "")
            if name.namespace in _KNOWN and name.localname not in _KNOWN[name.namespace]:
                yield _fault("incomplete", element, "The drawing knows no {tag}", tag=name.localname)
            elif name.text == f"{{{BPMNDI}}}BPMNShape" and not _bounded(element):
                yield _fault("incomplete", element, "The shape has no place in the drawing")
            elif name.text == f"{{{BPMNDI}}}BPMNEdge" and not _led(element):
                yield _fault("incomplete", element, "The line in the drawing has fewer than two points")


def _bounded(shape: etree._Element) -> bool:
    bounds = shape.find(f"{{{_DC}}}Bounds")
    return bounds is not None and all(_number(bounds.get(name)) for name in ("x", "y", "width", "height"))


def _led(edge: etree._Element) -> bool:
    points = edge.findall(f"{{{_DI}}}waypoint")
    return len(points) > 1 and all(_number(each.get(name)) for each in points for name in ("x", "y"))


def _number(text: str | None) -> bool:
    try:
        return math.isfinite(float(text or ""))
    except ValueError:
        return False


def _fault(level: str, element: etree._Element, template: str, **params: object) -> Finding:
    """A fault at what is drawn; where that is not known, at its line."""
    drawn = next(
        (each.get("bpmnElement") for each in (element, *element.iterancestors()) if each.get("bpmnElement")),
        None,
    )
    return Finding(
        level, "", str(drawn or f"line {element.sourceline}"), template, _REMEDY, params, element.sourceline
    )
