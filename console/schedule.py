"""`flow schedule`: what starts by the calendar."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import click

from console import output
from console.completions import procedures, units
from console.dates import day_text, moment_text
from console.failures import message, problem_text
from console.language import both, tr
from console.output import Cell
from console.session import Session
from console.shape import UNIT, group, option
from engine.model import label

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from engine.commands.schedules import PauseSchedule
    from engine.queries.schedules import Missed, Schedule

_PROCEDURE = click.argument("procedure", metavar="PROCEDURE", shell_complete=procedures)
_UNIT = option(
    "--unit", type=UNIT, required=True, metavar="UNIT", shell_complete=units, help="The unit it is for."
)


@group("schedule", example="flow schedule next --days 90\nflow schedule add 003G --unit office-1")
def schedule() -> None:
    """What starts by the calendar, and when."""


@schedule.command("list", example="flow schedule list")
@click.pass_obj
def list_(session: Session) -> None:
    """List the schedules, what starts next first."""
    from engine.queries import schedules

    with session.read() as conn:
        found = schedules.schedules(conn)
        waiting = _unplanned(session, conn, found)
    if session.json:
        output.dump([
            {**dataclasses.asdict(each), "waits_for": waiting.get(each.number)} for each in found
        ])  # fmt: skip
        return
    rows = [
        (
            session.title(each.title),
            each.unit_name,
            each.element,
            Cell(tr(each.status), fg=None if each.status == "active" else "yellow"),
            each.next_period,
            Cell(tr("unknown"), fg="yellow")
            if each.number in waiting
            else ""
            if each.next_at is None
            else moment_text(each.next_at, session.zone),
            ", ".join(f"{period} {instance or ''}".strip() for period, instance in each.started.items()),
        )
        for each in found
    ]
    output.table(("Procedure", "Unit", "Start", "Status", "Period", "Next", "Started"), rows, flexible=0)
    _warn(session, found, waiting)
    if not found:
        output.note("Nothing starts by the calendar; `flow schedule add` has a procedure do so")


@schedule.command("next", example="flow schedule next --days 90")
@option("--days", type=click.IntRange(1, 3660), default=90, show_default=True, help="How far to look.")
@click.pass_obj
def next_(session: Session, days: int) -> None:
    """Show what will start in the coming days, and what rests on a provisional year."""
    from engine.queries import schedules

    with session.read() as conn:
        found = schedules.schedules(conn)
        coming, untold = schedules.coming(
            found,
            session.today,
            session.today + timedelta(days=days),
            lambda unit: session.calendar(conn, unit),
            session.zone,
        )
        waiting = _unplanned(session, conn, found)
    _warn(session, found, waiting)
    later = [message(error) for each, error in untold if each.number not in waiting]
    for reason in dict.fromkeys(later):
        output.warn("What starts after these days cannot be told yet: {reason}", reason=reason)
    if session.json:
        output.dump(
            [
                {
                    "procedure": each.schedule.procedure,
                    "unit": each.schedule.unit,
                    "element": each.schedule.element,
                    "period": each.period,
                    "at": each.at,
                    "anchors": each.anchors,
                    "provisional": each.provisional,
                    "warnings": [problem_text(warning) for warning in each.warnings],
                }
                for each in coming
            ]
        )
        return
    rows = [
        (
            day_text(each.day),
            f"{each.at.astimezone(session.zone):%H:%M}",
            session.title(each.schedule.title),
            each.schedule.unit_name,
            each.period,
            each.anchors["d0"].isoformat() if "d0" in each.anchors else "",
            Cell("; ".join(_doubts(each)), fg="yellow"),
        )
        for each in coming
    ]
    output.table(("Day", "Time", "Procedure", "Unit", "Period", "D0", ""), rows, flexible=2)
    if not coming:
        output.note("Nothing starts in the next {days} days.", days=days)


def _unplanned(session: Session, conn: Connection, found: tuple[Schedule, ...]) -> dict[int, str]:
    """The schedules without a next start, and why, by number."""
    from engine.queries import schedules

    waiting = schedules.unplanned(found, session.now, lambda unit: session.calendar(conn, unit), session.zone)
    return {each.number: message(reason) for each, reason in waiting}


def _warn(session: Session, found: tuple[Schedule, ...], waiting: Mapping[int, str]) -> None:
    warn_unplanned(session, [(each, waiting[each.number]) for each in found if each.number in waiting])


def warn_unplanned(session: Session, waiting: Iterable[tuple[Schedule, str]]) -> None:
    """Say which schedules have no next start, and why: one line a reason."""
    reasons: dict[str, list[Schedule]] = {}
    for each, reason in waiting:
        reasons.setdefault(reason, []).append(each)
    for reason, those in reasons.items():
        titles = both("、", ", ").join(dict.fromkeys(session.title(each.title) for each in those))
        places = dict.fromkeys(each.unit_name for each in those)
        if len(places) == 1:
            output.warn("{procedure} for {unit} has no next start: {reason}", procedure=titles, unit=next(iter(places)),
                        reason=reason)  # fmt: skip
        else:
            output.warn("{procedure} has no next start for {count} units: {reason}", procedure=titles,
                        count=len(places), reason=reason)  # fmt: skip


def _doubts(coming: object) -> list[str]:
    from engine.queries.schedules import Coming

    assert isinstance(coming, Coming)
    return [
        *([tr("provisional")] if coming.provisional else []),
        *(problem_text(warning) for warning in coming.warnings),
    ]


@schedule.command(
    "add",
    example="flow schedule add 003G --unit office-1\nflow schedule add 003G --unit office-1 --since 2026-07-01",
)
@_PROCEDURE
@_UNIT
@option("--since", metavar="DATE", help="Make up for kick-offs since that day; by default none.")
@click.pass_obj
def add(session: Session, procedure: str, unit: str, since: str | None) -> None:
    """Have a published procedure start by its calendar for a unit, from now on."""
    from engine.commands.schedules import Schedule

    moment = None
    if since is not None:
        try:
            moment = datetime.combine(date.fromisoformat(since), time(), session.zone)
        except ValueError:
            raise click.UsageError(
                tr("--since expects a date as 2026-07-01, found {text!r}", text=since)
            ) from None
    starts = session.do(Schedule(by=session.administrator, procedure=procedure, unit=unit, since=moment))
    passed = _passed(session, procedure, unit)
    if session.json:
        output.dump({
            "procedure": procedure, "unit": unit, "starts": starts,
            "passed": [{"element": made.element, "period": each.period, "at": each.at} for made, each in passed],
        })  # fmt: skip
        return
    output.say("{procedure} starts by the calendar for {unit}: {starts}", procedure=procedure, unit=unit,
               starts=", ".join(starts))  # fmt: skip
    for made, each in passed:
        which = f" --element {made.element}" if len(starts) > 1 else ""
        output.note(
            "The kick-off of {period} was on {day} and has passed; {command} starts it",
            period=each.period, day=day_text(each.at.astimezone(session.zone).date()),
            command=f"`flow schedule fire {procedure} --unit {unit}{which} --period {each.period}`",
        )  # fmt: skip


def _passed(session: Session, procedure: str, unit: str) -> list[tuple[Schedule, Missed]]:
    """The procedure's schedules for the unit that came too late for the period that runs now."""
    from engine.commands.published import newest
    from engine.queries import schedules

    with session.read() as conn:
        id_ = session.app.services.library.find(conn, newest(conn, procedure)).procedure.id
        found = [
            (
                each,
                schedules.passed(each, session.now, lambda unit: session.calendar(conn, unit), session.zone),
            )
            for each in schedules.schedules(conn)
            if (each.procedure, each.unit, each.status) == (id_, unit, "active")
        ]
    return [(each, missed) for each, missed in found if missed is not None]


