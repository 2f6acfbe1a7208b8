"""The steps of the diagram: with which form, by which function, to which record."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from engine.bpmn.diagram import PERSON_TASKS, Diagram, Node
from engine.bpmn.rules.properties import HANDLED
from engine.check.roles import Called, records_given
from engine.check.view import View, meant
from engine.errors import Finding
from engine.handlers import Handlers, Kind


def forms(view: View) -> Iterator[Finding]:
    """Every form named is there, and every form there is used."""
    for each in unwritten(view.diagram, view.procedure.forms, view.procedure.id):
        yield replace(each, file=view.procedure.diagram_name)
    used = {value for node in view.nodes for value in node.properties.values()}
    for node in view.nodes:
        key = node.attributes.get("formKey")
        if key is None or node.tag not in PERSON_TASKS:
            continue
        used.add(key)
        if key in view.procedure.forms and view.procedure.forms[key].kind != "task":
            template = "The form {form} is a questionnaire, which people other than the staff answer"
            yield view.incomplete(node.id, template, "Give the step a form of its own", form=key)
    asked = {
        node.properties["flow.questionnaire"].strip()
        for node in view.nodes
        if "flow.questionnaire" in node.properties
    }
    open_ended = (
        not asked <= view.procedure.forms.keys()
    )  # a variable says which questionnaire: it may be any
    for form, known in view.procedure.forms.items():
        if form not in used and not (open_ended and known.kind != "task"):
            template, remedy = "No step uses the form", "Name it in a step's formKey, or delete it"
            yield Finding("incomplete", f"forms/{form}.yaml", "", template, remedy)


def unwritten(diagram: Diagram, known: Collection[str], procedure: str) -> Iterator[Finding]:
    """Every form that a step names is among those known; `procedure` is the one whose it would be."""
    for node in _run(diagram):
        key = node.attributes.get("formKey")
        if key is not None and node.tag in PERSON_TASKS and key not in known:
            remedy, close = meant(key, known, "Write it as forms/{procedure}/{form}.yaml")
            params = {"form": key, "procedure": procedure, "meant": close}
            yield Finding("incomplete", "", node.id, "There is no form {form}", remedy, params)


def handlers(view: View, registry: Handlers) -> Iterator[Finding]:
    """Every function named is registered, for this purpose, and no step lacks one."""
    for each in (*unsaid(view.diagram), *functions(view.diagram, registry)):
        yield replace(each, file=view.procedure.diagram_name)
    for node in view.nodes:
        if node.tag == "task":
            template = "Nothing happens in a task without a type"
            yield view.incomplete(node.id, template, "Make it a user task or a service task")


def functions(diagram: Diagram, registry: Handlers) -> Iterator[Finding]:
    """Every function named is registered, for this purpose."""
    wanted = {
        "flow.handler": (HANDLED, (Kind.INSIDE, Kind.OUTSIDE)),
        "flow.verify": (PERSON_TASKS, (Kind.VERIFY,)),
        "flow.collection": (None, (Kind.COLLECTION,)),
    }
    for node in _run(diagram):
        for name, (tags, kinds) in wanted.items():
            value = node.properties.get(name, "").strip()
            if not value or (tags is not None and node.tag not in tags):
                continue
            handler = registry.known.get(value)
            params: dict[str, object] = {"property": name, "handler": value}
            if handler is None:
                known = [each.name for each in registry.known.values() if each.kind in kinds]
                remedy, params["meant"] = meant(
                    value, known, "`flow doctor --handlers` lists those there are"
                )
                template = "{property} names the function {handler}, which does not exist"
            elif handler.kind not in kinds:
                template = "{property} names the function {handler}, which is of the kind {kind}"
                remedy = "Name one of the kind {wanted}"
                params |= {"kind": handler.kind.value, "wanted": " or ".join(kind.value for kind in kinds)}
            else:
                continue
            yield Finding("incomplete", "", node.id, template, remedy, params)


def unsaid(diagram: Diagram) -> Iterator[Finding]:
    """Every service task names a function."""
    for node in _run(diagram):
        if node.tag == "serviceTask" and not node.properties.get("flow.handler", "").strip():
            template = "Nothing says what the service task does"
            yield Finding("incomplete", "", node.id, template, "Name a function in the property flow.handler")


def calls(view: View, published: Mapping[str, str]) -> Iterator[Finding]:
    """Every called process is in the diagram or published."""
    for each in callees(view.diagram, published):
        yield replace(each, file=view.procedure.diagram_name)


def callees(diagram: Diagram, published: Collection[str] | None) -> Iterator[Finding]:
    """Every called process is in the diagram, or among those published; None where nothing can be."""
    for node in _run(diagram):
        called = node.called
        if node.tag != "callActivity" or not called or called in diagram.global_tasks:
            continue
        params: dict[str, object] = {"called": called}
        if called in diagram.processes:
            if diagram.processes[called].executable:
                continue
            template = "The called process {called} is marked as not executable"
            remedy = 'Set isExecutable="true"'
        elif published is None:
            template = "The called process {called} is not in this file"
            remedy = "Draw it in the same file, or rehearse the procedure"
        elif called in published:
            continue
        else:
            otherwise = "Publish the procedure that has it first, or correct calledElement"
            remedy, params["meant"] = meant(called, (*diagram.processes, *published), otherwise)
            template = "The called process {called} is not published"
        yield Finding("incomplete", "", node.id, template, remedy, params)


def _run(diagram: Diagram) -> Iterator[Node]:
    """The nodes of the processes that are run."""
    for process in diagram.processes.values():
        if process.executable:
            yield from process.nodes.values()


def records(view: View, called: Mapping[str, Called]) -> Iterator[Finding]:
    """Every record made is known, and every record known is made, here or by a called process that files it so."""
    known, made = view.procedure.records, set()
    for node in view.nodes:
        for own, name in records_given(node).items():
            made.add(name)
            yield from _filed(view, node, called, own, name)
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


def _filed(view: View, node: Node, called: Mapping[str, Called], own: str, name: str) -> Iterator[Finding]:
    """A record of a called process is one that it makes, and is filed as one that there is."""
    known, there = view.procedure.records, called.get(node.called or "")
    made: Collection[str] | None = None if there is None else there.records
    if node.called in view.diagram.processes:
        made = view.procedure.records
    if made is not None and own not in made:
        remedy, close = meant(
            own, made, "Name one of its records: {known}" if made else "It makes none; delete it"
        )
        template = "flow.records names {record}, which the called process {called} does not make"
        params = {"record": own, "called": node.called, "meant": close, "known": ", ".join(sorted(made))}
        yield view.incomplete(node.id, template, remedy, **params)
    if name not in known:
        remedy, close = meant(name, known, "Add `{record}: …` under records in procedure.yaml")
        yield view.incomplete(
            node.id, "procedure.yaml knows no record {record}", remedy, record=name, meant=close
        )
