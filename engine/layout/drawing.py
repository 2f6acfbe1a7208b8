"""A whole diagram in coordinates: every area laid out from the inside to the outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import isqrt

from engine.layout import lettering
from engine.layout.assembly import EVENT, Area, Band, Part, assemble, parts_of
from engine.layout.labels import Extent, Lettered, Rect, letter
from engine.layout.reading import EVENTS, GATEWAYS, Chart, Lane, Pool, Scope
from engine.layout.routing import EAST, NORTH, SOUTH, WEST, Frame, Route, Run

_TRACK = 12
_BEFORE, _AFTER = 16, 24
"""Pixels between a shape and the first track beside it, and between the last track and an arrow's target."""
_ROW_GAP = 16
_LANE_PAD = 14
_HEADER = 30
_WALL = 60
_INSET, _TITLE = 14, 26
_MARGIN = 40

Point = tuple[int, int]


@dataclass(slots=True)
class Drawing:
    """Boxes, labels and lines by id, in pixels from the top left corner."""

    width: int = 0
    height: int = 0
    shapes: dict[str, Rect] = field(default_factory=dict)
    labels: dict[str, Rect] = field(default_factory=dict)
    lines: dict[str, list[Point]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    """Flows that leave through the top border, and where, from the left."""


def compose(chart: Chart) -> Drawing:
    """The drawing of a chart: pools stacked, lanes in their order, content from left to right."""
    parts = parts_of(chart.pools, chart.messages)
    inner: dict[str, Drawing] = {}
    for pool in chart.pools:
        if pool.scope is not None:
            _compose_inside(pool.scope, parts, inner)
    depth = max((lane.depth() for pool in chart.pools for lane in pool.lanes), default=0)
    header = _HEADER * (1 + depth) if any(pool.id for pool in chart.pools) else 0
    drawing = _compose(chart.pools, parts[""], inner, header)
    return _moved(drawing, _MARGIN, _MARGIN)


def _compose_inside(scope: Scope, parts: Mapping[str, list[Part]], inner: dict[str, Drawing]) -> None:
    """Lay out the sub-processes of a scope, the innermost first."""
    for element in scope.elements.values():
        if element.inside is None:
            continue
        _compose_inside(element.inside, parts, inner)
        own = parts.get(element.id, [])
        pool = Pool("", "", element.inside, ())
        drawing = _moved(_compose([pool], own, inner, 0), _INSET, _TITLE)
        title = int(lettering.width(element.name)) + 40
        drawing.width = max(drawing.width + 2 * _INSET, min(title, 300), 140)
        drawing.width += drawing.width % 2
        drawing.height += _TITLE + _INSET
        drawing.height += drawing.height % 2
        inner[element.id] = drawing


def _compose(pools: list[Pool], parts: list[Part], inner: Mapping[str, Drawing], header: int) -> Drawing:
    sizes = {
        key: (
            drawing.width,
            drawing.height,
            {flow: x - drawing.width // 2 for flow, x in drawing.ports.items()},
        )
        for key, drawing in inner.items()
    }
    area = assemble(pools, parts, sizes)
    sheet = _Sheet(area, letter(area), pools, header)
    return sheet.draw(inner)


class _Sheet:
    """The lines of an area's grid in pixels."""

    def __init__(self, area: Area, lettered: Lettered, pools: list[Pool], header: int) -> None:
        self.area, self.lettered, self.pools = area, lettered, pools
        columns = [Extent() for _ in range(area.columns)]
        rows = [Extent() for _ in range(area.rows)]
        for key, box in area.boxes.items():
            if box.first == box.last:
                columns[box.column].merge(lettered.extents[key])
            rows[box.row].merge(lettered.extents[key])
        self._stretch(rows)
        self._make_room(columns)
        self.x, self.width = self._lines(False, [(each.left, each.right) for each in columns], header)
        self.y, self.height = self._lines(True, [(each.up, each.down) for each in rows], 0)
        self.header = header
        self.outside = self.width
        outside = area.channels.get((False, 2 * area.columns + 2), 0)
        self.x[2 * area.columns + 2] = self.width + _AFTER
        self.full_width = self.width + (_AFTER + _TRACK * outside if outside else 0)

    def _stretch(self, rows: list[Extent]) -> None:
        """Room above each lane's first row, and lanes and pools tall enough for their names."""
        for band in self.area.bands:
            if band.wall:
                rows[band.first] = Extent(up=_WALL // 2, down=_WALL // 2)
            elif band.first and self.area.bands[0] is not band:
                rows[band.first].up += _LANE_PAD
        wants = [(lane.name, self._of_lane(lane)) for pool in self.pools for lane in _all_lanes(pool.lanes)]
        wants += [
            (pool.name, [band for band in self.area.bands if band.pool == number and not band.wall])
            for number, pool in enumerate(self.pools)
            if pool.id
        ]
        for name, bands in wants:
            if not bands:
                continue
            first, last = bands[0].first, bands[-1].last
            have = sum(row.up + row.down + _ROW_GAP for row in rows[first : last + 1])
            lack = int(lettering.width(name)) + 24 - have
            if lack > 0:
                rows[first].up += lack // 2
                rows[last].down += lack - lack // 2

    def _make_room(self, columns: list[Extent]) -> None:
        """Columns wide enough together for what reaches over several: what they lack is shared among them."""
        for key, box in self.area.boxes.items():
            if box.first == box.last:
                continue
            middle, wanted = columns[box.column], self.lettered.extents[key]
            sides = (
                (wanted.left - middle.left, range(box.first, box.column), 1),
                (wanted.right - middle.right, range(box.column + 1, box.last + 1), 0),
            )
            for reach, others, next_to in sides:
                there = sum(columns[number].left + columns[number].right for number in others)
                there += sum(self._gap(False, number + next_to) for number in others)
                share, rest = divmod(max(reach - there, 0), 2 * len(others) or 1)
                for number in others:
                    columns[number].left += share
                    columns[number].right += share
                if others:
                    columns[others[0]].right += rest
                elif next_to:
                    middle.left += share + rest
                else:
                    middle.right += share + rest

    def _gap(self, across: bool, number: int) -> int:
        """How wide the channel before that row or column is."""
        tracks = self.area.channels.get((across, 2 * number), 0)
        if tracks:
            return _BEFORE + (tracks - 1) * _TRACK + (_BEFORE if across else _AFTER)
        outer = number in (0, self.area.rows if across else self.area.columns)
        return _ROW_GAP if across or outer else _BEFORE + _AFTER

    def _lines(self, across: bool, cells: list[tuple[int, int]], start: int) -> tuple[dict[int, int], int]:
        """The place of every grid line, channels as wide as their tracks need; and the whole length."""
        places: dict[int, int] = {}
        at = start
        for number in range(len(cells) + 1):
            places[2 * number] = at + _BEFORE
            at += self._gap(across, number)
            if number < len(cells):
                before, after = cells[number]
                places[2 * number + 1] = at + before
                at += before + after
        return places, at

    def draw(self, inner: Mapping[str, Drawing]) -> Drawing:
        drawing = Drawing(self.full_width, self.height)
        self._draw_pools(drawing)
        for key, box in self.area.boxes.items():
            x, y = self.x[2 * box.column + 1], self.y[2 * box.row + 1]
            shape = Rect(x - box.width // 2, y - box.height // 2, box.width, box.height)
            drawing.shapes[key] = shape
            if key in inner:
                content = _moved(inner[key], shape.x, shape.y)
                drawing.shapes |= content.shapes
                drawing.labels |= content.labels
                drawing.lines |= content.lines
            for guest, shift in box.guests.items():
                drawing.shapes[guest] = Rect(x + shift - EVENT // 2, shape.bottom - EVENT // 2, EVENT, EVENT)
            for label in (key, *box.guests):
                if label in self.lettered.nodes:
                    drawing.labels[label] = self.lettered.nodes[label].moved(x, y)
        for flow, (key, rect) in self.lettered.flows.items():
            box = self.area.boxes[key]
            drawing.labels[flow] = rect.moved(self.x[2 * box.column + 1], self.y[2 * box.row + 1])
        for part in self.area.parts:
            points = self._points(part, drawing)
            known = drawing.lines.get(part.flow.id)
            drawing.lines[part.flow.id] = _join(known, points) if known else points
            if part.source is None:
                drawing.ports[part.flow.id] = points[0][0]
            if part.target is None:
                drawing.ports[part.flow.id] = points[-1][0]
        return drawing

    def _draw_pools(self, drawing: Drawing) -> None:
        for number, pool in enumerate(self.pools):
            if not pool.id:
                continue
            own = [band for band in self.area.bands if band.pool == number]
            top, bottom = self._span(own)
            drawing.shapes[pool.id] = Rect(0, top, self.width, bottom - top)
            self._draw_lanes(drawing, pool.lanes, 1)

    def _draw_lanes(self, drawing: Drawing, lanes: tuple[Lane, ...], depth: int) -> None:
        for lane in lanes:
            top, bottom = self._span(self._of_lane(lane))
            x = depth * _HEADER
            drawing.shapes[lane.id] = Rect(x, top, self.width - x, bottom - top)
            self._draw_lanes(drawing, lane.inner, depth + 1)

    def _of_lane(self, lane: Lane) -> list[Band]:
        leaves = {leaf.id for leaf in lane.leaves()}
        return [band for band in self.area.bands if band.lane in leaves]

    def _span(self, bands: list[Band]) -> tuple[int, int]:
        """Top and bottom of neighbouring bands; the channel below a lane belongs to it, as does a pool's first."""
        first, last = bands[0], bands[-1]
        if first.wall:
            middle = self.y[2 * first.first + 1]
            return middle - _WALL // 2, middle + _WALL // 2
        opening = not any(band.pool == first.pool and band.last < first.first for band in self.area.bands)
        top = self._channel_start(first.first) if opening else self._channel_end(first.first)
        return top, self._channel_end(last.last + 1)

    def _channel_start(self, row: int) -> int:
        return self.y[2 * row] - _BEFORE

    def _channel_end(self, row: int) -> int:
        tracks = self.area.channels.get((True, 2 * row), 0)
        return self._channel_start(row) + (2 * _BEFORE + (tracks - 1) * _TRACK if tracks else _ROW_GAP)

    def _points(self, part: Part, drawing: Drawing) -> list[Point]:
        route = self.area.routes[part.flow.id]
        runs = route.runs
        middle = [self._corner(one, other) for one, other in pairwise(runs)]
        start = self._dock(part.source, route, runs[0], route.leaves, drawing, first=True)
        end = self._dock(part.target, route, runs[-1], route.arrives, drawing, first=False)
        return [start, *middle, end]

    def _corner(self, one: Run, other: Run) -> Point:
        across, down = (one, other) if one.across else (other, one)
        return self._at(down), self._at(across)

    def _at(self, run: Run) -> int:
        places = self.y if run.across else self.x
        return places[run.line] + (run.shift if run.line % 2 else run.track * _TRACK)

    def _dock(
        self, key: str | None, route: Route, run: Run, side: int, drawing: Drawing, *, first: bool
    ) -> Point:
        """Where the edge meets its shape's outline, or the border of a pool or sub-process."""
        at = self._at(run)
        end = route.wire.source if first else route.wire.target
        if isinstance(end, Frame):
            if key is None:
                return at, -_TITLE
            pool = drawing.shapes[key]
            line = run.start if first else run.end
            return at, pool.y if line <= self._wall_line(key) else pool.bottom
        assert key is not None
        shape = drawing.shapes[key]
        kind = self.area.box(key).element.kind if key in self.area.boxes else "boundaryEvent"
        x, y = shape.x + shape.width // 2, shape.y + shape.height // 2
        off = abs(at - (y if side in (EAST, WEST) else x))
        reach = (shape.width if side in (EAST, WEST) else shape.height) // 2
        if kind in EVENTS:
            reach = isqrt(max(reach * reach - off * off, 0))
        elif kind in GATEWAYS:
            reach = max(reach - off, 0)
        return {EAST: (x + reach, at), WEST: (x - reach, at), SOUTH: (at, y + reach), NORTH: (at, y - reach)}[
            side
        ]

    def _wall_line(self, key: str) -> int:
        number = next(index for index, pool in enumerate(self.pools) if pool.id == key)
        own = [band for band in self.area.bands if band.pool == number]
        return own[0].first + own[-1].last + 1


def _all_lanes(lanes: tuple[Lane, ...]) -> list[Lane]:
    return [each for lane in lanes for each in (lane, *_all_lanes(lane.inner))]


def _join(inside: list[Point], outside: list[Point]) -> list[Point]:
    """One line from a part inside a sub-process and the part outside, which meet on its border."""
    if inside[-1][0] == outside[0][0] and inside[-1][1] == outside[0][1]:
        line = inside + outside[1:]
    else:
        line = outside + inside[1:]
    return [
        point
        for number, point in enumerate(line)
        if number in (0, len(line) - 1) or not (line[number - 1][0] == point[0] == line[number + 1][0])
    ]


def _moved(drawing: Drawing, x: int, y: int) -> Drawing:
    return Drawing(
        drawing.width,
        drawing.height,
        {key: rect.moved(x, y) for key, rect in drawing.shapes.items()},
        {key: rect.moved(x, y) for key, rect in drawing.labels.items()},
        {key: [(a + x, b + y) for a, b in points] for key, points in drawing.lines.items()},
        {key: at + x for key, at in drawing.ports.items()},
    )