@schedule.command("fire", example="flow schedule fire 003G --unit office-1 --period 2026-Q3")
@_PROCEDURE
@_UNIT
@option("--element", metavar="ID", help="The timer start event, when there are several.")
@option("--period", metavar="KEY", help="The period to start; by default the next one.")
@click.pass_obj
def fire(session: Session, procedure: str, unit: str, element: str | None, period: str | None) -> None:
    """Start a scheduled procedure now, as its kick-off of a period."""
    from engine.commands.schedules import FireNow
    from engine.queries import instances

    number = session.do(
        FireNow(by=session.administrator, procedure=procedure, unit=unit, element=element, period=period)
    )
    if session.json:
        with session.read() as conn:
            output.dump(instances.find(conn, number))
    else:
        output.say("{instance} is started", instance=label(number))


_WHICH = option("--element", metavar="ID", help="Only this start event; by default all of them.")


@schedule.command("pause", example='flow schedule pause 003G --unit office-1 --reason "项目撤场"')
@_PROCEDURE
@_UNIT
@_WHICH
@option("--reason", required=True, metavar="TEXT", help="Why; it goes into the history.")
@click.pass_obj
def pause(session: Session, procedure: str, unit: str, element: str | None, reason: str) -> None:
    """Stop starting a procedure for a unit; what falls due meanwhile is not made up for."""
    from engine.commands.schedules import PauseSchedule

    _set_paused(session, PauseSchedule(
        by=session.administrator, procedure=procedure, unit=unit, element=element, paused=True, reason=reason,
    ))  # fmt: skip


@schedule.command("resume", example='flow schedule resume 003G --unit office-1 --reason "重新进场"')
@_PROCEDURE
@_UNIT
@_WHICH
@option("--reason", required=True, metavar="TEXT", help="Why; it goes into the history.")
@click.pass_obj
def resume(session: Session, procedure: str, unit: str, element: str | None, reason: str) -> None:
    """Start a procedure for a unit by the calendar again."""
    from engine.commands.schedules import PauseSchedule

    _set_paused(session, PauseSchedule(
        by=session.administrator, procedure=procedure, unit=unit, element=element, paused=False, reason=reason,
    ))  # fmt: skip


def _set_paused(session: Session, command: PauseSchedule) -> None:
    starts = session.do(command)
    if session.json:
        output.dump(
            {"procedure": command.procedure, "unit": command.unit, "paused": command.paused, "starts": starts}
        )
        return
    template = (
        "{procedure} no longer starts by the calendar for {unit}: {starts}" if command.paused
        else "{procedure} starts by the calendar for {unit} again: {starts}"
    )  # fmt: skip
    output.say(template, procedure=command.procedure, unit=command.unit, starts=", ".join(starts))
