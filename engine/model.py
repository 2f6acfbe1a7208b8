"""The nouns: who acts, what things are called, and the states they may be in. No I/O, no library types."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from engine.errors import NotFound

ENGINE = "engine"
"""Who acts when nobody does: timers, schedules, jobs."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever asks: a person's id, and whose right is used when it is not their own."""

    person: str
    acting_for: str | None = None
    right_of: str | None = None
    """For whom the one acted for stands in, where the right used is not theirs either."""


SYSTEM = Actor(ENGINE)


class InstanceStatus(StrEnum):
    """The states of an instance."""

    RUNNING = "running"
    SUSPENDED = "suspended"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    """Ended by a BPMN error that nothing caught."""


class TaskStatus(StrEnum):
    """The states of a user task."""

    OPEN = "open"
    CLAIMED = "claimed"
    DONE = "done"
    CANCELLED = "cancelled"


_LABEL = re.compile(r"(?i)sv-([1-9][0-9]{0,17})(?:\.([1-9][0-9]{0,17}))?")


def label(instance: int) -> str:
    """What people call an instance: SV-12."""
    return f"SV-{instance}"


def task_label(instance: int, number: int) -> str:
    """What people call a user task: SV-12.3."""
    return f"SV-{instance}.{number}"


def instance_number(text: str) -> int:
    """The number of an instance from what a person typed (`SV-12`, `sv-12`, `12`). Raises NotFound."""
    plain = text.strip()
    found = _LABEL.fullmatch(plain if plain.lower().startswith("sv-") else f"SV-{plain}")
    if found is None or found[2]:
        raise NotFound("{text!r} is no instance; instances are called like SV-12", text=text)
    return int(found[1])


def task_id(text: str) -> str:
    """The id of a user task from what a person typed (`SV-12.3`, `sv-12.3`, `12.3`). Raises NotFound."""
    plain = text.strip()
    found = _LABEL.fullmatch(plain if plain.lower().startswith("sv-") else f"SV-{plain}")
    if found is None or not found[2]:
        raise NotFound("{text!r} is no task; tasks are called like SV-12.3", text=text)
    return f"SV-{found[1]}.{found[2]}"


_RANKS = {
    **dict.fromkeys(("cancel", "catch", "escalated"), 0),
    **dict.fromkeys(("message", "signal"), 1),
    "child": 2,
    **dict.fromkeys(("letter", "broadcast"), 4),
}


def rank(kind: str) -> int:
    """Which of several waiting jobs comes first: the lowest.

    What may end an instance comes before anything else is done, so that whoever is to be stopped does not go on
    meanwhile; an end is told after what was thrown before it. What is thrown for others comes last, when all
    have gone as far as they can: so it is the same however many steps that takes.
    """
    return _RANKS.get(kind, 3)
