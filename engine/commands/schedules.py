"""Schedules: which procedure starts for which unit, when next, and what became of each kick-off.

A kick-off is known by its schedule and period, so that it happens once however often anybody looks: after an
outage each one missed is started once, marked late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from engine.calendar.kickoffs import Kickoff, kickoff_of, next_kickoff
from engine.calendar.periods import key_form, period_of
from engine.calendar.rules import Rule, rule_from_mapping
from engine.commands import instances
from engine.commands.core import Command, Context
from engine.commands.published import newest
from engine.commands.rescheduled import Fired, Moved
from engine.errors import Conflict, EngineError, NotFound
from engine.model import label
from engine.store import tables

if TYPE_CHECKING:
    from engine.procedures import Procedure

LATE = timedelta(hours=1)
"""A kick-off this much after its time is marked late."""

_AFTER = "after"
"""Among the anchors of a schedule that waits for a year's table: the moment from which it plans again."""
_SINCE = "since"
"""Likewise: the first day of the first period that it has to start even if that should have been before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(Command):
    """Have a published procedure start by its calendar for a unit, from now on."""

    procedure: str
    unit: str
    since: datetime | None = None
    """Kick-offs before it are not made up for; by default now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FireSchedules(Command):
    """Start what is due by the calendar."""

    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class FireNow(Command):
    """Start a scheduled procedure by hand, as its kick-off of a period."""

    procedure: str
    unit: str
    element: str | None = None
    """The start event, when there are several."""
    period: str | None = None
    """The period to start; by default the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseSchedule(Command):
    """Stop (or resume) starting a procedure for a unit; what falls due meanwhile is not made up for."""

    procedure: str
    unit: str
    paused: bool
    reason: str
    element: str | None = None
    """The start event; by default all of them."""


def lay_out(ctx: Context, procedure: Procedure) -> tuple[Moved, ...]:
    """A new version was published: the schedules there are follow its rules from now on.

    A period still to be started whose kick-off would have been in the past by the new rule is started at once.
    """
    table = tables.schedule
    moved = []
    query = select(table).where(table.c.procedure == procedure.id).order_by(table.c.id).with_for_update()
    for row in ctx.conn.execute(query).all():
        schedule = procedure.schedules.get(row.element)
        if schedule is None:
            ctx.conn.execute(update(table).where(table.c.id == row.id).values(status="paused", next_at=None))
            ctx.note("schedule.ended", {"unit": row.unit, "start": row.element}, subject=procedure.id)
        elif whole_rule(procedure, schedule.written) != row.rule:
            rule = whole_rule(procedure, schedule.written)
            ctx.conn.execute(update(table).where(table.c.id == row.id).values(rule=rule))
            moved.append(_follow(ctx, row, schedule.rule))
    return tuple(moved)


def _follow(ctx: Context, old: Any, rule: Rule) -> Moved:
    """Plan a schedule by its new rule, start what that makes late, and say what became of it."""
    waits = old.status == "active" and old.next_at is None
    after = _planned_up_to(ctx, old) if waits and _AFTER in (old.anchors or {}) else ctx.now
    reason = _plan_next(ctx, old.id, old.unit, rule, after, _owed_since(ctx, old, rule))
    row = _again(ctx, old.id)
    planned = row
    fired = []
    while row.status == "active" and row.next_at is not None and row.next_at <= ctx.now:
        number = _fire(ctx, row)
        fired.append(Fired(row.next_period, row.next_at, None if number is None else label(number)))
        row = _again(ctx, old.id)
    facts = {
        "unit": old.unit, "start": old.element, "old_period": old.next_period, "old_due": _iso(old.next_at),
        "period": planned.next_period, "due": _iso(planned.next_at), "rule": planned.rule,
    }  # fmt: skip
    ctx.note("schedule.changed", facts, subject=old.procedure)
    return Moved(
        old.unit, old.element, old.next_period, old.next_at, row.next_period, row.next_at, tuple(fired),
        reason if row.next_at is None else None,
    )  # fmt: skip


def _owed_since(ctx: Context, row: Any, rule: Rule) -> date | None:
    """The first day of the first period that a schedule still has to start; None when nothing is planned.

    Periods of another length have other names: of those only the one that goes on, and later ones.
    """
    anchors = row.anchors or {}
    text = anchors.get("period_start") or anchors.get(_SINCE)
    if row.status != "active" or text is None:
        return None
    begin = date.fromisoformat(text)
    if rule.every is None or rule.every == rule_of(row).every:
        return begin
    return period_of(max(begin, ctx.today), rule.every).begin


def _again(ctx: Context, number: int) -> Any:
    return ctx.conn.execute(select(tables.schedule).where(tables.schedule.c.id == number)).one()


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def whole_rule(procedure: Procedure, written: Any) -> Any:
    """The rule as it is kept: with the procedure's own way of counting where it does not name one."""
    if not isinstance(written, dict) or not isinstance(written.get("start"), dict):
        return written
    fit = written["start"].get("latest_fit")
    if not isinstance(fit, dict) or "counting" in fit or procedure.counting is None:
        return written
    return {**written, "start": {**written["start"], "latest_fit": {**fit, "counting": procedure.counting}}}


