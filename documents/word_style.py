"""The look of Word documents: the shipped template, and the styles that a template of one's own may lack.

Chinese offices have 宋体 and 黑体. A style's `w:eastAsia` font has to be named by itself: without it Word takes
a Japanese one, whatever the style's Latin font is.
"""

from __future__ import annotations

import io
from copy import deepcopy
from functools import cache
from typing import Any

import docx
from docx.document import Document as WordDocument
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Pt, RGBColor

SONG, HEI = "宋体", "黑体"
BODY, CELL, HEAD, NOTE = "正文段落", "表格文字", "表格表头", "附注"
"""Our own paragraph styles, beside Word's Title, Heading 1 to 3 and Caption."""

_FONTS = {SONG: "Times New Roman", HEI: "Arial"}
_THEMED = ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme")
# Name: font, size in points, alignment, points before and after, line spacing.
_LOOKS: dict[str, tuple[str, float, WD_ALIGN_PARAGRAPH | None, float, float, float]] = {
    "Normal": (SONG, 12, None, 0, 0, 1.0),
    "Title": (HEI, 18, WD_ALIGN_PARAGRAPH.CENTER, 6, 12, 1.2),
    "Heading 1": (HEI, 15, None, 14, 7, 1.2),
    "Heading 2": (HEI, 13, None, 10, 5, 1.2),
    "Heading 3": (HEI, 12, None, 8, 4, 1.2),
    "Caption": (HEI, 10.5, WD_ALIGN_PARAGRAPH.CENTER, 6, 4, 1.0),
    "Header": (SONG, 9, None, 0, 0, 1.0),
    "Footer": (SONG, 9, WD_ALIGN_PARAGRAPH.CENTER, 0, 0, 1.0),
    BODY: (SONG, 12, WD_ALIGN_PARAGRAPH.JUSTIFY, 0, 0, 1.5),
    CELL: (SONG, 10.5, None, 1, 1, 1.0),
    HEAD: (HEI, 10.5, WD_ALIGN_PARAGRAPH.CENTER, 1, 1, 1.0),
    NOTE: (SONG, 9, None, 3, 8, 1.0),
}


@cache
def standard_template(landscape: bool = False) -> bytes:
    """The shipped template: A4, our styles, code and page numbers at the edges, `{{ title }}` and the rest.

    A department that wants another one begins with this file.
    """
    document = docx.Document()
    _set_fonts(document)
    for name, look in _LOOKS.items():
        _set_look(document, name, look)
    for style in document.styles:
        if style.type == WD_STYLE_TYPE.TABLE and style.name not in ("Normal Table", "Table Grid"):
            style.delete()
    section = document.sections[0]
    short, long = Cm(21), Cm(29.7)
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (long, short) if landscape else (short, long)
    section.left_margin = section.right_margin = Cm(2.4)
    section.top_margin, section.bottom_margin = Cm(2.6), Cm(2.2)
    header = section.header.paragraphs[0]
    header.text = "{{ organisation }}\t{{ code }} {{ version }}"
    stops = header.paragraph_format.tab_stops
    for stop in document.styles["Header"].paragraph_format.tab_stops:
        stops.add_tab_stop(stop.position, stop.alignment.CLEAR)
    stops.add_tab_stop(section.page_width - section.left_margin - section.right_margin, 2)
    _number_pages(section.footer.paragraphs[0])
    for text, style in (("{{ title }}", "Title"), ("{{ control }}", CELL), ("{{ body }}", BODY)):
        document.add_paragraph(text, style=style)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def complete_styles(document: WordDocument) -> None:
    """Gives a template of somebody's own the styles that it lacks."""
    there = {style.name for style in document.styles}
    lacking = [name for name in _LOOKS if name not in there]
    if lacking:
        ours = docx.Document(io.BytesIO(standard_template())).styles
        for name in lacking:
            document.styles.element.append(deepcopy(ours[name].element))


def _set_fonts(document: WordDocument) -> None:
    """Chinese fonts and language as the document's defaults, and in every style that names fonts."""
    element = document.styles.element
    for fonts in element.iter(qn("w:rFonts")):
        _name_fonts(fonts, SONG)
    for language in element.iter(qn("w:lang")):
        language.set(qn("w:eastAsia"), "zh-CN")


def _name_fonts(fonts: Any, name: str) -> None:
    for attribute in _THEMED:
        fonts.attrib.pop(qn(f"w:{attribute}"), None)
    for attribute in ("ascii", "hAnsi", "cs"):
        fonts.set(qn(f"w:{attribute}"), _FONTS[name])
    fonts.set(qn("w:eastAsia"), name)


def _set_look(
    document: WordDocument, name: str, look: tuple[str, float, WD_ALIGN_PARAGRAPH | None, float, float, float]
) -> None:
    font, size, align, before, after, spacing = look
    styles = document.styles
    style: Any = (
        styles[name]
        if name in [one.name for one in styles]
        else styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    )
    style.font.size, style.font.bold, style.font.italic = Pt(size), False, False
    style.font.color.rgb = RGBColor(0, 0, 0)
    properties = style.element.get_or_add_rPr()
    for leftover in ("w:spacing", "w:kern"):
        for element in properties.findall(qn(leftover)):
            properties.remove(element)
    _name_fonts(properties.get_or_add_rFonts(), font)
    shape = style.paragraph_format
    shape.alignment, shape.line_spacing = align, spacing
    shape.space_before, shape.space_after = Pt(before), Pt(after)
    for border in style.element.pPr.findall(qn("w:pBdr")):
        style.element.pPr.remove(border)
    if name == BODY:
        indent = style.element.pPr.get_or_add_ind()
        indent.set(qn("w:firstLine"), "480")
        indent.set(qn("w:firstLineChars"), "200")


def _number_pages(paragraph: Any) -> None:
    """第 PAGE 页　共 NUMPAGES 页."""
    for text, code in (("第 ", "PAGE"), (" 页　共 ", "NUMPAGES"), (" 页", "")):
        paragraph.add_run(text)
        if code:
            field = f'<w:fldSimple {nsdecls("w")} w:instr="{code}"><w:r><w:t>1</w:t></w:r></w:fldSimple>'
            paragraph._p.append(parse_xml(field))
