"""BPMN files as XML: well-formed, within stated limits, free of entities; and the names of its elements."""

from __future__ import annotations

from lxml import etree

from engine.errors import Finding, Misbuilt

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
CAMUNDA = "http://camunda.org/schema/1.0/bpmn"

MAX_BYTES = 5_000_000
MAX_ELEMENTS = 100_000
MAX_DEPTH = 1_000


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
    """The file's root.

    Raises Misbuilt for what is no BPMN file, is too large or too deep, or declares entities.
    """
    if len(xml) > MAX_BYTES:
        raise refuse(
            "The file is larger than {limit} bytes",
            "Split the procedure into called processes",
            limit=MAX_BYTES,
        )
    if b"<!DOCTYPE" in xml[:65536] or b"<!ENTITY" in xml or "<!DOCTYPE".encode("utf-16-le") in xml[:65536]:
        raise refuse("The file declares a document type or entities", "Save it again from a BPMN editor")
    depth = count = 0
    try:
        events = etree.XMLPullParser(
            ("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
        )
        for start in range(0, len(xml), 65536):
            events.feed(xml[start : start + 65536])
            for event, _ in events.read_events():
                depth += 1 if event == "start" else -1
                count += event == "start"
                if depth > MAX_DEPTH or count > MAX_ELEMENTS:
                    raise refuse(
                        "The file has more than {elements} elements or nests deeper than {depth}",
                        "Split the procedure into called processes",
                        elements=MAX_ELEMENTS,
                        depth=MAX_DEPTH,
                    )
        root = events.close()
    except (etree.XMLSyntaxError, LookupError) as error:
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
