"""Which events may stand where, and what each needs (BPMN 2.0.2, 10.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.bpmn.diagram import EVENTS, EventDefinition, Node
from engine.bpmn.rules.chart import Chart, error, is_activity, kinds
from engine.bpmn.rules.undoing import handled, undoable
from engine.errors import Finding

_ALLOWED: Mapping[str, tuple[str, ...]] = {
    "start": ("timer", "message", "signal", "conditional"),
    "event sub-process": (
        *("timer", "message", "signal", "conditional", "error", "escalation", "compensate"),
    ),
    "embedded start": (),
    "boundaryEvent": (
        *("timer", "message", "signal", "conditional", "error", "escalation", "cancel", "compensate"),
    ),
    "intermediateCatchEvent": ("timer", "message", "signal", "conditional", "link"),
    "intermediateThrowEvent": ("message", "signal", "escalation", "compensate", "link"),
    "endEvent": ("message", "signal", "error", "escalation", "terminate", "cancel", "compensate"),
}
"""The kinds that run, by place; tables 10.84, 10.89 and 10.93 of the standard."""

_TOGETHER: Mapping[bool, tuple[str, ...]] = {
    True: ("timer", "message", "signal", "conditional", "error", "escalation"),
    False: ("message", "signal", "escalation", "error", "terminate"),
}
"""What a multiple event may combine: catching, throwing."""

_PLACES = {
    "start": "a start event",
    "event sub-process": "the start event of an event sub-process",
    "embedded start": "the start event of an embedded sub-process",
    "boundaryEvent": "a boundary event",
    "intermediateCatchEvent": "a catch event",
    "intermediateThrowEvent": "a throw event",
    "endEvent": "an end event",
}


def place(chart: Chart, node: Node) -> str:
    """Where an event stands, as `_ALLOWED` calls it."""
    if node.tag != "startEvent":
        return node.tag
    around = chart.node(node.scope)
    if around is None:
        return "start"
    return "event sub-process" if around.triggered_by_event else "embedded start"


def definitions(chart: Chart) -> Iterator[Finding]:
    """Each event's definitions are known, allowed where they stand, and complete."""
    for node in chart.nodes:
        if node.tag not in EVENTS:
            continue
        where = place(chart, node)
        allowed = _ALLOWED[where]
        wrong = [each for each in node.events if each.kind not in allowed]
        for each in wrong:
            known = ", ".join(allowed) or "none: a sub-process begins when a token reaches it"
            if each.kind == "unknown":
                template, remedy = "The event's definition {name} is not known", "Use one of these: {known}"
                yield error(node.id, template, remedy, name=each.name or each.id or "?", known=known)
            else:
                template, remedy = "{place} cannot be of the kind {kind}", "Possible here: {known}"
                yield error(node.id, template, remedy, place=_PLACES[where], kind=each.kind, known=known)
        if not node.events and where in ("boundaryEvent", "intermediateCatchEvent", "event sub-process"):
            template, remedy = "{place} waits for nothing", "Choose its kind: {known}"
            yield error(node.id, template, remedy, place=_PLACES[where], known=", ".join(allowed))
        if not wrong:
            for each in node.events:
                yield from _complete(chart, node, each, where)
            yield from _combination(node, where)


def _complete(chart: Chart, node: Node, event: EventDefinition, where: str) -> Iterator[Finding]:
    throws = where in ("endEvent", "intermediateThrowEvent")
    if not event.name and (
        event.kind in ("message", "signal", "link") or (throws and event.kind in ("error", "escalation"))
    ):
        template, remedy = "The {kind} has no name", "Choose or create the {kind} it stands for"
        yield error(node.id, template, remedy, kind=event.kind)
    elif event.kind == "timer" and not event.text and where != "start":
        template = "The timer has no time"
        yield error(node.id, template, "Write a duration (P5WD), a date or a cycle (R/P1W)")
    elif event.kind == "conditional" and not event.text:
        yield error(node.id, "The condition is empty", "Write an expression")
    elif event.kind == "cancel":
        yield from _cancel(chart, node)
    elif event.kind == "compensate" and throws and event.activity:
        yield from _undone(chart, node, event.activity)


def _combination(node: Node, where: str) -> Iterator[Finding]:
    if len(node.events) > 1:
        together = _TOGETHER[where not in ("endEvent", "intermediateThrowEvent")]
        for kind in sorted(kinds(node) - set(together)):
            template = "The kind {kind} cannot be combined with others in one event"
            yield error(node.id, template, "Draw an event for each", kind=kind)
        together = (
            ("message", "signal") if where == "start" else ("timer", "message", "signal", "conditional")
        )
        for kind in sorted(kinds(node) - set(together)) if node.parallel_multiple else ():
            template = "The kind {kind} cannot be waited for together with other events"
            yield error(node.id, template, "Begin with one of them and catch the others after it", kind=kind)
    if where in ("boundaryEvent", "event sub-process") and not node.interrupting:
        for kind in sorted(kinds(node) & {"error", "cancel"}):
            template = "The kind {kind} always interrupts"
            yield error(node.id, template, "Make the event interrupting", kind=kind)


