"""A census of customers that tests drive step by step, with the answers of its scenarios."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.app import App
from engine.bpmn.state import variables
from engine.commands import instances, worklist
from engine.errors import Invalid
from engine.model import SYSTEM, Actor, label
from engine.scenarios import Stage
from engine.scheduler import tick
from engine.store import tables
from survey.commands import ImportReturns, ImportRoster, Record
from tests.procedures.playing import ZONE

ID = "it-service-annual-census"
ITEMS = (
    "r_hotline,r_accept,r_arrive,s_once,s_time,s_informed,e_skill,e_attitude,e_security,m_rounds,m_report,m_change,"
    "t_training,t_documents,overall"
)


class Census:
    """The procedure in a department of its own, worked on by its people."""

    def __init__(self, app: App, stage: Stage) -> None:
        self.app, self.stage = app, stage
        self.instance = 0

    def start(self, **given: Any) -> int:
        command = instances.Start(by=SYSTEM, procedure="000A", unit=self.stage.unit, variables=given)
        self.instance = self.app.do(command).value
        self.app.settle()
        return self.instance

    def roster(self, size: int, first: int = 1) -> None:
        kinds = ("重点客户", "一般客户", "小微客户")
        lines = [f"C-{n:03},{self.stage.unit},{kinds[n % 3]}" for n in range(first, first + size)]
        data = "\n".join(["customer,unit,segment", *lines]) + "\n"
        self.app.do(ImportRoster(by=Actor("manager"), data=data, partial=True))

    def do(self, element: str, place: int = 0, *, by: str = "", **given: Any) -> None:
        answer = self.stage.answers[element]
        values = {name: value for name, value in {**answer.values, **given}.items() if value is not None}
        tasks = self.open(element)
        self.app.do(worklist.Complete(by=Actor(by or answer.by), task=tasks[place], values=values))
        self.app.settle()

    def open(self, element: str | None = None) -> list[str]:
        task, instance = tables.user_task, tables.instance
        with self.app.store.read() as conn:
            rows = conn.execute(
                select(task.c.id, task.c.element)
                .join(instance, instance.c.id == task.c.instance_id)
                .where(
                    tables.OPEN_WORK,
                    func.coalesce(instance.c.root_id, instance.c.id) == self.instance,
                )
                .order_by(task.c.instance_id, task.c.id)
            ).all()
        return [row.id if element else row.element for row in rows if element in (None, row.element)]

    def answers(self, numbers: range, seed: int = 1, level: int = 4, wish: str = "") -> None:
        chance = random.Random(seed)
        lines = [
            f"C-{n:03},{chance.choice(('integration', 'software', 'hardware', 'cloud'))},{wish},"
            + ",".join(str(min(5, max(1, round(chance.gauss(level, 1))))) for _ in ITEMS.split(","))
            for n in numbers
        ]
        data = "\n".join([f"respondent,product_line,wishes,{ITEMS}", *lines]) + "\n"
        self.app.do(ImportReturns(by=Actor("amy"), instance=self.instance, data=data))

    def unreachable(self, *numbers: int) -> None:
        codes = tuple(f"C-{n:03}" for n in numbers)
        self.app.do(
            Record(
                by=Actor("amy"),
                instance=self.instance,
                codes=codes,
                kind="attempt",
                channel="phone",
                disposition="non-contact",
            )
        )

    def variables(self) -> Mapping[str, Any]:
        with self.app.store.read() as conn:
            state = conn.execute(select(tables.instance.c.state).where(tables.instance.c.id == self.instance))
            return variables(state.scalar_one())

    def records(self) -> dict[str, Any]:
        with self.app.store.read() as conn:
            rows = conn.execute(select(tables.record).where(tables.record.c.instance_id == self.instance))
            return {Path(row.path).name: row for row in rows}

    def file(self, name: str) -> bytes:
        return (self.app.workspace.folder / "records" / label(self.instance) / name).read_bytes()

    def to_fieldwork(self, members: tuple[str, ...] = ("amy",), **plan: Any) -> None:
        self.do("decide_survey", members=[{"member": each} for each in members], callback_reports=None)
        self.do("make_plan", **plan)
        self.do("allocate", parts=[{"surveyor": each} for each in members])

    def to_report(self) -> None:
        self.do("receive_forms")
        self.do("write_report")


def at(census: Census, year: int, month: int, day: int, hour: int = 9) -> None:
    census.app.clock.move_to(datetime(year, month, day, hour, tzinfo=ZONE))  # type: ignore[attr-defined]
    tick(census.app)


def refused(act: Any, *args: Any, **given: Any) -> list[str]:
    with pytest.raises(Invalid) as found:
        act(*args, **given)
    return [str(problem) for problem in found.value.problems]
