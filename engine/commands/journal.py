"""The journal's own commands."""

from __future__ import annotations

from dataclasses import dataclass

from engine.commands.core import Command, Context
from engine.store import seal as seals


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal(Command):
    """Chain the heads of all chains that moved since the last seal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase(Command):
    """Erase a person's values from the history; the chains stay whole."""

    owner: str
    reason: str


def seal(_cmd: Seal, ctx: Context) -> seals.Seal | None:
    """Write a seal; None when nothing moved."""
    return seals.seal(ctx.conn, ctx.now)


def erase(cmd: Erase, ctx: Context) -> int:
    """Erase what `owner` gave that is personal. Returns how many values."""
    from engine.store.private import erase as erase_values

    number = erase_values(ctx.conn, cmd.owner, ctx.now)
    ctx.note("person.erased", {"values": number, "reason": cmd.reason}, subject=cmd.owner)
    return number
