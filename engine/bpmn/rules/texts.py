"""What is written in a diagram: conditions, scripts, timers and due dates can be read before anything runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from engine.bpmn.diagram import PERSON_TASKS, EventDefinition, Flow, Node
from engine.bpmn.rules.chart import Chart, error
from engine.bpmn.rules.events import place
from engine.bpmn.rules.properties import inputs, others
from engine.calendar.due_grammar import Anchor, DueExpression, parse_due
from engine.calendar.durations import Cycle, Duration, Instant, parse_timer
from engine.errors import Finding, Invalid, Misbuilt, Problem
from engine.expressions import ExpressionFault
from engine.expressions.functions import ACTS
from engine.strict_yaml import nearest, shown

_LOOKS_LIKE_TIME = re.compile(r"[PR](\d|T\d|/)|R-?\d*/|[-+]?\d|-P|\+P")
_WORD_LIKE_TIME = re.compile(r"[PR](?!T?\d+[A-Z])\w*", re.ASCII)
"""A duration or cycle that is none, as PT, and could be a variable: P1W2D is certainly meant as a time."""
_NAME = re.compile(r"[^\W\d]\w*")
_TIMES: dict[str, tuple[type, str]] = {
    "duration": (Duration, "Write a duration such as PT4H, P15D or P5WD, or change the kind of timer"),
    "date": (Instant, "Write a date such as 2026-12-31, or change the kind of timer"),
    "cycle": (Cycle, "Write a cycle such as R3/P1W, or change the kind of timer"),
}


def expressions(chart: Chart) -> Iterator[Finding]:
    """Every expression and script compiles."""
    for element, text in expression_texts(chart):
        yield from _compiled(element, lambda text=text: chart.texts.expression(text))  # type: ignore[misc]
    for node in chart.nodes:
        if node.tag == "scriptTask" and (node.script or "").strip():
            script = node.script or ""
            yield from _compiled(node.id, lambda script=script: chart.texts.script(script))  # type: ignore[misc]
            yield from _covering(chart, node, script)


def _compiled(element: str, compile_text: Callable[[], object]) -> Iterator[Finding]:
    try:
        compile_text()
    except Misbuilt as error_:
        for each in error_.findings:
            yield replace(each, element=element)


def _covering(chart: Chart, node: Node, script: str) -> Iterator[Finding]:
    """What acts, unlike `round`, is called and not set: whoever writes `sleep = 5` meant to wait."""
    try:
        assigned = chart.texts.script(script).assigns
    except Misbuilt:
        return  # said where it is compiled
    for name in sorted(assigned & {*chart.texts.functions, *ACTS}):
        template = "The script sets a variable {name}, but {name} is a function"
        yield error(node.id, template, "Call it as {name}(…), or choose another name", name=name)


def conditions(node: Node) -> Iterator[Flow]:
    """The outgoing flows whose condition counts (that of a default flow is ignored: 8.4.13)."""
    for flow in node.outgoing:
        if flow.condition is not None and flow.id != node.default:
            yield flow


def expression_texts(chart: Chart) -> Iterator[tuple[str, str]]:
    """(where, text) of every expression but those of timers."""
    for node in chart.nodes:
        for flow in conditions(node):
            yield flow.id, flow.condition or ""
        for each in node.events:
            if each.kind == "conditional" and each.text:
                yield node.id, each.text
        if node.loop is not None:
            complex_ = (text for text, _ in node.loop.complex if text is not None)
            for text in (node.loop.condition, node.loop.cardinality, node.loop.completion, *complex_):
                if text is not None:
                    yield node.id, text
        if node.activation is not None:
            yield node.id, node.activation
        if node.tag in PERSON_TASKS and node.attributes.get("assignee"):
            yield node.id, node.attributes["assignee"]
        if "flow.key" in node.properties:
            yield node.id, node.properties["flow.key"]
        for variable in others(node.properties.get("flow.not-same-as", ""))[1]:
            yield node.id, variable
        for _, text in inputs(node.properties.get("flow.in", "")):
            yield node.id, text


def values(chart: Chart) -> Iterator[Finding]:
    """Names, numbers and counts that are no expressions."""
    for node in chart.nodes:
        priority = node.attributes.get("priority")
        if priority is not None and not re.fullmatch(r"-?[0-9]{1,9}", priority):
            template = "The priority {priority} is no whole number"
            yield error(node.id, template, "Write digits", priority=priority[:40])
        role = node.attributes.get("candidateGroups")
        if role is not None and not re.fullmatch(r"[\w.-]+", role):
            template = "candidateGroups holds {role}, which is not one role"
            yield error(node.id, template, "Write one role's id", role=role[:40] or "''")
        for name, _ in inputs(node.properties.get("flow.in", "")):
            if not _NAME.fullmatch(name):
                remedy = "Write it as in `unit, limit = target * 2`"
                yield error(
                    node.id, "flow.in sets {name}, which cannot be a variable", remedy, name=name[:40]
                )
        if node.loop is not None and node.loop.cardinality is not None:
            yield from _count(chart, node, node.loop.cardinality)
        if node.loop is not None and re.search(r"[#$]\{|\(", node.loop.collection or ""):
            template, remedy = (
                "The collection {text} is computed",
                "Set it in a script before, and name its variable",
            )
            yield error(node.id, template, remedy, text=(node.loop.collection or "")[:60])


def _count(chart: Chart, node: Node, text: str) -> Iterator[Finding]:
    """A number of instances that depends on nothing can be judged now."""
    try:
        expression = chart.texts.expression(text)
        if not expression.closed:
            return
        count = expression.evaluate({}, {})
    except Misbuilt:
        return  # said where expressions are compiled
    except ExpressionFault:
        count = None
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        template = "The number of instances {text} is no whole number from 0"
        yield error(node.id, template, "Write a number, or an expression that gives one", text=text[:40])


def timers(chart: Chart) -> Iterator[Finding]:
    """Timers hold a duration, date or cycle, a due date, or an expression that gives one of them."""
    for node in chart.nodes:
        for event in node.events:
            if event.kind == "timer" and event.text:
                yield from _timer(chart, node, event, event.text)


def _timer(chart: Chart, node: Node, event: EventDefinition, text: str) -> Iterator[Finding]:
    expected, remedy = _TIMES[event.timer or "duration"]
    try:
        timer = parse_timer(text)
    except Invalid as fault:
        if text.startswith(("R", "-", "+")) or not _is_due(text):
            if _WORD_LIKE_TIME.fullmatch(text):
                template = "The timer cannot be read: {reason}"
                otherwise = (
                    "Write a time such as PT4H, R3/P1W or 2026-12-31; "
                    "a variable of this name goes into brackets: ({text})"
                )
                yield error(node.id, template, otherwise, reason=_reason(fault), text=text)
            elif _LOOKS_LIKE_TIME.match(text) or _in_small_letters(text):
                template = "The timer cannot be read: {reason}"
                yield error(
                    node.id,
                    template,
                    remedy,
                    reason=_reason(fault),
                )
            else:
                yield from _compiled(node.id, lambda: chart.texts.expression(text))
                yield from _constant(chart, node, text, remedy)
        elif event.timer == "cycle" and place(chart, node) != "start":
            yield error(node.id, "The timer {text} fires once, but is declared a cycle", remedy, text=text)
        return
    if not isinstance(timer, expected):
        template = "The timer is declared a {kind}, but {text} is none"
        yield error(node.id, template, remedy, kind=event.timer, text=text)


def _in_small_letters(text: str) -> bool:
    """Whether it would be a time in capital letters, as pt5m."""
    try:
        parse_timer(text.upper())
    except Invalid:
        return False
    return True


def _constant(chart: Chart, node: Node, text: str, remedy: str) -> Iterator[Finding]:
    """An expression that depends on nothing, as a date in quotes, can be judged now."""
    try:
        expression = chart.texts.expression(text)
        if not expression.closed:
            return
        value = expression.evaluate({}, {})
    except (Misbuilt, ExpressionFault):
        return  # said where it is compiled, or an incident with its reason
    if not isinstance(value, str):
        template = "The timer gives {found}, which is no date or duration written as text"
        yield error(node.id, template, remedy, found=shown(value))
    elif not _is_due(value):
        try:
            parse_timer(value)
        except Invalid as fault:
            yield error(node.id, "The timer cannot be read: {reason}", remedy, reason=_reason(fault))


def _reason(fault: Invalid) -> Problem:
    """What is wrong, as a message that is put into the reader's language with the finding."""
    return fault.problems[0]


