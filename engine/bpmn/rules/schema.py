"""The schema of BPMN 2.0 (formal/2013-12-09, BPMN20.xsd), its complaints put into words for process owners.

Three of its demands are not made, for files from many tools break them and nothing depends on it: the order of
an element's children, a target namespace, and an expression's type where it names a language. The drawing is
left out: it changes nothing about a run, and `engine.layout` judges it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

from lxml import etree

from engine.bpmn.diagram import SCOPES
from engine.bpmn.rules.document import fault
from engine.bpmn.xml import BPMN, BPMNDI, local, tag
from engine.errors import Finding
from engine.strict_yaml import nearest

MOST = 200
"""Complaints that are told."""

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_ATTRIBUTE = re.compile(r"[Tt]he attribute '([^']*)'|, attribute '([^']*)'")
_BESIDE = 500
_SHELLS: dict[object, tuple[str, ...]] = {
    tag("definitions"): (),
    tag("collaboration"): (tag("collaboration"),),
    **{tag(name): (tag("process"),) for name in ("process", *SCOPES)},
    tag("laneSet"): (tag("process"), tag("laneSet")),
    tag("lane"): (tag("process"), tag("laneSet"), tag("lane")),
}
"""Elements that may have many children, and in what such children may stand alone."""
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NAME = re.compile(r"[^\W\d][\w.-]*")
_STEP = re.compile(r"[\w.-]+:([\w.-]+)")
_TOLERATED = (
    ("definitions", "targetNamespace"),
    ("conditionExpression", "language"),
    ("loopCondition", "language"),
    ("completionCondition", "language"),
    ("condition", "language"),
    ("loopCardinality", "language"),
    ("timeDuration", "language"),
    ("timeDate", "language"),
    ("timeCycle", "language"),
    ("activationCondition", "language"),
)
_SAID_ELSEWHERE = (
    ("sequenceFlow", "sourceRef"),
    ("sequenceFlow", "targetRef"),
    ("boundaryEvent", "attachedToRef"),
    ("linkEventDefinition", "name"),
)
"""Attributes that must not be missing, as rules of their own say better."""


def valid(root: etree._Element) -> Iterator[Finding]:
    """What the file has, or lacks, against the schema; of many complaints the first."""
    grammar = _grammar()
    tree = deepcopy(root)
    for drawing in tree.findall(f"{{{BPMNDI}}}BPMNDiagram"):
        tree.remove(drawing)
    for element in tree.iter(f"{{{BPMN}}}*"):
        grammar.put_in_order(element)
    told: set[tuple[str, object, str]] = set()
    for part in _parts(tree):
        if grammar.schema.validate(part):
            continue
        for entry in list(grammar.schema.error_log):
            finding = _worded(grammar, _at(part, entry.path or ""), entry.type_name, entry.message)
            if finding is None or (finding.element, finding.line, finding.reason) in told:
                continue
            told.add((finding.element, finding.line, finding.reason))
            yield finding
            if len(told) >= MOST:
                return


def _parts(tree: etree._Element) -> Iterator[etree._Element]:
    """The file in parts, none of which has many elements side by side.

    For each complaint the validator counts the elements before, so that a long file with as many faults would
    take minutes.
    """
    parts = []
    for element in list(tree.iter(*_SHELLS)):
        rest = list(element)[_BESIDE:]
        for start in range(0, len(rest), _BESIDE):
            # With the prefixes of the place: names in values (`xsi:type`, `messageRef`) are written with them.
            part = inner = etree.Element(tag("definitions"), {"targetNamespace": "part"}, nsmap=element.nsmap)
            for name in _SHELLS[element.tag]:
                inner = etree.SubElement(inner, name)
            inner.extend(rest[start : start + _BESIDE])
            parts.append(part)
    yield tree
    yield from parts


def _at(tree: etree._Element, path: str) -> etree._Element:
    """The element a complaint is about. Its path has the file's own prefixes, which may differ from place to place."""
    found = tree.getroottree().xpath(_STEP.sub(r"*[local-name()='\1']", path)) if path else []
    return found[0] if isinstance(found, list) and found else tree


