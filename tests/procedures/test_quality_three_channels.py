"""004D, a quality department's three ways to customers: what the source asks for that its scenarios cannot say."""

from __future__ import annotations

import zipfile
from datetime import date

from sqlalchemy import select

from engine.bpmn.reader import read
from engine.bpmn.state import variables
from engine.calendar.kickoffs import kickoffs
from engine.commands.messages import Send
from engine.model import SYSTEM
from engine.procedures import Procedure
from engine.store import tables
from engine.store.calendars import calendar_of
from survey import rounds
from tests.procedures.playing import ZONE, Player, records

ID = "quality-dept-three-channels"
LANES = {
    "repair_staff": "维修人员",
    "cs_center": "客服中心",
    "accepting_dept": "受理部门",
    "quality_dept": "品质管理部",
    "cs_supervisor": "客服主管",
    "cs_assistant": "客服助理",
    "office_manager": "物业管理处经理",
    "pm_dept": "物业管理部",
}


def test_its_lanes_are_the_roles_of_the_source(procedure: Procedure) -> None:
    lanes = read(procedure.diagram).processes[procedure.process].lanes
    assert {lane.id: lane.name for lane in lanes} == LANES


def test_a_repair_and_feedback_start_it_by_message(procedure: Procedure, happy: Player) -> None:
    app, table = happy.app, tables.user_task
    told = {
        "repair_done": {"repair_sheet": "W-1", "repair_work": "换锁"},
        "feedback_received": {"feedback_customer": "H-1", "feedback_text": "楼道不洁"},
    }
    begun = {}
    for name, values in told.items():
        number = app.do(Send(by=SYSTEM, name=name, unit="office", values=values)).value
        app.settle()
        with app.store.read() as conn:
            begun[name] = list(
                conn.execute(select(table.c.element).where(table.c.instance_id == number)).scalars()
            )
    assert begun == {"repair_done": ["rate_repair"], "feedback_received": ["handle_feedback"]}


def test_every_half_year_has_one(procedure: Procedure, happy: Player) -> None:
    with happy.app.store.read() as conn:
        calendar = calendar_of(conn, "office")
    rule = procedure.schedules["period_begins"].rule
    days = kickoffs(rule, date(2026, 1, 1), date(2026, 12, 31), calendar, ZONE)
    assert [f"{each.at.astimezone(ZONE):%m-%d}" for each in days] == ["01-04", "07-01"]


def test_answers_came_by_telephone_online_and_by_visit(happy: Player) -> None:
    with happy.app.store.read() as conn:
        members = rounds.roster(conn, rounds.round_of(conn, happy.instance).id)
    assert [(each.surveyor, each.channel) for each in members if each.returned_on] == [
        ("amy", "phone"),
        ("amy", "link"),
        ("ben", "visit"),
    ]


def test_the_new_measure_knows_the_one_before(happy: Player) -> None:
    table = tables.instance
    with happy.app.store.read() as conn:
        states = conn.execute(
            select(table.c.state)
            .where(table.c.process == "quality_three_channels#improve")
            .order_by(table.c.id)
        ).scalars()
        found = [variables(state) for state in states]
    said = [(each["measure_text"], each["last_measure"], each["measure_round"]) for each in found]
    assert said == [("增设夜班", None, 1), ("增加一名保洁", "每日两次清扫", 2)]
    assert found[1]["effectiveness"] == "ineffective"


def test_report_and_statistics_are_made(happy: Player) -> None:
    (paper,) = records(happy, "客户满意度调查分析报告.docx")
    with zipfile.ZipFile(paper) as parts:
        text = parts.read("word/document.xml").decode("utf-8")
    for words in ("66.7%", "维修及时性和停车是短板"):
        assert words in text
    assert records(happy, "*统计表*.xlsx")


def test_every_reading_that_can_be_switched_is_a_parameter(procedure: Procedure) -> None:
    assert {each.reading for each in procedure.parameters.values() if each.reading} == {"004D-A1", "004D-A6"}
