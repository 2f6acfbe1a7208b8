"""Word documents: content set into the shipped template, or into one of a department's own.

A template is a .docx with placeholders, which Word's own formatting surrounds:

    {{ title }} {{ code }} {{ version }} {{ organisation }} {{ dated }}
    {{ signed["审核"].name }} {{ signed["审核"].on }}    one line of the sign-off
    {{ control }}    alone in a paragraph: the ruled block of code, version and sign-off
    {{ body }}       alone in a paragraph: headings, paragraphs, tables and charts
    {{ … }}          whatever else the document's `values` hold; `{%tr for … %}` repeats a table's row

The same content in the same template gives the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import docx
from docx.document import Document as WordDocument
from docx.oxml.ns import qn
from docxtpl import DocxTemplate
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment
from lxml import etree

from documents.checking import check
from documents.content import Document
from documents.grids import control_lines
from documents.numbering import numbered
from documents.word_blocks import EMU, Blocks
from documents.word_style import complete_styles, standard_template
from engine.errors import Finding, Misbuilt

LARGEST = 50_000_000
"""Bytes of a template, unpacked."""
LONGEST = 60
"""Characters of a template's text that an error quotes."""
CONTROL, BODY = "\ufdd0control\ufdd0", "\ufdd0body\ufdd0"
"""What marks where blocks go: a character that no text may hold."""
EPOCH = (1980, 1, 1, 0, 0, 0)


def word(
    document: Document,
    template: bytes | None = None,
    name: str = "template.docx",
    fonts: Path | None = None,
) -> bytes:
    """The document as .docx, set into `template`, which errors call `name`; `fonts` as for `pdf`, for charts.

    Raises `Invalid` for content that cannot be printed, `Misbuilt` for a template that cannot be used.
    """
    check(document.control, document.blocks)
    filled = _filled(standard_template(document.landscape) if template is None else template, document, name)
    made: WordDocument = filled.docx
    complete_styles(made)
    section = made.sections[0]
    width, left, right = section.page_width, section.left_margin, section.right_margin
    room = ((width or 0) - (left or 0) - (right or 0)) // EMU
    blocks = Blocks(made, room, fonts)
    _put(made, CONTROL, blocks.grid(control_lines(document.control), [7, 9, 7, 9, 7, 9]))
    found = _put(made, BODY, (one for block in numbered(document.blocks) for one in blocks.render(block)))
    if not found and document.blocks:
        place = "{{ body }}"
        reason = "The template has no place for the document's text"
        raise _misbuilt(name, place, reason, "Write {place} alone in a paragraph", place=place)
    _describe(made, document)
    out = io.BytesIO()
    filled.save(out)
    return packed(out.getvalue())


def packed(archive: bytes) -> bytes:
    """The zip file once more, with the same time on every member."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            member = zipfile.ZipInfo(name, EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(member, old.read(name))
    return out.getvalue()


def _filled(source: bytes, document: Document, name: str) -> Any:
    """The template with its placeholders filled in, and marks where blocks go."""
    _refuse_archive(source, name)
    environment = SandboxedEnvironment(undefined=StrictUndefined)
    try:
        template = DocxTemplate(io.BytesIO(source))
        template.render(_context(document), jinja_env=environment, autoescape=True)
        assert template.docx is not None
    except (TemplateError, ArithmeticError, TypeError) as error:
        reason = "A placeholder cannot be filled in: {error}"
        remedy = "Correct it, or take it out; docs/documents.md lists what a template may name"
        place = _place(source, environment, document, str(error))
        raise _misbuilt(name, place, reason, remedy, error=str(error)) from error
    except (KeyError, ValueError, etree.XMLSyntaxError, zipfile.BadZipFile) as error:
        raise _misbuilt(name, "", "It is no Word document", "Save it as .docx in Word") from error
    return template


def _place(source: bytes, environment: SandboxedEnvironment, document: Document, error: str) -> str:
    """The paragraph that fails by itself as the whole template does; empty where it takes several to fail."""
    found = docx.Document(io.BytesIO(source))
    edges = [edge._element for part in found.sections for edge in (part.header, part.footer)]
    for element in (found.element.body, *edges):
        for paragraph in element.iter(qn("w:p")):
            text = "".join(each.text or "" for each in paragraph.iter(qn("w:t"))).strip()
            try:
                environment.from_string(text).render(_context(document))
            except (TemplateError, ArithmeticError, TypeError) as fault:
                if str(fault) == error:
                    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return ""


def _refuse_archive(source: bytes, name: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(source)) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise _misbuilt(name, "", "It is no Word document", "Save it as .docx in Word") from error
    if size > LARGEST:
        raise _misbuilt(name, "", "The template is too large", "Make its pictures smaller")


def _context(document: Document) -> dict[str, object]:
    control = document.control
    return {
        **document.values,
        "title": control.title,
        "code": control.code,
        "version": control.version,
        "organisation": control.organisation,
        "dated": control.dated.isoformat(),
        "signed": {
            s.act: {"name": s.name, "on": s.on.isoformat() if s.on else ""} for s in control.signatures
        },
        "control": CONTROL,
        "body": BODY,
    }


def _put(document: WordDocument, mark: str, elements: Iterable[Any]) -> bool:
    """Puts the elements where the mark's paragraph stands; whether there is one."""
    marked = next(_marked(document, mark), None)
    if marked is None:
        return False
    for element in elements:
        marked.addprevious(element)
    parent = marked.getparent()
    # A cell has to end with a paragraph, and a paragraph between two tables keeps them apart.
    if parent.tag != qn("w:tc") or marked.getnext() is not None:
        parent.remove(marked)
    else:
        for run in marked.findall(qn("w:r")):
            marked.remove(run)
    return True


def _marked(document: WordDocument, mark: str) -> Iterator[Any]:
    for paragraph in document.element.body.iter(qn("w:p")):
        if "".join(text.text or "" for text in paragraph.iter(qn("w:t"))).strip() == mark:
            yield paragraph


def _describe(document: WordDocument, content: Document) -> None:
    """Title and organisation; the times are those of the day of issue, else every file would be another."""
    about, control = document.core_properties, content.control
    day = datetime.combine(control.dated, time(), UTC)
    about.title, about.author, about.last_modified_by = control.title, control.organisation, ""
    about.created = about.modified = day
    about.version, about.identifier, about.language = control.version, control.code, "zh-CN"
    about.comments = about.subject = about.keywords = ""
    about.revision = 1


def _misbuilt(name: str, element: str, reason: str, remedy: str, **params: object) -> Misbuilt:
    return Misbuilt([Finding("error", name, element, reason, remedy, params)])
