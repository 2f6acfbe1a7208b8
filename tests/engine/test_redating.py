"""Dates that steps worked out follow a working-day table that comes later, and dates put right."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, update

from engine.calendar.counting import add_working_days
from engine.commands.instances import Start
from engine.errors import EngineError, Invalid
from engine.handlers import Call, Handlers, Values, counts
from engine.model import SYSTEM
from engine.store import tables
from engine.store.calendars import calendar_of
from engine.store.contradictions import contradictions
from engine.store.private import erase
from tests.engine.redating import CALLER, DAY, correct, days_off, dues
from tests.engine.stage import Stage

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


@pytest.fixture
def odd(quick: Stage, handlers: Handlers) -> Stage:
    """A step that counts by what it knows, and does something besides."""

    def recount(call: Call) -> Values:
        calendar = calendar_of(cast("Connection", call.conn), call.unit)
        if call.variables["n"] == 13 and not calendar.is_working(date(2026, 9, 15)):
            raise IndexError("unlucky")
        return {"d1": add_working_days(call.now.date(), int(call.variables["n"]), calendar).day.isoformat()}

    @handlers.inside
    @counts(recount)
    def once(call: Call) -> Values:
        """Counts, and does what must not be done again."""
        call.note("t.done", {})
        return {**recount(call), "done": True}

    quick.publish(
        """
        start s flow.sets="n, m"
        service w flow.handler=t.once flow.sets=d1
        user a flow.due="P0D after d1"
        end e
        s -> w -> a -> e
        """
    )
    return quick


def test_a_step_that_cannot_count_any_more_is_told_and_stops_nobody(odd: Stage):
    broken, sound = odd.start(n=13), odd.start(n=1)
    before = odd.variables(broken)["d1"]
    days_off(odd, "2026-09-15")
    (told,) = odd.journal("variables.stayed")
    assert told.facts["names"] == ["d1", "done"]
    assert "unlucky" in told.facts["reason"]
    assert [odd.variables(number)["d1"] for number in (broken, sound)] == [before, "2026-09-16"]
    assert len(odd.journal("t.done")) == 2


@pytest.mark.parametrize("wrong", ["abc", 10**9])
def test_what_nothing_can_be_counted_from_is_refused_as_a_correction(odd: Stage, wrong: object):
    number = odd.start(n=1)
    with pytest.raises(EngineError):
        correct(odd, number, n=wrong)
    correct(odd, number, m=wrong)
    assert odd.variables(number)["n"] == 1


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


def test_what_is_entered_for_an_item_is_nobody_s_date(stage: Stage):
    stage.publish(
        """
        start s flow.sets=list
        service w flow.handler=dates.work_out flow.dates="first: P2WD after d0" flow.sets=first
        user m form=f each=list:n
        user b flow.due="P0D after first"
        end e
        s -> w -> m -> b -> e
        """,
        forms=FIRST,
    )
    number = stage.start(d0="2026-09-14", list=[1, 2])
    stage.complete(stage.tasks("m")[0], first="2026-12-01")
    days_off(stage, "2026-09-15")
    assert stage.variables(number)["first"] == "2026-09-17"


def test_of_a_loop_each_lap_follows_by_itself(stage: Stage):
    stage.publish(
        """
        start s
        user a form=f
        service w flow.handler=dates.work_out flow.dates="base?: P2WD after d1; next: P1WD after d1" \
        flow.sets="base, next"
        user b
        xor x
        end e
        s -> a -> w -> b -> x
        x -> a : next < '2026-10-01'
        x -> e : else
        """,
        forms=DAY,
    )
    number = stage.start()
    for day in ("2026-09-14", "2026-10-12"):
        stage.complete("a", d1=day)
        if day < "2026-10":
            stage.complete("b")
    days_off(stage, "2026-09-15")
    kept = stage.variables(number)
    assert (kept["base"], kept["next"]) == ("2026-09-17", "2026-10-13")
    noted = len(stage.journal("variables.recounted"))
    days_off(stage, "2026-09-15", "2026-12-01")
    assert len(stage.journal("variables.recounted")) == noted


def test_no_deadline_is_armed_where_a_correction_has_ended_the_instance(quick: Stage):
    quick.publish(
        """
        process main flow.due="P5D after d1"
        start s flow.sets=d1
        user a
        boundary k on=a condition="defined('d1')"
        end e
        end f
        s -> a -> e
        k -> f
        """
    )
    number = quick.do(Start(by=SYSTEM, procedure="p", unit="east"))
    correct(quick, number, d1="2026-09-21")
    assert (quick.row(number).status, dues(quick)) == ("completed", {})


def test_a_personal_value_is_not_repeated_in_the_history(quick: Stage):
    quick.publish(
        """
        start s
        user a form=f
        service w flow.handler=dates.work_out flow.dates="first: P2WD after birth" flow.sets=first
        user b
        end e
        s -> a -> w -> b -> e
        """,
        forms={"f": "  - {id: birth, type: date, label: 日期, personal: true}"},
    )
    number = quick.start()
    quick.complete("a", birth="2026-09-14")
    with quick.app.store.write() as conn:
        erase(conn, f"SV-{number}", quick.clock.now())
    days_off(quick, "2026-09-15")
    (told,) = quick.journal("variables.stayed")
    assert "$private" in str(told.facts["reason"])
