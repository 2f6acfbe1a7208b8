"""Wiring: settings and handlers in, an App out. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.app import App, Bell, Carry
from engine.clock import SystemClock, VirtualClock
from engine.commands import (
    batches,
    calendars,
    definitions,
    instances,
    jobs,
    journal,
    messages,
    moving,
    organisation,
    schedules,
    timers,
    working,
    worklist,
)
from engine.commands.core import Command, Services, administrative
from engine.commands.published import Library
from engine.config import Workspace, make, shipped
from engine.handlers import Handlers
from engine.model import Actor
from engine.ports import Clock
from engine.queries import work
from engine.store.connect import Store, open_store
from engine.strict_yaml import load

COMMANDS: Mapping[type[Command], Carry] = {
    definitions.Publish: administrative(definitions.publish),
    instances.Start: instances.start,
    instances.Suspend: administrative(instances.suspend),
    instances.Resume: administrative(instances.resume),
    instances.Correct: administrative(instances.correct),
    instances.Cancel: administrative(instances.cancel),
    worklist.Claim: worklist.claim,
    worklist.Release: worklist.release,
    worklist.Assign: worklist.assign,
    worklist.Delegate: worklist.delegate,
    worklist.SaveDraft: worklist.save_draft,
    worklist.Comment: worklist.comment,
    worklist.Complete: worklist.complete,
    jobs.RunJob: jobs.run_job,
    jobs.FailJob: jobs.fail_job,
    jobs.AnswerJob: working.answer,
    jobs.RetryJob: administrative(jobs.retry_job),
    jobs.SkipJob: administrative(working.skip_job),
    timers.FireTimers: timers.fire_timers,
    schedules.Schedule: administrative(schedules.schedule),
    schedules.FireSchedules: schedules.fire_schedules,
    schedules.FireNow: administrative(schedules.fire_now),
    schedules.PauseSchedule: administrative(schedules.pause_schedule),
    messages.Send: messages.send,
    organisation.ImportOrganisation: administrative(organisation.import_organisation),
    calendars.ImportCalendar: administrative(calendars.import_calendar),
    organisation.Tick: organisation.tick,
    organisation.MoveClock: organisation.move_clock,
    journal.Seal: journal.seal,
    journal.Erase: administrative(journal.erase),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a subject beside the engine brings: its handlers and its commands."""

    handlers: Handlers
    commands: Mapping[type[Command], Carry] = field(default_factory=dict)


def open_app(
    workspace: Workspace,
    subjects: tuple[Subject, ...] = (),
    *,
    clock: Clock | None = None,
    store: Store | None = None,
    upgrade: bool = False,
    functions: Mapping[str, Callable[..., Any]] | None = None,
    paused: Callable[[], bool] = lambda: False,
) -> App:
    """The engine on a workspace. A demo workspace keeps its virtual clock in the database.

    Raises what `open_store` raises.
    """
    registry = Handlers()
    commands: dict[type[Command], Carry] = dict(COMMANDS)
    for subject in subjects:
        registry.include(subject.handlers)
        commands.update(subject.commands)
    opened = store or open_store(workspace.database, durable=workspace.durable, upgrade=upgrade)
    bell = Bell()
    services = Services(
        workspace=workspace,
        registry=registry,
        library=Library(),
        doorbell=bell,
        effects={**moving.EFFECTS, **batches.EFFECTS},
        jobs=working.EFFECTS,
        functions=functions or {},
        paused=paused,
    )
    if clock is None:
        clock = kept_clock(opened) if workspace.demo else SystemClock()
    with opened.read() as conn:
        latest = work.latest(conn)
    return App(opened, clock, services, commands, bell, latest)


def new_workspace(folder: Path, by: Actor, **settings: Any) -> Workspace:
    """Lay out a workspace: folder, settings, database, and the working-day tables that come with the program.

    Raises Conflict when the folder is a workspace already.
    """
    workspace = make(folder, **settings)
    app = open_app(workspace, upgrade=True)
    with app.store:
        for file in sorted((shipped() / "processes" / "calendars").glob("*.yaml")):
            document = load(file.read_bytes(), f"calendars/{file.name}")
            app.do(calendars.ImportCalendar(by=by, document=document))
    return workspace


def kept_clock(store: Store) -> Clock:
    """The virtual clock of a demo workspace, standing where it was left."""
    with store.read() as conn:
        value = work.setting(conn, organisation.CLOCK)
    return SystemClock() if value is None else VirtualClock(organisation.read_moment(value))
