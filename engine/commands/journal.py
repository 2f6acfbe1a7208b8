"""The journal's own commands."""

from __future__ import annotations

from dataclasses import dataclass

from engine.commands.core import Command, Context
from engine.store import seal as seals


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal(Command):
    """Chain the heads of all chains that moved since the last seal."""


def seal(_cmd: Seal, ctx: Context) -> seals.Seal | None:
    """Write a seal; None when nothing moved."""
    return seals.seal(ctx.conn, ctx.now)
