"""The `flow.` properties: where each may stand, and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from engine.bpmn.diagram import PERSON_TASKS, Node
from engine.bpmn.rules.chart import Chart, error, kinds
from engine.bpmn.rules.decisions import by_table
from engine.calendar.durations import parse_duration
from engine.errors import EngineError, Finding
from engine.strict_yaml import nearest

HANDLED = ("serviceTask", "businessRuleTask")


def _person(node: Node) -> bool:
    return node.tag in PERSON_TASKS


def _handled(node: Node) -> bool:
    return node.tag in HANDLED and not by_table(node)


def _multi(node: Node) -> bool:
    return node.loop is not None and node.loop.multi


def _messages(node: Node) -> bool:
    return node.tag in ("sendTask", "receiveTask") or "message" in kinds(node)


PLACES: Mapping[str, tuple[str, Callable[[Node], bool]]] = {
    "flow.due": ("user and manual tasks, and the process", _person),
    "flow.remind": ("user and manual tasks, and the process", _person),
    "flow.overdue": ("user and manual tasks, and the process", _person),
    "flow.not-same-as": ("user and manual tasks", _person),
    "flow.verify": ("user and manual tasks", _person),
    "flow.record": ("user, manual and service tasks", lambda node: _person(node) or _handled(node)),
    "flow.handler": ("service and business rule tasks", lambda node: node.tag in HANDLED),
    "flow.sets": (
        "start events, service tasks, messages caught and called processes",
        lambda node: _handled(node) or _messages(node) or node.tag in ("callActivity", "startEvent"),
    ),
    "flow.collection": ("multi-instance activities", _multi),
    "flow.output": ("multi-instance activities", _multi),
    "flow.in": (
        "call and multi-instance activities",
        lambda node: _multi(node) or node.tag == "callActivity",
    ),
    "flow.out": (
        "call and multi-instance activities",
        lambda node: _multi(node) or node.tag == "callActivity",
    ),
    "flow.roles": ("call activities", lambda node: node.tag == "callActivity"),
    "flow.records": ("call activities", lambda node: node.tag == "callActivity"),
    "flow.key": ("message events, send and receive tasks", _messages),
    "flow.action": (
        "processes and multi-instance sub-processes",
        lambda node: _multi(node) and node.tag == "subProcess",
    ),
}
_OF_PROCESS = ("flow.due", "flow.due-until", "flow.remind", "flow.overdue", "flow.action")
ACTION = ("item", "owner", "cause", "measure", "due", "done", "verdict", "reason")
"""What `flow.action` says of a corrective action, in which variable."""
_TIMES = ("flow.due", "flow.remind", "flow.overdue", "flow.not-same-as", "flow.verify")
"""Never a handler's own parameters."""

_NOTICE = re.compile(r"(?P<length>P\w+) (?P<side>before|after) due(?:: *(?P<role>[\w.-]+))?")
_NAME = re.compile(r"[^\W\d]\w*")
_HANDLER = re.compile(r"[a-z]\w*\.[a-z]\w*")
_PAIR = re.compile(r"(?P<own>[\w.-]+) *= *(?P<others>[\w.-]+)")
_VARIABLE = re.compile(r"\(([^\W\d]\w*)\)")
_PIECE = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|.""", re.DOTALL)
"""A text in quotes, or any other character."""
_OPENS, _CLOSES = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Notice:
    """One message that a due date causes."""

    length: str
    """A duration before (reminder) or after (overdue) the due date."""
    role: str | None
    """Whom it goes to; None: to whoever is to do the task."""


def listed(text: str) -> list[str]:
    """The entries of a property that holds a list with commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def others(text: str) -> tuple[list[str], list[str]]:
    """Whom `flow.not-same-as` bars: the elements that it names, and the variables, which stand in brackets."""
    names = listed(text)
    variables = [match[1] for match in map(_VARIABLE.fullmatch, names) if match is not None]
    return [name for name in names if not _VARIABLE.fullmatch(name)], variables


