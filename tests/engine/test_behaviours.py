"""What instances of a multi-instance activity throw when they complete (BPMN 2.0.2, 13.3.7)."""

from __future__ import annotations

import pytest

from tests.engine.paths import rehearse
from tests.engine.stage import Stage

EACH = """
start s
{kind} each times=3 {order} throws="{thrown}"
boundary heard on=each {caught} soft
script note do="notes = notes + 1"
task after
end e
s -> each -> after -> e
heard -> note -> e
"""


def drawn(thrown: str, caught: str, kind: str = "script", order: str = "") -> str:
    kind, _, order = (f"{kind} do=pass" if kind == "script" else kind), None, order
    text = EACH.format(kind="KIND", order=order, thrown=thrown, caught=caught)
    return text.replace("KIND each", "script each do=pass" if kind.startswith("script") else f"{kind} each")


@pytest.mark.parametrize("order", ["", "sequential"])
@pytest.mark.parametrize(
    ("thrown", "caught", "times"),
    [
        ("None signal S", "signal=S", 3),
        ("None escalation S", "escalation=S", 3),
        ("One signal S", "signal=S", 1),
        ("One escalation S", "escalation=", 1),
        ("nrOfCompletedInstances > 1 signal S", "signal=S", 2),
        ("notes > 5 signal S", "signal=S", 0),
    ],
)
def test_completing_instances_throw_as_their_behaviour_says_and_the_border_hears_it(
    thrown, caught, times, order
):
    found = rehearse(drawn(thrown, caught, order=order), side_by_side=True, notes=0)
    assert found.ended == "completed"
    assert found.variables["notes"] == times
    assert found.visited.count("each") == 3
    assert found.visited.count("after") == 1


def test_people_who_complete_their_part_throw_too(stage: Stage):
    stage.publish(drawn("None signal S", "signal=S", kind="user"))
    number = stage.start(notes=0)
    for done, task in enumerate(stage.tasks("each"), 1):
        stage.complete(task)
        assert stage.variables(number)["notes"] == done
    assert stage.outcome(number) == "completed"


def test_what_an_instance_throws_may_end_the_scope_around_and_the_rest_is_not_begun():
    drawing = """
    start s
    sub around
      start s2
      script each do="n = n + 1" times=3 sequential throws="One signal S"
      task never
      end e2
      s2 -> each -> never -> e2
    boundary left on=around signal=S
    task after
    end e
    s -> around -> e
    left -> after -> e
    """
    found = rehearse(drawing, n=0)
    assert found.visited == ("s", "around", "s2", "each", "left", "after", "e")
    assert found.ended == "completed"


def test_a_message_that_an_instance_throws_reaches_who_waits_for_it():
    drawing = """
    start s
    and split
    catch c message=done
    task got
    script each do=pass times=2 throws="One message done"
    end e
    s -> split -> each -> e
    split -> c -> got -> e
    """
    found = rehearse(drawing, side_by_side=True)
    assert found.ended == "completed"
    assert "got" in found.visited
