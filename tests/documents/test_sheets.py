"""A document as a workbook."""

from __future__ import annotations

from datetime import date

from documents.content import (
    Chart,
    Column,
    Control,
    Document,
    Fields,
    Heading,
    Paragraph,
    Series,
    Signature,
    Table,
)
from documents.excel import workbook
from documents.grids import control_lines
from documents.sheets import sheets
from tests.workbooks import rows
from tests.workbooks import sheets as read

DAY = date(2026, 9, 14)
ABOUT = Control("问题表", DAY)
PROBLEMS = Table((Column("序号", "number"), Column("问题"), Column("期限", "date")), ((1, "漏水", DAY),))


def test_what_stands_beside_the_only_table_stands_above_it() -> None:
    said = (Fields((("单位", "一号楼"),)), Heading("说明"), Paragraph("逐项整改"), Heading("问题"), PROBLEMS)
    book = workbook(sheets(Document(ABOUT, said)), ABOUT)
    (name, lines), *more = read(book).items()
    assert (name, more) == ("问题", [])
    assert [line[0] for line in lines[2:4]] == ["单位：一号楼", "说明：逐项整改"]
    assert rows(book, "序号")[1][:2] == [1, "漏水"]


def test_several_tables_have_a_sheet_each_under_names_that_excel_takes() -> None:
    chart = Chart("bars", ("甲",), (Series("数", (1,)),))
    blocks = (Heading("原因/措施"), PROBLEMS, chart, PROBLEMS, Fields((("单位", "一号楼"),)))
    made = sheets(Document(ABOUT, blocks))
    assert [each.name for each in made] == ["内容", "原因措施", "原因措施-2"]
    assert [len(each.charts) for each in made] == [0, 1, 0]
    assert rows(workbook(made, ABOUT), "项目")[1] == ["单位", "一号楼"]


def test_a_document_without_a_table_becomes_one() -> None:
    (only,) = sheets(Document(ABOUT, (Heading("目的"), Paragraph("了解需求"))))
    assert only.table is not None
    assert only.table.rows == (("目的", "了解需求"),)


def test_a_document_without_a_code_has_no_box_for_one() -> None:
    signed = Control("通知单", DAY, version="V1", signatures=(Signature("编制", "赵敏", DAY),))
    assert [cell.text for line in control_lines(signed) for cell in line if cell.label] == [
        *("版本", "日期", "编制")
    ]
