"""Who may change a unit's rosters and rounds."""

from __future__ import annotations

from collections.abc import Iterable

from engine.commands.core import Context
from engine.errors import Denied
from engine.model import SYSTEM
from survey.numbering import some
from survey.rounds import Member

SURVEYOR = "surveyor"
"""The role of those who may be given customers to survey; whoever holds no other works on those alone."""


def check_right(ctx: Context, unit: str) -> None:
    """Raise `Denied` to whoever has no role in the unit, nor in one above it."""
    if ctx.actor != SYSTEM and not _held(ctx, unit):
        raise Denied("{person} holds no role in unit {unit}", person=ctx.rights(ctx.who).person, unit=unit)


def check_roster(ctx: Context, unit: str) -> None:
    """Raise `Denied` to whoever may not change the unit's roster: without a role there, or a surveyor alone."""
    check_right(ctx, unit)
    if ctx.actor != SYSTEM and _held(ctx, unit) == {SURVEYOR}:
        template = "{person} surveys customers of {unit}; who may be asked, the others there decide"
        raise Denied(template, person=ctx.rights(ctx.who).person, unit=unit)


def check_role(ctx: Context, unit: str, role: str) -> None:
    """Raise `Denied` to whoever does not hold the role in the unit, nor in one above it."""
    if ctx.actor != SYSTEM and role not in _held(ctx, unit):
        template = "The sample is drawn again only by the role {role}, which {person} does not hold in {unit}"
        raise Denied(template, role=role, person=ctx.rights(ctx.who).person, unit=unit)


def check_own(ctx: Context, unit: str, members: Iterable[Member]) -> None:
    """Raise `Denied` to a surveyor, without another role there, for members who were given to somebody else."""
    if ctx.actor == SYSTEM or _held(ctx, unit) != {SURVEYOR}:
        return
    rights = ctx.rights(ctx.who)
    others = [each.code for each in members if not rights.represents(each.surveyor or "")]
    if others:
        template = "{person} surveys those assigned to them only; these are not: {codes}"
        raise Denied(template, person=rights.person, codes=some(others))


def _held(ctx: Context, unit: str) -> set[str]:
    """The roles held in the unit or above it."""
    units = ctx.units(unit)
    holdings = ctx.rights(ctx.who).holdings.values()
    return {role for held in holdings for role, place in held if place in units}
