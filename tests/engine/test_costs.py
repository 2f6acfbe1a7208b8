"""What a step costs depends neither on history, nor on the length of the diagram, nor on the number of items.

Counted, not timed: SQL statements, tokens made or loaded, bytes of state. `benchmarks/` times the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import event

from engine.bpmn import run as runs
from engine.commands.calendars import ImportCalendar
from engine.commands.instances import Cancel
from engine.commands.messages import Send
from engine.handlers import Handlers
from engine.model import SYSTEM
from engine.store import tables
from engine.strict_yaml import load
from tests.engine.stage import Stage


@dataclass
class Cost:
    statements: int = 0
    tokens: int = 0
    state: int = 0


@contextmanager
def measured(stage: Stage, cost: Cost) -> Iterator[None]:
    """Count what the block does."""

    def count(*_: object) -> None:
        cost.statements += 1

    made = runs.Token.__init__

    def make(self, *arguments, **more):
        cost.tokens += 1
        made(self, *arguments, **more)

    engine = stage.app.store._writer.engine
    event.listen(engine, "before_cursor_execute", count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs.Token, "__init__", make)
        try:
            yield
        finally:
            event.remove(engine, "before_cursor_execute", count)


def cost_of(stage: Stage, instance: int, act: Callable[[], object]) -> Cost:
    cost = Cost()
    with measured(stage, cost):
        act()
    cost.state = len(stage.row(instance).state)
    return cost


def alike(one: Cost, other: Cost) -> None:
    assert one.statements > 3, "nothing was counted"
    assert one.tokens > 0
    assert (one.statements, one.tokens) == (other.statements, other.tokens)
    assert abs(one.state - other.state) <= 64


LOOP = """
start s
xor again
user a flow.due=P3WD flow.remind="P1D before due"
boundary late on=a timer=PT9H soft
script count do="n = n + 1"
and split
task b
task c
and join
xor enough
end e
s -> again -> a -> count -> split -> b -> join -> enough
split -> c -> join
late -> e
enough -> e : n > 10000
enough -> again : else
"""


@pytest.mark.parametrize(
    ("early", "late"), [(30, 100), pytest.param(100, 3000, marks=pytest.mark.slow)]
)  # fmt: skip
def test_a_step_in_a_loop_costs_the_same_however_often_it_went_round(quick: Stage, early, late):
    quick.publish(LOOP)
    number = quick.start(n=0)
    costs = {}
    for lap in range(1, late + 1):
        if lap in (early, late):
            costs[lap] = cost_of(quick, number, lambda: quick.complete("a"))
        else:
            quick.complete(f"SV-{number}.{lap}")
    alike(costs[early], costs[late])


def long_diagram(steps: int) -> str:
    names = [f"a{n}" for n in range(steps)]
    lines = ["start s", *(f"user {name}" for name in names), "end e"]
    return "\n".join([*lines, "s -> " + " -> ".join(names) + " -> e"])


def test_a_step_costs_the_same_in_a_diagram_of_25_and_of_250_elements(quick: Stage):
    costs = []
    for steps in (25, 250):
        quick.publish(long_diagram(steps), f"p{steps}")
        number = quick.start(f"p{steps}")
        quick.complete(f"SV-{number}.1")
        costs.append(cost_of(quick, number, lambda number=number: quick.complete(f"SV-{number}.2")))
    alike(*costs)


def test_a_step_costs_the_same_after_a_long_history_of_other_instances(quick: Stage):
    quick.publish(long_diagram(3))
    costs = []
    for others in (0, 60):
        for _ in range(others):
            done = quick.start()
            for step in (1, 2, 3):
                quick.complete(f"SV-{done}.{step}")
        number = quick.start()
        costs.append(cost_of(quick, number, lambda number=number: quick.complete(f"SV-{number}.1")))
    alike(*costs)


USERS = "start s flow.sets=size\nuser each many=house flow.collection=t.houses flow.due=P5D\nend e\ns -> each -> e"
CHILDREN = """
start s flow.sets=size
sub each many=house flow.collection=t.houses flow.in="n=house['n']"
  start s2
  receive r message=go flow.key="str(n)"
  user a
  end e2
  s2 -> r -> a -> e2