def schedule(cmd: Schedule, ctx: Context) -> tuple[str, ...]:
    """Lay out a procedure's schedules for a unit. Returns the start events that now fire there."""
    ctx.active_unit(cmd.unit)
    definition = ctx.services.library.find(ctx.conn, newest(ctx.conn, cmd.procedure))
    procedure = definition.procedure
    if not procedure.schedules:
        raise Conflict("{procedure} has no schedule; start it with `flow start`", procedure=procedure.id)
    table = tables.schedule
    for name, each in procedure.schedules.items():
        there = ctx.conn.execute(
            select(table.c.id).where(
                table.c.procedure == procedure.id, table.c.unit == cmd.unit, table.c.element == name
            )
        ).scalar_one_or_none()
        if there is None:
            there = ctx.conn.execute(
                insert(table)
                .values(
                    procedure=procedure.id, unit=cmd.unit, element=name, status="active", created_at=ctx.now,
                    rule=whole_rule(procedure, each.written),
                )
                .returning(table.c.id)
            ).scalar_one()  # fmt: skip
            ctx.note(
                "schedule.made", {"unit": cmd.unit, "start": name, "rule": each.written}, subject=procedure.id
            )
            _plan_next(ctx, there, cmd.unit, each.rule, cmd.since or ctx.now)
    return tuple(procedure.schedules)


def _plan_next(
    ctx: Context, number: int, unit: str, rule: Rule, after: datetime, since: date | None = None
) -> str | None:
    """Plan the next kick-off after the instant, or of a period from `since` on. Returns why there is none."""
    values: dict[str, Any] = {"next_at": None, "next_period": None, "anchors": None}
    kickoff = reason = None
    table = tables.kickoff.c
    done = set(ctx.conn.execute(select(table.period).where(table.schedule_id == number)).scalars())
    try:
        kickoff = next_kickoff(rule, after, ctx.calendar(unit), ctx.services.zone, since=since, done=done)
    except EngineError as error:  # a year's table is missing: `replan` goes on from here when it is imported
        reason = str(error)
        values["anchors"] = {_AFTER: after.isoformat()} | (
            {} if since is None else {_SINCE: since.isoformat()}
        )
        ctx.note("schedule.waits", {"unit": unit, "reason": reason}, subject=str(number))
    if kickoff is not None:
        values = {"next_at": kickoff.at, "next_period": kickoff.period, "anchors": _anchors(kickoff)}
    ctx.conn.execute(update(tables.schedule).where(tables.schedule.c.id == number).values(values))
    return reason


def replan(ctx: Context) -> None:
    """A working-day table was imported: kick-offs still to come move with it, those that waited for it are planned."""
    table = tables.schedule
    for row in ctx.conn.execute(select(table).where(table.c.status == "active").with_for_update()).all():
        if row.next_at is None:
            since = None if row.anchors is None else row.anchors.get(_SINCE)
            owed = None if since is None else date.fromisoformat(since)
            _plan_next(ctx, row.id, row.unit, rule_of(row), _planned_up_to(ctx, row), owed)
        elif row.next_at > ctx.now:  # what is due already the metronome takes as it was planned
            planned = _of_period(ctx, row, rule_of(row), row.next_period)
            if planned.at != row.next_at:
                values = {"next_at": planned.at, "anchors": _anchors(planned)}
                ctx.conn.execute(update(table).where(table.c.id == row.id).values(values))


