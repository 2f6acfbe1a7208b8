"""CSV files as people make them: read whole, or refused with every problem's place."""

from __future__ import annotations

import codecs
import io
from contextlib import suppress
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from engine.errors import Invalid
from survey.sheets import MAX_PROBLEMS, read_sheet


def refused(data: bytes, **columns: tuple[str, ...]) -> list[str]:
    with pytest.raises(Invalid) as found:
        read_sheet(data, **{"required": ("客户",), "known": ("姓名",), **columns})  # type: ignore[arg-type]
    return [str(problem) for problem in found.value.problems]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("客户,姓名\n1,张三\n".encode(), "UTF-8"),
        (codecs.BOM_UTF8 + "客户,姓名\n1,张三\n".encode(), "UTF-8"),
        ("客户,姓名\n1,张三\n".encode("gbk"), "GBK"),
        ("客户;姓名\r\n1;张三\r\n".encode("gbk"), "GBK"),
        ("客户\t姓名\n\n1\t张三\n,\n".replace(",", "\t").encode(), "UTF-8"),
        ('"客户","姓名"\n"1"," 张三 "'.encode(), "UTF-8"),
        (codecs.BOM_UTF16_LE + "客户\t姓名\r\n1\t张三\r\n".encode("utf-16-le"), "UTF-16"),
        (codecs.BOM_UTF16_BE + "客户,姓名\n1,张三\n".encode("utf-16-be"), "UTF-16"),
    ],
)
def test_what_spreadsheets_save_is_read(data: bytes, encoding: str) -> None:
    sheet = read_sheet(data, required=("客户",), known=("姓名",))
    assert sheet.encoding == encoding
    assert [dict(row.cells) for row in sheet.rows] == [{"客户": "1", "姓名": "张三"}]


def test_rows_have_the_numbers_a_spreadsheet_shows() -> None:
    sheet = read_sheet("客户\n1\n\n3\n".encode(), required=("客户",))
    assert [(row.number, row.cells["客户"]) for row in sheet.rows] == [(2, "1"), (4, "3")]


def test_a_wrong_column_is_named_with_the_expected_ones() -> None:
    problems = refused("客尸,names\n1,张三\n".encode())
    assert problems == [
        "file: Expected are the columns: 客户, 姓名",
        "column 客尸: There is no such column",
        "column names: There is no such column",
        "column 客户: The column is missing",
    ]


def test_a_misspelled_column_is_asked_about() -> None:
    (_, problem, _) = refused(b"customr\n1\n", required=("customer",), known=())
    assert "did you mean customer?" in problem


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        ("客户\n".encode(), "no rows"),
        ("客户,客户\n1,2\n".encode(), "more than once"),
        ("客户,姓名\n1\n".encode(), "row 2: It has 1 cells, the header has 2"),
        ('客户\n"1\n'.encode(), "quotation mark"),
        ("客户\n1\n".encode("utf-16-le"), "neither text nor"),
        ("客户\n1\n".encode("utf-16")[:-1], "neither text nor"),
        (b"\xff\xfe" + bytes(range(1, 41)), "neither text nor"),
        (b"\xff\xfe" + "一丁丂七丄丅".encode("utf-16-le"), "neither text nor"),
        (b"PK\x03\x04\x00\x00", "workbook cannot be read"),
        (b"\xff\xff\xff", "neither UTF-8 nor GBK"),
        (b"x," * 50_000 + b"\n1\n", "50001 columns; at most 1000"),
        ("客户\n".encode() + b"1\n" * 250_000, "more than 250000 rows"),
        (f"客户\n{'长' * 20_001}\n".encode(), "row 2, 客户: The cell has 20001 characters"),
        ("客户\n张\x1b[2J三\n".encode(), "row 2, 客户: A character in it cannot be stored"),
    ],
)
def test_what_is_no_such_file_is_refused_with_the_reason(data: bytes, part: str) -> None:
    assert any(part in problem for problem in refused(data))


def test_a_thousand_problems_are_not_all_listed() -> None:
    problems = refused(("客户,姓名\n" + "1\n" * 1000).encode())
    assert len(problems) == MAX_PROBLEMS + 1
    assert "950 more" in problems[-1]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(Invalid):
        assert read_sheet(data, required=("a",)).rows


def test_a_thousand_misspelled_columns_are_told_at_once() -> None:
    header = ",".join(f"satisfaction_{number}x" for number in range(999))
    known = tuple(f"satisfaction_{number}" for number in range(300))
    assert len(refused(f"{header}\n1\n".encode(), required=known, known=())) == MAX_PROBLEMS + 1


def test_a_tick_of_a_workbook_is_no_mark() -> None:
    book, file = Workbook(), io.BytesIO()
    sheet = book.worksheets[0]
    sheet.append(["客户", "姓名"])
    sheet.append([True, False])
    book.save(file)
    (row,) = read_sheet(file.getvalue(), required=("客户",), known=("姓名",)).rows
    assert dict(row.cells) == {"客户": "TRUE", "姓名": "FALSE"}


def test_a_formula_without_its_result_is_refused_by_row_and_one_with_a_blank_result_is_blank() -> None:
    book, file = Workbook(), io.BytesIO()
    sheet = book.worksheets[0]
    for line in (["客户", "姓名"], ["=1+1", "张三"], [2, '=IF(1,"",2)']):
        sheet.append(line)
    book.save(file)
    assert [each.partition(": open")[0] for each in refused(file.getvalue())] == [
        "row 2: The cell A2 has a formula whose result is not stored",
        "row 3: The cell B3 has a formula whose result is not stored",
    ]
    saved = io.BytesIO()  # as a spreadsheet saves it: with results, of which one is an empty text
    with ZipFile(file) as source, ZipFile(saved, "w") as target:
        for name in source.namelist():
            text = source.read(name).replace(b"</f><v></v></c><c", b"</f><v>2</v></c><c")
            target.writestr(name, text.replace(b'<c r="B3">', b'<c r="B3" t="str">'))
    read = read_sheet(saved.getvalue(), required=("客户",), known=("姓名",))
    assert [dict(row.cells) for row in read.rows] == [
        {"客户": "2", "姓名": "张三"},
        {"客户": "2", "姓名": ""},
    ]
