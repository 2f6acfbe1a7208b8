"""Where scenarios went: elements and flows entered, deadlines met and missed, timers that something else outran."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Table, select

from engine.app import App
from engine.bpmn.diagram import Flow, Node
from engine.bpmn.reader import read
from engine.bpmn.run import Token
from engine.bpmn.specs import NodeSpec
from engine.commands.deadlines import WHOLE
from engine.procedures import Procedure
from engine.store import tables

Way = tuple[str, str, str]
"""A process, an element of it or a flow, and what became of that."""

_ENTERED, _TAKEN = "entered", "taken"
_OUTCOMES = {"deadline": ("met", "missed"), "timer": ("cancelled",)}


@contextmanager
def watched() -> Iterator[set[Way]]:
    """The flows that tokens take meanwhile: the journal says what they entered, but not by which way."""
    taken = set[Way]()
    follow = NodeSpec.follow

    def noted(spec: NodeSpec, token: Token, flow: Flow) -> None:
        taken.add((_process(spec.process.name), flow.id, _TAKEN))
        follow(spec, token, flow)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NodeSpec, "follow", noted)
        yield taken


def walked(app: App) -> set[Way]:
    """What the instances of the organisation entered, and what became of their deadlines and timers."""
    ways = set[Way]()
    journal, instance = tables.journal, tables.instance
    with app.store.read() as conn:
        processes = {
            row.id: _process(row.process) for row in conn.execute(select(instance.c.id, instance.c.process))
        }
        moved = select(journal.c.chain, journal.c.facts).where(journal.c.kind == "instance.moved")
        for row in conn.execute(moved):
            process = processes[int(row.chain.rpartition("-")[2])]
            ways |= {(process, element, _ENTERED) for element in json.loads(row.facts)["path"]}
        for name, outcomes in _OUTCOMES.items():
            table: Table = getattr(tables, name)
            query = select(table.c.instance_id, table.c.element, table.c.status)
            for each in conn.execute(query.where(table.c.status.in_(outcomes))):
                ways.add((processes[each.instance_id], each.element, each.status))
    return ways


def all_ways(procedure: Procedure) -> set[Way]:
    """What scenarios have to walk: every element and flow, every deadline both met and missed.

    A timer that something else may forestall has to have been forestalled, too; that it fired is told by its flow.
    """
    ways = set[Way]()
    for process in read(procedure.diagram).processes.values():
        ways |= {(process.id, flow, _TAKEN) for flow in process.flows}
        for node in process.nodes.values():
            ways.add((process.id, node.id, _ENTERED))
            if _races(node, [process.nodes[flow.source] for flow in node.incoming]):
                ways |= {(process.id, node.id, outcome) for outcome in _OUTCOMES["timer"]}
            if "flow.due" in node.properties:
                ways |= {(process.id, node.id, outcome) for outcome in _OUTCOMES["deadline"]}
        if "flow.due" in process.properties:
            ways |= {(process.id, WHOLE, outcome) for outcome in _OUTCOMES["deadline"]}
    return ways


def _races(node: Node, before: list[Node]) -> bool:
    """Whether the node is a timer that something else may forestall."""
    behind_choice = any(each.tag == "eventBasedGateway" for each in before)
    timed = any(event.kind == "timer" for event in node.events)
    return timed and (node.attached_to is not None or behind_choice)


def _process(name: str) -> str:
    """The process as the diagram has it: items of a batch are instances of a part of it."""
    return name.partition("#")[0]
