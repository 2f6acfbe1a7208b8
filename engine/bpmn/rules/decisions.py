"""Business rule tasks that a decision table decides: which one, and what becomes of its results."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.bpmn.diagram import Node
from engine.bpmn.rules.chart import Chart, error
from engine.decisions import MAPPINGS
from engine.errors import Finding

ATTRIBUTES = ("decisionRef", "resultVariable", "mapDecisionResult", "decisionRefBinding")
"""The `camunda:` attributes of a business rule task that mean something here."""

_BINDINGS = ("latest", "deployment")
"""Both are true of a table that is published with the diagram."""
_NAME = re.compile(r"[^\W\d]\w*")


def by_table(node: Node) -> bool:
    """Whether a decision table decides in this task."""
    return node.tag == "businessRuleTask" and "decisionRef" in node.attributes


def is_plain(reference: str) -> bool:
    """Whether it names a decision, and no expression has to tell which."""
    return bool(reference.strip()) and not any(sign in reference for sign in "${}")


def deciding(chart: Chart) -> Iterator[Finding]:
    """What a business rule task says about its decision can be done, and no more."""
    for node in chart.nodes:
        if by_table(node):
            yield from _table(node)
        elif node.tag == "businessRuleTask":
            for name in ATTRIBUTES[1:]:
                if name in node.attributes:
                    template = "The attribute camunda:{name} has no effect without a decision"
                    yield error(node.id, template, "Add camunda:decisionRef, or delete it", name=name)


def _table(node: Node) -> Iterator[Finding]:
    written = node.attributes
    decision, variable = written["decisionRef"], written.get("resultVariable")
    mapping, binding = written.get("mapDecisionResult"), written.get("decisionRefBinding")
    if "flow.handler" in node.properties:
        template = "Both a decision table and a function decide here"
        yield error(node.id, template, "Delete camunda:decisionRef or the property flow.handler")
    if not is_plain(decision):
        template, remedy = (
            "The attribute camunda:decisionRef holds {value}, which is no plain id",
            "Write the id of a decision",
        )
        yield error(node.id, template, remedy, value=decision[:60] or "''")
    if variable is not None and not _NAME.fullmatch(variable):
        template = "The attribute camunda:resultVariable holds {value}, which cannot be a variable"
        yield error(node.id, template, "Write one name", value=variable[:60] or "''")
    if mapping is not None and mapping not in MAPPINGS:
        template = "The attribute camunda:mapDecisionResult holds {value}, which is not known"
        yield error(node.id, template, "Write {known}", value=mapping[:60], known=", ".join(MAPPINGS))
    elif mapping is not None and variable is None:
        template = "The attribute camunda:mapDecisionResult has no effect without a result variable"
        remedy = "Add camunda:resultVariable; without both, each output of the table is a variable"
        yield error(node.id, template, remedy)
    if binding not in (None, *_BINDINGS):
        template = "The decision {binding} is not taken: the table published with the diagram decides"
        yield error(node.id, template, "Delete camunda:decisionRefBinding", binding=binding)
