"""Dates that callers worked out follow where they were given: in called processes and the items of batches."""

from __future__ import annotations

import pytest

from engine.store import tables
from tests.engine.redating import CALLED, CALLER, DAY, correct, days_off, dues
from tests.engine.stage import Stage


@pytest.mark.parametrize("done", [(), ("a",)])
def test_called_processes_follow_down_to_what_they_worked_out_themselves(stage: Stage, done: tuple[str, ...]):
    stage.publish(CALLED, "block", process="block", more="called: true\n")
    outer = "start s\ncall c calls=block flow.in=by\nend e\ns -> c -> e"
    stage.publish(outer, "outer", process="outer", more="called: true\n")
    stage.publish(CALLER.replace("calls=block", "calls=outer"))
    stage.start(d0="2026-09-14")
    for element in done:
        stage.complete(element)
    assert dues(stage) == ({"b": "2026-09-17"} if done else {"a": "2026-09-16"})
    days_off(stage, "2026-09-15")
    assert dues(stage) == ({"b": "2026-09-18"} if done else {"a": "2026-09-17"})
    days_off(stage, "2026-09-15", "2026-09-18")
    assert dues(stage) == ({"b": "2026-09-20"} if done else {"a": "2026-09-17"})


def test_a_date_put_right_reaches_called_processes_and_the_items_of_a_batch(stage: Stage):
    stage.publish(CALLED, "block", process="block", more="called: true\n")
    stage.publish(CALLER.replace("call c", "call c each=list:n"))
    number = stage.start(d0="2026-09-14", list=[1, 2])
    correct(stage, number, d0="2026-09-21")
    assert [row.due_day for row in stage.rows(tables.deadline)] == ["2026-09-23", "2026-09-23"]
    assert {
        fact.facts["values"]["by"] for fact in stage.journal("variables.recounted") if fact.subject is None
    } == {"2026-09-23"}


def test_a_called_process_in_which_the_date_was_put_right_keeps_its_own(quick: Stage):
    quick.publish(CALLED, "block", process="block", more="called: true\n")
    quick.publish(CALLER)
    number = quick.start(d0="2026-09-14")
    correct(quick, number + 1, by="2026-09-30")
    days_off(quick, "2026-09-15")
    assert dues(quick) == {"a": "2026-09-30"}


def test_called_processes_keep_the_date_they_were_given_whatever_the_caller_has_set_since(stage: Stage):
    stage.publish(CALLED, "block", process="block", more="called: true\n")
    stage.publish(
        """
        start s
        service w flow.handler=dates.work_out flow.dates="first: P2WD after d0" flow.sets=first
        and g
        call c calls=block flow.in="by = first"
        user u form=f
        service w2 flow.handler=dates.work_out flow.dates="first: P20WD after d1" flow.sets=first
        user z
        end e
        end f
        s -> w -> g
        g -> c -> e
        g -> u -> w2 -> z -> f
        """,
        forms=DAY,
    )
    number = stage.start(d0="2026-09-14")
    stage.complete("u", d1="2026-10-12")
    days_off(stage, "2026-10-14")
    assert (dues(stage), stage.variables(number)["first"]) == ({"a": "2026-09-16"}, "2026-11-10")
    days_off(stage, "2026-09-15")
    assert (dues(stage), stage.variables(number)["first"]) == ({"a": "2026-09-17"}, "2026-11-09")


def test_what_is_put_right_and_what_follows_from_it_become_true_at_once(stage: Stage):
    stage.publish(CALLED, "block", process="block", more="called: true\n")
    stage.publish(
        """
        start s
        service w flow.handler=dates.work_out flow.dates="first: P2WD after d0" flow.sets=first
        user u
        boundary never on=u condition="d0 > first"
        boundary late on=u soft condition="d0 > '2026-09-20'"
        call c calls=block flow.in="by = first"
        end e
        end f
        end g
        s -> w -> u -> e
        never -> f
        late -> c -> g
        """
    )
    number = stage.start(d0="2026-09-14")
    correct(stage, number, d0="2026-09-21")
    assert (stage.open(), dues(stage)) == (["u", "a"], {"a": "2026-09-23"})


def test_a_called_process_that_its_caller_leaves_by_the_correction_does_nothing_more(quick: Stage):
    quick.publish(
        """
        start s flow.sets=by
        user a
        boundary k on=a condition="by > '2026-09-20'"
        script done do="by = '2026-12-31'"
        end e
        end f
        s -> a -> e
        k -> done -> f
        """,
        "block",
        process="block",
        more="called: true\n",
    )
    quick.publish(
        """
        start s
        service w flow.handler=dates.work_out flow.dates="first: P2WD after d0" flow.sets=first
        call c calls=block flow.in="by = first"
        boundary left on=c condition="first > '2026-09-20'"
        end e
        end f
        s -> w -> c -> e
        left -> f
        """
    )
    number = quick.start(d0="2026-09-14")
    correct(quick, number, d0="2026-09-21")
    assert (quick.row(number + 1).status, quick.variables(number + 1)) == ("cancelled", {"by": "2026-09-16"})


def test_a_personal_date_that_is_put_right_reaches_called_processes_as_a_date(stage: Stage):
    stage.publish(CALLED, "block", process="block", more="called: true\n")
    stage.publish(
        'start s\nuser u form=f\ncall c calls=block flow.in="by = d1"\nend e\ns -> u -> c -> e',
        forms={"f": "  - {id: d1, type: date, label: 日期, personal: true}"},
    )
    number = stage.start()
    stage.complete("u", d1="2026-09-16")
    correct(stage, number, d1="2026-09-23")
    assert (dues(stage), stage.variables(number + 1)["by"]) == ({"a": "2026-09-23"}, "2026-09-23")
