"""What other programs wrote into the file: nothing of it that would change a run is dropped in silence.

Extensions of workflow engines are refused where they say what happens; those of editors (colours, sizes,
templates, notes) mean nothing to a run and are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lxml import etree

from engine.bpmn.diagram import ACTIVITIES, EVENTS, GATEWAYS
from engine.bpmn.rules.document import Document, fault, text
from engine.bpmn.xml import BPMNDI, CAMUNDA, local
from engine.errors import Finding

ENGINES: Mapping[str, str] = {
    "http://activiti.org/bpmn": "activiti",
    "http://activiti.com/modeler": "activiti",
    "http://flowable.org/bpmn": "flowable",
    "http://operaton.org/schema/1.0/bpmn": "operaton",
    "http://camunda.org/schema/zeebe/1.0": "zeebe",
    "http://www.jboss.org/drools": "drools",
    "http://spiffworkflow.org/bpmn/schema/1.0/core": "spiffworkflow",
    "http://fox.camunda.org/bpmn": "fox",
    "http://org.eclipse.bpmn2/ext": "bpmn2",
    "http://www.jboss.org/jbpm": "jbpm",
}
"""The namespaces of programs that run diagrams, and what to call them; camunda's is judged by itself."""

_HARMLESS = frozenset(("properties", "property", "modelerTemplate", "versionTag", "fillColor", "strokeColor"))
_INDIFFERENT = frozenset(
    (
        *("asyncBefore", "asyncAfter", "exclusive", "async", "jobPriority", "taskPriority", "versionTag"),
        *("isStartableInTasklist", "historyTimeToLive", "modelerTemplate", "modelerTemplateVersion"),
        *("modelerTemplateIcon", "diagramRelationId"),
    )
)
"""Attributes of any element that say nothing about what happens in the procedure."""
_READ: Mapping[str, tuple[str, ...]] = {
    "multiInstanceLoopCharacteristics": ("collection", "elementVariable"),
}
_INSTEAD: Mapping[str, str] = {
    "inputOutput": "Compute with script tasks before and after; to a called process give flow.in and flow.out",
    "in": "Write the property flow.in",
    "out": "Write the property flow.out",
    "executionListener": "Draw a script or service task where it is to happen",
    "taskListener": "Draw a script or service task where it is to happen",
    "connector": "Name a function in the property flow.handler",
    "field": "Write it as a property of the function, beginning with flow.",
    "formData": "Write the form as forms/<procedure>/<form>.yaml and name it in formKey",
    "formProperty": "Write the form as forms/<procedure>/<form>.yaml and name it in formKey",
    "failedJobRetryTimeCycle": "Delete it: a function that fails is repeated by rules of our own",
    "errorEventDefinition": "Let the function raise the error by its code",
    "taskDefinition": "Name a function in the property flow.handler",
    "ioMapping": "Compute with script tasks before and after",
    "formDefinition": "Write the attribute camunda:formKey",
    "assignmentDefinition": "Use the lane, candidateGroups or assignee",
    "calledElement": "Write calledElement itself",
    "loopCharacteristics": "Write loopDataInputRef, or the property flow.collection",
    "subscription": "Write the property flow.key",
}
_ANYTHING = frozenset(("extensionElements", "documentation", "script", "text"))
"""Elements of BPMN in which other namespaces may stand."""
_NODES = ACTIVITIES | EVENTS | GATEWAYS
_OWNERS = _NODES | {
    *("process", "globalTask", "globalScriptTask", "globalUserTask", "globalManualTask"),
    "globalBusinessRuleTask",
}
_LANGUAGES = frozenset(("", "flow", "python", "text/python", "text/x-python", "application/x-python"))
"""What a script or condition may call its language; anything else is another one."""


def extensions(document: Document) -> Iterator[Finding]:
    """Extension elements of workflow engines (8.2.3)."""
    for holder in document.all("extensionElements"):
        owner = holder.getparent()
        if owner is None or not document.judged(owner):
            continue
        for child in holder:
            namespace, name = _split(child.tag)
            if namespace == CAMUNDA and name == "properties":
                yield from _properties(owner, child)
            elif (namespace == CAMUNDA or namespace in ENGINES) and name not in _HARMLESS:
                template = "The extension {name} would have no effect"
                shown = f"{ENGINES.get(namespace, 'camunda')}:{name}"
                remedy = _INSTEAD.get(name, _translate(namespace))
                yield _at(owner, child, template, remedy, name=shown)


