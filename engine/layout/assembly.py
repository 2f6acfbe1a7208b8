"""One drawing area put on a grid: its elements sized and placed, its edges routed.

The area is the whole diagram with its pools and lanes, or the content of one sub-process, which is drawn
first and then stands in the area around it like a large task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.layout import lettering
from engine.layout.placement import Link, Node, place
from engine.layout.reading import (
    ARTIFACTS,
    DATA,
    EVENTS,
    GATEWAYS,
    Element,
    Flow,
    Pool,
    Scope,
)
from engine.layout.routing import EAST, NORTH, SOUTH, WEST, End, Frame, Port, Route, Router, Wire
from engine.layout.tracks import Channel, assign

EVENT = 36
_GATEWAY = 50
_DATA = (36, 50)
_TASK = (100, 80)
_TASK_WIDTHS = (100, 120, 140, 160)
_TASK_LINES = 2
_BOUNDARY_PITCH = 52
_MESSAGE_ASIDE = 10
_PITCH = 160
"""About the pixels from one column to the next where tasks stand in both."""


@dataclass(frozen=True, slots=True)
class Part:
    """A flow as far as it lies in one area; an end of None is the top border of a sub-process."""

    flow: Flow
    source: str | None
    target: str | None


@dataclass(slots=True)
class Box:
    """An element with its size, its cell, the events on its border (pixels off its middle) and its ports.

    One much wider than a task reaches over `before` columns ahead of its own, and over `after` behind it.
    """

    element: Element
    width: int
    height: int
    column: int = 0
    row: int = 0
    guests: dict[str, int] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    """Flows that go on inside this sub-process: where they meet its top border, in pixels off the middle."""
    before: int = 0
    after: int = 0

    @property
    def first(self) -> int:
        """The first column it reaches over."""
        return self.column - self.before

    @property
    def last(self) -> int:
        """The last one."""
        return self.column + self.after


@dataclass(frozen=True, slots=True)
class Band:
    """One lane's rows (or a whole pool's, or a black box's single row: `wall`)."""

    pool: int
    lane: str
    first: int
    last: int
    wall: bool = False


@dataclass(slots=True)
class Area:
    """Everything known before coordinates: boxes in cells, bands of rows, routes and channels."""

    boxes: dict[str, Box]
    bands: list[Band]
    columns: int
    rows: int
    parts: list[Part]
    guest_names: dict[str, str] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)
    channels: dict[Channel, int] = field(default_factory=dict)

    def drawn(self, key: str) -> bool:
        """Whether a flow's end is an element of this area (and no pool)."""
        return key in self.boxes or key in self.guest_names

    def box(self, element: str) -> Box:
        """The box of an element, or of the activity it sits on."""
        found = self.boxes.get(element)
        return found or next(box for box in self.boxes.values() if element in box.guests)


def size(element: Element) -> tuple[int, int]:
    """Width and height of a shape in pixels, large enough for the label it holds."""
    if element.kind in EVENTS:
        return EVENT, EVENT
    if element.kind in GATEWAYS:
        return _GATEWAY, _GATEWAY
    if element.kind in DATA:
        return _DATA
    if element.kind == "textAnnotation":
        text = lettering.block(element.name, 140)
        return max(text.width, 60) + 20, max(text.height, 24) + 10
    for width in _TASK_WIDTHS:
        lines = len(lettering.wrap(element.name, width - 14))
        if lines <= _TASK_LINES:
            return width, _TASK[1]
    return width, lines * lettering.LINE + 48


def assemble(
    pools: list[Pool], parts: list[Part], inner: Mapping[str, tuple[int, int, Mapping[str, int]]]
) -> Area:
    """The area of `pools`; `inner` gives each expanded sub-process's size and the ports on its top border."""
    boxes: dict[str, Box] = {}
    area = Area(boxes, [], 0, 0, parts)
    for pool in pools:
        for element in pool.scope.elements.values() if pool.scope else ():
            if element.kind == "boundaryEvent":
                area.guest_names[element.id] = element.name
            else:
                width, height, ports = inner.get(element.id) or (*size(element), {})
                boxes[element.id] = Box(element, width, height, ports=ports)
        if pool.scope:
            _seat_guests(pool.scope, boxes)
    _place(area, pools)
    _route(area, pools)
    return area


