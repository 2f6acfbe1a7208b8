"""Where labels stand beside events, gateways, data and the first stretch of a flow, and the room cells need."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from engine.layout import lettering
from engine.layout.assembly import EVENT, Area, Part
from engine.layout.reading import DATA, EVENTS, GATEWAYS
from engine.layout.routing import EAST, NORTH, SOUTH, WEST

_GAP = 4
_ASIDE = 8
_ARROW = 14
_ROOM = 24
"""The least half-width and half-height of a cell, so that shifted edges stay inside it."""


@dataclass(frozen=True, slots=True)
class Rect:
    """A box in pixels: left, top, width, height."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    def moved(self, x: int, y: int) -> Rect:
        """The same box elsewhere."""
        return Rect(self.x + x, self.y + y, self.width, self.height)


@dataclass(slots=True)
class Extent:
    """How far a cell reaches from its middle."""

    left: int = _ROOM
    right: int = _ROOM
    up: int = _ROOM
    down: int = _ROOM

    def cover(self, rect: Rect, gap: int = 0) -> None:
        """Grow until `rect` (measured from the middle) lies inside."""
        self.left = max(self.left, gap - rect.x)
        self.right = max(self.right, rect.right + gap)
        self.up = max(self.up, gap - rect.y)
        self.down = max(self.down, rect.bottom + gap)

    def merge(self, other: Extent) -> None:
        """Grow to the larger of both."""
        self.left, self.right = max(self.left, other.left), max(self.right, other.right)
        self.up, self.down = max(self.up, other.up), max(self.down, other.down)


@dataclass(slots=True)
class Lettered:
    """The labels of one area, each measured from the middle of the cell it belongs to, and the cells' extents."""

    extents: dict[str, Extent]
    nodes: dict[str, Rect] = field(default_factory=dict)
    flows: dict[str, tuple[str, Rect]] = field(default_factory=dict)
    """By flow: the element whose cell holds the label, and the label's box."""


@dataclass(slots=True)
class _Desk:
    """The labels placed so far, and the stubs of edges they keep clear of."""

    area: Area
    result: Lettered
    stubs: dict[tuple[str, int], list[int]]
    """By element and side: how far off the middle edges meet it."""
    cells: dict[str, list[Rect]]

    def put(self, flow: str, cell: str, rect: Rect) -> None:
        """Place a flow's label."""
        self.result.flows[flow] = (cell, rect)
        self.result.extents[cell].cover(rect, _GAP)
        self.cells[cell].append(rect)


