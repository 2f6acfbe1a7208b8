"""003G, the quarterly survey of a building: what the source asks for, by the numbers of the acceptance list."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.bpmn.reader import read
from engine.calendar.due import plan, resolve
from engine.calendar.due_grammar import Counting, parse_due
from engine.calendar.kickoffs import kickoffs
from engine.calendar.tables import CalendarTable
from engine.calendar.working import WorkingCalendar
from engine.commands import instances, schedules
from engine.errors import Invalid
from engine.forms import clean
from engine.model import SYSTEM
from engine.procedures import Procedure
from engine.scenarios import Act, Outcome, Scenarios
from engine.store import tables
from engine.strict_yaml import load as load_yaml
from tasks.dates import wanted
from tests.procedures.playing import ROOT, ZONE, complete, played, stage_app

ID = "building-quarterly-15-workdays"


@pytest.fixture(scope="module")
def calendar() -> WorkingCalendar:
    files = sorted((ROOT / "processes/calendars").glob("*.yaml"))
    return WorkingCalendar.of([CalendarTable.from_document(load_yaml(f.read_bytes(), f.name)) for f in files])


def test_what_the_calendar_who_may_and_the_records_say_is_held_against_a_scenario(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    whole = scenarios.scenarios["refused_once"]
    draft, denied, *_ = whole.steps
    assert isinstance(denied, Act)
    brief = replace(whole, steps=(draft, denied), end=Outcome("running", (), {}, {}, {"draft_plan": None}))
    late = replace(brief, begin=replace(brief.begin, at=datetime(2026, 8, 21, 9)))  # noqa: DTZ001 - local, as written
    allowed = replace(brief, steps=(draft, replace(denied, by="manager")))
    filed = replace(brief, end=replace(brief.end, records={"draft_plan": "JL-01", "approve": None}))
    courses = {"brief": brief, "late": late, "allowed": allowed, "filed": filed}
    found, altered = {}, replace(scenarios, scenarios=courses)
    for name in courses:
        with played(altered, procedure, name, tmp_path / name) as player:
            found[name] = [each.partition(" ")[2].partition(" ")[2] for each in player.deviations]
    assert found == {
        "brief": [],
        "late": ["stopped: The calendar starts nothing at 2026-08-21 09:00, but next at 2026-11-20 09:00"],
        "allowed": ["approve was done by manager, who was expected to have no right to it"],
        "filed": [
            "draft_plan filed ['no code'], expected JL-01",
            "approve filed nothing, expected a record without a code",
        ],
    }


@pytest.mark.parametrize(
    ("counting", "expected"),
    [
        ("from", ["09-15", "09-18", "09-21", "09-24", "10-09"]),
        ("after", ["09-16", "09-20", "09-22", "09-28", "10-10"]),
    ],
)
def test_its_dates_are_those_of_the_acceptance_list(
    procedure: Procedure, calendar: WorkingCalendar, counting: Counting, expected: list[str]
) -> None:
    process = read(procedure.diagram).processes[procedure.process]
    dues = {
        node.id: parse_due(node.properties["flow.due"])
        for node in process.nodes.values()
        if "flow.due" in node.properties
    }
    known: dict[str, date | datetime] = {"d0": date(2026, 9, 14)}
    for node in process.nodes.values():
        for line in wanted(node.properties.get("flow.dates", "")):
            due = resolve(
                parse_due(line.due), known, datetime(2026, 9, 14, tzinfo=UTC), calendar, ZONE, counting
            )
            known[line.name] = due.day
    planned = {step: due.day for step, due in plan(dues, known, calendar, ZONE, counting).items()} | known
    steps = ("distribute_by", "collect_by", "statistics", "meeting", "feedback_track")
    assert [f"{planned[step]:%m-%d}" for step in steps] == expected
    before = {
        step: f"{planned[step]:%m-%d}" for step in ("draft_plan", "notice_by", "allocate", "kickoff_meeting")
    }
    assert before == {
        "draft_plan": "08-31",
        "notice_by": "09-07",
        "allocate": "09-11",
        "kickoff_meeting": "09-14",
    }


def test_its_schedule_takes_the_latest_day_that_fits_each_quarter(
    procedure: Procedure, calendar: WorkingCalendar
) -> None:
    rule = procedure.schedules["quarter_begins"].rule
    found = kickoffs(rule, date(2026, 1, 15), date(2026, 12, 31), calendar, ZONE)
    assert {each.period: f"{each.anchors['d0']:%m-%d}" for each in found} == {
        "2026-Q1": "03-11",
        "2026-Q2": "06-09",
        "2026-Q3": "09-10",
        "2026-Q4": "12-11",
    }


def test_its_schedule_starts_it_with_time_to_write_the_plan(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    with stage_app(procedure, scenarios.stage, datetime(2026, 8, 1, 9), tmp_path) as app:  # noqa: DTZ001
        app.do(schedules.Schedule(by=SYSTEM, procedure=ID, unit=scenarios.stage.unit))
        app.clock.move_to(datetime(2026, 8, 20, 8, 59, tzinfo=ZONE))  # type: ignore[attr-defined]
        assert app.do(schedules.FireSchedules(by=SYSTEM)).value == []
        app.clock.move_to(datetime(2026, 8, 20, 9, tzinfo=ZONE))  # type: ignore[attr-defined]
        assert len(app.do(schedules.FireSchedules(by=SYSTEM)).value) == 1
        with app.store.read() as conn:
            due = conn.execute(select(tables.deadline.c.element, tables.deadline.c.due_day)).all()
    assert {tuple(row) for row in due} == {("*", "2026-09-30"), ("draft_plan", "2026-08-27")}


def test_started_by_hand_it_asks_for_its_first_day(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    with stage_app(procedure, scenarios.stage, datetime(2026, 8, 20, 9), tmp_path) as app:  # noqa: DTZ001
        start = instances.Start(by=SYSTEM, procedure="003G", unit=scenarios.stage.unit)
        number = app.do(start).value
        values = dict(scenarios.stage.answers["draft_plan"].values)
        with pytest.raises(Invalid, match="d0"):
            complete(app, number, "draft_plan", "supervisor", values)
        complete(app, number, "draft_plan", "supervisor", {**values, "d0": "2026-09-10"})
        with app.store.read() as conn:
            rows = conn.execute(select(tables.deadline.c.element, tables.deadline.c.due_day)).all()
    assert {tuple(row) for row in rows} >= {("*", "2026-09-30"), ("approve", "2026-09-02")}


PARTS = (
    "scope",
    "schedule_plan",
    "questionnaire_draft",
    "evaluation_method",
    "wording",
    "staff",
    "materials",
    "contingency",
)


@pytest.mark.parametrize("part", PARTS)
def test_a_plan_without_one_of_its_eight_parts_is_refused(
    procedure: Procedure, scenarios: Scenarios, part: str
) -> None:
    values = {**scenarios.stage.answers["draft_plan"].values, "d0": "2026-09-10"}
    del values[part]
    with pytest.raises(Invalid) as refused:
        clean(procedure.forms["plan"], values, today=date(2026, 8, 20), variables={})
    assert [problem.field for problem in refused.value.problems] == [part]


@pytest.mark.parametrize("topic", ["questionnaire", "wording", "manners"])
def test_training_that_leaves_a_topic_out_is_refused(
    procedure: Procedure, scenarios: Scenarios, topic: str
) -> None:
    values = dict(scenarios.stage.answers["train"].values)
    values["topics"] = [each for each in ("questionnaire", "wording", "manners") if each != topic]
    with pytest.raises(Invalid, match="topics"):
        clean(procedure.forms["training"], values, today=date(2026, 9, 7), variables={})


def test_nothing_is_archived_while_a_record_is_missing_or_changed(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    happy = scenarios.scenarios["happy"]
    until_archive = type(happy)(
        **{f: getattr(happy, f) for f in happy.__slots__} | {"steps": happy.steps[:-1]}
    )
    with stage_app(procedure, scenarios.stage, happy.begin.at, tmp_path) as app:
        from tests.procedures.playing import Player

        player = Player(app, procedure, scenarios.stage, until_archive)
        player.play()
        (listed,) = (tmp_path / "records").glob("*/SHA256SUMS")
        for line in listed.read_text(encoding="utf-8").splitlines():
            digest, name = line.split("  ")
            assert hashlib.sha256((listed.parent / name).read_bytes()).hexdigest() == digest
        values = dict(scenarios.stage.answers["archive"].values)
        plan_file = next((tmp_path / "records" / f"SV-{player.instance}").glob("plan-*.txt"))
        kept = plan_file.read_bytes()
        plan_file.write_bytes(kept + b" ")
        with pytest.raises(Invalid, match=rf"{plan_file.name} was changed"):
            complete(app, player.instance, "archive", "clerk", values)
        plan_file.unlink()
        with pytest.raises(Invalid, match=rf"{plan_file.name} is missing"):
            complete(app, player.instance, "archive", "clerk", values)
        plan_file.write_bytes(kept)
        complete(app, player.instance, "archive", "clerk", values)
        with app.store.read() as conn:
            sealed = conn.execute(select(tables.archive)).one()
            task = tables.user_task
            (role,) = conn.execute(select(task.c.role).where(task.c.element == "archive")).scalars()
        assert (sealed.instance_id, sealed.custodian, sealed.retention) == (player.instance, "cs_dept", None)
        assert role == "cs_dept"


def test_its_steps_stand_in_the_lanes_of_the_source(procedure: Procedure) -> None:
    nodes = read(procedure.diagram).processes[procedure.process].nodes
    people = {node.id: node.lane for node in nodes.values() if node.tag == "userTask"}
    assert people == {
        "draft_plan": "cs_supervisor",
        "approve": "project_gm",
        "train": "cs_supervisor",
        "allocate": "cs_supervisor",
        "kickoff_meeting": "cs_supervisor",
        "statistics": "cs_dept",
        "meeting": "cs_dept",
        "feedback_track": "cs_dept",
    }
    called = {node.called: node.properties["flow.roles"] for node in nodes.values() if node.called}
    assert called == {
        "announcement": "announcer = cs_dept",
        "distribute_and_collect": "distributor = cs_assistant, collector = cs_assistant, survey_head = cs_supervisor",
        "corrective_action": "action_owner = dept_head, action_verifier = cs_dept",
        "archiving": "archivist = cs_dept",
    }
