"""The roles a procedure needs: of its lanes and candidate groups, of its notices, functions and called processes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from engine.bpmn.diagram import PERSON_TASKS, Diagram, Node, Process
from engine.bpmn.rules.properties import HANDLED, notices, pairs
from engine.check.view import View, meant
from engine.errors import EngineError, Finding
from engine.handlers import Handler, Handlers, a_role

_FUNCTIONS = ("flow.handler", "flow.verify", "flow.collection")
_NOTICES = {
    "flow.overdue": "The overdue notice goes to the role {role}, which the organisation does not have",
    "flow.remind": "The reminder goes to the role {role}, which the organisation does not have",
}
_LACKS = "The organisation has no role {role}"
_ADD = "Add `- {{id: {role}, name: {name}}}` to org.yaml and import that"


@dataclass(frozen=True, slots=True)
class Called:
    """What a check of the caller has to know of a published process."""

    roles: Mapping[str, str]
    """The roles it needs, itself and through what it calls, each with what people call it."""
    records: Collection[str] = ()
    """The records it makes, itself and through what it calls."""
    elements: Collection[str] = ()
    """The ids in its diagram, and in those of what it calls."""
    rules: Collection[str] = ()
    """What fulfils a clause in it, as clauses.yaml names it."""


@dataclass(frozen=True, slots=True)
class _Need:
    element: str
    role: str
    name: str
    """What people call the role, as far as the procedure says; else its id."""
    template: str
    """What is wrong when the organisation does not have it."""
    remedy: str = ""
    """What is to be done then; without it, the name may be a slip of the pen."""
    source: str = ""
    """The function or the called process that asks for it."""


def needed(view: View, registry: Handlers, called: Mapping[str, Called]) -> dict[str, str]:
    """The ids of the roles that the procedure needs, each with what people call it."""
    found: dict[str, str] = {}
    for need in _needs(view, registry, called):
        if found.get(need.role, need.role) == need.role:
            found[need.role] = need.name
    return found


def roles(
    view: View, known: Collection[str], registry: Handlers, called: Mapping[str, Called]
) -> Iterator[Finding]:
    """Every role that is needed is one of the organisation's, and every person's step belongs to one.

    Not of a procedure that is made to be called: who does it there its callers say.
    """
    for node in view.nodes:
        if node.tag in PERSON_TASKS and not (node.attributes.get("candidateGroups") or node.lane):
            template = "Nobody's role does this step, so that everybody could"
            yield view.incomplete(node.id, template, "Put it into the lane of a role")
    yield from _given(view, registry, called)
    if view.procedure.called:
        return
    otherwise = "Use the id of a role, or add it to org.yaml and import that"
    if not view.procedure.schedules:
        otherwise = (
            "Use the id of a role, or add it to org.yaml and import that; where the callers are to say who does it, "
            "write `called: true` in procedure.yaml"
        )
    for each in _lacking(_needs(view, registry, called), known, otherwise):
        yield replace(each, file=view.procedure.diagram_name)


def strangers(diagram: Diagram, known: Collection[str], registry: Handlers) -> Iterator[Finding]:
    """The roles that a bare diagram names, and its functions ask for, are the organisation's."""
    run = [process for process in diagram.processes.values() if process.executable]
    needs = dict.fromkeys(need for process in run for need in _own(process, registry))
    yield from _lacking(needs, known, "Use the id of a role, or add it to org.yaml and import that")


def _lacking(needs: Iterable[_Need], known: Collection[str], otherwise: str) -> Iterator[Finding]:
    for need in needs:
        if need.role not in known:
            remedy, close = (need.remedy, None) if need.remedy else meant(need.role, known, otherwise)
            params = {"role": need.role, "name": need.name, "meant": close, "source": need.source}
            yield Finding("incomplete", "", need.element, need.template, remedy, params)


def _given(view: View, registry: Handlers, called: Mapping[str, Called]) -> Iterator[Finding]:
    """Whoever calls a process names roles that there are in it."""
    memory: dict[str, tuple[_Need, ...]] = {}
    for node in view.nodes:
        wanted = _of_called(view, node, registry, called, memory)
        if wanted is None:
            continue
        there = {need.role for need in wanted}
        for own in roles_given(node):
            if own not in there:
                otherwise = "Name one of its roles: {known}" if there else "It needs none; delete it"
                remedy, close = meant(own, there, otherwise)
                template = "flow.roles names {role}, which the called process {called} does not have"
                params = {
                    "role": own,
                    "called": node.called,
                    "meant": close,
                    "known": ", ".join(sorted(there)),
                }
                yield view.incomplete(node.id, template, remedy, **params)


