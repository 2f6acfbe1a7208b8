"""What became of one attempt to deliver a message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """How an attempt ended."""

    SENT = "sent"
    """The other side took it over."""
    REFUSED = "refused"
    """The other side will never take it: no use in trying again."""
    LATER = "later"
    """It was surely not taken over; another time it may be."""
    UNKNOWN = "unknown"
    """It was handed over, but no answer came: it may have arrived."""
    MOOT = "moot"
    """What it is about is over: nobody has to be told any more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an attempt, in the other side's words; never a secret or a webhook's address."""

    result: Result
    reason: str = ""


SENT = Outcome(Result.SENT)
MOOT = Outcome(Result.MOOT)


def refused(reason: str) -> Outcome:
    """It will never be taken."""
    return Outcome(Result.REFUSED, reason)


def later(reason: str) -> Outcome:
    """It was not taken this time."""
    return Outcome(Result.LATER, reason)


def unknown(reason: str) -> Outcome:
    """Nobody knows whether it was taken."""
    return Outcome(Result.UNKNOWN, reason)
