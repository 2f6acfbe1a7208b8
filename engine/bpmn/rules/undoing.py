"""Compensation meant for what an instance of its own did: it would not get there (BPMN 2.0.2, 10.7, 13.5.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.bpmn.diagram import SCOPES, EventDefinition, Node
from engine.bpmn.rules.chart import Chart, error, kinds
from engine.errors import Finding


def out_of_reach(chart: Chart) -> Iterator[Finding]:
    """What a called process did, or each instance of a multi-instance sub-process, can be undone only in there."""
    thrown = {scope: {each.activity for each in _thrown(chart, scope)} for scope in chart.scopes}
    for node in chart.nodes if any(thrown.values()) else ():
        called = node.tag == "callActivity" and not handled(chart, node)
        if not (called or (node.tag in SCOPES and _several(node))):
            continue
        if node.for_compensation or not undoable(chart, node) or not _undone_from_around(chart, node, thrown):
            continue
        if called:
            template = "A compensation event around this call activity does not reach into the called process"
            remedy = "Attach a compensation event to the call activity and connect a handler"
        else:
            template = "A compensation event around this multi-instance sub-process does not reach into it"
            remedy = "Compensate inside the sub-process"
        yield error(node.id, template, remedy)


def handled(chart: Chart, activity: Node) -> bool:
    """Whether a compensation event is attached to the activity."""
    return any("compensate" in kinds(each) for each in chart.boundary.get(activity.id, ()))


def undoable(chart: Chart, activity: Node) -> bool:
    """Whether anything inside the activity, or in what it calls, undoes something."""
    return activity.id in chart.undoing


def _undone_from_around(chart: Chart, node: Node, thrown: Mapping[str, set[str | None]]) -> bool:
    """Whether a compensation event undoes the activity, by its name or with a sub-process that it stands in."""
    while True:
        if thrown[node.scope] & {None, node.id}:
            return True
        around = chart.node(node.scope)
        if around is None or around.for_compensation or handled(chart, around) or _several(around):
            return False  # beyond it nothing is known of what it did; of several instances it is said itself
        starts = [each for each in chart.within[around.id] if each.tag == "startEvent"]
        if _undoes(chart, around) or any("compensate" in kinds(each) for each in starts):
            return False
        node = around


def _thrown(chart: Chart, scope: str) -> Iterator[EventDefinition]:
    """What compensates the activities of a scope: thrown in it, or in an event sub-process beside them."""
    for node in chart.within.get(scope, ()):
        if node.tag in ("endEvent", "intermediateThrowEvent"):
            yield from (each for each in node.events if each.kind in ("compensate", "cancel"))
        elif node.triggered_by_event:
            yield from _thrown(chart, node.id)


def _undoes(chart: Chart, scope: Node) -> bool:
    """Whether an event sub-process undoes the scope as a whole."""
    return any(
        "compensate" in kinds(start)
        for each in chart.within.get(scope.id, ())
        if each.triggered_by_event
        for start in chart.within.get(each.id, ())
    )


def _several(node: Node) -> bool:
    return node.loop is not None and node.loop.multi