def _properties(owner: etree._Element, holder: etree._Element) -> Iterator[Finding]:
    seen: set[str] = set()
    for each in holder.iterchildren(f"{{{CAMUNDA}}}property"):
        name = each.get("name", "")
        if name in seen and name.startswith("flow."):
            template, remedy = "The property {name} stands twice", "Keep one of them"
            yield _at(owner, each, template, remedy, name=name)
        elif name.startswith("flow.") and local(owner) not in _OWNERS:
            template = "The property {name} has no effect at the {tag}"
            remedy = "Write it at the task, event or process that it is about"
            yield _at(owner, each, template, remedy, name=name, tag=local(owner))
        seen.add(name)


def astray(element: etree._Element) -> bool:
    """Whether an element of another namespace stands where the schema has room for BPMN's own only (8.2.3).

    The drawing (BPMNDiagram) is no part of that.
    """
    around = element.getparent()
    if around is None or not isinstance(element.tag, str) or not local(around) or local(element):
        return False
    drawing = local(around) == "definitions" and element.tag == f"{{{BPMNDI}}}BPMNDiagram"
    return local(around) not in _ANYTHING and not drawing


def strays(document: Document) -> Iterator[Finding]:
    """What another program wrote beside the elements of BPMN stands in extensionElements."""
    for element in filter(astray, document.root.iter("{*}*")):
        around = element.getparent()
        template = "{name} is no element of BPMN, and stands in the {tag} outside extensionElements"
        remedy = "Move it into the extensionElements of the {tag}, or delete it"
        yield fault(element, template, remedy, name=_written(element), tag=local(around))


def _written(element: etree._Element) -> str:
    """The element's name as the file has it."""
    name = etree.QName(element).localname
    return f"{element.prefix}:{name}" if element.prefix else name


def attributes(document: Document) -> Iterator[Finding]:
    """Attributes of workflow engines; those of camunda on tasks and the like are judged where these are."""
    for element in document.root.iter("*"):
        if not any(key[0] == "{" for key in map(str, element.keys())):
            continue
        name = local(element)
        if not name or not document.judged(element):
            continue
        for key in map(str, element.keys()):
            namespace, attribute = _split(key)
            if namespace not in ENGINES and (namespace != CAMUNDA or name in _NODES):
                continue
            if attribute in _INDIFFERENT or attribute in _READ.get(name, ()):
                continue
            shown = f"{ENGINES.get(namespace, 'camunda')}:{attribute}"
            template = "The attribute {name} of the {tag} would have no effect"
            yield fault(element, template, _translate(namespace), name=shown, tag=name)


def _translate(namespace: str) -> str:
    if namespace in ENGINES:
        return "Delete it, or let `flow procedure import` translate the file"
    return "Delete it"


def languages(document: Document) -> Iterator[Finding]:
    """Scripts and expressions are written in our language, and do not say otherwise (10.3.3, 8.4.5)."""
    for element in document.all("scriptTask", "globalScriptTask"):
        written = element.get("scriptFormat") or element.get("scriptLanguage") or ""
        if _foreign(written) and document.judged(element):
            template = "The script is in {language}"
            remedy = "Write it in our language (docs/formats.md) and delete scriptFormat"
            yield fault(element, template, remedy, language=written[:60])
    for element in document.root.iter("{*}*"):
        written = element.get("language")
        if written and local(element) and _foreign(written) and document.judged(element) and text(element):
            template = "The expression is in {language}"
            remedy = "Write it in our language (docs/formats.md) and delete the attribute language"
            yield fault(element, template, remedy, language=written[:60])


def _foreign(language: str) -> bool:
    return language.strip().lower() not in _LANGUAGES


def _split(name: object) -> tuple[str, str]:
    """Namespace and local name."""
    text_ = str(name) if isinstance(name, str) else ""
    if not text_.startswith("{"):
        return "", text_
    namespace, _, own = text_[1:].rpartition("}")
    return namespace, own


def _at(
    owner: etree._Element, element: etree._Element, template: str, remedy: str, /, **params: object
) -> Finding:
    """A fault of an element's extension: told of the element, at the extension's line."""
    found = fault(owner, template, remedy, **params)
    return Finding("error", "", found.element, template, remedy, params, element.sourceline)
