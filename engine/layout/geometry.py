"""What is wrong with a drawing: the faults a reader would see, each with the element it concerns.

The measures of text are those of the modelers' fonts at 11 to 12 px, so drawings made by hand pass when they
can be read. A pixel or two of difference is never a fault.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

from engine.errors import Finding
from engine.layout import lettering
from engine.layout.reading import (
    DATA,
    EVENTS,
    GATEWAYS,
    SCOPES,
    Chart,
    Element,
    Flow,
    Lane,
    Pool,
    everything,
    parse,
    read,
    scopes,
)
from engine.layout.shown import Bounds, Plane, Point, planes

_SLACK = 2.0
_WIDE, _NARROW, _LINE = 11.0, 5.5, 13.0
_MOVE = "Move it in a modeler, or draw the diagram afresh with `--redraw`."
_GROW = "Enlarge it in a modeler, or draw the diagram afresh with `--redraw`."
_ROUTE = "Route it anew in a modeler, or draw the diagram afresh with `--redraw`."


@dataclass(slots=True)
class _World:
    """What the checks ask of the semantic part."""

    chart: Chart
    elements: dict[str, Element]
    flows: dict[str, Flow]
    parent: dict[str, str]
    """The sub-process around an element or flow; empty at the top."""
    lane: dict[str, Lane]
    """The innermost lane of an element."""
    pool: dict[str, str]
    """The pool around an element."""

    def around(self, key: str) -> set[str]:
        """The sub-processes around an element, and itself."""
        found = {key}
        while key := self.parent.get(key, ""):
            found.add(key)
        return found


def faults(xml: bytes) -> list[Finding]:
    """The faults of the drawing in the BPMN file `xml`; none when everything is drawn and can be read.

    Looked for: elements without a shape, shapes that overlap or lie outside their lane, pool or sub-process,
    edges that are not orthogonal, miss their ends, pass through shapes, lie on each other or lead back without
    being a loop, and labels that are clipped or covered. Raises Misbuilt when the file is not readable BPMN.
    """
    root = parse(xml)
    world = _world(read(root))
    found = planes(root)
    drawn = {key for plane in found for key in (*plane.shapes, *plane.lines)}
    folded = {key for plane in found for key in plane.folded}
    findings = [
        _finding(
            key, "The drawing does not show this element", "Draw the diagram with `flow procedure layout`."
        )
        for key, _ in everything(world.chart)
        if key not in drawn and not world.around(key) & folded
    ]
    if world.chart.missing_collaboration:
        reason = "The lanes stand in no pool, so tools cannot show them"
        findings.append(_finding("", reason, "Add a collaboration with a participant for each process."))
    for plane in found:
        findings += _overlaps(plane, world)
        findings += _strays(plane, world)
        findings += _crooked(plane, world)
        findings += _collisions(plane, world)
        findings += _coincidences(plane, world)
        findings += _labels(plane, world)
        findings += _backwards(plane, world)
    return findings


def _world(chart: Chart) -> _World:
    world = _World(chart, {}, {flow.id: flow for flow in chart.messages}, {}, {}, {})
    for pool in chart.pools:
        for scope in scopes(pool.scope):
            inside = "" if scope is pool.scope else scope.id
            for element in scope.elements.values():
                world.elements[element.id] = element
                world.pool[element.id] = pool.id
                world.parent[element.id] = inside
            for flow in scope.flows:
                world.flows[flow.id] = flow
                world.parent[flow.id] = inside
        for lane in pool.lanes:
            for leaf in lane.leaves():
                world.lane.update(dict.fromkeys(leaf.members, leaf))
    return world


def _leaves(pool: Pool) -> list[Lane]:
    return [leaf for lane in pool.lanes for leaf in lane.leaves()]


def _overlaps(plane: Plane, world: _World) -> Iterator[Finding]:
    nodes = [(key, box) for key, box in plane.shapes.items() if key in world.elements]
    nodes.sort(key=lambda node: node[1].x)
    for number, (one, box) in enumerate(nodes):
        for other, next_box in nodes[number + 1 :]:
            if next_box.x >= box.right:
                break
            if not box.overlaps(next_box, _SLACK) or _belong(world, one, other):
                continue
            yield _finding(one, "It overlaps {other}", _MOVE, other=other)
    frames: list[list[str]] = [[pool.id for pool in world.chart.pools if pool.id]]
    frames += [[leaf.id for leaf in _leaves(pool)] for pool in world.chart.pools]
    for group in frames:
        for one, other in combinations([key for key in group if key in plane.shapes], 2):
            if plane.shapes[one].overlaps(plane.shapes[other], _SLACK):
                yield _finding(one, "It overlaps {other}", _MOVE, other=other)


def _belong(world: _World, one: str, other: str) -> bool:
    """Whether two shapes may overlap: content and its sub-process, an event and its host (or what surrounds it)."""
    for inner, outer in ((one, other), (other, one)):
        if outer in world.around(inner) or world.elements[inner].host == outer:
            return True
    return False


def _strays(plane: Plane, world: _World) -> Iterator[Finding]:
    """Shapes that lie outside what they belong to."""
    for key, box in plane.shapes.items():
        element = world.elements.get(key)
        if element is None:
            continue
        if element.host in plane.shapes:
            host = plane.shapes[element.host]
            x, y = box.middle
            near = host.shrunk(-_SLACK, -_SLACK), host.shrunk(10, 10)
            if not _inside(near[0], (x, y)) or _inside(near[1], (x, y)):
                yield _finding(key, "It does not sit on the border of {other}", _MOVE, other=element.host)
            continue
        lane = world.lane.get(key)
        homes = [world.parent[key], lane.id if lane else "", world.pool[key]]
        for home in homes:
            if home in plane.shapes and not plane.shapes[home].holds(box, _SLACK):
                yield _finding(key, "It lies outside {other}", _MOVE, other=home)
    for pool in world.chart.pools:
        for lane in _leaves(pool):
            both = plane.shapes.get(lane.id), plane.shapes.get(pool.id)
            if both[0] and both[1] and not both[1].holds(both[0], _SLACK):
                yield _finding(lane.id, "It lies outside {other}", _MOVE, other=pool.id)


def _crooked(plane: Plane, world: _World) -> Iterator[Finding]:
    """Edges that are not orthogonal or do not end at their shapes."""
    for key, line in plane.lines.items():
        flow = world.flows.get(key)
        if flow is None:
            continue
        slanted = any(min(abs(x - u), abs(y - v)) > _SLACK for (x, y), (u, v) in pairwise(line))
        if slanted and flow.kind in ("sequence", "message"):
            yield _finding(key, "It is not drawn with right angles", _ROUTE)
        for end, point in ((flow.source, line[0]), (flow.target, line[-1])):
            box = plane.shapes.get(end)
            if box and (
                not _inside(box.shrunk(-5, -5), point) or _inside(box.shrunk(*_core(box, end, world)), point)
            ):
                yield _finding(key, "It does not end at the outline of {other}", _ROUTE, other=end)


def _core(box: Bounds, key: str, world: _World) -> tuple[float, float]:
    """How much of a shape's border zone an edge may use: gateways and events are not rectangles."""
    kind = world.elements[key].kind if key in world.elements else ""
    share = 0.3 if kind in GATEWAYS | EVENTS else 0.0
    return max(5.0, box.width * share), max(5.0, box.height * share)


