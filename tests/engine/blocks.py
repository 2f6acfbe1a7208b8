"""Random diagrams made of nested blocks, and what they mean, told independently of the engine.

A block is drawn in the notation of `drawing`. What it means is told by rewriting: the state of a block says
which tasks are open and which events are waited for, and doing one of them gives the next state. No tokens, no
gateways that count: a choice is the branch chosen, a parallel block is all of its branches, done when they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

Action = tuple[str, str]
"""`do` a task, or `fire` an event, by element."""


@dataclass
class Block:
    """`kind` is task, script, seq, xor, and, or, loop, sub, wait, race, host."""

    kind: str
    id: str
    parts: list[Block] = field(default_factory=list)
    picks: list[bool] = field(default_factory=list)
    """Of a choice: which branches are taken, the last one being the default."""
    laps: int = 0
    soft: bool = False


def grow(random: Random, depth: int = 4) -> Block:
    """A random block."""
    names = (f"n{number}" for number in range(100_000))
    return _grow(random, depth, names, loops=True)


def _grow(random: Random, depth: int, names: Iterator[str], *, loops: bool) -> Block:
    leaves = ["task", "task", "script", "wait"]
    nests = [
        "seq",
        "seq",
        "xor",
        "and",
        "and",
        "or",
        "or",
        "sub",
        "race",
        "host",
        *(["loop", "loop"] if loops else []),
    ]
    kind = random.choice(leaves if depth == 0 else [*leaves[:1], *nests])
    block = Block(kind, next(names))
    if kind in leaves:
        return block
    number = 1 if kind in ("loop", "sub") else random.randint(2, 3) + (kind == "or")
    block.soft = kind == "host" and random.random() < 0.5
    for place in range(number if kind != "host" else 2):
        inner = loops and not (block.soft and place == 1)
        block.parts.append(_grow(random, depth - 1, names, loops=inner))
    if kind == "host":  # what can be interrupted: a task or a sub-process
        block.parts[0] = random.choice(
            [Block("task", next(names)), Block("sub", next(names), [block.parts[0]])]
        )
    if kind == "xor":
        chosen = random.randrange(number)
        block.picks = [place == chosen for place in range(number)]
    if kind == "or":
        block.picks = [random.random() < 0.7 for _ in range(number - 1)]
        block.picks.append(not any(block.picks))
    block.laps = random.randint(1, 3) if kind == "loop" else 0
    return block


# -- as a diagram ----------------------------------------------------------------------------------


def draw(block: Block) -> str:
    """The block as a process in the notation."""
    lines = ["start begin", "end done"]
    first, last = _draw(block, lines, "")
    return "\n".join([*lines, f"begin -> {first}", f"{last} -> done"])


def _draw(block: Block, lines: list[str], indent: str) -> tuple[str, str]:
    """Add the block's elements and flows; which elements it begins and ends with."""
    name, say = block.id, lambda text: lines.append(indent + text)
    if block.kind in ("task", "script", "wait"):
        say(
            {
                "task": f"user {name}",
                "script": f"script {name} do=pass",
                "wait": f"catch {name} message={name}",
            }[block.kind]
        )
        return name, name
    if block.kind == "seq":
        ends = [_draw(part, lines, indent) for part in block.parts]
        for (_, last), (first, _) in pairwise(ends):
            say(f"{last} -> {first}")
        return ends[0][0], ends[-1][1]
    if block.kind == "sub":
        say(f"sub {name}")
        say(f"  start {name}_begin")
        say(f"  end {name}_done")
        first, last = _draw(block.parts[0], lines, indent + "  ")
        say(f"  {name}_begin -> {first}")
        say(f"  {last} -> {name}_done")
        return name, name
    if block.kind == "loop":
        say(f'script {name}_zero do="{name} = 0"')
        say(f"xor {name}_again")
        first, last = _draw(block.parts[0], lines, indent)
        say(f'script {name}_count do="{name} = {name} + 1"')
        say(f"xor {name}_enough")
        say(f"{name}_zero -> {name}_again -> {first}")
        say(f"{last} -> {name}_count -> {name}_enough")
        say(f"script {name}_out do=pass")
        say(f"{name}_enough -> {name}_again : {name} < {block.laps}")
        say(f"{name}_enough -> {name}_out : else")
        return f"{name}_zero", f"{name}_out"
    if block.kind == "host":
        return _draw_host(block, lines, indent)
    split = {"race": "choice", "xor": "xor", "and": "and", "or": "or"}[block.kind]
    say(f"{split} {name}_split")
    say(f"{'xor' if split == 'choice' else split} {name}_join")
    for place, part in enumerate(block.parts):
        first, last = _draw(part, lines, indent)
        if block.kind == "race":
            say(f"catch {name}_{place} message={name}_{place}")
            say(f"{name}_split -> {name}_{place} -> {first}")
        else:
            test = "else" if place == len(block.parts) - 1 else str(block.picks[place]) if block.picks else ""
            say(f"{name}_split -> {first}" + (f" : {test}" if block.picks else ""))
        say(f"{last} -> {name}_join")
    return f"{name}_split", f"{name}_join"


