"""The demonstration's other procedures: each in a workspace of its own, one course from its kick-off to its archive.

A course is written down in examples/, in the format of a procedure's scenarios. That a step is done is known from the
journal: its person did something at its time. So a course that was cut off goes on at the step where it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from console.demo import acting, made_up
from engine.app import App
from engine.commands import journal, worklist
from engine.commands.core import Command
from engine.config import shipped
from engine.model import SYSTEM, Actor
from engine.queries import demonstration
from engine.queries.demonstration import OpenTask
from engine.scenarios import INSTANCE, Act, Scenario, Scenarios, read_scenarios
from engine.scheduler import tick
from engine.strict_yaml import load
from survey import rounds
from survey.commands import ImportReturns, ImportRoster, Record

RETURNED = "$returned "
"""Before a round's name, in place of a number: how many answers are in."""
COMMANDS: Mapping[str, type[Command]] = {
    kind.__name__: kind for kind in (ImportReturns, ImportRoster, Record)
}


@dataclass(frozen=True)
class Story:
    """What is told of one procedure."""

    code: str
    """Of the procedure; its workspace's folder in the demonstration's, too."""
    procedure: str
    example: str
    """The folder in examples/ with its organisation and course."""
    organisation: str
    period: str
    title: str
    """Shown through `tr`."""
    more: tuple[str, ...]
    """Commands to go on with; `{}` is the instance."""

    @cached_property
    def course(self) -> Scenarios:
        """The organisation's people and what they do when."""
        file = shipped() / "examples" / self.example / "course.yaml"
        return read_scenarios(load(file.read_bytes(), file.name))

    @property
    def scenario(self) -> Scenario:
        """The one course of the file."""
        [found] = self.course.scenarios.values()
        return found


STORIES = (
    Story("000A", "it-service-annual-census", "it-service-year", "示例信息技术公司", "2026",
          "An IT service's year: everybody is asked",
          ("instance evidence {}", "round figures {} --by segment")),
    Story("004B", "pharma-annual-plan-200", "pharma-year", "示例药业集团", "2026",
          "A pharmaceutical group's year with one survey",
          ("instance history {}", "round priorities {}")),
    Story("004G", "hospital-monthly", "hospital-month", "示例医院", "2026-09",
          "A hospital's month",
          ("task why SV-4.1 --as tian.lu", "action list")),
)  # fmt: skip


def prepare(folder: Path, story: Story) -> App:
    """The story's workspace, laid out as far as it is not yet."""
    begins = story.scenario.begin.at - timedelta(days=1)
    org = shipped() / "examples" / story.example / "org.yaml"
    app = acting.lay_out(folder / story.code, story.organisation, begins.replace(tzinfo=acting.ZONE), org)
    acting.put_in_force(app, story.procedure, [story.course.stage.unit])
    return app


def play(app: App, story: Story) -> None:
    """Let the course pass, from wherever it stands to its end."""
    teller = Teller(app, story)
    tick(app)
    app.settle()
    for step in teller.steps():
        if not teller.done(step):
            acting.pass_time(app, teller.moment(step))
            teller.do(step)
            app.settle()
    app.do(journal.Seal(by=SYSTEM))


@dataclass
class Teller:
    """Plays the people of a course."""

    app: App
    story: Story

    def steps(self) -> Iterator[Act]:
        """What is done, in the order of time: the orders that come before the start, then the steps."""
        stage, begin = self.story.course.stage, self.story.scenario.begin.at
        for place, name in enumerate(stage.before):
            order, at = stage.orders[name], begin - timedelta(hours=20) + timedelta(minutes=place)
            yield Act(at, order.by, order.values, order=order)
        yield from (each for each in self.story.scenario.steps if isinstance(each, Act))

    def moment(self, step: Act) -> datetime:
        """When a step is done."""
        return step.at.replace(tzinfo=self.app.zone).astimezone(UTC)

    def done(self, step: Act) -> bool:
        """Whether a step was done before the interruption."""
        with self.app.store.read() as conn:
            return demonstration.acted(conn, step.by, self.moment(step))

    def do(self, step: Act) -> None:
        """What the person does."""
        by, instance = Actor(step.by), self._instance()
        if step.order is not None:
            kind = COMMANDS[step.order.command]
            self.app.do(kind(by=by, **self._values(step, instance, {})))
            return
        task = self._task(step, instance)
        with self.app.store.read() as conn:
            known = demonstration.variables(conn, task.instance)
        self.app.do(worklist.Complete(by=by, task=task.id, values=self._values(step, instance, known)))

    def _instance(self) -> int:
        with self.app.store.read() as conn:
            found = demonstration.courses(conn, self.story.procedure, self.story.period)
        return found[0].instance if found else 0

    def _task(self, step: Act, instance: int) -> OpenTask:
        with self.app.store.read() as conn:
            found = [
                each for each in demonstration.open_tasks(conn)
                if each.element == step.element and each.assignee in (None, step.by)
                and step.item in (None, each.place + 1)
            ]  # fmt: skip
        found.sort(key=lambda each: each.root != instance)  # before those of the next period, begun meanwhile
        assert found, f"{self.story.code}: {step.element} is not open at {step.at}"
        assert step.late == (found[0].due_at is not None and found[0].due_at <= self.app.clock.now()), step
        return found[0]

    def _values(self, step: Act, instance: int, known: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {
            name: self._value(each, instance, known) for name, each in step.values.items()
        }
        if isinstance(values.get("data"), Mapping):
            values["data"] = self._made_up(values, instance)
        return values

    def _value(self, value: Any, instance: int, known: Mapping[str, Any]) -> Any:
        if value == INSTANCE:
            return instance
        if isinstance(value, str) and value.startswith(RETURNED):
            with self.app.store.read() as conn:
                return rounds.progress(
                    conn, rounds.round_of(conn, instance, value.removeprefix(RETURNED))
                ).returned
        if isinstance(value, Mapping) and "rows_of" in value:
            return [
                {**row, **value["each"], **value["rows"].get(row[value["by"]], {})}
                for row in known[str(value["rows_of"])]
            ]
        return value

    def _made_up(self, values: Mapping[str, Any], instance: int) -> str:
        if not instance:
            return made_up.roster(self.story.course.stage.unit, values["data"])
        with self.app.store.read() as conn:
            return made_up.returns(conn, rounds.round_of(conn, instance, values.get("part")), values["data"])
