"""004H, six techniques and seven steps: what the source asks for that its scenarios cannot say."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from engine.bpmn.reader import read
from engine.model import Actor
from engine.procedures import Procedure
from engine.queries.instances import variables
from engine.scenarios import Scenarios
from engine.scheduler import tick
from survey import rounds
from survey.commands import ImportRoster
from tests.procedures.playing import Player, complete, records, stage_app, started
from tests.workbooks import rows as table_of
from tests.workbooks import sheets

ID = "techniques-and-seven-steps"


def test_a_part_of_the_sample_was_never_asked_before(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    old = "".join(f"A-{number},company\n" for number in range(40))
    answers = {name: dict(each.values) for name, each in scenarios.stage.answers.items()}
    answers["set_goals"]["first_day"] = "2026-09-01"
    with stage_app(procedure, scenarios.stage, scenarios.scenarios["happy"].begin.at, tmp_path) as app:
        numbers = []
        for size, new, share in ((40, "", "0.2"), (10, "B-1,company\nB-2,company\n", "0.2"), (10, "", "0.5")):
            data = f"customer,unit\n{old}{new}"
            app.do(ImportRoster(by=Actor("owner"), data=data, partial=True))
            numbers.append(started(app, procedure, scenarios.stage, {"share_new": share}))
            answers["choose_sample"]["sample_size"] = size
            for element in ("set_goals", "design", "pilot_test", "choose_sample", "prepare_link"):
                complete(app, numbers[-1], element, "owner", answers[element])
            tick(app)  # the day of the survey has come: its sample is given the link
        with app.store.read() as conn:
            drawn = [
                {each.code for each in rounds.roster(conn, rounds.round_of(conn, number).id)}
                for number in numbers
            ]
            texts = [variables(conn, number)["sample_text"] for number in numbers]
    assert [len(codes) for codes in drawn] == [40, 10, 10]
    assert {"B-1", "B-2"} <= drawn[1]
    assert texts[1] == "样本10个，其中从未调查过的2个，要求至少20.0%。"
    assert (
        texts[2] == "样本10个，其中从未调查过的0个，要求至少50.0%。名册中从未调查过的客户不足，已全部列入。"
    )


def test_the_link_comes_as_a_picture_that_a_telephone_reads(happy: Player) -> None:
    (picture,) = records(happy, "调查链接二维码.png")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_response_is_shown_by_channel(happy: Player) -> None:
    (table,) = records(happy, "各渠道回应率.xlsx")
    assert table_of(table, "渠道")[1:] == [["短信", 4, 2, 0.5], ["邮件", 2, 1, 0.5]]


@pytest.mark.parametrize("name", ["性别", "年龄", "职业", "所在地区"])
def test_answers_are_crossed_with_every_dimension(happy: Player, name: str) -> None:
    (table,) = records(happy, "多维度统计表.xlsx")
    assert "总体评价" in str(sheets(table)[f"按{name}交叉分组"])


def test_the_dimensions_are_a_parameter(procedure: Procedure, scenarios: Scenarios, tmp_path: Path) -> None:
    course = scenarios.scenarios["after"]
    begin = replace(course.begin, parameters={**course.begin.parameters, "dimensions": "region"})
    with stage_app(procedure, scenarios.stage, begin.at, tmp_path) as app:
        player = Player(app, procedure, scenarios.stage, replace(course, begin=begin))
        player.play()
        (table,) = (tmp_path / "records").glob("*/多维度统计表.xlsx")
        made = [name for name in sheets(table) if "交叉" in name]
    assert made == ["按所在地区交叉分组"]


def test_the_report_has_goals_bottlenecks_and_the_plan(happy: Player) -> None:
    (paper,) = records(happy, "客户满意度调查分析报告.docx")
    with zipfile.ZipFile(paper) as parts:
        text = parts.read("word/document.xml").decode("utf-8")
    for words in (
        "近一年购买过产品的客户",
        "交付和安装等待时间长",
        "安装预约改为次日上门",
        "短信触达4",
        "按性别",
    ):
        assert words in text


def test_the_six_ways_of_promotion_are_offered(procedure: Procedure) -> None:
    media = next(each for each in procedure.forms["link"].fields if each.id == "media")
    assert [option.label.zh for option in media.options] == [
        "网站",
        "社交媒体",
        "短信",
        "邮件",
        "电话",
        "现场",
    ]


def test_its_lanes_are_the_parties_of_the_source(procedure: Procedure) -> None:
    lanes = read(procedure.diagram).processes[procedure.process].lanes
    assert {lane.id: lane.name for lane in lanes} == {"survey_owner": "企业", "dept_head": "有关部门"}


def test_every_reading_that_can_be_switched_is_a_parameter(procedure: Procedure) -> None:
    readings = {each.reading for each in procedure.parameters.values() if each.reading}
    assert readings == {"004H-A2", "004H-A3", "004H-A4"}
