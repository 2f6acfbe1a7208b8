"""The PDF as a reader finds it."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from lxml import etree
from pypdf import PdfReader

from documents.content import Chart, Column, Control, Paragraph, Series, Table
from documents.pdf import pdf, picture
from engine.errors import Invalid

from .samples import CONTROL, CROSS, ITEMS, RATES, REPORT, TREND, Document, table


@pytest.fixture(scope="module")
def report() -> PdfReader:
    return PdfReader(io.BytesIO(pdf(REPORT)))


def text_of(reader: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


def fonts_of(reader: PdfReader) -> dict[str, Any]:
    """The fonts of all pages by name, with their descriptors."""
    found = {}
    for page in reader.pages:
        for font in page["/Resources"].get_object()["/Font"].get_object().values():
            inner = font.get_object()["/DescendantFonts"].get_object()[0].get_object()
            found[inner["/BaseFont"]] = inner["/FontDescriptor"].get_object()
    return found


def test_every_font_is_embedded_and_chinese(report: PdfReader) -> None:
    fonts = fonts_of(report)
    assert all("/FontFile3" in descriptor for descriptor in fonts.values())
    assert {name.split("+")[1].split("-")[0] for name in fonts} == {"NotoSansSC", "NotoSerifSC"}


def test_the_text_can_be_found_again(report: PdfReader) -> None:
    text = text_of(report)
    for words in (
        "一、调查概况",
        "1. 近三季",
        "±3.6",
        "①",
        "㎡",
        "＋－＝",
        "㐂",
        "阿依古丽·买买提",
        "图 1　各项目满意率",  # typst sets a thin space between scripts
    ):
        assert words in text


def test_every_page_bears_code_version_and_its_number(report: PdfReader) -> None:
    count = len(report.pages)
    assert count > 3
    for number, page in enumerate(report.pages, start=1):
        text = page.extract_text()
        assert "JL-KF-07 A/1" in text
        assert f"第 {number} 页" in text
        assert f"共 {count} 页" in text


def test_a_long_table_repeats_its_head_on_each_page_and_loses_no_row() -> None:
    reader = PdfReader(io.BytesIO(pdf(Document(CONTROL, (table(150),)))))
    pages = [page.extract_text() for page in reader.pages]
    assert len(pages) > 2
    assert all("满意率" in page and "平均分" in page for page in pages)
    assert sum(page.count("3.88") for page in pages) == 150


def test_a_cell_longer_than_a_page_is_printed_whole() -> None:
    told = "".join(chr(0x4E00 + number) for number in range(4000))
    text = text_of(PdfReader(io.BytesIO(pdf(Document(CONTROL, (Table((Column("意见"),), ((told,),)),))))))
    assert set(told) <= set(text)


def test_it_declares_to_be_an_archive_file_with_title_and_day(report: PdfReader) -> None:
    metadata = report.trailer["/Root"]["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>U</pdfaid:conformance>" in metadata
    assert report.metadata is not None
    assert report.metadata.title == CONTROL.title
    assert str(report.metadata.creation_date_raw).startswith("D:20260930")


def test_the_headings_are_its_bookmarks(report: PdfReader) -> None:
    assert [entry["/Title"] for entry in report.outline if not isinstance(entry, list)] == [
        "一、调查概况",
        "二、结果",
        "三、回访",
    ]


def test_what_people_wrote_is_no_markup() -> None:
    said = '#set text(red) $x^2$ *粗* _斜_ @ref <b> [a] // 注 {{ title }} \\ "引"'
    text = text_of(PdfReader(io.BytesIO(pdf(Document(CONTROL, (Paragraph(said),))))))
    assert said in text


def test_a_character_in_no_font_is_refused_with_each_place_and_never_a_box() -> None:
    document = Document(
        Control("报告", CONTROL.dated, organisation="处"),
        (Paragraph("住户𠮷田"), Table((Column("姓名"),), (("㐂田",), ("𠮷😀",)))),
    )
    with pytest.raises(Invalid) as caught:
        pdf(document)
    assert [(problem.field, problem.params["character"]) for problem in caught.value.problems] == [
        ("住户𠮷田", "𠮷"),
        ("table 1 row 2", "😀"),
        ("table 1 row 2", "𠮷"),
    ]
    with pytest.raises(Invalid, match=r"chart 1: The character 𠮷 \(U\+20BB7\)"):
        picture(Chart("bars", ("𠮷",), (Series("a", (1,)),)))


@pytest.mark.parametrize(
    "sign", ["\ue000", "\u0627"]
)  # a made-up character of a rare name, a letter of Arabic
def test_a_character_that_only_some_other_font_has_is_refused_and_not_printed_as_another(sign: str) -> None:
    with pytest.raises(Invalid, match=f"U\\+{ord(sign):04X}"):
        pdf(Document(Control("报告", CONTROL.dated, organisation="处"), (Paragraph(f"王{sign}明"),)))


def test_the_mark_that_pasted_text_begins_with_is_left_out() -> None:
    made = pdf(Document(Control("报告", CONTROL.dated, organisation="处"), (Paragraph("\ufeff十二月"),)))
    assert "十二月" in text_of(PdfReader(io.BytesIO(made)))


def test_the_same_document_gives_the_same_bytes() -> None:
    assert pdf(REPORT) == pdf(REPORT)


def test_a_document_with_nothing_but_a_title_is_a_page() -> None:
    assert len(PdfReader(io.BytesIO(pdf(Document(Control("题", CONTROL.dated), ())))).pages) == 1


@pytest.mark.parametrize("chart", [RATES, TREND, CROSS], ids=["bars", "lines", "stacked"])
def test_a_chart_is_a_picture_in_the_colours_of_its_legend(chart: Chart) -> None:
    drawn = picture(chart, "svg").decode()
    assert drawn.startswith("<svg")
    colours = {
        "bars": ("#2f5d8a", "#c8553d"),
        "lines": ("#2f5d8a", "#d98e32"),
        "stacked": ("#2f5d8a", "#e2e2e2"),
    }
    assert all(colour in drawn for colour in colours[chart.kind])
    png = picture(chart)
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20], "big") == pytest.approx(16 / 2.54 * 200, abs=2)


def test_a_bar_is_as_long_as_its_value() -> None:
    chart = Chart("bars", ("甲", "乙", "丙"), (Series("满意率", (1, 0.25, 0)),), percent=True)
    drawn = etree.fromstring(picture(chart, "svg"))
    bars = [path.get("d") for path in drawn.iter("{*}path") if path.get("fill") == "#2f5d8a"]
    lengths = [max(float(number) for number in re.findall(r"[\d.]+", path.split("Z")[0])) for path in bars]
    assert lengths[0] > 200
    assert lengths[1] == pytest.approx(lengths[0] / 4, abs=0.1)


def test_a_chart_without_values_says_so() -> None:
    chart = Chart("bars", ITEMS, (Series("满意率", (None,) * 5),), caption="空")
    text = text_of(PdfReader(io.BytesIO(pdf(Document(CONTROL, (chart,))))))
    assert "（无数据）" in text
