"""What the tests of dates that follow share: diagrams, and what is looked at."""

from __future__ import annotations

from engine.commands.calendars import ImportCalendar
from engine.commands.instances import Correct
from engine.model import SYSTEM, Actor
from engine.store import tables
from engine.strict_yaml import load
from tests.engine.stage import Stage

CALLED = """
start s
user a flow.due="P0D after by"
service w flow.handler=dates.work_out flow.dates="then: P1WD after by" flow.sets=then
user b flow.due="P0D after then"
end e
s -> a -> w -> b -> e
"""
CALLER = """
start s
service w flow.handler=dates.work_out flow.dates="first: P2WD after d0" flow.sets=first
call c calls=block flow.in="by = first"
end e
s -> w -> c -> e
"""
DAY = {"f": "  - {id: d1, type: date, label: 日期}"}


def days_off(stage: Stage, *days: str, unit: str = "east") -> int:
    text = f"days_off: {{厂庆: [{', '.join(map(repr, days))}]}}".replace("'", '"')
    moved: int = stage.do(ImportCalendar(by=SYSTEM, document=load(text, "own.yaml"), unit=unit)).moved
    stage.app.settle()
    return moved


def dues(stage: Stage) -> dict[str, str]:
    return {row.element: row.due_day for row in stage.rows(tables.deadline) if row.status == "armed"}


def correct(stage: Stage, number: int, **values: object) -> None:
    stage.do(Correct(by=Actor("ann"), instance=number, values=values, reason="改期"))
    stage.app.settle()


def timers(stage: Stage) -> list[object]:
    return [row.due_at for row in stage.rows(tables.timer, tables.ARMED_TIMER)]
