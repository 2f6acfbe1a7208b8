"""Where a rehearsed process stands that did not come to its end, and for what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from engine.bpmn.diagram import Diagram, Node
from engine.bpmn.state import Place, places
from engine.store import tables

JOINS = frozenset(("parallelGateway", "inclusiveGateway", "complexGateway"))


@dataclass(frozen=True, slots=True)
class Wait:
    """An element that waits."""

    element: str
    name: str
    """What a person calls it, else empty."""
    kind: str
    """`message`, `signal`, `timer`, `condition`; `flows`, `tokens`: others that have yet to come; `call`, `batch`."""
    what: str
    """The name of the message or signal, the condition, the process called; the flows on which nothing came, each
    with what it comes from; of tokens, and of a batch, how many there are of how many."""
    until: datetime | None = None
    """Of a timer: when it is due."""


def waits(conn: Connection, diagram: Diagram, family: Collection[int]) -> tuple[Wait, ...]:
    """What the running instances of a family wait for, in the order in which it began; the same once."""
    nodes = {node.id: node for process in diagram.processes.values() for node in process.nodes.values()}
    timer, subscription, batch, instance = tables.timer, tables.subscription, tables.batch, tables.instance
    events: dict[tuple[int, int], list[Row[Any]]] = defaultdict(list)
    messages = select(subscription).where(subscription.c.instance_id.in_(family)).order_by(subscription.c.id)
    timers = select(timer).where(timer.c.instance_id.in_(family), tables.ARMED_TIMER, timer.c.kind == "event")
    for row in (*conn.execute(messages), *conn.execute(timers.order_by(timer.c.due_at))):
        events[row.instance_id, row.token].append(row)
    batches = select(batch).where(batch.c.instance_id.in_(family), batch.c.status == "active")
    many = {(row.instance_id, row.token): row for row in conn.execute(batches)}
    running = select(instance.c.id, instance.c.state).where(
        instance.c.id.in_(family), instance.c.status == "running"
    )
    found: dict[Wait, None] = {}
    for number, state in conn.execute(running.order_by(instance.c.id)).all():
        standing = [each for each in places(state) if "x" not in each.facts and "e" not in each.facts]
        for place in standing:
            node = nodes[place.element]
            for row in events[number, place.token]:
                found[_event(node, row)] = None
            if (row := many.get((number, place.token))) is not None:
                several = node.loop is not None and node.loop.multi
                said = ("batch", f"{row.done}/{row.total}") if several else ("call", node.called or "")
                found[Wait(node.id, node.name, *said)] = None
            found |= dict.fromkeys(_conditions(node, place))
        found |= dict.fromkeys(_gathering(nodes, standing))
    return tuple(found)


def _event(node: Node, row: Row[Any]) -> Wait:
    if "due_at" in row._fields:
        return Wait(node.id, node.name, "timer", row.rule, row.due_at)
    return Wait(node.id, node.name, row.kind, row.name)


def _conditions(node: Node, place: Place) -> Iterator[Wait]:
    if "c" in place.facts:
        for each in node.events:
            if each.kind == "conditional":
                yield Wait(node.id, node.name, "condition", each.text or "")


def _gathering(nodes: Mapping[str, Node], standing: Sequence[Place]) -> Iterator[Wait]:
    """The elements at which tokens wait for others."""
    arrived: dict[tuple[int, str], list[Place]] = defaultdict(list)
    for place in standing:
        joins = nodes[place.element].tag in JOINS
        if place.facts.keys() & {"f", "a"} and (joins or place.waiting):
            arrived[place.scope, place.element].append(place)
    for (_, element), here in arrived.items():
        node = nodes[element]
        if node.tag in JOINS:
            came = {each.facts.get("f") for each in here}.union(*(each.facts.get("a", ()) for each in here))
            missing = [flow for flow in node.incoming if flow.id not in came]
            listed = ", ".join(f"{flow.id} ({nodes[flow.source].label})" for flow in missing)
            unmet = node.tag == "complexGateway" and not any("a" in each.facts for each in here)
            yield Wait(
                node.id, node.name, *(("condition", node.activation or "") if unmet else ("flows", listed))
            )
        elif node.quantities[0] > len(here):
            yield Wait(node.id, node.name, "tokens", f"{len(here)}/{node.quantities[0]}")
