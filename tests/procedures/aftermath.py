"""A survey of forty households whose questionnaires are back: what tests of call-backs and checks begin with."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine.app import App
from engine.bpmn.state import variables
from engine.clock import VirtualClock
from engine.model import Actor
from engine.procedures import load
from engine.scenarios import Stage
from engine.scheduler import tick
from engine.store import open_store, tables
from survey import rounds
from survey.commands import ImportReturns, ImportRoster, Record
from tests.procedures.playing import ROOT, ZONE, complete, stage_app, started

BLOCKS = Path(__file__).parent / "blocks"
PEOPLE = {"ann": ("assistant",), "eve": ("assistant",), "hal": ("head",), "quin": ("hq",), "bo": ("boss",)}
ANN = Actor("ann")
HEAD = "respondent,overall,manners,opinion,complaint,caller_id\n"
SATISFIED = "4,3,,,"


class Aftermath:
    """The survey's instance; `ann` collects and calls, `quin` checks, `hal` heads, `bo` is the general manager."""

    def __init__(self, app: App, instance: int) -> None:
        self.app, self.instance = app, instance

    def collected(self, on: str = "2026-07-20", keys: list[dict[str, str]] | None = None) -> None:
        """The questionnaires are in: call-backs and checks begin."""
        self.move(f"{on} 17:00")
        complete(self.app, self.instance, "collect", "ann", {"collected_on": on, "key_customers": keys or []})

    @property
    def folder(self) -> Path:
        """The workspace, in which records lie."""
        return self.app.workspace.folder

    def answer(self, element: str, person: str, item: int = 0, **values: Any) -> None:
        complete(self.app, self.instance, element, person, values, item)

    def move(self, moment: str) -> None:
        clock = self.app.clock
        assert isinstance(clock, VirtualClock)
        clock.move_to(datetime.fromisoformat(moment).replace(tzinfo=ZONE))
        while tick(self.app):
            self.app.settle()

    def rows(self, table: Any, *where: Any) -> list[Any]:
        with self.app.store.read() as conn:
            return list(conn.execute(select(table).where(*where).order_by(table.c.id)))

    def open_tasks(self, element: str) -> list[Any]:
        return self.rows(tables.user_task, tables.OPEN_WORK, tables.user_task.c.element == element)

    def variables(self, instance: int | None = None) -> dict[str, Any]:
        (row,) = self.rows(tables.instance, tables.instance.c.id == (instance or self.instance))
        return dict(variables(row.state))

    def children(self, process: str) -> list[Any]:
        return self.rows(tables.instance, tables.instance.c.process == process)

    def round(self) -> rounds.Round:
        with self.app.store.read() as conn:
            return rounds.round_of(conn, self.instance)

    def facts(self, kind: str) -> list[dict[str, Any]]:
        """What the journal says of a kind of event, in all chains."""
        table = tables.journal
        with self.app.store.read() as conn:
            found = conn.execute(
                select(table.c.facts).where(table.c.kind == kind).order_by(table.c.chain, table.c.seq)
            )
            return [json.loads(each) for each in found.scalars()]


@contextmanager
def aftermath(
    folder: Path, database: str = "sqlite://", *, issued: int = 40, answers: Mapping[str, str] | None = None,
    returned: int = 35, anonymity: str = "",
) -> Iterator[Aftermath]:  # fmt: skip
    """So many households with a questionnaire (H-1 …), of which the first `returned` sent it back.

    `answers`: what some of them said, by code; the others are satisfied and say no more.
    """
    place = BLOCKS
    if anonymity:
        place = _promising(folder / "variant", anonymity)
    procedure = load(place / "processes" / "aftermath", place / "forms")
    shared = [
        load(ROOT / "processes" / "shared" / name, ROOT / "forms")
        for name in ("call-back", "genuineness-check")
    ]
    stage = Stage("site", "一部", PEOPLE, {}, {}, ())
    begin = datetime(2026, 7, 1, 9)  # noqa: DTZ001
    with stage_app(procedure, stage, begin, folder, database, others=shared) as app:
        households = (f"H-{number},site,户主{number},1380000{number:04}\n" for number in range(1, issued + 1))
        app.do(ImportRoster(by=ANN, data="customer,unit,name,phone\n" + "".join(households)))
        found = Aftermath(app, started(app, procedure, stage, {}))
        app.do(Record(by=ANN, instance=found.instance, codes=("*",), kind="issue", channel="paper"))
        said = answers or {}
        lines = [f"H-{n},{said.get(f'H-{n}', SATISFIED)}\n" for n in range(1, returned + 1)]
        if lines and not anonymity:
            app.do(ImportReturns(by=ANN, instance=found.instance, data=HEAD + "".join(lines)))
        yield found


@contextmanager
def copied(survey: Aftermath, folder: Path | None = None) -> Iterator[Aftermath]:
    """The same survey on a copy of its database and with a clock of its own, which a test may change.

    With a `folder`, the whole workspace is copied there, so that commands can be typed in it.
    """
    app = survey.app
    if folder is None:
        database, workspace = "sqlite://", app.workspace
    else:
        shutil.copytree(survey.folder, folder)
        database = f"sqlite:///{folder / 'flow.db'}"
        workspace = replace(app.workspace, folder=folder, database=database)
    with open_store(database) as store:
        with app.store.read() as source, store.read() as target:
            before, after = source.connection.driver_connection, target.connection.driver_connection
            assert isinstance(before, sqlite3.Connection)
            assert isinstance(after, sqlite3.Connection)
            before.backup(after)
        services = replace(app.services, workspace=workspace)
        clock = VirtualClock(app.clock.now())
        yield Aftermath(replace(app, store=store, services=services, clock=clock), survey.instance)


def _promising(folder: Path, anonymity: str) -> Path:
    shutil.copytree(BLOCKS, folder)
    questionnaire = folder / "forms" / "aftermath" / "questionnaire.yaml"
    text = questionnaire.read_text(encoding="utf-8").replace(
        "anonymity: confidential", f"anonymity: {anonymity}"
    )
    text = "\n".join(line for line in text.splitlines() if "personal: true" not in line)
    questionnaire.write_text(text, encoding="utf-8")
    return folder
