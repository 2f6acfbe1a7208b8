"""Random diagrams made of nested blocks, and what they mean, told independently of the engine.

`block_drawing` draws a block. What it means is told by rewriting: the state of a block says which tasks are open
and which events are waited for, and doing one of them gives the next state. No tokens, no gateways that count: a
choice is the branch chosen, a parallel block is all of its branches, done when they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

Action = tuple[str, str]
"""`do` a task, or `fire` an event, by element."""


@dataclass
class Block:
    """`kind` is one of:

    task, many (a multi-instance task), again (one with a standard loop), script, link; wait for an event;
    seq, xor, and, or, loop, sub; race (event-based gateway); host (of a boundary event);
    guard: a sub-process whose first branch ends in an error, an escalation or a termination;
    alarm: a sub-process with an event sub-process; undo: a task that is compensated later.
    """

    kind: str
    id: str
    parts: list[Block] = field(default_factory=list)
    picks: list[bool] = field(default_factory=list)
    """Of a choice: which branches are taken, the last one being the default."""
    laps: int = 0
    soft: bool = False
    way: str = ""
    """What is waited for (message, signal, timer), or how a guard's branch ends (error, escalation, terminate)."""


def grow(random: Random, depth: int = 4) -> Block:
    """A random block."""
    names = (f"n{number}" for number in range(100_000))
    return _grow(random, depth, names, alone=True)


_LEAVES = ("task", "task", "task", "many", "script", "link", "wait")
_NESTS = ("seq", "seq", "xor", "and", "and", "or", "or", "sub", "race", "host", "guard", "alarm")
_ONCE = (("again",), ("loop", "loop", "undo"))
"""Leaves and nests that do not stand where several may run at once, which could not be told apart."""
_EVENTS = ("message", "signal", "timer")
_PARTS = {"loop": 1, "sub": 1, "undo": 1, "host": 2, "alarm": 2, "guard": 3}


def _grow(random: Random, depth: int, names: Iterator[str], *, alone: bool) -> Block:
    kinds = _LEAVES if depth == 0 else ("task", *_NESTS)
    kind = random.choice((*kinds, *(_ONCE[depth > 0] if alone else ())))
    block = Block(kind, next(names), way=random.choice(_EVENTS))
    block.laps = random.randint(1, 3) if kind in ("loop", "again") else 0
    if kind in (*_LEAVES, "again"):
        return block
    if kind == "guard":
        block.way = random.choice(("error", "escalation", "terminate"))
    block.soft = kind in ("host", "alarm") or (kind, block.way) == ("guard", "escalation")
    block.soft = block.soft and random.random() < 0.5
    number = _PARTS.get(kind) or random.randint(2, 3) + (kind == "or")
    for place in range(number):
        beside = (
            block.soft and place == number - 1
        )  # what a non-interrupting event begins may run several times
        block.parts.append(_grow(random, depth - 1, names, alone=alone and not beside))
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
    return block


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
        return Counter([("fire" if self.block.kind == "wait" else "do", self.block.id)])

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
        self.armed = True

    def actions(self):
        return self.inner.actions() + Counter([("fire", self.block.id)] if self.armed else [])

    def act(self, action):
        if action != ("fire", self.block.id):
            after = self.inner.act(action)
            if after is None:
                return None
            self.inner = after
            return self
        if not self.block.soft:
            return begin(self.block.parts[1], self.scope)
        self.armed = self.block.way != "timer"
        beside = begin(self.block.parts[1], self.scope)
        if beside is not None:
            self.scope.append(beside)
        return self


class _Guard(State):
    """A sub-process of two branches, the first of which ends by ending the whole, or by telling the outside."""

    def __init__(self, block: Block, scope: list[State]) -> None:
        super().__init__(block, scope)
        self.inner: list[State] = []
        first, second = (begin(part, self.inner) for part in block.parts[:2])
        self.first = first
        self.inner[:0] = [each for each in (first, second) if each is not None]

    def actions(self):
        return sum((each.actions() for each in self.inner), Counter())

    def act(self, action):
        before = next(index for index, each in enumerate(self.inner) if action in each.actions())
        acting = self.inner[before]
        after = acting.act(action)
        place = next(index for index, each in enumerate(self.inner) if each is acting)
        self.inner[place : place + 1] = [] if after is None else [after]
        if acting is self.first:
            self.first = after
            if after is None:
                return self.thrown()
        return self if self.inner else None

    def thrown(self) -> State | None:
        """What is left when the first branch has come to its end."""
        if self.block.way == "terminate":
            return None
        handler = begin(self.block.parts[2], self.scope)
        if not self.block.soft:
            return handler
        if handler is not None:
            self.scope.append(handler)
        return self if self.inner else None


class _Alarm(State):
    """A sub-process, and what an event in it begins instead of its main line or beside it."""

    def __init__(self, block: Block) -> None:
        self.threads: list[State] = []
        super().__init__(block, self.threads)
        self.armed = True
        first = begin(block.parts[0], self.threads)
        if first is not None:
            self.threads.insert(0, first)

    def actions(self):
        found = sum((thread.actions() for thread in self.threads), Counter())
        return found + Counter([("fire", f"{self.block.id}_alarm")] if self.armed else [])

    def act(self, action):
        if action != ("fire", f"{self.block.id}_alarm"):
            _act_in(self.threads, action)
            return self if self.threads else None
        if not self.block.soft:
            self.threads.clear()
        self.armed = self.block.soft and self.block.way != "timer"
        handler = begin(self.block.parts[1], self.threads)
        if handler is not None:
            self.threads.append(handler)
        return self if self.threads else None


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
    if block.kind in ("script", "link"):
        return None
    if block.kind in ("task", "many", "wait"):
        return _Leaf(block, scope)
    if block.kind in ("sub", "guard", "alarm", "race", "host"):
        return _begin_bordered(block, scope)
    match block.kind:
        case "again":
            return _one_by_one(block, scope, [Block("task", block.id)] * block.laps)
        case "undo":
            undone = [Block("task", block.id), block.parts[0], Block("task", f"{block.id}_undone")]
            return _one_by_one(block, scope, undone)
        case "seq":
            return _one_by_one(block, scope, block.parts)
        case "loop":
            return _one_by_one(block, scope, block.parts * block.laps)
    taken = [part for place, part in enumerate(block.parts) if not block.picks or block.picks[place]]
    parts = [state for state in (begin(part, scope) for part in taken) if state is not None]
    return _Together(block, scope, parts) if parts else None


def _begin_bordered(block: Block, scope: list[State]) -> State | None:
    match block.kind:
        case "sub":
            inside = _Scope(block.parts[0])
            return inside if inside.threads else None
        case "guard":
            guarded = _Guard(block, scope)
            return guarded.thrown() if guarded.first is None else guarded
        case "alarm":
            alarmed = _Alarm(block)
            return alarmed if alarmed.threads else None
        case "race":
            return _Race(block, scope)
        case "host":
            inner = begin(block.parts[0], scope)
            return None if inner is None else _Host(block, scope, inner)

    raise AssertionError(block.kind)


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
