"""Commands in two parts: much is read and judged before the transaction begins, little is left to do inside it.

A transaction that writes keeps every other writer waiting. What takes long and changes nothing (reading a large file,
judging its rows) is done before; inside, the command sees to it that what it relied on still holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.commands.core import Context


@dataclass(frozen=True, slots=True)
class Prepared:
    """What carries out a command in two parts."""

    prepare: Callable[[Any, Context], Any]
    """Reads and judges; what it returns is `Context.prepared` in the transaction, on the same day. It holds no
    connection: each of its statements sees the database as it is at that moment."""
    carry: Callable[[Any, Context], Any]

    def __call__(self, command: Any, ctx: Context) -> Any:
        """Carry the command out, within the transaction."""
        return self.carry(command, ctx)
