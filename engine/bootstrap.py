"""Wiring: settings and handlers in, an App out. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import config
from engine.app import App, Beat, Bell, Carry, Compare
from engine.clock import SystemClock, VirtualClock
from engine.commands import (
    archives,
    batches,
    calendars,
    definitions,
    instances,
    jobs,
    journal,
    messages,
    moving,
    organisation,
    personal,
    schedules,
    timers,
    working,
    worklist,
)
from engine.commands import (
    clock as clocks,
)
from engine.commands.core import Command, Services, administrative
from engine.commands.published import Library
from engine.config import Workspace, shipped
from engine.errors import Conflict, NotFound
from engine.files import read_file
from engine.handlers import Handlers
from engine.model import Actor
from engine.ports import Clock
from engine.queries import work
from engine.store.connect import Store, open_store
from engine.store.watch import Reach, reach
from engine.strict_yaml import MAX_BYTES, load

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
    clocks.AcceptClock: administrative(clocks.accept_clock),
    archives.SealArchive: archives.seal_archive,
    journal.Seal: journal.seal,
    personal.Erase: administrative(personal.erase),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a subject beside the engine brings: its handlers, its commands, what it does now and then."""

    handlers: Handlers
    commands: Mapping[type[Command], Carry] = field(default_factory=dict)
    beats: Mapping[str, Beat] = field(default_factory=dict)
    """What `flow run` does besides, by name: a function and how many seconds lie between two calls."""
    comparisons: tuple[Compare, ...] = ()
    """How `flow audit verify` holds its tables against the journal."""


def open_app(
    workspace: Workspace,
    subjects: tuple[Subject, ...] = (),
    *,
    clock: Clock | None = None,
    store: Store | None = None,
    upgrade: bool = False,
    functions: Mapping[str, Callable[..., Any]] | None = None,
    slept: Callable[[], bool] = lambda: False,
    paused: Callable[[], bool] = lambda: False,
) -> App:
    """The engine on a workspace. A demo workspace keeps its virtual clock in the database.

    Raises what `open_store` raises.
    """
    registry = Handlers()
    commands: dict[type[Command], Carry] = dict(COMMANDS)
    beats: dict[str, Beat] = {}
    for subject in subjects:
        registry.include(subject.handlers)
        commands.update(subject.commands)
        beats.update(subject.beats)
    comparisons = tuple(each for subject in subjects for each in subject.comparisons)
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
        slept=slept,
        paused=paused,
    )
    if clock is None:
        clock = kept_clock(opened) if workspace.demo else SystemClock()
    with opened.read() as conn:
        known = reach(conn)
    if not isinstance(clock, SystemClock):
        known = Reach(known.history, None)  # a virtual clock leaps on purpose
    return App(opened, clock, services, commands, bell, known, beats=beats, comparisons=comparisons)


def new_workspace(folder: Path, by: Actor, *, text: str, org: str) -> Workspace:
    """Lay out a workspace: folders, database, working-day tables, organisation and, last of all, its flow.toml.

    `text` becomes flow.toml and `org` becomes org.yaml where these are missing. A workspace that has
    everything but its database gets an empty one. Raises Conflict when nothing is missing, and when records tell
    of a database that was lost; what fails leaves nothing behind.
    """
    if is_there := (folder / config.FILE).exists():
        _lacks_database(config.read(folder))
        text = (folder / config.FILE).read_text("utf-8-sig")
    with config.undone(folder):
        workspace = config.lay_out(folder, text)
        if not workspace.org_file.exists():
            config.put(workspace.org_file, org)
        raw = read_file(workspace.org_file, MAX_BYTES)
        app = open_app(workspace, upgrade=True)
        with app.store:
            for file in sorted((shipped() / "processes" / "calendars").glob("*.yaml")):
                document = load(file.read_bytes(), f"calendars/{file.name}")
                app.do(calendars.ImportCalendar(by=by, document=document))
            document = load(raw, workspace.org_file.name)
            app.do(organisation.ImportOrganisation(by=by, document=document, raw=raw))
        if not is_there:
            config.put(folder / config.FILE, text)
    return workspace


def _lacks_database(workspace: Workspace) -> None:
    """Raise Conflict unless the workspace lacks its database and may begin with an empty one."""
    try:
        open_store(workspace.database, durable=workspace.durable).close()
    except NotFound:
        if workspace.records.is_dir() and any(workspace.records.iterdir()):
            raise Conflict(
                "{folder} holds records of a database that is missing. Restore it from a backup; to begin anew, "
                "first move the records elsewhere",
                folder=workspace.records,
            ) from None
    else:
        raise Conflict("{folder} is a workspace already", folder=workspace.folder)


def kept_clock(store: Store) -> Clock:
    """The virtual clock of a demo workspace, standing where it was left."""
    with store.read() as conn:
        value = work.setting(conn, organisation.CLOCK)
    return SystemClock() if value is None else VirtualClock(organisation.read_moment(value))