def _worded(grammar: _Grammar, element: etree._Element, kind: str, message: str) -> Finding | None:
    """One complaint in our words; None for what is not asked, or said by another rule."""
    name = local(element)
    if not name:
        return None  # the drawing, or an extension of another program
    found = _ATTRIBUTE.search(message)
    attribute = next(filter(None, found.groups()), "") if found else ""
    if (name, attribute) in _TOLERATED:
        return None
    if kind == "SCHEMAV_CVC_COMPLEX_TYPE_4":
        if (name, attribute) in _SAID_ELSEWHERE:
            return None
        template = "The {tag} lacks the attribute {attribute}"
        return fault(element, template, "Add it", tag=name, attribute=attribute)
    if kind.startswith("SCHEMAV_CVC_COMPLEX_TYPE_3"):
        close = nearest(attribute, grammar.attributes(name))
        template, remedy = "{tag} has no attribute {attribute}", "Delete it"
        remedy = "Did you mean {meant}?" if close else remedy
        return fault(element, template, remedy, tag=name, attribute=attribute, meant=close)
    if attribute == "id" and _NAME.fullmatch(element.get("id") or ""):
        return None  # it stands twice, which the reader says
    if attribute:
        value = (element.get(attribute) or "")[:60]
        template = "The attribute {attribute} of the {tag} holds {value}, which it cannot"
        known = grammar.values.get((grammar.type_of(name), attribute), "")
        if attribute == _TYPE:
            attribute, known = "xsi:type", " / ".join(_types(grammar, element))
        remedy = "Write {known}" if known else "Correct it"
        return fault(
            element, template, remedy, tag=name, attribute=attribute, value=value or "''", known=known
        )
    return _of_content(grammar, element, kind, message)


def _types(grammar: _Grammar, element: etree._Element) -> Iterator[str]:
    """What may stand as the type of an element, with the file's own prefix for BPMN."""
    prefix = next((f"{prefix}:" for prefix, uri in element.nsmap.items() if uri == BPMN and prefix), "")
    wanted = grammar.type_of(local(element)).rpartition(":")[2]
    for kind in grammar.types:
        base = kind
        while base and base != wanted:
            base = grammar.types.get(base, ("",))[0].rpartition(":")[2]
        if kind and base:
            yield prefix + kind


def _of_content(grammar: _Grammar, element: etree._Element, kind: str, message: str) -> Finding:
    name, around = local(element), element.getparent()
    if kind == "SCHEMAV_ELEMENT_CONTENT" and "child element(s)" in message:
        needed = " / ".join(dict.fromkeys(re.findall(r"\}(\w+)", message.partition("Expected")[2]))) or "?"
        template = "The {tag} is incomplete: it lacks {needed}"
        return fault(element, template, "Add it", tag=name, needed=needed)
    if kind == "SCHEMAV_ELEMENT_CONTENT":
        parent = "" if around is None else local(around)
        known = grammar.children(parent)
        if grammar.rank(parent, name) < len(known):
            template = "The {tag} cannot stand in the {parent} beside what is there already"
            return fault(element, template, "Keep one of them", tag=name, parent=parent)
        close = nearest(name, known)
        template, remedy = "{tag} has no place in {parent}", "Delete it, or draw it anew in a BPMN editor"
        remedy = "Did you mean {meant}?" if close else remedy
        return fault(element, template, remedy, tag=name, parent=parent, meant=close)
    if "CVC_COMPLEX_TYPE_2" in kind:
        stray = " ".join("".join(element.itertext()).split())[:60]
        template, remedy = "Text stands in the {tag}, where none belongs: {text}", "Delete it"
        return fault(element, template, remedy, tag=name, text=stray)
    if "DATATYPE" in kind or "PATTERN" in kind or "ENUMERATION" in kind:
        value = (element.text or "").strip()[:60]
        template = "The {tag} holds {value}, which it cannot"
        return fault(element, template, "Correct it", tag=name, value=value or "''")
    template = "The {tag} breaks the schema of BPMN 2.0: {reason}"
    reason = re.sub(r"\{[^}]*\}", "", message).partition(": ")[2] or message
    return fault(element, template, "Draw it anew in a BPMN editor", tag=name, reason=reason)


