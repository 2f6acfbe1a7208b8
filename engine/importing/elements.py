"""Each element of a file handed to whoever translates its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from lxml import etree

from engine.bpmn.rules import decisions
from engine.bpmn.xml import local, tag
from engine.importing import course, people, services
from engine.importing.counterparts import (
    EDITORS,
    EXTENSIONS_WITHOUT_EFFECT,
    NO_EFFECT,
    OTHER_EXTENSION,
    REFUSED_EXTENSIONS,
    STAYS,
    WITHOUT_EFFECT,
    ZEEBE_STAYS,
    ZEEBE_WITHOUT_EFFECT,
    refused,
)
from engine.importing.counterparts import ZEEBE as BY_HAND
from engine.importing.report import Refusal
from engine.importing.source import Attribute
from engine.importing.work import VENDORS, ZEEBE, Work, extension

_Translation = Callable[[Work, etree._Element, Attribute, str], None]
_ATTRIBUTES: Mapping[str, _Translation] = {
    "assignee": people.assignee,
    "candidateGroups": people.groups,
    "dueDate": people.due,
    "priority": people.priority,
    "formKey": people.form_key,
    "formRef": people.form_key,
    "collection": course.collection,
    "elementVariable": course.variable,
    "elementIndexVariable": course.index,
    "calledElementBinding": course.binding,
    "calledElementType": course.binding,
}


def translate(work: Work, element: etree._Element) -> None:
    """One element with its vendor's attributes and extension elements."""
    namespace, holder = etree.QName(element).namespace, element.getparent()
    if namespace == ZEEBE:
        _camunda_8(work, element)
    elif namespace in EDITORS and holder is not None and local(holder) == "extensionElements":
        _drop(work, holder, element)
    elif local(element):
        for what, before, step in _steps(work, element):
            try:
                step()
            except Refusal as refusal:
                work.refused(element, what, " ".join(before.split()), refusal)
        _attributes(work, element)
        for each in work.extensions(element):
            _extension(work, element, each)


def _steps(work: Work, element: etree._Element) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """What is to be translated beside attributes and extensions: what, as written, how."""
    name = local(element)
    if name in course.CONDITIONS:
        yield name, element.text or "", lambda: course.condition(work, element)
    elif name in course.TIMERS:
        yield name, element.text or "", lambda: course.timer(work, element)
    elif name == "scriptTask":
        body = element.find(tag("script"))
        yield (
            "script",
            "" if body is None else body.text or "",
            lambda: services.script(work, element),
        )
    elif name == "callActivity":
        yield "calledElement", element.get("calledElement") or "", lambda: course.called(work, element)
    elif name in ("message", "signal"):
        yield "name", element.get("name") or "", lambda: course.thrown(element)
    if people.fields_of(work, element):
        holder = next(work.extensions(element, "formData", "formProperty"))
        yield work.written(holder), "", lambda: people.form_fields(work, element)


def _attributes(work: Work, element: etree._Element) -> None:
    script = local(element) == "scriptTask"
    for key in element.attrib:
        qualified = etree.QName(key)
        name, value = str(qualified.localname), str(element.get(key))
        if qualified.namespace not in VENDORS or name == "resource" or (script and name == "resultVariable"):
            continue  # not theirs, or said with the element
        at = work.source.attribute(element, str(key))
        try:
            if name in decisions.ATTRIBUTES and work.vendor(element, "decisionRef") is not None:
                services.decided(work, element, at, value)
            elif name in _ATTRIBUTES:
                _ATTRIBUTES[name](work, element, at, value)
            elif name in WITHOUT_EFFECT:
                course.drop_attribute(work, element, at, value)
            elif name in STAYS:
                work.row("dropped", element, at.name, value, "", NO_EFFECT)
            else:
                raise Refusal(*refused(name, local(element)))
        except Refusal as refusal:
            work.refused(element, at.name, value, refusal)


def _extension(work: Work, owner: etree._Element, element: etree._Element) -> None:
    name, what = extension(element), work.written(element)
    if name in ("formData", "formProperty") and local(owner) in people.PERSON:
        return
    if name in ("in", "out", "inputOutput") and local(owner) == "callActivity":
        return
    if name in ("inputOutput", "field"):
        services.parameters(work, owner, element)
    elif name == "properties":
        work.row("kept", owner, what)
    elif name in EXTENSIONS_WITHOUT_EFFECT:
        _drop(work, owner, element)
    else:
        before = " ".join(str(each) for each in element.attrib.values())
        work.refused(owner, what, before, Refusal(*REFUSED_EXTENSIONS.get(name, OTHER_EXTENSION)))


def _drop(work: Work, owner: etree._Element, element: etree._Element) -> None:
    """Take out an extension without effect, as `check` lets none stand."""
    work.remove(element)
    work.row("dropped", owner, work.written(element), "", "", NO_EFFECT)


def _camunda_8(work: Work, element: etree._Element) -> None:
    name, what, around = str(etree.QName(element).localname), work.written(element), element.getparent()
    if around is None or etree.QName(around).namespace == ZEEBE:
        return  # part of what has been said
    before = " ".join(str(each) for each in element.attrib.values())
    if name in ZEEBE_STAYS:
        work.row("dropped", element, what, before, "", NO_EFFECT)
    elif name in ZEEBE_WITHOUT_EFFECT:
        _drop(work, element, element)
    else:
        remedy = BY_HAND.get(name, OTHER_EXTENSION[1])
        work.refused(element, what, before, Refusal("Extensions of Camunda 8 are not translated", remedy))
