"""What waits for tokens that never come together: joins, complex gateways, activities with a start quantity.

Every scope that has some is gone through as a net (`game`), whose tokens may do all that an instance's may, and
more: what never goes on there never goes on. Where the net is too large to be gone through, nothing is said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import combinations

from engine.bpmn.diagram import Flow, Node
from engine.bpmn.process import ProcessSpec
from engine.bpmn.rules.chart import Chart, error, is_activity
from engine.bpmn.rules.game import Game, activation, enough, feasible, waits
from engine.bpmn.rules.net import Course
from engine.bpmn.rules.reach import reached
from engine.errors import Finding

MARKINGS = 20_000
"""Distributions of tokens over one scope that are looked at."""
WORK = 1_000_000
"""Tokens moved while doing so."""


def stuck(chart: Chart) -> Iterator[Finding]:
    """What tokens reach, and never leave."""
    waiting = [scope for scope in chart.scopes if any(map(waits, chart.within.get(scope, ())))]
    spec = ProcessSpec(chart.process) if waiting else None
    for scope in waiting:
        assert spec is not None
        for exact in (True, False) if feasible(chart, scope) else (False,):
            game = Game(chart, spec, scope, exact=exact)
            course = game.net.course(most=MARKINGS, work=WORK, until=game.inputs)
            if course is not None:
                yield from _said(chart, game, course)
                break


def _said(chart: Chart, game: Game, course: Course) -> Iterator[Finding]:
    dead = [chart.process.nodes[name] for name in game.inputs if name not in course.fired]
    gated = {gate.node for gate in game.net.gates}
    # An inclusive gateway waits as long as another one is stuck in front of it.
    for node in [each for each in dead if each.id not in gated] or dead:
        seen = _Seen(game, node, course)
        if seen.most:
            yield _of_activity(node, seen.most) if is_activity(node) else _of_gateway(chart, node, seen)


class _Seen:
    """What came to a node at which tokens wait."""

    def __init__(self, game: Game, node: Node, course: Course) -> None:
        held = game.net.held
        inputs = game.inputs[node.id]
        counts = [{key: held(marking, place) for key, place in inputs.items()} for marking in course.markings]
        self.most = max(count for each in counts for count in each.values())
        self.together = {frozenset(key for key, count in each.items() if count) for each in counts}

    def ever(self, flows: Collection[Flow]) -> bool:
        """Whether the flows had a token together."""
        return any(each >= {flow.id for flow in flows} for each in self.together)


def _of_activity(node: Node, most: int) -> Finding:
    template = "It waits for ever: it needs {needed} tokens (startQuantity), but never more than {most} come"
    remedy = "Set startQuantity to {most}, or let more tokens come"
    return error(node.id, template, remedy, needed=node.quantities[0], most=most)


def _of_gateway(chart: Chart, node: Node, seen: _Seen) -> Finding:
    if node.tag == "inclusiveGateway":
        template = "It waits for ever: tokens that could still come to it wait for it in turn"
        return error(node.id, template, "Join all of them with one gateway")
    text, count = node.activation or "", len(node.incoming)
    if node.tag == "complexGateway" and not any(
        enough(activation(chart, node), [f.id for f in node.incoming])
    ):
        template = "It waits for ever: {condition} is not true with any of its {count} incoming flows"
        return error(node.id, template, "Ask for no more than there are", condition=text[:60], count=count)
    missing = [flow for flow in node.incoming if not seen.ever([flow])]
    behind = reached(chart, [flow.target for flow in node.outgoing])
    later = [flow for flow in missing if flow.source in behind]
    if later:
        template = "It waits for ever: a token comes from {flows} only after it went on itself"
        remedy = "Lead the way back into an exclusive gateway in front of it"
        return error(node.id, template, remedy, flows=_named(chart, node, later))
    if missing:
        template = "It waits for ever: no token ever comes from {flows}"
        remedy = "Mend what is before it first"
        return error(node.id, template, remedy, flows=_named(chart, node, missing))
    if node.tag == "complexGateway":
        template = "It waits for ever: so many tokens never come together that {condition} were true"
        return error(
            node.id, template, "Ask for fewer, or join with an exclusive gateway", condition=text[:60]
        )
    apart = next((pair for pair in combinations(node.incoming, 2) if not seen.ever(pair)), node.incoming)
    template = "It waits for ever: the flows from {flows} never have a token together"
    remedy = "Join the branches of a choice with an exclusive gateway"
    return error(node.id, template, remedy, flows=_named(chart, node, apart))


def _named(chart: Chart, node: Node, flows: Collection[Flow]) -> str:
    """Where the flows come from; of several flows from one place also which."""
    sources = [flow.source for flow in node.incoming]
    return ", ".join(
        chart.process.nodes[flow.source].label
        + (f" ({flow.name or flow.id})" if sources.count(flow.source) > 1 else "")
        for flow in flows
    )
