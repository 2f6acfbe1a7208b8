"""Timers, messages and signals (BPMN 2.0.2, 10.5 and 13.5)."""

from __future__ import annotations

import pytest

from engine.commands.instances import Suspend
from engine.commands.messages import Send
from engine.errors import Conflict, NotFound
from engine.model import SYSTEM, Actor
from tests.engine.paths import path
from tests.engine.stage import Stage

INTERRUPTED = """
start s
user a
boundary late on=a timer=PT1H
task fallback
end e
end e2
s -> a -> e
late -> fallback -> e2
"""


# -- timers ----------------------------------------------------------------------------------------


def test_an_interrupting_boundary_timer_takes_the_task_away(quick: Stage):
    quick.publish(INTERRUPTED)
    number = quick.start()
    task = quick.task("a")
    quick.wait(hours=1)
    assert quick.outcome(number) == "completed"
    assert quick.trace(number) == ["s", "a", "late", "fallback", "e2"]
    with pytest.raises(Conflict, match="no longer needed"):
        quick.complete(task)


def test_a_boundary_timer_of_a_task_done_in_time_never_fires(quick: Stage):
    quick.publish(INTERRUPTED)
    number = quick.start()
    quick.complete("a")
    quick.wait(hours=2)
    assert quick.trace(number) == ["s", "a", "e"]


def test_a_timer_that_fell_due_before_the_task_was_done_but_was_not_yet_looked_at_comes_too_late(
    quick: Stage,
):
    quick.publish(INTERRUPTED)
    number = quick.start()
    quick.clock.advance(hours=2)
    quick.complete("a")
    quick.tick()
    assert quick.trace(number) == ["s", "a", "e"]
    assert not quick.incidents()


def test_a_non_interrupting_boundary_timer_leaves_the_task_and_fires_once(quick: Stage):
    quick.publish(INTERRUPTED.replace("timer=PT1H", "timer=PT1H soft"))
    number = quick.start()
    quick.wait(hours=5)
    assert quick.open() == ["a"]
    quick.wait(hours=5)
    quick.complete("a")
    assert quick.trace(number) == ["s", "a", "late", "fallback", "e2", "e"]


def test_a_cycle_fires_once_after_an_outage_and_then_keeps_its_beat(quick: Stage):
    quick.publish(INTERRUPTED.replace("timer=PT1H", "cycle=R/PT1H soft"))
    number = quick.start()
    quick.wait(minutes=60)
    assert quick.trace(number).count("late") == 1
    quick.wait(hours=10, minutes=30)
    assert quick.trace(number).count("late") == 2, "ten firings were missed, one is made up for"
    quick.wait(minutes=29)
    assert quick.trace(number).count("late") == 2
    quick.wait(minutes=1)
    assert quick.trace(number).count("late") == 3
    quick.complete("a")
    quick.wait(hours=5)
    assert quick.trace(number).count("late") == 3


def test_a_cycle_with_a_number_of_repetitions_ends(quick: Stage):
    quick.publish(INTERRUPTED.replace("timer=PT1H", "cycle=R2/PT1H soft"))
    number = quick.start()
    for _ in range(6):
        quick.wait(hours=1)
    assert quick.trace(number).count("late") == 2
    assert quick.open() == ["a"]


def test_a_timer_may_be_an_expression_or_count_working_days(quick: Stage):
    quick.publish("""
    start s
    catch one timer="'PT' + hours"
    catch two timer=P1WD
    catch three timer="P2D before d0"
    end e
    s -> one -> two -> three -> e
    """)
    number = quick.start(hours="2H", d0="2026-12-24")
    quick.wait(hours=1, minutes=59)
    assert quick.trace(number) == ["s", "one"]
    quick.wait(minutes=1)
    assert quick.trace(number) == ["s", "one", "two"]
    quick.wait(days=8)
    assert quick.trace(number)[-1] == "three"
    quick.wait(days=80)
    assert quick.trace(number)[-1] == "three"
    quick.wait(days=20)
    assert quick.outcome(number) == "completed"


