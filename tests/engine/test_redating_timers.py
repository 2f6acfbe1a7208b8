"""Timers follow dates and working-day tables, also of suspended instances."""

from __future__ import annotations

import pytest

from engine.commands.instances import Resume, Suspend
from engine.errors import NotFound
from engine.model import Actor
from tests.engine.redating import DAY, correct, days_off, timers
from tests.engine.stage import Stage, local

TIMED = """
start s
service w flow.handler=dates.work_out flow.dates="first: P2WD after d0" flow.sets=first
catch t date=first
user a
end e
s -> w -> t -> a -> e
"""


def test_a_timer_that_waits_for_such_a_date_moves_by_table_and_by_correction(stage: Stage):
    stage.publish(TIMED)
    number = stage.start(d0="2026-09-14")
    assert timers(stage) == [local("2026-09-16T00:00")]
    days_off(stage, "2026-09-15")
    assert timers(stage) == [local("2026-09-17T00:00")]
    (moved,) = stage.journal("timer.moved")
    assert (moved.facts["from"], moved.facts["to"]) == (
        "2026-09-15T16:00:00+00:00",
        "2026-09-16T16:00:00+00:00",
    )
    correct(stage, number, d0="2026-09-21")
    assert timers(stage) == [local("2026-09-23T00:00")]
    stage.clock.move_to(local("2026-09-22T23:59:59"))
    stage.tick()
    assert stage.open() == []
    stage.wait(seconds=1)
    assert stage.open() == ["a"]


@pytest.mark.parametrize(
    ("timer", "before", "after"),
    [
        ("timer=P2WD", "2026-09-16T09:00", "2026-09-17T09:00"),
        ('timer="P2WD after d0"', "2026-09-16T00:00", "2026-09-17T00:00"),
        ("cycle=R3/P1WD", "2026-09-15T09:00", "2026-09-16T09:00"),
        ("timer=P2D", "2026-09-16T09:00", "2026-09-16T09:00"),
    ],
)
def test_timers_of_working_days_move_with_the_table(quick: Stage, timer: str, before: str, after: str):
    quick.publish(
        f"start s flow.sets=d0\nuser a\nboundary t on=a soft {timer}\nend e\nend f\ns -> a -> e\nt -> f"
    )
    quick.start(d0="2026-09-14")
    assert timers(quick) == [local(before)]
    days_off(quick, "2026-09-15")
    assert timers(quick) == [local(after)]


def test_a_suspended_instance_follows_and_goes_on_by_the_new_date(quick: Stage):
    quick.publish(TIMED)
    number = quick.start(d0="2026-09-14")
    quick.do(Suspend(by=Actor("ann"), instance=number, reason="封控"))
    days_off(quick, "2026-09-15")
    quick.do(Resume(by=Actor("ann"), instance=number))
    assert timers(quick) == [local("2026-09-17T00:00")]


def test_a_suspended_instance_looks_at_its_conditions_when_it_is_resumed(quick: Stage):
    quick.publish(
        """
        start s
        service w flow.handler=dates.work_out flow.dates="first: P2WD after d0" flow.sets=first
        catch t condition="first > '2026-09-16'"
        user a
        end e
        s -> w -> t -> a -> e
        """
    )
    number = quick.start(d0="2026-09-14")
    quick.do(Suspend(by=Actor("ann"), instance=number, reason="封控"))
    days_off(quick, "2026-09-15")
    quick.do(Resume(by=Actor("ann"), instance=number))
    quick.app.settle()
    assert quick.open() == ["a"]


def test_a_cycle_whose_next_firing_moves_to_its_last_one_goes_on(stage: Stage):
    stage.publish(
        """
        start s
        user a
        boundary t on=a soft cycle=R/P1WD
        user c
        end e
        end f
        s -> a -> e
        t -> c -> f
        """
    )
    days_off(stage, "2026-09-15")
    stage.start()
    stage.wait(days=2)
    assert stage.open() == ["a", "c"]
    days_off(stage, "2026-12-01")
    stage.tick()
    assert stage.open() == ["a", "c", "c"]
    stage.wait(days=1)
    assert stage.open() == ["a", "c", "c", "c"]


def test_a_timer_that_is_a_due_date_follows_a_form_as_deadlines_do(quick: Stage):
    quick.publish(
        """
        start s
        and g
        catch t timer="P2WD after d1"
        user a form=f
        user x
        end e
        end h
        s -> g
        g -> t -> x -> e
        g -> a -> h
        """,
        forms=DAY,
    )
    quick.start(d1="2026-09-14")
    quick.complete("a", d1="2026-10-12")
    assert timers(quick) == [local("2026-10-14T00:00")]


def test_reminders_and_notices_in_working_days_follow_though_the_date_stays(stage: Stage):
    stage.publish(
        'start s\nuser a flow.due=P5D flow.remind="P2WD before due, P1D before due" '
        'flow.overdue="P1WD after due: boss"\nend e\ns -> a -> e'
    )
    stage.start()
    assert timers(stage) == [
        local(f"2026-09-{day}T00:00") for day in ("17", "19", "21")
    ]  # due on Saturday the 19th; Sunday the 20th is worked
    days_off(stage, "2026-09-17", "2026-09-21")
    assert timers(stage) == [local(f"2026-09-{day}T00:00") for day in ("16", "19", "22")]


def test_a_table_by_which_something_falls_beyond_the_tables_names_what(stage: Stage):
    stage.publish("start s\nuser a flow.due=P250WD\nend e\ns -> a -> e")
    stage.start()
    days = [f"2027-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]
    with pytest.raises(NotFound, match="Due dates of SV-1 in unit east would fall in 2028"):
        days_off(stage, *days)
