"""The way of every edge over the grid: which channels it takes and which side of a shape it meets.

Lines of the grid are numbered so that the odd ones run through the middle of columns and rows and the even
ones through the channels between them. An edge moves along lines, never through an occupied cell. Channels hold
any number of edges, so a way always exists: out to the right, through channels, in from the left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import pairwise

EAST, SOUTH, WEST, NORTH = range(4)
_STEP = ((1, 0), (0, 1), (-1, 0), (0, -1))

_ACROSS, _DOWN = 60, 50
"""What half a column or half a row costs: about their usual pixels."""
_BEND, _CROSSING, _PARALLEL = 60, 40, 400


@dataclass(frozen=True, slots=True)
class Port:
    """An end at a shape: its cell and what each allowed side costs. `shift` fixes the place on the only side."""

    node: str
    column: int
    row: int
    sides: Mapping[int, int]
    shift: int | None = None
    crowd: int = 0
    """What each further edge of the same group costs at one side."""
    before: int = 0
    """Columns that the shape covers ahead of its own."""
    after: int = 0
    """Columns that it covers behind it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """An end at a long border: any place on the horizontal line `line`, met in `direction`."""

    goals: tuple[tuple[int, int], ...]


End = Port | Frame
_Judge = Callable[[tuple[int, int, int]], int]


@dataclass(frozen=True, slots=True)
class Wire:
    """An edge to be routed between two ends; `top` and `bottom` are the outermost lines it may use."""

    id: str
    source: End
    target: End
    group: str
    """Edges of one group may share the way out of a shape, or the way in."""
    top: int
    bottom: int


@dataclass(slots=True)
class Run:
    """A straight stretch of an edge on one line, from `low` to `high` (numbers of the lines it ends on)."""

    wire: Wire
    index: int
    across: bool
    line: int
    start: int
    end: int
    shift: int = 0
    """Pixels off the middle of an odd line."""
    track: int = 0
    """Place in an even line's channel."""
    fixed: bool = False
    ends_at: tuple[int, ...] = ()
    """The ends that are shapes' cells, not bends."""

    @property
    def low(self) -> int:
        return min(self.start, self.end)

    @property
    def high(self) -> int:
        return max(self.start, self.end)


@dataclass(slots=True)
class Route:
    """The runs of an edge, the side it leaves by and the side it arrives at."""

    wire: Wire
    runs: list[Run]
    leaves: int
    arrives: int


