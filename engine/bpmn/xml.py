"""BPMN files as XML: well-formed, within stated limits, free of entities; and the names of its elements."""

from __future__ import annotations

from lxml import etree

from engine.errors import Finding, Misbuilt
from engine.xml_text import MAX_BYTES, decode, has_document_type

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
CAMUNDA = "http://camunda.org/schema/1.0/bpmn"

MAX_ELEMENTS = 50_000
"""Of the XML: a step with its properties, its flow and their drawing are some sixteen."""
MAX_DEPTH = 1_000
_PORTION = 3 * MAX_DEPTH
"""Bytes looked at at once: a tag has three at least, and libxml2 gives up by itself at a depth of 2,048."""
MAX_ATTRIBUTES = 200
"""Attributes of one element."""
MAX_CHILDREN = 2_000
"""Of one element other than those that hold steps, lanes or the drawing."""
_HOLDERS = (
    *("definitions", "process", "subProcess", "transaction", "adHocSubProcess"),
    *("collaboration", "laneSet", "lane", "extensionElements"),
)
MAX_ATTRIBUTE = 10_000
"""Characters of one attribute, and of an element's name."""


def tag(name: str) -> str:
    """The qualified name of a BPMN element."""
    return f"{{{BPMN}}}{name}"


def local(element: etree._Element) -> str:
    """The local name of an element; empty for comments and foreign namespaces."""
    if not isinstance(element.tag, str):
        return ""
    namespace, _, name = element.tag[1:].rpartition("}")
    return name if namespace == BPMN else ""


def refuse(template: str, remedy: str, element: str = "", **params: object) -> Misbuilt:
    """A file that cannot be read at all."""
    return Misbuilt([Finding("error", "", element, template, remedy, params)])


def parse(xml: bytes) -> etree._Element:
    """The file's root, its lines counted as in the file.

    Raises Misbuilt for what is no BPMN file, is beyond the limits above, or declares entities. Nothing
    outside the file is ever read.
    """
    if len(xml) > MAX_BYTES:
        raise refuse(
            "The file is larger than {limit} bytes",
            "Split the procedure into called processes",
            limit=MAX_BYTES,
        )
    text = decode(xml).text
    if has_document_type(text):
        raise refuse("The file declares a document type or entities", "Save it again from a BPMN editor")
    try:
        root = _built(text.encode("utf-8"))
    except etree.XMLSyntaxError as error:
        line = getattr(error, "lineno", None)
        raise refuse(
            "The file is not well-formed XML: {reason}",
            "Open and save it in a BPMN editor",
            f"line {line}" if line else "",
            reason=str(error),
        ) from None
    if root is None or root.tag != tag("definitions"):
        raise refuse("The root element is not BPMN 2.0 definitions", "Save the diagram as BPMN 2.0 XML")
    return root


def _built(utf8: bytes) -> etree._Element:
    """The tree, given up as soon as it grows beyond the limits."""
    parser = etree.XMLPullParser(
        ("start", "end"),
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
    )
    depth = count = 0
    for start in range(0, len(utf8), _PORTION):
        parser.feed(utf8[start : start + _PORTION])
        for event, element in parser.read_events():
            depth += 1 if event == "start" else -1
            if event == "end":
                _few_children(element)
                continue
            count += 1
            _small(element)
            if depth > MAX_DEPTH or count > MAX_ELEMENTS:
                raise refuse(
                    "The file has more than {elements} elements or nests deeper than {depth}",
                    "Split the procedure into called processes",
                    elements=MAX_ELEMENTS,
                    depth=MAX_DEPTH,
                )
    root: etree._Element = parser.close()
    return root


def _small(element: etree._Element) -> None:
    """Refuse an element whose attributes are beyond the limits."""
    if len(element.attrib) > MAX_ATTRIBUTES:
        raise refuse(
            "An element has more than {limit} attributes",
            "Delete those that say nothing",
            f"line {element.sourceline}",
            limit=MAX_ATTRIBUTES,
        )
    if any(len(part) > MAX_ATTRIBUTE for part in (element.tag, *element.keys(), *element.values())):
        raise refuse(
            "A name or value in the file is longer than {limit} characters",
            "Shorten it; long texts go into documentation",
            f"line {element.sourceline}",
            limit=MAX_ATTRIBUTE,
        )


def _few_children(element: etree._Element) -> None:
    """Refuse an element with more inside it than anybody could have drawn."""
    if len(element) > MAX_CHILDREN and local(element) not in ("", *_HOLDERS):
        raise refuse(
            "The {tag} has more than {limit} elements in it",
            "Split it, for example by gateways one after another",
            element.get("id") or f"line {element.sourceline}",
            tag=local(element),
            limit=MAX_CHILDREN,
        )
