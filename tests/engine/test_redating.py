"""Dates that steps worked out follow a working-day table that comes later, and dates put right, wherever they went."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, update

from engine.calendar.counting import add_working_days
from engine.commands.calendars import ImportCalendar
from engine.commands.instances import Correct, Resume, Suspend
from engine.errors import Invalid
from engine.handlers import Call, Handlers, Values, counts
from engine.model import SYSTEM, Actor
from engine.store import tables
from engine.store.calendars import calendar_of
from engine.store.contradictions import contradictions
from engine.strict_yaml import load
from tasks import dates
from tests.engine.stage import Stage, local

WORKED_OUT = """
start s
service w flow.handler=dates.work_out flow.sets="d0, first, second" \
flow.dates="d0?: P0D; first: P2WD after d0; second: P1D after first"
user a flow.due="P0D after first" form=f
user b flow.due="P1D after second"
end e
s -> w -> a -> b -> e
"""
FIRST = {"f": "  - {id: first, type: date, label: 日期}"}


@pytest.fixture
def handlers() -> Handlers:
    found = Handlers("t")
    found.include(dates.handlers)
    return found


def days_off(stage: Stage, *days: str, unit: str = "east") -> int:
    text = f"days_off: {{厂庆: [{', '.join(map(repr, days))}]}}".replace("'", '"')
    moved: int = stage.do(ImportCalendar(by=SYSTEM, document=load(text, "own.yaml"), unit=unit)).moved
    stage.app.settle()
    return moved


def dues(stage: Stage) -> dict[str, str]:
    return {row.element: row.due_day for row in stage.rows(tables.deadline) if row.status == "armed"}


def correct(stage: Stage, number: int, **values: object) -> None:
    stage.do(Correct(by=Actor("ann"), instance=number, values=values, reason="改期"))
    stage.app.settle()


def test_dates_a_step_worked_out_move_with_a_new_table_and_the_deadlines_with_them(stage: Stage):
    stage.publish(WORKED_OUT, forms=FIRST)
    number = stage.start()
    assert dues(stage) == {"a": "2026-09-16"}
    assert days_off(stage, "2026-09-15") == 1
    assert dues(stage) == {"a": "2026-09-17"}
    (told,) = stage.journal("variables.recounted")
    assert told.subject == "w"
    assert told.facts["before"] == {"first": "2026-09-16", "second": "2026-09-17"}
    assert told.facts["values"] == {"first": "2026-09-17", "second": "2026-09-18"}
    stage.complete("a", first="2026-09-17")
    assert dues(stage) == {"b": "2026-09-19"}
    assert stage.variables(number)["d0"] == "2026-09-14"
    with stage.app.store.read() as conn:
        assert contradictions(conn) == ()


def test_a_table_that_changes_no_date_changes_nothing(quick: Stage):
    quick.publish(WORKED_OUT, forms=FIRST)
    quick.start()
    assert days_off(quick, "2026-12-01") == 0
    assert days_off(quick, "2026-09-15", unit="west") == 0
    assert not quick.journal("variables.recounted")


def test_a_date_that_somebody_changed_stays_and_what_counts_from_it_counts_from_that(quick: Stage):
    quick.publish(WORKED_OUT, forms=FIRST)
    number = quick.start()
    correct(quick, number, first="2026-09-21")
    assert quick.variables(number)["second"] == "2026-09-22"
    assert days_off(quick, "2026-09-15") == 0
    assert dues(quick) == {"a": "2026-09-21"}


def test_a_date_that_somebody_gave_in_a_form_stays_one_that_they_confirmed_moves(quick: Stage):
    quick.publish(WORKED_OUT, forms=FIRST)
    given, confirmed = quick.start(), quick.start()
    for number, day in ((given, "2026-09-18"), (confirmed, "2026-09-16")):
        (task,) = [each for each in quick.tasks("a") if each.startswith(f"SV-{number}.")]
        quick.complete(task, first=day)
    days_off(quick, "2026-09-15")
    assert quick.variables(given)["first"] == "2026-09-18"
    assert quick.variables(confirmed)["first"] == "2026-09-17"


def test_a_date_put_right_takes_those_with_it_that_a_step_counted_from_it(stage: Stage):
    stage.publish(WORKED_OUT, forms=FIRST)
    number = stage.start()
    correct(stage, number, d0="2026-09-21")
    assert dues(stage) == {"a": "2026-09-23"}
    assert stage.variables(number)["second"] == "2026-09-24"


def test_what_others_have_set_since_the_step_counted_is_not_counted_from(quick: Stage):
    quick.publish(
        """
        start s
        script one do="d0 = '2026-09-14'"
        service w flow.handler=dates.work_out flow.dates="first: P2WD after d0" flow.sets=first
        script two do="d0 = '2026-10-12'"
        user a flow.due="P0D after first"
        end e
        s -> one -> w -> two -> a -> e
        """
    )
    quick.start()
    days_off(quick, "2026-09-15")
    assert dues(quick) == {"a": "2026-09-17"}


CALLED = """
start s
user a flow.due="P0D after by"
service w flow.handler=dates.work_out flow.dates="then: P1WD after by" flow.sets=then
user b flow.due="P0D after then"
end e
s -> a -> w -> b -> e
"""
CALLER = """
start s
service w flow.handler=dates.work_out flow.dates="first: P2WD after d0" flow.sets=first
call c calls=block flow.in="by = first"
end e
s -> w -> c -> e
"""


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


HANDED_ON = """
start s flow.sets="by, whole"
script defaults do="by = by if defined('by') else None; limit = by if whole else '2026-12-31'"
service w flow.handler=dates.work_out flow.dates="by?: P9WD; then: P1WD after by" flow.sets="by, then"
script more do="last = then"
user a flow.due="P0D after last"
user b flow.due="P0D after limit"
end e
s -> defaults -> w -> more -> a -> b -> e
"""


def test_dates_that_scripts_hand_on_follow_too(stage: Stage):
    stage.publish(HANDED_ON, "block", process="block", more="called: true\n")
    stage.publish(CALLER.replace("by = first", "by = first, whole"))
    number = stage.start(d0="2026-09-14", whole=True)
    assert dues(stage) == {"a": "2026-09-17"}
    days_off(stage, "2026-09-15")
    assert dues(stage) == {"a": "2026-09-18"}
    days_off(stage, "2026-09-15", "2026-09-18")
    assert dues(stage) == {"a": "2026-09-20"}
    correct(stage, number, d0="2026-09-21")
    assert dues(stage) == {"a": "2026-09-24"}
    stage.complete("a")
    assert dues(stage) == {"b": "2026-09-23"}


def test_scripts_count_nothing_again_but_dates(quick: Stage):
    quick.publish(
        """
        start s flow.sets="d0, n"
        script sum do="n = n + 1; until = d0; word = 'x' + str(n)"
        user a flow.due="P0D after until"
        script more do="n = n + 1"
        user b
        end e
        s -> sum -> a -> more -> b -> e
        """
    )
    number = quick.start(d0="2026-09-14", n=1)
    quick.complete("a")
    correct(quick, number, d0="2026-09-21")
    kept = quick.variables(number)
    assert {name: kept[name] for name in ("until", "n", "word")} == {
        "until": "2026-09-21",
        "n": 3,
        "word": "x2",
    }


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.sets(st.dates(date(2026, 9, 14), date(2026, 10, 16)), min_size=1, max_size=8))
def test_whoever_began_before_a_table_came_has_the_dates_of_whoever_begins_after_it(
    quick: Stage, days: set[date]
):
    if not quick.rows(tables.definition):
        quick.publish(HANDED_ON, "block", process="block", more="called: true\n")
        quick.publish(CALLER.replace("by = first", "by = first, whole"))
    days_off(quick, *map(str, days))
    quick.start(d0="2026-09-14", whole=True)
    kept = [quick.variables(row.id) for row in quick.rows(tables.instance)]
    assert all(each == kept[place % 2] for place, each in enumerate(kept))
    assert len({row.due_day for row in quick.rows(tables.deadline)}) == 1


TIMED = """
start s
service w flow.handler=dates.work_out flow.dates="first: P2WD after d0" flow.sets=first
catch t date=first
user a
end e
s -> w -> t -> a -> e
"""


def timers(stage: Stage) -> list[object]:
    return [row.due_at for row in stage.rows(tables.timer, tables.ARMED_TIMER)]


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


def test_a_step_that_cannot_count_any_more_is_told_and_stops_nobody(quick: Stage, handlers: Handlers):
    def recount(call: Call) -> Values:
        calendar = calendar_of(cast("Connection", call.conn), call.unit)
        return {"d1": add_working_days(call.now.date(), int(call.variables["n"]), calendar).day.isoformat()}

    @handlers.inside
    @counts(recount)
    def once(call: Call) -> Values:
        """Counts, and does what must not be done again."""
        call.note("t.done", {})
        return {**recount(call), "done": True}

    quick.publish(
        """
        start s flow.sets=n
        service w flow.handler=t.once flow.sets=d1
        user a flow.due="P0D after d1"
        end e
        s -> w -> a -> e
        """
    )
    broken, sound = quick.start(n=1), quick.start(n=1)
    correct(quick, broken, n=10**7)
    (told,) = quick.journal("variables.stayed")
    assert told.facts["names"] == ["d1", "done"]
    days_off(quick, "2026-09-15")
    assert {number: quick.variables(number)["d1"] for number in (broken, sound)} == {
        broken: "2026-09-15", sound: "2026-09-16",
    }  # fmt: skip
    assert len(quick.journal("t.done")) == 2


def test_a_date_put_right_to_beyond_the_tables_is_refused_at_its_place(stage: Stage):
    stage.publish(WORKED_OUT, forms=FIRST)
    number = stage.start()
    with pytest.raises(Invalid, match="d0: Dates counted from this one fall in 2031"):
        correct(stage, number, d0="2031-03-03")
    assert dues(stage) == {"a": "2026-09-16"}


def test_an_import_waits_for_whoever_is_at_work_on_an_instance(stage: Stage):
    stage.publish(WORKED_OUT, forms=FIRST)
    number = stage.start()
    with ThreadPoolExecutor(1) as other:
        with stage.app.store.write() as conn:
            conn.execute(update(tables.instance).where(tables.instance.c.id == number).values(sealed=False))
            importing = other.submit(days_off, stage, "2026-09-15")
            with pytest.raises(TimeoutError):
                importing.result(timeout=0.3)
        assert importing.result(timeout=30) == 1
    assert dues(stage) == {"a": "2026-09-17"}
