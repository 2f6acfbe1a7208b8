"""`flow round figures`, `trend`, `priorities` and `flow roster coverage`, on two years of an annual census."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import update

from engine import config
from engine.clock import SystemClock
from engine.procedures import load
from engine.scenarios import read_scenarios
from engine.store import open_store
from survey.tables import survey_round
from tests.console.conftest import MONDAY, Terminal
from tests.procedures.it_census import ID, Census, at
from tests.procedures.playing import ROOT, stage_app

MARCH = datetime(2027, 3, 1, 9, tzinfo=MONDAY.tzinfo)


@pytest.fixture(scope="module")
def two_years(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 customers, all of whom answered; a year later 42, of whom two were not reached."""
    folder = tmp_path_factory.mktemp("years") / "workspace"
    folder.mkdir()
    made = config.make(folder, organisation="test", zone="Asia/Shanghai", language="zh", demo=True)
    procedure = load(ROOT / "processes" / ID, ROOT / "forms")
    assert procedure.scenarios is not None
    stage = read_scenarios(procedure.scenarios).stage
    with stage_app(procedure, stage, datetime(2026, 1, 5, 10), folder, made.database) as app:  # noqa: DTZ001
        census = Census(app, stage)
        for year, size in ((2026, 40), (2027, 42)):
            at(census, year, 1, 5, 10)
            census.roster(size if year == 2026 else 2, first=1 if year == 2026 else 41)
            census.start()
            dates: dict[str, Any] = {"survey_from": f"{year}-01-12", "survey_to": f"{year}-01-30"}
            census.do("decide_survey", members=[{"member": "amy"}], callback_reports=None, **dates)
            census.do("make_plan")
            census.do("allocate", parts=[{"surveyor": "amy"}])
            census.answers(range(1, 41), seed=year)
            if size > 40:
                census.unreachable(*range(41, size + 1))
            census.do("survey", forms_handed_in=40)
            census.to_report()
    return folder


