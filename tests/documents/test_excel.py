"""Workbooks, read back with openpyxl."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime
from fractions import Fraction

import openpyxl
import pytest

from documents.content import Column, Table
from documents.excel import LONGEST_TEXT, Entry, Sheet, workbook
from documents.excel_charts import DATA
from engine.errors import Invalid

from .samples import CONTROL, CROSS, RATES, TREND, table


def opened(data: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))


def test_figures_are_numbers_with_formats_and_not_texts() -> None:
    page = opened(workbook([Sheet("统计表", table(5))])).active
    assert page is not None
    lines = [[cell.value for cell in row] for row in page.iter_rows(min_row=2, max_row=4)]
    assert lines[0] == ["项目", "份数", "满意率", "平均分", "日期"]
    assert lines[1] == ["电梯运行与维护", 100, "—", 3.875, datetime(2026, 9, 1)]  # noqa: DTZ001
    assert lines[2][2] == pytest.approx(1 / 101)
    assert [page.cell(4, column).number_format for column in (2, 3, 4, 5)] == [
        "0",
        "0.0%",
        "0.00",
        "yyyy-mm-dd",
    ]


@pytest.mark.parametrize("text", ["=1+1", "+86 10", "-1", "@SUM(A1)", '=HYPERLINK("http://x")', "\t=1"])
def test_what_begins_like_a_formula_stays_a_text_also_when_edited(text: str) -> None:
    page = opened(workbook([Sheet("表", Table((Column("甲"),), ((text,),)))])).active
    assert page is not None
    cell = page["A2"]
    assert (cell.value, cell.data_type) == (text, "s")
    assert cell.quotePrefix


def test_title_code_and_signatures_head_the_first_sheet_only() -> None:
    book = opened(workbook([Sheet("统计表", table(3)), Sheet("汇总表", table(3))], CONTROL))
    first, second = book.worksheets
    assert first["A1"].value == "大楼客户满意度调查分析报告"
    assert first["A2"].value == "文件编号：JL-KF-07    版本：A/1    单位：第三管理处    日期：2026-09-30"
    assert "审核：阿依古丽·买买提 2026-09-29" in first["A3"].value
    assert second["A1"].value == "各项目统计"
    assert book.properties.title == CONTROL.title


def test_a_printed_sheet_repeats_its_head_and_is_one_page_broad() -> None:
    page = opened(workbook([Sheet("台账", table(300), landscape=True)])).active
    assert page is not None
    assert page.print_title_rows == "$2:$2"
    assert page.freeze_panes == "A3"
    assert (page.page_setup.orientation, page.page_setup.paperSize) == ("landscape", 9)
    assert page.page_setup.fitToWidth in (1, None)  # the format's default
    assert page.page_setup.fitToHeight == 0


def test_charts_are_native_and_their_numbers_stand_on_the_last_sheet() -> None:
    data = workbook([Sheet("图表", charts=(RATES, TREND, CROSS)), Sheet("统计表", table(3))], CONTROL)
    book = opened(data)
    assert book.sheetnames == ["图表", "统计表", DATA]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        charts = [archive.read(f"xl/charts/chart{number}.xml").decode() for number in (1, 2, 3)]
    assert ["barChart" in chart for chart in charts] == [True, False, True]
    assert ["lineChart" in chart for chart in charts] == [True, True, False]  # a target is a line over bars
    numbers = [row[1] for row in book[DATA].iter_rows(min_row=2, max_row=6, values_only=True)]
    assert numbers == pytest.approx([0.95, 0.9, 0.85, 0.8, 0.75])


def test_an_entry_form_is_locked_but_for_what_is_to_be_filled_in() -> None:
    form = Table(
        (Column("编号"), Column("评分", "number"), Column("处理")), (("001", None, None), ("002", None, None))
    )
    entries = {
        "评分": Entry(between=(1, 5), hint="1 很不满意，5 很满意"),
        "处理": Entry(choices=("回访", "整改")),
    }
    page = opened(workbook([Sheet("录入", form, intro=("只填黄色格子。",), entries=entries)])).active
    assert page is not None
    assert page.protection.sheet
    assert [page.cell(3, column).protection.locked for column in (1, 2, 3)] == [True, False, False]
    rules = {str(rule.sqref): rule for rule in page.data_validations.dataValidation}
    assert (rules["B3:B4"].formula1, rules["B3:B4"].formula2) == ("1", "5")
    assert rules["C3:C4"].formula1 == '"回访,整改"'
    assert page["A1"].value == "只填黄色格子。"


def test_days_outside_the_calendar_of_excel_and_moments_with_a_zone_are_kept() -> None:
    days = ((date(1850, 3, 1),), (datetime(2026, 9, 1, 8, 30, tzinfo=UTC),))
    page = opened(workbook([Sheet("表", Table((Column("日", "date"),), days))])).active
    assert page is not None
    assert [page["A2"].value, page["A3"].value] == ["1850-03-01", datetime(2026, 9, 1, 8, 30)]  # noqa: DTZ001


def test_the_same_sheets_give_the_same_bytes_and_no_time_but_their_own() -> None:
    sheets = [Sheet("图表", table(9), charts=(RATES, CROSS))]
    made = workbook(sheets, CONTROL)
    assert made == workbook(sheets, CONTROL)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert "2026-09-30T00:00:00Z" in archive.read("docProps/core.xml").decode()


@pytest.mark.parametrize(
    ("sheets", "said"),
    [
        ([], "A workbook needs a sheet"),
        ([Sheet("甲/乙")], "甲/乙: A sheet's name"),
        ([Sheet("名" * 32)], "A sheet's name has 1 to 31 characters"),
        ([Sheet("Ab"), Sheet("aB")], "aB: The name is taken"),
        ([Sheet(DATA)], "The name is taken"),
        ([Sheet("表", Table((Column("甲"),), (("字" * (LONGEST_TEXT + 1),),)))], "表 row 1: A cell holds"),
        ([Sheet("表", Table((Column("甲", "number"),), ((10**400,),)))], "cannot be shown as number"),
    ],
)
def test_what_a_workbook_cannot_hold_is_refused_by_place(sheets: list[Sheet], said: str) -> None:
    with pytest.raises(Invalid) as caught:
        workbook(sheets)
    assert said in str(caught.value)


def test_a_fraction_of_a_third_is_as_near_as_a_spreadsheet_gets() -> None:
    page = opened(workbook([Sheet("表", Table((Column("率", "percent", 1),), ((Fraction(1, 3),),)))])).active
    assert page is not None
    assert page["A2"].value == pytest.approx(1 / 3, abs=1e-15)
