"""004B, the annual plan of a pharmaceutical group: what the source asks for, by the numbers of the acceptance list."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from engine.app import App
from engine.bpmn.reader import read
from engine.bpmn.state import variables
from engine.calendar.kickoffs import kickoffs
from engine.commands import instances, worklist
from engine.commands.definitions import Publish
from engine.errors import Denied, Invalid
from engine.forms import clean, prefill
from engine.model import SYSTEM, Actor
from engine.procedures import Procedure, load
from engine.scenarios import Act, Scenarios
from engine.scheduler import tick
from engine.store import tables
from engine.store.calendars import calendar_of
from survey import draws, rounds
from survey.commands import ImportReturns
from tasks.planning import issue_size
from tests.procedures.playing import ROOT, ZONE, Player, stage_app
from tests.workbooks import rows as table_of

ID = "pharma-annual-plan-200"
ROLES = {
    "sales_support_head",
    "sales_support_staff",
    "agent_company",
    "research_agency",
    "qa",
    "manufacturing",
}
PLANNING = ("customer_file", "draft_plan", "discuss_plan", "decide_form", "commission", "in_depth")
TYPES = ("医疗机构", "零售药店", "批发配送企业", "药品使用者")


@contextmanager
def played(
    procedure: Procedure, scenarios: Scenarios, name: str, steps: int, folder: Path, **stage: Any
) -> Iterator[Player]:
    """A scenario taken so many steps far, on an engine that stays open."""
    course = scenarios.scenarios[name]
    course = replace(course, steps=course.steps[:steps], dues={})
    setting = replace(scenarios.stage, **stage)
    with stage_app(procedure, setting, course.begin.at, folder) as app:
        player = Player(app, procedure, setting, course)
        player.play()
        yield player


def records(player: Player, record: str) -> list[Path]:
    """The files of a record, of the instance and of what it called."""
    return sorted((player.app.workspace.folder / "records").glob(f"*/{record}-*"))


def words_of(file: Path) -> str:
    """What stands in a Word document."""
    with zipfile.ZipFile(file) as parts:
        return parts.read("word/document.xml").decode("utf-8")


def step(scenarios: Scenarios, name: str, element: str) -> int:
    """The number of the steps before the first of that element."""
    steps = scenarios.scenarios[name].steps
    return next(place for place, each in enumerate(steps) if getattr(each, "element", None) == element)


def complete(app: App, element: str, person: str, values: dict[str, Any]) -> None:
    table = tables.user_task
    with app.store.read() as conn:
        found = select(table.c.id).where(tables.OPEN_WORK, table.c.element == element).order_by(table.c.id)
        task = conn.execute(found).scalars().first()
    assert task is not None
    app.do(worklist.Complete(by=Actor(person), task=task, values=values))
    app.settle()


def offered(player: Player, form: str) -> dict[str, Any]:
    """What a form of the running year shows to whoever opens it."""
    with player.app.store.read() as conn:
        row = select(tables.instance.c.state).where(tables.instance.c.id == player.instance)
        known = variables(conn.execute(row).scalar_one())
    return prefill(player.procedure.forms[form], today=date(2026, 1, 20), variables=known)


def test_two_surveys_of_a_year_are_carried_out_to_the_archive(happy: Player) -> None:
    assert happy.deviations == []
    with happy.app.store.read() as conn:
        assert [each.part for each in rounds.rounds_of(conn, happy.instance)] == ["常规调查", "新品种调查"]


def test_its_schedule_starts_it_on_the_first_working_day_of_a_year(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    with stage_app(procedure, scenarios.stage, datetime(2026, 1, 1), tmp_path) as app:  # noqa: DTZ001
        with app.store.read() as conn:
            calendar = calendar_of(conn, scenarios.stage.unit)
        rule = procedure.schedules["year_begins"].rule
        found = kickoffs(rule, date(2025, 12, 1), date(2026, 12, 31), calendar, ZONE)
    assert [f"{each.at.astimezone(ZONE):%Y-%m-%d}" for each in found] == ["2026-01-04"]


def test_two_hundred_answers_at_35_percent_want_572_questionnaires() -> None:
    assert issue_size({"target": 200, "response": 35}, "returned") == 572
    assert issue_size({"target": 200, "response": 35}, "issued") == 200


@given(st.integers(1, 10_000), st.integers(1, 100))
def test_so_many_are_given_out_that_the_expected_part_makes_the_sample(target: int, response: int) -> None:
    size = issue_size({"target": target, "response": response}, "returned")
    assert size == ceil(Fraction(target * 100, response))
    assert size * response >= target * 100 > (size - 1) * response


def test_572_of_the_four_types_are_drawn_and_can_be_drawn_again(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    rows = [
        f"C-{number},group,{number % 5}号销售公司,{TYPES[number % 4]},{2026 if number > 800 else 2020}-01-02"
        for number in range(1, 901)
    ]
    stage = scenarios.stage
    orders = dict(stage.orders)
    data = "\n".join(["customer,unit,project,segment,since", *rows])
    orders["roster"] = replace(orders["roster"], values={"data": data})
    surveys: Any = stage.answers["draft_plan"].values["surveys"]
    row = {**surveys[0], "target": 200, "response": 35}
    course = scenarios.scenarios["too_few"]
    steps = tuple(
        replace(each, values={**each.values, "surveys": [row]})
        if isinstance(each, Act) and each.element == "draft_plan"
        else each
        for each in course.steps[: step(scenarios, "too_few", "distribute")]
    )
    course = replace(course, begin=replace(course.begin, parameters={}), steps=steps)
    changed = Scenarios(replace(stage, orders=orders), {"too_few": course})
    with (
        played(procedure, changed, "too_few", len(steps), tmp_path) as player,
        player.app.store.read() as conn,
    ):
        found = rounds.round_of(conn, player.instance)
        there = rounds.roster(conn, found.id)
        assert draws.verify(conn, found) == ()
        drawn = draws.drawn(conn, found)
    assert len(there) == 572
    assert drawn.population == 800
    assert drawn.left_out == {"until": 100}
    assert {each.segment for each in there} == set(TYPES)
    assert {each.surveyor for each in there} == {"visitor", "caller"}


def test_a_targeted_sample_is_who_was_named_and_is_said_to_stand_for_nobody_else(happy: Player) -> None:
    with happy.app.store.read() as conn:
        found = rounds.round_of(conn, happy.instance, "新品种调查")
        codes = [each.code for each in rounds.roster(conn, found.id)]
        drawn = draws.drawn(conn, found)
    assert codes == ["H-1", "H-2", "H-3"]
    assert (drawn.method, drawn.design.reason) == ("targeted", "只有这些医院使用该品种")
    said = [words_of(file) for file in records(happy, "统计数据分析") if file.suffix == ".docx"]
    assert ["不能推及全部客户" in text for text in said] == [False, True]
    assert ["分层随机抽取" in text for text in said] == [True, False]


def test_a_surveyor_of_the_company_enters_answers_of_their_own_customers_only(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    with played(procedure, scenarios, "too_few", step(scenarios, "too_few", "collect"), tmp_path) as player:
        app, data = player.app, str(scenarios.stage.orders["returns"].values["data"])
        with app.store.read() as conn:
            found = rounds.round_of(conn, player.instance)
            own = {each.code: each.surveyor for each in rounds.roster(conn, found.id)}
        head, line = data.splitlines()[:2]
        rest = line.partition(",")[2]
        mine = next(code for code, who in own.items() if who == "caller" and code not in ("H-1", "P-1"))
        theirs = next(code for code, who in own.items() if who == "visitor" and code not in ("H-1", "P-1"))
        text = f"{head}\n{mine},{rest}\n{theirs},{rest}\n"
        send = ImportReturns(by=Actor("caller"), instance=player.instance, data=text)
        with pytest.raises(Denied, match=theirs):
            app.do(send)
        assert app.do(replace(send, data=f"{head}\n{mine},{rest}\n")).value.taken == 1


def test_a_questionnaire_without_one_of_the_seven_parts_is_not_kept(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    values = dict(scenarios.stage.answers["decide_form"].values)
    constructs = str(procedure.values["constructs"]).split(", ")
    before = step(scenarios, "too_few", "decide_form")
    with played(procedure, scenarios, "too_few", before, tmp_path) as player:
        for missing in (["competitors"], constructs):
            lacking = edited(tmp_path / missing[0], version="1", without="|".join(missing))
            player.app.do(Publish(by=SYSTEM, procedure=lacking))
            with pytest.raises(Invalid, match=f"does not ask about {', '.join(missing)}:"):
                complete(player.app, "decide_form", "staff", values)
    assert len(constructs) == 7


def test_a_revised_questionnaire_is_asked_once_it_is_published_whole(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    with played(procedure, scenarios, "discussed_twice", 11, tmp_path) as player:
        app, answers = player.app, scenarios.stage.answers
        values = dict(answers["revise_form"].values)
        app.do(Publish(by=SYSTEM, procedure=edited(tmp_path / "a", version="2", without="loyalty")))
        with pytest.raises(Invalid, match="does not ask about loyalty"):
            complete(app, "revise_form", "staff", values)
        app.do(Publish(by=SYSTEM, procedure=edited(tmp_path / "b", version="2")))
        for element in ("revise_form", "commission", "in_depth"):
            complete(app, element, answers[element].by, dict(answers[element].values))
        app.clock.move_to(datetime(2026, 3, 2, 10, tzinfo=ZONE))  # type: ignore[attr-defined]
        tick(app)
        app.settle()
        with app.store.read() as conn:
            found = rounds.round_of(conn, player.instance)
            assert rounds.questionnaire(conn, found).version == "2"
    assert found.version == "2"


def test_who_came_last_year_is_in_this_years_plan_and_last_years_results_are_at_hand(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    with played(procedure, scenarios, "given_up", 99, tmp_path) as player:
        app = player.app
        app.clock.move_to(datetime(2027, 1, 4, 9, tzinfo=ZONE))  # type: ignore[attr-defined]
        start = instances.Start(by=SYSTEM, procedure=ID, unit="group", element="year_begins")
        number = app.do(start).value
        complete(app, "customer_file", "agent", {"file_checked": "complete"})
        with app.store.read() as conn:
            state = conn.execute(select(tables.instance.c.state).where(tables.instance.c.id == number))
            known = variables(state.scalar_one())
        listed = table_of(next((tmp_path / "records" / f"SV-{number}").glob("*新开发客户统计*")), "客户")
    assert known["plan_year"] == 2027
    assert known["new_customers"] == 1
    assert listed[1:] == [["N-1", "苏州销售公司", "零售药店", "2026-01-02"]]
    assert str(known["last_summary"]).startswith("常规调查：回收2份")
    assert known["customers_until"] == "2026-12-31"


def test_the_report_of_the_next_year_holds_quality_and_service_against_the_year_before(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    answers: dict[str, tuple[str, dict[str, Any]]] = {
        name: (each.by, dict(each.values)) for name, each in scenarios.stage.answers.items()
    }
    returns = str(scenarios.stage.orders["returns"].values["data"])
    with played(procedure, scenarios, "too_few", 99, tmp_path) as player:
        app = player.app
        complete(app, "analyse", "staff", {**answers["analyse"][1], "problems": None})
        app.clock.move_to(datetime(2027, 1, 4, 9, tzinfo=ZONE))  # type: ignore[attr-defined]
        number = app.do(instances.Start(by=SYSTEM, procedure=ID, unit="group", element="year_begins")).value
        plan = answers["draft_plan"][1]
        days = {"first_day": "2027-03-01", "last_day": "2027-03-19"}
        plan["surveys"] = [{**plan["surveys"][0], **days, "target": 200}]
        for element in PLANNING:
            complete(app, element, *answers[element])
        app.clock.move_to(datetime(2027, 3, 1, 10, tzinfo=ZONE))  # type: ignore[attr-defined]
        tick(app)
        app.settle()
        for element in ("allocate", "distribute"):
            complete(app, element, *answers[element])
        app.do(ImportReturns(by=Actor("staff"), instance=number, part="常规调查", data=returns))
        answers["return_shortfall"] = (
            "head",
            {"return_decision": "accept", "return_reason": "名册内客户不足"},
        )
        for element in ("collect", "return_shortfall", "analyse"):
            complete(app, element, *answers[element])
        found = sorted((tmp_path / "records").glob("*/客户满意度调查报告.docx"))
        first, second = (Document(str(file)).element.xpath("string(.)") for file in found)
    assert "没有可供比较" in first
    assert "没有可供比较" not in second
    trend = second[second.index("趋势分析") :]
    for part in ("感知质量（药品）", "感知质量（服务）"):
        assert part in trend


def test_a_plan_sent_back_says_to_its_author_what_has_to_change(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    before = step(scenarios, "discussed_twice", "discuss_plan")
    with played(procedure, scenarios, "discussed_twice", before + 3, tmp_path) as player:
        assert offered(player, "annual_plan")["plan_changes"] == "时间提前"


def test_whoever_discusses_the_plan_has_it_before_them(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    before = step(scenarios, "discussed_twice", "discuss_plan")
    with played(procedure, scenarios, "discussed_twice", before, tmp_path) as player:
        shown = offered(player, "discussion")
    assert shown["surveys"][0]["name"] == "常规调查"
    assert shown["rectification_plan"] == "低分项目由质管部QA组织整改"


def test_measures_go_to_their_owners_in_both_departments(happy: Player) -> None:
    with happy.app.store.read() as conn:
        table = tables.user_task
        rows = conn.execute(select(table.c.closed_by).where(table.c.element == "plan_action"))
        assert sorted(rows.scalars()) == ["head", "maker"]


PARTS = (
    "first_day",
    "last_day",
    "content",
    "methods",
    "scope",
    "target",
    "statistics_plan",
    "rectification_plan",
)


@pytest.mark.parametrize("part", PARTS)
def test_a_plan_without_one_of_its_seven_parts_is_refused(
    procedure: Procedure, scenarios: Scenarios, part: str
) -> None:
    values: dict[str, Any] = {**scenarios.stage.answers["draft_plan"].values}
    values["surveys"] = [{name: each for name, each in values["surveys"][0].items() if name != part}]
    values.pop(part, None)
    with pytest.raises(Invalid) as refused:
        clean(procedure.forms["annual_plan"], values, today=date(2026, 1, 20), variables={})
    assert [problem.field.split(".")[-1] for problem in refused.value.problems] == [part]


def test_the_plan_knows_the_four_methods(procedure: Procedure) -> None:
    surveys = next(each for each in procedure.forms["annual_plan"].fields if each.id == "surveys")
    methods = next(each for each in surveys.fields if each.id == "methods")
    assert [each.label.zh for each in methods.options] == ["面访", "问卷访问", "电话访问", "网络访问"]


def test_every_reading_that_can_be_switched_is_a_parameter(procedure: Procedure) -> None:
    readings = {each.reading for each in procedure.parameters.values() if each.reading}
    assert readings == {"004B-A3", "004B-A4", "004B-A5"}


def test_its_steps_belong_to_the_roles_of_the_source(procedure: Procedure) -> None:
    nodes = [node for each in read(procedure.diagram).processes.values() for node in each.nodes.values()]
    people = {
        node.id: node.attributes.get("candidateGroups") or node.lane
        for node in nodes
        if node.tag == "userTask"
    }
    assert set(people.values()) == ROLES
    assert {name for name, role in people.items() if role == "sales_support_staff"} == {
        *("draft_plan", "decide_form", "revise_form"),
        *("state_needs", "analyse", "handle_problem", "sales_measures"),
    }
    given_out = {
        node.id: re.findall(r"(\w+) = (\w+)", node.properties["flow.roles"])
        for node in nodes
        if node.called == "distribute_and_collect"
    }
    assert given_out == {
        name: [
            ("distributor", "sales_support_staff"),
            ("collector", collector),
            ("survey_head", "sales_support_head"),
        ]
        for name, collector in (
            ("company_fieldwork", "agent_company"),
            ("agency_fieldwork", "research_agency"),
        )
    }
    assert {node.id: node.lane for node in nodes if node.called == "corrective_action"} == {
        "correct_sales": "survey_sales",
        "correct_production": "manufacturing",
    }


def edited(folder: Path, *, version: str, without: str = "") -> Procedure:
    """The procedure with another questionnaire."""
    shutil.copytree(ROOT / "processes" / ID, folder / "processes" / ID)
    shutil.copytree(ROOT / "forms" / ID, folder / "forms" / ID)
    file = folder / "forms" / ID / "questionnaire.yaml"
    text = file.read_text(encoding="utf-8").replace('version: "1"', f'version: "{version}"', 1)
    if without:
        text = re.sub(rf"\bid: ({without})\b", r"id: other_\1", text)
    file.write_text(text, encoding="utf-8")
    return load(folder / "processes" / ID, folder / "forms")
