"""Drawings of BPMN diagrams: made where they are missing, judged, and shown as pictures.

draw(xml)             the file with a drawing: lanes as bands, left to right, orthogonal edges
geometry.faults(xml)  what is wrong with a drawing
picture.svg(xml)      the drawing as a picture
"""

from __future__ import annotations

from engine.errors import Finding, Misbuilt
from engine.layout.drawing import compose
from engine.layout.reading import BPMNDI, everything, parse, read
from engine.layout.writing import insert

__all__ = ["draw"]


def draw(xml: bytes, *, redraw: bool = False) -> bytes:
    """The BPMN file `xml` with a drawing (BPMN 2.0.2, clause 12, BPMN DI; coordinates are pixels).

    A complete drawing is left alone unless `redraw`; then the input itself comes back. The semantic part keeps
    every byte, in the encoding the file has, except that a `collaboration` with a participant for each process
    is added when the file has lanes or several processes but none, for tools show lanes inside a pool only. The
    outcome depends on the semantic part alone. Groups are not drawn.

    Raises Misbuilt when the file is not BPMN, has dangling references, or has a drawing that lacks some
    elements (unless `redraw`); the findings name them.
    """
    root = parse(xml)
    chart = read(root)
    drawn = {
        str(key).rpartition(":")[2] for key in root.xpath("//di:*/@bpmnElement", namespaces={"di": BPMNDI})
    }
    shapes = root.xpath("boolean(//di:BPMNShape | //di:BPMNEdge)", namespaces={"di": BPMNDI})
    if shapes and not redraw:
        missing = [key for key, _ in everything(chart) if key not in drawn]
        if not missing:
            return xml
        raise Misbuilt(
            Finding(
                "incomplete",
                "",
                key,
                "The drawing does not show this element",
                "Add it in a modeler, or draw the whole diagram afresh with `--redraw`.",
            )
            for key in missing
        )
    return insert(xml, root, chart, compose(chart))