def roles_given(node: Node) -> Mapping[str, str]:
    """What `flow.roles` of a call says; nothing where it cannot be read, which the rules say."""
    return _pairs(node, "flow.roles")


def records_given(node: Node) -> Mapping[str, str]:
    """The same of `flow.records`."""
    return _pairs(node, "flow.records")


def _pairs(node: Node, name: str) -> Mapping[str, str]:
    try:
        return pairs(node.properties.get(name, "")) if node.tag == "callActivity" else {}
    except EngineError:
        return {}


def _needs(view: View, registry: Handlers, called: Mapping[str, Called]) -> Iterable[_Need]:
    """Each need once: of the main process and of those that nothing in the file calls, through what they call."""
    inside = {node.called for node in view.nodes if node.tag == "callActivity"}
    memory: dict[str, tuple[_Need, ...]] = {}
    found: dict[_Need, None] = {}
    for process in view.processes:
        if process.id not in inside or process is view.main:
            found |= dict.fromkeys(_of_process(view, process, registry, called, memory))
    return found


def _of_process(
    view: View, process: Process, registry: Handlers, called: Mapping[str, Called],
    memory: dict[str, tuple[_Need, ...]],
) -> tuple[_Need, ...]:  # fmt: skip
    if process.id not in memory:
        memory[process.id] = ()  # of one that calls itself
        memory[process.id] = (
            *_own(process, registry),
            *_through(view, process, registry, called, memory),
        )
    return memory[process.id]


def _own(process: Process, registry: Handlers) -> Iterator[_Need]:
    lanes = {lane.id: lane.name or lane.id for lane in process.lanes}
    for node in process.nodes.values():
        role = node.attributes.get("candidateGroups") or node.lane
        if node.tag in PERSON_TASKS and role:
            yield _Need(node.id, role, lanes.get(role, role), _LACKS)
    carriers = {process.id: process.properties, **{n.id: n.properties for n in process.nodes.values()}}
    for element, properties in carriers.items():
        for name, template in _NOTICES.items():
            for role in _told(name, properties):
                yield _Need(element, role, lanes.get(role, role), template)
    for node in process.nodes.values():
        for name in _FUNCTIONS:
            handler = registry.known.get(node.properties.get(name, "").strip())
            for role, title in handler.roles.items() if handler is not None else ():
                template = (
                    "The function {source} asks for the role {role}, which the organisation does not have"
                )
                yield _Need(node.id, role, title, template, _ADD, handler.name if handler else "")
            for role in _named(node, handler):
                yield _Need(node.id, role, lanes.get(role, role), _LACKS)


def _named(node: Node, handler: Handler | None) -> Iterator[str]:
    """The roles that stand in a function's properties."""
    if handler is not None and handler.settings is not None and node.tag in HANDLED:
        for name, judge in handler.settings.properties.items():
            if judge is a_role and node.properties.get(name, "").strip():
                yield node.properties[name].strip()


def _through(
    view: View, process: Process, registry: Handlers, called: Mapping[str, Called],
    memory: dict[str, tuple[_Need, ...]],
) -> Iterator[_Need]:  # fmt: skip
    """What the called processes need: another role where the call says so."""
    lanes = {lane.id: lane.name or lane.id for lane in process.lanes}
    for node in process.nodes.values():
        wanted, given = _of_called(view, node, registry, called, memory), roles_given(node)
        names = {need.role: need.name for need in wanted or ()}
        for own, role in given.items():
            yield _Need(node.id, role, lanes.get(role, names.get(own, role)), _LACKS)
        yield from (need for need in wanted or () if need.role not in given)


def _of_called(
    view: View, node: Node, registry: Handlers, called: Mapping[str, Called],
    memory: dict[str, tuple[_Need, ...]],
) -> tuple[_Need, ...] | None:  # fmt: skip
    """What the process that a call activity calls needs; None where nothing is known of it."""
    if node.tag != "callActivity" or not node.called:
        return None
    inside = view.diagram.processes.get(node.called)
    if inside is not None:
        return _of_process(view, inside, registry, called, memory)
    if node.called not in called:
        return None
    template = "The called process {source} needs the role {role}, which the organisation does not have"
    remedy = "Say who does it here in flow.roles: `{role} = …`, or add `- {{id: {role}, name: {name}}}` to org.yaml"
    return tuple(
        _Need(node.id, role, name, template, remedy, node.called)
        for role, name in called[node.called].roles.items()
    )


def _told(name: str, properties: Mapping[str, str]) -> list[str]:
    try:
        found = notices(name, properties.get(name, ""))
    except EngineError:
        return []  # said by the rules
    return [notice.role for notice in found if notice.role is not None]
