"""How much an instance does without waiting, and when that is held to be endless.

One transaction does a limited part, so that nobody else waits long for the database; what could go on goes on
as a job. A chain of such jobs, and of those that a message or a called process causes in between, ends as an
incident at a limit that no sensible diagram comes near; a person who has it retried gives it as much again.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import EngineError

MAX_VISITS = 1_000_000
"""Elements entered one after another, waiting neither for anybody nor for time."""
STEP_VISITS = 5_000
"""Elements entered in one transaction."""
MAX_TOKENS = 2_000
"""Tokens alive at once in one instance (the items of a batch are instances of their own)."""
_BYTES = 1_000
"""Bytes of variables that count as much as entering an element when they are set."""
_AT_ONCE = 1_000
"""Elements that a timer which is due already counts for: so that it may fire a thousand times in a row."""


@dataclass(slots=True)
class Meter:
    """What was done, in elements entered."""

    chain: int = 0
    """Since somebody acted or time passed, the jobs in between included."""
    step: int = 0
    """In this transaction."""

    def visit(self) -> None:
        """An element was entered."""
        self.chain += 1
        self.step += 1

    def weigh(self, size: int) -> None:
        """Variables of so many bytes were set."""
        self.chain += size // _BYTES
        self.step += size // _BYTES

    def fire(self) -> None:
        """A timer was armed that is due at once, so that no time will pass."""
        self.chain += _AT_ONCE

    @property
    def full(self) -> bool:
        """Whether the rest is left to the next transaction."""
        return self.step >= STEP_VISITS

    def fault(self, tokens: int) -> EngineError | None:
        """Why an instance of so many tokens may not go on; None while it may."""
        if self.chain > MAX_VISITS:
            template = "More than {limit} elements ran without waiting; the loop has no end"
            return EngineError(template, limit=MAX_VISITS)
        return crowded() if tokens > MAX_TOKENS else None


def crowded() -> EngineError:
    """Why an instance goes no further that has too many tokens alive."""
    template = "More than {limit} tokens are on their way at once: more begin than end"
    return EngineError(template, limit=MAX_TOKENS)
