"""003H, an owner survey with rules on its questionnaire: what the source asks for that its scenarios cannot say."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.bpmn.reader import read
from engine.procedures import Procedure
from engine.queries.instances import steps_of
from engine.scenarios import Scenarios
from engine.store import tables
from survey import rounds, wording
from survey.tables import answers
from tests.procedures.playing import ZONE, Player, played, records
from tests.workbooks import rows as table_of

ID = "owner-generic-questionnaire-design"
FORMS = ("named_form", "anonymous_form")


def test_every_step_has_somebody_responsible_a_date_and_a_status(happy: Player) -> None:
    with happy.app.store.read() as conn:
        steps = steps_of(conn, happy.instance, happy.app.clock.now())
    assert {(each.role, each.status) for each in steps} == {("cs_staff", "done")}
    assert [each.element for each in steps if each.due_at is None] == ["archive"]


def test_how_long_every_step_took_is_kept(happy: Player) -> None:
    (table,) = records(happy, "各步骤用时表.xlsx")
    known = {row[0]: row[3:] for row in table_of(table, "步骤")[1:]}
    assert [f"{day:%Y-%m-%d}" for day in known["分析评估"][:3]] == ["2026-09-16", "2026-09-30", "2026-09-22"]
    assert known["分析评估"][3:] == [5, "按期"]
    assert known["问卷回收"][3:] == [7, "按期"]


def test_customers_were_told_before_the_questionnaire_was_sent_at_the_planned_time(happy: Player) -> None:
    journal = tables.journal
    with happy.app.store.read() as conn:
        rows = conn.execute(select(journal.c.kind, journal.c.subject, journal.c.at)).all()
        members = rounds.roster(conn, rounds.round_of(conn, happy.instance).id)
    sent = next(row.at for row in rows if row.subject == "send")
    assert f"{sent.astimezone(ZONE):%Y-%m-%d %H:%M}" == "2026-09-07 10:00"
    assert {(each.channel, each.issued_on) for each in members} == {("link", "2026-09-07")}
    (told,) = records(happy, "调查事宜通知-*.docx")
    with zipfile.ZipFile(told) as parts:
        assert "公司内部系统首页" in parts.read("word/document.xml").decode("utf-8")


def test_the_charts_are_in_the_workbook_and_in_the_report(happy: Player) -> None:
    (book,) = records(happy, "满意度统计图表.xlsx")
    (paper,) = records(happy, "业主满意度调查报告.docx")
    with zipfile.ZipFile(book) as parts:
        assert [name for name in parts.namelist() if name.startswith("xl/charts/chart")]
    with zipfile.ZipFile(paper) as parts:
        assert [name for name in parts.namelist() if name.startswith("word/media/")]
        text = parts.read("word/document.xml").decode("utf-8")
    for words in ("物业服务", "维修服务", "租户", "维修两小时内到场", "问题和不足"):
        assert words in text


def test_feedback_is_classified_by_business(happy: Player) -> None:
    (table,) = records(happy, "满意度分类统计表.xlsx")
    rows = table_of(table, "项目", sheet="按客户类别交叉分组")
    assert [row[1:3] for row in rows if row[0] == "总体评价"][:2] == [["物业服务", 2], ["维修服务", 1]]


def test_what_a_customer_replies_is_kept_with_its_answer(happy: Player) -> None:
    (reply,) = records(happy, "replies-*.txt")
    text = reply.read_text("utf-8")
    assert "希望周末也能报修" in text
    assert "下月起周末照常报修" in text


def test_after_an_anonymous_survey_nobody_knows_who_answered_and_nobody_is_called(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    with played(scenarios, procedure, "anonymous", tmp_path) as player, player.app.store.read() as conn:
        kept = conn.execute(select(answers.c.member_id)).scalars().all()
        called = conn.execute(
            select(tables.instance.c.id).where(tables.instance.c.process == "call_back")
        ).all()
        members = rounds.roster(conn, rounds.round_of(conn, player.instance).id)
    assert kept == [None, None]
    assert called == []
    assert {each.disposition for each in members} == {"issued"}


@pytest.mark.parametrize("name", FORMS)
def test_the_questionnaires_say_their_purpose_and_ask_who_one_is_and_nothing_private(
    procedure: Procedure, name: str
) -> None:
    form, words = procedure.forms[name], str(procedure.values["private_words"]).split(", ")
    assert list(wording.faults(form, int(str(procedure.values["longest_option"])))) == []
    assert list(wording.private(form, words)) == []
    assert form.questions[0].id == "customer_kind"
    scale = next(each for each in form.questions if each.id == "overall")
    assert [option.label.zh for option in scale.options][:5] == ["非常好", "好", "一般", "差", "非常差"]


def test_the_two_questionnaires_differ_in_whether_one_is_known_alone(procedure: Procedure) -> None:
    named, anonymous = (procedure.forms[name] for name in FORMS)
    assert (named.anonymity, anonymous.anonymity) == ("named", "anonymous")
    assert named.questions == anonymous.questions


def test_it_has_one_role(procedure: Procedure) -> None:
    lanes = read(procedure.diagram).processes[procedure.process].lanes
    assert [(lane.id, lane.name) for lane in lanes] == [("cs_staff", "客服人员")]


def test_every_reading_that_can_be_switched_is_a_parameter(procedure: Procedure) -> None:
    assert {each.reading for each in procedure.parameters.values() if each.reading} == {"003H-A4", "003H-A5"}
