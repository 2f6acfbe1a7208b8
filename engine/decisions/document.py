"""A .dmn file as XML: well-formed, within a stated limit, free of entities; and the names of its elements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from engine.errors import Finding, Misbuilt
from engine.xml_text import decode, has_document_type

NAMESPACES: Final = (
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
)
MAX_BYTES: Final = 5_000_000


def parse(xml: bytes) -> etree._Element:
    """The root of a file. Raises Misbuilt for what is no DMN, or declares entities."""
    if len(xml) > MAX_BYTES:
        raise _refused("The file is larger than {limit} bytes", "Split the table", limit=MAX_BYTES)
    text = decode(xml).text
    if has_document_type(text):
        raise _refused("The file declares a document type or entities", "Save it again from a DMN editor")
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        template, remedy = "The file is not well-formed XML: {reason}", "Open and save it in a DMN editor"
        raise _refused(template, remedy, reason=str(error)) from None
    if etree.QName(root).namespace not in NAMESPACES or local(root) != "definitions":
        raise _refused("The root element is not DMN definitions", "Save the table as DMN 1.3")
    return root


def _refused(template: str, remedy: str, **params: object) -> Misbuilt:
    return Misbuilt([Finding("error", "", "", template, remedy, params)])


def local(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    return str(etree.QName(element).localname)


def children(element: etree._Element) -> Iterator[etree._Element]:
    """The children that DMN defines; extensions and drawing are of other namespaces."""
    for each in element:
        if isinstance(each.tag, str) and etree.QName(each).namespace in NAMESPACES:
            yield each


def named(element: etree._Element, name: str) -> list[etree._Element]:
    """The children of that name."""
    return [each for each in children(element) if local(each) == name]


def child(element: etree._Element, name: str) -> etree._Element | None:
    """The first child of that name, or None."""
    return next(iter(named(element, name)), None)
