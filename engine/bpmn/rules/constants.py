"""What an expression says without looking at any variable is worked out beforehand.

So that `9**9**9`, `"a" + 1` or a condition that is no condition are found by the check, not by an instance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.bpmn.diagram import Node
from engine.bpmn.rules.chart import Chart, error
from engine.bpmn.rules.texts import conditions, expression_texts
from engine.errors import Finding, Misbuilt
from engine.expressions import Expression, ExpressionFault, Script


def computed(chart: Chart) -> Iterator[Finding]:
    """The constant parts of expressions and scripts can be worked out, and constant conditions are true or false."""
    for element, text in expression_texts(chart):
        yield from _parts(element, chart.texts.expression, text)
    for node in chart.nodes:
        if node.tag == "scriptTask":
            yield from _parts(node.id, chart.texts.script, node.script or "")
    for element, text in _conditions(chart):
        try:
            expression = chart.texts.expression(text)
        except Misbuilt:
            continue  # said where texts are compiled
        if expression.closed:
            yield from _judged(element, expression)


def _parts(element: str, compile_text: Callable[[str], Expression | Script], text: str) -> Iterator[Finding]:
    """The faults of what stands in a text without variables around it."""
    try:
        parts = compile_text(text).parts
    except Misbuilt:
        return  # said where texts are compiled
    for part in parts:
        try:
            part.evaluate()
        except ExpressionFault as fault:
            template = "{text} cannot be worked out: {reason}"
            yield error(element, template, "Correct it", text=part.text[:60], reason=fault)


def _judged(element: str, condition: Expression) -> Iterator[Finding]:
    """A condition that depends on nothing gives true or false."""
    try:
        value = condition.evaluate({}, {})
    except ExpressionFault:
        return  # said above
    if not isinstance(value, bool):
        template = "The condition {text} is always {value}, which is neither true nor false"
        remedy = "Write a comparison, such as `amount > 100`"
        yield error(element, template, remedy, text=condition.text[:60], value=str(value)[:60])


def _conditions(chart: Chart) -> Iterator[tuple[str, str]]:
    for node in chart.nodes:
        yield from ((flow.id, flow.condition or "") for flow in conditions(node))
        yield from ((node.id, text) for text in _own(node) if text)


def _own(node: Node) -> Iterator[str | None]:
    yield node.activation
    yield from (each.text for each in node.events if each.kind == "conditional")
    if node.loop is not None:
        yield from (node.loop.condition, node.loop.completion)