def _draw_host(block: Block, lines: list[str], indent: str) -> tuple[str, str]:
    name, say = block.id, lambda text: lines.append(indent + text)
    first, last = _draw(block.parts[0], lines, indent)
    say(f"boundary {name} on={first} message={name}" + (" soft" if block.soft else ""))
    handler, after = _draw(block.parts[1], lines, indent)
    say(f"{name} -> {handler}")
    if block.soft:
        say(f"end {name}_end")
        say(f"{after} -> {name}_end")
        return first, last
    say(f"xor {name}_merge")
    say(f"{last} -> {name}_merge")
    say(f"{after} -> {name}_merge")
    return first, f"{name}_merge"


# -- as a meaning ----------------------------------------------------------------------------------


class State:
    """A block under way. None in its place means that it is done."""

    def __init__(self, block: Block, scope: list[State]) -> None:
        self.block, self.scope = block, scope

    def actions(self) -> Counter[Action]:
        raise NotImplementedError

    def act(self, action: Action) -> State | None:
        """The state after one of its actions was done."""
        raise NotImplementedError


class _Leaf(State):
    def actions(self):
        return Counter([("do" if self.block.kind == "task" else "fire", self.block.id)])

    def act(self, action):
        return None


class _Chain(State):
    """One thing under way, and what comes after it."""

    def __init__(
        self, block: Block, scope: list[State], now: State, then: Callable[[], State | None]
    ) -> None:
        super().__init__(block, scope)
        self.now, self.then = now, then

    def actions(self):
        return self.now.actions()

    def act(self, action):
        after = self.now.act(action)
        if after is None:
            return self.then()
        self.now = after
        return self


class _Together(State):
    def __init__(self, block: Block, scope: list[State], parts: list[State]) -> None:
        super().__init__(block, scope)
        self.parts = parts

    def actions(self):
        return sum((part.actions() for part in self.parts), Counter())

    def act(self, action):
        _act_in(self.parts, action)
        return self if self.parts else None


class _Scope(State):
    """A process or sub-process: its main line, and what non-interrupting events began beside it."""

    def __init__(self, block: Block) -> None:
        self.threads: list[State] = []
        super().__init__(block, self.threads)
        first = begin(block, self.threads)
        if first is not None:
            self.threads.insert(0, first)

    def actions(self):
        return sum((thread.actions() for thread in self.threads), Counter())

    def act(self, action):
        _act_in(self.threads, action)
        return self if self.threads else None


class _Host(State):
    def __init__(self, block: Block, scope: list[State], inner: State) -> None:
        super().__init__(block, scope)
        self.inner = inner

    def actions(self):
        return self.inner.actions() + Counter([("fire", self.block.id)])

    def act(self, action):
        if action != ("fire", self.block.id):
            after = self.inner.act(action)
            if after is None:
                return None
            self.inner = after
            return self
        if not self.block.soft:
            return begin(self.block.parts[1], self.scope)
        beside = begin(self.block.parts[1], self.scope)
        if beside is not None:
            self.scope.append(beside)
        return self


class _Race(State):
    def actions(self):
        return Counter(("fire", f"{self.block.id}_{place}") for place in range(len(self.block.parts)))

    def act(self, action):
        return begin(self.block.parts[int(action[1].rpartition("_")[2])], self.scope)


def _act_in(parts: list[State], action: Action) -> None:
    place = next(index for index, part in enumerate(parts) if action in part.actions())
    acting = parts[place]
    after = acting.act(action)
    place = next(index for index, part in enumerate(parts) if part is acting)
    parts[place : place + 1] = [] if after is None else [after]


def begin(block: Block, scope: list[State]) -> State | None:
    """The block's first state; None when it is done at once."""
    match block.kind:
        case "script":
            return None
        case "task" | "wait":
            return _Leaf(block, scope)
        case "seq":
            return _one_by_one(block, scope, block.parts)
        case "loop":
            return _one_by_one(block, scope, block.parts * block.laps)
        case "sub":
            inside = _Scope(block.parts[0])
            return inside if inside.threads else None
        case "race":
            return _Race(block, scope)
        case "host":
            inner = begin(block.parts[0], scope)
            return None if inner is None else _Host(block, scope, inner)
    taken = [part for place, part in enumerate(block.parts) if not block.picks or block.picks[place]]
    parts = [state for state in (begin(part, scope) for part in taken) if state is not None]
    return _Together(block, scope, parts) if parts else None


def _one_by_one(block: Block, scope: list[State], parts: list[Block]) -> State | None:
    for place, part in enumerate(parts):
        first = begin(part, scope)
        if first is not None:
            rest = parts[place + 1 :]
            return _Chain(block, scope, first, lambda rest=rest: _one_by_one(block, scope, rest))
    return None


def meaning(block: Block) -> Any:
    """The state of a process that consists of the block."""
    return _Scope(block)