end e
s -> each -> e
"""


def houses(handlers: Handlers) -> None:
    @handlers.collection
    def houses(call):
        """As many as the variable says."""
        return ({"n": n} for n in range(call.variables["size"]))


@pytest.mark.parametrize(("few", "many"), [(10, 400), pytest.param(10, 10_000, marks=pytest.mark.slow)])
def test_an_item_of_a_batch_of_user_tasks_costs_the_same_among_ten_and_among_thousands(
    quick: Stage, handlers, few, many
):
    houses(handlers)
    quick.publish(USERS)
    costs = []
    for size in (few, many):
        number = quick.start(size=size)
        assert len(quick.rows(tables.batch_item)) >= size
        quick.complete(f"SV-{number}.1")
        costs.append(cost_of(quick, number, lambda number=number: quick.complete(f"SV-{number}.2")))
    alike(*costs)


@pytest.mark.parametrize(("few", "many"), [(10, 400), pytest.param(10, 10_000, marks=pytest.mark.slow)])
def test_an_item_in_a_child_of_its_own_costs_the_same_among_ten_and_among_thousands(
    quick: Stage, handlers, few, many
):
    houses(handlers)
    quick.publish(CHILDREN)
    costs = []
    for size in (few, many):
        number = quick.start(size=size)
        children = quick.rows(tables.instance, tables.instance.c.parent_id == number)
        assert len(children) == size
        child = children[1].id

        def act(child=child):
            quick.do(Send(by=SYSTEM, name="go", key=f"SV-{child}"))
            quick.complete(f"SV-{child}.1")

        costs.append(cost_of(quick, number, act))
    alike(*costs)


CALLED = "start s\nuser a lane=doer flow.record=paper flow.due=P2D\nuser b lane=doer\nend e\ns -> a -> b -> e"


def test_a_step_of_a_called_process_costs_the_same_whoever_does_it_for_whom(quick: Stage):
    records = "records:\n  {}: {{title: x}}\n"
    quick.publish(CALLED, "block", process="block", more="called: true\n" + records.format("paper"))
    named = 'flow.roles="doer = clerk" flow.records="paper = visit"'
    quick.publish(f"start s\ncall c calls=block {named}\nend e\ns -> c -> e", more=records.format("visit"))
    quick.publish(CALLED.replace("lane=doer", ""), "plain", process="plain", more=records.format("paper"))
    quick.publish("start s\ncall c calls=plain\nend e\ns -> c -> e", "q")
    costs = []
    for name in ("p", "q"):
        quick.start(name)
        quick.complete("a")
        quick.complete("b")  # once before it is counted: what is read once is read
        quick.start(name)
        (child,) = {row.instance_id for row in quick.rows(tables.user_task, tables.OPEN_WORK)}
        costs.append(cost_of(quick, child, lambda: quick.complete("a")))
        quick.complete("b")
    alike(*costs)


def test_a_new_working_day_table_costs_as_many_statements_for_ten_open_due_dates_as_for_hundreds(
    quick: Stage,
):
    dates = 'flow.due=P5WD flow.remind="P1D before due"'
    quick.publish(f"start s\nuser each each=houses:house {dates}\nend e\ns -> each -> e")
    costs = []
    for count, day in ((10, "2026-09-17"), (300, "2026-09-18")):
        number = quick.start(houses=list(range(count)))
        own = load(f"days_off: {{own: ['{day}']}}", "own.yaml")
        import_ = ImportCalendar(by=SYSTEM, document=own, unit="east")
        costs.append(cost_of(quick, number, lambda import_=import_: quick.do(import_)).statements)
        armed = quick.rows(tables.deadline, tables.deadline.c.instance_id == number)
        assert {row.due_day for row in armed} == {"2026-09-21"}
        timers = quick.rows(tables.timer, tables.ARMED_TIMER, tables.timer.c.instance_id == number)
        assert len(timers) == len(armed) == count
        quick.do(Cancel(by=SYSTEM, instance=number, reason="next"))
    assert abs(costs[1] - costs[0]) <= 3
