"""Where in its channel every stretch of an edge runs, so that no two lie on each other.

A channel's stretches are ordered as in the channel routing of circuits (A. Hashimoto, J. Stevens, "Wire routing
by optimizing channel assignment within large apertures", 1971): a stretch that comes in from the left on a line
that another leaves to the right must lie left of it. Where such demands run in a circle, one edge is moved a few
pixels off the middle of its row or column. Among the orders left, one with few crossings is taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, permutations

from engine.layout.routing import Port, Route, Run

_SHIFTS = (0, -8, 8, -16, 16, -4, 4, -12, 12)
_CLEAR = 4
"""Pixels two edges beside the middle of one row or column are apart at least."""

Channel = tuple[bool, int]
"""A line of the grid: whether it runs across, and its number."""
_Stem = frozenset[tuple[str, str, str, int]]
"""What edges must have in common to share a stretch: the same way out of a shape, or the same way in."""


@dataclass(frozen=True, slots=True)
class _Stub:
    """Where a stretch is joined by its neighbour: on which line, and whether from the lower-numbered side."""

    run: Run
    line: int
    low: bool


@dataclass(slots=True, eq=False)
class _Trunk:
    """One stretch of a channel, or several that lie on each other on purpose: branches of one stem."""

    runs: list[Run]
    stubs: list[_Stub] = field(default_factory=list)
    after: set[_Trunk] = field(default_factory=set)
    """The trunks that must lie further on."""

    @property
    def low(self) -> int:
        return min(run.low for run in self.runs)

    @property
    def high(self) -> int:
        return max(run.high for run in self.runs)

    def __hash__(self) -> int:
        return id(self)


def assign(routes: Sequence[Route]) -> dict[Channel, int]:
    """Set `shift` and `track` of every run; the outcome is the number of tracks of each channel in use."""
    middles: dict[Channel, list[Run]] = defaultdict(list)
    channels: dict[Channel, list[tuple[Route, Run]]] = defaultdict(list)
    stems: dict[int, _Stem] = {}
    for route in routes:
        for run in route.runs:
            stems[id(run)] = _stem(route, run)
            if run.line % 2:
                middles[run.across, run.line].append(run)
            else:
                channels[run.across, run.line].append((route, run))
    straight = {id(route.runs[0]) for route in routes if len(route.runs) == 1}
    for runs in middles.values():
        runs.sort(key=lambda run: (not run.fixed, id(run) not in straight))
        for number, run in enumerate(runs):
            if not run.fixed:
                run.shift = _free(run, runs[:number], stems, touching=False)
    counts: dict[Channel, int] = {}
    for key in sorted(channels):
        trunks = _trunks(channels[key])
        _untangle(trunks, middles, stems)
        _thin(trunks)
        counts[key] = _settle(trunks)
    return counts


def _stem(route: Route, run: Run) -> _Stem:
    keys: set[tuple[str, str, str, int]] = set()
    wire = route.wire
    if run.index == 0 and isinstance(wire.source, Port):
        keys.add(("from", wire.group, wire.source.node, route.leaves))
    if run.index == len(route.runs) - 1 and isinstance(wire.target, Port):
        keys.add(("to", wire.group, wire.target.node, route.arrives))
    return frozenset(keys)


def _free(run: Run, others: Sequence[Run], stems: dict[int, _Stem], *, touching: bool) -> int:
    """The shift nearest the middle that keeps `run` off the others on its line."""
    taken = [
        other.shift
        for other in others
        if other is not run
        and (touching or not stems[id(run)] & stems[id(other)])
        and _meet(run, other, touching)
    ]
    candidates = (
        *_SHIFTS,
        *(sign * shift for shift in range(20, 20 + 8 * len(taken) + 8, 4) for sign in (-1, 1)),
    )
    return next(shift for shift in candidates if all(abs(shift - other) >= _CLEAR for other in taken))


def _meet(one: Run, other: Run, touching: bool) -> bool:
    """Whether two runs of a middle line lie on each other or, `touching`, meet in a channel.

    Two that meet at a shape do not touch: they end on opposite sides of it.
    """
    low, high = max(one.low, other.low), min(one.high, other.high)
    if low != high:
        return low < high
    return touching if low % 2 == 0 else low not in one.ends_at


def _trunks(members: Sequence[tuple[Route, Run]]) -> list[_Trunk]:
    """The channel's runs, gathered where they are the last bend to a shape, or the first from one."""
    stems: dict[tuple[str, str, str, int], list[tuple[Route, Run]]] = defaultdict(list)
    for route, run in members:
        last = len(route.runs) - 1
        if 0 < run.index == last - 1 and route.runs[last].shift == 0:
            for key in sorted(_stem(route, route.runs[last])):
                if key[0] == "to":
                    stems[key].append((route, run))
    trunks = [stem for stem in stems.values() if len(stem) > 1]
    taken = {id(run) for stem in trunks for _, run in stem}
    stems.clear()
    for route, run in members:
        if id(run) in taken:
            continue
        keys = _stem(route, route.runs[0]) if 0 < run.index == 1 < len(route.runs) - 1 else frozenset()
        key = next((key for key in keys if key[0] == "from"), ("alone", "", run.wire.id, run.index))
        stems[key].append((route, run))
    trunks += stems.values()
    made = []
    for stem in trunks:
        trunk = _Trunk([run for _, run in stem])
        trunk.stubs = [stub for route, run in stem for stub in _stubs(route, run)]
        made.append(trunk)
    return sorted(made, key=lambda trunk: (trunk.low, trunk.high, trunk.runs[0].wire.id, trunk.runs[0].index))


