"""Long, deep and often repeated: what is large runs, and each step of it costs what a step costs."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from engine.bpmn import meter
from engine.rehearsal import run
from engine.store import tables
from tests.engine.drawing import diagram
from tests.engine.stage import Stage
from tests.engine.test_costs import alike, cost_of

LOOP = """
start s
xor again
script count do="n = n + 1"
xor enough
end e
s -> again -> count -> enough
enough -> e : n >= LAPS
enough -> again : else
"""
WORK_LOOP = LOOP.replace("script count", "user look\nscript count").replace(
    "again -> count", "again -> look -> count"
)


def in_a_row(count: int, kind: str) -> str:
    steps = [f"t{n}" for n in range(count)]
    lines = [f"{kind} {each}" + (" do=pass" if kind == "script" else "") for each in steps]
    return "\n".join(["start s", "end e", *lines, "s -> " + " -> ".join(steps) + " -> e"])


def nested(depth: int, kind: str = "task") -> str:
    lines, flows = ["start s", "end e"], ["s -> q0 -> e"]
    for n in range(depth):
        around = " " * n
        lines += [f"{around}sub q{n}", f"{around} start s{n}", f"{around} end e{n}"]
        flows.append(f"s{n} -> {f'q{n + 1}' if n + 1 < depth else 'last'} -> e{n}")
    return "\n".join([*lines, " " * depth + f"{kind} last", *flows])


@pytest.mark.parametrize(
    ("laps", "reload"),
    [
        (5_000, False),
        pytest.param(20_000, False, marks=pytest.mark.slow),
        pytest.param(5_000, True, marks=pytest.mark.slow),
    ],
)
def test_a_loop_of_thousands_of_laps_runs_to_its_end(laps, reload):
    found = run(diagram(LOOP.replace("LAPS", str(laps))), "main", {"n": 0}, reload=reload)
    assert (found.ended, found.variables["n"]) == ("completed", laps)
    assert len(found.visited) == 3 * laps + 2


@pytest.mark.slow
def test_a_loop_of_five_thousand_laps_with_a_task_in_each_runs_to_its_end():
    found = run(diagram(WORK_LOOP.replace("LAPS", "5000")), "main", {"n": 0})
    assert (found.ended, found.variables["n"]) == ("completed", 5000)


def test_two_thousand_elements_in_a_row_run_to_the_last():
    found = run(diagram(in_a_row(2000, "script")), "main", {})
    assert found.ended == "completed"
    assert list(found.visited) == ["s", *(f"t{n}" for n in range(2000)), "e"]


def test_two_hundred_sub_processes_one_in_another_run_to_the_innermost_and_back():
    found = run(diagram(nested(200)), "main", {})
    assert found.ended == "completed"
    assert [each for each in found.visited if each[0] in "ql"] == [*(f"q{n}" for n in range(200)), "last"]
    assert len(found.visited) == 3 * 200 + 3


def test_a_long_automatic_stretch_lets_others_write_in_between(quick: Stage):
    commits: list[int] = []
    event.listen(quick.app.store._writer.engine, "commit", lambda *_: commits.append(1))
    quick.publish(LOOP.replace("LAPS", "6000"))
    before = len(commits)
    number = quick.start(n=0)
    assert quick.outcome(number) == "completed"
    entered = len(quick.trace(number))
    assert entered == 3 * 6000 + 2
    assert len(commits) - before >= entered // meter.STEP_VISITS
    assert len(quick.rows(tables.job, tables.job.c.kind == "go-on")) == entered // meter.STEP_VISITS


def test_a_condition_that_came_true_before_a_pause_is_not_forgotten(monkeypatch):
    steps = [f"t{n}" for n in range(30)]
    drawing = (
        "start s\nand split\nuser u\nboundary b on=u condition='x > 0'\nend e\nend f\nend g\n"
        + "script mark do='x = 1'\n"
        + "\n".join(f"script {each} do=pass" for each in steps)
        + "\ns -> split -> u -> e\nb -> f\nsplit -> mark -> " + " -> ".join(steps) + " -> g"
    )  # fmt: skip
    monkeypatch.setattr(meter, "STEP_VISITS", 4)
    found = run(diagram(drawing), "main", {"x": 0})
    assert found.ended == "completed"
    assert "b" in found.visited
    assert "e" not in found.visited


@pytest.mark.slow
def test_a_step_costs_the_same_at_the_first_and_at_the_two_thousandth_element(quick: Stage):
    quick.publish(in_a_row(2000, "user"))
    number = quick.start()
    costs = {}
    for step in range(1, 2000):
        task = f"SV-{number}.{step}"
        if step in (20, 1990):
            costs[step] = cost_of(quick, number, lambda task=task: quick.complete(task))
        else:
            quick.complete(task)
    alike(costs[20], costs[1990])


def test_the_cost_of_nesting_is_one_token_and_one_scope_a_level(quick: Stage):
    made: dict[int, int] = {}
    for depth in (50, 200):
        quick.publish(nested(depth, "user"), f"p{depth}")
        number = quick.start(f"p{depth}")
        before = quick.row(number).state
        cost = cost_of(quick, number, lambda number=number: quick.complete(f"SV-{number}.1"))
        assert quick.outcome(number) == "completed"
        made[depth] = cost.tokens
        assert len(before) < 200 * depth + 500
    assert made[200] - made[50] == 2 * 150, "a level is loaded as one token and ends with one"