def _seat_guests(scope: Scope, boxes: dict[str, Box]) -> None:
    """Spread boundary events along the bottom of their host, never in its middle, where edges may pass."""
    for element in scope.elements.values():
        if element.kind == "boundaryEvent":
            boxes[element.host].guests[element.id] = 0
    for box in boxes.values():
        if not box.guests.keys() <= scope.elements.keys():
            continue
        # Labels of an event and of the flows that leave it stand below each other.
        names = [
            [scope.elements[guest].name, *(flow.name for flow in scope.flows if flow.source == guest)]
            for guest in box.guests
        ]
        if len(names) == 1:
            box.guests = dict.fromkeys(box.guests, 26)
        elif len(names) == 2:
            box.guests = dict(zip(box.guests, (-26, 26), strict=True))
        elif names:
            pitch = [
                _BOUNDARY_PITCH + max(lettering.block(name, 70).width for name in each) for each in names
            ]
            place = -(sum(pitch) // 2) + EVENT // 2
            for guest, step in zip(box.guests, pitch, strict=True):
                box.guests[guest] = place + (28 if abs(place) < 14 else 0)
                place = box.guests[guest] + step
            box.width = max(box.width, 2 * max(abs(shift) + EVENT for shift in box.guests.values()))


def _place(area: Area, pools: list[Pool]) -> None:
    lanes: list[tuple[int, str]] = []
    band_of: dict[str, int] = {}
    for number, pool in enumerate(pools):
        leaves = [leaf for lane in pool.lanes for leaf in lane.leaves()]
        for element in pool.scope.elements if pool.scope else ():
            at = next((index for index, leaf in enumerate(leaves) if element in leaf.members), None)
            if at is not None or not leaves:
                band_of[element] = len(lanes) + (at or 0)
        lanes += [(number, leaf.id) for leaf in leaves] or [(number, "")]
    _adopt(pools, band_of, lanes)
    _widen(area)
    links = _links(area, pools)
    anchors = {key: _anchor(area, key) for key, box in area.boxes.items() if box.element.kind in ARTIFACTS}
    nodes = []
    for key, box in area.boxes.items():
        anchor = anchors.get(key, "")
        band = band_of[anchor or key]
        kind = box.element.kind
        alone = box.element.alone or (kind in ARTIFACTS and not anchor)
        wide = box.before + 1 + box.after
        nodes.append(Node(key, band, kind in GATEWAYS, kind == "startEvent", alone, anchor, wide))
    places = place(nodes, links, len(lanes))
    row = 0
    for index, (number, lane) in enumerate(lanes):
        row += bool(index) and lanes[index - 1][0] != number  # an empty row keeps pools apart
        area.bands.append(Band(number, lane, row, row + places.rows[index] - 1, pools[number].scope is None))
        row += places.rows[index]
    area.rows = row
    for node in nodes:
        box = area.boxes[node.id]
        box.column = places.column[node.id] + box.before
        box.row = area.bands[node.band].first + places.row[node.id]
    area.columns = max((box.last for box in area.boxes.values()), default=0) + 1


def _widen(area: Area) -> None:
    """Let wide sub-processes reach over several columns, so that other lanes go on beside them.

    Not where an edge meets the top or bottom off the middle: that place would lie in another column.
    """
    for box in area.boxes.values():
        if not box.guests and not box.ports:
            more = max(box.width // _PITCH - 1, 0)
            box.before, box.after = more // 2, more - more // 2


def _adopt(pools: list[Pool], band_of: dict[str, int], lanes: list[tuple[int, str]]) -> None:
    """An element no lane names goes where what flows into it is (or out of it), else to the first lane."""
    for number, pool in enumerate(pools):
        flows = pool.scope.flows if pool.scope else []
        lost = [key for key in (pool.scope.elements if pool.scope else ()) if key not in band_of]
        while lost:
            for key in lost:
                host = pool.scope.elements[key].host if pool.scope else ""
                near = [host, *(flow.source for flow in flows if flow.target == key)]
                near += [flow.target for flow in flows if flow.source == key]
                found = next((band_of[other] for other in near if other in band_of), None)
                if found is not None:
                    band_of[key] = found
            left = [key for key in lost if key not in band_of]
            if len(left) == len(lost):
                band_of[left[0]] = next(index for index, (owner, _) in enumerate(lanes) if owner == number)
                left = left[1:]
            lost = left


def _links(area: Area, pools: list[Pool]) -> list[Link]:
    """The flows that decide the columns, in the order branches are tried; messages pull but do not push."""
    links = []
    for pool in pools:
        if pool.scope is None:
            continue
        rank = {
            flow: number
            for element in pool.scope.elements.values()
            for number, flow in enumerate(element.outgoing)
        }
        sequence = [flow for flow in pool.scope.flows if flow.kind == "sequence"]
        for flow in sorted(sequence, key=lambda flow: rank.get(flow.id, len(rank))):
            corner = flow.source not in area.boxes
            source = area.box(flow.source)
            links.append(Link(source.element.id, flow.target, source.before + 1 + source.after, corner))
    for part in area.parts:
        if part.flow.kind == "message" and part.source and part.target:
            known = [end for end in (part.source, part.target) if area.drawn(end)]
            if len(known) == 2:
                one, other = (area.box(end).element.id for end in known)
                links.append(Link(one, other, span=0))
    return links


def _anchor(area: Area, artifact: str) -> str:
    """The activity an artifact stands beside: the one that produces it, else the first it is joined to."""
    ends = [
        (part.target == artifact, part.source if part.target == artifact else part.target)
        for part in area.parts
        if artifact in (part.source, part.target)
    ]
    for _, end in sorted(ends, key=lambda end: not end[0]):
        if end is not None and area.drawn(end) and area.box(end).element.kind not in ARTIFACTS:
            return area.box(end).element.id
    return ""


def _route(area: Area, pools: list[Pool]) -> None:
    walls = {band.first for band in area.bands if band.wall}
    cells = {
        (line, 2 * box.row + 1)
        for box in area.boxes.values()
        for line in range(2 * box.first + 1, 2 * box.last + 2)
    }
    router = Router(area.columns, area.rows, cells, walls)
    wires = [_wire(area, pools, part) for part in area.parts]
    for wire in sorted(wires, key=_urgency):
        area.routes[wire.id] = router.route(wire)
    area.channels = assign(list(area.routes.values()))


def _urgency(wire: Wire) -> tuple[int, int, int]:
    """Straight edges are routed first, then short ones; loops back and all that is dashed give way."""
    group = ("sequence", "message", "association").index(wire.group)
    if not (isinstance(wire.source, Port) and isinstance(wire.target, Port)):
        return group, 2, 0
    across = wire.target.column - wire.target.before - wire.source.column - wire.source.after
    down = abs(wire.target.row - wire.source.row)
    if wire.group == "association":
        return group, 0, abs(across) + down
    return group, 2 if across <= 0 else 1 if down or wire.source.shift is not None else 0, abs(across) + down


def _wire(area: Area, pools: list[Pool], part: Part) -> Wire:
    group = part.flow.kind if part.flow.kind in ("sequence", "message") else "association"
    top, bottom = 0, 2 * area.rows
    if group != "message" and (part.source or part.target):
        row = area.box(part.source or part.target or "").row
        pool = next(band.pool for band in area.bands if band.first <= row <= band.last)
        own = [band for band in area.bands if band.pool == pool]
        top, bottom = 2 * own[0].first, 2 * own[-1].last + 2
    boxes = [area.box(key) for key in (part.source, part.target) if key and area.drawn(key)]
    back = len(boxes) == 2 and boxes[1].first <= boxes[0].last
    return Wire(
        part.flow.id,
        _end(area, pools, part, part.source, back, True),
        _end(area, pools, part, part.target, back, False),
        group,
        top,
        bottom,
    )


def _end(area: Area, pools: list[Pool], part: Part, key: str | None, back: bool, out: bool) -> End:
    if key is None:
        return Frame(((0, NORTH),))
    if not area.drawn(key):
        number = next(index for index, pool in enumerate(pools) if pool.id == key)
        own = [band for band in area.bands if band.pool == number]
        # A black box is met from the channels around its row, an open pool from the empty row beside it.
        reach = 0 if own[0].wall else -1
        goals = []
        if number > 0:
            goals.append((2 * own[0].first + reach, SOUTH))
        if number < len(pools) - 1:
            goals.append((2 * own[-1].last + 2 - reach, NORTH))
        return Frame(tuple(goals))
    box = area.box(key)
    if key in box.guests:
        # Messages meet the event beside the middle, where its sequence flow leaves.
        aside = (_MESSAGE_ASIDE if out else -_MESSAGE_ASIDE) * (part.flow.kind != "sequence")
        return Port(key, box.column, box.row, {SOUTH: 0}, box.guests[key] + aside, 10)
    if part.flow.id in box.ports:
        # Each goes on to another element inside, so none shares its way with another.
        name = f"{key}/{part.flow.id}"
        return Port(name, box.column, box.row, {NORTH: 0}, box.ports[part.flow.id])
    gateway = box.element.kind in GATEWAYS
    sides = _sides(part.flow.kind, gateway, back, out)
    if gateway and not out and sum(other.source == key for other in area.parts) > 1:
        # Where the flow divides, top and bottom are wanted for the branches.
        sides = {side: price + (0 if side == WEST else 100) for side, price in sides.items()}
    if box.guests:
        del sides[SOUTH]
    crowd = (150 if part.flow.name else 60) if gateway else 10
    return Port(key, box.column, box.row, sides, None, crowd, box.before, box.after)


def _sides(kind: str, gateway: bool, back: bool, out: bool) -> dict[int, int]:
    """The sides an edge may meet, with what each costs: flow runs in at the left and out at the right."""
    if kind == "message":
        return {NORTH: 0, SOUTH: 0, EAST if out else WEST: 300}
    if kind != "sequence":
        return {NORTH: 0, SOUTH: 0, EAST: 80, WEST: 80}
    if gateway and not back:
        return {EAST: 0, SOUTH: 0, NORTH: 10} if out else {WEST: 0, SOUTH: 0, NORTH: 10}
    if back:
        return {NORTH: 0, SOUTH: 10, EAST: 60} if out else {NORTH: 0, SOUTH: 20, WEST: 40}
    return {EAST: 0, NORTH: 160, SOUTH: 150} if out else {WEST: 0, NORTH: 140, SOUTH: 140}


def parts_of(pools: list[Pool], messages: list[Flow]) -> dict[str, list[Part]]:
    """Every flow split by the areas it lies in: keyed by sub-process id, or empty for the outermost area."""
    path: dict[str, tuple[str, ...]] = {pool.id: () for pool in pools}
    flows = list(messages)
    pending: list[tuple[tuple[str, ...], Scope]] = [((), pool.scope) for pool in pools if pool.scope]
    while pending:
        above, scope = pending.pop(0)
        flows += scope.flows
        for element in scope.elements.values():
            path[element.id] = above
            if element.inside is not None:
                pending.append(((*above, element.id), element.inside))
    parts: dict[str, list[Part]] = {"": []}
    for flow in flows:
        source, target = (*path[flow.source], flow.source), (*path[flow.target], flow.target)
        shared = 0
        while shared < min(len(source), len(target)) - 1 and source[shared] == target[shared]:
            shared += 1
        area = source[shared - 1] if shared else ""
        parts.setdefault(area, []).append(Part(flow, source[shared], target[shared]))
        for depth in range(shared, len(source) - 1):
            parts.setdefault(source[depth], []).append(Part(flow, source[depth + 1], None))
        for depth in range(shared, len(target) - 1):
            parts.setdefault(target[depth], []).append(Part(flow, None, target[depth + 1]))
    return parts