def _planned_up_to(ctx: Context, row: Any) -> datetime:
    """The moment after which a schedule without a next kick-off looks for one."""
    if row.anchors and _AFTER in row.anchors:
        return datetime.fromisoformat(row.anchors[_AFTER])
    kickoff = tables.kickoff.c
    last = ctx.conn.execute(
        select(func.max(kickoff.due_at)).where(kickoff.schedule_id == row.id)
    ).scalar_one()
    return last or row.created_at  # type: ignore[no-any-return]


def plan_again(ctx: Context) -> int:
    """A clock ran ahead: kick-offs it made before their time do not count, and every schedule goes on from now.

    Returns how many kick-offs will be made again.
    """
    table = tables.kickoff
    gone = ctx.conn.execute(delete(table).where(table.c.due_at > ctx.now)).rowcount
    for row in ctx.conn.execute(select(tables.schedule).where(tables.schedule.c.status == "active")).all():
        _plan_next(ctx, row.id, row.unit, rule_of(row), ctx.now)
    return int(gone)


def _anchors(kickoff: Kickoff) -> dict[str, str]:
    return {name: day.isoformat() for name, day in kickoff.anchors.items()}


def fire_schedules(cmd: FireSchedules, ctx: Context) -> list[int]:
    """Start every kick-off that is due, oldest first, each once. Returns the instances."""
    table = tables.schedule
    started = []
    rows = ctx.conn.execute(
        select(table)
        .where(table.c.status == "active", table.c.next_at <= ctx.now)
        .order_by(table.c.next_at, table.c.id)
        .limit(cmd.limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        number = _fire(ctx, row)
        if number is not None:
            started.append(number)
    return started


def _fire(ctx: Context, row: Any) -> int | None:
    """Start what a schedule has due, and plan its next; None when it was started already, or cannot be."""
    try:
        with ctx.attempt():
            number = _kick_off(ctx, row, row.next_period, row.next_at, row.anchors)
    except EngineError as fault:  # the others must still start; this one a person starts once it is mended
        number = None
        _miss(ctx, row, str(fault))
    _plan_next(ctx, row.id, row.unit, rule_of(row), row.next_at)
    return number


def rule_of(row: Any) -> Rule:
    """The rule of a schedule's row."""
    return rule_from_mapping(row.rule, f"schedule {row.element} of {row.procedure}", None)


def _kick_off(
    ctx: Context, row: Any, period: str, due: datetime, anchors: Mapping[str, str], *, by_hand: bool = False
) -> int | None:
    table = tables.kickoff
    same = (table.c.schedule_id == row.id, table.c.period == period)
    there = ctx.conn.execute(select(table.c.instance_id).where(*same)).one_or_none()
    if there is not None and there.instance_id is not None:
        return None
    late = ctx.now - due > LATE
    number = instances.begin(
        instances.Start(
            by=ctx.actor, procedure=row.procedure, unit=row.unit, period=period, element=row.element,
            variables={**anchors, "period": period},
        ),
        ctx,
    )  # fmt: skip
    values = {"due_at": due, "started_at": ctx.now, "late": late, "instance_id": number, "status": "started"}
    if there is None:
        ctx.conn.execute(insert(table).values(schedule_id=row.id, period=period, **values))
    else:
        ctx.conn.execute(update(table).where(*same).values(values))
    facts = {"period": period, "unit": row.unit, "due": due.isoformat(), "late": late, "by_hand": by_hand}
    ctx.note("schedule.fired", facts, instance=number, subject=row.procedure)
    return number


def _miss(ctx: Context, row: Any, reason: str) -> None:
    """A kick-off failed: it is listed as missed."""
    ctx.conn.execute(
        insert(tables.kickoff).values(
            schedule_id=row.id, period=row.next_period, due_at=row.next_at, late=True, status="missed"
        )
    )
    facts = {"period": row.next_period, "unit": row.unit, "reason": reason}
    ctx.note("schedule.failed", facts, subject=row.procedure)


def fire_now(cmd: FireNow, ctx: Context) -> int:
    """Start one kick-off by hand. Raises Conflict when that period was started already, or could be several's."""
    row = _row(ctx, cmd.procedure, cmd.unit, cmd.element)
    rule = rule_of(row)
    period, due, anchors = row.next_period, row.next_at, row.anchors or {}
    if cmd.period is not None and cmd.period != period:
        wanted = _of_period(ctx, row, rule, cmd.period)
        period, due, anchors = wanted.period, wanted.at, _anchors(wanted)
    if period is None:
        raise Conflict("{procedure} has nothing planned for {unit}", procedure=cmd.procedure, unit=cmd.unit)
    number = _kick_off(ctx, row, period, min(due, ctx.now), anchors, by_hand=True)
    if number is None:
        table = tables.kickoff.c
        query = select(table.instance_id).where(table.schedule_id == row.id, table.period == period)
        there = ctx.conn.execute(query).scalar_one()
        raise Conflict("Period {period} was started already: {label}", period=period, label=label(there))
    if period == row.next_period:
        _plan_next(ctx, row.id, row.unit, rule, row.next_at)
    return number


def _of_period(ctx: Context, row: Any, rule: Rule, period: str) -> Kickoff:
    found = kickoff_of(period, rule, ctx.calendar(row.unit), ctx.services.zone)
    if found is None:
        raise NotFound(
            "{procedure} has no kick-off for period {period}; a period is written as {example}",
            procedure=row.procedure, period=period, example=key_form(rule.every),
        )  # fmt: skip
    return found


def pause_schedule(cmd: PauseSchedule, ctx: Context) -> tuple[str, ...]:
    """Pause or resume. Returns the start events it concerns; Conflict when none of them has to change."""
    if not cmd.paused:
        ctx.active_unit(cmd.unit)
    table, status = tables.schedule, "paused" if cmd.paused else "active"
    changing = [row for row in _rows(ctx, cmd.procedure, cmd.unit, cmd.element) if row.status != status]
    if not changing:
        raise Conflict(
            "{procedure} is paused for {unit} already" if cmd.paused
            else "{procedure} starts by the calendar for {unit} already",
            procedure=cmd.procedure, unit=cmd.unit,
        )  # fmt: skip
    for row in changing:
        ctx.conn.execute(update(table).where(table.c.id == row.id).values(status=status))
        if not cmd.paused:
            _plan_next(ctx, row.id, row.unit, rule_of(row), ctx.now)
        facts = {"unit": cmd.unit, "start": row.element, "reason": cmd.reason}
        ctx.note(f"schedule.{status}", facts, subject=row.procedure)
    return tuple(row.element for row in changing)


def _row(ctx: Context, procedure: str, unit: str, element: str | None) -> Any:
    """The schedule of a start event; without one named, the only one there is. Raises Conflict for several."""
    rows = _rows(ctx, procedure, unit, element)
    if len(rows) > 1:
        raise Conflict(
            "{procedure} has several schedules for {unit}: name one with --element: {starts}",
            procedure=procedure, unit=unit, starts=", ".join(row.element for row in rows),
        )  # fmt: skip
    return rows[0]


def _rows(ctx: Context, procedure: str, unit: str, element: str | None) -> list[Any]:
    """The schedules of a procedure for a unit, of start events it still has, in the order made. Raises NotFound."""
    known = ctx.services.library.find(ctx.conn, newest(ctx.conn, procedure)).procedure
    table = tables.schedule
    query = select(table).where(table.c.procedure == known.id, table.c.unit == unit).order_by(table.c.id)
    rows = [row for row in ctx.conn.execute(query.with_for_update()).all() if row.element in known.schedules]
    if not rows:
        template = "{procedure} has no schedule for {unit}; make one with `flow schedule add`"
        raise NotFound(template, procedure=procedure, unit=unit)
    found = rows if element is None else [row for row in rows if row.element == element]
    if not found:
        raise NotFound(
            "{procedure} has no schedule {element} for {unit}; there is: {starts}",
            procedure=procedure, element=element, unit=unit, starts=", ".join(row.element for row in rows),
        )  # fmt: skip
    return found
