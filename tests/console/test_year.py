"""A whole span of time at once: `flow rehearse --all`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import pytest

from console import folders
from console.year import Wish, telling
from console.year import played as play
from console.year.filling import Desk, adapted, corrected
from console.year.gathering import Missed
from console.year.knowledge import knowledge
from console.year.respondents import answered, sheet
from engine import config
from engine.config import shipped
from engine.errors import Invalid, Problem
from engine.forms import clean, load_form
from engine.forms.form import Form
from engine.scenarios import read_scenarios
from engine.strict_yaml import load
from tests.console.conftest import Terminal

SCENARIOS = """\
rehearsal: flow/1
stage:
  unit: {id: office, name: 一号管理处}
  people:
    asker: [clerk]
    boss: MANAGES
  answers:
    request: {by: asker, with: {what: 水泵, amount: AMOUNT}}
    approve: {by: boss, with: {decision: agree}}
scenarios:
  happy:
    title: 同意
    start: {at: "2026-09-14 09:00"}
    steps: [{do: request}, {do: approve}]
    end: {status: completed}
  refused:
    title: 退回
    start: {at: "2026-09-14 09:00"}
    steps: [{do: request}, {do: approve, with: {decision: refuse, reason: 太贵}}]
    end: {status: completed}
"""
SPAN = ("--from", "2026-01-01", "--to", "2026-02-28")


def write_scenarios(flow: Terminal, *, amount: int = 100, manages: str = "[manager]") -> None:
    text = SCENARIOS.replace("AMOUNT", str(amount)).replace("MANAGES", manages)
    (flow.folder / "processes" / "purchase" / "scenarios.yaml").write_text(text, encoding="utf-8")


def played(flow: Terminal, *options: str) -> Any:
    return flow.json("rehearse", "--all", *SPAN, "--procedure", "P-1", "--late", "0", *options)


def test_what_nothing_starts_by_the_calendar_is_started_by_hand(flow: Terminal) -> None:
    write_scenarios(flow)
    year = played(flow, "--unusual", "0")
    assert [(each["code"], each["by_hand"], each["tasks"]) for each in year["procedures"]] == [("P-1", 1, 2)]
    assert [each["by_calendar"] for each in year["kickoffs"]] == [False]
    assert sum(each["missed"] for each in year["procedures"]) == 0


def test_an_instance_that_waits_at_the_end_is_named_with_what_it_waits_for(flow: Terminal) -> None:
    write_scenarios(flow)
    text = flow("rehearse", "--all", *SPAN, "--procedure", "P-1", "--unusual", "0").stdout
    assert "waits for the message delivered" in text.partition("Still open, and why")[2]


def test_a_step_that_nobody_may_do_is_named_with_its_reason(flow: Terminal) -> None:
    write_scenarios(flow, manages="[visitor]")
    (left,) = played(flow)["left"]
    (reason,) = left["reasons"]
    assert (left["code"], reason["kind"], reason["step"]) == ("P-1", "refused", "SV-1.2 审批采购申请")
    assert reason["error"] == "Nobody holds the role manager in p-1-office"


def test_what_the_form_refuses_is_corrected_as_the_refusal_says(flow: Terminal) -> None:
    write_scenarios(flow, amount=20000)
    assert played(flow, "--unusual", "0")["procedures"][0]["tasks"] == 2


def test_who_decides_otherwise_does_so_once_so_that_loops_end(flow: Terminal) -> None:
    write_scenarios(flow)
    year = played(flow, "--unusual", "1")
    assert year["procedures"][0]["tasks"] == 4
    assert [reason["kind"] for reason in year["left"][0]["reasons"]] == ["message"]


def test_who_was_led_back_by_the_usual_way_time_and_again_decides_otherwise(flow: Terminal) -> None:
    write_scenarios(flow)
    file = flow.folder / "processes" / "purchase" / "scenarios.yaml"
    happy, refused = "{do: approve}]", "{do: approve, with: {decision: refuse, reason: 太贵}}]"
    text = file.read_text(encoding="utf-8").replace(refused, "SWAPPED").replace(happy, refused)
    file.write_text(text.replace("SWAPPED", happy), encoding="utf-8")
    year = played(flow, "--unusual", "0")
    assert year["procedures"][0]["tasks"] == 6
    assert [reason["kind"] for reason in year["left"][0]["reasons"]] == ["message"]


def test_a_step_that_comes_once_more_is_known_as_the_scenario_does_it_that_comes_back_to_it() -> None:
    """A supplement is another plan; the first one, entered again, is refused."""
    again = "steps: [{do: request}, {do: request, with: {what: 阀门}}, {do: approve, "
    text = SCENARIOS.replace("steps: [{do: request}, {do: approve, ", again).replace("AMOUNT", "100")
    known = knowledge(read_scenarios(load(text.replace("MANAGES", "[manager]"), "scenarios.yaml")))
    assert [way.values["what"] for way in known.usual["request"]] == ["水泵"]
    assert [way.values["what"] for way in known.later["request"]] == ["阀门"]


def test_no_missed_deadline_is_left_out(flow: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    write_scenarios(flow)
    wish = Wish(begin=date(2026, 1, 1), end=date(2026, 1, 1))
    year, manners = play(wish, folders.of_workspace(config.read(flow.folder)))
    missed = tuple(Missed("P-1", f"第{number}步", 1, 1) for number in range(60))
    telling.tell(replace(year, missed=missed), manners)
    shown = capsys.readouterr().out
    assert all(each.step in shown for each in missed)


def test_people_who_are_late_go_on_when_the_working_day_tables_end(flow: Terminal) -> None:
    write_scenarios(flow)
    options = ("--procedure", "P-1", "--unusual", "0", "--late", "1", "--late-days", "30")
    year = flow.json("rehearse", "--all", "--from", "2027-12-13", "--to", "2027-12-31", *options)
    assert [reason["on"][:4] for reason in year["left"][0]["reasons"]] == ["2028"]


def test_who_is_always_late_misses_every_deadline(flow: Terminal) -> None:
    write_scenarios(flow)
    year = played(flow, "--late", "1", "--unusual", "0")
    assert (year["procedures"][0]["met"], year["procedures"][0]["missed"]) == (0, 2)
    assert [(each["missed"], each["due"]) for each in year["missed"]] == [(1, 1), (1, 1)]


def test_incidents_are_counted_named_and_end_the_command_as_failed(flow: Terminal) -> None:
    write_scenarios(flow)
    diagram = flow.folder / "processes" / "purchase" / "purchase.bpmn"
    faulty = diagram.read_text(encoding="utf-8").replace(">decision == 'agree'<", ">1 / (amount - 100) == 1<")
    diagram.write_text(faulty, encoding="utf-8")
    ended = flow("rehearse", "--all", *SPAN, "--procedure", "P-1", "--unusual", "0", exit_code=1)
    assert "2 tasks done, 1 incidents" in ended.stdout
    assert "incident: " in ended.stdout.partition("Still open, and why")[2]
    assert ended.stderr.endswith("Error: 1 incidents in the span, named with what is still open\n")


def test_what_the_calendar_begins_too_late_in_the_span_to_end_is_named(flow: Terminal) -> None:
    span = ("rehearse", "--all", "--from", "2026-11-30", "--to", "2026-12-02", "--procedure", "003C")
    said = flow(*span).stdout
    assert "What the calendar starts of 003C does not end within this span" in said
    assert "业务部门 business_dept" not in said


def test_a_plan_of_customers_fits_the_roster_made_longer(flow: Terminal) -> None:
    """The yearly plan is issued, though it needs 40 % of more customers than the scenarios know."""
    span = ("rehearse", "--all", "--from", "2025-11-28", "--to", "2026-01-31", "--procedure", "003C")
    year = flow.json(*span, "--late", "0", "--unusual", "0", "--customers", "30")
    assert [each["tasks"] for each in year["procedures"]] == [8]


def test_open_work_is_counted_by_role_at_the_end_of_each_week(flow: Terminal) -> None:
    write_scenarios(flow, manages="[visitor]")
    year = played(flow)
    weeks = dict(
        zip(
            year["weeks"],
            *[each["weeks"] for each in year["loads"] if each["role"] == "manager"],
            strict=True,
        )
    )
    assert (weeks["2025-12-29"], weeks["2026-02-23"]) == (0, 1)


def test_a_span_is_needed_and_no_procedure_beside_it(flow: Terminal) -> None:
    assert "--from DAY" in flow("rehearse", "--all", exit_code=2).stderr
    assert "say --all" in flow("rehearse", "P-1", "--all", *SPAN, exit_code=2).stderr
    assert "say --all" in flow("rehearse", exit_code=2).stderr


def test_a_procedure_without_scenarios_is_named(flow: Terminal) -> None:
    refusal = flow("rehearse", "--all", *SPAN, "--procedure", "P-1", exit_code=5).stderr
    assert "purchase has no scenarios.yaml" in refusal


def test_another_seed_gives_another_span(flow: Terminal) -> None:
    write_scenarios(flow)
    assert played(flow, "--seed", "1")["kickoffs"] != played(flow, "--seed", "2")["kickoffs"]


def test_the_same_seed_gives_the_same_month_of_two_procedures(flow: Terminal) -> None:
    month = ("rehearse", "--all", "--from", "2026-02-01", "--to", "2026-03-05")
    chosen = ("--procedure", "003G", "--procedure", "004G")
    first, again = (flow(*month, *chosen, "--seed", "7", lang="zh").stdout for _ in range(2))
    assert first == again
    assert "尚未了结的及其原因" in first
    assert "003G" in first.partition("调查轮次")[2]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_quarter_of_all_procedures(flow: Terminal) -> None:
    quarter = ("rehearse", "--all", "--from", "2026-05-01", "--to", "2026-07-31", "--seed", "7")
    first, again = (flow(*quarter).stdout for _ in range(2))
    assert first == again
    assert first.count("SV-") > 20
    assert "P-1  could not be started: purchase has no scenarios.yaml" in first


FORM = """\
form: flow/1
id: tour
version: "1"
title: {zh: 巡查, en: Tour}
fields:
  - {id: first_day, type: date, label: {zh: 开始, en: From}, required: true, not_before: today}
  - {id: way, type: choice, label: {zh: 方式, en: Way}, required: true,
     options: [{value: foot, label: {zh: 步行, en: On foot}}, {value: boss, label: {zh: 领导, en: Boss}}]}
  - {id: guide, type: person, label: {zh: 陪同, en: Guide}, required: true}
  - id: stops
    type: table
    label: {zh: 地点, en: Stops}
    required: true
    min: 1
    value: {var: listed}
    fields:
      - {id: number, type: integer, label: {zh: 序号, en: No.}, required: true, min: 1}
      - {id: finding, type: text, label: {zh: 情况, en: Finding}, required: true}
