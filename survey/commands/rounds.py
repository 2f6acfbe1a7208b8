"""Commands on rounds: opened, drawn, worked on in the field, closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.commands.core import Command, Context
from engine.errors import Conflict, Denied, Invalid, Problem
from engine.model import label
from survey import draws, ledger, returns, rounds
from survey.agreement import opening
from survey.commands import drawn_by
from survey.commands.rights import check_own, check_right, check_role
from survey.numbering import ranges
from survey.rounds import Round
from survey.sampling import Design, design_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRound(Command):
    """Open a round of a running instance; its sample is drawn afterwards."""

    instance: int
    questionnaire: str = "questionnaire"
    part: str = ""
    groups: tuple[str, ...] | None = None
    method: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawSample(Command):
    """Draw a round's sample. `again`, a reason, takes an earlier draw back that nobody has acted on.

    Without a design it is a census, and `again` what it was before; another design then takes `admin`.
    """

    instance: int
    part: str | None = None
    design: Mapping[str, object]
    seed: str | None = None
    again: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Command):
    """Enter in the ledger what was done for members, and what became of them.

    `kind` correction says that a disposition was wrong, also of a closed round; `note` is the reason.
    """

    instance: int
    part: str | None = None
    codes: tuple[str, ...]
    kind: str
    channel: str | None = None
    day: str | None = None
    """ISO date; today where nothing is said."""
    disposition: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRound(Command):
    """Take no more returns."""

    instance: int
    part: str | None = None


def open_round(cmd: OpenRound, ctx: Context) -> Round:
    """Open a round. Raises `NotFound` without such a questionnaire."""
    instance = ctx.running(cmd.instance)
    check_right(ctx, str(instance.row["unit"]))
    found = rounds.open_round(
        ctx.conn,
        instance=cmd.instance,
        questionnaire=cmd.questionnaire,
        now=ctx.now,
        part=cmd.part,
        groups=cmd.groups,
        method=cmd.method,
    )
    if found.opened_at == ctx.now:
        note(ctx, "round.opened", found, opening(found))
    return found


def draw_sample(cmd: DrawSample, ctx: Context) -> draws.Drawn:
    """Draw, list the members, keep everything needed to draw again."""
    found = running(ctx, cmd.instance, cmd.part)
    design, place = design_of(cmd.design), None
    if cmd.again is not None:
        design = _design_again(ctx, found, design if cmd.design else None)
        if not cmd.again.strip():
            raise Invalid([Problem("again", "Say why, so that somebody else understands it")])
        if found.redraw is not None:
            check_role(ctx, found.unit, found.redraw)
        before = draws.drawn(ctx.conn, found)
        draws.undo(ctx.conn, found)
        place = drawn_by.element(ctx, found, before.seed)
        taken_back = {"reason": cmd.again, "seed": before.seed, "frame_sha256": before.frame_sha256}
        note(ctx, "round.draw_taken_back", found, taken_back, place)
    by = ctx.actor.person
    made = draws.draw_sample(ctx.conn, found, design, seed=cmd.seed, by=by, now=ctx.now, today=ctx.today)
    note(ctx, "round.drawn", found, made.facts(), place)
    return made


def _design_again(ctx: Context, found: Round, wanted: Design | None) -> Design:
    """How a sample is drawn again: as before; in another way, which gives up what the document asks, by an admin."""
    before = draws.drawn(ctx.conn, found)
    if wanted is None or wanted == before.design:
        return before.design
    if not ctx.may("admin"):
        template = (
            "The sample of {name} was drawn by {method}, as its procedure says: leave the options out to draw it that "
            "way again; only who may: admin draws it otherwise"
        )
        raise Denied(template, name=found.name, method=before.method)
    return wanted


def record(cmd: Record, ctx: Context) -> int:
    """Enter something in the ledger. Returns for how many members."""
    found = running(ctx, cmd.instance, cmd.part)
    try:
        day = ctx.today if cmd.day is None else date.fromisoformat(cmd.day)
    except ValueError:
        template = "Expected a date such as 2026-09-14, found {found}"
        raise Invalid([Problem("day", template, {"found": cmd.day})]) from None
    opened = found.opened_at.astimezone(ctx.services.zone).date()
    if day < opened:
        template = "{day} is before {opened}, when the round was opened"
        raise Invalid([Problem("day", template, {"day": day.isoformat(), "opened": opened.isoformat()})])
    if "*" in cmd.codes:
        there = rounds.roster(ctx.conn, found.id)
        if not there:
            template = (
                "{round} has no customers: its sample is not drawn yet; flow round draw {label} draws it"
            )
            raise Conflict(template, round=found.name, label=label(found.instance))
    else:
        named = [returns.member_called(ctx.conn, found, code) for code in cmd.codes]
        there = tuple({each.id: each for each in named}.values())
    check_own(ctx, found.unit, there)
    ledger.record(
        ctx.conn,
        found,
        there,
        cmd.kind,
        by=ctx.actor.person,
        day=day,
        now=ctx.now,
        channel=cmd.channel,
        disposition=cmd.disposition,
        note=cmd.note,
    )
    facts = {
        "kind": cmd.kind,
        "members": ranges(sorted(each.number for each in there)),
        "count": len(there),
        "day": day.isoformat(),
        "channel": cmd.channel,
        "disposition": cmd.disposition,
    }
    if cmd.kind == ledger.CORRECTION:
        was = Counter(each.disposition for each in there)
        facts |= {"was": was, "reason": cmd.note, "after_closing": found.status != "open"}
        note(ctx, "round.ledger_corrected", found, facts)
    else:
        note(ctx, "round.ledger", found, facts)
    return len(there)


def close_round(cmd: CloseRound, ctx: Context) -> Round:
    """Close a round. Raises `Conflict` when it is closed."""
    found = running(ctx, cmd.instance, cmd.part)
    rounds.open_for_returns(found)
    rounds.close(ctx.conn, found.id, ctx.now)
    note(ctx, "round.closed", found, {})
    return rounds.round_of(ctx.conn, found.instance, found.part)


def running(ctx: Context, instance: int, part: str | None) -> Round:
    """The round of a running instance, for who has a role in its unit."""
    ctx.running(instance)
    found = rounds.round_of(ctx.conn, instance, part)
    check_right(ctx, found.unit)
    return found


def note(
    ctx: Context, kind: str, found: Round, facts: Mapping[str, object], place: str | None = None
) -> None:
    """`place`: the element of the diagram that it is about."""
    part = {"part": found.part} if found.part else {}
    ctx.note(kind, {**facts, **part}, instance=found.instance, subject=place or label(found.instance))


COMMANDS: Mapping[type[Command], Callable[[Any, Context], Any]] = {
    OpenRound: open_round,
    DrawSample: draw_sample,
    Record: record,
    CloseRound: close_round,
}