@pytest.fixture
def flow(two_years: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    folder = tmp_path / "workspace"
    shutil.copytree(two_years, folder)
    monkeypatch.setattr(SystemClock, "now", lambda _clock: MARCH)
    return Terminal(folder)


def rounds(flow: Terminal) -> tuple[str, str]:
    first, second = sorted(
        (int(each["id"][3:]) for each in flow.json("instance", "list", "--procedure", "000A")), key=int
    )
    return f"SV-{first}", f"SV-{second}"


def changed(flow: Terminal, instance: str, **values: str) -> None:
    with open_store(f"sqlite:///{flow.folder / 'flow.db'}") as store, store.write() as conn:
        which = survey_round.c.instance_id == int(instance[3:])
        conn.execute(update(survey_round).where(which).values(**values))


def marks(flow: Terminal, instance: str, item: str) -> list[str]:
    flow("round", "export", instance, "-o", str(flow.folder / "answers.csv"))
    text = (flow.folder / "answers.csv").read_text(encoding="utf-8-sig")
    return [row[item] for row in csv.DictReader(io.StringIO(text))]


def test_a_round_s_figures_name_response_and_every_method_as_counted_by_hand(flow: Terminal) -> None:
    _, last = rounds(flow)
    found = flow.json("round", "figures", last)
    assert (found["population"], found["figures"]["return_rate"]) == (42, "95.2%")
    assert found["response"] == {
        "rr1": "95.2%", "rr2": "95.2%", "coop1": "100.0%", "ref1": "0.0%", "con1": "95.2%",
    }  # fmt: skip
    given = [int(mark) for mark in marks(flow, last, "r_hotline") if mark.isdigit() and int(mark) <= 5]
    top = sum(mark >= 4 for mark in given)
    by_method = {name: made["items"]["r_hotline"] for name, made in found["methods"].items()}
    for name, base in (("top2/answered", len(given)), ("top2/returned", 40)):
        rate = float(by_method[name]["rate"].rstrip("%"))
        assert by_method[name]["base"] == base
        assert rate == pytest.approx(100 * top / base, abs=0.05)
    mean = float(by_method["mean/departments"]["mean"])
    assert mean == pytest.approx(sum(given) / len(given), abs=0.005)
    shown = flow("round", "figures", last, "--method", "top2/returned").stdout
    for part in ("RR1", "95.2%", "mean/departments", "Cronbach", "top2/returned: answers at"):
        assert part in shown


def test_figures_by_group_come_with_bases_tests_and_marks_of_small_ones(flow: Terminal) -> None:
    _, last = rounds(flow)
    shown = flow("round", "figures", last, "--by", "segment").stdout
    assert "indicative only" in shown
    assert "χ²" in shown
    groups = flow.json("round", "figures", last, "--by", "segment,product_line")["by"]
    assert list(groups) == ["segment", "product_line"]
    assert sum(each["returned"] for each in groups["segment"]["groups"].values()) == 40
    rows = groups["segment"]["items"]["r_hotline"]["rows"]
    assert sum(each["base"] for each in rows.values()) == len(
        [mark for mark in marks(flow, last, "r_hotline") if mark.isdigit() and int(mark) <= 5]
    )
    refused = flow("round", "figures", last, "--by", "segmant", exit_code=6)
    assert "segmant" in refused.stderr


def test_figures_are_written_as_a_workbook_with_charts(flow: Terminal) -> None:
    _, last = rounds(flow)
    file = flow.folder / "figures.xlsx"
    flow("round", "figures", last, "--by", "segment", "--xlsx", str(file))
    book = load_workbook(file)
    assert {
        "回收情况",
        "各方法满意率",
        "各项满意度",
        "信度",
        "重要度与满意度",
        "1按客户类别",
        "1交叉-客户类别",
    } <= set(book.sheetnames)
    response = {row[0].value: row for row in book["回收情况"].iter_rows()}
    assert response["回收份数（n）及回收率（回收÷发放）"][1].value == 40
    assert response["应答率RR1（完整答卷）"][2].value == pytest.approx(40 / 42)
    with zipfile.ZipFile(file) as parts:
        assert [name for name in parts.namelist() if name.startswith("xl/charts/chart")]
    assert "--force" in flow("round", "figures", last, "--xlsx", str(file), exit_code=3).stderr


def test_a_trend_sets_a_procedure_s_rounds_side_by_side(flow: Terminal) -> None:
    first, last = rounds(flow)
    made = flow.json("round", "trend", "000A")
    assert len(made["rounds"]) == 2
    for place, instance in enumerate((first, last)):
        alone = flow.json("round", "figures", instance)["figures"]["whole"]
        assert made["whole"]["rates"][place] == alone["rate"]
    assert flow.json("round", "trend", last, first) == made
    assert "Change (points)" in flow("round", "trend", "000A").stdout
    assert "two rounds or more" in flow("round", "trend", "000A", "--last", "1", exit_code=6).stderr
    assert "No round of nothing is closed" in flow("round", "trend", "nothing", exit_code=5).stderr
    assert "no unit nowhere" in flow("round", "trend", "000A", "--unit", "nowhere", exit_code=5).stderr
    unit = flow.json("instance", "view", last)["instance"]["unit"]
    assert "--unit is for" in flow("round", "trend", last, first, "--unit", unit, exit_code=2).stderr


def test_a_trend_is_refused_where_method_or_version_differ_naming_both(flow: Terminal) -> None:
    first, last = rounds(flow)
    changed(flow, first, method="top2/returned")
    refused = flow("round", "trend", first, last, exit_code=6).stderr
    assert "top2/returned" in refused
    assert "top2/answered" in refused
    assert flow.json("round", "trend", first, last, "--method", "mean/answers")["method"] == "mean/answers"
    assert flow.json("round", "figures", first)["figures"]["method"] == "top2/returned"


def test_priorities_tell_what_to_improve_first(flow: Terminal) -> None:
    _, last = rounds(flow)
    found = flow.json("round", "priorities", last)
    order = [each["quadrant"] for each in found]
    assert order == sorted(order, key=["improve", "keep", "minor", "beyond", None].index)
    assert all(-1 <= each["importance"] <= 1 for each in found if each["importance"] is not None)
    assert "优先改进" in flow("round", "priorities", last, lang="zh").stdout


def test_coverage_tells_who_was_asked_in_a_year_and_in_three_and_who_never(flow: Terminal) -> None:
    (found,) = flow.json("roster", "coverage").values()
    assert (found["customers"], len(found["year"]), len(found["years"])) == (42, 40, 40)
    assert len(found["never"]) == 2
    shown = flow("roster", "coverage", "--unit", "business").stdout
    assert "95.2%" in shown
    never = flow("roster", "coverage", "--never").stdout
    assert all(code in never for code in found["never"])
    assert "There is no unit nowhere" in flow("roster", "coverage", "--unit", "nowhere", exit_code=5).stderr


def test_coverage_forgets_who_was_asked_too_long_ago(flow: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SystemClock, "now", lambda _clock: MARCH.replace(year=2029))
    (found,) = flow.json("roster", "coverage", "--years", "3").values()
    assert (len(found["year"]), len(found["years"])) == (0, 40)
    (found,) = flow.json("roster", "coverage", "--years", "2").values()
    assert (len(found["years"]), len(found["due"])) == (0, 42)
