"""Errors, escalations and conditions (BPMN 2.0.2, 10.5.1 and 13.5)."""

from __future__ import annotations

import pytest

from engine.commands.instances import Correct
from engine.commands.messages import Send
from engine.model import SYSTEM
from engine.rehearsal import run
from tests.engine.drawing import diagram
from tests.engine.paths import path, rehearse
from tests.engine.stage import Stage

# -- errors and escalations ------------------------------------------------------------------------

ERROR = """
start s
sub body
  start s2
  and split
  user waits
  end never
  end fails error=E1
  s2 -> split -> fails
  split -> waits -> never
boundary exact on=body error=E1
boundary any on=body error=
task a
task b
end e
s -> body -> e
exact -> a -> e
any -> b -> e
"""


def test_an_error_end_event_leaves_the_sub_process_by_the_boundary_event_of_its_code():
    assert path(ERROR) == "s body s2 split fails exact a e"
    assert path(ERROR.replace("fails error=E1", "fails error=E2")) == "s body s2 split fails any b e"


def test_an_error_that_nothing_catches_ends_the_instance_as_failed():
    drawing = ERROR.replace("boundary any on=body error=\n", "").replace("any -> b -> e\n", "")
    drawing = drawing.replace("task b\n", "").replace("fails error=E1", "fails error=E2")
    assert rehearse(drawing).ended == "error(E2)"


def test_the_innermost_handler_catches_an_error():
    drawing = """
    start s
    sub outer
      sub inner
        start s2
        end fails error=E
        s2 -> fails
      boundary near on=inner error=
      task a
      inner -> a
      near -> a
    boundary far on=outer error=E
    end e
    s -> outer -> e
    far -> e
    """
    assert path(drawing) == "s outer inner s2 fails near a e"


def test_an_error_from_a_called_process_is_caught_at_the_call_by_a_job(quick: Stage):
    quick.publish("""
    start s
    call c calls=child
    boundary caught on=c error=E
    task a
    end e
    s -> c -> e
    caught -> a -> e
    process child
    start s2
    user b
    end fails error=E
    s2 -> b -> fails
    """)
    number = quick.start()
    quick.complete("b")
    assert quick.trace(number) == ["s", "c", "caught", "a", "e"]
    assert quick.row(number + 1).status == "failed"
    assert quick.outcome(number) == "completed"


def test_a_script_may_throw_an_error_and_keeps_nothing_of_what_it_set():
    drawing = """
    start s
    script t do="x = 1; throw_error('E')"
    boundary caught on=t error=E
    task a
    end e
    s -> t -> e
    caught -> a -> e
    """
    found = rehearse(drawing, x=0)
    assert found.visited == ("s", "t", "caught", "a", "e")
    assert found.variables["x"] == 0


ESCALATES = """
start s
sub body
  start s2
  throw up escalation=X
  end goes_on
  s2 -> up -> goes_on
boundary told on=body escalation=X soft
task a
end e
s -> body -> e
told -> a -> e
"""


def test_an_escalation_goes_on_beside_its_handler_unless_that_interrupts():
    assert path(ESCALATES) == "s body s2 up told a goes_on e e"
    assert path(ESCALATES.replace("escalation=X soft", "escalation=X")) == "s body s2 up told a e"


def test_an_escalation_that_nobody_catches_changes_nothing():
    assert path(ESCALATES.replace("on=body escalation=X", "on=body escalation=Y")) == "s body s2 up goes_on e"


CALLS_UP = """
start s
call c calls=middle
boundary told on=c escalation=X soft
user heard
end e
s -> c -> e
told -> heard -> e
process middle
start s2
call d calls=inner
end e2
s2 -> d -> e2
process inner
start s3
throw up escalation=X
user between
throw again escalation=X
user last
end e3
s3 -> up -> between -> again -> last -> e3
"""


def test_escalations_climb_through_called_processes_each_time(quick: Stage):
    quick.publish(CALLS_UP)
    number = quick.start()
    assert sorted(quick.open()) == ["between", "heard"]
    quick.complete("between")
    assert sorted(quick.open()) == ["heard", "heard", "last"]
    for task in (*quick.tasks("heard"), quick.task("last")):
        quick.complete(task)
    assert quick.outcome(number) == "completed"