@lru_cache(maxsize=1024)
def inputs(text: str) -> tuple[tuple[str, str], ...]:
    """The variables of `flow.in` with their expressions, which may hold commas in brackets and quotes.

    `unit, limit = max(a, b)`: unit is itself.
    """
    parts, depth = [""], 0
    for piece in _PIECE.findall(text):
        depth += (piece in _OPENS) - (piece in _CLOSES)
        if piece == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += piece
    named = [part.partition("=") for part in parts if part.strip()]
    return tuple((name.strip(), (value if sign else name).strip()) for name, sign, value in named)


@lru_cache(maxsize=1024)
def pairs(text: str) -> Mapping[str, str]:
    """What `flow.roles` and `flow.records` say: the called process's own name to the caller's.

    Raises EngineError naming the entry that cannot be read or stands twice.
    """
    found: dict[str, str] = {}
    for part in listed(text):
        match = _PAIR.fullmatch(part)
        if match is None:
            raise EngineError("'{text}' is not like `theirs = ours`", text=part)
        if match["own"] in found:
            raise EngineError("{name} stands there twice", name=match["own"])
        found[match["own"]] = match["others"]
    return MappingProxyType(found)


def notices(name: str, text: str) -> list[Notice]:
    """The notices in `flow.remind` or `flow.overdue`. Raises EngineError naming the one that cannot be read.

    `P1WD before due, P2D before due`; `P0D after due: cs_supervisor; P2WD after due: project_gm`.
    """
    side = "before" if name == "flow.remind" else "after"
    found = []
    for part in filter(None, (part.strip() for part in re.split(r"[,;]", text))):
        match = _NOTICE.fullmatch(part)
        if match is None or match["side"] != side:
            raise EngineError("'{text}' is not like `P1D {side} due`", text=part, side=side)
        parse_duration(match["length"])
        found.append(Notice(match["length"], match["role"]))
    return found


def known(chart: Chart) -> Iterator[Finding]:
    """Every property is one that has an effect where it stands."""
    for name in chart.process.properties:
        if name.startswith("flow.") and name not in _OF_PROCESS:
            yield _misplaced(chart.process.id, name)
    for node in chart.nodes:
        for name, value in node.properties.items():
            if not name.startswith("flow."):
                continue
            own = _handled(node) and name not in _TIMES  # a handler's parameter
            if not own and (name not in PLACES or not PLACES[name][1](node)):
                yield _misplaced(node.id, name)
            elif not value.strip() and (not own or name in PLACES):
                remedy = "Write its value, or delete it"
                yield error(node.id, "The property {name} is empty", remedy, name=name)


def _misplaced(element: str, name: str) -> Finding:
    if name in PLACES:
        template, remedy = "The property {name} has no effect here", "It belongs to {places}"
        return error(element, template, remedy, name=name, places=PLACES[name][0])
    meant = nearest(name, PLACES)
    remedy = "Did you mean {meant}?" if meant else "Known are {known}"
    return error(element, "Unknown property {name}", remedy, name=name, meant=meant, known=", ".join(PLACES))


def written(chart: Chart) -> Iterator[Finding]:
    """What stands in the properties can be read."""
    for element, properties in _all(chart):
        for name in ("flow.remind", "flow.overdue"):
            if name not in properties:
                continue
            try:
                notices(name, properties[name])
            except EngineError as fault:
                template, remedy = "{name} cannot be read: {reason}", "Write it as in `P1D before due`"
                if name == "flow.overdue":
                    remedy = "Write it as in `P0D after due: role; P2WD after due: role`"
                yield error(element, template, remedy, name=name, reason=str(fault))
            if "flow.due" not in properties:
                template = "{name} counts from a due date, but there is none"
                yield error(element, template, "Add flow.due", name=name)
    yield from _promise(chart)
    yield from _action(chart.process.id, chart.process.properties)
    for node in chart.nodes:
        yield from _names(chart, node)
        yield from _action(node.id, node.properties)