def letter(area: Area) -> Lettered:
    """Find a free place for every label of the area."""
    desk = _Desk(area, Lettered({key: Extent() for key in area.boxes}), defaultdict(list), defaultdict(list))
    leaving: dict[str, dict[int, list[Part]]] = defaultdict(lambda: defaultdict(list))
    for part in area.parts:
        route = area.routes[part.flow.id]
        if part.source:
            desk.stubs[part.source, route.leaves].append(route.runs[0].shift)
            if part.flow.name:
                leaving[part.source][route.leaves].append(part)
        if part.target:
            desk.stubs[part.target, route.arrives].append(route.runs[-1].shift)
            if part.flow.name and not area.drawn(part.source or ""):
                # From a black box or from outside: the name stands where the flow arrives.
                leaving[part.target][route.arrives].append(part)
    for key, box in area.boxes.items():
        desk.result.extents[key].cover(Rect(-box.width // 2, -box.height // 2, box.width, box.height))
        _flow_labels(desk, key, leaving[key])
        for guest in box.guests:
            _guest(desk, key, guest, [part for parts in leaving[guest].values() for part in parts])
    for key, box in area.boxes.items():
        if box.element.kind in EVENTS | GATEWAYS | DATA and box.element.name:
            rect = desk.result.nodes[key] = _beside(desk, key)
            desk.result.extents[key].cover(rect, _GAP)
    return desk.result


def _flow_labels(desk: _Desk, key: str, leaving: dict[int, list[Part]]) -> None:
    """Place the labels of the flows that leave `key`."""
    for side in (EAST, WEST, SOUTH, NORTH):
        # The straightest keeps its label here; others that share its way out are lettered at their target.
        parts = sorted(leaving.get(side, []), key=lambda part: len(desk.area.routes[part.flow.id].runs))
        for number, part in enumerate(parts):
            if number and _at_target(desk, part):
                continue
            rect = _at_side(desk, key, side, lettering.block(part.flow.name, 112), number)
            desk.put(part.flow.id, key, _clear(rect, desk.cells[key]))


def _at_side(desk: _Desk, key: str, side: int, text: lettering.Block, number: int) -> Rect:
    """A label on the first stretch: above or below a level one, right or left of an upright one, by turns."""
    box, stubs = desk.area.boxes[key], desk.stubs[key, side]
    if side in (EAST, WEST):
        x = box.width // 2 + _ASIDE if side == EAST else -box.width // 2 - _ASIDE - text.width
        y = max(stubs) + _GAP if number % 2 else min(stubs) - _GAP - text.height
    else:
        x = min(stubs) - _ASIDE - text.width if number % 2 else max(stubs) + _ASIDE
        y = box.height // 2 + _GAP if side == SOUTH else -box.height // 2 - _GAP - text.height
    return Rect(x, y, text.width, text.height)


def _at_target(desk: _Desk, part: Part) -> bool:
    """Put the label before the target when the flow's last stretch is its own; say whether that was possible."""
    route, target = desk.area.routes[part.flow.id], part.target
    if target not in desk.area.boxes or len(route.runs) < 2 or route.arrives != WEST:
        return False
    if len(desk.stubs[target, WEST]) > 1:
        return False
    text = lettering.block(part.flow.name, 112)
    x = -desk.area.boxes[target].width // 2 - _ARROW - text.width
    rect = Rect(x, route.runs[-1].shift - _GAP - text.height, text.width, text.height)
    if any(_overlap(rect, other) for other in desk.cells[target]):
        return False
    desk.put(part.flow.id, target, rect)
    return True


def _beside(desk: _Desk, key: str) -> Rect:
    """The label of an event, gateway or data object: below, else above, else above to the left."""
    box = desk.area.boxes[key]
    text = lettering.block(box.element.name, 112)
    half = box.height // 2
    above = desk.stubs.get((key, NORTH), [])
    x, y = -text.width // 2, half + _GAP
    if desk.stubs.get((key, SOUTH)):
        y = -half - _GAP - text.height
        if above:
            x, y = min(above) - _ASIDE - text.width, -half - text.height
    return _clear(Rect(x, y, text.width, text.height), desk.cells[key])


def _clear(rect: Rect, others: list[Rect]) -> Rect:
    """`rect` moved up or down, away from the middle, until it covers no other."""
    while any(_overlap(rect, other) for other in others):
        rect = rect.moved(0, 2 if rect.y > 0 else -2)
    return rect


def _guest(desk: _Desk, host: str, guest: str, leaving: list[Part]) -> None:
    """Labels at a boundary event: its own beside the stub below it, those of its flows further down."""
    box = desk.area.boxes[host]
    shift = box.guests[guest]
    extent = desk.result.extents[host]
    extent.cover(Rect(shift - EVENT // 2, box.height // 2 - EVENT // 2, EVENT, EVENT))
    name = desk.area.guest_names[guest]
    crowded = len(box.guests) > 2
    top = box.height // 2 + _GAP
    for text, flow in [(name, ""), *((part.flow.name, part.flow.id) for part in leaving)]:
        if not text:
            continue
        block = lettering.block(text, 70 if crowded else 98)
        left = shift < 0 and not crowded
        x = shift - EVENT // 2 - _GAP - block.width if left else shift + EVENT // 2 + _GAP
        rect = _clear(Rect(x, top, block.width, block.height), desk.cells[host])
        extent.cover(rect, _GAP)
        top = rect.bottom + _GAP
        if flow:
            desk.put(flow, host, rect)
        else:
            desk.result.nodes[guest] = rect
            desk.cells[host].append(rect)


def _overlap(one: Rect, other: Rect) -> bool:
    return one.x < other.right and other.x < one.right and one.y < other.bottom and other.y < one.bottom
