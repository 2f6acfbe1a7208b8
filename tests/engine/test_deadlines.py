"""Deadlines: armed, met, missed, moved; reminders and overdue notices to the right people."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import update

from engine.commands.calendars import ImportCalendar
from engine.commands.instances import Correct, Start
from engine.commands.worklist import Claim
from engine.errors import Invalid
from engine.handlers import Call
from engine.model import SYSTEM, Actor
from engine.queries.worklist import deadlines_of
from engine.store import tables
from engine.store.calendars import calendar_of
from engine.store.contradictions import contradictions
from engine.strict_yaml import load
from tests.engine.stage import Stage, local
from tests.store.histories import tampering

ONE = "start s\nuser a {}\nend e\ns -> a -> e"
DATED = "start s\nuser a flow.due={due}\nuser after\nend e\ns -> a -> after -> e"
ROWS = "  - {id: rows, type: table, label: 表, fields: [{id: day, type: date, label: 日期}]}"
DATE = {"f": "  - {id: d1, type: date, label: 日期, required: true}"}


def states(stage: Stage) -> list[tuple[str, str, str]]:
    return [(row.element, row.due_day, row.status) for row in stage.rows(tables.deadline)]


def kinds(stage: Stage, prefix: str) -> list[str]:
    return [fact.kind for fact in stage.seen if fact.kind.startswith(prefix)]


def test_a_deadline_is_armed_with_its_task_and_met_when_that_is_done_in_time(stage: Stage):
    stage.publish(DATED.format(due="P3D"))
    stage.start()
    row = stage.rows(tables.user_task)[0]
    assert row.due_at == local("2026-09-18T00:00")
    assert states(stage) == [("a", "2026-09-17", "armed")]
    stage.complete("a")
    assert states(stage) == [("a", "2026-09-17", "met")]
    assert kinds(stage, "deadline") == ["deadline.armed", "deadline.met"]


def test_a_date_ends_at_24_00_local_time(stage: Stage):
    stage.publish(DATED.format(due="P0D"))
    stage.start()
    stage.start()
    stage.clock.move_to(local("2026-09-14T23:59:59"))
    stage.tick()
    assert {row.status for row in stage.rows(tables.deadline)} == {"armed"}
    stage.complete(stage.tasks("a")[0])
    stage.clock.move_to(local("2026-09-15T00:00"))
    stage.tick()
    assert [row.status for row in stage.rows(tables.deadline)] == ["met", "missed"]
    stage.complete(stage.tasks("a")[0])
    late = [fact.facts["late"] for fact in stage.journal("task.completed")]
    assert late == [False, True]


def test_a_deadline_is_missed_once_even_if_nobody_looked_before_the_task_was_done(quick: Stage):
    quick.publish(DATED.format(due="P3D"))
    quick.start()
    quick.clock.advance(days=10)
    quick.complete("a")
    quick.tick()
    assert states(quick) == [("a", "2026-09-17", "missed")]
    assert kinds(quick, "deadline") == ["deadline.armed", "deadline.missed"]


def test_a_deadline_missed_stays_missed_when_the_task_is_done_later(quick: Stage):
    quick.publish(DATED.format(due="P3D"))
    quick.start()
    quick.wait(days=10)
    quick.complete("a")
    assert kinds(quick, "deadline") == ["deadline.armed", "deadline.missed"]


def test_the_promise_of_the_whole_is_met_missed_or_cancelled_with_it(quick: Stage):
    quick.publish(
        'process main flow.due=P3D flow.overdue="P0D after due: boss"\nstart s\nuser a\nend e\ns -> a -> e'
    )
    quick.start()
    quick.complete("a")
    quick.start()
    quick.wait(days=5)
    assert [status for _, _, status in states(quick)] == ["met", "missed"]
    assert [fact.facts["to"] for fact in quick.journal("notice.overdue")] == [["ann", "bob", "gus"]]


def test_reminders_go_to_whoever_has_the_task_else_to_all_with_its_role(quick: Stage):
    quick.publish(ONE.format('flow.due=P3D flow.remind="P1D before due, P2D before due"'))
    quick.start()
    quick.wait(days=1, hours=16)
    assert [fact.facts["to"] for fact in quick.journal("notice.reminder")] == [["ann", "bob", "cat"]]
    quick.do(Claim(by=Actor("bob"), task=quick.task("a")))
    quick.wait(days=1)
    assert quick.journal("notice.reminder")[-1].facts["to"] == ["bob"]
    quick.wait(days=9)
    assert len(quick.journal("notice.reminder")) == 2


def test_overdue_notices_go_to_the_role_the_diagram_names_and_stop_when_the_task_is_done(quick: Stage):
    quick.publish(
        ONE.format(
            'flow.due=P3D flow.overdue="P0D after due: boss; P2WD after due: clerk; P9D after due: boss"'
        )
    )
    quick.start()
    quick.wait(days=3, hours=14, minutes=59)
    assert not quick.journal("notice.overdue")
    quick.wait(minutes=1)
    assert [fact.facts["to"] for fact in quick.journal("notice.overdue")] == [["ann", "bob", "gus"]]
    quick.wait(days=5)
    assert quick.journal("notice.overdue")[-1].facts["role"] == "clerk"
    quick.complete("a")
    quick.wait(days=30)
    assert len(quick.journal("notice.overdue")) == 2


def test_no_notice_is_given_for_a_task_done_in_time(quick: Stage):
    quick.publish(ONE.format('flow.due=P3D flow.remind="P1D before due" flow.overdue="P0D after due: boss"'))
    quick.start()
    quick.complete("a")
    quick.wait(days=9)
    assert not kinds(quick, "notice")
    assert not quick.rows(tables.timer, tables.ARMED_TIMER)


def test_working_days_skip_holidays_and_the_arithmetic_is_kept_day_by_day(quick: Stage):
    quick.publish(DATED.format(due="'P5WD after d0'"))
    quick.start(d0="2026-09-29")
    task = quick.task("a")
    with quick.app.store.read() as conn:
        (deadline,) = deadlines_of(conn, task)
    counted = [line["day"] for line in deadline.lines if line["count"] is not None]
    assert deadline.due_day == counted[-1]
    assert len([line for line in deadline.lines if line["count"]]) == 5
    assert not {"2026-10-01", "2026-10-02"} & set(counted)


def test_a_new_calendar_moves_open_deadlines_and_says_from_when_to_when(stage: Stage):
    stage.publish('start s\nuser a flow.due=P3WD flow.remind="P1D before due"\nend e\ns -> a -> e')
    stage.start()
    assert states(stage) == [("a", "2026-09-17", "armed")]
    own = load('days_off: {"厂庆": ["2026-09-16"]}', "own.yaml")
    imported = stage.do(ImportCalendar(by=SYSTEM, document=own, unit="east"))
    assert imported.moved == 1
    assert states(stage) == [("a", "2026-09-18", "armed")]
    (moved,) = stage.journal("deadline.moved")
    assert (moved.facts["from"], moved.facts["to"]) == ("2026-09-17", "2026-09-18")
    assert stage.rows(tables.user_task)[0].due_at == local("2026-09-19T00:00")
    armed = stage.rows(tables.timer, tables.ARMED_TIMER)
    assert [row.due_at for row in armed] == [local("2026-09-18T00:00")]
    again = stage.do(ImportCalendar(by=SYSTEM, document=own, unit="east"))
    assert (again.fresh, again.moved) == (False, 0)


def test_a_date_counted_anew_that_stays_is_entered_too_so_that_its_arithmetic_can_be_proven(quick: Stage):
    quick.publish(DATED.format(due="P3WD"))
    quick.start()
    own = load('days_off: {"厂庆": ["2026-12-01"]}', "own.yaml")
    assert quick.do(ImportCalendar(by=SYSTEM, document=own, unit="east")).moved == 0
    (told,) = quick.journal("deadline.recounted")
    assert (told.facts["from"], told.facts["to"]) == ("2026-09-17", "2026-09-17")
    with quick.app.store.read() as conn:
        assert contradictions(conn) == ()
    with tampering(quick.app.store) as conn:
        conn.execute(update(tables.deadline).values(lines=[]))
        assert ["arithmetic" in str(fault) for fault in contradictions(conn)] == [True]


def test_another_unit_s_own_days_move_nothing_here(quick: Stage):
    quick.publish(DATED.format(due="P3WD"))
    quick.start()
    own = load('days_off: {"厂庆": ["2026-09-16"]}', "own.yaml")
    assert quick.do(ImportCalendar(by=SYSTEM, document=own, unit="west")).moved == 0
    assert states(quick) == [("a", "2026-09-17", "armed")]


ANCHORED = """
start s
and split
user a flow.due="P2D after d1" flow.remind="P1D before due"
user b form=f
user c form=f
and join
end e
s -> split -> a -> join -> e
split -> b -> join
split -> c -> join
"""


def test_a_deadline_whose_date_comes_later_is_armed_when_it_comes_and_moves_when_it_changes(stage: Stage):
    stage.publish("process main flow.due='P9D after d1'\n" + ANCHORED, forms=DATE)
    number = stage.start()
    assert states(stage) == []
    stage.complete("b", d1="2026-09-20")
    assert sorted(states(stage)) == [("*", "2026-09-29", "armed"), ("a", "2026-09-22", "armed")]
    task = stage.rows(tables.user_task, tables.user_task.c.element == "a")[0]
    assert task.due_at == local("2026-09-23T00:00")
    stage.complete("c", d1="2026-09-25")
    assert sorted(states(stage)) == [("*", "2026-10-04", "armed"), ("a", "2026-09-27", "armed")]
    assert len(stage.journal("deadline.moved", instance=number)) == 2
    armed = stage.rows(tables.timer, tables.ARMED_TIMER)
    assert [row.due_at for row in armed] == [local("2026-09-27T00:00")]


def test_a_date_that_would_make_a_deadline_past_is_refused_when_a_person_enters_it(stage: Stage):
    stage.publish(ANCHORED, forms=DATE)
    stage.start()
    with pytest.raises(Invalid, match=r"d1: By this date a would have been due on 2026-09-03"):
        stage.complete("b", d1="2026-09-01")
    assert sorted(stage.open()) == ["a", "b", "c"]
    stage.complete("b", d1="2026-09-14")
    with pytest.raises(Invalid, match="d1"):
        stage.complete("c", d1="2026-09-02")
    assert states(stage) == [("a", "2026-09-16", "armed")]


def test_a_date_in_the_past_is_refused_when_a_person_starts_an_instance_by_hand(quick: Stage):
    quick.publish(DATED.format(due="'P2D after d0'"))
    with pytest.raises(Invalid, match="d0"):
        quick.start(d0="2026-09-01")
    assert not quick.rows(tables.instance)


def test_a_date_entered_that_leads_beyond_the_working_day_tables_is_refused_at_its_field(stage: Stage):
    """The tables of 2026 and 2027 are there."""
    stage.publish(
        "start s\nuser a form=f\nuser b form=t\nuser c flow.due='P2WD after d1'\nend e\ns -> a -> c -> b -> e",
        forms=DATE | {"t": ROWS},
    )
    number = stage.start()
    with pytest.raises(
        Invalid, match=r"d1: Dates counted from this one fall in 2029, .*`flow calendar import`"
    ):
        stage.complete("a", d1="2029-03-01")
    with pytest.raises(Invalid, match=r"d1: .* 2028"):
        stage.complete("a", d1="2027-12-31")
    assert stage.open() == ["a"]
    assert not stage.incidents()
    stage.complete("a", d1="2027-12-28")
    with pytest.raises(Invalid, match=r"d1: .* 2028"):
        stage.do(Correct(by=Actor("ann"), instance=number, values={"d1": "2027-12-31"}, reason="late"))
    assert states(stage) == [("c", "2027-12-30", "armed")]


def test_so_is_one_in_a_table_a_service_task_counts_from_and_one_given_at_the_start(quick: Stage, handlers):
    @handlers.inside
    def count(call: Call) -> None:
        """Count."""
        calendar_of(call.conn, call.unit).mark(date.fromisoformat(call.variables["rows"][1]["day"]))

    quick.publish(
        "start s\nuser a form=t\nservice count flow.handler=t.count\nend e\ns -> a -> count -> e",
        forms={"t": ROWS},
    )
    quick.start()
    with pytest.raises(Invalid, match=r"^rows\.2\.day: .* 2030"):
        quick.complete("a", rows=[{"day": "2027-01-05"}, {"day": "2030-01-05"}])
    quick.publish(DATED.format(due="'P2WD after d0'"), "q")
    with pytest.raises(Invalid, match=r"^d0: .* 2030"):
        quick.start("q", d0="2030-01-05")
    assert quick.open() == ["a"]
    assert not quick.incidents()


def test_time_that_runs_beyond_the_working_day_tables_leaves_an_incident_and_takes_what_is_entered(
    stage: Stage,
):
    stage.publish("start s\nuser a form=f\nuser c flow.due=P9WD\nend e\ns -> a -> c -> e", forms=DATE)
    stage.start()
    stage.clock.move_to(local("2027-12-28T10:00"))
    stage.complete("a", d1="2027-12-20")
    assert [each.error for each in stage.incidents()] == [
        "No working-day table for 2028: import one with `flow calendar import` (known: 2026, 2027)"
    ]


def test_a_deadline_already_past_when_the_engine_starts_late_is_armed_and_missed_at_once(quick: Stage):
    quick.publish(
        ONE.format('flow.due="P2D after d0" flow.remind="P1D before due" flow.overdue="P0D after due: boss"')
    )
    quick.do(Start(by=SYSTEM, procedure="p", unit="east", variables={"d0": "2026-09-01"}))
    assert states(quick) == [("a", "2026-09-03", "missed")]
    assert kinds(quick, "deadline") == ["deadline.armed", "deadline.missed"]
    quick.tick()
    assert kinds(quick, "notice") == ["notice.overdue"]


def test_a_due_date_may_be_planned_from_another_step_s_or_counted_from_when_that_was_done(quick: Stage):
    quick.publish("""
    start s
    user a flow.due="P2D after d0"
    script t do=pass
    user b flow.due="P3D after planned(a)"
    user c flow.due="P1D after actual(a)"
    user d flow.due="P4D after actual(t)"
    and split
    end e
    s -> a -> t -> split -> b -> e
    split -> c -> e
    split -> d -> e
    """)
    quick.start(d0="2026-09-20")
    quick.clock.advance(days=2)
    quick.complete("a")
    found = {element: day for element, day, _ in states(quick)}
    assert found == {"a": "2026-09-22", "b": "2026-09-25", "c": "2026-09-17", "d": "2026-09-20"}


def test_suspending_an_instance_does_not_stop_its_promises(quick: Stage):
    from engine.commands.instances import Suspend

    quick.publish(DATED.format(due="P3D"))
    number = quick.start()
    quick.do(Suspend(by=Actor("gus"), instance=number, reason="audit"))
    quick.wait(days=5)
    assert states(quick) == [("a", "2026-09-17", "missed")]