# -- conditions ------------------------------------------------------------------------------------


def test_a_conditional_event_fires_when_its_condition_becomes_true_and_again_only_after_it_was_false(
    quick: Stage,
):
    quick.publish("""
    start s
    user a
    boundary hot on=a condition="n > 2" soft
    task alarm
    sub feed
      start f
      receive r message=n
      receive r2 message=n
      receive r3 message=n
      receive r4 message=n
      end f2
      f -> r -> r2 -> r3 -> r4 -> f2
    and split
    end e
    end e2
    s -> split -> a -> e
    split -> feed -> e
    hot -> alarm -> e2
    """)
    number = quick.start(n=0)
    counts = []
    for value in (3, 4, 1, 5):
        quick.do(Send(by=SYSTEM, name="n", values={"n": value}))
        counts.append(quick.trace(number).count("alarm"))
    assert counts == [1, 1, 1, 2]


def test_a_condition_that_already_holds_fires_at_once():
    assert path('start s\ncatch c condition="n > 2"\nend e\ns -> c -> e', n=3) == "s c e"


def test_a_condition_that_cannot_be_evaluated_is_an_incident_that_can_be_retried_or_skipped(quick: Stage):
    quick.publish("""
    start s
    and split
    user a form=f
    user b
    boundary hot on=b condition="10 / temperature > 2"
    end e
    end e2
    s -> split -> a -> e
    split -> b -> e
    hot -> e2
    """, forms={"f": "  - {id: temperature, type: number, label: x}"})  # fmt: skip
    quick.start(temperature=0)
    assert [job.element for job in quick.incidents()] == ["hot"]
    quick.complete("a", temperature=4)
    assert quick.open() == ["b"]
    quick.retry()
    assert quick.open() == []
    assert not quick.incidents()


UNSET = {
    "boundary": """
    start s
    user a
    boundary hot on=a condition="ready > 2"
    task after
    end e
    end e2
    s -> a -> e
    hot -> after -> e2
    """,
    "event sub-process": """
    start s
    user a
    end e
    s -> a -> e
    event-sub v
      start hot condition="ready > 2"
      task after
      end e2
      hot -> after -> e2
    """,
    "catch": """
    start s
    catch hot condition="ready > 2"
    task after
    end e
    s -> hot -> after -> e
    """,
    "event gateway": """
    start s
    choice way
    catch hot condition="ready > 2"
    catch late timer=P9D
    task after
    end e
    s -> way -> hot -> after -> e
    way -> late -> e
    """,
}


@pytest.mark.parametrize("case", UNSET)
def test_a_condition_that_reads_a_variable_nobody_set_yet_is_not_true_yet(quick: Stage, case: str):
    quick.publish(UNSET[case])
    number = quick.start()
    assert not quick.incidents()
    assert "after" not in quick.trace(number)
    quick.do(Correct(by=SYSTEM, instance=number, values={"ready": 3}, reason="x"))
    assert "after" in quick.trace(number)
    assert not quick.incidents()


@pytest.mark.parametrize("code", ["None", '""', '" "', "[1]", "True"])
def test_a_script_that_throws_an_error_without_a_code_is_an_incident_at_its_element(code: str):
    found = run(diagram(f"start s\nscript a do='throw_error({code})'\nend e\ns -> a -> e"), "main", {})
    assert (found.visited, found.ended) == (("s", "a"), "incident")
    assert "has no code" in found.incidents[0]


@pytest.mark.parametrize("value", [1, None, "yes", []], ids=repr)
@pytest.mark.parametrize("case", UNSET)
def test_an_event_whose_condition_is_neither_true_nor_false_is_an_incident(case: str, value: object):
    drawing = diagram(UNSET[case].replace("ready > 2", "ready"))
    for reload in (False, True):
        found = run(drawing, "main", {"ready": value}, reload=reload)
        assert "after" not in found.visited
        assert [f"The condition ready gives {value!r}" in reason for reason in found.incidents] == [True]
