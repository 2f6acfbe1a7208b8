"""Word documents, read back as Word reads them, and the templates of a department's own."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from collections.abc import Sequence
from datetime import date

import docx
import pytest
from docx.document import Document as WordDocument
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from docx.shared import Mm
from lxml import etree

from documents.content import Column, Control, Document, Paragraph, Table
from documents.word import word
from documents.word_style import standard_template
from engine.errors import Misbuilt

from .samples import CONTROL, REPORT, table


def opened(data: bytes) -> WordDocument:
    return docx.Document(io.BytesIO(data))


@pytest.fixture(scope="module")
def report() -> WordDocument:
    return opened(word(REPORT))


def texts(document: WordDocument) -> list[str]:
    return [paragraph.text for paragraph in document.paragraphs if paragraph.text]


def template(*lines: str, rows: Sequence[tuple[str, ...]] = ()) -> bytes:
    """A template as a department makes one, from an empty document of Word's."""
    document = docx.Document()
    for line in lines:
        document.add_paragraph(line)
    if rows:
        made = document.add_table(0, len(rows[0]))
        for row in rows:
            for cell, text in zip(made.add_row().cells, row, strict=True):
                cell.text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_headings_paragraphs_and_captions_stand_in_their_order_and_styles(report: WordDocument) -> None:
    said = [(paragraph.style.name, paragraph.text) for paragraph in report.paragraphs if paragraph.style]
    for expected in (
        ("Title", "大楼客户满意度调查分析报告"),
        ("Heading 1", "一、调查概况"),
        ("正文段落", "第二段。"),
        ("Caption", "图1　各项目满意率"),
        ("Heading 3", "1. 近三季"),
        ("Caption", "表1　各项目统计"),
    ):
        assert expected in said
        said = said[said.index(expected) + 1 :]


def test_the_control_block_names_code_version_and_who_signed(report: WordDocument) -> None:
    rows = [[cell.text for cell in row.cells] for row in report.tables[0].rows]
    assert rows == [
        ["文件编号", "JL-KF-07", "版本", "A/1", "日期", "2026-09-30"],
        ["编制", "赵敏 2026-09-28", "审核", "阿依古丽·买买提\n2026-09-29", "批准", ""],
    ]


def test_every_page_bears_code_and_page_numbers(report: WordDocument) -> None:
    section = report.sections[0]
    assert "JL-KF-07 A/1" in section.header.paragraphs[0].text
    fields = [field.get(qn("w:instr")) for field in section.footer._element.iter(qn("w:fldSimple"))]
    assert fields == ["PAGE", "NUMPAGES"]


def test_every_style_and_default_names_a_chinese_font(report: WordDocument) -> None:
    named = list(report.styles.element.iter(qn("w:rFonts")))
    assert len(named) > 10
    for fonts in named:
        assert fonts.get(qn("w:eastAsia")) in ("宋体", "黑体")
        assert not [name for name in fonts.attrib if name.lower().endswith("theme")]
    defaults = report.styles.element.find(qn("w:docDefaults"))
    assert defaults is not None
    assert [fonts.get(qn("w:eastAsia")) for fonts in defaults.iter(qn("w:rFonts"))] == ["宋体"]
    assert [one.get(qn("w:eastAsia")) for one in defaults.iter(qn("w:lang"))] == ["zh-CN"]


def test_a_long_table_repeats_its_head_and_tears_no_row(report: WordDocument) -> None:
    long = report.tables[1]
    assert len(long.rows) == 121
    assert [cell.text for cell in long.rows[0].cells] == ["项目", "份数", "满意率", "平均分", "日期"]
    assert [cell.text for cell in long.rows[1].cells][2:] == ["—", "3.88", "2026-09-01"]
    repeated = [
        row._tr.trPr is not None and row._tr.trPr.find(qn("w:tblHeader")) is not None for row in long.rows
    ]
    assert repeated == [True] + [False] * 120
    assert all(
        row._tr.trPr is not None and row._tr.trPr.find(qn("w:cantSplit")) is not None for row in long.rows
    )


def test_a_table_without_rows_says_so(report: WordDocument) -> None:
    assert report.tables[2].rows[1].cells[0].text == "（无）"


def test_charts_are_pictures_within_the_line_with_words_for_who_cannot_see_them(report: WordDocument) -> None:
    section = report.sections[0]
    room = (section.page_width or 0) - (section.left_margin or 0) - (section.right_margin or 0)
    assert len(report.inline_shapes) == 3
    assert all(shape.width <= room for shape in report.inline_shapes)
    assert "公共区域保洁" in report.inline_shapes[0]._inline.docPr.get("descr")


def test_a_landscape_document_lies_on_its_side() -> None:
    section = opened(word(Document(CONTROL, (table(3),), landscape=True))).sections[0]
    assert section.orientation == WD_ORIENT.LANDSCAPE
    assert (section.page_width or 0) > (section.page_height or 0)
    room = (section.page_width or 0) - (section.left_margin or 0) - (section.right_margin or 0)
    stops = [each.position for each in section.header.paragraphs[0].paragraph_format.tab_stops]
    assert abs(max(stops) - room) < Mm(1)  # the code, at the right edge


