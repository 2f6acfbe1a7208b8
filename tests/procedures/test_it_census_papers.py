"""000A: the report of the annual census, and the other papers, as people read them."""

from __future__ import annotations

import dataclasses
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from pypdf import PdfReader

from documents.content import Chart, Table
from documents.word_style import standard_template
from engine.errors import Conflict, EngineError
from engine.handlers import Call
from engine.model import label
from engine.procedures import Procedure, from_files
from engine.scenarios import Scenarios
from survey import rounds
from survey.figures import count, figures
from tasks import figures as figures_made
from tasks import findings, report
from tests.procedures.it_census import ID, Census, at
from tests.procedures.playing import stage_app
from tests.survey.asked import form
from tests.survey.waves import make_wave


@pytest.fixture(scope="module")
def reported(
    procedure: Procedure, scenarios: Scenarios, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Census]:
    """Two years: 40 customers, then 42, of whom two could not be reached; the report of the second is written."""
    folder = tmp_path_factory.mktemp("census")
    with stage_app(procedure, scenarios.stage, datetime(2026, 1, 5, 10), folder) as app:  # noqa: DTZ001
        census = Census(app, scenarios.stage)
        for year, size in ((2026, 40), (2027, 42)):
            at(census, year, 1, 5, 10)
            census.roster(size if year == 2026 else 2, first=1 if year == 2026 else 41)
            census.start()
            dates: dict[str, Any] = {"survey_from": f"{year}-01-12", "survey_to": f"{year}-01-30"}
            census.do("decide_survey", members=[{"member": "amy"}], callback_reports=None, **dates)
            census.do("make_plan")
            census.do("allocate", parts=[{"surveyor": "amy"}])
            census.answers(range(1, 41), seed=year, wish="服务很好😀" if year == 2027 else "")
            if size > 40:
                census.unreachable(*range(41, size + 1))
            census.do("survey", forms_handed_in=40)
            census.to_report()
        yield census


def test_the_report_has_tables_charts_crossings_trend_and_judgement(reported: Census) -> None:
    made = Document(io.BytesIO(reported.file("客户满意度调查统计分析报告.docx")))
    text = "\n".join(paragraph.text for paragraph in made.paragraphs)
    for heading in (
        "调查概况",
        "回收情况",
        "总体满意度",
        "各项满意程度",
        "交叉分组分析",
        "趋势分析",
        "优势分析",
        "不足分析",
    ):
        assert heading in text
    assert text.index("重点关注项目") < text.index("（二）服务响应")
    assert "服务人员评价最高" in text
    tables_ = [[[cell.text for cell in row.cells] for row in table.rows] for table in made.tables]
    response = next(rows for rows in tables_ if rows[0][0] == "指标")
    assert ["调查对象总数（N）", "42"] in response
    assert ["回收份数（n）", "40"] in response
    assert ["回收率（回收÷发放）", "95.2%"] in response
    focus = next(rows for rows in tables_ if rows[1:] and rows[1][0] == "故障能一次处理好")
    assert [row[0] for row in focus[1:]] == ["故障能一次处理好", "恢复所用的时间", "处理过程中主动告知进展"]
    groups = next(rows for rows in tables_ if rows[0][0] == "客户类别" and "总体满意率" in rows[0])
    assert {row[0] for row in groups[1:]} == {"重点客户", "一般客户", "小微客户", "合计"}
    assert all("仅供参考" in row[-1] for row in groups[1:-1])
    assert "卡方检验" in text
    trend = next(rows for rows in tables_ if rows[0][-1].startswith("较上期"))
    assert len(trend[0]) == 4
    with zipfile.ZipFile(io.BytesIO(reported.file("客户满意度调查统计分析报告.docx"))) as parts:
        pictures = [name for name in parts.namelist() if name.startswith("word/media/")]
    assert len(pictures) >= 5
    assert ["1", "服务很好[U+1F600]"] in [row for rows in tables_ for row in rows]


def test_documents_bear_their_codes_and_who_drew_them_up(reported: Census) -> None:
    codes = {
        "客户满意度调查方案": "XX-ITSMS-QR-07-03",
        "客户满意度调查表": "XX-ITSMS-QR-07-01",
        "客户满意度调查统计分析报告": "XX-ITSMS-QR-07-02",
    }
    rows = reported.records()
    for name, code in codes.items():
        assert rows[f"{name}.pdf"].code == rows[f"{name}.docx"].code == code
        text = PdfReader(io.BytesIO(reported.file(f"{name}.pdf"))).pages[0].extract_text()
        assert code in re.sub(r"\s", "", text)
        assert "lead 2027-01-05" in text
    assert rows["客户满意度调查表-答卷.csv"].code == "XX-ITSMS-QR-07-01"
    assert len(reported.file("客户满意度调查表-答卷.csv").decode().splitlines()) == 41


