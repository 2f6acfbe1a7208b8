"""Who is stopped, and when: time that passes inside scripts, escalations out of called processes, conditions."""

from __future__ import annotations

import pytest

from tests.engine.paths import path, rehearse

SLEEPING = """
start s
sub b
  start s2
  script nap do="sleep({seconds})"
  task next
  end e2
  s2 -> nap -> next -> e2
boundary late on=b timer=PT2S
task instead
end e
s -> b -> e
late -> instead -> e
"""


def test_a_timer_that_falls_due_while_a_script_sleeps_interrupts_before_what_follows_it():
    assert path(SLEEPING.format(seconds=3)) == "s b s2 nap late instead e"
    assert path(SLEEPING.format(seconds=1)) == "s b s2 nap next e2 e"


def test_a_timer_interrupts_a_sub_process_whose_last_script_slept_too_long():
    drawing = (
        SLEEPING.format(seconds=3).replace("start s2", "").replace("task next", "").replace("end e2", "")
    )
    assert path(drawing.replace("s2 -> nap -> next -> e2", "")) == "s b nap late instead e"


@pytest.mark.parametrize(
    ("soft", "way"), [("", "s nap late instead e"), ("soft", "s nap late instead next e e")]
)
def test_a_timer_on_the_border_of_a_script_task_fires_when_the_script_sleeps_too_long(soft, way):
    drawing = """
    start s
    script nap do="sleep({seconds})"
    boundary late on=nap timer=PT2S {soft}
    task next
    task instead
    end e
    s -> nap -> next -> e
    late -> instead -> e
    """
    found = rehearse(drawing.format(seconds=3, soft=soft))
    assert sorted(found.visited) == sorted(way.split())
    assert found.ended == "completed"
    assert path(drawing.format(seconds=1, soft=soft)) == "s nap next e"


CALLED = """
start s
call c calls=other
boundary b on=c {event}
task heard
end e
s -> c -> e
b -> heard -> e
process other
start s2
{first}
task after
end e2
s2 -> first -> after -> e2
"""


def test_a_called_process_that_a_timer_ends_while_its_script_sleeps_does_not_go_on():
    drawing = CALLED.format(event="timer=PT2S", first='script first do="sleep(3)"')
    assert path(drawing) == "s c s2 first b heard e"


def test_an_escalation_out_of_a_called_process_ends_it_where_the_border_interrupts():
    drawing = CALLED.format(event="escalation=X", first="throw first escalation=X")
    assert path(drawing) == "s c s2 first b heard e"


def test_an_escalation_through_two_calls_ends_what_threw_it():
    drawing = CALLED.format(event="escalation=X", first="call first calls=deep")
    deep = "process deep\nstart s3\nthrow up escalation=X\ntask never\nend e3\ns3 -> up -> never -> e3\n"
    assert path(drawing + deep) == "s c s2 first s3 up b heard e"


def test_an_escalation_that_does_not_interrupt_lets_the_called_process_go_on():
    drawing = CALLED.format(event="escalation=X soft", first="throw first escalation=X")
    found = rehearse(drawing, side_by_side=True)
    assert sorted(found.visited) == sorted(["s", "c", "s2", "first", "b", "heard", "e", "after", "e2", "e"])
    assert found.ended == "completed"


CONDITIONS = """
start s
script up do="n = 2"
script down do="n = 0"
script again do="n = 3"
end e
s -> up -> down -> again -> e
event-sub watch
  start became condition="n > 1" {soft}
  script note do="notes = notes + 1"
  end done
  became -> note -> done
"""


def test_a_condition_is_looked_at_after_every_change_not_only_at_the_end():
    found = rehearse(CONDITIONS.format(soft="soft"), n=0, notes=0)
    assert found.variables == {"n": 3, "notes": 2}


def test_an_interrupting_condition_stops_what_would_come_next():
    assert path(CONDITIONS.format(soft=""), n=0, notes=0) == "s up watch became note done"


SEVERAL = """
start s
and split
user a
boundary b on=a {events} soft
throw one signal=A
throw two message=B
throw three signal=A
task heard
end e
s -> split -> a -> e
split -> one -> two -> three -> e
b -> heard -> e
"""


def test_an_event_with_several_definitions_is_heard_each_time_while_it_does_not_interrupt():
    found = rehearse(SEVERAL.format(events="signal=A message=B timer=PT5H"), side_by_side=True)
    assert found.visited.count("heard") == 3
    found = rehearse(SEVERAL.format(events="signal=A message=B all"), side_by_side=True)
    assert found.visited.count("heard") == 1


def test_several_conditions_of_one_event_are_told_apart():
    drawing = """
    start s
    and split
    catch c condition="n > 1" signal=never
    task after
    script set do="n = 2"
    end e
    s -> split -> c -> after -> e
    split -> set -> e
    """
    assert sorted(path(drawing, n=0).split()) == sorted(["s", "split", "c", "after", "set", "e", "e"])


@pytest.mark.parametrize("event", ["error=E", "escalation=X"])
def test_an_event_may_catch_an_error_or_an_escalation(event):
    drawing = """
    start s
    sub a
      start s2
      end fails {event}
      s2 -> fails
    boundary b on=a error=E escalation=X
    task caught
    end e
    s -> a -> e
    b -> caught -> e
    """
    assert path(drawing.format(event=event)) == "s a s2 fails b caught e"


def test_an_end_event_throws_everything_before_it_fails():
    drawing = """
    start s
    sub a
      start s2
      end fails error=E signal=S message=M
      s2 -> fails
      event-sub heard
        start h signal=S soft
        task note
        end e3
        h -> note -> e3
    boundary b on=a error=E
    task caught
    end e
    s -> a -> e
    b -> caught -> e
    """
    assert path(drawing) == "s a s2 fails heard b caught e"
