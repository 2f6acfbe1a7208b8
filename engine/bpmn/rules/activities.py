"""Activities: what each kind needs, loops, sub-processes (BPMN 2.0.2, 10.3 and 13.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.bpmn.diagram import SCOPES, Loop, Node
from engine.bpmn.rules import decisions
from engine.bpmn.rules.chart import Chart, error, kinds
from engine.bpmn.rules.decisions import by_table
from engine.errors import Finding
from engine.strict_yaml import nearest

MAX_TOKENS = 1000
"""Tokens that an activity may wait for, or send along one flow."""
MAX_NESTING = 200
"""Sub-processes one inside another."""

_BEHAVIOURS = ("None", "One", "All", "Complex")
_THROWN = ("message", "signal", "escalation")

_ATTRIBUTES = ("formKey", "candidateGroups", "assignee", "priority")
"""The `camunda:` attributes that mean something here."""

_INDIFFERENT = (
    *("asyncBefore", "asyncAfter", "exclusive", "jobPriority", "isStartableInTasklist", "versionTag"),
    *("modelerTemplate", "modelerTemplateVersion", "modelerTemplateIcon", "historyTimeToLive"),
)
"""Those that say nothing about what happens in the procedure."""

_INSTEAD: Mapping[str, str] = {
    "dueDate": "Write the property flow.due",
    "followUpDate": "Write the property flow.remind",
    "candidateUsers": "Use the lane, candidateGroups or assignee",
    "formRef": "Use formKey",
    "initiator": "Delete it: the history says who started the instance",
    "calledElementBinding": "Delete it: the version published with the caller is called",
    "calledElementVersion": "Delete it: the version published with the caller is called",
    "resultVariable": "Assign the variable in the script",
    **dict.fromkeys(
        ("class", "expression", "delegateExpression", "type", "topic", "decisionRef"),
        "Write the property flow.handler",
    ),
}


def kinds_of_activity(chart: Chart) -> Iterator[Finding]:
    """Each activity can be run, and says what it is to do."""
    for node in chart.nodes:
        if node.tag == "adHocSubProcess":
            remedy = "Draw the order of its activities, or a loop around a choice"
            yield error(node.id, "Ad-hoc sub-processes are not run", remedy)
        elif node.tag == "scriptTask" and not (node.script or "").strip():
            yield error(node.id, "The script is empty", "Write it, or `pass` when nothing is to happen")
        elif node.tag == "businessRuleTask" and not (by_table(node) or "flow.handler" in node.properties):
            template = "Nothing decides in this business rule task"
            remedy = (
                "Name a decision table in camunda:decisionRef, or a function in the property flow.handler"
            )
            yield error(node.id, template, remedy)
        elif node.tag in ("sendTask", "receiveTask") and not node.message:
            yield error(node.id, "The task has no message", "Choose or create the message it stands for")
        elif node.tag == "callActivity":
            yield from _call(node)
        if node.tag == "receiveTask" and node.instantiate and not chart.begins(node):
            template = "A receive task that begins instances stands where none begins"
            yield error(node.id, template, "Delete the attribute instantiate, or the flow that leads to it")
        if not all(1 <= number <= MAX_TOKENS for number in node.quantities):
            template = "A token quantity is no whole number from 1 to {most}"
            yield error(node.id, template, "Correct startQuantity and completionQuantity", most=MAX_TOKENS)
        yield from _attributes(node)


def _call(node: Node) -> Iterator[Finding]:
    if not node.called:
        remedy = "Write the id of the process it calls"
        yield error(node.id, "The call activity calls nothing", remedy)
    elif any(sign in node.called for sign in "${}:"):
        template = "The called process {called} is no plain id"
        remedy = "Write the id itself; where it varies, branch to one call activity each"
        yield error(node.id, template, remedy, called=node.called)


def _attributes(node: Node) -> Iterator[Finding]:
    for name in node.attributes:
        if name in _INDIFFERENT or (node.tag == "businessRuleTask" and name in decisions.ATTRIBUTES):
            continue
        if name not in _ATTRIBUTES:
            meant = nearest(name, _ATTRIBUTES)
            remedy = _INSTEAD.get(name, "Did you mean camunda:{meant}?" if meant else "Delete it")
            template = "The attribute camunda:{name} would have no effect"
            yield error(node.id, template, remedy, name=name, meant=meant)
        elif node.tag not in ("userTask", "manualTask"):
            template = "The attribute camunda:{name} has no meaning on the {tag}"
            yield error(node.id, template, "Delete it, or make this a user task", name=name, tag=node.tag)


def loops(chart: Chart) -> Iterator[Finding]:
    """Loops say how often; what they may not stand on is left without (10.3.8)."""
    for node in chart.nodes:
        if node.loop is None:
            continue
        if node.triggered_by_event:
            template = "An event sub-process cannot be a loop"
            yield error(node.id, template, "Put the loop inside it")
        if node.loop.multi:
            yield from _multi(chart, node, node.loop)
        else:
            yield from _standard(node, node.loop)


def _standard(node: Node, loop: Loop) -> Iterator[Finding]:
    if not loop.condition and loop.maximum is None:
        template = "The loop says neither how long nor how often it goes round"
        yield error(node.id, template, "Write loopCondition, loopMaximum, or both")
    if loop.maximum is not None and not (_digits(loop.maximum) and int(loop.maximum) > 0):
        template = "The loop's maximum {maximum} is no whole number from 1"
        yield error(node.id, template, "Correct loopMaximum", maximum=loop.maximum[:40] or "''")


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9


def _multi(chart: Chart, node: Node, loop: Loop) -> Iterator[Finding]:
    sources = [
        name
        for name, given in (
            ("loopCardinality", loop.cardinality is not None),
            ("loopDataInputRef", loop.collection is not None),
            ("flow.collection", "flow.collection" in node.properties),
        )
        if given
    ]
    if not sources:
        template = "The multi-instance activity says neither how often nor for what it runs"
        yield error(node.id, template, "Write loopCardinality, a collection, or the property flow.collection")
    elif len(sources) > 1:
        template = "The instances come from {sources} at once"
        yield error(node.id, template, "Keep one of them", sources=", ".join(sources))
    yield from _behaviour(chart, node, loop)
    if loop.output is not None and not loop.output_item:
        template = "The results are gathered in {output}, but of what is not said"
        yield error(node.id, template, "Add the outputDataItem", output=loop.output)
    if node.for_compensation:
        template = "A compensation handler cannot run in several instances"
        yield error(node.id, template, "Put the multi-instance activity into a sub-process")


def _behaviour(chart: Chart, node: Node, loop: Loop) -> Iterator[Finding]:
    """What completing instances throw; caught at the border it must not end the activity (13.3.7)."""
    if loop.behavior not in _BEHAVIOURS:
        template = "There is no multi-instance behaviour {behavior}"
        yield error(node.id, template, "Write None, One, All or Complex", behavior=loop.behavior[:40])
        return
    events = {"None": [loop.none_event], "One": [loop.behavior_event]}.get(loop.behavior, [])
    if loop.behavior == "Complex":
        events = [event for _, event in loop.complex]
    if None in events or (loop.behavior == "Complex" and not events):
        template = "The multi-instance behaviour {behavior} says not which event is thrown"
        remedy = "Refer to an event definition, or delete the attribute behavior"
        yield error(node.id, template, remedy, behavior=loop.behavior)
    for event in filter(None, events):
        if event.kind not in _THROWN or not event.name:
            template = "An instance that completes cannot throw an event of the kind {kind}"
            yield error(node.id, template, "Use a message, a signal or an escalation", kind=event.kind)
        for each in chart.boundary.get(node.id, ()):
            caught = any(e.kind == event.kind and e.name in (event.name, None) for e in each.events)
            if each.interrupting and caught:
                template = "{boundary} would end the activity as soon as the first instance completes"
                remedy = 'Set cancelActivity="false"; to end it early, write a completionCondition'
                yield error(node.id, template, remedy, boundary=each.label)


def scopes(chart: Chart) -> Iterator[Finding]:
    """A process and each sub-process begins somewhere, in one way only (10.3.5, 10.5.2)."""
    for scope in chart.scopes:
        around = chart.node(scope)
        if _depth(chart, scope) == MAX_NESTING + 1:
            template = "Sub-processes stand more than {limit} deep in one another"
            yield error(scope, template, "Move the inner ones to called processes", limit=MAX_NESTING)
        starts = [node for node in chart.within.get(scope, ()) if node.tag == "startEvent"]
        if around is not None and around.triggered_by_event:
            yield from _event_subprocess(chart, around, starts)
            continue
        plain = [node for node in starts if not node.events]
        if len(plain) > 1:
            template = "Where {scope} begins is open: it has {count} start events without a trigger"
            remedy = "Keep one, or let one lead to a gateway"
            yield error(plain[1].id, template, remedy, scope=chart.name(scope), count=len(plain))
        if not chart.starts(scope):
            yield error(scope, "Nothing begins here", "Add a start event")
    for node in chart.nodes:
        if node.tag in SCOPES and node.id not in chart.within:
            template = "The sub-process is empty" if not node.triggered_by_event else "Nothing begins here"
            yield error(
                node.id, template, "Draw what happens in it; for what stands elsewhere use a call activity"
            )
    if not chart.nodes:
        yield error(chart.process.id, "The process is empty", "Draw its steps")


def _depth(chart: Chart, scope: str) -> int:
    """How many sub-processes lie around what stands in the scope; counted to just beyond the limit."""
    depth, holder = 0, chart.node(scope)
    while holder is not None and depth <= MAX_NESTING + 1:
        depth, holder = depth + 1, chart.node(holder.scope)
    return depth


def _event_subprocess(chart: Chart, node: Node, starts: list[Node]) -> Iterator[Finding]:
    if len(starts) != 1:
        template = "An event sub-process begins with one event, this one has {count} start events"
        yield error(node.id, template, "Draw an event sub-process for each event", count=len(starts))
        return
    if "compensate" in kinds(starts[0]) and node.scope == chart.process.id:
        template = "Nothing undoes the process itself, so that this never begins"
        yield error(node.id, template, "Put it into the sub-process that it undoes")


def twins(chart: Chart) -> Iterator[Finding]:
    """Of the event sub-processes of a scope, one catches an error, escalation or compensation (10.3.5)."""
    seen: set[tuple[str, str, str | None]] = set()
    for node in chart.nodes:
        around = chart.node(node.scope)
        if node.tag != "startEvent" or around is None or not around.triggered_by_event:
            continue
        for each in node.events:
            if each.kind not in ("error", "escalation", "compensate"):
                continue
            if (around.scope, each.kind, each.name) in seen:
                template = "A second event sub-process here catches the same {kind}"
                yield error(around.id, template, "Keep one of them", kind=each.kind)
            seen.add((around.scope, each.kind, each.name))