def test_a_department_gives_its_own_template(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    template = Document(io.BytesIO(standard_template()))
    template.add_paragraph("某某公司受控文件")
    raw = io.BytesIO()
    template.save(raw)
    own = from_files({**procedure.files, "templates/plan.docx": raw.getvalue()})
    with stage_app(own, scenarios.stage, datetime(2026, 1, 5, 9), tmp_path) as app:  # noqa: DTZ001
        census = Census(app, scenarios.stage)
        census.roster(1)
        census.start()
        census.do("decide_survey", callback_reports=None)
        census.do("make_plan")
        for name, kept in (("客户满意度调查方案", True), ("客户满意度调查表", False)):
            made = Document(io.BytesIO(census.file(f"{name}.docx")))
            assert any(each.text == "某某公司受控文件" for each in made.paragraphs) is kept


def test_the_same_step_writes_the_same_report(reported: Census) -> None:
    with reported.app.store.read() as conn:
        call = Call(
            instance=reported.instance, label=label(reported.instance), root=reported.instance, unit="business",
            procedure=ID, element="report", name="", properties={"flow.record": "report", "flow.files": "word"},
            variables={}, parameters={}, by="lead", now=reported.app.clock.now(), today="2027-01-05", conn=conn,
            folder=Path(),
        )  # fmt: skip
        assert report.analysis(call) == report.analysis(call)


def test_a_target_is_drawn_and_said_only_where_there_is_one(reported: Census) -> None:
    with reported.app.store.read() as conn:
        found = rounds.round_of(conn, reported.instance)
        made = rounds.figures_of(conn, [found])
    [without] = [each for each in findings.overall(made, None) if isinstance(each, Chart)]
    [against] = [each for each in findings.overall(made, findings.exactly("85")) if isinstance(each, Chart)]
    assert without.target is None
    assert against.target is not None
    assert against.target.value == Fraction(85, 100)
    assert findings.exactly(0) is findings.exactly("") is findings.exactly("open") is None


def test_small_groups_of_an_anonymous_round_are_not_printed() -> None:
    ward = (
        "  - {id: ward, type: choice, label: 病区, options: [{value: n, label: 北}, {value: s, label: 南}]}\n"
    )
    asked = form(5, "a: a1 a2", more=ward)
    given = [{"a": {"a1": 5, "a2": 4}, "ward": "n" if place < 3 else "s"} for place in range(40)]
    counts = count(asked, given, ["ward"])
    made = figures(counts, issued=40)
    [table] = [each for each in findings.crossed(counts, made, ["ward"], [], 30) if isinstance(each, Table)]
    assert [row[0] for row in table.rows] == ["北", "南", "合计"]
    assert [row[1] for row in table.rows] == [None, None, 40]


def test_any_round_can_be_reported_on(tmp_path: Path) -> None:
    for wave in make_wave(tmp_path):
        wave.take(wave.file())
        with wave.app.store.write() as conn:
            call = Call(
                instance=wave.instance, label="SV-1", root=wave.instance, unit="tower", procedure="003G",
                element="report", name="分析报告", properties={"flow.record": "analysis", "flow.by": "method"},
                variables={}, parameters={"indicative_base": 30}, by="clerk", now=wave.app.clock.now(),
                today="2026-09-18", conn=conn, folder=tmp_path,
            )  # fmt: skip
            with pytest.raises(Conflict, match="takes returns still"):
                report.analysis(call)
            figures_made.close(call)
            made = report.analysis(call)
        assert "总体满意率" in str(made["report_summary"])
        kinds = [Path(name).suffix for name in sorted(made["$record"])]  # type: ignore[call-overload]
        assert kinds == [".docx", ".pdf", ".xlsx"], "as the record says"
        strange = dataclasses.replace(call, properties={"flow.record": "analysis", "flow.texts": "nothing"})
        with wave.app.store.read() as conn, pytest.raises(EngineError, match=r"No form .* asks for nothing"):
            report.analysis(dataclasses.replace(strange, conn=conn))
