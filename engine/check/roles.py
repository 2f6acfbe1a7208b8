"""The roles a procedure needs: of its lanes and candidate groups, of its notices, of the functions it names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from engine.bpmn.diagram import PERSON_TASKS
from engine.bpmn.rules.properties import notices
from engine.check.view import View, meant
from engine.errors import EngineError, Finding
from engine.handlers import Handlers

_FUNCTIONS = ("flow.handler", "flow.verify", "flow.collection")
_NOTICES = {
    "flow.overdue": "The overdue notice goes to the role {role}, which the organisation does not have",
    "flow.remind": "The reminder goes to the role {role}, which the organisation does not have",
}


@dataclass(frozen=True, slots=True)
class _Need:
    element: str
    role: str
    name: str
    """What people call the role, as far as the procedure says; else its id."""
    template: str
    """What is wrong when the organisation does not have it."""
    function: str = ""


def needed(view: View, registry: Handlers) -> dict[str, str]:
    """The ids of the roles that the procedure needs, each with what people call it."""
    found: dict[str, str] = {}
    for need in _needs(view, registry):
        if found.get(need.role, need.role) == need.role:
            found[need.role] = need.name
    return found


def roles(view: View, known: Collection[str], registry: Handlers) -> Iterator[Finding]:
    """Every role that is needed is one of the organisation's, and every person's step belongs to one."""
    for node in view.nodes:
        if node.tag in PERSON_TASKS and not (node.attributes.get("candidateGroups") or node.lane):
            template = "Nobody's role does this step, so that everybody could"
            yield view.incomplete(node.id, template, "Put it into the lane of a role")
    otherwise = "Use the id of a role, or add it to org.yaml and import that"
    for need in _needs(view, registry):
        if need.role in known:
            continue
        remedy, close = meant(need.role, known, otherwise)
        if need.function:  # its role is no slip of the author's pen
            remedy, close = "Add `- {{id: {role}, name: {name}}}` to org.yaml and import that", None
        params = {"role": need.role, "name": need.name, "meant": close, "function": need.function}
        yield view.incomplete(need.element, need.template, remedy, **params)


def _needs(view: View, registry: Handlers) -> Iterator[_Need]:
    for process in view.processes:
        lanes = {lane.id: lane.name or lane.id for lane in process.lanes}
        for node in process.nodes.values():
            role = node.attributes.get("candidateGroups") or node.lane
            if node.tag in PERSON_TASKS and role:
                yield _Need(node.id, role, lanes.get(role, role), "The organisation has no role {role}")
        carriers = {process.id: process.properties, **{n.id: n.properties for n in process.nodes.values()}}
        for element, properties in carriers.items():
            for name, template in _NOTICES.items():
                for role in _told(name, properties):
                    yield _Need(element, role, lanes.get(role, role), template)
        for node in process.nodes.values():
            for name in _FUNCTIONS:
                handler = registry.known.get(node.properties.get(name, "").strip())
                for role, title in handler.roles.items() if handler is not None else ():
                    template = "The function {function} asks for the role {role}, which the organisation does not have"
                    yield _Need(node.id, role, title, template, handler.name if handler else "")


def _told(name: str, properties: Mapping[str, str]) -> list[str]:
    try:
        found = notices(name, properties.get(name, ""))
    except EngineError:
        return []  # said by the rules
    return [notice.role for notice in found if notice.role is not None]