def _stubs(route: Route, run: Run) -> Iterator[_Stub]:
    if run.index > 0:
        before = route.runs[run.index - 1]
        yield _Stub(before, run.start, before.start < run.line)
    if run.index < len(route.runs) - 1:
        after = route.runs[run.index + 1]
        yield _Stub(after, run.end, after.end < run.line)


def _demands(trunks: Sequence[_Trunk]) -> Iterator[tuple[_Trunk, _Trunk, Run, Run]]:
    """Pairs of trunks of which the first must lie before the second, and the two runs that would overlap."""
    by_line: dict[int, list[tuple[_Trunk, _Stub]]] = defaultdict(list)
    for trunk in trunks:
        for stub in trunk.stubs:
            if stub.line % 2:
                by_line[stub.line].append((trunk, stub))
    for stubs in by_line.values():
        for (one, low), (other, high) in permutations(stubs, 2):
            if low.low and not high.low and one is not other and abs(low.run.shift - high.run.shift) < _CLEAR:
                yield one, other, low.run, high.run


def _untangle(trunks: Sequence[_Trunk], middles: dict[Channel, list[Run]], stems: dict[int, _Stem]) -> None:
    """Note the demands; while they run in a circle, shift a run of it off the middle of its line."""
    while True:
        demands = list(_demands(trunks))
        for trunk in trunks:
            trunk.after = set()
        circle: tuple[Run, Run] | None = None
        for one, other, low, high in demands:
            if not _reaches(other, one):
                one.after.add(other)
            elif not (low.fixed and high.fixed):
                circle = (low, high)
                break
        if circle is None:
            return
        run = circle[0] if circle[1].fixed else circle[1]
        run.shift = _free(run, middles[run.across, run.line], stems, touching=True)


def _thin(trunks: Sequence[_Trunk]) -> None:
    """Add the orders that save crossings, the greatest saving first, as far as they agree."""
    wishes = []
    for number, (one, other) in enumerate(combinations(trunks, 2)):
        if one.low <= other.high and other.low <= one.high:
            saved = _crossings(other, one) - _crossings(one, other)
            wishes.append(
                (-abs(saved), number, one, other) if saved >= 0 else (-abs(saved), number, other, one)
            )
    for saved, _, one, other in sorted(wishes, key=lambda wish: wish[:2]):
        if saved and not _reaches(other, one):
            one.after.add(other)


def _crossings(one: _Trunk, other: _Trunk) -> int:
    """How often two trunks cross when the first lies before the second."""
    count = sum(stub.low and one.low < stub.line < one.high for stub in other.stubs)
    return count + sum(not stub.low and other.low < stub.line < other.high for stub in one.stubs)


def _reaches(start: _Trunk, goal: _Trunk) -> bool:
    pending, seen = [start], {start}
    while pending:
        trunk = pending.pop()
        if trunk is goal:
            return True
        fresh = trunk.after - seen
        seen |= fresh
        pending.extend(fresh)
    return False


def _settle(trunks: Sequence[_Trunk]) -> int:
    """Give each trunk the first track behind those it must follow on which nothing is in its way."""
    waiting = {trunk: sum(trunk in other.after for other in trunks) for trunk in trunks}
    least = dict.fromkeys(trunks, 0)
    tracks: list[list[_Trunk]] = []
    while waiting:
        trunk = next(trunk for trunk, count in waiting.items() if not count)
        del waiting[trunk]
        track = least[trunk]
        while track < len(tracks) and any(
            trunk.low <= other.high and other.low <= trunk.high for other in tracks[track]
        ):
            track += 1
        while len(tracks) <= track:
            tracks.append([])
        tracks[track].append(trunk)
        for run in trunk.runs:
            run.track = track
        for other in trunk.after:
            waiting[other] -= 1
            least[other] = max(least[other], track + 1)
    return len(tracks)
