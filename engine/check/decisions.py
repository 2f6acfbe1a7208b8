"""Decision tables: those that tasks name, those that nothing names, and what their cells read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.bpmn.diagram import Diagram, Node
from engine.bpmn.rules.decisions import by_table, is_plain
from engine.check.view import View, meant
from engine.decisions import Decision, overlapping
from engine.errors import Finding

MAX_PAIRS = 10
"""Pairs of rules of one table that are told."""


def deciding(nodes: Iterable[Node], decisions: Mapping[str, Decision], file: str) -> Iterator[Finding]:
    """Every task that a table decides names one, and takes its results as that gives them."""
    for node in filter(by_table, nodes):
        name = node.attributes["decisionRef"]
        mapping = node.attributes.get("mapDecisionResult") if "resultVariable" in node.attributes else None
        decision = decisions.get(name)
        params: dict[str, object] = {"decision": name, "mapping": mapping}
        if decision is None:
            if not is_plain(name):
                continue  # said by the rules
            otherwise = "Put the .dmn file that has it beside the diagram"
            remedy, params["meant"] = meant(name, decisions, otherwise)
            template = "There is no decision {decision}"
        elif mapping in ("singleEntry", "collectEntries") and len(decision.outputs) > 1:
            template = "{mapping} takes one output, but {decision} has {count}"
            remedy = (
                "Write singleResult or resultList, or delete resultVariable: each output is then a variable"
            )
            params["count"] = len(decision.outputs)
        elif mapping in ("singleEntry", "singleResult") and not decision.one_result:
            template = "{mapping} takes one result, but by its hit policy {decision} gives a list"
            remedy = "Write collectEntries or resultList, or choose another hit policy"
        else:
            continue
        yield Finding("error", file, node.id, template, remedy, params, node.line)


def asked(diagram: Diagram) -> bool:
    """Whether any task of a diagram names a decision table."""
    return any(by_table(node) for process in diagram.processes.values() for node in process.nodes.values())


def of_diagram(diagram: Diagram, decisions: Mapping[str, Decision]) -> list[Finding]:
    """What keeps the tables of a bare diagram from deciding: each finding an `error`."""
    nodes = [node for process in diagram.processes.values() for node in process.nodes.values()]
    return [*deciding(nodes, decisions, ""), *unambiguous(decisions)]


def unambiguous(decisions: Mapping[str, Decision]) -> Iterator[Finding]:
    """Under the hit policy UNIQUE no two rules apply at once, as far as their cells tell."""
    for decision in decisions.values():
        pairs = overlapping(decision) if decision.policy == "UNIQUE" else iter(())
        for (first, second), _ in zip(pairs, range(MAX_PAIRS), strict=False):
            template = "Rules {first} and {second} can apply at once, which the hit policy UNIQUE forbids"
            remedy = "Let their cells exclude one another, or choose the hit policy FIRST"
            params = {"first": first.number, "second": second.number}
            yield Finding("error", decision.file, decision.id, template, remedy, params, first.line)


def used(view: View) -> Iterator[Finding]:
    """Every decision is made by some task, or required by one that is."""
    decisions = view.procedure.decisions
    asked = {node.attributes["decisionRef"] for node in view.nodes if by_table(node)}
    needed = asked.union(*(decisions[name].after for name in asked if name in decisions))
    for name, decision in decisions.items():
        if name not in needed:
            template, remedy = (
                "No step uses the decision",
                "Name it in the camunda:decisionRef of a business rule task",
            )
            yield Finding("incomplete", decision.file, name, template, remedy, {}, decision.line)


def reads(decisions: Mapping[str, Decision], name: str) -> frozenset[str]:
    """The variables that the heads of a decision's columns read, and those of the decisions that it requires."""
    if name not in decisions:
        return frozenset()
    found: set[str] = set()
    for each in (decisions[name], *(decisions[other] for other in decisions[name].after)):
        found |= _heads(each) - _given(decisions, each)
    return frozenset(found)


def cells(view: View, known: frozenset[str]) -> Iterator[Finding]:
    """The names in cells are variables that something sets: what is none was meant as text.

    A name at the head of a column counts as one, for whoever starts an instance by hand may give it.
    """
    decisions = view.procedure.decisions
    for decision in decisions.values():
        sure = known | _heads(decision) | _given(decisions, decision)
        for rule in decision.rules:
            columns = [
                *(
                    (each.label, cell.operands)
                    for each, cell in zip(decision.inputs, rule.conditions, strict=True)
                ),
                *((each.name, [cell]) for each, cell in zip(decision.outputs, rule.conclusions, strict=True)),
            ]
            for heading, operands in columns:
                for name in sorted(frozenset().union(*(each.names for each in operands)) - sure):
                    template = "Rule {rule}, column {heading}: {name} is read here, but nothing sets it"
                    remedy = (
                        'Put text in quotes: "{name}"; a variable is set by a form, a parameter or a script'
                    )
                    params = {"rule": rule.number, "heading": heading, "name": name}
                    yield Finding(
                        "incomplete", decision.file, decision.id, template, remedy, params, rule.line
                    )


def _heads(decision: Decision) -> frozenset[str]:
    return frozenset().union(*(each.head.names for each in decision.inputs))


def _given(decisions: Mapping[str, Decision], decision: Decision) -> frozenset[str]:
    """What the decisions that one requires give it."""
    return frozenset().union(*(decisions[other].gives for other in decision.requires))
