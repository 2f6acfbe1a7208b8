"""Compensation and transactions (BPMN 2.0.2, 10.7 and 13.5.5)."""

from __future__ import annotations

from engine.commands.instances import Correct
from engine.model import Actor
from tests.engine.paths import path, rehearse
from tests.engine.stage import Stage

UNDO = """
start s
task a
boundary ca on=a compensate
task undo_a undoes
ca ~> undo_a
task b
boundary cb on=b compensate
task undo_b undoes
cb ~> undo_b
throw back compensate{which}
end e
s -> a -> b -> back -> e
"""


def test_what_was_done_is_undone_latest_first():
    assert path(UNDO.format(which="")) == "s a b back undo_b undo_a e"


def test_one_activity_may_be_undone_alone():
    assert path(UNDO.format(which="=a")) == "s a b back undo_a e"


def test_only_what_was_completed_is_undone_and_only_once():
    drawing = """
    start s
    xor way
    task a
    boundary ca on=a compensate
    task undo_a undoes
    ca ~> undo_a
    task b
    boundary cb on=b compensate
    task undo_b undoes
    cb ~> undo_b
    xor merge
    throw back compensate
    throw back2 compensate
    end e
    s -> way
    way -> b : n > 0
    way -> a : else
    a -> merge -> back -> back2 -> e
    b -> merge
    """
    found = rehearse(drawing, n=0)
    assert found.visited == ("s", "way", "a", "merge", "back", "undo_a", "back2", "e")


def test_an_activity_done_twice_is_undone_twice():
    drawing = """
    start s
    xor again
    script a do="n = n + 1"
    boundary ca on=a compensate
    task undo_a undoes
    ca ~> undo_a
    xor way
    end back compensate
    s -> again -> a -> way
    way -> again : n < 2
    way -> back : else
    """
    assert path(drawing, n=0) == "s again a way again a way back undo_a undo_a"


def test_a_sub_process_without_a_handler_is_undone_by_its_activities():
    drawing = """
    start s
    sub body
      start s2
      task a
      boundary ca on=a compensate
      task undo_a undoes
      ca ~> undo_a
      task b
      boundary cb on=b compensate
      task undo_b undoes
      cb ~> undo_b
      end e2
      s2 -> a -> b -> e2
    throw back compensate
    end e
    s -> body -> back -> e
    """
    assert path(drawing) == "s body s2 a b e2 back undo_b undo_a e"


def test_the_thrower_waits_until_people_have_undone_their_part(quick: Stage):
    quick.publish("""
    start s
    user a
    boundary ca on=a compensate
    user undo_a undoes
    ca ~> undo_a
    throw back compensate
    user after
    end e
    s -> a -> back -> after -> e
    """)
    number = quick.start()
    quick.complete("a")
    assert quick.open() == ["undo_a"]
    quick.complete("undo_a")
    assert quick.open() == ["after"]
    quick.complete("after")
    assert quick.outcome(number) == "completed"


TRANSACTION = """
start s
transaction deal
  start s2
  and split
  task a
  boundary ca on=a compensate
  task undo_a undoes
  ca ~> undo_a
  user waits
  xor way
  end done
  end off cancel
  s2 -> split -> a -> way
  split -> waits -> done
  way -> off : bad
  way -> done : else
boundary cancelled on=deal cancel
task after
task instead
end e
s -> deal -> after -> e
cancelled -> instead -> e
"""


def test_a_cancelled_transaction_undoes_what_was_done_and_leaves_by_its_cancel_event():
    assert path(TRANSACTION, bad=True) == "s deal s2 split a waits way off undo_a cancelled instead e"


def test_a_transaction_that_succeeds_goes_on_normally():
    assert path(TRANSACTION, bad=False) == "s deal s2 split a waits way done done after e"


LAPS = """
start s
{kind}
boundary ca on=a compensate
task undo undoes
ca ~> undo
throw back compensate
end e
s -> a -> back -> e
"""


def test_every_lap_of_a_loop_is_undone():
    assert path(LAPS.format(kind="task a max=3")) == "s a a a back undo undo undo e"


def test_a_loop_that_did_not_go_round_has_nothing_to_undo():
    assert path(LAPS.format(kind="task a while=False test-before")) == "s a back e"


def test_what_a_sub_process_did_in_every_lap_is_undone_latest_first():
    drawing = """
    start s
    sub rounds max=2
      start s2
      task a
      boundary ca on=a compensate
      task undo_a undoes
      ca ~> undo_a
      task b
      boundary cb on=b compensate
      task undo_b undoes
      cb ~> undo_b
      end e2
      s2 -> a -> b -> e2
    throw back compensate
    end e
    s -> rounds -> back -> e
    """
    laps = "rounds s2 a b e2 " * 2
    assert path(drawing) == f"s {laps}back undo_b undo_a undo_b undo_a e"


def test_an_activity_is_undone_once_though_it_could_not_be_left_at_first(stage: Stage):
    stage.publish("""
    start s
    script a do=pass
    boundary ca on=a compensate
    user undo undoes
    ca ~> undo
    throw back compensate
    end e
    s -> a -> back : n > 1
    a -> e : n < 0
    back -> e
    """)
    number = stage.start(n=0)
    stage.do(Correct(by=Actor("gus"), instance=number, values={"n": 2}, reason="a slip"))
    stage.retry()
    stage.complete("undo")
    assert stage.outcome(number) == "completed"


def test_a_compensation_that_is_not_waited_for_goes_on_beside_the_thrower(stage: Stage):
    stage.publish(
        UNDO.format(which=" no-wait").replace("task undo", "user undo").replace("end e", "user after\nend e")
        .replace("back -> e", "back -> after -> e")
    )  # fmt: skip
    number = stage.start()
    assert sorted(stage.open()) == ["after", "undo_b"]
    stage.complete("after")
    stage.complete("undo_b")
    assert stage.outcome(number) is None
    stage.complete("undo_a")
    assert stage.outcome(number) == "completed"
