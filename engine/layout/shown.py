"""A drawing as it stands in a file: shapes, lines and labels of each plane, in pixels."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from engine.errors import Finding, Misbuilt
from engine.layout.reading import BPMNDI, DC, DI

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Bounds:
    """A box: left, top, width, height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2

    def shrunk(self, across: float, down: float) -> Bounds:
        """The box without a margin on each side (a negative margin widens it)."""
        return Bounds(self.x + across, self.y + down, self.width - 2 * across, self.height - 2 * down)

    def overlaps(self, other: Bounds, slack: float = 0) -> bool:
        """Whether the boxes have more than `slack` pixels in common in both directions."""
        across = min(self.right, other.right) - max(self.x, other.x)
        down = min(self.bottom, other.bottom) - max(self.y, other.y)
        return across > slack and down > slack

    def holds(self, other: Bounds, slack: float = 0) -> bool:
        """Whether `other` lies inside, give or take `slack` pixels."""
        return (
            self.x - slack <= other.x
            and other.right <= self.right + slack
            and self.y - slack <= other.y
            and other.bottom <= self.bottom + slack
        )


@dataclass(slots=True)
class Plane:
    """One page of a drawing."""

    element: str
    shapes: dict[str, Bounds] = field(default_factory=dict)
    lines: dict[str, list[Point]] = field(default_factory=dict)
    labels: dict[str, Bounds] = field(default_factory=dict)
    folded: set[str] = field(default_factory=set)
    """Shapes that hide their content (`isExpanded` false)."""
    upright: set[str] = field(default_factory=set)
    """Pools and lanes that run from top to bottom (`isHorizontal` false)."""


def planes(root: etree._Element) -> list[Plane]:
    """The planes of a parsed BPMN file. Raises Misbuilt for a shape without bounds or an edge without points."""
    found = []
    for item in root.findall(f"{{{BPMNDI}}}BPMNDiagram/{{{BPMNDI}}}BPMNPlane"):
        plane = Plane(_element(item))
        for shape in item.findall(f"{{{BPMNDI}}}BPMNShape"):
            key = _element(shape)
            plane.shapes[key] = _bounds(shape, key)
            if shape.get("isExpanded") == "false":
                plane.folded.add(key)
            if shape.get("isHorizontal") == "false":
                plane.upright.add(key)
            _label(plane, shape, key)
        for edge in item.findall(f"{{{BPMNDI}}}BPMNEdge"):
            key = _element(edge)
            plane.lines[key] = [
                (_number(point, "x", key), _number(point, "y", key))
                for point in edge.findall(f"{{{DI}}}waypoint")
            ]
            if len(plane.lines[key]) < 2:
                raise _misdrawn(key)
            _label(plane, edge, key)
        found.append(plane)
    return found


def _label(plane: Plane, item: etree._Element, key: str) -> None:
    label = item.find(f"{{{BPMNDI}}}BPMNLabel")
    if label is not None and label.find(f"{{{DC}}}Bounds") is not None:
        plane.labels[key] = _bounds(label, key)


def _bounds(item: etree._Element, key: str) -> Bounds:
    bounds = item.find(f"{{{DC}}}Bounds")
    if bounds is None:
        raise _misdrawn(key)
    x, y, width, height = (_number(bounds, name, key) for name in ("x", "y", "width", "height"))
    return Bounds(x, y, width, height)


def _number(item: etree._Element, name: str, key: str) -> float:
    try:
        return float(item.get(name, ""))
    except ValueError:
        raise _misdrawn(key) from None


def _element(item: etree._Element) -> str:
    return str(item.get("bpmnElement", "")).rpartition(":")[2]


def _misdrawn(key: str) -> Misbuilt:
    reason, remedy = "Its drawing has no valid coordinates", "Draw the diagram afresh with `--redraw`."
    return Misbuilt([Finding("incomplete", "", key, reason, remedy)])
