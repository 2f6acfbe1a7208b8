"""Complex gateways and token quantities (BPMN 2.0.2, 13.4.5 and 13.3.2): how many tokens come, and go on."""

from __future__ import annotations

import pytest

from tests.engine.paths import path, rehearse
from tests.engine.stage import Stage

COUNTED = """
start s
task first gives=2
task each
task last takes=2
end e
s -> first -> each -> last -> e
"""


def test_an_activity_sends_as_many_tokens_and_waits_for_as_many_as_its_quantities_say():
    assert path(COUNTED) == "s first each each last e"


def test_tokens_over_a_start_quantity_wait_for_the_next_ones():
    found = rehearse(COUNTED.replace("gives=2", "gives=5"))
    assert found.visited == ("s", "first", *["each"] * 5, "last", "last", "e", "e")
    assert found.ended == "waiting"


def test_a_start_quantity_counts_tokens_from_any_incoming_flow():
    drawing = """
    start s
    and split
    task a
    task b
    user last takes=2 max=2
    end e
    s -> split -> a -> last -> e
    split -> b -> last
    """
    assert path(drawing) == "s split a b last last e"


def test_a_completion_quantity_multiplies_every_flow_that_is_chosen():
    drawing = """
    start s
    task t gives=3
    task a
    task b
    end e
    s -> t -> a : n > 0
    t -> b : n > 1
    a -> e
    b -> e
    """
    assert sorted(path(drawing, n=1).split()) == ["a", "a", "a", "e", "e", "e", "s", "t"]


TWO_OF_THREE = """
start s
and split
user a
user b
user c
complex enough needs="activationCount >= 2"
user after
end e
s -> split -> a -> enough -> after -> e
split -> b -> enough
split -> c -> enough
"""


def test_a_complex_gateway_goes_on_once_when_enough_tokens_came_and_takes_in_those_that_come_late(
    stage: Stage,
):
    stage.publish(TWO_OF_THREE)
    number = stage.start()
    stage.complete("b")
    assert sorted(stage.open()) == ["a", "c"]
    stage.complete("c")
    assert sorted(stage.open()) == ["a", "after"]
    stage.complete("a")
    stage.complete("after")
    assert stage.outcome(number) == "completed"
    assert stage.trace(number).count("after") == 1


def test_a_complex_gateway_does_not_wait_for_what_can_no_longer_come(quick: Stage):
    drawing = TWO_OF_THREE.replace("user c", "user c\nboundary out on=c message=stop").replace(
        "split -> c", "out -> e\nsplit -> c"
    )
    quick.publish(drawing)
    number = quick.start()
    for task in ("a", "b", "after"):
        quick.complete(task)
    assert quick.outcome(number) is None
    quick.complete("c")
    assert quick.outcome(number) == "completed"


LAPS = """
start s
xor again
and split
task a
task b
complex first needs="activationCount >= 1"
script count do="n = n + 1"
xor enough
end e
s -> again -> split -> a -> first -> count -> enough
split -> b -> first
enough -> again : n < 3
enough -> e : else
"""


def test_a_discriminator_in_a_loop_lets_one_token_pass_a_lap():
    found = rehearse(LAPS, n=0)
    assert found.ended == "completed"
    assert found.variables["n"] == 3
    assert found.visited.count("b") == 3


def test_the_activation_condition_may_ask_for_single_flows():
    drawing = TWO_OF_THREE.replace("activationCount >= 2", "a_to_enough > 0 and c_to_enough > 0")
    assert path(drawing.replace("user ", "task ")) == "s split a b c enough after e"


def test_conditions_that_ask_whether_the_gateway_still_waits_are_asked_again_when_the_late_ones_came():
    drawing = """
    start s
    and split
    task a
    user b
    complex join needs="activationCount >= 1"
    task early
    task late
    end e
    s -> split -> a -> join -> early : waitingForStart
    split -> b -> join -> late : not waitingForStart
    early -> e
    late -> e
    """
    assert path(drawing) == "s split a b join early e late e"


def test_a_complex_gateway_chooses_among_its_outgoing_flows_like_an_inclusive_one():
    drawing = """
    start s
    complex way
    task a
    task b
    task c
    end e
    s -> way -> a : n > 0
    way -> b : n > 1
    way -> c : else
    a -> e
    b -> e
    c -> e
    """
    assert path(drawing, n=2) == "s way a b e e"
    assert path(drawing, n=0) == "s way c e"


@pytest.mark.parametrize("count", ["activationCount", "1 / nothing > 1"])
def test_an_activation_condition_that_cannot_be_judged_is_an_incident_at_the_gateway(count):
    found = rehearse(TWO_OF_THREE.replace("activationCount >= 2", count).replace("user ", "task "))
    assert found.ended == "incident"
    assert "after" not in found.visited
