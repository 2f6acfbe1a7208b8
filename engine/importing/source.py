"""A BPMN file as text with the places of its elements, and edits of single places.

The file is never written anew from its tree: an edit replaces the characters between two places, and every
other byte (comments, order of attributes, white space, CDATA, line ends, byte order mark) stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from engine.bpmn.xml import parse, refuse
from engine.xml_text import XmlText, decode

# Of well-formed XML without a document type, which is all that is read.
_MARKUP = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>"
    r"|</(?P<end>[^\s>]+)\s*>"
    r"|<(?P<start>[^\s/>]+)(?P<attributes>(?:\s+[^\s=>]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*(?P<empty>/?)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"\s+(?P<name>[^\s=>]+)\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')")


@dataclass(slots=True)
class Attribute:
    """One attribute as written; `start` is that of the white space before it."""

    name: str
    start: int
    name_at: int
    value_at: int
    value_end: int

    @property
    def end(self) -> int:
        """Behind its closing quote."""
        return self.value_end + 1


@dataclass(slots=True)
class Place:
    """Where an element stands, in characters."""

    name: str
    start: int
    head_end: int
    """Behind the start tag."""
    attributes: list[Attribute]
    empty: bool
    """Whether it is one tag, `<x/>`."""
    tail: int = 0
    """Where the end tag begins."""
    end: int = 0
    """Behind the element."""

    @property
    def attributes_end(self) -> int:
        """Behind the last attribute, or the name."""
        return self.attributes[-1].end if self.attributes else self.start + 1 + len(self.name)


@dataclass(slots=True)
class Source:
    """The file, its tree and its places. Raises Misbuilt for what is no BPMN file."""

    xml: bytes
    root: etree._Element = field(init=False)
    text: str = field(init=False)
    elements: list[etree._Element] = field(init=False)
    """In the order of the file. Kept, because lxml's elements last no longer than somebody holds them."""
    places: dict[etree._Element, Place] = field(init=False)
    newline: str = field(init=False)
    _file: XmlText = field(init=False)
    _edits: list[tuple[int, int, str]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.root = parse(self.xml)
        self._file = decode(self.xml)
        self.text = self._file.text
        if self._file.write(self.text) != self.xml:
            template = "The file holds bytes that its encoding {encoding} would write otherwise"
            raise refuse(template, "Save it as UTF-8 in a BPMN editor", encoding=self._file.encoding)
        self.newline = "\r\n" if "\r\n" in self.text else "\n"
        self.elements = [each for each in self.root.iter() if isinstance(each.tag, str)]
        places = _places(self.text)
        assert [place.name.rpartition(":")[2] for place in places] == [
            etree.QName(each).localname for each in self.elements
        ], "the places are those of the tree's elements"
        self.places = dict(zip(self.elements, places, strict=True))

    def attribute(self, element: etree._Element, name: str) -> Attribute:
        """The place of an attribute that there is, by its qualified name `{namespace}local`."""
        for each in self.places[element].attributes:
            prefix, colon, local = each.name.rpartition(":")
            namespace = element.nsmap.get(prefix) if colon else None
            if (f"{{{namespace}}}{local}" if namespace else local) == name:
                return each
        raise KeyError(name)

    def declarations(self) -> Iterator[tuple[Attribute, str]]:
        """Every namespace declaration, and the namespace."""
        for element, place in self.places.items():
            for each in place.attributes:
                if each.name == "xmlns" or each.name.startswith("xmlns:"):
                    yield each, element.nsmap[each.name[6:] or None]

    def has_remarks(self, element: etree._Element) -> bool:
        """Whether comments or instructions stand in the element's text, which writing it anew would lose."""
        place = self.places[element]
        inside = re.sub(r"<!\[CDATA\[.*?\]\]>", "", self.text[place.head_end : place.tail], flags=re.DOTALL)
        return "<" in inside

    def replace(self, start: int, end: int, text: str) -> None:
        """Note an edit; no two may overlap."""
        self._edits.append((start, end, text))

    def set_value(self, attribute: Attribute, value: str) -> None:
        """Write an attribute's value anew, in the quotes that it has."""
        quote = self.text[attribute.value_end]
        self.replace(attribute.value_at, attribute.value_end, escaped(value, quote))

    def set_text(self, element: etree._Element, value: str) -> None:
        """Write an element's text anew, white space around it and CDATA as they were."""
        place = self.places[element]
        inside = self.text[place.head_end : place.tail]
        start = place.head_end + len(inside) - len(inside.lstrip())
        end = place.head_end + len(inside.rstrip())
        written, value = self.text[start:end], value.replace("\n", self.newline)
        only_cdata = written.startswith("<![CDATA[") and written.find("]]>") == len(written) - 3
        if only_cdata and "]]>" not in value and self._can_write(value):
            self.replace(start, end, f"<![CDATA[{value}]]>")
        else:
            self.replace(start, end, escaped(value))

    def remove_attribute(self, attribute: Attribute) -> None:
        """Take an attribute out, with the white space before it."""
        self.replace(attribute.start, attribute.end, "")

    def add_attribute(self, element: etree._Element, name: str, value: str) -> None:
        """Write an attribute behind those that there are."""
        at = self.places[element].attributes_end
        self.replace(at, at, f' {name}="{escaped(value, chr(34))}"')

    def remove(self, element: etree._Element) -> None:
        """Take an element out, with its lines when nothing else stands on them."""
        place = self.places[element]
        line = self.text.rfind("\n", 0, place.start) + 1
        after = self.text.find("\n", place.end)
        after = len(self.text) if after < 0 else after + 1
        alone = not self.text[line : place.start].strip() and not self.text[place.end : after].strip()
        self.replace(line if alone else place.start, after if alone else place.end, "")

    def indent(self, element: etree._Element) -> str | None:
        """The white space before an element that begins its line; None when it does not begin one."""
        start = self.places[element].start
        before = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        return before if not before.strip() else None

    def edited(self) -> bytes:
        """The file with the edits made; what its encoding lacks is written as a character reference."""
        pieces, at = [], 0
        for start, end, text in sorted(self._edits, key=lambda edit: edit[:2]):
            if start == end < at:  # to be written behind what has gone with its line
                lines = text.startswith(self.newline) and self.text[:at].endswith(self.newline)
                pieces.append(text.removeprefix(self.newline) + self.newline if lines else text)
                continue
            assert start >= at, "edits do not overlap"
            pieces += [self.text[at:start], text]
            at = end
        return self._file.write("".join([*pieces, self.text[at:]]))

    def _can_write(self, value: str) -> bool:
        try:
            value.encode(self._file.encoding)
        except UnicodeEncodeError:
            return False
        return True


def escaped(text: str, quote: str = "") -> str:
    """A text as XML writes it; in an attribute between such quotes."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if quote:
        text = text.replace(quote, "&quot;" if quote == '"' else "&apos;")
        text = text.replace("\n", "&#10;").replace("\t", "&#9;")
    return text


def _places(text: str) -> list[Place]:
    found: list[Place] = []
    opened: list[Place] = []
    for match in _MARKUP.finditer(text):
        if match["start"]:
            attributes = [
                Attribute(each["name"], each.start(), each.start("name"), *each.span(kind))
                for each in _ATTRIBUTE.finditer(text, *match.span("attributes"))
                for kind in ("double", "single")
                if each[kind] is not None
            ]
            place = Place(match["start"], match.start(), match.end(), attributes, bool(match["empty"]))
            found.append(place)
            if place.empty:
                place.tail = place.end = match.end()
            else:
                opened.append(place)
        elif match["end"]:
            place = opened.pop()
            place.tail, place.end = match.span()
    return found
