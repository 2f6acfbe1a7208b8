"""Cases that need more than a diagram: what begins instances, functions, people, schedules (10.3.3, 10.5.2, 13.2)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.commands.definitions import Publish
from engine.commands.messages import Send
from engine.commands.schedules import FireSchedules, Schedule
from engine.errors import Misbuilt, NotFound
from engine.handlers import Call, Handlers, Values
from engine.model import SYSTEM
from engine.procedures import from_files
from engine.rehearsal import run
from engine.store import open_store, tables
from tests.engine.drawing import diagram
from tests.engine.stage import Stage, open_stage
from tests.standard.outside import speaks_for

BEGINS = """
start s {event}
user a
end e
s -> a -> e
"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    handlers = Handlers("t")

    @handlers.inside
    def double(call: Call) -> Values:
        return {"n": call.variables["n"] * 2}

    @handlers.outside
    def fetch(call: Call) -> Values:
        return {"n": call.variables["n"] + 1}

    with open_store("sqlite://") as store:
        found = open_stage(store, tmp_path, handlers)
        found.organise()
        found.calendars(2026, 2027)
        yield found
        found.check()


def begun(stage: Stage) -> list[str]:
    """The procedures of the instances there are."""
    return [row.procedure for row in stage.rows(tables.instance)]


def throw(stage: Stage, event: str) -> None:
    stage.publish(f"start s\nthrow t {event}\nend e\ns -> t -> e", "thrower")
    stage.start("thrower")


@speaks_for("message start event")
def test_a_message_begins_an_instance_of_the_process_that_starts_with_it(stage: Stage):
    stage.publish(BEGINS.format(event="message=order"), "orders")
    stage.publish(BEGINS.format(event="message=complaint"), "complaints")
    stage.do(Send(by=SYSTEM, name="complaint", unit="east"))
    assert begun(stage) == ["complaints"]
    assert stage.open() == ["a"]
    with pytest.raises(NotFound):
        stage.do(Send(by=SYSTEM, name="praise", unit="east"))


@speaks_for("message start event")
def test_a_message_thrown_by_another_process_begins_an_instance(stage: Stage):
    stage.publish(BEGINS.format(event="message=order"), "orders")
    throw(stage, "message=order")
    assert begun(stage) == ["thrower", "orders"]


@speaks_for("message start event")
def test_an_instance_that_waits_for_the_message_gets_it_rather_than_a_new_one(stage: Stage):
    stage.publish("start s\ncatch c message=order\nend e\ns -> c -> e", "waiter")
    stage.publish(BEGINS.format(event="message=order"), "orders")
    waiting = stage.start("waiter")
    stage.do(Send(by=SYSTEM, name="order", unit="east"))
    assert stage.outcome(waiting) == "completed"
    assert begun(stage) == ["waiter"]


@speaks_for("message start event", "none start event")
def test_of_several_start_events_only_the_one_whose_event_came_has_a_token(stage: Stage):
    stage.publish("start s\nstart m message=order\ntask a\ntask b\nend e\ns -> a -> e\nm -> b -> e")
    number = stage.do(Send(by=SYSTEM, name="order", unit="east"))
    assert stage.trace(number) == ["m", "b", "e"]
    assert stage.trace(stage.start()) == ["s", "a", "e"]


@speaks_for("signal start event")
def test_a_signal_begins_an_instance_of_every_process_that_starts_with_it(stage: Stage):
    stage.publish(BEGINS.format(event="signal=alarm"), "brigade")
    stage.publish(BEGINS.format(event="signal=alarm"), "police")
    stage.publish(BEGINS.format(event="signal=calm"), "press")
    throw(stage, "signal=alarm")
    assert sorted(begun(stage)) == ["brigade", "police", "thrower"]


@speaks_for("multiple start event")
def test_any_of_several_events_begins_an_instance(stage: Stage):
    stage.publish(BEGINS.format(event="message=order signal=alarm"), "p")
    stage.do(Send(by=SYSTEM, name="order", unit="east"))
    throw(stage, "signal=alarm")
    assert begun(stage) == ["p", "thrower", "p"]
    assert stage.open() == ["a", "a"]


@speaks_for("parallel multiple start event")
def test_a_start_event_that_needs_several_events_goes_on_when_all_have_come(stage: Stage):
    stage.publish(BEGINS.format(event="all message=order|payment"), "p")
    stage.do(Send(by=SYSTEM, name="order", unit="east"))
    assert (begun(stage), stage.open()) == (["p"], [])
    stage.do(Send(by=SYSTEM, name="payment", unit="east"))
    assert (begun(stage), stage.open()) == (["p"], ["a"])