@dataclass(slots=True)
class Router:
    """Finds routes one after the other, each keeping clear of the earlier ones where it can."""

    columns: int
    rows: int
    cells: set[tuple[int, int]]
    """What shapes cover, by lines across and down."""
    walls: set[int] = field(default_factory=set)
    """Rows filled by a black-box pool: passed only by the line behind the last column."""
    _busy: Counter[tuple[bool, int, int]] = field(default_factory=Counter)
    _sides: dict[tuple[str, int], Counter[str]] = field(default_factory=dict)

    def route(self, wire: Wire) -> Route:
        """The cheapest route for `wire`, given the ones already found."""
        goals, heading = self._goals(wire)
        heap: list[tuple[int, int, tuple[int, int, int]]] = []
        cost: dict[tuple[int, int, int], int] = {}
        origin: dict[tuple[int, int, int], tuple[int, int, int] | None] = {}
        number = 0
        for state, price in self._starts(wire):
            cost[state], origin[state] = price, None
            heappush(heap, (price + heading(state), number, state))
            number += 1
        best: tuple[int, tuple[int, int, int]] | None = None
        while heap:
            guess, _, state = heappop(heap)
            if best is not None and guess >= best[0]:
                break
            price = cost[state]
            if guess > price + heading(state):
                continue
            arrival = goals(state)
            if arrival >= 0 and (best is None or price + arrival < best[0]):
                best = (price + arrival, state)
            for after, more in self._moves(wire, state):
                if price + more < cost.get(after, 1 << 60):
                    cost[after], origin[after] = price + more, state
                    number += 1
                    heappush(heap, (price + more + heading(after), number, after))
        assert best is not None, f"no way for {wire.id}"
        return self._settle(wire, best[1], origin)

    def _starts(self, wire: Wire) -> Iterator[tuple[tuple[int, int, int], int]]:
        end = wire.source
        if isinstance(end, Frame):
            for line, direction in end.goals:
                for i in range(2 * self.columns + 1):
                    yield (i, line, (direction + 2) % 4), 0
            return
        for side, price in end.sides.items():
            i, j = _beside(end, side)
            yield (i, j, side), price + self._crowd(end, side, f"from {wire.group}")

    def _goals(self, wire: Wire) -> tuple[_Judge, _Judge]:
        """What ending in a state costs (negative: impossible), and the least it still costs to get there."""
        end = wire.target
        goals: dict[tuple[int, int, int], int] = {}
        if isinstance(end, Frame):
            for line, direction in end.goals:
                for i in range(2 * self.columns + 1):
                    _arrive(goals, (i, line), direction, 0)
        else:
            for side, price in end.sides.items():
                crowd = self._crowd(end, side, f"to {wire.group}")
                _arrive(goals, _beside(end, side), (side + 2) % 4, price + crowd)
        west, east = min(i for i, _, _ in goals), max(i for i, _, _ in goals)
        north, south = min(j for _, j, _ in goals), max(j for _, j, _ in goals)

        def least(state: tuple[int, int, int]) -> int:
            i, j, _ = state
            return max(west - i, 0, i - east) * _ACROSS + max(north - j, 0, j - south) * _DOWN

        return lambda state: goals.get(state, -1), least

    def _crowd(self, end: Port, side: int, group: str) -> int:
        users = self._sides.get((end.node, side), Counter())
        others = sum(users.values()) - users[group]
        return users[group] * end.crowd + others * _PARALLEL

    def _moves(self, wire: Wire, state: tuple[int, int, int]) -> Iterator[tuple[tuple[int, int, int], int]]:
        i, j, direction = state
        for turn in (0, 1, 3):
            heading = (direction + turn) % 4
            x, y = i + _STEP[heading][0], j + _STEP[heading][1]
            if not (0 <= x <= 2 * self.columns + 2 and wire.top <= y <= wire.bottom) or self._closed(
                wire, x, y
            ):
                continue
            across = heading in (EAST, WEST)
            price = _ACROSS if across else _DOWN
            if turn:
                price += _BEND
                if i % 2 and j % 2 and (self._busy[True, i, j] or self._busy[False, i, j]):
                    price += _PARALLEL
            price += _CROSSING * self._busy[not across, x, y]
            if x % 2 and y % 2:
                price += _PARALLEL * self._busy[across, x, y]
            yield (x, y, heading), price

    def _closed(self, wire: Wire, x: int, y: int) -> bool:
        if x > 2 * self.columns:
            return not self.walls or wire.group != "message" or (x % 2 == 1 and y % 2 == 1)
        return bool(y % 2) and (y // 2 in self.walls or (x, y) in self.cells)

    def _settle(
        self,
        wire: Wire,
        last: tuple[int, int, int],
        origin: Mapping[tuple[int, int, int], tuple[int, int, int] | None],
    ) -> Route:
        states = [last]
        while (before := origin[states[-1]]) is not None:
            states.append(before)
        states.reverse()
        inner = [(i, j) for i, j, _ in states]
        points = [_terminal(wire.source, inner[0]), *inner, _terminal(wire.target, inner[-1])]
        route = Route(wire, _runs(wire, points), _side(points[0], points[1]), _side(points[-1], points[-2]))
        for run in route.runs:
            for place in range(run.low, run.high + 1):
                self._busy[(run.across, place, run.line) if run.across else (False, run.line, place)] += 1
        for port, side, way in ((wire.source, route.leaves, "from"), (wire.target, route.arrives, "to")):
            if isinstance(port, Port):
                self._sides.setdefault((port.node, side), Counter())[f"{way} {wire.group}"] += 1
        return route


def _beside(end: Port, side: int) -> tuple[int, int]:
    beyond = {EAST: 2 * end.after, WEST: -2 * end.before}.get(side, 0)
    return 2 * end.column + 1 + _STEP[side][0] + beyond, 2 * end.row + 1 + _STEP[side][1]


def _terminal(end: End, beside: tuple[int, int]) -> tuple[int, int]:
    """The cell of a shape; of a long border the point beyond the channel."""
    if isinstance(end, Port):
        return 2 * end.column + 1, 2 * end.row + 1
    i, j = beside
    return i, j + _STEP[dict(end.goals)[j]][1]


def _arrive(
    goals: dict[tuple[int, int, int], int], place: tuple[int, int], direction: int, price: int
) -> None:
    """Every heading in which the last step, in `direction`, can still be taken."""
    for heading in range(4):
        if heading != (direction + 2) % 4:
            known = goals.get((*place, heading), 1 << 60)
            goals[*place, heading] = min(known, price + (0 if heading == direction else _BEND))


def _side(shape: tuple[int, int], beside: tuple[int, int]) -> int:
    across, down = beside[0] - shape[0], beside[1] - shape[1]
    return _STEP.index(((across > 0) - (across < 0), (down > 0) - (down < 0)))


def _runs(wire: Wire, points: list[tuple[int, int]]) -> list[Run]:
    """The straight stretches of a path of grid points."""
    runs: list[Run] = []
    for (i, j), (x, y) in pairwise(points):
        across = j == y
        if runs and runs[-1].across == across:
            runs[-1].end = x if across else y
        else:
            line, start, end = (j, i, x) if across else (i, j, y)
            runs.append(Run(wire, len(runs), across, line, start, end))
    shifts = [port.shift or 0 if isinstance(port, Port) else None for port in (wire.source, wire.target)]
    if len(runs) == 1 and not runs[0].across and None not in shifts and shifts[0] != shifts[1]:
        # Straight up or down between two places that are not quite in line: step aside in a channel.
        first = runs[0]
        channel = first.start + (1 if first.end > first.start else -1)
        runs.append(Run(wire, 1, True, channel, first.line, first.line))
        runs.append(Run(wire, 2, False, first.line, channel, first.end))
        first.end = channel
    runs[0].ends_at += (runs[0].start,)
    runs[-1].ends_at += (runs[-1].end,)
    for run, port in ((runs[0], wire.source), (runs[-1], wire.target)):
        if isinstance(port, Port) and port.shift is not None:
            run.shift, run.fixed = port.shift, True
    return runs
