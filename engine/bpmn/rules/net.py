"""A net of places and steps in which tokens move (a Petri net), made small and then gone through.

A place is (node, how a token came to it). A step takes tokens from some places and gives them to others; it
`fires` the nodes whose waiting it ends. `reduce` takes out what decides nothing: places that a token may leave by
itself, places that always hold the same as another, steps that do the same (T. Murata, Petri Nets: Properties,
Analysis and Applications, Proc. IEEE 77(4), 1989, section V). What can fire stays what can fire.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

Place = tuple[str, str]
Marking = Mapping[Place, int]

START: Place = ("", "")
"""Holds the one token from which everything begins."""
_GROWTH = 8
"""A place is taken out when that makes so many steps more, at most."""
_LED = 64
"""A place to which more steps lead stays: they would be led on, one by one, from place to place."""


@dataclass(slots=True)
class Step:
    """One way to go on."""

    takes: dict[Place, int]
    gives: dict[Place, int]
    fires: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Gate:
    """A join that takes a token from each input which has one, once nothing more is coming to the others."""

    node: str
    inputs: Mapping[str, Place]
    """By the id of the flow."""
    waited: Callable[[frozenset[str]], Collection[str]]
    """The nodes on which a token is waited for when one has arrived on these flows."""


@dataclass(slots=True)
class Course:
    """What may become of a net."""

    fired: set[str] = field(default_factory=set)
    markings: list[Marking] = field(default_factory=list)


class Net:
    """Places and steps. `alike` says of which places a gate does not tell the tokens apart."""

    def __init__(self, alike: Callable[[Place], Hashable] = lambda _: None) -> None:
        self.alike = alike
        self.steps: dict[int, Step] = {}
        self.gates: list[Gate] = []
        self.watched: set[Place] = set()
        """Of these it is asked whether they ever held a token."""
        self.same: dict[Place, Place] = {}
        """A place that was taken out to the one that always holds as much."""
        self.into: defaultdict[Place, set[int]] = defaultdict(set)
        self.out: defaultdict[Place, set[int]] = defaultdict(set)
        self._made = 0
        self._changed: dict[Place, None] = {}
        self._first: dict[Hashable, Place] = {}
        self._keys: dict[Place, Hashable] = {}
        """What leads to a place and away from it, when that was last looked at; and the place with it."""

    def add(
        self, takes: Mapping[Place, int], gives: Mapping[Place, int], fires: frozenset[str] = frozenset()
    ) -> None:
        """One more step; of what takes and gives the same nothing comes."""
        if takes == gives and not fires:
            return
        self._made += 1
        self.steps[self._made] = Step(dict(takes), dict(gives), fires)
        for place in takes:
            self.out[place].add(self._made)
        for place in gives:
            self.into[place].add(self._made)

    def held(self, marking: Marking, place: Place) -> int:
        """The tokens on a place, though it was taken out for another."""
        while place in self.same:
            place = self.same[place]
        return marking.get(place, 0)

    # -- making it small ---------------------------------------------------------------------------

    def reduce(self) -> None:
        """Take out what decides nothing. Each change has a look at what stands around it, and nowhere else."""
        fixed = {START, *((gate.node, "") for gate in self.gates)}
        fixed |= {place for gate in self.gates for place in gate.inputs.values()}
        self._look_at({**self.into, **self.out})
        while self._changed:
            places, self._changed = self._changed, {}
            for place in places:
                if place not in fixed:
                    self._take_out(place)
            self._unite_steps([*places, *self._changed])
            self._unite_places([each for each in {**places, **self._changed} if each not in fixed])

    def _look_at(self, places: Iterable[Place]) -> None:
        self._changed.update(dict.fromkeys(places))

    def _remove(self, number: int) -> Step:
        step = self.steps.pop(number)
        for place in step.takes:
            self.out[place].discard(number)
        for place in step.gives:
            self.into[place].discard(number)
        return step

    def _take_out(self, place: Place) -> None:
        """Let a token pass a place at once, where nothing but it decides about the way on."""
        into, out = sorted(self.into[place]), sorted(self.out[place])
        if not into:
            for number in out:  # no token ever comes
                step = self._remove(number)
                self._look_at([*step.takes, *step.gives])
        elif self._passable(place, into, out):
            after = [self._remove(number) for number in out]
            self._look_at(each for step in after for each in step.gives)
            for number in into:
                self._pass_by(place, number, after)

    def _passable(self, place: Place, into: list[int], out: list[int]) -> bool:
        if not out and place in self.watched:
            return False
        if len(into) > _LED or len(into) * len(out) > len(into) + len(out) + _GROWTH:
            return False
        kind = self.alike(place)
        for number in out:
            step = self.steps[number]
            if step.takes != {place: 1} or place in step.gives:
                return False
            if any(self.alike(each) != kind for each in step.gives):
                return False
        return len(out) < 2 or all(self.steps[number].gives[place] == 1 for number in into)

    def _pass_by(self, place: Place, number: int, after: list[Step]) -> None:
        """The step gives to what comes after the place; with one way on as it is, for it may give to very many."""
        step = self.steps[number]
        self._look_at(step.takes)
        count = step.gives.pop(place)
        self.into[place].discard(number)
        if len(after) > 1:
            self._look_at(step.gives)
            self._remove(number)
            for each in after:
                self.add(step.takes, _sum(step.gives, each.gives, count), step.fires | each.fires)
            return
        for each in after:
            step.fires |= each.fires
            for target, more in each.gives.items():
                step.gives[target] = step.gives.get(target, 0) + more * count
                self.into[target].add(number)
        if step.takes == step.gives and not step.fires:
            self._remove(number)

    def _unite_steps(self, places: Iterable[Place]) -> None:
        """Of steps that take and give the same, one remains."""
        first: dict[Hashable, int] = {}
        for number in dict.fromkeys(number for place in places for number in sorted(self.out[place])):
            step = self.steps[number]
            key = frozenset(step.takes.items()), frozenset(step.gives.items())
            other = first.setdefault(key, number)
            if other != number:
                self.steps[other].fires |= self._remove(number).fires
                self._look_at([*step.takes, *step.gives])

    def _unite_places(self, places: Collection[Place]) -> None:
        """Of places to and from which the same steps lead, one remains."""
        for place in places:
            key = self._keys.pop(place, None)
            if self._first.get(key) == place:
                del self._first[key]
        for place in places:
            if not self.into[place] or not self.out[place]:
                continue
            before = frozenset((number, self.steps[number].gives[place]) for number in self.into[place])
            after = frozenset((number, self.steps[number].takes[place]) for number in self.out[place])
            key = self._keys[place] = before, after, self.alike(place)
            other = self._first.setdefault(key, place)
            if other != place:
                self._unite(place, other)

    def _unite(self, place: Place, other: Place) -> None:
        del self._keys[place]
        self.same[place] = other
        self.watched |= {other} if place in self.watched else set()
        for number in self.into.pop(place):
            del self.steps[number].gives[place]
            self._look_at(self.steps[number].takes)
        for number in self.out.pop(place):
            del self.steps[number].takes[place]
            self._look_at(self.steps[number].takes)

    # -- going through it --------------------------------------------------------------------------

    def course(self, *, most: int, work: int, until: Collection[str]) -> Course | None:
        """All that may become of it, or as much as it takes until all of these nodes have fired.

        The tokens on a place are counted up to the most that a step takes, and one more: that many or more.
        None: it is more than `most` markings, or more `work` (tokens taken and given) than that.
        """
        found, wanted = Course(), set(until)
        cap = 2 + max((count for step in self.steps.values() for count in step.takes.values()), default=1)
        seen, pending = {frozenset({(START, 1)})}, deque([{START: 1}])
        while pending:
            marking = pending.popleft()
            found.markings.append(marking)
            for step in self._possible(marking):
                found.fired |= step.fires
                for after in self._after(marking, step, cap):
                    work -= len(step.takes) + len(step.gives) + len(after)
                    key = frozenset(after.items())
                    if key not in seen:
                        seen.add(key)
                        pending.append(after)
            if wanted <= found.fired:
                return found
            if len(seen) > most or work < 0:
                return None
        return found

    def _possible(self, marking: Marking) -> Iterator[Step]:
        for place in marking:
            for number in self.out[place]:
                step = self.steps[number]
                if next(iter(step.takes)) == place and all(
                    marking.get(each, 0) >= count for each, count in step.takes.items()
                ):
                    yield step
        for gate in self.gates:
            arrived = frozenset(flow for flow, place in gate.inputs.items() if place in marking)
            if not arrived:
                continue
            waited = gate.waited(arrived)
            if not any(place[0] != gate.node and place[0] in waited for place in marking):
                takes = {gate.inputs[flow]: 1 for flow in arrived}
                yield Step(takes, {(gate.node, ""): 1}, frozenset([gate.node]))

    def _after(self, marking: Marking, step: Step, cap: int) -> Iterator[dict[Place, int]]:
        """What a step makes of a marking. Of many tokens, many may be left, or fewer."""
        left = []
        for place, count in step.takes.items():
            has = marking[place]
            # Without gates more tokens never keep anything from happening, so that "many" stands for fewer too.
            least = has if has == cap and not self.gates else has - count
            left.append(
                [(place, number) for number in range(least, has + 1)] if has == cap else [(place, least)]
            )
        for each in product(*left):
            after = {**marking, **dict(each)}
            for place, count in step.gives.items():
                after[place] = min(cap, after.get(place, 0) + count)
            yield {place: count for place, count in after.items() if count}


def _sum(one: Mapping[Place, int], other: Mapping[Place, int], times: int) -> dict[Place, int]:
    found = dict(one)
    for place, count in other.items():
        found[place] = found.get(place, 0) + count * times
    return found
