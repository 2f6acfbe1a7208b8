"""003B, a property company's owners in June and December: what its scenarios cannot say."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.bpmn.reader import read
from engine.calendar.kickoffs import kickoffs
from engine.procedures import Procedure
from engine.scenarios import Act, Scenarios
from engine.store import tables
from engine.store.calendars import calendar_of
from survey import draws, rounds
from tests.procedures.playing import ZONE, Player, played, records, stage_app
from tests.workbooks import rows as table_of

ID = "property-owner-biannual"
UNTIL_COLLECTED = 7
"""Steps of the scenario `accepted` that lead to the collection."""


def test_it_begins_twice_a_year_on_the_first_working_day_of_june_and_december(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    with stage_app(procedure, scenarios.stage, scenarios.scenarios["happy"].begin.at, tmp_path) as app:
        with app.store.read() as conn:
            calendar = calendar_of(conn, "office")
        rule = procedure.schedules["survey_month"].rule
        days = kickoffs(rule, date(2024, 1, 1), date(2026, 12, 31), calendar, ZONE)
    assert [f"{each.at.astimezone(ZONE):%Y-%m-%d}" for each in days] == [
        *("2024-06-03", "2024-12-02", "2025-06-03", "2025-12-01", "2026-06-01", "2026-12-01"),
    ]


@pytest.mark.parametrize(("returned", "next_step"), [(200, "analyse"), (199, "return_shortfall")])
def test_of_250_forms_200_are_enough_and_199_are_not(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path, returned: int, next_step: str
) -> None:
    course, stage = scenarios.scenarios["accepted"], scenarios.stage
    owners = "\n".join(f"R-{number},office,owner" for number in range(1, 251))
    orders = {
        **stage.orders,
        "roster": replace(stage.orders["roster"], values={"data": f"customer,unit,kind\n{owners}"}),
    }
    steps = list(course.steps[:UNTIL_COLLECTED])
    imported = next(place for place, each in enumerate(steps) if isinstance(each, Act) and each.order)
    head = str(with_values(steps[imported]).values["data"]).splitlines()[0]
    marks = ",".join("4" * 17)
    answers = "\n".join(f"R-{number},{marks}," for number in range(1, returned + 1))
    steps[imported] = with_values(steps[imported], data=f"{head}\n{answers}")
    steps[-1] = with_values(steps[-1], returned_forms=returned)
    with stage_app(procedure, replace(stage, orders=orders), course.begin.at, tmp_path) as app:
        cut = replace(course, steps=tuple(steps))
        player = Player(app, procedure, replace(stage, orders=orders), cut)
        player.play()
        with app.store.read() as conn:
            table = tables.user_task
            waiting = conn.execute(select(table.c.element).where(tables.OPEN_WORK)).scalars().all()
    assert waiting == [next_step]


def with_values(step: object, **values: Any) -> Act:
    assert isinstance(step, Act)
    return replace(step, values={**step.values, **values})


def test_a_sample_is_kept_with_size_share_and_seed_and_can_be_drawn_again(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    with played(scenarios, procedure, "sampled", tmp_path) as player, player.app.store.read() as conn:
        wave = rounds.round_of(conn, player.instance)
        drawn = draws.drawn(conn, wave)
        assert draws.verify(conn, wave) == ()
    assert (drawn.method, drawn.population, drawn.size) == ("simple", 5, 3)
    assert drawn.seed


def test_a_census_lists_every_owner(happy: Player) -> None:
    with happy.app.store.read() as conn:
        wave = rounds.round_of(conn, happy.instance)
        listed = [each.code for each in rounds.roster(conn, wave.id)]
    assert listed == ["1-101", "1-102", "1-201", "1-202", "1-301"]


def test_the_printed_form_says_how_and_when_it_is_collected(happy: Player) -> None:
    text = words(records(happy, "业主满意度调查表.docx")[0])
    assert "投入各单元意见箱，或由管理人员上门收取" in text
    assert "2026-06-24" in text


def test_charts_stand_in_the_charts_and_in_the_report(happy: Player) -> None:
    for name in ("业主满意统计图表.docx", "业主满意度调查情况报告.docx"):
        with zipfile.ZipFile(records(happy, name)[0]) as parts:
            assert any("chart" in part or "media" in part for part in parts.namelist())


def test_the_report_has_the_sorted_opinions_and_the_opportunities(happy: Player) -> None:
    text = words(records(happy, "业主满意度调查情况报告.docx")[0])
    assert "报修限时响应并回告" in text
    assert "报修慢、无回音" in text


def test_the_list_of_opinions_numbers_all_of_them_and_says_of_none_whose_it_is(happy: Player) -> None:
    head, *lines = table_of(records(happy, "业主意见清单.xlsx")[0], "序号")
    assert head == ["序号", "题目", "意见"]
    assert [line[0] for line in lines] == [1, 2, 3]
    assert [line[2] for line in lines] == sorted(line[2] for line in lines)


def test_one_notice_has_results_thanks_promise_and_explanation(happy: Player) -> None:
    table, instance = tables.user_task, tables.instance
    with happy.app.store.read() as conn:
        done = conn.execute(
            select(table.c.element)
            .join(instance, instance.c.id == table.c.instance_id)
            .where(table.c.element == "publish_results", table.c.status == "done")
        ).all()
        texts = "".join(str(each) for each in conn.execute(select(tables.journal.c.facts)).scalars())
    assert len(done) == 1
    for said in (
        "总满意率75.0%",
        "感谢各位业主",
        "报修一小时内到场",
        "变压器容量不足",
        "增容完成后加装充电桩",
    ):
        assert said in texts


def test_its_lanes_are_those_of_the_source(procedure: Procedure) -> None:
    lanes = read(procedure.diagram).processes[procedure.process].lanes
    assert [lane.name for lane in lanes] == [
        *("管理处主任", "物业主管或物管员", "物业管理员", "管理人员", "物业服务人员", "公司品质管理部")
    ]


def test_every_reading_that_can_be_switched_is_a_parameter(procedure: Procedure) -> None:
    assert {each.reading for each in procedure.parameters.values() if each.reading} == {"003B-A3", "003B-A7"}


def words(file: Path) -> str:
    with zipfile.ZipFile(file) as parts:
        return re.sub(r"<[^>]+>", "", parts.read("word/document.xml").decode())