def test_of_several_timers_behind_an_event_gateway_the_earliest_wins_and_the_others_are_withdrawn():
    drawing = """
    start s
    choice first
    catch slow timer=PT2H
    catch fast timer=PT1H
    catch word message=word
    task a
    task b
    end e
    s -> first -> slow -> a -> e
    first -> fast -> b -> e
    first -> word -> e
    """
    assert path(drawing, 86400) == "s first fast b e"


def test_after_an_outage_the_timer_of_an_event_gateway_that_fell_due_first_wins(quick: Stage):
    quick.publish("""
    start s
    choice first
    catch slow timer=PT2H
    catch fast timer=PT1H
    end e
    s -> first -> slow -> e
    first -> fast -> e
    """)
    number = quick.start()
    quick.wait(days=3)
    assert quick.trace(number) == ["s", "first", "fast", "e"]
    assert not quick.incidents()


def test_an_event_gateway_takes_the_message_that_comes_before_its_timer(quick: Stage):
    quick.publish("""
    start s
    choice first
    catch slow timer=PT2H
    receive word message=word
    end e
    s -> first -> slow -> e
    first -> word -> e
    """)
    number = quick.start()
    quick.do(Send(by=SYSTEM, name="word", values={"n": 3}))
    quick.wait(hours=3)
    assert quick.trace(number) == ["s", "first", "word", "e"]
    assert quick.variables(number)["n"] == 3


# -- messages --------------------------------------------------------------------------------------

WAITS = """
start s
catch answer message=answer flow.key=customer
task after
end e
s -> answer -> after -> e
"""


def test_messages_go_to_the_instance_that_their_key_or_label_names_and_to_no_other(quick: Stage):
    quick.publish(WAITS)
    one, two, three = (quick.start(customer=each) for each in ("A", "B", "A"))
    assert quick.do(Send(by=SYSTEM, name="answer", key="B")) == two
    assert quick.do(Send(by=SYSTEM, name="answer", key="A")) == one, "the one that has waited longest"
    assert quick.do(Send(by=SYSTEM, name="answer", key=f"SV-{three}")) == three
    with pytest.raises(NotFound, match="Nobody waits"):
        quick.do(Send(by=SYSTEM, name="answer", key="A"))
    assert [quick.outcome(each) for each in (one, two, three)] == ["completed"] * 3


@pytest.mark.parametrize("key", ["C", "SV-99", "a", None])
def test_a_message_with_another_key_or_none_is_never_delivered(quick: Stage, key):
    quick.publish(WAITS)
    number = quick.start(customer="A")
    with pytest.raises(NotFound):
        quick.do(Send(by=SYSTEM, name="answer", key=key))
    assert quick.outcome(number) is None


def test_a_message_passes_a_suspended_instance_by_when_another_waits(quick: Stage):
    quick.publish(WAITS)
    one, two = quick.start(customer="A"), quick.start(customer="A")
    quick.do(Suspend(by=Actor("gus"), instance=one, reason="audit"))
    assert quick.do(Send(by=SYSTEM, name="answer", key="A")) == two
    with pytest.raises(Conflict, match="suspended"):
        quick.do(Send(by=SYSTEM, name="answer", key="A"))


def test_a_message_without_receiver_is_refused_and_a_thrown_one_is_noted(quick: Stage):
    quick.publish(
        "start s\nthrow out message=lost\nsend more message=gone\nend e message=last\ns -> out -> more -> e"
    )
    number = quick.start()
    assert quick.outcome(number) == "completed"
    assert [fact.facts["name"] for fact in quick.journal("message.unreceived")] == ["lost", "gone", "last"]


def test_a_thrown_message_reaches_one_receiver_of_its_key(quick: Stage):
    quick.publish(WAITS, "waits")
    quick.publish('start s\nend e message=answer flow.key="who"\ns -> e', "tells")
    receivers = [quick.start("waits", customer="A") for _ in range(2)]
    quick.start("tells", who="B")
    assert [quick.outcome(each) for each in receivers] == [None, None]
    quick.start("tells", who="A")
    assert [quick.outcome(each) for each in receivers] == ["completed", None]


def test_a_key_that_cannot_be_worked_out_leaves_an_incident_at_the_event_and_the_person_s_work_is_kept(
    quick: Stage,
):
    quick.publish('start s\nuser a\nthrow out message=m flow.key="nobody"\nend e\ns -> a -> out -> e')
    quick.start()
    quick.complete("a")
    assert quick.open() == []
    assert [(job.element, "nobody" in (job.error or "")) for job in quick.incidents()] == [("out", True)]


