"""A small organisation with a clock of its own, on which the tests let procedures run."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from json import dumps
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from engine.app import App
from engine.bootstrap import Subject, open_app
from engine.bpmn import state
from engine.clock import VirtualClock
from engine.commands import definitions, instances, redating, timers, worklist
from engine.commands.calendars import ImportCalendar
from engine.commands.jobs import RetryJob
from engine.commands.organisation import ImportOrganisation
from engine.config import Workspace, shipped
from engine.events import Fact
from engine.handlers import Handlers
from engine.model import SYSTEM, Actor
from engine.procedures import from_files
from engine.queries import history, jobs
from engine.queries import instances as instance_queries
from engine.store import Store, tables
from engine.store.contradictions import contradictions
from engine.store.variables import values_of, variables_of
from engine.store.verify import verify
from engine.strict_yaml import load
from tests.engine.drawing import diagram

BEGIN = datetime(2026, 9, 14, 1, 0, tzinfo=UTC)
"""When the tests begin: a Monday, 09:00 in Shanghai."""

ORGANISATION = """
organisation: flow/1
units:
  - {id: head, name: 总部}
  - {id: east, name: 东区, parent: head}
  - {id: east-1, name: 东一, parent: east}
  - {id: west, name: 西区, parent: head}
roles:
  - {id: clerk, name: 经办}
  - {id: boss, name: 主管}
people:
  - {id: ann, name: 安, roles: [{role: clerk, unit: east}, {role: boss, unit: east}]}
  - {id: bob, name: 博, roles: [{role: clerk, unit: east}, {role: boss, unit: east}]}
  - {id: cat, name: 卡, roles: [{role: clerk, unit: head}]}
  - {id: dan, name: 丹, roles: [{role: clerk, unit: west}]}
  - {id: eve, name: 伊}
  - {id: fay, name: 菲}
  - {id: gus, name: 古, roles: [{role: boss, unit: head}], may: [assign]}
