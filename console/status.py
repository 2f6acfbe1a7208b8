"""`flow status`: what waits for me, what is late, what should have happened and did not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import opened, output
from console.dates import due_text, left_text, moment_text
from console.failures import message
from console.language import both, tr
from console.output import Cell
from console.schedule import warn_unplanned
from console.session import Session
from console.shape import command
from engine import strict_yaml
from engine.errors import Denied
from engine.files import read_file

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from engine.calendar.working import WorkingCalendar
    from engine.queries.instances import Instance
    from engine.queries.late import LateTask
    from engine.queries.schedules import Overdue, Schedule
    from engine.queries.worklist import Task


JOB_FAILED = "One job failed and waits for a person: flow job list --incidents"
JOBS_FAILED = "{count} jobs failed and wait for a person: flow job list --incidents"
NOTICE_LOST = "One notice could not be delivered: flow notice list --failed"
NOTICES_LOST = "{count} notices could not be delivered: flow notice list --failed"


@dataclass(frozen=True, slots=True)
class Overview:
    """The organisation at a glance."""

    late: tuple[Instance, ...]
    late_tasks: tuple[LateTask, ...]
    """Of the units in which the person holds a role, and those below; of all for somebody unknown."""
    not_started: tuple[Overdue, ...]
    failed_starts: tuple[Schedule, ...]
    """Schedules with a period whose start failed."""
    unplanned: tuple[tuple[Schedule, str], ...]
    """Schedules without a next start, and why."""
    incidents: int
    undelivered: int
    """Notices that failed for good."""
    ticked_at: datetime | None
    stopped_at: datetime | None
    ticking: bool
    org_file_newer: bool | None
    """None: this user may not read it."""


@command("status", example="flow status\nflow --as wang.fang status")
@click.pass_obj
def status(session: Session) -> None:
    """Show what waits for me, what is late, and whether the program does its work."""

    with session.read() as conn:
        tasks = _tasks(session, conn)
        overview = _overview(session, conn, tasks)
        names = session.names(conn)
        if session.json:
            output.dump(
                {"person": None if tasks is None else session.person, "tasks": tasks, "overview": overview}
            )
            return
        if tasks is not None:
            _show_tasks(session, conn, tasks, names)
        _show_overview(session, conn, overview)


def _tasks(session: Session, conn: Connection) -> tuple[Task, ...] | None:
    """The worklist; None for somebody the organisation does not know, who still may see how things stand."""
    from engine.queries import organisation, worklist

    try:
        person = session.person
    except Denied:
        if session.acting_as is not None:
            raise
        return None
    if not organisation.has_people(conn):
        return None
    assert person
    return worklist.worklist(conn, session.rights(conn))


def _overview(session: Session, conn: Connection, tasks: tuple[Task, ...] | None) -> Overview:
    from engine.queries import instances, jobs, late, schedules, work
    from engine.store.arranged import ORG_HASH
    from engine.store.watch import scheduler
    from notices import listing

    watching = scheduler(conn)
    known = schedules.schedules(conn)

    def calendar(unit: str) -> WorkingCalendar:
        return session.calendar(conn, unit)

    return Overview(
        late=instances.late_instances(conn, session.now),
        late_tasks=late.late_tasks(conn, session.now, _my_units(session, conn, tasks is not None)),
        not_started=schedules.overdue(known, session.now, calendar, session.zone),
        failed_starts=tuple(each for each in known if None in each.started.values()),
        unplanned=tuple(
            (each, message(reason))
            for each, reason in schedules.unplanned(known, session.now, calendar, session.zone)
        ),
        incidents=jobs.incident_count(conn),
        undelivered=listing.failed_count(conn),
        ticked_at=watching.ticked_at,
        stopped_at=watching.stopped_at,
        ticking=watching.running(session.now),
        org_file_newer=_differs(session.workspace.org_file, work.setting(conn, ORG_HASH)),
    )


def _differs(file: Path, known: str | None) -> bool | None:
    """Whether the file has another digest than the one known; None where it may not be read."""
    try:
        return file.is_file() and sha256(read_file(file, strict_yaml.MAX_BYTES)).hexdigest() != known
    except PermissionError:
        return None


def _my_units(session: Session, conn: Connection, known: bool) -> set[str] | None:
    from engine.queries import late, organisation

    if not known:
        return None
    held = {unit for pairs in session.rights(conn).holdings.values() for _, unit in pairs}
    return late.below(organisation.parents(conn), held)


def _show_tasks(session: Session, conn: Connection, tasks: tuple[Task, ...], names: dict[str, str]) -> None:
    from engine.queries.worklist import Because

    mine = [each for each in tasks if each.why in (Because.ASSIGNED, Because.ASSIGNED_TO_ABSENT)]
    late = [each for each in tasks if each.due_at is not None and each.due_at <= session.now]
    output.heading(names.get(session.person, session.person))
    output.say(
        "Tasks: {mine} of yours, {open} open for your roles; {late} of these late",
        mine=len(mine), open=len(tasks) - len(mine), late=len(late),
    )  # fmt: skip
    if tasks:
        opened.show_list(session, conn, tasks[:5], names)
    output.echo()


def _show_overview(session: Session, conn: Connection, overview: Overview) -> None:
    output.heading(session.workspace.organisation)
    if overview.late:
        output.say(
            "One instance is late." if len(overview.late) == 1 else "{count} instances are late.",
            count=len(overview.late),
        )
        rows = [
            (
                Cell(each.id, bold=True), each.name, each.unit_name, each.assignee_name or each.role_name,
                due_text(each.due_at, session.zone),
                left_text(each.due_at, session.now, session.zone, session.calendar(conn, each.unit)),
            )
            for each in overview.late_tasks[:30]
        ]  # fmt: skip
        if rows:
            output.table(("ID", "Task", "Unit", "With", "Due", ""), rows)
    else:
        output.say("Nothing is late.")
    for late in overview.not_started:
        brackets = both("（{}）", " ({})")
        starts = [each.period + brackets.format(moment_text(each.at, session.zone)) for each in late.missed]
        more = [tr("and {count} more", count=late.more)] if late.more else []
        output.warn(
            "{procedure} for {unit} should have started and did not: {starts}",
            procedure=session.title(late.schedule.title), unit=late.schedule.unit_name,
            starts=both("、", ", ").join((*starts, *more)),
        )  # fmt: skip
    for schedule in overview.failed_starts:
        for period, instance in schedule.started.items():
            if instance is None:
                output.warn(
                    "{procedure} for {unit} failed to start for {period}: see `flow audit export`, mend it, then "
                    "`flow schedule fire {id} --unit {code} --period {period}`",
                    procedure=session.title(schedule.title), unit=schedule.unit_name, period=period,
                    id=schedule.procedure, code=schedule.unit,
                )  # fmt: skip
    warn_unplanned(session, overview.unplanned)
    if overview.incidents:
        output.warn(JOB_FAILED if overview.incidents == 1 else JOBS_FAILED, count=overview.incidents)
    if overview.undelivered:
        output.warn(NOTICE_LOST if overview.undelivered == 1 else NOTICES_LOST, count=overview.undelivered)
    if overview.org_file_newer:
        output.warn("org.yaml differs from the database: flow org import")
    elif overview.org_file_newer is None:
        output.warn(
            "org.yaml may not be read by this user, so whether it differs from the database is unknown"
        )
    if overview.ticking:
        output.say(TICKING, seconds=since_tick(session, overview.ticked_at))
    elif not session.workspace.demo:
        output.warn("No scheduler is running, so nothing starts or falls due by itself: flow run")
        if text := last_seen(
            session, overview.stopped_at or overview.ticked_at, overview.stopped_at is not None
        ):
            output.echo(click.style(text, dim=True), err=True)


TICKING = "The scheduler is running: its last tick was {seconds} s ago."


def since_tick(session: Session, at: datetime | None) -> int:
    """Seconds since the last tick; a scheduler that was killed cannot say so itself."""
    return 0 if at is None else max(0, round((session.now - at).total_seconds()))


def last_seen(session: Session, at: datetime | None, stopped: bool) -> str:
    """When a scheduler was last at work, or `stopped`; nothing when none ever was."""
    from engine.store.watch import STALE

    if at is None:
        return ""
    moment = moment_text(at, session.zone)
    if at > session.now + STALE:
        return tr("It was last seen at {moment}, which is still to come: its clock was wrong", moment=moment)
    if stopped:
        return tr("It was stopped at {moment}", moment=moment)
    return tr("It was last seen at {moment}", moment=moment)
