"""Variables: what the diagram reads, something has to set.

Who sets a variable is not always to be seen: functions, messages and whoever starts an instance by hand may.
Conditions, scripts and due dates may therefore read only what something is seen to set, or what a step declares
in the property `flow.sets`: a misspelt name would stop the instance, a date that never comes would never be
missed. What a form is filled in with beforehand is reported only when none of them could have set it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.bpmn.diagram import Node
from engine.bpmn.rules.chart import kinds
from engine.bpmn.rules.properties import HANDLED, listed
from engine.bpmn.rules.texts import expression_texts
from engine.calendar.due_grammar import DueExpression, Offset, parse_due
from engine.calendar.rules import Before
from engine.check.view import View, meant
from engine.errors import Finding, Invalid, Misbuilt
from engine.expressions import compile_expression, compile_script

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
        for element, text in expression_texts(chart):
            try:
                yield element, compile_expression(text, view.functions).names
            except Misbuilt:
                continue
        for node in chart.nodes:
            if node.tag == "scriptTask":
                try:
                    yield node.id, compile_script(node.script or "", view.functions).names
                except Misbuilt:
                    continue
            form = view.procedure.forms.get(node.attributes.get("formKey", ""))
            if forms and form is not None:
                yield node.id, form.variables


def _known(view: View) -> _Known:
    procedure, known = view.procedure, _Known({*_ENGINE_SETS})
    for name, value in procedure.values.items():
        known.names.add(name)
        if isinstance(value, str) and _DATE.fullmatch(value):
            known.dates.add(name)
    for schedule in procedure.schedules.values():
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
    for part in listed(node.properties.get("flow.in", "")):
        known.dates.add(part.partition("=")[0].strip())
    if node.loop is not None:
        known.names |= {node.loop.item or "", node.loop.output or "", node.loop.output_item or ""} - {""}
    known.names |= set(listed(node.properties.get("flow.output", "")))
    if node.tag == "scriptTask":
        try:
            known.dates |= compile_script(node.script or "", view.functions).assigns
        except Misbuilt:
            known.others = True
    form = view.procedure.forms.get(node.attributes.get("formKey", ""))
    for each in form.questions if form is not None else ():
        (known.dates if each.type in ("date", "datetime") else known.names).add(each.id)
    receives = node.tag == "receiveTask" or (
        "message" in kinds(node) and node.tag not in ("endEvent", "intermediateThrowEvent")
    )
    foreign = node.tag == "callActivity" and node.called not in view.diagram.processes
    if (node.tag in HANDLED or receives or foreign) and not declared:
        known.others = True