@dataclass
class _Grammar:
    """What the schema says: for judging, and for the order of children."""

    schema: etree.XMLSchema
    types: dict[str, tuple[str, list[str], list[str]]]
    """Of a type: the one it extends, its own children in order, its own attributes."""
    elements: dict[str, str]
    """The type of an element."""
    heads: dict[str, str]
    """The element in whose place another may stand."""
    values: dict[tuple[str, str], str]
    """What an attribute of a type may hold, in words."""

    def type_of(self, element: str) -> str:
        """The type of an element, or nothing."""
        return self.elements.get(element, "")

    def children(self, element: str) -> list[str]:
        """The children an element may have, in their order."""
        return _children(self, self.type_of(element))

    def attributes(self, element: str) -> list[str]:
        """The attributes an element may have."""
        found, kind = [], self.type_of(element)
        while kind in self.types:
            kind, _, own = self.types[kind]
            found += own
        return found

    def rank(self, parent: str, child: str) -> int:
        """Where a child belongs among its siblings; behind them all when it does not belong there."""
        known: list[str] = self.children(parent)
        name: str | None = child
        while name is not None:
            if name in known:
                return known.index(name)
            name = self.heads.get(name)
        return len(known)

    def put_in_order(self, element: etree._Element) -> None:
        """Sort the children as the schema wants them; those of one kind stay in their order."""
        name = local(element)
        ranks = [self.rank(name, local(child)) for child in element]
        if any(one > other for one, other in pairwise(ranks)):
            children = sorted(zip(ranks, element, strict=True), key=lambda pair: pair[0])
            element[:] = [child for _, child in children]


def _children(grammar: _Grammar, kind: str) -> list[str]:
    found: list[str] = []
    while kind in grammar.types:
        kind, own, _ = grammar.types[kind]
        found = own + found
    return found


@cache
def _grammar() -> _Grammar:
    """The schema as the BPMN library ships it; nothing is fetched."""
    folder = files("SpiffWorkflow") / "bpmn" / "parser" / "schema"
    main = str(folder / "BPMN20.xsd")
    parser = etree.XMLParser(no_network=True, resolve_entities=False)
    schema = etree.XMLSchema(etree.parse(main, parser))
    grammar = _Grammar(schema, {}, {}, {}, {})
    for name in ("BPMN20.xsd", "Semantic.xsd"):
        _take_in(grammar, etree.fromstring((folder / name).read_bytes(), parser))
    return grammar


def _take_in(grammar: _Grammar, xsd: etree._Element) -> None:
    simple = {each.get("name", ""): each for each in xsd.iter(f"{_XSD}simpleType") if each.get("name")}
    for each in xsd.iter(f"{_XSD}element"):
        name, kind, head = each.get("name"), each.get("type"), each.get("substitutionGroup")
        if name and kind:
            grammar.elements.setdefault(name, kind)
        if name and head:
            grammar.heads[name] = head
    for kind in xsd.iter(f"{_XSD}complexType"):
        own = kind.get("name", "")
        base = next((each.get("base", "") for each in kind.iter(f"{_XSD}extension")), "")
        inner = [
            (each.get("name") or each.get("ref", "")).rpartition(":")[2]
            for each in kind.iter(f"{_XSD}element")
        ]
        attributes = list(kind.iter(f"{_XSD}attribute"))
        grammar.types[own] = (base, inner, [each.get("name", "") for each in attributes])
        for each in attributes:
            grammar.values[own, each.get("name", "")] = _possible(each.get("type", ""), simple)


def _possible(kind: str, simple: dict[str, etree._Element]) -> str:
    if kind in simple:
        return ", ".join(each.get("value", "") for each in simple[kind].iter(f"{_XSD}enumeration"))
    return {"xsd:boolean": "true, false", "xsd:integer": "0, 1, 2, …", "xsd:int": "0, 1, 2, …"}.get(kind, "")
