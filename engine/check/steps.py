"""The steps of the diagram: who does them, with which form, by which function, to which record."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from engine.bpmn.diagram import PERSON_TASKS
from engine.bpmn.rules.properties import HANDLED, notices
from engine.check.view import View, meant
from engine.errors import EngineError, Finding
from engine.handlers import Handlers, Kind


def roles(view: View, known: Collection[str]) -> Iterator[Finding]:
    """Every person's step belongs to a role of the organisation, and so do notices."""
    otherwise = "Use the id of a role, or add it to org.yaml and import that"
    for node in view.nodes:
        if node.tag in PERSON_TASKS:
            role = node.attributes.get("candidateGroups") or node.lane
            if role is None:
                template = "Nobody's role does this step, so that everybody could"
                yield view.incomplete(node.id, template, "Put it into the lane of a role")
            elif role not in known:
                remedy, close = meant(role, known, otherwise)
                template = "The organisation has no role {role}"
                yield view.incomplete(node.id, template, remedy, role=role, meant=close)
    for process in view.processes:
        for element, properties in (
            (process.id, process.properties),
            *((node.id, node.properties) for node in process.nodes.values()),
        ):
            for role in _notified(properties):
                if role not in known:
                    remedy, close = meant(role, known, otherwise)
                    template = (
                        "The overdue notice goes to the role {role}, which the organisation does not have"
                    )
                    yield view.incomplete(element, template, remedy, role=role, meant=close)


def _notified(properties: Mapping[str, str]) -> list[str]:
    try:
        found = notices("flow.overdue", properties.get("flow.overdue", ""))
    except EngineError:
        return []  # said by the rules
    return [notice.role for notice in found if notice.role is not None]


def forms(view: View) -> Iterator[Finding]:
    """Every form named is there, and every form there is used."""
    used = {value for node in view.nodes for value in node.properties.values()}
    for node in view.nodes:
        key = node.attributes.get("formKey")
        if key is None or node.tag not in PERSON_TASKS:
            continue
        used.add(key)
        if key not in view.procedure.forms:
            template = "There is no form {form}"
            otherwise = "Write it as forms/{procedure}/{form}.yaml"
            remedy, close = meant(key, view.procedure.forms, otherwise)
            params = {"form": key, "procedure": view.procedure.id, "meant": close}
            yield view.incomplete(node.id, template, remedy, **params)
        elif view.procedure.forms[key].kind != "task":
            template = "The form {form} is a questionnaire, which people other than the staff answer"
            yield view.incomplete(node.id, template, "Give the step a form of its own", form=key)
    for form in view.procedure.forms:
        if form not in used:
            template, remedy = "No step uses the form", "Name it in a step's formKey, or delete it"
            yield Finding("incomplete", f"forms/{form}.yaml", "", template, remedy)


def handlers(view: View, registry: Handlers) -> Iterator[Finding]:
    """Every function named is registered, for this purpose."""
    wanted = {
        "flow.handler": (HANDLED, (Kind.INSIDE, Kind.OUTSIDE)),
        "flow.verify": (PERSON_TASKS, (Kind.VERIFY,)),
        "flow.collection": (None, (Kind.COLLECTION,)),
    }
    for node in view.nodes:
        if node.tag == "task":
            template, remedy = (
                "Nothing happens in a task without a type",
                "Make it a user task or a service task",
            )
            yield view.incomplete(node.id, template, remedy)
        elif node.tag == "serviceTask" and not node.properties.get("flow.handler", "").strip():
            template = "Nothing says what the service task does"
            yield view.incomplete(node.id, template, "Name a function in the property flow.handler")
        for name, (tags, kinds) in wanted.items():
            value = node.properties.get(name, "").strip()
            if not value or (tags is not None and node.tag not in tags):
                continue
            handler = registry.known.get(value)
            if handler is None:
                known = [each.name for each in registry.known.values() if each.kind in kinds]
                remedy, close = meant(value, known, "`flow doctor --handlers` lists those there are")
                template = "{property} names the function {handler}, which does not exist"
                yield view.incomplete(node.id, template, remedy, property=name, handler=value, meant=close)
            elif handler.kind not in kinds:
                template = "{property} names the function {handler}, which is of the kind {kind}"
                remedy = "Name one of the kind {wanted}"
                params = {"kind": handler.kind.value, "wanted": " or ".join(kind.value for kind in kinds)}
                yield view.incomplete(node.id, template, remedy, property=name, handler=value, **params)


def calls(view: View, published: Mapping[str, str]) -> Iterator[Finding]:
    """Every called process is in the diagram or published."""
    for node in view.nodes:
        if node.tag != "callActivity" or not node.called:
            continue
        if node.called in view.diagram.processes:
            if not view.diagram.processes[node.called].executable:
                template = "The called process {called} is marked as not executable"
                yield view.incomplete(node.id, template, 'Set isExecutable="true"', called=node.called)
        elif node.called not in published and node.called not in view.diagram.global_tasks:
            otherwise = "Publish the procedure that has it first, or correct calledElement"
            remedy, close = meant(node.called, (*view.diagram.processes, *published), otherwise)
            template = "The called process {called} is not published"
            yield view.incomplete(node.id, template, remedy, called=node.called, meant=close)


def records(view: View) -> Iterator[Finding]:
    """Every record made is known, and every record known is made."""
    known, made = view.procedure.records, set()
    for node in view.nodes:
        name = node.properties.get("flow.record", "").strip()
        if not name or node.tag not in (*PERSON_TASKS, *HANDLED):
            continue
        made.add(name)
        if name not in known:
            remedy, close = meant(name, known, "Add `{record}: …` under records in procedure.yaml")
            template = "procedure.yaml knows no record {record}"
            yield view.incomplete(node.id, template, remedy, record=name, meant=close)
    for name in known:
        if name not in made:
            template, remedy = (
                "No step makes the record {record}",
                "Name it in a step's flow.record, or delete it",
            )
            yield view.missing(("records", name), template, remedy, record=name)
