"""The program killed at any commit: whoever starts it again finds nothing doubled and nothing lost."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.commands.schedules import FireSchedules, Schedule
from engine.handlers import Handlers
from engine.model import SYSTEM
from engine.queries import work
from engine.store import Store, open_store, tables
from tests.engine.stage import open_stage

SURVEY = """
process main flow.due="P30D after d0"
start begins timer=
script plan do="houses = ['A', 'B', 'C']; answers = 0"
user approve flow.due=P2D flow.remind="P1D before due" flow.overdue="P0D after due: boss"
service tell flow.handler=t.post
sub visits each=houses:house flow.output=visited
  start v
  user visit
  catch rest timer=PT2H
  service count flow.handler=t.count
  end told message=visited
  v -> visit -> rest -> count -> told
boundary weekly on=visits cycle=R/P1D soft
and split
call report calls=writing
catch heard message=never
boundary given_up on=report timer=P9D
or join
end e
end e2
begins -> plan -> approve -> tell -> visits -> split -> report -> join -> e
split -> heard -> join
weekly -> e2
given_up -> join
event-sub stop
  start stops timer="P20D after d0"
  end over terminate
  stops -> over
process writing
start r
user write group=clerk
end re
r -> write -> re
"""
RULE = "schedules: {begins: {every: month, start: {day: 15}}}"


class Killed(BaseException):
    """What a kill looks like from within: nothing catches it."""


class World:
    """One database; programs come and go."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.posted: list[str] = []
        self.handlers = Handlers("t")

        @self.handlers.outside
        def post(call):
            """Send."""
            self.posted.append(call.key)
            return {"posted": True}

        @self.handlers.inside
        def count(call):
            """Count."""
            call.note("house.counted", {"house": call.variables["house"]})
            return {"counted": 1}

        self.stage = open_stage(store, folder, self.handlers)
        self.stage.organise()
        self.stage.calendars(2026)
        self.stage.publish(SURVEY, more=RULE)
        self.stage.do(Schedule(by=SYSTEM, procedure="p", unit="east"))
        self.end = self.stage.clock.now() + timedelta(days=25)

    def restart(self) -> None:
        self.stage = open_stage(self.store, self.folder, self.handlers, clock=self.stage.clock)

    def play(self) -> None:
        """Do what can be done now, else let time pass, until the end."""
        stage = self.stage
        while True:
            stage.tick()
            if stage.do(FireSchedules(by=SYSTEM)):
                continue
            for row in stage.rows(tables.user_task, tables.OPEN_WORK):
                stage.complete(row.id, by="bob" if row.element == "approve" else "ann")
                break
            else:
                with stage.app.store.read() as conn:
                    due = work.next_due(conn)
                if due is None or due > self.end:
                    return
                stage.clock.move_to(max(due, stage.clock.now()))

    def ending(self) -> dict[str, Any]:
        """Everything that must not depend on being killed."""
        stage = self.stage
        stage.check()
        instances = stage.rows(tables.instance)
        process = {row.id: row.process for row in instances}
        with self.store.read() as conn:
            from engine.queries import history

            lines = list(history.everything(conn))
        return {
            "instances": sorted(
                (
                    row.process,
                    row.status,
                    str(row.outcome),
                    str(stage.variables(row.id)),
                    str(stage.trace(row.id)),
                )
                for row in instances
            ),
            "tasks": Counter((row.element, row.status) for row in stage.rows(tables.user_task)),
            "deadlines": Counter(
                (row.element, row.due_day, row.status) for row in stage.rows(tables.deadline)
            ),
            "timers": Counter((row.element, row.kind, row.status) for row in stage.rows(tables.timer)),
            "jobs": Counter((row.kind, row.status) for row in stage.rows(tables.job)),
            "waits": Counter((row.element, row.kind) for row in stage.rows(tables.subscription)),
            "batches": Counter(
                (row.element, row.total, row.done, row.status) for row in stage.rows(tables.batch)
            ),
            "kickoffs": Counter((row.period, row.status) for row in stage.rows(tables.kickoff)),
            "journal": Counter((process.get(_number(line.chain), line.chain), line.kind) for line in lines),
            "posted": set(self.posted),
        }


def _number(chain: str) -> int:
    return int(chain[3:]) if chain.startswith("SV-") else 0


@contextmanager
def killing(store: Store, at: int, committed: bool) -> Iterator[list[int]]:
    """Kill the program at the commit of that number (0: never): just before it, or just after."""
    written = [0]
    write = type(store).write

    @contextmanager
    def watched():
        written[0] += 1
        with write(store) as conn:
            yield conn
            if written[0] == at and not committed:
                raise Killed
        if written[0] == at and committed:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "write", watched, raising=False)
        yield written


def undisturbed(folder: Path) -> tuple[dict[str, Any], int]:
    with open_store("sqlite://") as store:
        world = World(store, folder)
        with killing(store, 0, False) as written:
            world.play()
        return world.ending(), written[0]


def killed(store: Store, folder: Path, at: int, committed: bool) -> dict[str, Any]:
    world = World(store, folder)
    with killing(store, at, committed), pytest.raises(Killed):
        world.play()
    world.restart()
    world.play()
    return world.ending()


def test_the_scenario_uses_what_can_break(tmp_path):
    ending, commits = undisturbed(tmp_path)
    assert commits > 30
    kinds = {kind for kind, _ in ending["jobs"]}
    assert {"timer", "child", "outside", "message", "deadline"} & kinds >= {
        "timer",
        "child",
        "outside",
        "message",
    }
    assert {status for _, status in ending["jobs"]} == {"done"}
    assert ("main", "completed") in {(process, status) for process, status, *_ in ending["instances"]}


def test_a_program_killed_at_some_commits_ends_as_if_it_had_not_been(store: Store, tmp_path):
    expected, commits = undisturbed(tmp_path)
    chosen = random.Random(2026).sample(range(1, commits + 1), 1)
    for at in chosen:
        assert killed(store, tmp_path, at, committed=at % 2 == 0) == expected, at


@pytest.mark.parametrize("committed", [False, True])
def test_a_program_killed_at_any_of_a_few_commits_loses_and_doubles_nothing(tmp_path, committed):
    expected, commits = undisturbed(tmp_path)
    for at in random.Random(committed).sample(range(1, commits + 1), 8):
        with open_store("sqlite://") as store:
            assert killed(store, tmp_path, at, committed) == expected, at


@pytest.mark.slow
@pytest.mark.parametrize("committed", [False, True])
def test_a_program_killed_at_each_commit_loses_and_doubles_nothing(tmp_path, committed):
    expected, commits = undisturbed(tmp_path)
    for at in range(1, commits + 1):
        with open_store("sqlite://") as store:
            assert killed(store, tmp_path, at, committed) == expected, at
