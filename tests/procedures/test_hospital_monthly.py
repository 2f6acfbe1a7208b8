"""004G: outpatients and inpatients every month, held against the acceptance list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from docx import Document
from sqlalchemy import select

from console.pages import steps
from engine.app import App
from engine.bpmn.diagram import Node
from engine.bpmn.reader import read
from engine.check import needed_roles
from engine.errors import EngineError
from engine.handlers import Call
from engine.procedures import Procedure, load
from engine.store import tables
from tasks import dates, registry
from tests.procedures.playing import ROOT, ZONE, Player, called_by

ID = "hospital-monthly"
ROLES = {"center_director", "center_officer", "leader", "ward_dept"}


def test_an_organisation_needs_the_roles_of_the_source_and_no_others(procedure: Procedure) -> None:
    own = (procedure, *(each for each in called_by(procedure) if not each.called))
    assert {role for each in own for role in needed_roles(each, registry())} == ROLES


def test_the_departments_improve_and_the_centre_checks_the_effect(happy: Player) -> None:
    table = tables.user_task
    with happy.app.store.read() as conn:
        rows = conn.execute(select(table.c.element, table.c.role, table.c.closed_by)).all()
    done = {(row.element, row.role, row.closed_by) for row in rows}
    assert {("plan_action", "ward_dept", "medicine"), ("plan_action", "ward_dept", "surgery")} <= done
    assert {each for each in done if each[0] == "verify_effect"} == {
        ("verify_effect", "center_officer", "officer")
    }


@pytest.mark.parametrize("title", ["门诊顾客满意度调查表", "住院部顾客满意度调查表"])
def test_both_questionnaires_are_printed_to_be_handed_out(happy: Player, title: str) -> None:
    text = Document(str(record(happy, f"{title}.docx"))).element.xpath("string(.)")
    assert record(happy, f"{title}.pdf").read_bytes().startswith(b"%PDF")
    assert "客户编号" not in text  # it is anonymous
    assert title in text
    assert ("候诊时间" in text) == title.startswith("门诊")


@pytest.mark.parametrize("form", ["review", "leader"])
def test_director_and_leader_have_the_whole_report_before_them(procedure: Procedure, form: str) -> None:
    written = {each.id for each in procedure.forms["report"].fields if each.id.startswith("report_")}
    assert written | {"figures_summary"} <= {
        each.id for each in procedure.forms[form].fields if each.read_only
    }


def test_every_step_says_who_does_it_what_is_asked_and_which_record_it_leaves(procedure: Procedure) -> None:
    listed = [each for each in steps(procedure) if each.step != "improvement"]
    assert len(listed) == 13
    assert [each.step for each in listed if not (each.role and each.requirement and each.record)] == []


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


def test_after_the_holidays_of_october_statistics_report_and_feedback_fall_on_one_day(happy: Player) -> None:
    found = worked_out(happy.app, date(2026, 9, 1), "next")
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
    happy: Player, shift: str, expected: tuple[str, ...]
) -> None:
    found = worked_out(happy.app, date(2026, 9, 1), shift)
    assert tuple(found[name] for name in ("statistics_on", "report_due", "feedback_due")) == expected


def test_in_24_of_36_months_nobody_works_on_the_fifth_or_the_eighth(happy: Player) -> None:
    months = [
        date(2023, 12, 1),
        *(date(year, month, 1) for year in (2024, 2025, 2026) for month in range(1, 13)),
    ]
    moved = []
    for month in months[:36]:
        found = worked_out(happy.app, month, "next")
        moved += ["编制报告由" in found["date_moves"] or "结果反馈由" in found["date_moves"]]
        assert found["statistics_on"] <= found["report_due"] <= found["feedback_due"]
    assert sum(moved) == 24


def test_a_shift_that_there_is_not_is_refused(happy: Player) -> None:
    with pytest.raises(EngineError, match="sideways is none of keep, next, previous"):
        worked_out(happy.app, date(2026, 9, 1), "sideways")


def test_the_summary_has_both_parts_their_departments_and_what_displeased(happy: Player) -> None:
    book = openpyxl.load_workbook(record(happy, "顾客满意度调查情况汇总表.xlsx"))
    assert book.sheetnames[:6] == ["汇总", "住院项目", "住院科室", "门诊项目", "门诊科室", "不满意项目"]
    cells = {name: rows(book[name]) for name in book.sheetnames}
    assert ("住院", 9, 7) in {row[:3] for row in cells["汇总"]}
    assert ("门诊", 11, 10) in {row[:3] for row in cells["汇总"]}
    waiting = next(row for row in cells["门诊项目"] if row[0] == "候诊时间")
    assert waiting[1:9] == (1, 5, 2, 1, 1, 0, 0, 10)  # 5 to 1, not applicable, blank, base
    assert waiting[9] == pytest.approx(0.6)
    assert ("内科", "门诊", "候诊时间", 2, 5) in {row[:5] for row in cells["不满意项目"]}


def test_the_summary_is_signed_by_who_checked_the_counts_and_has_no_line_left_blank(happy: Player) -> None:
    book = openpyxl.load_workbook(record(happy, "顾客满意度调查情况汇总表.xlsx"))
    text = " ".join(str(cell) for row in rows(book["汇总"]) for cell in row if cell)
    assert "编制：officer 2026-10-08" in text
    assert "审核" not in text


def test_the_report_shows_every_item_of_both_parts_in_a_table_and_a_chart(happy: Player) -> None:
    report = Document(str(record(happy, "顾客满意度调查报告.docx")))
    tables = [[[cell.text for cell in row.cells] for row in each.rows] for each in report.tables]
    waiting = next(row for table in tables for row in table if row[0] == "候诊时间")
    assert waiting[1:] == ["10", "60.0%", "3.40", "2"]
    (meals,) = [row for table in tables for row in table if row[0] == "膳食"]
    assert meals[1:] == ["7", "71.4%", "3.57", "1"]
    assert len(report.inline_shapes) == 2
    said = [each.text for each in report.paragraphs]
    results, course = said.index("一、调查结果"), said.index("二、调查开展情况")
    assert results < said.index("（一）住院") < said.index("（二）门诊") < course


def test_a_department_with_few_answers_stands_there_without_numbers(happy: Player) -> None:
    book = openpyxl.load_workbook(record(happy, "顾客满意度调查情况汇总表.xlsx"))
    surgery = next(row for row in rows(book["住院科室"]) if row[0] == "外科")
    assert set(surgery[2:-1]) <= {None, "—"}
    meals = next(row for row in rows(book["不满意项目"]) if row[2] == "膳食")
    assert meals[3:5] == ("—", "—")


def test_every_department_with_dissatisfied_items_has_its_notice(happy: Player) -> None:
    notices = sorted(folder(happy).glob("records/*/质量改进通知单.docx"))
    assert len(notices) == 2


def record(player: Player, name: str) -> Path:
    return folder(player) / "records" / f"SV-{player.instance}" / name


def folder(player: Player) -> Path:
    return player.app.services.workspace.folder


def rows(sheet: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in sheet.iter_rows(values_only=True)]


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
