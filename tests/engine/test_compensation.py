"""Compensation and transactions (BPMN 2.0.2, 10.7 and 13.5.5)."""

from __future__ import annotations

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
      s2 -> a -> b
    throw back compensate
    end e
    s -> body -> back -> e
    """
    assert path(drawing) == "s body s2 a b back undo_b undo_a e"


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
