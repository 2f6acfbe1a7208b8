"""Data: what activities take in and give out, operations (BPMN 2.0.2, 8.4.6, 10.4).

Variables belong to the whole instance, so that most of this has no effect on a run; but what contradicts itself
is not what its author meant, and is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.bpmn.diagram import ACTIVITIES, SCOPES
from engine.bpmn.rules.document import Document, fault, text
from engine.bpmn.rules.references import ITEMS
from engine.bpmn.xml import local, tag
from engine.errors import Finding

_SETS = {
    "inputSet": (
        "dataInput",
        ("dataInputRefs", "optionalInputRefs", "whileExecutingInputRefs"),
        "outputSetRefs",
    ),
    "outputSet": (
        "dataOutput",
        ("dataOutputRefs", "optionalOutputRefs", "whileExecutingOutputRefs"),
        "inputSetRefs",
    ),
}
_PLACEHOLDER = "__targetRef_placeholder"
"""Name of the property that editors end a data association with, where the standard asks for an end."""
_ROLES = ("resourceRole", "performer", "humanPerformer", "potentialOwner")


def specifications(document: Document) -> Iterator[Finding]:
    """Inputs and outputs belong to sets, and the sets to them (tables 10.54 to 10.60)."""
    for element in document.all("ioSpecification"):
        around = element.getparent()
        if around is not None and document.judged(element) and local(around) in SCOPES:
            template, remedy = (
                "A sub-process has no inputs and outputs of its own",
                "Delete the ioSpecification",
            )
            yield fault(around, template, remedy)
    for kind, (part, lists, _) in _SETS.items():
        for element in document.all(part):
            if document.judged(element):
                yield from _in_a_set(element, kind, lists[0])
        for element in document.all(kind):
            if document.judged(element):
                yield from _own_parts(document, element, lists)
    yield from _pairs(document)


def _in_a_set(element: etree._Element, kind: str, entry: str) -> Iterator[Finding]:
    around = element.getparent()
    if around is None or element.tag not in (tag("dataInput"), tag("dataOutput")):
        return
    sets = around.findall(tag(kind))
    if not sets and local(around) != "ioSpecification":
        return  # an event may leave its only set out; the schema asks an ioSpecification for one
    if element.get("id") not in {text(each) for group in sets for each in group.findall(tag(entry))}:
        template, remedy = "{name} stands in no {kind}", "Add it to one as {entry}"
        yield fault(
            element, template, remedy, name=element.get("id") or local(element), kind=kind, entry=entry
        )


def _own_parts(document: Document, element: etree._Element, lists: tuple[str, ...]) -> Iterator[Finding]:
    first = {text(each) for each in element.findall(tag(lists[0]))}
    for name in lists:
        for each in element.findall(tag(name)):
            target = document.named(text(each))
            if target is None:
                continue
            if target.getparent() is not element.getparent():
                template = "{name} belongs to another element"
                yield fault(each, template, "Name one that stands beside the set", name=text(each))
            elif name != lists[0] and text(each) not in first:
                template = "{name} is named as {entry}, but is not in the set"
                yield fault(
                    each, template, "Add it as {whole} too", name=text(each), entry=name, whole=lists[0]
                )


def _pairs(document: Document) -> Iterator[Finding]:
    """Where a set of inputs names one of outputs, that names it in turn."""
    for kind, (_, _, entry) in _SETS.items():
        back = "inputSetRefs" if kind == "inputSet" else "outputSetRefs"
        for element in document.all(kind):
            for each in element.findall(tag(entry)):
                other = document.named(text(each))
                if other is None or not document.judged(element):
                    continue
                if element.get("id") not in {text(name) for name in other.findall(tag(back))}:
                    template = "{one} names {other}, which does not name it in turn"
                    remedy = "Add it to {other} as {entry}"
                    params = {"one": element.get("id"), "other": text(each), "entry": back}
                    yield fault(element, template, remedy, **params)


def associations(document: Document) -> Iterator[Finding]:
    """Data flows between elements that hold data, and are within reach (10.4.2)."""
    for element in document.all("dataInputAssociation", "dataOutputAssociation"):
        if not document.judged(element):
            continue
        sources = [document.named(text(each)) for each in element.findall(tag("sourceRef"))]
        target = element.find(tag("targetRef"))
        for end in (*element.findall(tag("sourceRef")), *([] if target is None else [target])):
            found = document.named(text(end))
            if found is None or local(found) not in (*ITEMS, "dataStore"):
                template = "Data flows from or to {name}, which holds none"
                remedy = "Connect it to a data object, a property or a data store"
                yield fault(element, template, remedy, name=text(end) or "''")
            elif not _within_reach(found, element):
                template = "Data flows from or to {name}, which is out of reach here"
                yield fault(
                    element, template, "Use one of this process, or of what is around", name=text(end)
                )
        yield from _carried_over(document, element)
        for part in ("assignment", "transformation"):
            if element.find(tag(part)) is not None:
                template, remedy = "The {part} would have no effect", "Compute the variable in a script task"
                yield fault(element, template, remedy, part=part)
        if element.find(tag("transformation")) is None:
            if len(sources) > 1:
                template, remedy = (
                    "Data flows from several sources, but what becomes of them is not said",
                    "Draw one each",
                )
                yield fault(element, template, remedy)
            found = None if target is None else document.named(text(target))
            kinds = {_structure(document, each) for each in (*sources, found) if each is not None} - {None}
            if len(kinds) > 1:
                template = "Data flows between items of the types {types}"
                remedy = "Give both the same itemDefinition"
                yield fault(element, template, remedy, types=", ".join(sorted(map(str, kinds))))


def _carried_over(document: Document, element: etree._Element) -> Iterator[Finding]:
    """An association carries no value, so that what it connects has to be one variable (10.4.2)."""
    known = [_variable(document, document.named(text(each))) for each in element.findall(tag("sourceRef"))]
    target = _variable(document, document.named(text(element.find(tag("targetRef")))))
    for source in known:
        if source and target and source != target:
            template = "No value goes from {source} to {target}: they are two variables"
            remedy = "Give both the same name, or set the variable in a script task or a call's flow.in or flow.out"
            yield fault(element, template, remedy, source=source, target=target)


def _variable(document: Document, element: etree._Element | None) -> str:
    """The variable of what holds data; empty for a data store, and for an end that editors make up."""
    if element is None or local(element) not in ITEMS or local(element) == "dataStoreReference":
        return ""
    named = document.named(element.get("dataObjectRef")) if element.get("dataObjectRef") else element
    if named is None or (local(named) == "property" and named.get("name") == _PLACEHOLDER):
        return ""
    return named.get("name") or named.get("id") or ""


def _within_reach(target: etree._Element, element: etree._Element) -> bool:
    """Whether an item stands around the element: beside it, in a scope around it, or in the file itself."""
    holder = target.getparent()
    while holder is not None and local(holder) == "ioSpecification":
        holder = holder.getparent()
    return holder is None or holder in element.iterancestors()


def _definition(document: Document, element: etree._Element) -> etree._Element | None:
    """The itemDefinition of what holds data; that of a reference is the one of what it refers to."""
    if element.get("itemSubjectRef"):
        return document.named(element.get("itemSubjectRef"))
    referred = document.named(element.get("dataObjectRef") or element.get("dataStoreRef"))
    return None if referred is None else document.named(referred.get("itemSubjectRef"))


def _structure(document: Document, element: etree._Element) -> str | None:
    definition = _definition(document, element)
    return None if definition is None else definition.get("structureRef") or definition.get("id")


def items(document: Document) -> Iterator[Finding]:
    """What holds data says so once, and refers to something (tables 10.49 to 10.52)."""
    for element in document.all("dataObject", "dataInput", "dataOutput"):
        definition = document.named(element.get("itemSubjectRef"))
        if definition is None or not document.judged(element):
            continue
        one, other = (each.get("isCollection", "false") in ("true", "1") for each in (element, definition))
        if one != other:
            template = "{name} and its itemDefinition differ in whether it is a collection"
            name = element.get("name") or element.get("id")
            yield fault(element, template, "Correct isCollection of one of them", name=name)
    for element in document.all("dataObjectReference"):
        if not document.judged(element):
            continue
        if not element.get("dataObjectRef"):
            template = "The data object reference refers to no data object"
            yield fault(element, template, "Write its dataObjectRef")
        elif (named := document.named(element.get("dataObjectRef"))) is not None:
            yield from _names(element, named)


def names(document: Document) -> Iterator[Finding]:
    """Variables are seen at every depth, so that no two scopes hold different ones of one name (10.4.1)."""
    for process in document.all("process"):
        holders: dict[str, etree._Element] = {}
        for element in process.iter(tag("dataObject"), tag("property")):
            name = element.get("name") or element.get("id") or ""
            holder = element.getparent()
            if holder is None or not document.judged(element):
                continue
            if holders.setdefault(name, holder) is not holder:
                other = holders[name].get("name") or holders[name].get("id")
                template = (
                    "{name} is another data object than that of {other}, but they would be one variable"
                )
                yield fault(element, template, "Give one of them another name", name=name, other=other)


def _names(element: etree._Element, target: etree._Element) -> Iterator[Finding]:
    """One data object has one name, behind which a reference may write its state in brackets (table 10.51)."""
    own, name = (element.get("name") or "").strip(), (target.get("name") or "").strip()
    state = element.find(tag("dataState"))
    stated = name if state is None or not state.get("name") else f"{name} [{state.get('name')}]"
    if own and name and own not in (name, stated):
        template = "The reference calls {name} by another name: {own}"
        yield fault(element, template, "Give both the same name", name=name, own=own)


def operations(document: Document) -> Iterator[Finding]:
    """What a task sends or receives is what its operation takes or gives (10.3.3)."""
    for element in document.all("sendTask", "receiveTask", "messageEventDefinition"):
        operation = document.named(element.get("operationRef") or text(element.find(tag("operationRef"))))
        message = document.named(element.get("messageRef"))
        if operation is None or message is None or not document.judged(element):
            continue
        named = {
            document.named(text(each))
            for each in operation
            if local(each) in ("inMessageRef", "outMessageRef")
        }
        if message not in named:
            template = "The operation {operation} does not use the message {message}"
            params = {"operation": operation.get("id"), "message": message.get("id")}
            yield fault(element, template, "Choose the operation's own message", **params)
    for element in document.all("serviceTask"):
        operation = document.named(element.get("operationRef"))
        if operation is not None and document.judged(element):
            yield from _carried(document, element, operation)


def _carried(document: Document, element: etree._Element, operation: etree._Element) -> Iterator[Finding]:
    specification = element.find(tag("ioSpecification"))
    if specification is None:
        return
    for part, entry in (("dataInput", "inMessageRef"), ("dataOutput", "outMessageRef")):
        message = document.named(text(operation.find(tag(entry))))
        found = None if message is None else document.named(message.get("itemRef"))
        for each in specification.findall(tag(part)):
            own = _definition(document, each)
            if found is not None and own is not None and own is not found:
                one, other = (item.get("structureRef") or item.get("id") for item in (own, found))
                if one != other:
                    template = "{name} is of another type than the message of the operation"
                    remedy = "Give both the same itemDefinition"
                    yield fault(element, template, remedy, name=each.get("id"))


def codes(document: Document) -> Iterator[Finding]:
    """What is thrown has a code, by which it is caught (tables 10.83 and 10.84)."""
    for kind in ("error", "escalation"):
        for definition in document.all(f"{kind}EventDefinition"):
            target = document.named(definition.get(f"{kind}Ref"))
            around = definition.getparent()
            throws = around is not None and local(around) in ("endEvent", "intermediateThrowEvent")
            if (
                throws
                and target is not None
                and document.judged(definition)
                and not target.get(f"{kind}Code")
            ):
                template, remedy = "The {kind} {name} has no code", "Write its {kind}Code"
                yield fault(target, template, remedy, kind=kind, name=target.get("name") or target.get("id"))


def performers(document: Document) -> Iterator[Finding]:
    """Who does a step is said by its lane; the resources of BPMN would say it once more, without effect."""
    for element in document.all(*_ROLES):
        around = element.getparent()
        if around is not None and local(around) in ACTIVITIES and document.judged(element):
            template = "The {tag} has no effect"
            remedy = "Put the step into the lane of the role, or write candidateGroups or assignee"
            yield fault(element, template, remedy, tag=local(element))


def imports(document: Document) -> Iterator[Finding]:
    """One file is read, and nothing in it asks for what is not known (8.2.1, 8.3.3)."""
    for element in document.all("import"):
        if element.get("importType") == "http://www.omg.org/spec/BPMN/20100524/MODEL":
            template = "The file imports {location}, which is not read"
            remedy = "Put what it needs into this file; processes are called by their ids once published"
            yield fault(element, template, remedy, location=element.get("location"))
    for element in document.all("extension"):
        if element.get("mustUnderstand") in ("true", "1"):
            template = "The file asks for the extension {name} to be understood, which is not known"
            yield fault(
                element, template, "Delete it, or set mustUnderstand to false", name=element.get("definition")
            )
