"""003D, a survey from goals to periodic review: what the source asks for that its scenarios cannot say."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.bpmn.reader import read
from engine.procedures import Procedure
from engine.queries.instances import steps_of
from engine.scenarios import Scenarios
from engine.store import tables
from survey import rounds
from tests.procedures.playing import Player, played, records
from tests.workbooks import rows as table_of

ID = "cs-dept-nine-section-flow"
LANES = {"cs_dept": "客服部门", "survey_executor": "专人", "cs_team": "内部团队", "dept_head": "相关部门"}


def options(procedure: Procedure, form: str, field: str) -> list[Any]:
    found = next(each for each in procedure.forms[form].fields if each.id == field)
    return [option.value for option in found.options]


def test_the_goals_and_methods_of_the_source_can_be_chosen(procedure: Procedure) -> None:
    wanted = ["service_quality", "response_speed", "problem_solving", "suggestions"]
    assert options(procedure, "goals", "goals") == [*wanted, "other"]
    assert options(procedure, "method", "methods") == ["phone", "online", "email", "post"]
    assert options(procedure, "method", "key_way") == ["depth", "face", "standard"]


def test_the_questionnaire_has_its_dimensions_and_both_kinds_of_questions(procedure: Procedure) -> None:
    asked = {each.id: each for each in procedure.forms["questionnaire"].questions}
    assert {name for name, each in asked.items() if each.type == "matrix"} == {
        "service_quality",
        "response_speed",
        "problem_solving",
    }
    assert {each.type for each in asked.values()} == {"matrix", "choice", "choices", "long_text"}


def test_the_dispatch_log_has_channel_and_day_of_each_customer(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    with played(scenarios, procedure, "all_ways", tmp_path) as player:
        with player.app.store.read() as conn:
            members = rounds.roster(conn, rounds.round_of(conn, player.instance).id)
        lists = [table_of(each, "序号", "客户") for each in records(player, "问卷发送清单.xlsx")]
        (sent,) = [line for lines in lists for line in lines if line[1] == "K-2"]
    assert {each.code: (each.channel, each.issued_on) for each in members} == {
        "K-1": ("phone", "2026-09-07"),
        "K-2": ("email", "2026-09-07"),
        "K-3": ("phone", "2026-09-07"),
        "K-4": ("phone", "2026-09-07"),
    }
    assert "邮件" in sent


def test_only_the_key_customer_is_interviewed(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    with played(scenarios, procedure, "all_ways", tmp_path) as player, player.app.store.read() as conn:
        seen = [
            each.person for each in steps_of(conn, player.instance, player.app.clock.now())
            if each.element == "interview"
        ]  # fmt: skip
    assert seen == ["executor"]


def test_the_report_has_the_score_of_every_dimension_and_the_problems(happy: Player) -> None:
    (paper,) = records(happy, "客户满意度调查报告.docx")
    with zipfile.ZipFile(paper) as parts:
        text = parts.read("word/document.xml").decode("utf-8")
    for words in ("服务质量", "响应速度", "问题解决能力", "75.6%", "存在的问题", "响应慢", "改进的方向"):
        assert words in text
    (table,) = records(happy, "满意度统计表.xlsx")
    head, *lines = table_of(table, "类别", "项目")
    rates = {line[0]: line[head.index("满意率")] for line in lines if line[1] == "小计"}
    assert rates == pytest.approx({"服务质量": 13 / 15, "响应速度": 0.6, "问题解决能力": 0.8})


def test_every_question_is_kept_with_its_own_answer(happy: Player) -> None:
    kept = [each.read_text("utf-8") for each in records(happy, "questions-*.txt")]
    assert [
        [text in each for text in ("K-2", "第三题指哪一次服务", "能否代填")] for each in sorted(kept)
    ] in (
        [[True, True, False], [False, False, True]],
        [[False, False, True], [True, True, False]],
    )


def test_everybody_told_has_acknowledged_the_results_and_every_review_left_a_record(happy: Player) -> None:
    with happy.app.store.read() as conn:
        steps = steps_of(conn, happy.instance, happy.app.clock.now())
        made = conn.execute(select(tables.record.c.element)).scalars().all()
    known = {(each.element, each.person) for each in steps if each.status == "done"}
    assert {("team_receives", "mate"), ("department_receives", "head")} <= known
    assert made.count("review") == 2 * len(("word", "pdf"))
    assert made.count("answer_question") == 2


def test_its_lanes_are_the_roles_of_the_source(procedure: Procedure) -> None:
    lanes = read(procedure.diagram).processes[procedure.process].lanes
    assert {lane.id: lane.name for lane in lanes} == LANES


def test_every_reading_that_can_be_switched_is_a_parameter(procedure: Procedure) -> None:
    assert {each.reading for each in procedure.parameters.values() if each.reading} == {"003D-A1"}
