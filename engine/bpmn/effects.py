"""What a step wants of the world, in order; the commands turn each into rows and journal entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.errors import EngineError

MAX_ITEMS = 200_000
"""Instances of one multi-instance activity: more would hold up everybody else."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that happened to one token. Tokens are numbered within their instance."""

    token: int
    element: str


@dataclass(frozen=True, slots=True)
class Entered(Effect):
    """A token reached the element and the element began."""


@dataclass(frozen=True, slots=True)
class TaskOpened(Effect):
    """A person is to do this now."""


@dataclass(frozen=True, slots=True)
class Withdrawn(Effect):
    """The token is gone without completing: its task, timers, subscriptions, batch and jobs go with it."""


@dataclass(frozen=True, slots=True)
class Finished(Effect):
    """A waiting token completed: what was armed for it is no longer needed."""


@dataclass(frozen=True, slots=True)
class Armed(Effect):
    """The token waits for an event. `index` tells the definitions of a multiple event apart."""

    index: int
    kind: str
    """timer, message or signal."""
    name: str
    """The timer's text; the message's or signal's name."""
    repeats: bool = False
    """The wait goes on after it fired (non-interrupting boundary, non-interrupting event sub-process)."""


@dataclass(frozen=True, slots=True)
class Called(Effect):
    """A called process or a batch of instances is to start; the token waits for its end."""

    multi: bool
    items: tuple[object, ...] | None = None
    """The items, when the diagram's own collection or cardinality gives them; None asks a provider."""
    sequential: bool = False


@dataclass(frozen=True, slots=True)
class Requested(Effect):
    """An outside handler is to run after the commit; the token waits for its answer."""

    handler: str


@dataclass(frozen=True, slots=True)
class Thrown(Effect):
    """A message or signal leaves the instance, or an error or escalation reached its top uncaught."""

    kind: str
    name: str
    key: str | None = None
    """A message's correlation key, worked out from `flow.key`."""
    near: bool = True
    """The thrower itself, or who called it, may catch it: they come before the thrower goes on."""


@dataclass(frozen=True, slots=True)
class Changed(Effect):
    """The element set these variables."""

    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed(Effect):
    """The element could not run; the token stays until a person retries or skips it."""

    reason: str
    fault: EngineError = field(compare=False)


@dataclass(frozen=True, slots=True)
class Paused(Effect):
    """The step stops here though it could go on: it was long, or virtual time passed inside a script."""


@dataclass(frozen=True, slots=True)
class Ended(Effect):
    """Nothing is left to do. `outcome` is completed, terminated, or error(CODE)."""

    outcome: str