def _action(element: str, properties: Mapping[str, str]) -> Iterator[Finding]:
    """What a corrective action is called by: words that there are, each with its variable."""
    try:
        said = pairs(properties.get("flow.action", ""))
    except EngineError as fault:
        template, remedy = "{name} cannot be read: {reason}", "Write it as in `item = problem, owner = head`"
        yield error(element, template, remedy, name="flow.action", reason=fault)
        return
    for word in said:
        if word not in ACTION:
            meant = nearest(word, ACTION)
            remedy = "Did you mean {meant}?" if meant else "Known are {known}"
            template = "The word {word} in flow.action says nothing of a corrective action"
            yield error(element, template, remedy, word=word, meant=meant, known=", ".join(ACTION))


def _promise(chart: Chart) -> Iterator[Finding]:
    """What the process itself promises: kept by a task that there is, its notices going to somebody."""
    properties, process = chart.process.properties, chart.process.id
    until = properties.get("flow.due-until", "").strip()
    target = chart.node(until) if until else None
    if until and (target is None or not _person(target)):
        near = nearest(until, [each.id for each in chart.nodes if _person(each)])
        remedy = "Did you mean {meant}?" if near else "Name the id of a user task"
        template = "flow.due-until names {other}, which is no user task of the process"
        yield error(process, template, remedy, other=until, meant=near)
    for name in ("flow.remind", "flow.overdue"):
        try:
            told = notices(name, properties.get(name, ""))
        except EngineError:
            continue  # said already
        if any(each.role is None for each in told):
            template, remedy = "{name} of the process says to nobody", "Add a role: `P0D after due: role`"
            yield error(process, template, remedy, name=name)


def _all(chart: Chart) -> Iterator[tuple[str, Mapping[str, str]]]:
    yield chart.process.id, chart.process.properties
    for node in chart.nodes:
        if node.properties and _person(node):
            yield node.id, node.properties


def _names(chart: Chart, node: Node) -> Iterator[Finding]:
    for other in dict.fromkeys(listed(node.properties.get("flow.not-same-as", "")) if _person(node) else ()):
        if _VARIABLE.fullmatch(other):
            continue
        target = chart.node(other)
        if target is None or not _person(target) or other == node.id:
            template = "flow.not-same-as names {other}, which is no other user task of the process"
            meant = nearest(other, [each.id for each in chart.nodes if _person(each) and each.id != node.id])
            otherwise = (
                "Name the id of a user task, or in brackets the variable that names a person: (drafter)"
            )
            remedy = "Did you mean {meant}?" if meant else otherwise
            yield error(node.id, template, remedy, other=other, meant=meant)
    for name in ("flow.handler", "flow.verify", "flow.collection"):
        value = node.properties.get(name, "").strip()
        if value and PLACES[name][1](node) and not _HANDLER.fullmatch(value):
            template = "{name} holds {value}, which names no function"
            yield error(
                node.id, template, "Write it as in `fieldwork.addresses`", name=name, value=value[:60]
            )
    for name in ("flow.roles", "flow.records") if node.tag == "callActivity" else ():
        try:
            pairs(node.properties.get(name, ""))
        except EngineError as fault:
            template, remedy = (
                "{name} cannot be read: {reason}",
                "Write it as in `theirs = ours, another = another`",
            )
            yield error(node.id, template, remedy, name=name, reason=fault)
    for name in ("flow.out", "flow.sets", "flow.output"):
        for value in listed(node.properties.get(name, "")) if name in node.properties else ():
            if not _NAME.fullmatch(value) and PLACES[name][1](node):
                template = "{name} holds {value}, which cannot be a variable"
                remedy = "Name variables, with commas between them"
                yield error(node.id, template, remedy, name=name, value=value[:60])
