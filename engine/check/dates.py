"""Variables: what the diagram reads, something has to set.

Who sets a variable is not always to be seen: functions, messages and whoever starts an instance by hand may.
Conditions, scripts and due dates may therefore read only what something is seen to set, or what a step declares
in the property `flow.sets`: a misspelt name would stop the instance, a date that never comes would never be
missed. What a form is filled in with beforehand is reported only when none of them could have set it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from engine.bpmn.diagram import Node
from engine.bpmn.rules.chart import kinds
from engine.bpmn.rules.decisions import by_table
from engine.bpmn.rules.properties import HANDLED, inputs, listed, pairs
from engine.bpmn.rules.texts import expression_texts
from engine.calendar.due_grammar import DueExpression, Offset, parse_due
from engine.calendar.rules import Before
from engine.check.decisions import reads
from engine.check.view import View, meant
from engine.errors import EngineError, Finding, Invalid, Misbuilt

_WORD = re.compile(r"[^\W\d]\w*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d.*")
_ENGINE_SETS = (
    *("loopCounter", "actual_days", "counting"),
    *("numberOfInstances", "numberOfCompletedInstances", "numberOfActiveInstances"),
    *("nrOfInstances", "nrOfCompletedInstances", "nrOfActiveInstances"),
)


@dataclass(slots=True)
class _Known:
    """The variables that something sets."""

    names: set[str] = field(default_factory=set)
    dates: set[str] = field(default_factory=set)
    """Those that may hold a date."""
    others: bool = False
    """Whether functions or messages may set any."""
    by_hand: bool = False
    """Whether whoever starts, or calls, gives them."""


@dataclass(frozen=True, slots=True)
class Names:
    """The variables a procedure knows, for whoever starts it by hand."""

    known: frozenset[str]
    """Those that something in it sets or reads."""
    anchors: frozenset[str]
    """Those from which a due date counts."""
    awaited: Mapping[str, tuple[str, ...]]
    """The dates that due dates of the main process count from and nothing but a start gives: to the elements."""


def names(view: View) -> Names:
    """What may be given at a start, and which dates have to be.

    A function may read what nothing else does: it is then named in one of its properties, or declared in the
    `flow.sets` of the start event.
    """
    by_hand = _known(view, calendar=False)
    read: set[str] = set().union(*(each for _, each in _read(view, forms=True)))
    anchors: set[str] = set()
    awaited: dict[str, list[str]] = {}
    main = set() if view.main is None else {view.main.id, *view.main.nodes}
    for element, due in _dues(view):
        if due.anchor is not None and due.anchor.source == "date":
            anchors.add(due.anchor.name)
            if element in main and due.anchor.name not in by_hand.dates:
                awaited.setdefault(due.anchor.name, []).append(element)
    for node in view.nodes:
        read |= _timed(view, node)
        for value in node.properties.values() if node.tag in HANDLED else ():
            read.update(_WORD.findall(value))
    by_calendar = {"period"} if view.procedure.schedules else set()
    known = frozenset(_known(view).names | read | anchors | by_calendar)
    return Names(known, frozenset(anchors), {name: tuple(elements) for name, elements in awaited.items()})


def _timed(view: View, node: Node) -> frozenset[str]:
    """What a timer reads whose text is an expression."""
    read: frozenset[str] = frozenset()
    for each in node.events:
        if each.kind == "timer" and each.text:
            try:
                read |= view.texts.expression(each.text).names
            except Misbuilt:
                continue  # a duration or a date
    return read


def anchors(view: View) -> Iterator[Finding]:
    """The dates that due dates count from are set by something."""
    known = _known(view)
    for element, due in _dues(view):
        point = due.point
        if isinstance(point, Offset) and point.counting == "counted" and view.procedure.counting is None:
            template = "The due date leaves open how to count, and no parameter says so"
            remedy = "Add the parameter counting with the value from or after, or write from or after here"
            yield view.incomplete(element, template, remedy)
        anchor = due.anchor
        if anchor is None or anchor.source != "date" or known.by_hand or anchor.name in known.dates:
            continue
        otherwise = "Count from a date of a form, schedule or parameter, or declare in flow.sets who sets it"
        remedy, close = meant(anchor.name, known.dates, otherwise)
        template = "The due date counts from {name}, which nothing sets"
        if anchor.name in known.names:
            template = "The due date counts from {name}, which is no date"
        yield view.incomplete(element, template, remedy, name=anchor.name, meant=close)


def settable(view: View) -> frozenset[str]:
    """The variables that something is seen to set."""
    return frozenset(_known(view).names)


def variables(view: View) -> Iterator[Finding]:
    """The variables that conditions, scripts and forms read are set by something."""
    known = _known(view)
    if known.by_hand:
        return
    for element, names in _read(view, forms=not known.others):
        for name in sorted(names - known.names):
            otherwise = (
                "Set it in a form, a parameter or a script before, or declare in flow.sets which step sets it"
            )
            remedy, close = meant(name, known.names, otherwise)
            template = "{name} is read here, but nothing sets it"
            yield view.incomplete(element, template, remedy, name=name, meant=close)


def _dues(view: View) -> Iterator[tuple[str, DueExpression]]:
    for process in view.processes:
        texts = [(process.id, process.properties.get("flow.due", ""))]
        for node in process.nodes.values():
            texts.append((node.id, node.properties.get("flow.due", "")))
            texts += [(node.id, each.text or "") for each in node.events if each.kind == "timer"]
        for element, text in texts:
            try:
                yield element, parse_due(text)
            except Invalid:
                continue  # empty, an expression, or said by the rules


def _read(view: View, *, forms: bool) -> Iterator[tuple[str, frozenset[str]]]:
    for chart in view.charts:
        said = {chart.process.id: chart.process.properties}
        for element, properties in (said | {node.id: node.properties for node in chart.nodes}).items():
            try:
                yield element, frozenset(pairs(properties.get("flow.action", "")).values())
            except EngineError:
                continue  # said by the rules
        for element, text in expression_texts(chart):
            try:
                yield element, view.texts.expression(text).names
            except Misbuilt:
                continue
        for node in chart.nodes:
            if node.tag == "scriptTask":
                try:
                    yield node.id, view.texts.script(node.script or "").names
                except Misbuilt:
                    continue
            if by_table(node):
                yield node.id, reads(view.procedure.decisions, node.attributes["decisionRef"])
            if node.loop is not None and node.loop.collection:
                yield node.id, frozenset({node.loop.collection})
            form = view.procedure.forms.get(node.attributes.get("formKey", ""))
            if forms and form is not None:
                yield node.id, form.variables


def _known(view: View, *, calendar: bool = True) -> _Known:
    """What something sets; without `calendar` leaving out what only a kick-off does."""
    procedure, known = view.procedure, _Known({*_ENGINE_SETS})
    for name, value in procedure.values.items():
        known.names.add(name)
        if isinstance(value, str) and _DATE.fullmatch(value):
            known.dates.add(name)
    for schedule in procedure.schedules.values() if calendar else ():
        known.dates |= {"d0", "period_start", "period_end"}
        if isinstance(schedule.rule.start, Before):
            known.dates.add("deadline")
    known.by_hand = not procedure.schedules
    for node in view.nodes:
        _by_node(view, node, known)
    known.names |= known.dates
    return known


def _by_node(view: View, node: Node, known: _Known) -> None:
    declared = {*listed(node.properties.get("flow.sets", "")), *listed(node.properties.get("flow.out", ""))}
    known.dates |= declared
    known.dates |= {name for name, _ in inputs(node.properties.get("flow.in", ""))}
    if node.loop is not None:
        known.names |= {node.loop.item or "", node.loop.output or "", node.loop.output_item or ""} - {""}
    known.names |= set(listed(node.properties.get("flow.output", "")))
    if node.tag == "scriptTask":
        try:
            known.dates |= view.texts.script(node.script or "").assigns
        except Misbuilt:
            known.others = True
    if by_table(node):
        _by_decision(view, node, known)
        return
    form = view.procedure.forms.get(node.attributes.get("formKey", ""))
    for each in form.questions if form is not None else ():
        (known.dates if each.type in ("date", "datetime") else known.names).add(each.id)
    receives = node.tag == "receiveTask" or (
        "message" in kinds(node) and node.tag not in ("endEvent", "intermediateThrowEvent")
    )
    foreign = node.tag == "callActivity" and node.called not in view.diagram.processes
    if (node.tag in HANDLED or receives or foreign) and not declared:
        known.others = True


def _by_decision(view: View, node: Node, known: _Known) -> None:
    """The result variable, or a variable for each output; one of a type other than date holds none."""
    decision = view.procedure.decisions.get(node.attributes["decisionRef"])
    for each in decision.outputs if decision is not None else ():
        name = node.attributes.get("resultVariable", each.name)
        (known.dates if each.type in ("", "date") else known.names).add(name)