def test_what_people_wrote_is_neither_markup_nor_placeholder() -> None:
    said = "<w:b/> & {{ title }} {% if x %} \"'"
    made = opened(word(Document(CONTROL, (Paragraph(said), Table((Column("甲"),), ((said,),))))))
    assert said in texts(made)
    assert made.tables[1].rows[1].cells[0].text == said


def test_the_same_document_gives_the_same_bytes_and_no_time_but_its_own() -> None:
    made = word(REPORT)
    assert made == word(REPORT)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    times = [
        node.text
        for node in etree.fromstring(core.encode())
        if "created" in node.tag or "modified" in node.tag
    ]
    assert times == ["2026-09-30T00:00:00Z"] * 2


def test_a_department_sets_the_content_into_its_own_template() -> None:
    own = template(
        "翠湖物业 {{ organisation }}",
        "编号 {{ code }}，审核 {{ signed['审核'].name }}，回收率 {{ 回收率 }}",
        "{{ body }}",
        "（盖章）",
        rows=[
            ("{%tr for one in problems %}", ""),
            ("{{ one.name }}", "{{ one.days }}"),
            ("{%tr endfor %}", ""),
        ],
    )
    values = {"回收率": "72.3%", "problems": [{"name": "电梯", "days": 7}, {"name": "保洁 <&>", "days": 3}]}
    made = opened(word(Document(CONTROL, REPORT.blocks, values=values), own))
    said = texts(made)
    assert said[:2] == ["翠湖物业 第三管理处", "编号 JL-KF-07，审核 阿依古丽·买买提，回收率 72.3%"]
    assert said.index("一、调查概况") < said.index("三、回访") < said.index("（盖章）")
    rows = [[cell.text for cell in row.cells] for row in made.tables[-1].rows]
    assert rows == [["电梯", "7"], ["保洁 <&>", "3"]]
    lacking = {"正文段落", "表格文字", "表格表头", "附注"}
    assert lacking <= {style.name for style in made.styles}


def test_a_template_may_hold_the_text_in_a_cell_of_a_table() -> None:
    own = template(rows=[("内容", "{{ body }}")])
    cell = opened(word(Document(CONTROL, (Paragraph("正文"), table(2))), own)).tables[0].rows[0].cells[1]
    assert "正文" in cell.text
    assert len(cell.tables) == 1
    assert cell._tc[-1].tag == qn("w:p")  # else Word takes the file for damaged


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (template("{{ body }} {{ tittle }}"), "'tittle' is undefined"),
        (template("{{ body "), "A placeholder cannot be filled in"),
        (template("{% for x in %}", "{{ body }}"), "A placeholder cannot be filled in"),
        (template("{{ ''.__class__.__mro__ }}", "{{ body }}"), "A placeholder cannot be filled in"),
        (template("{{ title }}"), "has no place for the document's text"),
        (b"%PDF-1.7", "is no Word document"),
        (b"", "is no Word document"),
    ],
    ids=["misspelt", "unclosed", "broken loop", "reaching out", "no body", "a PDF", "nothing"],
)
def test_a_template_that_cannot_be_used_is_refused_by_name_with_the_remedy(data: bytes, said: str) -> None:
    with pytest.raises(Misbuilt) as caught:
        word(Document(CONTROL, (Paragraph("正文"),)), data, "templates/report.docx")
    (finding,) = caught.value.findings
    assert said in str(finding)
    assert finding.file == "templates/report.docx"
    assert finding.remedy


def test_a_zip_that_is_no_document_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(Misbuilt, match="no Word document"):
        word(Document(CONTROL, ()), out.getvalue())


def test_the_shipped_template_is_a_start_for_ones_own() -> None:
    assert word(REPORT, standard_template()) == word(REPORT)


def test_a_notice_without_code_has_no_control_block() -> None:
    notice = Document(Control("公告", date(2026, 9, 1)), (Paragraph("各位业主："),))
    assert not opened(word(notice)).tables


@pytest.mark.parametrize("code", ["XX-ITSMS-QR-07-01", "某某集团〔2026〕客服部第0123号文件"])
def test_a_long_code_stands_in_one_line_of_its_own(code: str) -> None:
    control = dataclasses.replace(CONTROL, code=code)
    made = opened(word(dataclasses.replace(REPORT, control=control)))
    rows = [list(dict.fromkeys(cell.text for cell in row.cells)) for row in made.tables[0].rows]
    assert rows[0] == ["文件编号", code]
    assert rows[1] == ["版本", "A/1", "日期", "2026-09-30"]
    assert rows[2][0] == "编制"


def test_a_short_table_stays_with_its_caption_and_its_note_and_a_long_one_keeps_its_ends() -> None:
    def kept(rows: int) -> list[bool]:
        cells = tuple((f"{number}",) for number in range(rows))
        content = Table((Column("项目"),), cells, "统计", "注：以上。")
        made = opened(word(Document(CONTROL, (content,))))
        return [
            row.cells[0].paragraphs[0].paragraph_format.keep_with_next is True for row in made.tables[-1].rows
        ]

    assert all(kept(5))
    long = kept(40)
    assert long == [True, True, *[False] * 37, True, True]