def _cancel(chart: Chart, node: Node) -> Iterator[Finding]:
    if node.tag == "boundaryEvent":
        host = chart.node(node.attached_to)
        if host is None or host.tag != "transaction":
            remedy = "Attach it to a transaction, or use an error event"
            yield error(node.id, "A cancel event stands outside a transaction", remedy)
        return
    around = chart.node(node.scope)
    if around is None or around.tag != "transaction":
        remedy = "Put it directly into a transaction, or use an error end event"
        yield error(node.id, "A cancel event stands outside a transaction", remedy)
    elif around.loop is not None and around.loop.multi:
        template = "Instances of a multi-instance transaction cannot be cancelled"
        yield error(node.id, template, "Put the transaction into a called process")
    elif not any("cancel" in kinds(each) for each in chart.boundary.get(around.id, ())):
        remedy = "Attach a cancel event to its border"
        yield error(around.id, "The transaction is cancelled but nothing says how it goes on", remedy)


def _undone(chart: Chart, node: Node, activity: str) -> Iterator[Finding]:
    """A throw names an activity that it reaches: of its own scope, or beside its event sub-process (10.7.1)."""
    target = chart.node(activity)
    if target is None:
        if any(activity in each.nodes for each in chart.diagram.processes.values()):
            template = "The activity {activity} to undo stands in another process"
            yield error(node.id, template, "Throw where the activity stands", activity=activity)
        return  # that the file has none is said where references are judged
    reached, scope = [node.scope], chart.node(node.scope)
    while scope is not None and scope.triggered_by_event:
        reached.append(scope.scope)
        scope = chart.node(scope.scope)
    if target.scope not in reached:
        template = "The activity {activity} to undo stands in another scope"
        yield error(node.id, template, "Throw where the activity stands", activity=target.label)
    elif is_activity(target) and not handled(chart, target) and not undoable(chart, target):
        template = "Nothing undoes {activity}, so that this would have no effect"
        remedy = "Attach a compensation event to it and connect a handler, or choose another activity"
        yield error(node.id, template, remedy, activity=target.label)


def boundaries(chart: Chart) -> Iterator[Finding]:
    """Boundary events hang on an activity of their own scope."""
    for node in chart.nodes:
        if node.tag != "boundaryEvent":
            continue
        host = chart.node(node.attached_to)
        if host is None or not is_activity(host):
            template = "The boundary event is attached to nothing that could be interrupted"
            yield error(node.id, template, "Attach it to a task, sub-process or call activity")
        elif host.scope != node.scope:
            remedy = "Draw it where the activity stands"
            yield error(node.id, "The boundary event stands in another scope than its activity", remedy)
        elif host.for_compensation:
            template = "A compensation handler cannot have boundary events"
            yield error(node.id, template, "Put the handler's work into a sub-process with its own events")
        elif "compensate" in kinds(node):
            yield from _handler(chart, node, host)
    for host_id, events in chart.boundary.items():
        yield from _twice(events, host_id)


def _handler(chart: Chart, node: Node, host: Node) -> Iterator[Finding]:
    handler = chart.node(chart.process.associations.get(node.id))
    if handler is None or not handler.for_compensation:
        template = "The compensation event has no handler"
        remedy = "Connect it by an association to an activity marked for compensation"
        yield error(node.id, template, remedy)
    elif handler.scope != node.scope:
        remedy = "Draw both in the same scope"
        yield error(node.id, "The compensation handler stands in another scope", remedy)
    if host.loop is not None and host.loop.multi:
        template = "{host} runs several times, its compensation would run once"
        yield error(node.id, template, "Compensate inside a sub-process", host=host.label)


def _twice(events: list[Node], host: str) -> Iterator[Finding]:
    """Two events for the same error would leave open which one catches it."""
    seen: set[tuple[str, str | None]] = set()
    for node in events:
        for each in node.events:
            if each.kind not in ("error", "escalation", "cancel", "compensate"):
                continue
            if (each.kind, each.name) in seen:
                template = "A second event here catches the same {kind}"
                yield error(node.id, template, "Keep one of them", kind=each.kind, host=host)
            seen.add((each.kind, each.name))


def compensation(chart: Chart) -> Iterator[Finding]:
    """An activity for compensation belongs to exactly one event."""
    for node in chart.nodes:
        if node.for_compensation and node.id not in chart.handled:
            remedy = "Connect a compensation event to it by an association"
            yield error(node.id, "No compensation event leads to this handler: it never runs", remedy)


def links(chart: Chart) -> Iterator[Finding]:
    """Throwing and catching link events form pairs, several of the former to one of the latter (10.5.1)."""
    thrown: dict[tuple[str, str], Node] = {}
    caught: dict[tuple[str, str], Node] = {}
    for node in chart.nodes:
        for each in node.events:
            if each.kind != "link" or not each.name:
                continue
            key = (node.scope, each.name)
            if node.tag == "intermediateThrowEvent":
                thrown.setdefault(key, node)
            elif node.tag == "intermediateCatchEvent":
                if key in caught:
                    template = "A second link event catches {name}"
                    yield error(node.id, template, "Give one of them another name", name=each.name)
                caught.setdefault(key, node)
    for key, node in thrown.items():
        if key not in caught:
            template = "No link event of the same scope catches {name}"
            yield error(node.id, template, "Add a catching link event of that name", name=key[1])
    for key, node in caught.items():
        if key not in thrown:
            template = "No link event of the same scope throws {name}"
            yield error(node.id, template, "Add a throwing link event of that name", name=key[1])
