"""One import under way: the file, what was found out about it, and the edits and rows that come of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from engine.bpmn.xml import CAMUNDA, local, refuse, tag
from engine.importing.language import translated
from engine.importing.properties import write_properties
from engine.importing.report import Outcome, Refusal, Row
from engine.importing.source import Attribute, Source

VENDORS: Mapping[str, str] = {
    CAMUNDA: "Camunda 7",
    "http://operaton.org/schema/1.0/bpmn": "Operaton",
    "http://flowable.org/bpmn": "Flowable",
    "http://activiti.org/bpmn": "Activiti",
}
"""Namespaces whose extensions are one family, with what writes them; CIB seven keeps that of Camunda 7."""
ZEEBE = "http://camunda.org/schema/zeebe/1.0"


@dataclass(slots=True)
class Work:
    """What the translations share."""

    source: Source
    main: etree._Element
    """The process that a start begins with."""
    rows: list[Row] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """Variables that have another name here."""
    forms: dict[str, str] = field(default_factory=dict)
    """Forms written, in YAML, by id."""
    initiators: set[str] = field(default_factory=set)
    """Variables in which the other engine keeps who started the instance."""
    _properties: dict[etree._Element, dict[str, str]] = field(default_factory=dict)
    _removed: set[etree._Element] = field(default_factory=set)
    _declared: list[str] = field(default_factory=list)

    # What the file says

    def vendor(self, element: etree._Element, name: str) -> tuple[Attribute, str] | None:
        """A vendor's attribute of that local name, and its value."""
        for namespace in VENDORS:
            value = element.get(f"{{{namespace}}}{name}")
            if value is not None:
                return self.source.attribute(element, f"{{{namespace}}}{name}"), value
        return None

    def extensions(self, element: etree._Element, *names: str) -> Iterator[etree._Element]:
        """The vendors' extension elements of an element; those of the names given, if any are."""
        for holder in element.findall(tag("extensionElements")):
            for each in holder:
                name = extension(each)
                if name and (not names or name in names):
                    yield each

    def written(self, element: etree._Element) -> str:
        """The tag as the file has it."""
        return self.source.places[element].name

    # What becomes of it

    def row(
        self, outcome: Outcome, element: etree._Element, what: str, before: str = "", after: str = "",
        reason: str = "", remedy: str = "", /, **params: object,
    ) -> None:  # fmt: skip
        """Note what became of something that belongs to the element."""
        owner = owning(element)
        identity = "" if owner is None else owner.get("id", "")
        line = element.sourceline or 0
        self.rows.append(Row(outcome, identity, line, what, before, after, reason, remedy, params))

    def refused(self, element: etree._Element, what: str, before: str, refusal: Refusal) -> None:
        """Note a refusal."""
        self.row(
            "refused", element, what, before, "", refusal.reason, refusal.remedy, **refusal.params
        )  # fmt: skip

    def expression(self, element: etree._Element, text: str) -> str:
        """An expression in our language. Raises Refusal."""
        return translated(text, self.names)

    def translate_text(self, element: etree._Element) -> bool:
        """The expression that is the element's text; whether it could be translated."""
        before = (element.text or "").strip()
        try:
            if self.source.has_remarks(element):
                template = "A comment stands inside the text, which would be lost"
                raise Refusal(template, "Move the comment in front of the element, and import again")
            self.write_text(element, before, self.expression(element, before))
        except Refusal as refusal:
            self.refused(element, local(element), before, refusal)
            return False
        return True

    def ours(self, element: etree._Element, name: str) -> None:
        """Take out the attribute that says which language a text was written in: it is ours now."""
        before = element.get(name)
        if before is not None and before.lower() not in ("flow", "python"):
            self.source.remove_attribute(self.source.attribute(element, name))
            self.row("translated", element, name, before, "")

    def write_text(self, element: etree._Element, before: str, after: str) -> None:
        """Put our spelling in place of theirs, where it differs."""
        if after == before:
            self.row("kept", element, local(element), before)
        else:
            self.source.set_text(element, after)
            self.row("translated", element, local(element), before, after)

    def write_value(self, element: etree._Element, attribute: Attribute, before: str, after: str) -> None:
        """The same for an attribute."""
        if after == before:
            self.row("kept", element, attribute.name, before)
        else:
            self.source.set_value(attribute, after)
            self.row("translated", element, attribute.name, before, after)

    def into_property(self, element: etree._Element, name: str, value: str) -> None:
        """Say it by a property of ours."""
        self._properties.setdefault(element, {})[name] = value

    def remove(self, element: etree._Element) -> None:
        """Take an extension element out."""
        self._removed.add(element)

    # At the end

    def finish(self) -> bytes:
        """The file with all edits made."""
        holders = {each.getparent() for each in self._removed}
        for holder in holders:
            rest = [each for each in holder if isinstance(each.tag, str) and each not in self._removed]
            whole = not rest and holder.getparent() not in self._properties and not self._remarks(holder)
            for each in [holder] if whole else [each for each in holder if each in self._removed]:
                self.source.remove(each)
        for element, properties in self._properties.items():
            write_properties(self.source, element, properties, self.prefix(element))
        return self.source.edited()

    def _remarks(self, holder: etree._Element) -> bool:
        return any(not isinstance(each.tag, str) for each in holder)

    def prefix(self, element: etree._Element) -> str:
        """The prefix under which the element sees the extensions; declared at the root if it sees none."""
        for prefix, namespace in element.nsmap.items():
            if prefix and namespace in VENDORS:
                return str(prefix)
        taken = {attribute.name.partition(":")[2] for attribute, _ in self.source.declarations()}
        prefix = next(name for name in ("camunda", "camunda7", "camunda1") if name not in taken)
        if prefix not in self._declared:
            self._declared.append(prefix)
            self.source.add_attribute(self.source.root, f"xmlns:{prefix}", CAMUNDA)
        return prefix


def extension(element: etree._Element) -> str:
    """The local name of a vendor's element; empty for any other."""
    if not isinstance(element.tag, str):
        return ""
    name = etree.QName(element)
    return str(name.localname) if name.namespace in VENDORS else ""


def owning(element: etree._Element) -> etree._Element | None:
    """The BPMN element with an id that something belongs to: itself, or the nearest around it."""
    at = element
    while at is not None:
        name = local(at)
        if name and at.get("id") and name not in _PARTS and not name.endswith("EventDefinition"):
            return at
        at = at.getparent()
    return None


_PARTS = frozenset(
    {
        *("conditionExpression", "condition", "timeDate", "timeDuration", "timeCycle", "script"),
        *("loopCondition", "loopCardinality", "completionCondition", "definitions"),
        *("multiInstanceLoopCharacteristics", "standardLoopCharacteristics"),
    }
)


def refuse_twice(source: Source) -> None:
    """Raise Misbuilt when two vendors' attributes of one element have the same name: which counts is open."""
    for element in source.elements:
        seen: set[str] = set()
        for key in element.attrib:
            name = etree.QName(key)
            if name.namespace not in VENDORS:
                continue
            if name.localname in seen:
                template = "The element has the attribute {name} for two engines"
                place = element.get("id") or f"line {element.sourceline}"
                raise refuse(template, "Delete one of them", place, name=name.localname)
            seen.add(str(name.localname))
