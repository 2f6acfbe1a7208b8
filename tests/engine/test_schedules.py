"""Schedules: each kick-off once, whatever happened to the machine."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete, update

from engine.commands.calendars import ImportCalendar
from engine.commands.schedules import FireNow, FireSchedules, PauseSchedule, Schedule
from engine.config import shipped
from engine.errors import Conflict, NotFound
from engine.model import SYSTEM, Actor
from engine.queries.schedules import coming, schedules, unplanned
from engine.scheduler import watch_plans
from engine.store import tables
from engine.store.calendars import calendar_of
from engine.store.contradictions import contradictions
from engine.strict_yaml import load
from tests.engine.stage import Stage, local, open_stage
from tests.engine.test_worklist import at_once
from tests.store.histories import tampering

MONTHLY = (
    'start begins timer=\nstart s\nuser a flow.due="P2D after period_end"\nend e\nbegins -> a -> e\ns -> a'
)
RULE = "schedules: {begins: {every: month, start: {day: 1, roll: next}}}"
BOSS = Actor("gus")


@pytest.fixture
def planned(stage: Stage) -> Stage:
    stage.publish(MONTHLY, more=RULE)
    stage.do(Schedule(by=SYSTEM, procedure="p", unit="east"))
    return stage


def fire(stage: Stage) -> list[int]:
    return stage.do(FireSchedules(by=SYSTEM))


def periods(stage: Stage) -> list[tuple[str, bool]]:
    return [(row.period, row.late) for row in stage.rows(tables.kickoff)]


def test_a_kick_off_comes_at_its_time_and_not_before(planned: Stage):
    assert fire(planned) == []
    planned.clock.move_to(local("2026-10-08T08:59"))  # the 1st to the 7th are a holiday
    assert fire(planned) == []
    planned.clock.move_to(local("2026-10-08T09:00"))
    (number,) = fire(planned)
    assert fire(planned) == []
    assert periods(planned) == [("2026-10", False)]
    row = planned.row(number)
    assert (row.period, row.unit, row.started_by) == ("2026-10", "east", SYSTEM.person)
    assert planned.variables(number)["period_end"] == "2026-10-31"
    assert planned.trace(number) == ["begins", "a"]


def test_after_a_downtime_each_missed_kick_off_comes_once_and_is_marked_late(planned: Stage):
    planned.clock.move_to(local("2027-01-20T09:00"))
    while fire(planned):
        pass
    assert periods(planned) == [("2026-10", True), ("2026-11", True), ("2026-12", True), ("2027-01", True)]
    assert [row.due_day for row in planned.rows(tables.deadline)][:2] == ["2026-11-02", "2026-12-02"]
    missed = planned.rows(tables.deadline, tables.deadline.c.status == "missed")
    assert len(missed) == 3, "what is past already is missed at once"
    assert fire(planned) == []


def test_two_programs_on_one_database_start_nothing_twice(planned: Stage, tmp_path):
    other = open_stage(planned.app.store, tmp_path, clock=planned.clock)
    planned.clock.move_to(local("2027-01-20T09:00"))

    def all_of(stage: Stage):
        def act():
            while fire(stage):
                pass

        return act

    assert at_once(all_of(planned), all_of(other)) == [None, None]
    while fire(planned):
        pass
    assert [period for period, _ in periods(planned)] == ["2026-10", "2026-11", "2026-12", "2027-01"]
    assert len(planned.rows(tables.instance)) == 4


def test_a_kick_off_by_hand_takes_the_place_of_the_one_by_the_calendar(planned: Stage):
    number = planned.do(FireNow(by=BOSS, procedure="p", unit="east"))
    assert planned.row(number).period == "2026-10"
    with pytest.raises(Conflict, match=f"2026-10 was started already: SV-{number}"):
        planned.do(FireNow(by=BOSS, procedure="p", unit="east", period="2026-10"))
    planned.clock.move_to(local("2026-10-20T09:00"))
    assert fire(planned) == []
    planned.do(FireNow(by=BOSS, procedure="p", unit="east", period="2026-12"))
    planned.clock.move_to(local("2026-12-20T09:00"))
    while fire(planned):
        pass
    assert [period for period, _ in periods(planned)] == ["2026-10", "2026-11", "2026-12"]
    with pytest.raises(NotFound):
        planned.do(FireNow(by=BOSS, procedure="p", unit="east", period="2026-13"))
    with pytest.raises(NotFound):
        planned.do(FireNow(by=BOSS, procedure="p", unit="west"))


def test_what_falls_due_during_a_pause_is_not_made_up_for(planned: Stage):
    planned.do(PauseSchedule(by=BOSS, procedure="p", unit="east", paused=True, reason="renovation"))
    planned.clock.move_to(local("2026-11-20T09:00"))
    assert fire(planned) == []
    planned.do(PauseSchedule(by=BOSS, procedure="p", unit="east", paused=False, reason="done"))
    assert fire(planned) == []
    planned.clock.move_to(local("2026-12-20T09:00"))
    while fire(planned):
        pass
    assert [period for period, _ in periods(planned)] == ["2026-12"]


TWO = (
    "start monthly timer=\nstart yearly timer=\nstart s\nuser a\nend e\n"
    "monthly -> a -> e\nyearly -> a\ns -> a"
)
TWO_RULES = "schedules: {monthly: {every: month, start: {day: 1}}, yearly: {every: year, start: {day: -1}}}"


def test_of_several_start_events_all_are_paused_or_the_one_that_is_named(quick: Stage):
    quick.publish(TWO, more=TWO_RULES)
    quick.do(Schedule(by=SYSTEM, procedure="p", unit="east"))

    def states() -> dict[str, str]:
        return {row.element: row.status for row in quick.rows(tables.schedule)}

    def pause(paused: bool, element: str | None = None) -> tuple[str, ...]:
        return quick.do(
            PauseSchedule(by=BOSS, procedure="p", unit="east", paused=paused, element=element, reason="why")
        )

    assert pause(True) == ("monthly", "yearly")
    assert states() == {"monthly": "paused", "yearly": "paused"}
    assert pause(False, "yearly") == ("yearly",)
    assert states() == {"monthly": "paused", "yearly": "active"}
    with pytest.raises(Conflict, match="p starts by the calendar for east already"):
        pause(False, "yearly")
    assert pause(False) == ("monthly",)
    with pytest.raises(NotFound, match="no schedule daily for east; there is: monthly, yearly"):
        pause(True, "daily")


def test_of_several_start_events_one_has_to_be_named_to_fire_it(quick: Stage):
    quick.publish(TWO, more=TWO_RULES)
    quick.do(Schedule(by=SYSTEM, procedure="p", unit="east"))
    with pytest.raises(Conflict, match="name one with --element: monthly, yearly"):
        quick.do(FireNow(by=BOSS, procedure="p", unit="east"))
    number = quick.do(FireNow(by=BOSS, procedure="p", unit="east", element="yearly"))
    assert quick.row(number).period == "2026"


@pytest.mark.parametrize("period", ["0000-01", "9999-13", "99999999999-01", "2026-Q3", "-", "２０２６-01"])
def test_a_period_that_the_rule_does_not_have_is_refused_with_how_one_is_written(planned: Stage, period: str):
    with pytest.raises(NotFound, match=r"no kick-off for period .*; a period is written as 2026-06"):
        planned.do(FireNow(by=BOSS, procedure="p", unit="east", period=period))


@pytest.mark.parametrize("period", ["0001-01", "9999-12"])
def test_a_period_at_the_end_of_time_is_refused(planned: Stage, period: str):
    with pytest.raises(NotFound, match="No working-day table"):
        planned.do(FireNow(by=BOSS, procedure="p", unit="east", period=period))


def test_a_new_version_with_another_rule_moves_the_next_kick_off(planned: Stage):
    planned.publish(MONTHLY, more=RULE.replace("day: 1", "day: 20"))
    planned.clock.move_to(local("2026-09-21T09:00"))
    (number,) = fire(planned)
    assert planned.row(number).period == "2026-09"


def test_a_schedule_made_twice_is_one_and_each_unit_has_its_own(planned: Stage):
    planned.do(Schedule(by=SYSTEM, procedure="p", unit="east"))
    planned.do(Schedule(by=SYSTEM, procedure="p", unit="west"))
    planned.clock.move_to(local("2026-10-20T09:00"))
    while fire(planned):
        pass
    assert sorted(row.unit for row in planned.rows(tables.instance)) == ["east", "west"]


def test_a_year_without_working_days_yet_stops_neither_what_is_due_nor_other_schedules(quick: Stage):
    """The table of 2028 comes in autumn 2027: until then the kick-offs of 2027 must still come."""
    quick.publish(MONTHLY, "days", more=RULE)
    quick.publish(MONTHLY, "working", more="schedules: {begins: {every: month, start: {working_day: 3}}}")
    for name in ("working", "days"):
        quick.do(Schedule(by=SYSTEM, procedure=name, unit="east"))
    quick.clock.move_to(local("2027-12-20T09:00"))
    while fire(quick):
        pass
    found = [(row.procedure, row.period) for row in quick.rows(tables.instance)]
    assert found.count(("working", "2027-12")) == 1
    assert found.count(("days", "2027-12")) == 1
    assert len(found) == len(set(found)) == 30
    assert {fact.facts["unit"] for fact in quick.journal("schedule.waits")} == {"east"}
    table = (shipped() / "processes" / "calendars" / "2027.yaml").read_text().replace("2027", "2028")
    quick.do(
        ImportCalendar(by=SYSTEM, document=load(re.sub(r'"2028-02-29"', '"2028-02-28"', table), "2028.yaml"))
    )
    quick.clock.move_to(local("2028-01-20T09:00"))
    while fire(quick):
        pass
    assert len(quick.rows(tables.instance)) == 32


def test_a_changed_table_moves_the_kick_off_that_is_still_to_come(planned: Stage):
    own = load('days_off: {"厂庆": ["2026-10-08", "2026-10-09"]}', "own.yaml")
    planned.do(ImportCalendar(by=SYSTEM, document=own, unit="east"))
    planned.clock.move_to(local("2026-10-10T08:59"))  # a Saturday that is worked
    assert fire(planned) == []
    planned.clock.move_to(local("2026-10-10T09:00"))
    assert len(fire(planned)) == 1


def test_a_kick_off_that_fails_does_not_hold_up_the_others_and_can_be_made_up_for_by_hand(quick: Stage):
    whole = "process main flow.due='P400WD'\n" + MONTHLY
    quick.publish(whole, "fails", more=RULE)
    quick.publish(MONTHLY, "works", more=RULE)
    for name in ("fails", "works"):
        quick.do(Schedule(by=SYSTEM, procedure=name, unit="east"))
    quick.clock.move_to(local("2026-10-20T09:00"))
    assert len(fire(quick)) == 1
    assert fire(quick) == []
    (missed,) = quick.rows(tables.kickoff, tables.kickoff.c.status == "missed")
    assert missed.instance_id is None
    (told,) = quick.journal("schedule.failed")
    assert "2028" in told.facts["reason"]
    quick.publish(MONTHLY, "fails", more=RULE)
    number = quick.do(FireNow(by=BOSS, procedure="fails", unit="east", period="2026-10"))
    assert quick.open(number) == ["a"]
    with pytest.raises(Conflict, match="started already"):
        quick.do(FireNow(by=BOSS, procedure="fails", unit="east", period="2026-10"))


def test_a_schedule_that_waited_for_a_table_goes_on_from_where_it_was_resumed(quick: Stage):
    """What fell due during the pause is not made up for, though the table came only after it."""
    quick.publish(MONTHLY, more="schedules: {begins: {every: month, start: {working_day: 3}}}")
    quick.do(Schedule(by=SYSTEM, procedure="p", unit="east"))
    quick.do(PauseSchedule(by=BOSS, procedure="p", unit="east", paused=True, reason="renovation"))
    quick.clock.move_to(local("2028-02-10T09:00"))
    quick.do(PauseSchedule(by=BOSS, procedure="p", unit="east", paused=False, reason="done"))
    (row,) = quick.rows(tables.schedule)
    assert (row.status, row.next_at) == ("active", None)
    quick.do(ImportCalendar(by=SYSTEM, document=load("year: 2028\nstatus: provisional", "2028.yaml")))
    quick.clock.move_to(local("2028-03-20T09:00"))
    while fire(quick):
        pass
    assert periods(quick) == [("2028-03", True)]


def test_the_metronome_says_in_its_log_which_schedule_has_no_next_start(quick: Stage, caplog):
    quick.publish(MONTHLY, more=RULE)
    quick.do(Schedule(by=SYSTEM, procedure="p", unit="east"))
    watch_plans(quick.app)
    assert not caplog.records
    quick.clock.move_to(local("2027-12-31T10:00"))
    while fire(quick):
        pass
    watch_plans(quick.app)
    assert "p for east has no next start: No working-day table for 2028: import one" in caplog.text


FITTED = """schedules: {begins: {every: quarter, start: {
  latest_fit: {working_days: 15, counting: from}, preparation: P14D, lead: P7D, roll: previous}}}"""


def test_a_new_rule_starts_at_once_and_once_what_it_makes_late(quick: Stage):
    """The kick-off of the fourth quarter moves from November to September, which is past in October."""
    quick.publish(MONTHLY, more=FITTED)
    quick.do(Schedule(by=SYSTEM, procedure="p", unit="east"))
    quick.clock.move_to(local("2026-10-12T09:00"))
    fire(quick)
    (row,) = quick.rows(tables.schedule)
    assert row.next_period == "2026-Q4"
    (moved,) = quick.publish(MONTHLY, more=FITTED.replace("P7D", "P60D")).moved
    assert [(each.period, each.instance) for each in moved.fired] == [("2026-Q4", "SV-1")]
    assert (moved.old_period, moved.period) == ("2026-Q4", "2027-Q1")
    assert periods(quick) == [("2026-Q4", True)]
    (changed,) = quick.journal("schedule.changed")
    assert (changed.facts["period"], changed.facts["due"][:7]) == ("2026-Q4", "2026-09")
    (moved,) = quick.publish(MONTHLY, more=FITTED.replace("P7D", "P1D")).moved
    assert moved.fired == ()
    assert moved.period == "2027-Q1", "a period that was started stays started, wherever its date moves"
    quick.clock.move_to(local("2026-12-31T09:00"))
    assert fire(quick) == []
    assert len(quick.rows(tables.instance)) == 1


def test_a_new_rule_does_not_make_up_for_what_was_not_owed(quick: Stage):
    """Neither periods before the schedule was made, nor months of a year that was to be started as a whole."""
    quick.publish(MONTHLY, more="schedules: {begins: {every: year, start: {day: -1}}}")
    quick.do(Schedule(by=SYSTEM, procedure="p", unit="east"))
    (moved,) = quick.publish(MONTHLY, more=RULE).moved
    assert [each.period for each in moved.fired] == ["2026-09"]
    quick.do(PauseSchedule(by=BOSS, procedure="p", unit="east", paused=True, reason="renovation"))
    quick.clock.move_to(local("2026-12-14T09:00"))
    (moved,) = quick.publish(MONTHLY, more=RULE.replace("day: 1", "day: 2")).moved
    assert moved.fired == ()


@pytest.mark.parametrize("made_before", [True, False])
def test_work_that_fits_into_no_period_is_said_to_have_no_next_start(quick: Stage, made_before: bool):
    mistaken = FITTED.replace("working_days: 15", "working_days: 100")
    quick.publish(MONTHLY, more=FITTED if made_before else mistaken)
    quick.do(Schedule(by=SYSTEM, procedure="p", unit="east"))
    if made_before:
        (moved,) = quick.publish(MONTHLY, more=mistaken).moved
        assert moved.fired == ()
        assert moved.reason is not None
        assert "100 working days fit neither into 2026-Q4" in moved.reason
    with quick.app.store.read() as conn:
        found = schedules(conn)
        calendar = calendar_of(conn, "east")
    ((_, reason),) = unplanned(found, quick.clock.now(), lambda unit: calendar, quick.app.zone)
    assert "100 working days" in str(reason)
    starts, untold = coming(found, date(2026, 9, 14), date(2027, 3, 1), lambda unit: calendar, quick.app.zone)
    assert starts == ()
    assert len(untold) == 1
    quick.clock.move_to(local("2026-12-12T09:00"))
    (moved,) = quick.publish(MONTHLY, more=FITTED.replace("P7D", "P8D")).moved
    assert [each.period for each in moved.fired] == ["2026-Q4"], "what could not be planned is not forgotten"


@pytest.mark.parametrize(
    "tamper",
    [
        delete(tables.kickoff),
        update(tables.kickoff).values(period="2026-11"),
        update(tables.kickoff).values(instance_id=None, status="missed"),
    ],
)
def test_a_started_period_that_somebody_takes_back_in_the_table_is_found(planned: Stage, tamper: Any):
    """Otherwise it would be started twice, and nobody could tell."""
    planned.clock.move_to(local("2026-10-08T09:00"))
    fire(planned)
    with tampering(planned.app.store) as conn:
        assert contradictions(conn) == ()
        conn.execute(tamper)
        assert any("2026-10 is missing" in str(fault) for fault in contradictions(conn))
