"""The diagram as a whole: its main process, its drawing, the schedules that start it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.check.view import View, meant
from engine.errors import Finding


def process(view: View) -> Iterator[Finding]:
    """The process that procedure.yaml names is in the diagram."""
    name, document = view.procedure.process, view.procedure.document
    if view.main is None:
        remedy, close = meant(
            name, view.diagram.processes, "Write the id of a process of the diagram: {known}"
        )
        known = ", ".join(view.diagram.processes)
        template = "The diagram has no process {process}"
        yield document.finding(("process",), template, remedy, process=name, meant=close, known=known)
    elif not view.main.executable:
        template = "The process {process} is marked as not executable"
        yield document.finding(("process",), template, 'Set isExecutable="true" in the diagram', process=name)


def drawing(view: View) -> Iterator[Finding]:
    """Every node and flow is drawn."""
    elements = [
        element
        for each in view.processes
        for element in (*each.nodes, *each.flows)
        if element not in view.diagram.drawn
    ]
    remedy = "Draw it, or let `flow procedure layout` do so"
    if elements and not view.diagram.drawn:
        yield view.incomplete("", "The diagram has no drawing", remedy)
        return
    for element in elements:
        yield view.incomplete(element, "The element is missing in the drawing", remedy)


def schedules(view: View) -> Iterator[Finding]:
    """Each timer start event has its schedule, and the reverse; a schedule by hand needs no event."""
    if view.main is None:
        return
    starts = [
        node.id
        for node in view.main.within(view.main.id)
        if node.tag == "startEvent" and any(each.kind == "timer" for each in node.events)
    ]
    planned = view.procedure.schedules
    for start in starts:
        if start not in planned:
            remedy = "Add `{start}: …` under schedules in procedure.yaml"
            yield view.incomplete(start, "No schedule says when this timer starts", remedy, start=start)
    for name in planned:
        if name not in starts:
            otherwise = "Add a timer start event with this id, or delete the schedule"
            remedy, close = meant(name, [start for start in starts if start not in planned], otherwise)
            template = "The diagram has no timer start event {start}"
            yield view.missing(("schedules", name), template, remedy, start=name, meant=close)


def conditions(view: View) -> Iterator[Finding]:
    """An instance is begun by time, a message or a signal; there is nobody to watch a condition before it is."""
    for node in view.main.within(view.main.id) if view.main is not None else ():
        if node.tag == "startEvent" and any(each.kind == "conditional" for each in node.events):
            template = "Nobody watches the condition of a start event"
            remedy = "Begin with a message or a signal, and catch the condition after it"
            yield view.incomplete(node.id, template, remedy)


def beginnings(view: View) -> Iterator[Finding]:
    """Only the main process is begun by an event; the others are called."""
    for each in view.processes:
        if each is view.main or view.main is None:
            continue
        for node in each.within(each.id):
            if node.tag == "startEvent" and node.events:
                template = "Nothing begins this process by an event: only the main process {main} is"
                remedy = "Make it a procedure of its own, or begin without an event and call it"
                yield view.incomplete(node.id, template, remedy, main=view.main.id)
