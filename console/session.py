"""One command's surroundings: the workspace, the program opened on it, who asks and when.

Everything is looked for when it is first used, so that `--help` opens nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from console import account, output
from console.language import both, chosen, tr
from engine.errors import Conflict, Denied, NotFound

PATIENCE = 10.0
"""Seconds that a command goes on with what it caused; the scheduler goes on with the rest."""
_INCIDENTS = 5
"""So many are told one by one."""

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from engine.app import App
    from engine.bootstrap import Subject
    from engine.calendar.working import WorkingCalendar
    from engine.commands.core import Command
    from engine.config import Workspace
    from engine.events import Fact
    from engine.model import Actor
    from engine.policy import Rights


def subjects() -> tuple[Subject, ...]:
    """What the subjects beside the engine bring: their handlers and commands."""
    import tasks

    return tasks.subjects()


class Session:
    """What commands find under `click.pass_obj`."""

    def __init__(self) -> None:
        self.json = False
        self.acting_as: str | None = None
        """The person given by `--as`."""
        self.folder: Path | None = None
        """The workspace given by `-C`."""
        self.quiet = False
        """Remarks about the clock are left out: the shell is completing a word."""
        self._waited = False
        self._units_differ: bool | None = None
        """Whether any unit has days of its own; else all share one calendar."""
        self._calendars: dict[str, WorkingCalendar] = {}
        self._titles: dict[str, str] | None = None

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace. Raises NotFound when there is none."""
        from engine import config

        if self.folder is not None:
            if not (self.folder / config.FILE).is_file():
                raise NotFound("{folder} holds no {file}", folder=self.folder, file=config.FILE)
            return config.read(self.folder)
        return config.find(Path.cwd(), os.environ)

    @property
    def in_workspace(self) -> bool:
        """Whether there is a workspace here; one named by `-C` or FLOW_HOME has to be there."""
        try:
            return self.workspace is not None
        except NotFound:
            if self.folder is not None or os.environ.get("FLOW_HOME"):
                raise
            return False

    @cached_property
    def app(self) -> App:
        """The program, opened on the workspace; closed when the command ends."""
        from engine.bootstrap import open_app

        app = open_app(self.workspace, subjects())
        if (context := click.get_current_context(silent=True)) is not None:
            context.find_root().call_on_close(app.store.close)
        app.store.waits = self._wait
        if app.store.read_only:
            output.note(
                "The database {place} may only be read here; it is shown as it stands", place=app.store.place
            )
        if self.workspace.demo and not self.quiet:
            moment = app.clock.now().astimezone(self.zone)
            output.note("Demo clock {moment}", moment=moment.strftime("%Y-%m-%d %H:%M"))
        return app

    def _wait(self) -> None:
        """Say once that another program is writing."""
        if not self._waited:
            self._waited = True
            output.note(
                "Waiting for another program that writes to the database {place} …",
                place=self.app.store.place,
            )

    @cached_property
    def now(self) -> datetime:
        """The instant at which the command looks."""
        return self.app.clock.now()

    @property
    def zone(self) -> ZoneInfo:
        """The organisation's time zone."""
        return self.workspace.zone

    @property
    def today(self) -> date:
        """The organisation's date."""
        return self.now.astimezone(self.zone).date()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for queries."""
        app = self.app
        with self._naming(), app.store.read() as conn:
            yield conn

    @contextmanager
    def _naming(self) -> Iterator[None]:
        """A refusal calls people and roles by their names, as tables and history do."""
        try:
            yield
        except (Denied, Conflict) as refusal:
            if refusal.params.keys() & {"person", "others", "role"}:
                refusal.params.update(self._named(refusal.params))
            raise

    def _named(self, params: Mapping[str, object]) -> dict[str, object]:
        from engine.queries import organisation

        with self.app.store.read() as conn:
            people, roles = organisation.names(conn), organisation.role_names(conn)
        known = {"person": people, "role": roles}
        named: dict[str, object] = {
            key: names.get(str(params[key]), params[key]) for key, names in known.items() if key in params
        }
        if "others" in params:  # whoever asks one of them needs the name, whoever plays one the id
            ids = str(params["others"]).split(", ")
            named["others"] = both("、", ", ").join(
                f"{people[each]}{both(f'（{each}）', f' ({each})')}" if each in people else each
                for each in ids
            )
        return named

    def do(self, command: Command, *, tell: bool = True) -> Any:
        """Carry a command out, and the jobs it caused; return its value.

        What failed on the way is told, unless the command itself tells (`tell`). The command is done all the same.
        """
        facts: list[Fact] = []
        self.app.witness = facts.append
        with self._naming():
            done = self.app.do(command)
        end = monotonic() + PATIENCE
        touched = {each.instance for each in done.facts if each.instance is not None}
        rested = self.app.follow(touched, lambda: monotonic() > end)
        while rested and self.workspace.demo and _fire(self.app):  # no `flow run` watches a virtual clock
            rested = self.app.follow((), lambda: monotonic() > end)
        if tell:
            self._tell([each for each in facts if each.kind in ("element.failed", "job.failed")])
        if not rested:
            output.warn(
                "There is more to do than fits into {seconds} seconds; it goes on in {command}",
                seconds=round(PATIENCE),
                command="`flow demo clock --advance PT1M`" if self.workspace.demo else "`flow run`",
            )
        return done.value

    def _tell(self, failed: list[Fact]) -> None:
        """What the command brought about and could not be done: it waits for somebody."""
        from engine.model import label
        from engine.queries import instances

        with self.read() as conn:
            for each in failed[:_INCIDENTS]:
                number, step = each.instance, each.subject or ""
                if number is not None:
                    step = self.steps(conn, instances.find(conn, number).definition).get(step, step)
                where = " ".join(part for part in ("" if number is None else label(number), step) if part)
                output.warn("{where} failed: {reason}", where=where, reason=each.facts["reason"])
        if len(failed) > _INCIDENTS:
            output.warn("{count} failed in all", count=len(failed))
        if failed:
            output.note("It waits for somebody: flow job list --incidents")

    @property
    def user(self) -> str:
        """The system user: in a demo workspace FLOW_USER says who plays."""
        return (os.environ.get("FLOW_USER") if self.workspace.demo else None) or account.system_user()

    @cached_property
    def actor(self) -> Actor:
        """Who asks. Raises Denied for somebody the organisation does not know, or who may not act for another."""
        from engine.model import Actor
        from engine.queries import organisation

        user = self.user
        with self.read() as conn:
            typing = organisation.person_of_system_user(conn, user)
            if self.acting_as is not None:
                other = organisation.person(conn, self.acting_as)
                if typing is None and self.workspace.demo:
                    return Actor(other.id)
                if typing is not None and typing.id == other.id:
                    return Actor(typing.id)
                if typing is not None and (self.workspace.demo or "act-for" in typing.permissions):
                    return Actor(typing.id, other.id)
                raise Denied(
                    "Acting as {person} needs the permission `act-for`, which the system user {user} does not have",
                    person=other.id,
                    user=user,
                )
            if typing is not None:
                return Actor(typing.id)
            if not organisation.has_people(conn):
                return Actor(user)  # whoever sets a workspace up is not in it yet
            if self.workspace.demo:
                raise Denied(
                    "This is a demonstration: say with --as whom you play, for example {examples}; all are in "
                    "`flow org show`",
                    examples=", ".join(f"--as {each}" for each in self._players(conn)),
                )
        raise Denied(
            "The organisation knows nobody with the system user {user}: give a person `system_user: {user}` in "
            "org.yaml and run `flow org import`, or name a person with --as",
            user=user,
        )

    def _players(self, conn: Connection) -> list[str]:
        """Two people who hold a role, rather such as have something to do now."""
        from engine.queries import organisation, worklist
        from engine.store.organisation import rights_of

        people = [each.id for each in organisation.organisation(conn).people if each.active and each.holdings]
        busy = (
            each for each in people if worklist.worklist(conn, rights_of(conn, each, self.today), limit=1)
        )
        return (list(islice(busy, 2)) or people)[:2]

    @property
    def operator(self) -> Actor:
        """Who looks after the workspace: also somebody the organisation does not know (yet), by their system user.

        Otherwise an org.yaml that leaves out whoever imports it could never be mended.
        """
        from engine.model import Actor

        if self.acting_as is None:
            try:
                return self.actor
            except Denied:
                return Actor(self.user)
        return self.actor

    @property
    def administrator(self) -> Actor:
        """Who asks for what the permission `admin` covers: in a demo workspace also whoever plays nobody."""
        return self.operator if self.workspace.demo else self.actor

    @property
    def person(self) -> str:
        """Whose right is used."""
        return self.actor.acting_for or self.actor.person

    def names(self, conn: Connection) -> dict[str, str]:
        """People's names by id, and what the program calls itself when nobody acted."""
        from engine.model import ENGINE
        from engine.queries import organisation

        return {**organisation.names(conn), ENGINE: tr("program")}

    def title(self, title: str) -> str:
        """What a procedure or an instance is called, in the language in use; a title somebody gave stays as it is."""
        from engine.queries import definitions

        if chosen() != "en":
            return title
        if self._titles is None:
            with self.read() as conn:
                self._titles = definitions.english(conn)
        return self._titles.get(title, title)

    def steps(self, conn: Connection, definition: str) -> dict[str, str]:
        """The names of the elements of a published diagram, by id."""
        processes = self.app.services.library.find(conn, definition).diagram.processes.values()
        return {node.id: node.label for process in processes for node in process.nodes.values() if node.label}

    def rights(self, conn: Connection) -> Rights:
        """What the person may do today."""
        from dataclasses import replace

        from engine.store.organisation import rights_of

        found = rights_of(conn, self.person, self.today)
        return found if self.workspace.demo else replace(found, account=self.actor.person)

    def units(self, conn: Connection) -> set[str] | None:
        """The units whose instances the person may read: where they hold a role, and below; None: all.

        All are open to auditors and administrators (`may: [audit]`, `may: [admin]`), in a demo workspace to
        whoever names nobody, and to everybody while nobody has these permissions. Raises Denied for somebody
        unknown.
        """
        from engine.queries import late, organisation

        if self.workspace.demo and self.acting_as is None:
            return None
        readers = organisation.having(conn, ("audit", "admin"))
        if not readers or self.person in readers:
            return None
        held = {unit for pairs in self.rights(conn).holdings.values() for _, unit in pairs}
        return late.below(organisation.parents(conn), held)

    def may_read(self, conn: Connection, unit: str, instance: str) -> None:
        """Raise Denied for an instance of a unit that is not the person's to read."""
        mine = self.units(conn)
        if mine is not None and unit not in mine:
            raise Denied("{instance} is not for {person} to read", instance=instance, person=self.person)

    def home(self, conn: Connection) -> str:
        """A unit whose calendar stands for the organisation's: the first without one above it."""
        from engine.queries import organisation

        parents = organisation.parents(conn)
        return next((unit for unit, above in parents.items() if above is None), "")

    def calendar(self, conn: Connection, unit: str) -> WorkingCalendar:
        """The working-day calendar of a unit."""
        from engine.queries import calendars
        from engine.store.calendars import calendar_of

        if self._units_differ is None:
            self._units_differ = calendars.units_differ(conn)
        key = unit if self._units_differ else ""
        if key not in self._calendars:
            self._calendars[key] = calendar_of(conn, unit)
        return self._calendars[key]


def _fire(app: App) -> bool:
    """Start and fire what is due by now. Returns whether there was anything."""
    from engine.commands.schedules import FireSchedules
    from engine.commands.timers import FireTimers
    from engine.model import SYSTEM

    started = app.do(FireSchedules(by=SYSTEM)).value
    return app.do(FireTimers(by=SYSTEM)).value > 0 or bool(started)
