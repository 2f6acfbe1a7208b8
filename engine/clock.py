"""Where the time comes from. The only module that reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class VirtualClock:
    """A clock that stands until it is moved: for tests, rehearsals and demo workspaces."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock needs an aware datetime")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Stand at another moment. Raises ValueError for an earlier one: time does not run backwards."""
        if moment < self._now:
            raise ValueError(f"the clock stands at {self._now}, later than {moment}")
        self._now = moment.astimezone(UTC)

    def advance(self, **by: float) -> datetime:
        """Move on by so many days, hours, … (arguments of timedelta) and say where it stands."""
        self.move_to(self._now + timedelta(**by))
        return self._now