def test_a_message_starts_a_procedure_that_begins_with_it(quick: Stage):
    quick.publish("start s message=complaint\nuser a\nend e\ns -> a -> e")
    number = quick.do(Send(by=Actor("ann"), name="complaint", values={"who": "x"}, unit="east"))
    assert quick.open(number) == ["a"]
    assert quick.variables(number)["who"] == "x"
    with pytest.raises(NotFound, match="for which unit"):
        quick.do(Send(by=SYSTEM, name="complaint"))


def test_a_non_interrupting_message_boundary_takes_every_message(quick: Stage):
    quick.publish("""
    start s
    user a
    boundary more on=a message=more soft
    user extra
    end e
    s -> a -> e
    more -> extra -> e
    """)
    number = quick.start()
    for _ in range(2):
        quick.do(Send(by=SYSTEM, name="more"))
    assert quick.open() == ["a", "extra", "extra"]
    quick.complete("a")
    with pytest.raises(NotFound):
        quick.do(Send(by=SYSTEM, name="more"))
    for task in quick.tasks("extra"):
        quick.complete(task)
    assert quick.outcome(number) == "completed"


def test_a_multiple_event_takes_any_of_its_messages_and_a_parallel_multiple_one_needs_them_all(quick: Stage):
    quick.publish("start s\ncatch any message=x|y\nend e\ns -> any -> e", "any")
    quick.publish("start s\ncatch both message=x|y all\nend e\ns -> both -> e", "both")
    number = quick.start("any")
    quick.do(Send(by=SYSTEM, name="y"))
    assert quick.outcome(number) == "completed"
    number = quick.start("both")
    quick.do(Send(by=SYSTEM, name="y"))
    quick.do(Send(by=SYSTEM, name="y"))
    assert quick.outcome(number) is None
    quick.do(Send(by=SYSTEM, name="x"))
    assert quick.outcome(number) == "completed"


# -- signals ---------------------------------------------------------------------------------------


def test_a_signal_reaches_everything_that_waits_for_it_in_every_instance(quick: Stage):
    quick.publish("""
    start s
    and split
    catch one signal=go
    user a
    boundary two on=a signal=go
    user b
    boundary three on=b signal=other
    end e
    end e2
    s -> split -> one -> e
    split -> a -> e
    two -> e2
    split -> b -> e
    three -> e2
    """)
    quick.publish("start s\nend e signal=go\ns -> e", "tells")
    numbers = [quick.start() for _ in range(3)]
    quick.start("tells")
    for number in numbers:
        assert quick.open(number) == ["b"]
        assert {"one", "two"} <= set(quick.trace(number))


def test_a_signal_thrown_beside_its_catcher_is_caught_and_both_stand_in_the_history():
    drawing = """
    start s
    and split
    throw out signal=go
    catch in signal=go
    task a
    end e
    s -> split -> out -> e
    split -> in -> a -> e
    """
    assert path(drawing) == "s split out in a e e"


def test_a_signal_thrown_inside_a_sub_process_may_interrupt_that_sub_process():
    drawing = """
    start s
    sub body
      throw out signal=go
      task unreached
      out -> unreached
    boundary stop on=body signal=go
    task a
    end e
    s -> body -> e
    stop -> a -> e
    """
    assert path(drawing) == "s body out stop a e"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("2026-02-30", "The timer 'day' gives no time: '2026-02-30' names no day or hour there is"),
        ("'P' + '1D'", "gives no time"),
        ("P3D after d9", "The timer 'P3D after d9' counts from d9, which has no date yet"),
        (5, "The timer 'day' gives 5, which is no date or duration written as text"),
    ],
)
def test_a_timer_that_a_variable_gives_no_sound_time_is_an_incident_in_plain_words(
    quick: Stage, value: object, reason: str
):
    """What a variable holds is a date or a duration, and never run as an expression."""
    quick.publish("start s\ncatch t timer=day\nend e\ns -> t -> e")
    quick.start(day=value)
    (incident,) = quick.incidents()
    assert reason in (incident.error or "")
