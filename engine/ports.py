"""What the engine needs from the world, as protocols it owns. Every datetime that crosses is aware UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol


class Clock(Protocol):
    """Where the time comes from. It is read once per command, and nowhere else."""

    def now(self) -> datetime: ...


class Connection(Protocol):
    """The open transaction, as far as a handler needs it: SQLAlchemy Core statements in, rows out."""

    def execute(self, statement: Any, parameters: Any = None, /) -> Any: ...


class Doorbell(Protocol):
    """What wakes a worker when a job was written. A lost ring costs time, never a job: `sweep` looks again."""

    def ring(self, connection: Connection, job: int, instance: int | None, *, rank: int) -> None:
        """Announce a job, within the caller's transaction; of several waiting, those of the lowest rank come first."""
