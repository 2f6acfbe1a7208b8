"""XML files as text, whatever encoding they declare, and back again.

The encoding is the one a reader has to assume by XML 1.0, appendix F: a byte order mark, else the shape of the
first bytes, else the declaration, else UTF-8. Everything that reads a diagram reads it through here, so that a
file which one of them accepts is no riddle to the next.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from engine.errors import Finding, Misbuilt

MAX_BYTES = 4_000_000
"""Of a diagram."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SHAPES = ((b"<\0?\0", "utf-16-le"), (b"\0<\0?", "utf-16-be"))
_BEFORE = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
"""What may stand before the first sign of XML in one encoding or another: byte order marks, zeros, white space."""
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?\bencoding\s*=\s*["']([A-Za-z][\w.-]{0,39})["']""")
_PROLOGUE = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030"}
"""What declares itself the former often uses signs of the latter, of which it is a part."""


@dataclass(frozen=True, slots=True)
class XmlText:
    """The text of a file, and how to write it back."""

    text: str
    """Without the byte order mark."""
    encoding: str
    mark: bytes

    def write(self, text: str) -> bytes:
        """Another text in the same encoding; signs that it lacks become character references."""
        return self.mark + text.encode(self.encoding, "xmlcharrefreplace")


def decode(xml: bytes) -> XmlText:
    """The file's text. Raises Misbuilt when it is no XML, or its bytes are not of the encoding it has."""
    if not xml.lstrip(_BEFORE).startswith(b"<"):
        template = "The file is not XML" if xml.strip() else "The file is empty"
        raise Misbuilt([Finding("error", "", "", template, "Name a file as an editor of diagrams saves it")])
    mark, encoding = _encoding(xml)
    try:
        text = xml[len(mark) :].decode(encoding)
        text.encode("utf-8")
    except (LookupError, UnicodeError) as error:
        place = error.start if isinstance(error, UnicodeDecodeError) else None
        template, remedy = "The encoding {encoding} is not known", "Save the file as UTF-8"
        if place is not None:
            template = "Byte {place} is no text of the encoding {encoding}"
            remedy = "Save the file as UTF-8, or let its first line declare the encoding that it has"
        params = {"encoding": encoding, "place": place}
        raise Misbuilt([Finding("error", "", "", template, remedy, params)]) from None
    return XmlText(text, encoding, mark)


def has_document_type(text: str) -> bool:
    """Whether a document type is declared: where entities, and references to other files, come from."""
    start = _PROLOGUE.match(text)
    return text.startswith("<!", start.end() if start else 0)


def _encoding(xml: bytes) -> tuple[bytes, str]:
    for mark, encoding in _MARKS:
        if xml.startswith(mark):
            return mark, encoding
    for shape, encoding in _SHAPES:
        if xml.startswith(shape):
            return b"", encoding
    declared = _DECLARED.match(xml)
    encoding = declared[1].decode("ascii").lower() if declared else "utf-8"
    return b"", _WIDER.get(encoding, encoding)
