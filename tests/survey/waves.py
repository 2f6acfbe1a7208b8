"""A survey round whose questionnaires are out: what tests of returns begin with."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import func, select

from engine.app import App
from engine.errors import Invalid
from engine.model import Actor
from engine.procedures import load
from engine.scenarios import read_scenarios
from engine.store import tables
from survey.commands import ImportReturns, ReturnsTaken
from survey.rounds import Round, dispositions, round_of
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

    def round(self) -> tuple[Round, Mapping[str, int]]:
        with self.app.store.read() as conn:
            found = round_of(conn, self.instance)
            return found, dispositions(conn, found.id)

    def done(self, element: str) -> str:
        with self.app.store.read() as conn:
            return str(
                conn.execute(
                    select(tables.user_task.c.id).where(tables.user_task.c.element == element)
                ).scalar_one()
            )


def make_wave(folder: Path, database: str = "sqlite://") -> Iterator[Wave]:
    procedure = load(ROOT / "processes" / ID, ROOT / "forms")
    assert procedure.scenarios is not None
    scenarios = read_scenarios(procedure.scenarios)
    happy = scenarios.scenarios["happy"]
    with stage_app(procedure, scenarios.stage, happy.begin.at, folder, database) as app:
        elements = [getattr(step, "element", None) for step in happy.steps]
        steps = happy.steps[: elements.index("distribute") + 1]
        until = type(happy)(**{name: getattr(happy, name) for name in happy.__slots__} | {"steps": steps})
        player = Player(app, procedure, scenarios.stage, until)
        player.play()
        yield Wave(app, player)
