"""`flow status`: what waits for me, what is late, what should have happened and did not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import click

from console import opened, output
from console.dates import due_text, left_text, moment_text
from console.output import Cell
from console.session import Session
from console.shape import command
from engine.errors import Denied

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from engine.queries.instances import Instance
    from engine.queries.late import LateTask
    from engine.queries.schedules import Schedule
    from engine.queries.worklist import Task

STALE = timedelta(minutes=2)
"""A scheduler that has not ticked for so long is not running."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The organisation at a glance."""

    late: tuple[Instance, ...]
    late_tasks: tuple[LateTask, ...]
    """Of the units in which the person holds a role, and those below; of all for somebody unknown."""
    not_started: tuple[Schedule, ...]
    failed_starts: tuple[Schedule, ...]
    """Schedules with a period whose start failed."""
    incidents: int
    ticked_at: datetime | None
    ticking: bool
    org_file_newer: bool


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
    from engine.commands.organisation import ORG_HASH, TICKED, read_moment
    from engine.queries import instances, jobs, late, schedules, work

    ticked = work.setting(conn, TICKED)
    moment = None if ticked is None else read_moment(ticked)
    file = session.workspace.org_file
    return Overview(
        late=instances.late_instances(conn, session.now),
        late_tasks=late.late_tasks(conn, session.now, _my_units(session, conn, tasks is not None)),
        not_started=schedules.overdue(schedules.schedules(conn), session.now),
        failed_starts=tuple(each for each in schedules.schedules(conn) if None in each.started.values()),
        incidents=jobs.incident_count(conn),
        ticked_at=moment,
        ticking=moment is not None and session.now - moment < STALE,
        org_file_newer=file.is_file()
        and sha256(file.read_bytes()).hexdigest() != work.setting(conn, ORG_HASH),
    )


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
        "{mine} tasks are yours, {open} are open for your roles, {late} of these are late",
        mine=len(mine), open=len(tasks) - len(mine), late=len(late),
    )  # fmt: skip
    if tasks:
        opened.show_list(session, conn, tasks[:5], names)
    output.echo()


def _show_overview(session: Session, conn: Connection, overview: Overview) -> None:
    output.heading(session.workspace.organisation)
    if overview.late:
        output.say("{count} instances are late.", count=len(overview.late))
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
    for schedule in overview.not_started:
        assert schedule.next_at is not None
        output.warn(
            "{procedure} for {unit} should have started at {moment} and did not",
            procedure=schedule.title, unit=schedule.unit_name, moment=moment_text(schedule.next_at, session.zone),
        )  # fmt: skip
    for schedule in overview.failed_starts:
        for period, instance in schedule.started.items():
            if instance is None:
                output.warn(
                    "{procedure} for {unit} failed to start for {period}: see `flow audit export`, mend it, then "
                    "`flow schedule fire {id} --unit {code} --period {period}`",
                    procedure=schedule.title, unit=schedule.unit_name, period=period, id=schedule.procedure,
                    code=schedule.unit,
                )  # fmt: skip
    if overview.incidents:
        output.warn(
            "{count} jobs failed and wait for a person: flow job list --incidents", count=overview.incidents
        )
    if overview.org_file_newer:
        output.warn("org.yaml differs from the database: flow org import")
    if not overview.ticking and not session.workspace.demo:
        last = "" if overview.ticked_at is None else moment_text(overview.ticked_at, session.zone)
        output.warn("No scheduler is running, so nothing starts or falls due by itself: flow run")
        if last:
            output.note("It was last seen at {moment}", moment=last)
    elif overview.ticking:
        output.say("The scheduler is running.")
