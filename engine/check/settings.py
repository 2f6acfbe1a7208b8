"""What functions are told: the properties of their element and the parameters of the procedure fit them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from engine.bpmn.diagram import Node
from engine.bpmn.rules.properties import HANDLED, PLACES
from engine.check.view import View, meant
from engine.errors import EngineError, Finding, Misbuilt
from engine.handlers import Handler, Handlers
from engine.procedures import Procedure


def settings(view: View, registry: Handlers) -> Iterator[Finding]:
    """Every function that says what it takes is given that, and nothing that it would pass over."""
    for node in view.nodes:
        handler = registry.known.get(node.properties.get("flow.handler", "").strip())
        if handler is not None and handler.settings is not None and node.tag in HANDLED:
            yield from _properties(view, node, handler)
            yield from _parameters(view, handler)


def _properties(view: View, node: Node, handler: Handler) -> Iterator[Finding]:
    assert handler.settings is not None
    taken = handler.settings.properties
    for name in sorted(handler.settings.needed - node.properties.keys()):
        template, remedy = "The function {handler} needs the property {name}", "Add it"
        yield view.incomplete(node.id, template, remedy, handler=handler.name, name=name)
    for name, value in node.properties.items():
        if name in taken:
            try:
                taken[name](value.strip())
            except EngineError as fault:
                template, remedy = "The property {name} cannot be read: {reason}", "Correct it"
                yield view.incomplete(node.id, template, remedy, name=name, reason=fault)
        elif name.startswith("flow.") and name not in PLACES:
            remedy, close = meant(name, taken, "Delete it")
            template = "The function {handler} takes no property {name}"
            yield view.incomplete(node.id, template, remedy, handler=handler.name, name=name, meant=close)


def _parameters(view: View, handler: Handler) -> Iterator[Finding]:
    assert handler.settings is not None
    document = view.procedure.document
    for name, judge in handler.settings.parameters.items():
        if name not in view.procedure.values:
            continue
        try:
            judge(view.procedure.values[name])
        except EngineError as fault:
            template = "The parameter {name} does not fit {handler}: {reason}"
            params = {"name": name, "handler": handler.name, "reason": fault}
            place = f"line {document.line(('parameters', name))}"
            yield Finding("incomplete", document.name, place, template, "Correct its value", params)


def made_by(procedure: Procedure, nodes: Iterable[Node]) -> list[Mapping[str, str]]:
    """What the steps say of themselves, and as which files the procedure keeps the records that they leave."""
    found: list[Mapping[str, str]] = []
    for node in nodes:
        known = procedure.records.get(node.properties.get("flow.record", ""))
        kept = {"flow.files": ", ".join(known.files)} if known is not None and known.files else {}
        found.append({**kept, **node.properties})
    return found


def files(view: View, registry: Handlers) -> Iterator[Finding]:
    """Every file that only functions read, as a template, can be used by them."""
    steps = made_by(view.procedure, view.nodes)
    for pattern, judge in registry.files.items():
        for name, content in view.procedure.files.items():
            if PurePosixPath(name).match(pattern):
                try:
                    judge(name, content, steps)
                except Misbuilt as fault:
                    yield from fault.findings