"""

Rows = list[tuple[Any, ...]]


@dataclass
class Stage:
    """One App, its clock, and short words for what tests do with them."""

    app: App
    clock: VirtualClock
    handlers: Handlers
    seen: list[Fact] = field(default_factory=list)

    # -- preparing ---------------------------------------------------------------------------------

    def organise(self, text: str = ORGANISATION) -> None:
        self.do(ImportOrganisation(by=SYSTEM, document=load(text, "org.yaml"), raw=text.encode()))

    def calendars(self, *years: int) -> None:
        for year in years:
            file = shipped() / "processes" / "calendars" / f"{year}.yaml"
            self.do(ImportCalendar(by=SYSTEM, document=load(file.read_bytes(), file.name)))

    def publish(
        self, drawing: str, name: str = "p", *, forms: Mapping[str, str] | None = None, more: str = "",
        process: str = "main", tables: Mapping[str, bytes] | None = None,
    ) -> definitions.Published:  # fmt: skip
        """Publish a drawing as procedure `name`; `forms` are lines of fields, `more` lines of procedure.yaml."""
        main = f"procedure: flow/1\nid: {name}\ntitle: {name}\nprocess: {dumps(process)}\n{more}\n"
        files = {
            "procedure.yaml": main.encode(),
            # A task of no type may not be published; one that does nothing is what the tests mean by it.
            f"{name}.bpmn": diagram(
                re.sub(r"(?m)^(\s*)task (\S+)", r"\1script \2 do=pass", drawing), process
            ),
        }
        files |= tables or {}
        for form, fields in (forms or {}).items():
            text = f'form: flow/1\nid: {form}\nversion: "1"\ntitle: {form}\nfields:\n{fields}\n'
            files[f"forms/{form}.yaml"] = text.encode()
        value: definitions.Published = self.do(definitions.Publish(by=SYSTEM, procedure=from_files(files)))
        return value

    # -- acting ------------------------------------------------------------------------------------

    def do(self, command: Any) -> Any:
        return self.app.do(command).value

    def start(self, name: str = "p", *, unit: str = "east", by: str = "ann", **variables: object) -> int:
        number: int = self.do(instances.Start(by=Actor(by), procedure=name, unit=unit, variables=variables))
        self.app.settle()
        return number

    def complete(self, task: str, by: str = "ann", **values: object) -> None:
        """Complete a task, named by its id or, when only one is open there, by its element."""
        identity = task if task.startswith("SV-") else self.task(task)
        self.do(worklist.Complete(by=Actor(by), task=identity, values=values))
        self.app.settle()

    def wait(self, **time: float) -> None:
        """Let time pass in one go, and then what fell due happen."""
        self.clock.advance(**time)
        self.tick()

    def tick(self) -> None:
        """What the metronome does, until there is nothing left to do now."""
        self.app.settle()
        while self.do(timers.FireTimers(by=SYSTEM)):
            self.app.settle()

    def retry(self, job: int | None = None) -> None:
        self.do(RetryJob(by=Actor("gus"), job=self.incidents()[0].number if job is None else job))
        self.app.settle()

    # -- looking -----------------------------------------------------------------------------------

    def rows(self, table: Any, *where: Any) -> Any:
        with self.app.store.read() as conn:
            query = select(table).where(*where)
            return conn.execute(query.order_by(*table.primary_key.columns)).all()

    def open(self, instance: int | None = None) -> list[str]:
        """The elements of the open user tasks, in the order they were opened."""
        table = tables.user_task
        found = self.rows(table, tables.OPEN_WORK)
        return [
            row.element
            for row in sorted(
                found, key=lambda row: (row.opened_at, row.instance_id, int(row.id.partition(".")[2]))
            )
            if instance in (None, row.instance_id)
        ]

    def task(self, element: str) -> str:
        """The id of the one open task of that element."""
        found = self.rows(tables.user_task, tables.OPEN_WORK, tables.user_task.c.element == element)
        assert len(found) == 1, (element, self.open())
        return str(found[0].id)

    def tasks(self, element: str) -> list[str]:
        found = self.rows(tables.user_task, tables.OPEN_WORK, tables.user_task.c.element == element)
        return sorted((str(row.id) for row in found), key=lambda each: (len(each), each))

    def row(self, instance: int) -> Any:
        return self.rows(tables.instance, tables.instance.c.id == instance)[0]

    def outcome(self, instance: int) -> str | None:
        return self.row(instance).outcome  # type: ignore[no-any-return]

    def variables(self, instance: int) -> dict[str, Any]:
        with self.app.store.read() as conn:
            return instance_queries.variables(conn, instance)

    def incidents(self) -> tuple[jobs.Job, ...]:
        with self.app.store.read() as conn:
            return jobs.jobs(conn, incidents=True)

    def trace(self, instance: int, *, children: bool = False) -> list[str]:
        """The elements an instance entered, as its journal tells."""
        with self.app.store.read() as conn:
            lines = history.of_instance(conn, instance, children=children)
        return [each for line in lines if line.kind == "instance.moved" for each in line.facts["path"]]

    def journal(self, *kinds: str, instance: int | None = None) -> list[Fact]:
        return [
            fact
            for fact in self.seen
            if fact.kind in kinds and (instance is None or fact.instance == instance)
        ]

    def check(self) -> None:
        """The journal agrees with itself, and the tables with it, it reads completely, and tells all variables."""
        with self.app.store.read() as conn:
            verdict = verify(conn)
            lines = list(history.everything(conn))
            contradicted = contradictions(conn)
            told = [(row, self._told(conn, row)) for row in conn.execute(select(tables.instance))]
        for row, values in told:
            stored = state.variables(row.state, f"SV-{row.id}")
            assert values == {name: stored[name] for name in values}, f"SV-{row.id}"
        assert not verdict.faults, [str(fault) for fault in verdict.faults]
        assert not contradicted, [str(fault) for fault in contradicted]
        assert len(lines) == verdict.rows

    def _told(self, conn: Connection, row: Any) -> dict[str, Any]:
        """The variables of an instance as its journal tells them."""
        definition = self.app.services.library.find(conn, row.definition)
        counting = redating.counting(self.app.registry, definition, row.process)
        values = values_of(variables_of(conn, row.id, counting).now)
        return {name: each for name, each in values.items() if "$erased" not in str(each)}


def open_stage(
    store: Store, folder: Path, handlers: Handlers | None = None, *, clock: VirtualClock | None = None,
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> Stage:  # fmt: skip
    """A stage on an open store, without an organisation as yet."""
    clock = clock or VirtualClock(BEGIN)
    handlers = handlers or Handlers("t")
    workspace = Workspace(folder, "tests", ZoneInfo("Asia/Shanghai"), "en", store.place, False, False)
    app = open_app(workspace, (Subject(handlers),), clock=clock, store=store, functions=functions)
    stage = Stage(app, clock, handlers)
    app.witness = stage.seen.append
    return stage


def local(text: str) -> datetime:
    """A moment of the organisation's zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


def names(people: Collection[str]) -> str:
    return " ".join(sorted(people))


DAY = timedelta(days=1)
