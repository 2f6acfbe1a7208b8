"""004E, a denture manufacturer's survey inside and outside: what the source asks for that its scenarios cannot say."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.app import App
from engine.bpmn.reader import read
from engine.bpmn.state import variables
from engine.calendar.kickoffs import kickoffs
from engine.commands import instances
from engine.commands.definitions import Publish
from engine.errors import Invalid
from engine.model import SYSTEM, Actor
from engine.procedures import Procedure, from_files
from engine.scenarios import Scenarios
from engine.store import tables
from engine.store.calendars import calendar_of
from survey import rounds
from survey.commands import ImportRoster
from tests.procedures.playing import ZONE, Player, complete, records, stage_app
from tests.workbooks import rows as table_of

ID = "denture-biannual-in-out"
ROLES = {"cs_head", "cs_rep", "superior", "quality_fixed", "quality_removable", "production", "quality_dept"}


def test_it_starts_twice_a_year(happy: Player, procedure: Procedure) -> None:
    with happy.app.store.read() as conn:
        calendar = calendar_of(conn, "lab")
    rule = procedure.schedules["half_year_begins"].rule
    days = kickoffs(rule, date(2025, 1, 1), date(2026, 12, 31), calendar, ZONE)
    found = [f"{each.at.astimezone(ZONE):%Y-%m-%d}" for each in days]
    assert found == ["2025-06-03", "2025-12-01", "2026-06-01", "2026-12-01"]  # 1 June 2025 was a holiday


def test_its_lanes_are_the_roles_of_the_source(procedure: Procedure) -> None:
    lanes = read(procedure.diagram).processes[procedure.process].lanes
    assert {lane.id for lane in lanes} == ROLES
    assert {lane.name for lane in lanes} == {
        *("上级领导", "客服部负责人", "客服代表（客户代表）", "固定品质部负责人"),
        *("活动品质部负责人", "生产部门", "品质部"),
    }


def test_every_customer_is_asked_by_the_own_representative_and_the_channel_is_kept(happy: Player) -> None:
    with happy.app.store.read() as conn:
        asked = {
            each.code: (found.part, each.channel, each.issued_on)
            for found in rounds.rounds_of(conn, happy.instance)
            for each in rounds.roster(conn, found.id)
        }
    assert asked == {
        "C-1": ("rep_a", "email", "2026-06-01"),
        "C-2": ("rep_a", "email", "2026-06-01"),
        "C-3": ("rep_b", "chat", "2026-06-01"),
    }


def test_the_date_by_which_to_reply_is_printed_on_the_questionnaire(happy: Player) -> None:
    text = words(happy, "客户满意度调查问卷.docx")
    assert "要求反馈的日期" in text
    assert "2026-07-01" in text


def test_the_papers_hold_what_the_source_wants_in_them(happy: Player) -> None:
    sheet = words(happy, "总表（问题点）.docx")
    assert [
        word
        for word in ("活动义齿交货晚两天", "希望核对比色照片", "交期和颜色是主要问题")
        if word not in sheet
    ] == []
    minutes = words(happy, "生产部门总结会议记录.docx")
    assert "排牙人手不足，旺季更明显" in minutes
    assert "增加一名排牙技师" in minutes
    overall = words(happy, "整体分析.docx")
    assert overall.count("两家客户均肯定固定义齿，交货须加快") == 2
    assert "增加活动义齿产能" in overall
    assert "活动义齿分两班排牙" in words(happy, "会议记录.docx")


def test_each_report_has_problems_good_points_and_what_to_strengthen_of_every_own_customer(
    happy: Player,
) -> None:
    texts = [_text(each) for each in records(happy, "分析报表.docx")]
    assert len(texts) == 2
    of_a, of_b = sorted(texts, key=lambda text: "C-3" in text)
    assert [code in of_a for code in ("C-1", "C-2", "C-3")] == [True, True, False]
    assert [code in of_b for code in ("C-1", "C-2", "C-3")] == [False, False, True]
    assert (of_a.count("固定义齿强度"), of_b.count("固定义齿强度")) == (2, 1)


def test_scores_are_means_of_each_requirement_and_of_all(happy: Player) -> None:
    (whole,) = records(happy, "打分统计表.xlsx")
    head, *lines = table_of(whole, "类别", "项目")
    means = {line[1]: line[head.index("平均分")] for line in lines}
    assert means["边缘密合"] == 4  # 4, 5 and 3
    assert means["就位和贴合"] == 3.5  # 4 and 3; one does not apply
    total = [4, 4, 3, 4, 5, 4, 4, 4, 5, 5, 3, 4, 5, 5, 4]
    total += [5, 5, 4, 4, 4, 4, 4, 4, 4, 5, 4]
    total += [3, 3, 2, 3, 4, 3, 3, 3, 4, 4, 2, 2, 4, 4, 3]
    (rate,) = [line[head.index("满意率")] for line in lines if line[0] == "总体"]
    assert rate == pytest.approx(sum(total) / (5 * len(total)))


def test_whoever_analyses_sees_what_the_customer_scored_and_wrote(happy: Player) -> None:
    with happy.app.store.read() as conn:
        states = conn.execute(select(tables.instance.c.state)).scalars()
        seen = [str(variables(state).get("customer_answers", "")) for state in states]
    (of_c3,) = [text for text in seen if text.startswith("边缘密合：3分")]
    assert of_c3.splitlines()[2] == "颜色与比色一致：2分"
    assert of_c3.splitlines()[-1] == "总体建议：颜色偏差较多"


def test_nothing_begins_while_a_customer_has_no_representative(lab: App) -> None:
    head, by = "customer,unit,属性:客户代表\n", Actor("head")
    roster = f"{head}C-1,lab,rep_a\nC-4,lab,\nC-5,lab,maker\n"  # nobody; somebody who is no representative
    lab.do(ImportRoster(by=by, data=roster))
    number = begin(lab)
    assert open_tasks(lab) == ["name_reps"]
    assert known(lab, number)["unrepresented_text"] == "C-4、C-5"
    complete(lab, number, "name_reps", "head", {"roster_mended": True})
    assert open_tasks(lab) == ["name_reps"]
    lab.do(ImportRoster(by=by, data=f"{head}C-4,lab,rep_b\nC-5,lab,rep_b\n", partial=True))
    complete(lab, number, "name_reps", "head", {"roster_mended": True})
    assert open_tasks(lab) == ["draft", "summarise"]
    shown = [{"representative": "rep_a", "customers": 1}, {"representative": "rep_b", "customers": 2}]
    for each, wanted in zip(known(lab, number)["representatives"], shown, strict=True):
        assert wanted.items() <= each.items()


def test_the_draft_begins_as_a_copy_and_what_was_agreed_on_goes_out_once_it_is_published(
    lab: App, procedure: Procedure
) -> None:
    lab.do(ImportRoster(by=Actor("head"), data="customer,unit,属性:客户代表\nC-1,lab,rep_a\n"))
    number = begin(lab)
    copy = known(lab, number)["indicators"]
    assert [each["second"] for each in copy][:2] == ["边缘密合", "邻接和咬合"]
    assert len(copy) == 15
    rows = [*copy[1:], {"first": "活动义齿", "second": "卡环"}]
    complete(lab, number, "draft", "head", {"indicators": rows, "reps_discuss": False})
    complete(lab, number, "confirm_fixed", "fixed", {"fixed_verdict": "ok"})
    complete(lab, number, "confirm_removable", "removable", {"removable_verdict": "ok"})
    values = {"final_version": "2", "reply_by": "2026-07-01"}
    with pytest.raises(Invalid) as refused:
        complete(lab, number, "prepare_sending", "head", values)
    assert len(refused.value.problems) == 3  # the version, what it lacks, what it has too much
    files = dict(procedure.files)
    name = "forms/questionnaire.yaml"
    old, new = "fixed_margin, label: {zh: 边缘密合, en: Marginal fit}", "clasp, label: {zh: 卡环, en: Clasp}"
    text = files[name].decode().replace('version: "1"', 'version: "2"')
    files[name] = text.replace(old, new).encode()
    lab.do(Publish(by=SYSTEM, procedure=from_files(files)))
    complete(lab, number, "prepare_sending", "head", values)
    with lab.store.read() as conn:
        assert rounds.round_of(conn, number).version == "2"


@pytest.fixture
def lab(procedure: Procedure, scenarios: Scenarios, tmp_path: Path) -> Iterator[App]:
    with stage_app(procedure, scenarios.stage, scenarios.scenarios["happy"].begin.at, tmp_path) as app:
        yield app


def begin(app: App) -> int:
    start = instances.Start(by=SYSTEM, procedure=ID, unit="lab", element="half_year_begins")
    number: int = app.do(start).value
    app.settle()
    return number


def open_tasks(app: App) -> list[str]:
    with app.store.read() as conn:
        return sorted(conn.execute(select(tables.user_task.c.element).where(tables.OPEN_WORK)).scalars())


def known(app: App, number: int) -> Mapping[str, Any]:
    with app.store.read() as conn:
        state = conn.execute(select(tables.instance.c.state).where(tables.instance.c.id == number))
        return variables(state.scalar_one())


def test_every_reading_that_can_be_switched_is_a_parameter(procedure: Procedure) -> None:
    assert {each.reading for each in procedure.parameters.values() if each.reading} == {"004E-A4"}


def words(player: Player, name: str) -> str:
    return "".join(_text(each) for each in records(player, name))


def _text(file: Path) -> str:
    with zipfile.ZipFile(file) as parts:
        return parts.read("word/document.xml").decode("utf-8")
