"""A survey round whose questionnaires are out: what tests of returns begin with."""

from __future__ import annotations

import csv
import io
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from engine.app import App
from engine.errors import Invalid
from engine.model import Actor
from engine.procedures import load
from engine.scenarios import read_scenarios
from engine.store import open_store, tables
from survey.commands import ImportReturns, ReturnsTaken
from survey.rounds import Progress, Round, progress, round_of
from survey.tables import answers
from tests.procedures.playing import ROOT, Player, stage_app

ID = "building-quarterly-15-workdays"
CLERK = Actor("clerk")


class Wave:
    """A round whose questionnaires are out with A-1, A-2, B-2 and B-10; C-1 was not reached."""

    def __init__(self, app: App, player: Player) -> None:
        self.app, self.player, self.instance = app, player, player.instance
        order = player.stage.orders["returns"].values["data"]
        assert isinstance(order, str)
        self.sound = list(csv.reader(io.StringIO(order)))

    def take(self, data: bytes | str, **only: str) -> ReturnsTaken:
        command = ImportReturns(by=CLERK, instance=self.instance, data=data, only=only)
        taken = self.app.do(command).value
        assert isinstance(taken, ReturnsTaken)
        return taken

    def file(self, *changes: tuple[int, str, str], encoding: str = "utf-8") -> bytes:
        """The sound file with cells changed: (line, column, value); line 0 is the header."""
        lines = [list(line) for line in self.sound]
        for line, column, value in changes:
            lines[line][self.sound[0].index(column)] = value
        text = io.StringIO(newline="")
        csv.writer(text).writerows(lines)
        return text.getvalue().encode(encoding)

    def refused(self, data: bytes) -> list[str]:
        with pytest.raises(Invalid) as found:
            self.take(data)
        assert self.count() == 0
        return [str(problem) for problem in found.value.problems]

    def count(self) -> int:
        with self.app.store.read() as conn:
            return int(conn.execute(select(func.count()).select_from(answers)).scalar_one())

    def round(self) -> tuple[Round, Progress]:
        with self.app.store.read() as conn:
            found = round_of(conn, self.instance)
            return found, progress(conn, found)

    def done(self, element: str) -> str:
        with self.app.store.read() as conn:
            return str(
                conn.execute(
                    select(tables.user_task.c.id).where(tables.user_task.c.element == element)
                ).scalar_one()
            )


def make_wave(
    folder: Path, database: str = "sqlite://", anonymity: str = "confidential", more: str = ""
) -> Iterator[Wave]:
    """A wave of the shipped procedure; its questionnaire with another promise, `anonymity`, and `more` fields."""
    place = ROOT
    if more or anonymity != "confidential":
        place = folder / "variant"
        for part in ("processes", "forms"):
            shutil.copytree(ROOT / part / ID, place / part / ID)
        questionnaire = place / "forms" / ID / "questionnaire.yaml"
        text = questionnaire.read_text(encoding="utf-8")
        questionnaire.write_text(
            text.replace("anonymity: confidential", f"anonymity: {anonymity}") + more, encoding="utf-8"
        )
    procedure = load(place / "processes" / ID, place / "forms")
    assert procedure.scenarios is not None
    scenarios = read_scenarios(procedure.scenarios)
    happy = scenarios.scenarios["happy"]
    with stage_app(procedure, scenarios.stage, happy.begin.at, folder, database) as app:
        elements = [getattr(step, "element", None) for step in happy.steps]
        issued = len(elements) - elements[::-1].index("distribute")  # the last of them: others are denied
        steps = happy.steps[:issued]
        until = type(happy)(**{name: getattr(happy, name) for name in happy.__slots__} | {"steps": steps})
        player = Player(app, procedure, scenarios.stage, until)
        player.play()
        yield Wave(app, player)


@contextmanager
def copied(wave: Wave) -> Iterator[Wave]:
    """The same wave on a copy of its database, which a test may change."""
    with open_store("sqlite://") as store:
        with wave.app.store.read() as source, store.read() as target:
            before, after = source.connection.driver_connection, target.connection.driver_connection
            assert isinstance(before, sqlite3.Connection)
            assert isinstance(after, sqlite3.Connection)
            before.backup(after)
        yield Wave(replace(wave.app, store=store), wave.player)
