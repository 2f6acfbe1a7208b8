"""Paths: what no token reaches, and loops that no token leaves."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from engine.bpmn.diagram import PERSON_TASKS, SCOPES, Node
from engine.bpmn.rules.chart import Chart, error, kinds
from engine.bpmn.rules.decisions import by_table
from engine.errors import Finding

_MAY_WAIT = (
    *(*PERSON_TASKS, *SCOPES, "receiveTask", "callActivity", "eventBasedGateway"),
    *("serviceTask", "businessRuleTask"),  # a handler may wait for the world, or throw an error
)


def unreachable(chart: Chart) -> Iterator[Finding]:
    """Every node stands on some path from a beginning of its scope."""
    for scope in chart.scopes:
        found = reached(chart, [*chart.starts(scope), *chart.aside(scope)])
        if not found:
            continue  # nothing begins here: said already
        for node in chart.within.get(scope, ()):
            unbegun = node.for_compensation or (node.tag == "boundaryEvent" and node.attached_to not in found)
            if node.id not in found and not unbegun:
                remedy = "Lead a flow to it, or delete it"
                yield error(node.id, "No path from a start leads here", remedy)


def reached(chart: Chart, starts: Collection[str]) -> set[str]:
    """The nodes that tokens beginning at `starts` may come to."""
    found: set[str] = set()
    pending = list(starts)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(chart.next(chart.process.nodes[name]))
    return found


def endless(chart: Chart) -> Iterator[Finding]:
    """A loop has a way out, or something in it that waits."""
    graph = {node.id: list(chart.next(node)) for node in chart.nodes}
    for loop in cycles(graph):
        nodes = [chart.process.nodes[name] for name in loop]
        inside = set(loop)
        if all(target in inside for name in loop for target in graph[name]) and not any(map(_pauses, nodes)):
            first = min(nodes, key=lambda node: (node.line, node.id))
            template = "The loop of {count} elements has no way out and never waits"
            remedy = "Add a gateway that leaves it"
            yield error(first.id, template, remedy, count=len(nodes))


def _pauses(node: Node) -> bool:
    if node.loop is not None and node.loop.multi:
        return True
    if node.tag in _MAY_WAIT:
        return not by_table(node)
    if node.tag == "scriptTask":
        return "throw_error" in (node.script or "")
    return node.tag == "intermediateCatchEvent" and "link" not in kinds(node)


def cycles(graph: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """The strongly connected parts of a graph in which one can go round (Tarjan's, without recursion)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    waiting: set[str] = set()
    for root in graph:
        path = [] if root in order else [(root, iter(graph[root]))]
        for name, _ in path:
            order[name] = low[name] = len(order)
            stack.append(name)
            waiting.add(name)
        while path:
            name, targets = path[-1]
            for target in targets:
                if target not in order:
                    order[target] = low[target] = len(order)
                    stack.append(target)
                    waiting.add(target)
                    path.append((target, iter(graph[target])))
                    break
                if target in waiting:
                    low[name] = min(low[name], order[target])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[name])
                if low[name] == order[name]:
                    part: list[str] = []
                    while not part or part[-1] != name:
                        part.append(stack.pop())
                        waiting.discard(part[-1])
                    if len(part) > 1 or name in graph[name]:
                        yield part
