"""003C, a certification body's year of surveys: what the source asks for that its scenarios cannot say."""

from __future__ import annotations

import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.app import App
from engine.bpmn.reader import read
from engine.bpmn.state import variables
from engine.errors import Invalid
from engine.model import Actor
from engine.procedures import Procedure
from engine.scenarios import Scenarios
from engine.store import tables
from survey import rounds
from survey.commands.rosters import ImportRoster
from survey.coverage import Known, due
from tests.procedures.playing import Player, complete, records, stage_app, started

ID = "certification-body-annual-visit"


def options(procedure: Procedure, form: str, name: str) -> list[str]:
    field = next(each for each in procedure.forms[form].questions if each.id == name)
    return [str(option.value) for option in field.options]


def test_of_318_customers_a_plan_with_127_is_refused_and_one_with_128_accepted(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    begin = scenarios.scenarios["returned"].begin.at
    rows = "\n".join(f"K-{number},body,2024-02-01" for number in range(1, 319))
    plan: dict[str, Any] = dict(scenarios.stage.answers["draft_plan"].values)
    row = {**plan["plan_rows"][0], "codes": " ".join(f"K-{number}" for number in range(1, 128))}

    def draft(app: App, codes: str) -> None:
        values = {**plan, "plan_rows": [{**row, "codes": codes}]}
        complete(app, instance, "draft_plan", "clerk", values)

    with stage_app(procedure, scenarios.stage, begin, tmp_path) as app:
        app.do(ImportRoster(by=Actor("clerk"), data=f"customer,unit,since\n{rows}\n"))
        instance = started(app, procedure, scenarios.stage, {})
        with pytest.raises(Invalid, match="127 of 318 customers; 40% a year are 128"):
            draft(app, row["codes"])
        draft(app, f"{row['codes']} K-318")
        with app.store.read() as conn:
            state = conn.execute(select(tables.instance.c.state).where(tables.instance.c.id == instance))
            known = variables(state.scalar_one())
    assert known["coverage_needed"] == 128
    assert len(str(known["planned_codes"]).split("、")) == 128


def test_who_was_surveyed_last_in_november_2023_has_to_stand_in_the_plan_of_2026() -> None:
    customer = Known("C-1", since=date(2019, 5, 1), last=date(2023, 11, 15))
    assert due([customer], 2026) == ("C-1",)
    assert due([customer], 2025) == ()
    # in fixed periods it is the last year of the period that counts
    assert [year for year in range(2024, 2031) if due([customer], year, begun=2024)] == [2026, 2029]


def test_the_team_leader_was_told_before_the_audit_plan_was_made(happy: Player) -> None:
    journal = tables.journal
    with happy.app.store.read() as conn:
        found = conn.execute(select(journal.c.kind, journal.c.facts).order_by(journal.c.seq)).all()
    rows = [(row.kind, json.loads(row.facts)) for row in found]
    told = [place for place, (kind, _) in enumerate(rows) if kind == "notice.given"]
    planned = [
        place
        for place, (kind, facts) in enumerate(rows)
        if kind == "task.completed" and facts["element"] == "allow_for_visit"
    ]
    assert len(told) == len(planned) == 2
    assert all(first < second for first, second in zip(told, planned, strict=True))
    _, first = rows[told[0]]
    assert first["to"] == ["leader"]
    assert "C-1" in first["text"]
    assert "SH-2026-031" in first["text"]


def test_every_problem_and_need_handled_was_told_to_the_customer_who_raised_it(happy: Player) -> None:
    table = tables.instance
    with happy.app.store.read() as conn:
        states = conn.execute(
            select(table.c.state).where(table.c.process == "call_back", table.c.root_id == happy.instance)
        )
        calls = [variables(state) for state in states.scalars()]
    assert [each["callback_customer"] for each in calls] == ["C-1", "C-1"]
    assert [each["callback_reason"] for each in calls] == ["证书出具偏慢", "希望提供内审员培训"]
    assert {each["callback_solution"] for each in calls} == {"每周增加一个评审日"}


def test_a_visit_counts_from_the_day_it_is_made_and_not_from_the_day_the_list_is(happy: Player) -> None:
    with happy.app.store.read() as conn:
        found = rounds.round_of(conn, happy.instance, "体系部走访")
        members = rounds.roster(conn, found.id)
    assert [(each.code, each.issued_on, each.channel) for each in members] == [
        ("C-1", "2026-03-12", "visit"),
        ("C-2", "2026-04-14", "visit"),
    ]


def test_every_visit_leaves_its_own_record(happy: Player) -> None:
    task = tables.user_task
    with happy.app.store.read() as conn:
        rows = conn.execute(select(task.c.instance_id).where(task.c.element == "visit_survey")).scalars()
        assert len(set(rows)) == 2


def test_the_plan_on_paper_has_the_customers_the_mode_and_the_arrangement(happy: Player) -> None:
    (paper,) = records(happy, "年度顾客调查工作计划.docx")
    with zipfile.ZipFile(paper) as parts:
        text = parts.read("word/document.xml").decode("utf-8")
    for words in ("走访", "C-1, C-2", "随监督审核走访，由专职审核员进行", "体系部", "2026-06-30"):
        assert words in text


def test_the_kinds_of_business_the_modes_and_the_visitors_are_those_of_the_source(
    procedure: Procedure,
) -> None:
    kinds = ["system_audit", "product_audit", "inspection", "ciss"]
    assert options(procedure, "questionnaire", "business_type") == kinds
    assert options(procedure, "visit_record", "business_type") == kinds
    rows = next(each for each in procedure.forms["plan"].questions if each.id == "plan_rows")
    modes = next(each for each in rows.fields if each.id == "mode")
    assert [option.value for option in modes.options] == ["visit", "written", "phone", "online"]
    visitors = ["leader", "auditor", "inspector", "employee"]
    assert options(procedure, "assignment", "visitor_class") == visitors


def test_its_lanes_are_the_roles_of_the_source(procedure: Procedure) -> None:
    processes = read(procedure.diagram).processes
    assert [lane.name for lane in processes[procedure.process].lanes] == [
        "客户服务部（客服部）",
        "各业务部门",
        "主管副总经理",
        "总经理",
    ]
    visit = processes["customer_visit"].lanes
    assert [lane.name for lane in visit] == ["各业务部门", "顾客走访人员", "审核组长"]


def test_every_reading_that_can_be_switched_is_a_parameter(procedure: Procedure) -> None:
    readings = {each.reading for each in procedure.parameters.values() if each.reading}
    assert readings == {"003C-A3", "003C-A4", "003C-A5"}