@speaks_for("timer start event")
def test_a_timer_start_event_begins_instances_by_its_schedule(stage: Stage):
    stage.publish(BEGINS.format(event="timer="), "p", more="schedules: {s: {every: month, start: {day: -1}}}")
    stage.do(Schedule(by=SYSTEM, procedure="p", unit="east"))
    stage.wait(days=15)
    assert stage.do(FireSchedules(by=SYSTEM)) == []
    stage.wait(days=1)
    assert len(stage.do(FireSchedules(by=SYSTEM))) == 1
    assert (begun(stage), stage.open()) == (["p"], ["a"])


RECEIVES = """
receive s message=order begins
user a
end e
s -> a -> e
"""


@speaks_for("instantiating receive task")
def test_a_receive_task_without_incoming_flow_begins_an_instance(stage: Stage):
    stage.publish(RECEIVES, "p")
    number = stage.do(Send(by=SYSTEM, name="order", unit="east"))
    assert stage.trace(number) == ["s", "a"]


FIRST = """
choice which begins
catch a message=order
catch b message=complaint
user ta
user tb
end e
which -> a -> ta -> e
which -> b -> tb -> e
"""


@speaks_for("instantiating event-based gateway")
def test_an_event_based_gateway_begins_an_instance_with_the_first_of_its_events(stage: Stage):
    stage.publish(FIRST, "p")
    stage.do(Send(by=SYSTEM, name="complaint", unit="east"))
    assert stage.open() == ["tb"]
    stage.do(Send(by=SYSTEM, name="order", unit="east"))
    assert sorted(stage.open()) == ["ta", "tb"]
    assert begun(stage) == ["p", "p"]


@speaks_for("service task")
def test_a_function_inside_gives_its_values_before_the_token_goes_on(stage: Stage):
    stage.publish("start s\nservice a flow.handler=t.double flow.sets=n\nuser b\nend e\ns -> a -> b -> e")
    number = stage.start(n=4)
    assert (stage.variables(number)["n"], stage.open()) == (8, ["b"])


@speaks_for("service task")
def test_the_token_waits_for_a_function_outside(stage: Stage):
    stage.publish("start s\nservice a flow.handler=t.fetch flow.sets=n\nend e\ns -> a -> e")
    number = stage.start(n=4)
    assert (stage.variables(number)["n"], stage.outcome(number)) == (5, "completed")


@speaks_for("business rule task")
def test_a_function_decides_in_a_business_rule_task(stage: Stage):
    stage.publish("start s\nrule a flow.handler=t.double flow.sets=n\nend e\ns -> a -> e")
    number = stage.start(n=4)
    assert (stage.variables(number)["n"], stage.trace(number)) == (8, ["s", "a", "e"])


@speaks_for("user task", "lane")
def test_a_user_task_waits_on_the_worklist_of_the_role_whose_lane_it_stands_in(stage: Stage):
    stage.publish("start s\nuser a lane=boss\nend e\ns -> a -> e")
    number = stage.start()
    (row,) = stage.rows(tables.user_task)
    assert (row.role, stage.outcome(number)) == ("boss", None)
    stage.complete("a")
    assert stage.outcome(number) == "completed"


@speaks_for("global business rule task")
def test_a_global_business_rule_task_is_called_and_decided_by_its_function(stage: Stage):
    rule = (
        '<globalBusinessRuleTask id="shared"><extensionElements><camunda:properties><camunda:property '
        'name="flow.handler" value="t.double"/><camunda:property name="flow.sets" value="n"/></camunda:properties>'
        "</extensionElements></globalBusinessRuleTask>"
    )
    drawing = diagram("start s\ncall a calls=shared flow.sets=n\nend e\ns -> a -> e")
    bpmn = drawing.replace(b"</definitions>", f"{rule}</definitions>".encode())
    main = b"procedure: flow/1\nid: p\ntitle: p\nprocess: main\n"
    stage.do(Publish(by=SYSTEM, procedure=from_files({"procedure.yaml": main, "p.bpmn": bpmn})))
    number = stage.start(n=4)
    assert (stage.variables(number)["n"], stage.outcome(number)) == (8, "completed")


@speaks_for("conditional start event")
def test_a_process_that_begins_by_a_condition_is_rehearsed_but_not_published(stage: Stage):
    drawing = BEGINS.format(event="condition='n > 1'")
    assert run(diagram(drawing), "main", {"n": 2}).visited == ("s", "a", "e")
    with pytest.raises(Misbuilt):
        stage.publish(drawing)
