"""003A, a customer-service department's regulation: what the source asks for that its scenarios cannot say."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.bpmn.reader import read
from engine.bpmn.state import variables
from engine.calendar.kickoffs import kickoffs
from engine.procedures import Procedure, load
from engine.scenarios import Scenarios
from engine.store import tables
from engine.store.calendars import calendar_of
from survey import draws, rounds
from tests.procedures.playing import ROOT, ZONE, Player, played, records, stage_app
from tests.workbooks import rows as table_of
from tests.workbooks import sheets

ID = "cs-dept-regulation"
PERSONAL = ("张甲一", "李乙二", "王丙三", "赵丁四", "钱戊五", "1380000000")


def found(player: Player, part: str) -> rounds.Round:
    with player.app.store.read() as conn:
        return rounds.round_of(conn, player.instance, part)


def codes(player: Player, part: str) -> list[str]:
    wave = found(player, part)
    with player.app.store.read() as conn:
        return [each.code for each in rounds.roster(conn, wave.id)]


def test_the_plan_offers_the_four_purposes(procedure: Procedure) -> None:
    purposes = next(each for each in procedure.forms["plan"].fields if each.id == "purposes")
    assert [option.value for option in purposes.options] == ["know", "improve", "relate", "loyalty"]


def test_each_kind_of_customers_is_asked_with_its_own_questionnaire(happy: Player) -> None:
    assert codes(happy, "已签约客户-问卷调查") == ["C-1", "C-2", "C-3"]
    assert codes(happy, "新客户-在线调查") == ["N-1", "N-2"]
    with happy.app.store.read() as conn:
        asked = {each.part: each.questionnaire for each in rounds.rounds_of(conn, happy.instance)}
    assert asked == {
        "已签约客户-问卷调查": "questionnaire",
        "已签约客户-电话调查": "questionnaire",
        "客户代表-面对面调查": "questionnaire",
        "新客户-在线调查": "expectation",
    }


@pytest.mark.parametrize(
    ("name", "part", "size"),
    [("representatives", "客户代表-面对面调查", 10), ("phone_share", "已签约客户-电话调查", 30)],
)
def test_representatives_and_who_is_phoned_are_drawn_with_a_seed_and_can_be_drawn_again(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path, name: str, part: str, size: int
) -> None:
    rows = [f"C-{number},company,{'新客户' if number > 50 else '已签约客户'}" for number in range(1, 61)]
    orders = dict(scenarios.stage.orders)
    orders["roster"] = replace(orders["roster"], values={"data": "\n".join(["customer,unit,segment", *rows])})
    with played(scenarios, procedure, name, tmp_path, orders=orders) as player:
        chosen, wave = codes(player, part), found(player, part)
        with player.app.store.read() as conn:
            drawn = draws.drawn(conn, wave)
            assert draws.verify(conn, wave) == ()
    assert len(chosen) == size
    assert all(int(code[2:]) <= 50 for code in chosen)
    assert chosen != [f"C-{number}" for number in range(1, size + 1)]
    assert (drawn.method, drawn.population, drawn.left_out) == ("simple", 50, {"where": 10})
    assert drawn.seed


def test_how_often_customers_are_met_is_a_schedule(scenarios: Scenarios, tmp_path: Path) -> None:
    home = tmp_path / "processes" / ID
    home.mkdir(parents=True)
    for file in (ROOT / "processes" / ID).iterdir():
        text = file.read_text(encoding="utf-8")
        (home / file.name).write_text(
            text.replace("face_due: manual", "face_due: {every: quarter, start: {day: 1, roll: next}}"),
            encoding="utf-8",
        )
    changed = load(home, ROOT / "forms")
    with stage_app(changed, scenarios.stage, scenarios.scenarios["happy"].begin.at, tmp_path) as app:
        with app.store.read() as conn:
            calendar = calendar_of(conn, "company")
        days = kickoffs(
            changed.schedules["face_due"].rule, date(2026, 1, 1), date(2026, 12, 31), calendar, ZONE
        )
    assert [f"{each.at.astimezone(ZONE):%m-%d}" for each in days] == ["01-04", "04-01", "07-01", "10-08"]


def test_the_link_is_there_as_a_qr_code_and_answers_by_it_are_known_as_such(happy: Player) -> None:
    (picture,) = records(happy, "调查链接二维码.png")
    assert picture.read_bytes().startswith(b"\x89PNG")
    (text,) = records(happy, "调查链接.txt")
    assert text.read_text(encoding="utf-8").strip() == "https://survey.example/a1b2"
    wave = found(happy, "新客户-在线调查")
    with happy.app.store.read() as conn:
        members = rounds.roster(conn, wave.id)
    assert {(each.channel, each.disposition) for each in members} == {("link", "complete")}


def test_the_assessment_is_kept_with_base_and_index_and_without_new_customers(happy: Player) -> None:
    (whole,) = records(happy, "满意度统计表.xlsx")
    pages = sheets(whole)
    assert ["回收份数", 5] in [line[:2] for line in pages["回收情况"]]
    head, *lines = table_of(whole, "类别", "项目")
    overall = dict(zip(head, next(line for line in lines if line[0] == "总体"), strict=True))
    assert (overall["满意率"], overall["指数"]) == (0.8, 70)
    assert sum(name.endswith("-各项满意度") for name in pages) == 3
    assert sum(name.endswith("-期望和需求") for name in pages) == 1


def test_every_department_has_its_results_and_its_improvement(happy: Player) -> None:
    table = tables.user_task
    with happy.app.store.read() as conn:
        rows = conn.execute(select(table.c.element, table.c.closed_by).where(table.c.status == "done")).all()
    done = {(row.element, row.closed_by) for row in rows}
    assert {("receive", "service_head"), ("receive", "sales_head"), ("plan_action", "service_head")} <= done
    assert ("verify_effect", "clerk") in done


def test_departments_get_nothing_that_tells_who_a_customer_is(happy: Player) -> None:
    table = tables.instance
    with happy.app.store.read() as conn:
        states = conn.execute(
            select(table.c.state).where(
                table.c.process.in_(("cs_dept_regulation#feedback", "corrective_action"))
            )
        ).scalars()
        told = [json.dumps(variables(state), ensure_ascii=False) for state in states]
        journal = "".join(str(each) for each in conn.execute(select(tables.journal.c.facts)).scalars())
    assert len(told) == 3
    assert not [word for word in PERSONAL for text in told if word in text]
    assert not [text for text in told if re.search(r"\b[CN]-\d", text)]
    assert not [word for word in PERSONAL if word in journal]


def test_no_record_holds_a_name_or_number_of_a_customer(happy: Player) -> None:
    files = [each for each in (happy.app.workspace.folder / "records").rglob("*") if each.is_file()]
    texts = [_text(each) for each in files]
    assert len(texts) > 20
    assert not [word for word in PERSONAL for text in texts if word in text]


def _text(file: Path) -> str:
    if file.suffix != ".docx":
        return file.read_bytes().decode("utf-8", errors="ignore")
    with zipfile.ZipFile(file) as parts:
        return "".join(parts.read(name).decode("utf-8", errors="ignore") for name in parts.namelist())


def test_its_lanes_are_the_departments_of_the_source(procedure: Procedure) -> None:
    lanes = read(procedure.diagram).processes[procedure.process].lanes
    assert {lane.id: lane.name for lane in lanes} == {"cs_dept": "客服部", "dept_head": "相关部门"}


def test_every_reading_that_can_be_switched_is_a_parameter(procedure: Procedure) -> None:
    assert {each.reading for each in procedure.parameters.values() if each.reading} == {"003A-A1", "003A-A5"}
