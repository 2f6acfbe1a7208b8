"""What became of a schedule when a new version of its procedure changed its rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Fired:
    """A kick-off carried out: late, or missed when it could not be."""

    period: str
    due: datetime
    instance: str | None


@dataclass(frozen=True, slots=True)
class Moved:
    """What a new rule did to a schedule."""

    unit: str
    element: str
    old_period: str | None
    old_at: datetime | None
    period: str | None
    """The next to start now; None when none can be planned."""
    at: datetime | None
    fired: tuple[Fired, ...]
    """What the new rule should have started already: it is started now."""
    reason: str | None
    """Why none can be planned."""
