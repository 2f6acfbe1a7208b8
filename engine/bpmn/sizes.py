"""How much one file may have of what takes long to judge; told before any of it is."""

from __future__ import annotations

from collections.abc import Iterator

from engine.bpmn.diagram import Diagram, Node
from engine.bpmn.xml import refuse

MAX_PROCESSES = 1_000
MAX_TEXT = 500_000
"""Characters of all scripts, conditions and other expressions together, with the values of `flow.` properties."""


def bounded(diagram: Diagram) -> Diagram:
    """The diagram itself. Raises Misbuilt when it is beyond the limits above."""
    if len(diagram.processes) > MAX_PROCESSES:
        raise refuse(
            "The file has {count} processes; {limit} are allowed",
            "Put some of them into files of their own",
            count=len(diagram.processes),
            limit=MAX_PROCESSES,
        )
    lengths = dict(_lengths(diagram))
    if sum(lengths.values()) > MAX_TEXT:
        raise refuse(
            "The scripts and expressions of the file have {length} characters together; {limit} are allowed",
            "Move calculations to service tasks, as the one here, which is the longest",
            max(lengths, key=lambda element: lengths[element]),
            length=sum(lengths.values()),
            limit=MAX_TEXT,
        )
    return diagram


def _lengths(diagram: Diagram) -> Iterator[tuple[str, int]]:
    """The characters of each element of a file."""
    for process in diagram.processes.values():
        yield process.id, sum(map(len, process.properties.values()))
        for flow in process.flows.values():
            yield flow.id, len(flow.condition or "")
        for node in process.nodes.values():
            yield node.id, sum(len(text) for text in _texts(node) if text)


def _texts(node: Node) -> Iterator[str | None]:
    yield from (node.script, node.activation, node.attributes.get("assignee"))
    yield from (each.text for each in node.events)
    yield from (value for name, value in node.properties.items() if name.startswith("flow."))
    if node.loop is not None:
        yield from (node.loop.condition, node.loop.cardinality, node.loop.completion)
        yield from (text for text, _ in node.loop.complex)
