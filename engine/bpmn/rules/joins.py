"""Parallel joins that can never complete: two of their flows are alternatives of one choice.

Only what is certain is reported. A join waits for a token from each incoming flow. All of them came through
its dominator, the last node that every path to it passes; when that node sees one token at a time, and sends
it on along one flow only, a second token never comes.

One token at a time is certain where nothing on the way multiplies tokens, or where a parallel split and its
own join enclose what does: the split dominates the join, the join has as many flows as the split, and no
path leaves or enters between them. Behind any other split everything counts as uncertain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.bpmn.diagram import Node
from engine.bpmn.rules.chart import Chart, error
from engine.bpmn.rules.reach import reached
from engine.errors import Finding

_ROOT = ""
"""Stands before the beginnings of a scope; only one start event begins an instance."""


def stuck(chart: Chart) -> Iterator[Finding]:
    """Parallel joins that wait for a token which cannot come."""
    for scope in chart.scopes:
        joins = [node for node in chart.within.get(scope, ()) if _joins(node)]
        if joins:
            paths = _Paths(chart, scope)
            for node in joins:
                if paths.never_complete(node.id):
                    template = "The parallel gateway waits for flows of which only one is ever taken"
                    yield error(node.id, template, "Join the branches of a choice with an exclusive gateway")


def _joins(node: Node) -> bool:
    return node.tag == "parallelGateway" and len(node.incoming) > 1


def _multiplies(chart: Chart, node: Node) -> bool:
    """Whether one token here may become several."""
    alone = node.tag == "exclusiveGateway" or (node.tag == "eventBasedGateway" and not node.parallel_multiple)
    if len(node.outgoing) > 1 and not alone:
        return True
    if node.quantities[1] > 1 or (node.tag == "complexGateway" and len(node.incoming) > 1):
        return True
    return any(not each.interrupting for each in chart.boundary.get(node.id, ()))


class _Paths:
    """The dominators of one scope's nodes, and where tokens multiply."""

    def __init__(self, chart: Chart, scope: str) -> None:
        self.chart = chart
        self.nodes = chart.process.nodes
        starts = chart.starts(scope)
        self.several = len(starts) > 1 and self.nodes[starts[0]].tag != "startEvent"
        self.next: dict[str, list[str]] = {_ROOT: starts}
        for name in reached(chart, starts):
            self.next[name] = list(chart.next(self.nodes[name]))
        self.dominator = dominators(self.next, _ROOT)
        self.splits = {name for name in self.next if name and _multiplies(chart, self.nodes[name])}
        self.interval = _intervals(self.dominator)
        self.closing = self._closed_blocks()
        self.uncertain = self._uncertain()

    def never_complete(self, join: str) -> bool:
        dominator = self.dominator.get(join)
        if dominator is None or self.several or join in self.uncertain or dominator in self.uncertain:
            return False
        return dominator not in self.splits

    def _below(self, name: str, top: str) -> bool:
        first, last = self.interval[top]
        return first <= self.interval[name][0] <= last

    def _closed_blocks(self) -> dict[str, str]:
        """Splits with a join of their own that no path goes around: split to join."""
        closing: dict[str, str] = {}
        for name, top in self.dominator.items():
            node = self.nodes.get(name)
            if node is not None and _joins(node) and top in self.splits:
                split = self.nodes[top]
                if split.tag == "parallelGateway" and len(split.outgoing) == len(node.incoming):
                    closing[top] = name
        for source, targets in self.next.items():
            for target in targets:
                top = self.dominator[target]
                if top in closing and target != closing[top] and self._below(source, closing[top]):
                    closing.pop(top)  # a way back between split and join
                inner = source
                while inner != top:
                    if inner in closing and not self._below(source, closing[inner]):
                        closing.pop(inner)  # a way out between split and join
                    inner = self.dominator[inner]
        return closing

    def _uncertain(self) -> set[str]:
        """The nodes that may see several tokens at once."""
        loose = [target for name in self.splits - self.closing.keys() for target in self.next[name]]
        before: dict[str, list[str]] = {}
        for source, targets in self.next.items():
            for target in targets:
                before.setdefault(target, []).append(source)
        for name, top in self.dominator.items():
            # Where branches of a closed block meet before its join, their tokens add up.
            if top in self.closing and name != self.closing[top]:
                entries = [source for source in before[name] if not self._below(source, name)]
                loose.extend([name] if len(entries) > 1 else [])
        return reached(self.chart, loose)


def dominators(graph: Mapping[str, list[str]], root: str) -> dict[str, str]:
    """Each node's immediate dominator (Cooper, Harvey and Kennedy's iteration); the root has none."""
    order = _postorder(graph, root)
    rank = {name: place for place, name in enumerate(order)}
    before: dict[str, list[str]] = {name: [] for name in order}
    for name in order:
        for target in graph[name]:
            before[target].append(name)
    found = {root: root}
    changed = True
    while changed:
        changed = False
        for name in reversed(order[:-1]):
            known = [each for each in before[name] if each in found]
            best = known[0]
            for each in known[1:]:
                left, right = each, best
                while left != right:
                    if rank[left] < rank[right]:
                        left = found[left]
                    else:
                        right = found[right]
                best = left
            if found.get(name) != best:
                found[name] = best
                changed = True
    del found[root]
    return found


def _postorder(graph: Mapping[str, list[str]], root: str) -> list[str]:
    order: list[str] = []
    seen = {root}
    path = [(root, iter(graph[root]))]
    while path:
        name, targets = path[-1]
        for target in targets:
            if target not in seen:
                seen.add(target)
                path.append((target, iter(graph[target])))
                break
        else:
            path.pop()
            order.append(name)
    return order


def _intervals(dominator: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """Numbers by which it is told whether one node dominates another: (own, last below)."""
    children: dict[str, list[str]] = {}
    for name, top in dominator.items():
        children.setdefault(top, []).append(name)
    own: dict[str, int] = {}
    last: dict[str, int] = {}
    path = [(_ROOT, iter(children.get(_ROOT, ())))]
    own[_ROOT] = 0
    while path:
        name, below = path[-1]
        child = next(below, None)
        if child is None:
            last[name] = len(own) - 1
            path.pop()
        else:
            own[child] = len(own)
            path.append((child, iter(children.get(child, ()))))
    return {name: (own[name], last[name]) for name in own}
