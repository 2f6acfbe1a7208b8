"""004A, the quarterly anonymous survey of key accounts: what the source asks for that its scenarios cannot say."""

from __future__ import annotations

import zipfile
from datetime import date

from sqlalchemy import select

from console.pages import steps
from engine.bpmn.reader import read
from engine.bpmn.state import variables
from engine.calendar.kickoffs import kickoffs
from engine.procedures import Procedure
from engine.store import tables
from engine.store.calendars import calendar_of
from survey import rounds
from survey import tables as survey_tables
from tests.procedures.playing import ZONE, Player, records

ID = "big-customer-quarterly-anonymous"
COURSE = "sent_back"
LANES = {
    "market_dept": "市场部",
    "market_manager": "市场部经理",
    "sales_manager": "销售部门经理",
    "cs_dept": "客户服务部",
    "product_supervisor": "市场部产品主管",
    "field_office_head": "外办主任",
    "marketing_director": "营销总监",
}


def test_its_lanes_are_the_roles_of_the_source(procedure: Procedure) -> None:
    lanes = read(procedure.diagram).processes[procedure.process].lanes
    assert {lane.id: lane.name for lane in lanes} == LANES


def test_every_quarter_has_one(procedure: Procedure, happy: Player) -> None:
    with happy.app.store.read() as conn:
        calendar = calendar_of(conn, "company")
    rule = procedure.schedules["quarter_begins"].rule
    days = kickoffs(rule, date(2026, 1, 1), date(2026, 12, 31), calendar, ZONE)
    assert [f"{each.at.astimezone(ZONE):%m-%d}" for each in days] == ["01-04", "04-01", "07-01", "10-08"]


def test_an_answer_cannot_be_joined_to_who_got_a_questionnaire(happy: Player) -> None:
    answers, attempts = survey_tables.answers, survey_tables.attempt
    with happy.app.store.read() as conn:
        found = rounds.round_of(conn, happy.instance)
        rows = conn.execute(select(answers).where(answers.c.round_id == found.id)).mappings().all()
        ledger = conn.execute(select(attempts).where(attempts.c.round_id == found.id)).mappings().all()
        members = rounds.roster(conn, found.id)
    assert len(rows) == 5
    assert {row["member_id"] for row in rows} == {None}
    assert {row["recorded_at"] for row in rows} == {None}
    assert {(row["kind"], row["at"]) for row in ledger} == {("issue", None)}
    assert {(each.code, each.disposition, each.returned_on) for each in members} == {
        (code, "issued", None) for code in ("D-1", "D-2", "D-3", "D-4", "D-5", "D-6")
    }


def test_the_questionnaires_kept_name_nobody(happy: Player) -> None:
    (kept,) = records(happy, "大客户满意度调查问卷-答卷.csv")
    text = kept.read_text(encoding="utf-8-sig")
    assert "投诉请尽快答复" in text
    assert not [code for code in ("D-1", "D-2", "D-3", "D-4", "D-5", "D-6") if code in text]


def test_the_journal_has_no_answer(happy: Player) -> None:
    with happy.app.store.read() as conn:
        journal = "".join(str(each) for each in conn.execute(select(tables.journal.c.facts)).scalars())
    assert "supply_damage" not in journal


def test_the_questionnaire_goes_out_with_its_instructions(happy: Player) -> None:
    (paper,) = records(happy, "满意度调查问卷.docx")
    with zipfile.ZipFile(paper) as parts:
        text = parts.read("word/document.xml").decode("utf-8")
    assert "填写说明" in text
    assert "本问卷不记名" in text


def test_the_report_has_figures_and_analysis(happy: Player) -> None:
    (paper,) = records(happy, "客户满意度调查报告.docx")
    with zipfile.ZipFile(paper) as parts:
        text = parts.read("word/document.xml").decode("utf-8")
    for words in ("60.0%", "交付和投诉处理是短板", "建议先解决交货和投诉答复"):
        assert words in text


def test_the_director_decides_on_what_both_worked_out(happy: Player) -> None:
    table = tables.instance
    with happy.app.store.read() as conn:
        states = conn.execute(select(table.c.state).where(table.c.process == "plan_approval")).scalars()
        texts = {variables(state)["approval_text"] for state in states}
    assert texts == {"销售部门：区域预测订货，投诉当日登记\n驻外办事处：区域备货，驻地当日答复"}


def test_each_of_the_nine_steps_says_what_is_done_its_inputs_outputs_and_forms(procedure: Procedure) -> None:
    told = [each for each in steps(procedure) if "工作内容" in each.requirement]
    assert all(word in each.requirement for each in told for word in ("重要输入", "重要输出", "相关表单"))
    named = {each.step for each in told}
    nine = {
        *("design", "fieldwork", "analyse", "write_report", "review_report", "propose_plan"),
        *("file_sales", "file_office", "detail_sales", "detail_office"),
        *("approve", "file_director", "set_measures", "execute", "adjust_service"),
    }
    assert named == nine


def test_every_reading_that_can_be_switched_is_a_parameter(procedure: Procedure) -> None:
    assert {each.reading for each in procedure.parameters.values() if each.reading} == {
        "004A-A4",
        "004A-A6",
        "004A-A9",
    }
