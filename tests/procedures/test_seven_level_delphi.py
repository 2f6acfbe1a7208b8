"""004F, seven levels and Delphi weights: what the source asks for that its scenarios cannot say."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine.bpmn.reader import read
from engine.forms import prefill
from engine.procedures import Procedure
from engine.queries.instances import variables
from engine.scenarios import Scenarios
from engine.store import tables
from tests.procedures.playing import Player, complete, records, stage_app, started
from tests.workbooks import rows as table_of
from tests.workbooks import sheets

ID = "seven-level-delphi-weights"
QUALITY, SERVICE, PRICE = "产品内在质量", "产品服务", "产品价格"


def test_the_usual_contents_are_proposed(procedure: Procedure, scenarios: Scenarios, tmp_path: Path) -> None:
    with stage_app(procedure, scenarios.stage, scenarios.scenarios["happy"].begin.at, tmp_path) as app:
        number = started(app, procedure, scenarios.stage, {})
        complete(app, number, "know_customers", "surveyor", answers(scenarios, "know_customers"))
        with app.store.read() as conn:
            proposed = variables(conn, number)["indicators"]
    assert list(dict.fromkeys(row["first"] for row in proposed)) == [
        "产品内在质量",
        "产品功能",
        "产品服务",
        "产品外延",
        "外观、包装和防护",
        "产品价格",
    ]
    assert [row["second"] for row in proposed if row["first"] == QUALITY] == [
        "技术性能",
        "可靠性",
        "可维护性",
        "安全性",
    ]
    assert [row["second"] for row in proposed if row["first"] == PRICE] == [None]


def test_the_next_round_shows_what_all_came_to_and_ones_own_weights_without_names(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    given = {"chen": (0.6, 0.2, 0.2), "lin": (0.2, 0.4, 0.4)}
    with stage_app(procedure, scenarios.stage, scenarios.scenarios["happy"].begin.at, tmp_path) as app:
        number = started(app, procedure, scenarios.stage, {"least_experts": 2, "least_answers": 2})
        for element in ("know_customers", "set_content", "quantify"):
            complete(app, number, element, "surveyor", answers(scenarios, element))
        panel = {"experts": [{"expert": name, "field": "制造"} for name in given]}
        complete(app, number, "invite_experts", "surveyor", panel)
        for name, weights in given.items():
            rows = [{"node": n, "weight": w} for n, w in zip((QUALITY, SERVICE, PRICE), weights, strict=True)]
            complete(app, number, "weigh", name, {"weights": rows})
        with app.store.read() as conn:
            table = tables.user_task
            open_now = select(table.c.instance_id, table.c.assignee).where(
                tables.OPEN_WORK, table.c.element == "weigh"
            )
            seen = {row.assignee: variables(conn, row.instance_id) for row in conn.execute(open_now).all()}
            history = conn.execute(
                select(tables.record.c.element).where(tables.record.c.element == "weigh")
            ).all()
        today = app.now().date()
    assert len(history) >= 2
    for name, weights in given.items():
        form = prefill(procedure.forms["weights"], today=today, variables=seen[name])
        first = form["round_summary"][0]  # type: ignore[index]
        # of 0.6 and 0.2: variance 0.08, its root over 0.4
        shown = {"mean": "0.400", "median": "0.400", "lower": "0.300", "upper": "0.500", "variation": "0.707"}
        assert first == {"node": QUALITY, **shown, "own": weights[0]}
        assert [row["weight"] for row in form["weights"]] == list(weights)  # type: ignore[attr-defined]
        other = next(each for each in given if each != name)
        assert other not in str(seen[name])
        assert "均值最大变动" not in str(form["delphi_text"])
        assert "首轮" in str(form["delphi_text"])


def test_the_weighted_score_shows_how_it_came_about(happy: Player) -> None:
    (table,) = records(happy, "加权满意度计算表.xlsx")
    lines = table_of(table, "顾客群体", "指标")
    means = {"产品内在质量": 6.2, "产品服务": 5, "产品价格": 4}
    assert {line[1]: line[3] for line in lines[1:4]} == means
    assert [line[-1] for line in lines[1:4]] == [3.1, 1.5, 0.8]
    assert (lines[-1][0], lines[-1][-1]) == ("合计", 5.4)


def test_every_round_leaves_its_results(happy: Player) -> None:
    assert [len(records(happy, f"第{turn}轮综合结果.xlsx")) for turn in (1, 2, 3, 4)] == [1, 1, 1, 0]
    (last,) = records(happy, "第3轮综合结果.xlsx")
    assert "权重已稳定" in str(sheets(last))


def test_the_questionnaire_says_what_each_level_means(procedure: Procedure, happy: Player) -> None:
    form = procedure.forms["questionnaire"]
    options = next(field.options for field in form.fields if field.id == "quality")
    points = [(point.value, point.label.zh) for point in options if point.value != 9]
    assert points == list(
        zip(
            range(7, 0, -1),
            ["很满意", "满意", "较满意", "一般", "不太满意", "不满意", "很不满意"],
            strict=True,
        )
    )
    told = next(field.label.zh for field in form.fields if field.id == "level_meanings")
    assert all(f"{label}（{value}）：" in told for value, label in points)
    (paper,) = records(happy, "顾客满意度调查问卷.docx")
    with zipfile.ZipFile(paper) as parts:
        text = parts.read("word/document.xml").decode("utf-8")
    assert all(f"{label}（{value}）：" in text for value, label in points)


def test_the_report_has_the_weighted_satisfaction(happy: Player) -> None:
    (paper,) = records(happy, "顾客满意度调查报告.docx")
    with zipfile.ZipFile(paper) as parts:
        text = parts.read("word/document.xml").decode("utf-8")
    for words in (
        "加权满意度5.40分",
        "指数73.3",
        "相当于满分的77.1%",
        "全部顾客：3轮，已稳定",
        "价格得分最低",
    ):
        assert words in text


def test_both_pools_have_the_roles_of_the_source(procedure: Procedure) -> None:
    processes = read(procedure.diagram).processes
    names = {each.name for process in processes.values() for each in process.lanes}
    assert names == {"调查者", "专家"}


def test_every_reading_that_can_be_switched_is_a_parameter(procedure: Procedure) -> None:
    readings = {each.reading for each in procedure.parameters.values() if each.reading}
    assert readings == {f"004F-A{number}" for number in (1, 2, 6, 7)}


def answers(scenarios: Scenarios, element: str) -> Mapping[str, Any]:
    return scenarios.stage.answers[element].values