def _is_due(text: str) -> bool:
    try:
        parse_due(text)
    except Invalid:
        return False
    return True


def dues(chart: Chart) -> Iterator[Finding]:
    """Due dates can be read, and count from elements there are and that have a date of their own."""
    found: dict[str, DueExpression] = {}
    for element, text in _dues(chart):
        try:
            found[element] = parse_due(text)
        except Invalid as fault:
            template, remedy = (
                "flow.due cannot be read: {reason}",
                "Write it as in `P3WD after planned(collect)`",
            )
            yield error(element, template, remedy, reason=_reason(fault))
    for element, due in found.items():
        if due.anchor is not None and due.anchor.source != "date":
            yield from _anchor(chart, element, due.anchor, found)
    yield from _circles(found)


def _dues(chart: Chart) -> Iterator[tuple[str, str]]:
    if chart.process.properties.get("flow.due", "").strip():
        yield chart.process.id, chart.process.properties["flow.due"]
    for node in chart.nodes:
        if node.tag in PERSON_TASKS and node.properties.get("flow.due", "").strip():
            yield node.id, node.properties["flow.due"]
        for event in node.events:
            if event.kind == "timer" and event.text and _is_due(event.text):
                yield node.id, event.text


def _anchor(chart: Chart, element: str, anchor: Anchor, known: dict[str, DueExpression]) -> Iterator[Finding]:
    target = chart.node(anchor.name)
    if target is None:
        template = "The due date counts from {anchor}, but there is no such element"
        meant = nearest(anchor.name, chart.process.nodes)
        remedy = "Did you mean {meant}?" if meant else "Name an element of the same process"
        yield error(element, template, remedy, anchor=str(anchor), meant=meant)
    elif anchor.source == "planned" and "flow.due" not in target.properties:
        template = "The due date counts from {anchor}, but {target} has no due date"
        remedy = "Give that element a flow.due, or count from actual({name})"
        yield error(element, template, remedy, anchor=str(anchor), target=target.label, name=anchor.name)
    elif anchor.source == "planned" and anchor.name in known and known[anchor.name].from_opening:
        template = "The due date counts from {anchor}, which is known only when that task opens"
        remedy = "Count from actual({name}), or let {name} count from a date"
        yield error(element, template, remedy, anchor=str(anchor), name=anchor.name)


def _circles(found: dict[str, DueExpression]) -> Iterator[Finding]:
    """Due dates that are planned from one another in a circle."""
    done: set[str] = set()
    for start in found:
        path: dict[str, None] = {}
        name: str | None = start
        while name is not None and name in found and name not in done and name not in path:
            path[name] = None
            anchor = found[name].anchor
            name = anchor.name if anchor is not None and anchor.source == "planned" else None
        if name in path:
            circle = [*list(path)[list(path).index(name or "") :], name or ""]
            template = "The due dates of {circle} count from one another"
            yield error(circle[0], template, "Let one of them count from a date", circle=" → ".join(circle))
        done.update(path)
