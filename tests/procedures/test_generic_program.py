"""004C, a survey programme in short: what the source asks for that its scenarios cannot say."""

from __future__ import annotations

import zipfile
from pathlib import Path

from engine.bpmn.reader import read
from engine.procedures import Procedure
from engine.scenarios import Scenarios
from survey import rounds
from tests.procedures.playing import Player, records, stage_app
from tests.workbooks import rows as table_of

ID = "generic-program-overview"


def test_it_knows_the_four_methods(procedure: Procedure) -> None:
    method = next(each for each in procedure.forms["method"].fields if each.id == "survey_method")
    assert [option.label.zh for option in method.options] == [
        "面对面访谈",
        "通信设备调查（电话）",
        "在线调查",
        "邮寄问卷",
    ]


def test_the_data_are_sorted_by_type_of_customer_and_types_with_few_answers_stay_confidential(
    happy: Player,
) -> None:
    (table,) = records(happy, "分类统计表.xlsx")
    lines = table_of(table, "项目", "客户类别", sheet="按客户类别交叉分组")
    speed = [line[1:3] for line in lines if line[0].startswith("办理和交付速度")]
    assert speed[:2] == [["批发客户", "—"], ["零售客户", "—"]]


def test_the_report_has_statistics_and_the_measures_proposed(happy: Player) -> None:
    (paper,) = records(happy, "客户满意度调查结果报告.docx")
    with zipfile.ZipFile(paper) as parts:
        text = parts.read("word/document.xml").decode("utf-8")
    for words in (
        "总体满意度",
        "66.7%",
        "建议改进的措施",
        "开票改为当日完成",
        "希望更快拿到发票",
        "财务开票",
        "批发客户",
    ):
        assert words in text


def test_loyalty_needs_and_expectations_are_asked_about_and_competitors_if_wanted(
    procedure: Procedure,
) -> None:
    asked = {
        name: {each.id for each in procedure.forms[name].questions}
        for name in ("questionnaire", "with_competitors")
    }
    wanted = {"needs", "evaluation", "loyalty", "expectations"}
    assert set(str(procedure.values["constructs"]).split(", ")) == wanted
    assert all(wanted <= there for there in asked.values())
    assert asked["with_competitors"] - asked["questionnaire"] == {"competitors", "rival_strength"}
    rows = {
        row.id
        for each in procedure.forms["questionnaire"].questions
        if each.id == "loyalty"
        for row in each.rows
    }
    assert rows == {"loyal_again", "loyal_recommend"}


def test_customers_are_drawn_at_random_where_the_plan_wants_it(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    course = scenarios.scenarios["by_post"]
    with stage_app(procedure, scenarios.stage, course.begin.at, tmp_path) as app:
        player = Player(app, procedure, scenarios.stage, course)
        player.play()
        with app.store.read() as conn:
            members = rounds.roster(conn, rounds.round_of(conn, player.instance).id)
    assert [each.channel for each in members] == ["post", "post"]


def test_one_role_does_everything(procedure: Procedure) -> None:
    lanes = read(procedure.diagram).processes[procedure.process].lanes
    assert [(lane.id, lane.name) for lane in lanes] == [("survey_owner", "企业")]


def test_every_reading_that_can_be_switched_is_a_parameter(procedure: Procedure) -> None:
    assert {each.reading for each in procedure.parameters.values() if each.reading} == {"004C-A2", "004C-A3"}