"""
MODEL = {
    "first_day": "2025-09-16",
    "way": "boss",
    "guide": "boss",
    "stops": [{"number": 1, "finding": "完好"}],
}


def form() -> Form:
    return load_form(FORM.encode(), "forms/tour.yaml")


def desk(standing: Mapping[str, Any] | None = None) -> Desk:
    return Desk(
        date(2026, 3, 4), ["o.boss", "o.li"], {"boss": "o.boss"}, lambda _role: ["o.li"], standing or {}
    )


def filled_in(values: Mapping[str, Any], at: Desk) -> dict[str, Any]:
    """The values as corrected until the form takes them."""
    for _ in range(5):
        try:
            return clean(form(), values, today=at.today, variables=at.standing)
        except Invalid as refusal:
            values = corrected(form(), values, refusal.problems, at) or {}
    raise AssertionError("not taken after five corrections")


def test_known_answers_are_moved_to_today_and_given_to_the_units_own_people() -> None:
    values = adapted(form(), MODEL, desk(), date(2025, 9, 14))
    assert values == {**MODEL, "first_day": "2026-03-06", "guide": "o.boss"}


def test_a_list_of_customers_takes_in_those_who_are_like_them() -> None:
    table = FORM.replace("id: finding", "id: codes")
    listing = load_form(table.encode(), "forms/tour.yaml")
    at = replace(desk(), alike={"C-1": ["C-1-2", "C-1-3"]})
    known = {"stops": [{"number": 1, "codes": "C-1 C-2"}]}
    assert adapted(listing, known, at, None)["stops"] == [{"number": 1, "codes": "C-1, C-2, C-1-2, C-1-3"}]


def test_rows_about_what_there_is_not_are_taken_out_to_the_last() -> None:
    listing = load_form(FORM.replace("    required: true\n    min: 1\n", "").encode(), "forms/tour.yaml")
    problem = Problem("stops", "{findings} is not among them", {"findings": "完好"})
    assert corrected(listing, MODEL, [problem], desk()) == {**MODEL, "stops": []}
    assert corrected(form(), MODEL, [problem], desk()) is None


def test_an_empty_form_is_filled_in_by_its_definition() -> None:
    values = filled_in({}, desk())
    assert values["first_day"] == "2026-03-04"
    assert (values["way"], values["guide"], len(values["stops"])) == ("foot", "o.boss", 1)


def test_rows_that_stand_there_are_completed_once_the_known_ones_are_refused() -> None:
    at = desk({"listed": [{"number": 7}, {"number": 8}], "stops": [{"number": 7}, {"number": 8}]})
    known = adapted(form(), {**MODEL, "stops": [{"number": 0, "finding": "完好"}]}, at, None)
    assert filled_in({**known, "first_day": "2026-03-05"}, at)["stops"] == [
        {"number": 7, "finding": "完好"},
        {"number": 8, "finding": "完好"},
    ]


@pytest.mark.parametrize("seed", range(5))
def test_made_up_answers_fit_every_shipped_questionnaire(seed: int) -> None:
    files = sorted((shipped() / "forms").rglob("questionnaire*.yaml"))
    assert files
    for file in files:
        questionnaire = load_form(file.read_bytes(), file.name)
        today = date(2026, 3, 4)
        given = answered(questionnaire, Random(seed), today)
        assert clean(questionnaire, given, today=today, variables={})
        header, *rows = sheet(questionnaire, [({"respondent": "A-1"}, Random(seed))], today).splitlines()
        assert header.startswith("respondent,")
        assert rows
