"""What an expression says without looking at any variable is worked out beforehand.

So that `9**9**9`, `"a" + 1` or a condition that is no condition are found by the check, not by an instance.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from engine.bpmn.diagram import Node
from engine.bpmn.rules.chart import Chart, error
from engine.bpmn.rules.texts import conditions, expression_texts
from engine.errors import Finding, Misbuilt
from engine.expressions import ExpressionFault, compile_expression, compile_script
from engine.expressions.reading import Source

_COMPUTED = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Subscript)
_UNKNOWN = (ast.Name, ast.Call)


def computed(chart: Chart) -> Iterator[Finding]:
    """The constant parts of expressions and scripts can be worked out, and constant conditions are true or false."""
    for element, text in expression_texts(chart):
        yield from _parts(chart, element, _read(chart, text))
    for node in chart.nodes:
        if node.tag == "scriptTask":
            yield from _parts(chart, node.id, _read(chart, node.script or "", script=True))
    for element, text in _conditions(chart):
        try:
            tree = () if chart.expression(text).names else _read(chart, text)
        except Misbuilt:
            continue  # said where texts are compiled
        if tree and not any(isinstance(each, _UNKNOWN) for each in ast.walk(tree[0])):
            yield from _judged(chart, element, text)


def _read(chart: Chart, text: str, *, script: bool = False) -> Sequence[ast.AST]:
    """The trees of a text; none for what is not of the language, which is said where texts are compiled."""
    try:
        if script:
            compile_script(text, chart.functions)
            return Source(text).parse_script()
        chart.expression(text)
        return [Source(text).parse_expression()]
    except Misbuilt:
        return []


def _judged(chart: Chart, element: str, text: str) -> Iterator[Finding]:
    """A condition that depends on nothing gives true or false."""
    try:
        value = chart.expression(text).evaluate({}, {})
    except ExpressionFault:
        return  # said above
    if not isinstance(value, bool):
        template = "The condition {text} is always {value}, which is neither true nor false"
        remedy = "Write a comparison, such as `amount > 100`"
        yield error(element, template, remedy, text=text[:60], value=str(value)[:60])


def _conditions(chart: Chart) -> Iterator[tuple[str, str]]:
    for node in chart.nodes:
        yield from ((flow.id, flow.condition or "") for flow in conditions(node))
        yield from ((node.id, text) for text in _own(node) if text)


def _own(node: Node) -> Iterator[str | None]:
    yield node.activation
    yield from (each.text for each in node.events if each.kind == "conditional")
    if node.loop is not None:
        yield from (node.loop.condition, node.loop.completion)


def _parts(chart: Chart, element: str, trees: Sequence[ast.AST]) -> Iterator[Finding]:
    """The faults of what stands in a text without variables around it."""
    for part in (part for tree in trees for part in _constant(tree)):
        text = ast.unparse(part)
        try:
            compile_expression(text, chart.functions).evaluate({}, {})
        except ExpressionFault as fault:
            template = "{text} cannot be worked out: {reason}"
            yield error(element, template, "Correct it", text=text[:60], reason=fault)


def _constant(tree: ast.AST) -> Iterator[ast.expr]:
    """The largest parts that compute something and have no variable or call in them."""
    order = list(ast.walk(tree))
    open_: set[int] = set()
    for node in reversed(order):  # what stands inside comes after what is around it
        if isinstance(node, _UNKNOWN) or any(id(child) in open_ for child in ast.iter_child_nodes(node)):
            open_.add(id(node))
    covered: set[int] = set()
    for node in order:
        if id(node) in covered:
            covered |= {id(child) for child in ast.iter_child_nodes(node)}
        elif isinstance(node, _COMPUTED) and id(node) not in open_:
            yield node
            covered |= {id(child) for child in ast.iter_child_nodes(node)}
