"""The sample organisation of a rehearsed year: a unit a procedure, with the people and rosters of its scenarios."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from console import folders
from console.folders import Folder
from console.session import subjects
from console.year.knowledge import Knowledge, knowledge
from engine.app import App
from engine.bootstrap import open_app
from engine.check import Called, called
from engine.clock import VirtualClock
from engine.commands import calendars, definitions, organisation, schedules
from engine.config import Workspace
from engine.model import SYSTEM, Actor
from engine.procedures import Procedure
from engine.rehearsal.courses import ZONE, shipped_tables
from engine.scenarios import read_scenarios
from engine.store import open_store
from engine.strict_yaml import load
from survey.commands import ImportRoster

HEAD = "head"


@dataclass(frozen=True, slots=True)
class Office:
    """The unit that runs one procedure."""

    procedure: Procedure
    knows: Knowledge
    unit: str
    alike: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By customer of the scenarios, those added to the roster who are like that one."""

    @property
    def code(self) -> str:
        """How the procedure is called."""
        return self.procedure.code or self.procedure.id

    @property
    def people(self) -> dict[str, str]:
        """The organisation's person for each of the scenarios' people; the unit under its name there."""
        return {each: f"{self.unit}.{each}" for each in self.knows.stage.people}

    def said(self, value: Any) -> Any:
        """A value of an order with the unit's own people and the unit itself in it."""
        if isinstance(value, Mapping):
            return {name: self.said(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.said(each) for each in value]
        known = {**self.people, self.knows.stage.unit: self.unit}
        return known.get(value, value) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Place:
    """The organisation, opened."""

    app: App
    offices: tuple[Office, ...]


@contextmanager
def opened(chosen: Sequence[Folder], known: list[Folder], begin: datetime, customers: int) -> Iterator[Place]:
    """The organisation on a database in memory at `begin`, with the procedures published and scheduled.

    `customers`: at least so many on each roster. Raises Misbuilt for a procedure that cannot be published.
    """
    with TemporaryDirectory(prefix="flow-year-") as folder:
        workspace = Workspace(Path(folder), "rehearsal", ZONE, "zh", "sqlite://", True, True)
        app = open_app(
            workspace, subjects(), clock=VirtualClock(begin), store=open_store("sqlite://", upgrade=True)
        )
        with app.store:
            yield _set_up(app, chosen, known, customers)


def _set_up(app: App, chosen: Sequence[Folder], known: list[Folder], customers: int) -> Place:
    wanted: dict[str, Procedure] = {}
    for folder in chosen:
        for each in (*folders.called(folder, known), folder):
            if each.id not in wanted:
                wanted[each.id] = each.load()
    offices = tuple(_office(wanted[folder.id]) for folder in chosen)
    names: dict[str, str] = {}
    known_by: dict[str, Called] = {}
    for procedure in wanted.values():
        known_by[procedure.process] = called(procedure, app.registry, known_by)
        names |= known_by[procedure.process].roles
    raw = json.dumps(_document(offices, names), ensure_ascii=False).encode()
    app.do(organisation.ImportOrganisation(by=SYSTEM, document=load(raw, "organisation"), raw=raw))
    for table in shipped_tables():
        app.do(calendars.ImportCalendar(by=SYSTEM, document=table))
    for procedure in wanted.values():
        app.do(definitions.Publish(by=SYSTEM, procedure=procedure))
    return Place(app, tuple(_opened(app, office, customers) for office in offices))


def _office(procedure: Procedure) -> Office:
    assert procedure.scenarios is not None
    knows = knowledge(read_scenarios(procedure.scenarios))
    return Office(procedure, knows, f"{(procedure.code or procedure.id).lower()}-{knows.stage.unit}")


def _document(offices: Sequence[Office], names: Mapping[str, str]) -> dict[str, Any]:
    """org.yaml of the organisation; `names` are those of roles, by id."""
    held = {role for office in offices for roles in office.knows.stage.people.values() for role in roles}
    units = [{"id": HEAD, "name": "示例集团"}]
    units += [{"id": each.unit, "name": each.knows.stage.unit_name, "parent": HEAD} for each in offices]
    return {
        "organisation": "flow/1",
        "units": units,
        "roles": [{"id": role, "name": names.get(role, role)} for role in sorted(held | set(names))],
        "people": [
            {
                "id": office.people[person],
                "name": f"{office.code} {person}",
                "roles": [{"role": role, "unit": office.unit} for role in roles],
            }
            for office in offices
            for person, roles in office.knows.stage.people.items()
        ],
    }


def _opened(app: App, office: Office, customers: int) -> Office:
    """With its rosters, and its schedules."""
    alike: dict[str, list[str]] = {}
    for order in office.knows.beforehand:
        if order.command == ImportRoster.__name__:
            data = _roster(order.values["data"], office, customers, alike)
            app.do(
                ImportRoster(by=Actor(office.people[order.by]), **{**office.said(order.values), "data": data})
            )
    if office.procedure.schedules:
        app.do(schedules.Schedule(by=SYSTEM, procedure=office.procedure.id, unit=office.unit))
    return replace(office, alike=alike)


def _roster(data: Any, office: Office, customers: int, alike: dict[str, list[str]]) -> str:
    """The scenarios' roster for the unit, its customers repeated under further codes until there are enough.

    Those codes are added to `alike`.
    """
    rows: list[dict[str, str]] = list(csv.DictReader(io.StringIO(str(data))))
    rows = [office.said(row) for row in rows]
    own = [row for row in rows if row["unit"] == office.unit]
    number = len(rows)
    for place in range(max(customers - number, 0) if own else 0):
        model = own[place % len(own)]
        rows.append({**model, "customer": f"{model['customer']}-{place // len(own) + 2}"})
        alike.setdefault(model["customer"], []).append(rows[-1]["customer"])
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
