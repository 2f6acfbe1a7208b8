"""The blocks of a document as WordprocessingML (ECMA-376, part 1, 17), styles named by the template's ids."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from docx.document import Document as WordDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Emu

from documents.content import (
    Block,
    Chart,
    Fields,
    Heading,
    PageBreak,
    Paragraph,
    Table,
    shown,
)
from documents.grids import ALIGN, Line, field_lines
from documents.measure import fitted
from documents.pdf import picture
from documents.word_style import BODY, CELL, HEAD, NOTE

SHORT = 12
"""Rows of a table that stay on one page with its caption and note; of a longer one, head and first row, and the end."""
SHADE = "DDE6F0"
STRONG = "F2F2F2"
TWIPS = 20
"""Of a point: Word's unit of length."""
EMU = 635
"""English metric units of a twip."""
CHARACTER = 10.5 * TWIPS
"""The breadth of a Chinese character in a table."""


class Blocks:
    """Renders blocks for one Word document, as elements that are not yet placed in it."""

    def __init__(self, document: WordDocument, room: int, fonts: Path | None = None) -> None:
        """`room` is the breadth of a line, in twips; `fonts` a folder with further fonts for charts."""
        self.fonts = fonts
        self.document = document
        self.room = room
        self.ids: Mapping[str, str] = {style.name: style.style_id for style in document.styles}

    def render(self, block: Block) -> Iterator[Any]:
        """The elements of one numbered block."""
        match block:
            case Heading():
                yield self._paragraph(block.text, f"Heading {block.level}")
            case Paragraph(align="left"):
                yield from (self._paragraph(line, BODY) for line in block.text.split("\n"))
            case Paragraph():
                straight = f'<w:ind w:firstLine="0" w:firstLineChars="0"/><w:jc w:val="{block.align}"/>'
                yield from (self._paragraph(line, BODY, straight) for line in block.text.split("\n"))
            case Fields():
                yield from self.grid(field_lines(block), [8, 16, 8, 16])
            case Table():
                yield from self._table(block)
            case Chart():
                yield from self._chart(block)
            case PageBreak():
                yield _element('<w:p><w:r><w:br w:type="page"/></w:r></w:p>')

    def grid(self, lines: Sequence[Line], shares: Sequence[float]) -> Iterator[Any]:
        """A ruled grid of labels and values, and the empty line that keeps it from what follows."""
        breadths = self._breadths(shares)
        rows = []
        for line in lines:
            cells, at = [], 0
            for cell in line:
                breadth = sum(breadths[at : at + cell.span])
                style, shade = (HEAD, SHADE) if cell.label else (CELL, "")
                cells.append(self._cell(cell.text, breadth, style, shade=shade, span=cell.span))
                at += cell.span
            rows.append(f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{''.join(cells)}</w:tr>")
        if rows:
            yield self._ruled(breadths, rows)
            yield self._paragraph("", NOTE)

    def _table(self, table: Table) -> Iterator[Any]:
        breadths = self._breadths(fitted(table, self.room / CHARACTER))
        heads = (
            self._cell(column.title, breadth, HEAD, shade=SHADE, keep=True)
            for column, breadth in zip(table.columns, breadths, strict=True)
        )
        rows = [f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{''.join(heads)}</w:tr>"]
        last = len(table.rows) - 1
        for number, row in enumerate(table.rows):
            style, shade = (HEAD, STRONG) if number in table.strong else (CELL, "")
            keep = last < SHORT or number in (0, last - 1) or (number == last and bool(table.note))
            cells = (
                self._cell(
                    shown(value, column), breadth, style, shade=shade, align=ALIGN[column.kind], keep=keep
                )
                for value, column, breadth in zip(row, table.columns, breadths, strict=True)
            )
            rows.append(f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{''.join(cells)}</w:tr>")
        if not table.rows:
            whole = self._cell(table.empty, sum(breadths), CELL, align="center", span=len(breadths))
            rows.append(f"<w:tr>{whole}</w:tr>")
        if table.caption:
            yield self._paragraph(table.caption, "Caption", "<w:keepNext/>")
        yield self._ruled(breadths, rows)
        yield self._paragraph(table.note, NOTE)

    def _chart(self, chart: Chart) -> Iterator[Any]:
        paragraph = self.document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.keep_with_next = True
        drawn = paragraph.add_run().add_picture(
            io.BytesIO(picture(chart, fonts=self.fonts)), width=Emu(self.room * EMU)
        )
        drawn._inline.docPr.set("descr", f"{chart.caption}：{'、'.join(chart.labels)}"[:2000])
        paragraph._p.getparent().remove(paragraph._p)
        yield paragraph._p
        if chart.caption:
            yield self._paragraph(chart.caption, "Caption", "<w:keepNext/>" if chart.note else "")
        if chart.note:
            yield self._paragraph(chart.note, NOTE)

    def _breadths(self, shares: Sequence[float]) -> list[int]:
        return [round(self.room * share / sum(shares)) for share in shares]

    def _ruled(self, breadths: Sequence[int], rows: Sequence[str]) -> Any:
        edges = "".join(
            f'<w:{edge} w:val="single" w:sz="4" w:space="0" w:color="5A5A5A"/>'
            for edge in ("top", "left", "bottom", "right", "insideH", "insideV")
        )
        columns = "".join(f'<w:gridCol w:w="{breadth}"/>' for breadth in breadths)
        return _element(
            f'<w:tbl><w:tblPr><w:tblW w:w="{sum(breadths)}" w:type="dxa"/><w:jc w:val="center"/>'
            f'<w:tblBorders>{edges}</w:tblBorders><w:tblLayout w:type="fixed"/>'
            f'<w:tblCellMar><w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar></w:tblPr>'
            f"<w:tblGrid>{columns}</w:tblGrid>{''.join(rows)}</w:tbl>"
        )

    def _cell(
        self,
        text: str,
        breadth: int,
        style: str,
        *,
        shade: str = "",
        align: str = "",
        span: int = 1,
        keep: bool = False,
    ) -> str:
        wide = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
        fill = f'<w:shd w:val="clear" w:color="auto" w:fill="{shade}"/>' if shade else ""
        aligned = ("<w:keepNext/>" if keep else "") + (f'<w:jc w:val="{align}"/>' if align else "")
        return (
            f'<w:tc><w:tcPr><w:tcW w:w="{breadth}" w:type="dxa"/>{wide}{fill}<w:vAlign w:val="center"/></w:tcPr>'
            f"{self._paragraph_xml(text, style, aligned)}</w:tc>"
        )

    def _paragraph(self, text: str, style: str, properties: str = "") -> Any:
        return _element(self._paragraph_xml(text, style, properties))

    def _paragraph_xml(self, text: str, style: str, properties: str) -> str:
        # Without the hint Word sets quotation marks, dashes and ± in the Latin font, half as broad.
        words = escape(text).replace("\n", "</w:t><w:br/><w:t xml:space='preserve'>")
        words = words.replace("\t", "</w:t><w:tab/><w:t xml:space='preserve'>")
        run = (
            f"<w:r><w:rPr><w:rFonts w:hint='eastAsia'/></w:rPr><w:t xml:space='preserve'>{words}</w:t></w:r>"
        )
        return (
            f'<w:p><w:pPr><w:pStyle w:val="{escape(self.ids[style])}"/>{properties}</w:pPr>'
            f"{run if text else ''}</w:p>"
        )


def _element(xml: str) -> Any:
    place = xml.index(">") if xml[xml.index(">") - 1] != "/" else xml.index(">") - 1
    return parse_xml(f"{xml[:place]} {nsdecls('w')}{xml[place:]}")
