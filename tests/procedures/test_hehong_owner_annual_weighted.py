"""003E, a property company's residents, weighted 5-4-3-2-1: what its scenarios cannot say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine.bpmn.reader import read
from engine.bpmn.state import variables
from engine.calendar.kickoffs import kickoffs
from engine.procedures import Procedure
from engine.scenarios import Scenarios
from engine.store import tables
from engine.store.calendars import calendar_of
from tests.procedures.playing import ZONE, Player, records, stage_app
from tests.procedures.test_property_owner_biannual import with_values, words
from tests.workbooks import rows as table_of

ID = "hehong-owner-annual-weighted"
SEVEN = (
    *(
        "业户满意度调查表.docx",
        "满意度调查统计表.xlsx",
        "满意度调查统计汇总表.xlsx",
        "满意度调查问题汇总表.docx",
    ),
    *("问题整改措施表.docx", "业户满意度调查结果及分析报告.docx", "业户回访记录.docx"),
)
COLLECTED = 4
"""Steps of the scenario `by_departments` that lead to the figures, where all came back."""


def test_it_begins_once_a_year_at_the_beginning_of_july(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    with stage_app(procedure, scenarios.stage, scenarios.scenarios["happy"].begin.at, tmp_path) as app:
        with app.store.read() as conn:
            calendar = calendar_of(conn, "garden")
        rule = procedure.schedules["second_half"].rule
        days = kickoffs(rule, date(2025, 1, 1), date(2027, 12, 31), calendar, ZONE)
    assert [f"{each.at.astimezone(ZONE):%Y-%m-%d}" for each in days] == [
        *("2025-07-01", "2026-07-01", "2027-07-01")
    ]


def test_ten_fives_five_fours_three_threes_a_two_and_a_one_make_4_10_or_82_percent(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    course, stage = scenarios.scenarios["by_departments"], scenarios.stage
    given = [5] * 10 + [4] * 5 + [3] * 3 + [2, 1]
    residents = "\n".join(f"R-{number},garden,2020-01-01" for number in range(1, 21))
    roster = replace(stage.orders["roster"], values={"data": f"customer,unit,since\n{residents}"})
    steps = list(course.steps[:COLLECTED])
    head = str(with_values(steps[2]).values["data"]).splitlines()[0]
    answers = "\n".join(
        f"R-{number}," + ",".join([str(mark)] * 13) + ",,," for number, mark in enumerate(given, 1)
    )
    steps[2] = with_values(steps[2], data=f"{head}\n{answers}")
    steps[3] = with_values(steps[3], returned_forms=20)
    setting = replace(stage, orders={**stage.orders, "roster": roster})
    with stage_app(procedure, setting, course.begin.at, tmp_path) as app:
        player = Player(app, procedure, setting, replace(course, steps=tuple(steps)))
        player.play()
        with app.store.read() as conn:
            table = tables.instance
            state = conn.execute(select(table.c.state).where(table.c.id == player.instance)).scalar_one()
        (table_file,) = records(player, "满意度调查统计表.xlsx")
    found: dict[str, Any] = variables(state)
    assert set(found["item_scores"].values()) == {"4.10"}
    assert set(found["department_scores"].values()) == {"4.10"}
    assert (found["whole_score"], found["satisfaction_rate"]) == ("4.10", "82.0%")
    lines = table_of(table_file, "部门", "小项")
    assert lines[0][2:7] == ["很满意（5）", "满意（4）", "基本满意（3）", "一般（2）", "较不满意（1）"]
    assert lines[1][2:] == [10, 5, 3, 1, 1, 20, 4.1, 0.82]


def test_levels_and_weights_are_those_of_the_source(procedure: Procedure) -> None:
    for field in procedure.forms["questionnaire"].fields:
        if field.type == "matrix":
            assert field.scale is not None
            assert [(point.label.zh, point.weight) for point in field.scale.points] == [
                *(("很满意", 5), ("满意", 4), ("基本满意", 3), ("一般", 2), ("较不满意", 1))
            ]


def test_all_seven_documents_are_made(happy: Player) -> None:
    assert [name for name in SEVEN if not records(happy, name)] == []


def test_the_printed_form_says_how_and_when_it_is_collected(happy: Player) -> None:
    text = words(records(happy, "业户满意度调查表.docx")[0])
    assert "投入客户服务中心意见箱" in text
    assert "2026-08-21" in text


def test_the_record_of_call_backs_has_problem_solution_way_person_day_and_outcome(happy: Player) -> None:
    text = words(records(happy, "业户回访记录.docx")[0])
    for said in ("地下车库漏水", "车库堵漏", "上门", "电话", "engineer", "2026-09-14", "满意", "未联系上"):
        assert said in text, said


def test_the_table_of_problems_has_kind_and_department(happy: Player) -> None:
    text = words(records(happy, "满意度调查问题汇总表.docx")[0])
    for said in ("问题", "建议", "疑问", "工程部", "客户服务部"):
        assert said in text, said


def test_the_report_goes_to_the_departments(happy: Player) -> None:
    with happy.app.store.read() as conn:
        facts = [
            row.facts
            for row in conn.execute(select(tables.journal.c.kind, tables.journal.c.facts))
            if row.kind == "notice.given"
        ]
    assert len(facts) == 1
    assert "engineer" in str(facts[0])
    assert "receptionist" in str(facts[0])


def test_its_lanes_are_those_of_the_source(procedure: Procedure) -> None:
    lanes = read(procedure.diagram).processes[procedure.process].lanes
    assert [lane.name for lane in lanes] == ["客户服务中心", "项目部", "相关部门"]


def test_every_reading_that_can_be_switched_is_a_parameter(procedure: Procedure) -> None:
    assert {each.reading for each in procedure.parameters.values() if each.reading} == {"003E-A4", "003E-A12"}
