"""004G: outpatients and inpatients every month, held against the acceptance list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from engine.app import App
from engine.bpmn.diagram import Node
from engine.bpmn.reader import read
from engine.check import check, needed_roles
from engine.errors import EngineError
from engine.handlers import Call
from engine.procedures import Procedure, load
from engine.scenarios import Scenarios
from tasks import dates, registry
from tests.procedures.playing import ROOT, ZONE, Player, called_by, play, stage_app, world_of

ID = "hospital-monthly"
CODE = "004G"
ROLES = {"center_director", "center_officer", "leader", "ward_dept", "action_owner", "action_verifier"}
SCENARIOS = [
    *("happy", "all_late", "week_missed", "kept", "previous"),
    *("report_returned", "inpatients_once", "not_effective"),
]


@pytest.fixture(scope="module")
def played(
    procedure: Procedure, scenarios: Scenarios, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Player]:
    """The happy scenario to its end, and what lies there then."""
    happy, folder = scenarios.scenarios["happy"], tmp_path_factory.mktemp("hospital")
    with stage_app(procedure, scenarios.stage, happy.begin.at, folder) as app:
        player = Player(app, procedure, scenarios.stage, happy)
        assert player.play().as_expected
        yield player


def test_it_can_be_published(procedure: Procedure) -> None:
    assert check(procedure, world_of(procedure, ROLES)) == []


def test_it_names_the_roles_of_what_it_calls_too(procedure: Procedure) -> None:
    roles = {role for each in (procedure, *called_by(procedure)) for role in needed_roles(each, registry())}
    assert roles == ROLES


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_takes_every_course(procedure: Procedure, scenarios: Scenarios, name: str, tmp_path: Path) -> None:
    assert play(procedure, scenarios, name, tmp_path) == []


def test_no_scenario_is_left_out(scenarios: Scenarios) -> None:
    assert list(scenarios.scenarios) == SCENARIOS


@cache
def timetable() -> tuple[Procedure, Node]:
    procedure = load(ROOT / "processes" / ID, ROOT / "forms")
    return procedure, read(procedure.diagram).processes[procedure.process].nodes["timetable"]


def worked_out(app: App, d0: date, shift: str) -> Mapping[str, Any]:
    """The dates of a data month, as its service task works them out."""
    procedure, node = timetable()
    with app.store.read() as conn:
        return dates.work_out(
            Call(
                instance=1, label="SV-1", root=1, unit="hospital", procedure=ID, element="timetable", name="",
                properties=node.properties, variables={"d0": d0.isoformat(), "shift": shift},
                parameters=procedure.values, by="officer", now=datetime(d0.year, d0.month, 1, 9, tzinfo=ZONE),
                today=d0.isoformat(), conn=conn, folder=Path(), zone=ZONE,
            )
        )  # fmt: skip


def test_after_the_holidays_of_october_statistics_report_and_feedback_fall_on_one_day(played: Player) -> None:
    found = worked_out(played.app, date(2026, 9, 1), "next")
    assert {found[name] for name in ("statistics_on", "report_due", "feedback_due")} == {"2026-10-08"}
    assert found["date_warning"] == "统计分析、编制报告、结果反馈同在2026-10-08到期；"


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        ("keep", ("2026-10-01", "2026-10-05", "2026-10-08")),
        ("previous", ("2026-09-30", "2026-09-30", "2026-10-08")),
    ],
)
def test_where_a_date_goes_that_falls_on_a_holiday_is_a_parameter(
    played: Player, shift: str, expected: tuple[str, ...]
) -> None:
    found = worked_out(played.app, date(2026, 9, 1), shift)
    assert tuple(found[name] for name in ("statistics_on", "report_due", "feedback_due")) == expected


def test_in_24_of_36_months_nobody_works_on_the_fifth_or_the_eighth(played: Player) -> None:
    months = [
        date(2023, 12, 1),
        *(date(year, month, 1) for year in (2024, 2025, 2026) for month in range(1, 13)),
    ]
    moved = []
    for month in months[:36]:
        found = worked_out(played.app, month, "next")
        moved += ["编制报告由" in found["date_moves"] or "结果反馈由" in found["date_moves"]]
        assert found["statistics_on"] <= found["report_due"] <= found["feedback_due"]
    assert sum(moved) == 24


def test_a_shift_that_there_is_not_is_refused(played: Player) -> None:
    with pytest.raises(EngineError, match="sideways is none of keep, next, previous"):
        worked_out(played.app, date(2026, 9, 1), "sideways")


def test_the_summary_has_both_parts_their_departments_and_what_displeased(played: Player) -> None:
    book = openpyxl.load_workbook(record(played, "顾客满意度调查情况汇总表.xlsx"))
    assert book.sheetnames[:6] == ["汇总", "住院项目", "住院科室", "门诊项目", "门诊科室", "不满意项目"]
    cells = {name: rows(book[name]) for name in book.sheetnames}
    assert ("住院", 9, 7) in {row[:3] for row in cells["汇总"]}
    assert ("门诊", 11, 10) in {row[:3] for row in cells["汇总"]}
    waiting = next(row for row in cells["门诊项目"] if row[0] == "候诊时间")
    assert waiting[1:9] == (1, 5, 2, 1, 1, 0, 0, 10)  # 5 to 1, not applicable, blank, base
    assert waiting[9] == pytest.approx(0.6)
    assert ("内科", "门诊", "候诊时间", 2, 5) in {row[:5] for row in cells["不满意项目"]}


def test_a_department_with_few_answers_stands_there_without_numbers(played: Player) -> None:
    book = openpyxl.load_workbook(record(played, "顾客满意度调查情况汇总表.xlsx"))
    surgery = next(row for row in rows(book["住院科室"]) if row[0] == "外科")
    assert set(surgery[2:-1]) <= {None, "—"}
    meals = next(row for row in rows(book["不满意项目"]) if row[2] == "膳食")
    assert meals[3:5] == ("—", "—")


def test_every_department_with_dissatisfied_items_has_its_notice(played: Player) -> None:
    notices = sorted(folder(played).glob("records/*/质量改进通知单.docx"))
    assert len(notices) == 2


def record(player: Player, name: str) -> Path:
    return folder(player) / "records" / f"SV-{player.instance}" / name


def folder(player: Player) -> Path:
    return player.app.services.workspace.folder


def rows(sheet: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in sheet.iter_rows(values_only=True)]


def test_its_clauses_are_all_the_requirements_and_no_others(
    procedure: Procedure, acceptance: dict[str, Any]
) -> None:
    wanted = {each["id"]: each["level"] for each in acceptance["requirements"]}
    assert {clause.id: clause.level for clause in procedure.clauses} == wanted
    assert len(wanted) == 19


def test_its_steps_stand_in_the_lanes_of_the_source(procedure: Procedure) -> None:
    nodes = read(procedure.diagram).processes[procedure.process].nodes
    lanes = {node.id: node.lane for node in nodes.values() if node.tag == "userTask"}
    director, officer = "center_director", "center_officer"
    assert lanes == {
        **dict.fromkeys(("plan", "compile_forms", "fix_method", "review"), director),
        **dict.fromkeys(
            ("distribute_outpatients", "distribute_inpatients", "collect", "random_check"), officer
        ),
        **dict.fromkeys(("statistics", "report", "feedback"), officer),
        "leader_read": "leader",
        "cause_analysis": "ward_dept",
    }


def test_no_sentence_of_the_source_is_copied(acceptance: dict[str, Any]) -> None:
    length, names = 12, ("顾客满意度调查情况汇总表", "顾客满意度调查流程")
    quotes = [bare(quote) for quote in quotes_in(acceptance)]
    runs = {quote[start : start + length] for quote in quotes for start in range(len(quote) - length + 1)}
    copied = []
    for file in (*(ROOT / "processes" / ID).iterdir(), *(ROOT / "forms" / ID).iterdir()):
        text = bare(file.read_text(encoding="utf-8"))
        for name in names:
            text = text.replace(name, "")
        found = {text[start : start + length] for start in range(len(text) - length + 1)} & runs
        copied += [f"{file.name}: {run}" for run in sorted(found)]
    assert len(runs) > 100
    assert copied == []


def quotes_in(value: Any, key: str = "") -> list[str]:
    if isinstance(value, dict):
        return [quote for name, each in value.items() for quote in quotes_in(each, name)]
    if isinstance(value, list):
        return [quote for each in value for quote in quotes_in(each, key)]
    return [value] if key == "quote" and isinstance(value, str) else []


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)
