"""Scenarios of the shipped procedures, played by the engine's own rehearsal with the program's handlers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import or_, select

from console import folders
from engine.app import App
from engine.check import Called, World, called
from engine.commands import instances, worklist
from engine.model import SYSTEM, Actor
from engine.procedures import Procedure
from engine.queries.evidence import Evidence, evidence
from engine.rehearsal.courses import ZONE, Player, staged
from engine.scenarios import Scenarios, Stage
from engine.store import tables
from tasks import registry, subjects

__all__ = [
    "ROOT",
    "ZONE",
    "Player",
    "called_by",
    "complete",
    "played",
    "processes_of",
    "proven",
    "records",
    "stage_app",
    "started",
    "world_of",
]

ROOT = Path(__file__).parents[2]


@contextmanager
def stage_app(
    procedure: Procedure,
    stage: Stage,
    begin: datetime,
    folder: Path,
    database: str = "sqlite://",
    others: Sequence[Procedure] | None = None,
) -> Iterator[App]:
    """The engine set up for the procedure's scenarios; `others` instead of the shipped procedures that it calls."""
    others = called_by(procedure) if others is None else others
    with staged(procedure, stage, begin, folder, subjects(), database=database, others=others) as app:
        yield app


@contextmanager
def played(
    scenarios: Scenarios, procedure: Procedure, name: str, folder: Path, **stage: Any
) -> Iterator[Player]:
    """A scenario taken to its end, on an engine that stays open."""
    course, setting = scenarios.scenarios[name], replace(scenarios.stage, **stage)
    with stage_app(procedure, setting, course.begin.at, folder) as app:
        player = Player(app, procedure, setting, course)
        player.play()
        yield player


class Playing(Protocol):
    """An instance on an engine that is open."""

    @property
    def app(self) -> App: ...
    @property
    def instance(self) -> int: ...


def proven(playing: Playing) -> dict[str, Evidence]:
    """What proves each clause of the instance, as things stand."""
    app = playing.app
    with app.store.read() as conn:
        found = evidence(
            conn, app.services.library, playing.instance, app.clock.now(), app.workspace.folder, ZONE
        )
    return {each.clause: each for each in found}


def records(player: Player, name: str) -> list[Path]:
    """The files of that name (a pattern) among the records, of the instance and of what it called."""
    return sorted((player.app.workspace.folder / "records").glob(f"*/{name}"))


def called_by(procedure: Procedure) -> list[Procedure]:
    """The shared procedures that it calls, callees before callers."""
    return list(_called(procedure.id))


@cache
def _called(procedure: str) -> tuple[Procedure, ...]:
    known = folders.shipped()
    source = folders.named(procedure, known)
    return () if source is None else tuple(each.load() for each in folders.called(source, known))


def processes_of(procedures: Iterable[Procedure]) -> dict[str, str]:
    """Their processes as if published, for a check of who calls them."""
    return {each.process: each.id for each in procedures}


def world_of(procedure: Procedure, roles: Iterable[str]) -> World:
    """What the procedure has to fit into: these roles, the program's functions, what it calls as if published."""
    others, known = called_by(procedure), dict[str, Called]()
    for each in others:
        known[each.process] = called(each, registry(), known)
    return World(frozenset(roles), registry(), processes_of(others), known)


def started(app: App, procedure: Procedure, stage: Stage, variables: Mapping[str, object]) -> int:
    """An instance started by hand."""
    start = instances.Start(by=SYSTEM, procedure=procedure.id, unit=stage.unit, variables=variables)
    number: int = app.do(start).value
    app.settle()
    return number


def complete(
    app: App, instance: int, element: str, person: str, values: Mapping[str, Any], item: int = 0
) -> None:
    """Complete an open task of the element, in the instance or in what it called: of several, the `item`-th."""
    task, table = tables.user_task, tables.instance
    with app.store.read() as conn:
        found = conn.execute(
            select(task.c.id)
            .join(table, table.c.id == task.c.instance_id)
            .where(tables.OPEN_WORK, task.c.element == element)
            .where(or_(table.c.id == instance, table.c.root_id == instance))
            .order_by(task.c.instance_id, task.c.id)
        ).scalars()
        number = list(found)[item]
    app.do(worklist.Complete(by=Actor(person), task=number, values=values))
    app.settle()