def _collisions(plane: Plane, world: _World) -> Iterator[Finding]:
    """Edges through shapes: their own ends too, when they come out on the other side."""
    walls = {pool.id for pool in world.chart.pools if pool.scope is None}
    solid = {key: box for key, box in plane.shapes.items() if key in world.elements or key in walls}
    for key, line in plane.lines.items():
        flow = world.flows.get(key)
        if flow is None:
            continue
        reach = _hull(line)
        homes = world.around(flow.source) | world.around(flow.target)
        hosts = {world.elements[end].host for end in (flow.source, flow.target) if end in world.elements}
        for other, box in solid.items():
            if not reach.overlaps(box, -_SLACK):
                continue
            if other in (flow.source, flow.target):
                inner = box.shrunk(*_core(box, other, world))
            elif other in homes and world.elements[other].kind in SCOPES and other not in plane.folded:
                continue
            elif other in hosts:
                # A boundary event's edge starts on its host's border, half inside the event.
                inner = box.shrunk(_SLACK, 20)
            else:
                inner = box.shrunk(_SLACK, _SLACK)
            if any(_crosses(inner, one, two) for one, two in pairwise(line)):
                yield _finding(key, "It runs through {other}", _ROUTE, other=other)


def _coincidences(plane: Plane, world: _World) -> Iterator[Finding]:
    """Edges that lie on each other although they have no end in common."""
    stretches: dict[tuple[bool, int], list[tuple[float, float, str]]] = defaultdict(list)
    for key, line in plane.lines.items():
        if key in world.flows:
            for (x, y), (u, v) in pairwise(line):
                if abs(y - v) < 1:
                    stretches[True, round(y)].append((min(x, u), max(x, u), key))
                elif abs(x - u) < 1:
                    stretches[False, round(x)].append((min(y, v), max(y, v), key))
    told: set[frozenset[str]] = set()
    for (across, place), here in sorted(stretches.items()):
        beside = here + stretches.get((across, place + 1), [])
        for (low, high, one), (start, end, other) in combinations(beside, 2):
            pair = frozenset((one, other))
            if len(pair) < 2 or pair in told or min(high, end) - max(low, start) <= _SLACK:
                continue
            if not _kin(world.flows[one], world.flows[other]):
                told.add(pair)
                yield _finding(one, "It is drawn on top of {other}", _ROUTE, other=other)


def _kin(one: Flow, other: Flow) -> bool:
    return one.source == other.source or one.target == other.target


