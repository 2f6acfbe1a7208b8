"""Event sub-processes and terminate (BPMN 2.0.2, 13.3.4 and 13.5)."""

from __future__ import annotations

import pytest

from engine.commands.messages import Send
from engine.errors import NotFound
from engine.model import SYSTEM
from tests.engine.paths import path, rehearse
from tests.engine.stage import Stage

# -- event sub-processes ---------------------------------------------------------------------------

EVENT_SUB = """
start s
user a
end e
s -> a -> e
event-sub aside
  start begins message=stop
  user b
  end e2
  begins -> b -> e2
"""


def test_an_interrupting_event_sub_process_takes_the_place_of_what_stands_beside_it(quick: Stage):
    quick.publish(EVENT_SUB)
    number = quick.start()
    quick.do(Send(by=SYSTEM, name="stop"))
    assert quick.open() == ["b"]
    with pytest.raises(NotFound):
        quick.do(Send(by=SYSTEM, name="stop"))
    quick.complete("b")
    assert quick.trace(number) == ["s", "a", "aside", "begins", "b", "e2"]
    assert quick.outcome(number) == "completed"


def test_a_non_interrupting_event_sub_process_runs_beside_as_often_as_its_event_comes(quick: Stage):
    quick.publish(EVENT_SUB.replace("message=stop", "message=stop soft"))
    number = quick.start()
    quick.do(Send(by=SYSTEM, name="stop"))
    quick.do(Send(by=SYSTEM, name="stop"))
    assert quick.open() == ["a", "b", "b"]
    quick.complete("a")
    assert quick.outcome(number) is None, "it still runs"
    for task in quick.tasks("b"):
        quick.complete(task)
    assert quick.outcome(number) == "completed"


def test_an_event_sub_process_whose_event_never_comes_does_not_keep_the_process_alive(quick: Stage):
    for start in (
        "timer=PT5H",
        "timer=PT5H soft",
        "message=x",
        "signal=x",
        "condition='n > 1'",
        "cycle=R/PT5H soft",
    ):
        quick.publish(EVENT_SUB.replace("message=stop", start), "p")
        number = quick.start(**({"n": 0} if "n >" in start else {}))
        quick.complete("a")
        assert quick.outcome(number) == "completed", start


def test_a_timer_starts_an_event_sub_process(quick: Stage):
    quick.publish(EVENT_SUB.replace("message=stop", "timer=PT5H soft"))
    number = quick.start()
    quick.wait(hours=5)
    quick.wait(hours=5)
    assert quick.open() == ["a", "b"]
    quick.complete("b")
    quick.complete("a")
    assert quick.outcome(number) == "completed"


def test_event_sub_processes_catch_the_errors_and_escalations_of_their_scope_before_its_boundary_does():
    drawing = """
    start s
    sub body
      start s2
      end fails error=E
      s2 -> fails
      event-sub mends
        start caught error=E
        end a
        caught -> a
    boundary outside on=body error=E
    end e
    s -> body -> e
    outside -> e
    """
    assert path(drawing) == "s body s2 fails mends caught a e"


def test_an_error_thrown_inside_an_event_sub_process_passes_that_by():
    drawing = """
    start s
    sub body
      start s2
      end fails error=E
      s2 -> fails
      event-sub mends
        start caught error=E
        end again error=E
        caught -> again
    boundary outside on=body error=E
    task a
    end e
    s -> body -> e
    outside -> a -> e
    """
    assert path(drawing) == "s body s2 fails mends caught again outside a e"


def test_event_sub_processes_nest(quick: Stage):
    quick.publish("""
    start s
    user a
    end e
    s -> a -> e
    event-sub outer
      start begins message=one soft
      user b
      end e2
      begins -> b -> e2
      event-sub inner
        start deeper message=two
        user c
        end e3
        deeper -> c -> e3
    """)
    number = quick.start()
    with pytest.raises(NotFound):
        quick.do(Send(by=SYSTEM, name="two"))
    quick.do(Send(by=SYSTEM, name="one"))
    quick.do(Send(by=SYSTEM, name="two"))
    assert quick.open() == ["a", "c"]
    quick.complete("c")
    quick.complete("a")
    assert quick.outcome(number) == "completed"


def test_a_trigger_that_fails_can_be_retried_without_beginning_its_event_sub_process(quick: Stage):
    quick.publish(EVENT_SUB.replace("message=stop", "timer=when"))
    number = quick.start()
    assert [job.element for job in quick.incidents()] == ["begins"]
    quick.retry()
    assert quick.trace(number) == ["s", "a"]
    assert [job.element for job in quick.incidents()] == ["begins"]


# -- ends ------------------------------------------------------------------------------------------


def test_terminate_ends_the_whole_process_or_only_the_sub_process_it_stands_in():
    inner = """
    start s
    sub body
      start s2
      and split
      user a
      end e2
      end stop terminate
      s2 -> split -> a -> e2
      split -> stop
    task after
    end e
    s -> body -> after -> e
    """
    assert path(inner) == "s body s2 split a stop after e"
    outer = """
    start s
    and split
    user a
    sub body
      user b
    end e
    end stop terminate
    s -> split -> a -> e
    split -> body -> e
    split -> stop
    """
    assert rehearse(outer).ended == "completed"


def test_terminate_in_a_called_process_ends_only_that():
    drawing = """
    start s
    call c calls=child
    task after
    end e
    s -> c -> after -> e
    process child
    start s2
    and split
    user a
    end e2
    end stop terminate
    s2 -> split -> a -> e2
    split -> stop
    """
    assert path(drawing) == "s c s2 split a stop after e"


def test_terminate_withdraws_open_tasks_timers_and_subscriptions(quick: Stage):
    from engine.store import tables

    quick.publish("""
    start s
    and split
    user a flow.due=P5D flow.remind="P1D before due"
    boundary late on=a timer=PT9H
    receive r message=m
    user b
    end stop terminate
    end e
    s -> split -> a -> e
    late -> e
    split -> r -> e
    split -> b -> stop
    """)
    number = quick.start()
    quick.complete("b")
    assert quick.outcome(number) == "terminated"
    assert quick.open() == []
    assert not quick.rows(tables.timer, tables.ARMED_TIMER)
    assert not quick.rows(tables.deadline, tables.ARMED_DEADLINE)
    assert not quick.rows(tables.subscription)