def _labels(plane: Plane, world: _World) -> Iterator[Finding]:
    solid = [
        (key, box)
        for key, box in plane.shapes.items()
        if key in world.elements and (world.elements[key].kind not in SCOPES or key in plane.folded)
    ]
    for key, label in plane.labels.items():
        thing = world.elements.get(key) or world.flows.get(key)
        if thing is None or not thing.name:
            continue
        yield from _clipped(key, thing.name, label, _LINE * 0.5)
        for other, box in solid:
            inner = box.shrunk(6, 6) if world.elements[other].kind in GATEWAYS | EVENTS else box
            if label.overlaps(inner, _SLACK):
                yield _finding(key, "Its label covers {other}", _MOVE, other=other)
        for other, line in plane.lines.items():
            own = key in (other, *_ends(world, other))
            if other in world.flows and not own and _struck(label, line):
                yield _finding(key, "The edge {other} runs through its label", _MOVE, other=other)
        home = world.pool.get(key) or world.pool.get(_ends(world, key)[0], "")
        if home in plane.shapes and not plane.shapes[home].holds(label, _SLACK) and key in world.elements:
            yield _finding(key, "Its label lies outside {other}", _MOVE, other=home)
    for (one, box), (other, next_box) in combinations(plane.labels.items(), 2):
        if box.overlaps(next_box, _SLACK):
            yield _finding(one, "Its label overlaps the label of {other}", _MOVE, other=other)
    for key, box in solid:
        element = world.elements[key]
        if element.kind not in EVENTS | GATEWAYS | DATA and element.name:
            yield from _clipped(key, element.name, box.shrunk(5, 2), 0)
    for pool in world.chart.pools:
        yield from _frame_name(
            plane, pool.id, pool.name, level=pool.scope is None or pool.id in plane.upright
        )
        for lane in _leaves(pool):
            yield from _frame_name(plane, lane.id, lane.name, level=lane.id in plane.upright)


def _frame_name(plane: Plane, key: str, name: str, *, level: bool) -> Iterator[Finding]:
    box = plane.shapes.get(key)
    if box and lettering.width(name, wide=_WIDE, narrow=_NARROW) > (box.width if level else box.height):
        yield _finding(key, "Its name does not fit", _GROW)


def _clipped(key: str, text: str, box: Bounds, slack: float) -> Iterator[Finding]:
    lines = lettering.wrap(text, box.width + _SLACK, wide=_WIDE, narrow=_NARROW)
    if len(lines) * _LINE > box.height + slack + _SLACK:
        yield _finding(key, "Its label does not fit", _GROW)


def _struck(label: Bounds, line: list[Point]) -> bool:
    inner = label.shrunk(_SLACK, _SLACK)
    return any(_crosses(inner, one, two) for one, two in pairwise(line))


def _ends(world: _World, key: str) -> tuple[str, str]:
    return (world.flows[key].source, world.flows[key].target) if key in world.flows else ("", "")


def _backwards(plane: Plane, world: _World) -> Iterator[Finding]:
    """Sequence flows drawn from right to left that do not close a loop."""
    after: dict[str, set[str]] = defaultdict(set)
    for flow in world.flows.values():
        if flow.kind == "sequence":
            host = world.elements[flow.source].host
            after[flow.source].add(flow.target)
            after[host].add(flow.target)
    for key in sorted(plane.lines.keys() & world.flows.keys()):
        flow = world.flows[key]
        if flow.kind != "sequence" or not {flow.source, flow.target} <= plane.shapes.keys():
            continue
        source, target = plane.shapes[flow.source], plane.shapes[flow.target]
        if target.right < source.x and not _leads(
            after, flow.target, {flow.source, world.elements[flow.source].host}
        ):
            yield _finding(key, "It leads from right to left and is no loop back", _MOVE)


def _leads(after: dict[str, set[str]], start: str, goals: set[str]) -> bool:
    pending, seen = [start], {start}
    while pending:
        here = pending.pop()
        if here in goals - {""}:
            return True
        fresh = after.get(here, set()) - seen
        seen |= fresh
        pending.extend(fresh)
    return False


def _hull(line: list[Point]) -> Bounds:
    x, y = min(x for x, _ in line), min(y for _, y in line)
    return Bounds(x, y, max(x for x, _ in line) - x, max(y for _, y in line) - y)


def _inside(box: Bounds, point: Point) -> bool:
    return box.x < point[0] < box.right and box.y < point[1] < box.bottom


def _crosses(box: Bounds, one: Point, two: Point) -> bool:
    """Whether the stretch from `one` to `two` passes through the inside of `box` (Liang-Barsky clipping)."""
    if box.width <= 0 or box.height <= 0:
        return False
    enter, leave = 0.0, 1.0
    for low, high, start, step in (
        (box.x, box.right, one[0], two[0] - one[0]),
        (box.y, box.bottom, one[1], two[1] - one[1]),
    ):
        if step == 0:
            if not low < start < high:
                return False
            continue
        near, far = sorted(((low - start) / step, (high - start) / step))
        enter, leave = max(enter, near), min(leave, far)
    return leave - enter > 1e-6


def _finding(key: str, template: str, remedy: str, **params: object) -> Finding:
    return Finding("incomplete", "", key, template, remedy, params)
