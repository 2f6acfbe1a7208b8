"""The flows of one process or sub-process as a net in which tokens move.

It allows all that `engine.bpmn` does, and more: a choice may fall anyhow, whatever its conditions say; any event
may come, a non-interrupting one ever again. So what no course of the net does, no instance does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Sequence
from itertools import combinations

from engine.bpmn.diagram import Flow, Node
from engine.bpmn.gateways import waited_for
from engine.bpmn.process import ProcessSpec
from engine.bpmn.rules.chart import Chart, is_activity, kinds
from engine.bpmn.rules.net import START, Gate, Net, Place
from engine.errors import EngineError
from engine.expressions import Expression

_ALWAYS: Place = ("", "always")
"""Holds a token for what may begin at any time."""
_CHOICES = 5
"""Flows of one choice of which every combination is tried."""
_FOLLOWED = 100_000
"""Elements times inclusive joins whose waiting is followed exactly."""
_COMBINED = 8
"""Incoming flows of a complex gateway with every combination of which its activation condition is tried."""
_EFFORT = 300_000
"""Characters of an activation condition times its flows, beyond which it is taken that it may hold."""
_COUNTED = frozenset(("activationCount", "waitingForStart"))


def waits(node: Node) -> bool:
    """Whether tokens wait at the node until others have come."""
    joins = node.tag in ("parallelGateway", "inclusiveGateway", "complexGateway")
    return (joins and len(node.incoming) > 1) or (is_activity(node) and node.quantities[0] > 1)


class Game:
    """One scope as a net.

    `exact`: an inclusive gateway waits as it does when it runs. Otherwise each token passes it by itself, and a
    choice takes all that it may: where nothing depends on a token's being away, more tokens hinder nothing.
    """

    def __init__(self, chart: Chart, spec: ProcessSpec, scope: str, *, exact: bool) -> None:
        self.chart, self.spec, self.scope, self.exact = chart, spec, scope, exact
        self.nodes = chart.within.get(scope, [])
        self.net = Net(self._alike if exact else lambda _: None)
        self.inputs: dict[str, dict[str, Place]] = {}
        """The places at which tokens wait for others: by node, and by flow or, for a start quantity, the one."""
        self._kinds: dict[Place, Hashable] = {}
        self._begin()
        for node in self.nodes:
            self._lay(node)
        for places in self.inputs.values():
            self.net.watched.update(places.values())
        self.net.reduce()

    def _begin(self) -> None:
        """The token at one of the starts, or where the scope begins without one."""
        scope = self.scope
        around = self.chart.node(scope)
        begun = self.spec.beginnings if around is None else []
        if around is not None and around.triggered_by_event:
            begun = self.chart.starts(scope)
        for names in dict.fromkeys([*((name,) for name in begun), tuple(self.spec.starts(scope, None))]):
            self.net.add({START: 1}, {_ALWAYS: 1, **dict.fromkeys(((name, "") for name in names), 1)})

    def _entry(self, flow: Flow) -> Place:
        """Where a token comes to along a flow."""
        node = self.chart.process.nodes[flow.target]
        if not waits(node) or (node.tag == "inclusiveGateway" and not self.exact):
            return (node.id, "")
        return (node.id, "needed" if is_activity(node) else flow.id)

    # -- what a node does --------------------------------------------------------------------------

    def _lay(self, node: Node) -> None:
        here: Place = (node.id, "")
        add, several = self.net.add, node.quantities[1] or 1
        if waits(node):
            self._gather(node, here)
        if node.for_compensation and self.chart.boundary.get(node.id):
            add({_ALWAYS: 1}, {_ALWAYS: 1, here: 1})
        for flows in self._ways(node):
            add({here: 1}, Counter({place: n * several for place, n in self._entries(flows).items()}))
        for event in self.chart.boundary.get(node.id, ()):
            add({here: 1}, {(event.id, ""): 1} if event.interrupting else {(event.id, ""): 1, here: 1})

    def _entries(self, flows: Collection[Flow]) -> Counter[Place]:
        return Counter(self._entry(flow) for flow in flows)

    def _ways(self, node: Node) -> Iterator[Collection[Flow]]:
        """The flows along which it may go on, each time together."""
        flows = node.outgoing
        if node.tag == "intermediateThrowEvent" and "link" in kinds(node):
            targets = [self.chart.links.get((node.scope, each.name or "")) for each in node.events]
            yield [Flow("", node.id, target) for target in targets if target is not None]
        elif node.tag == "exclusiveGateway" or (
            node.tag == "eventBasedGateway" and not node.parallel_multiple
        ):
            yield from ([flow] for flow in flows)
        elif node.tag in ("parallelGateway", "eventBasedGateway"):
            yield flows
        else:
            sure = [flow for flow in flows if flow.condition is None and flow.id != node.default]
            other = [flow for flow in flows if flow.id == node.default]
            asked = _asked(node)
            yield from ([*sure, *some] for some in self._some(asked))
            if other or sure or not asked:
                yield [*sure, *other]

    def _some(self, flows: Collection[Flow]) -> Iterator[Collection[Flow]]:
        """One or more of the flows: where more tokens hinder nothing, all of them stand for fewer."""
        for count in range(1 if self.exact else max(1, len(flows)), len(flows) + 1):
            yield from combinations(flows, count)

    # -- where tokens wait for others --------------------------------------------------------------

    def _gather(self, node: Node, here: Place) -> None:
        inputs = {flow.id: self._entry(flow) for flow in node.incoming}
        fires = frozenset([node.id])
        match node.tag:
            case "inclusiveGateway" if not self.exact:
                return
            case "inclusiveGateway":
                waited = _Waited(self.spec, node.id, [each.id for each in self.nodes])
                self.net.gates.append(Gate(node.id, inputs, waited))
            case "parallelGateway":
                self.net.add(dict.fromkeys(inputs.values(), 1), {here: 1}, fires)
            case "complexGateway":
                self._activate(node, inputs, here)
            case _:
                inputs = {"": (node.id, "needed")}
                self.net.add({inputs[""]: node.quantities[0]}, {here: 1}, fires)
        self.inputs[node.id] = inputs

    def _activate(self, node: Node, inputs: dict[str, Place], here: Place) -> None:
        """A complex gateway: which tokens activate it, and that it may take in others afterwards (13.4.5)."""
        late: Place = (node.id, "late")
        fires = frozenset([node.id])
        condition = activation(self.chart, node)
        for flows in enough(condition, list(inputs)):
            self.net.add(dict.fromkeys((inputs[flow] for flow in flows), 1), {here: 1, late: 1}, fires)
        if condition is not None and condition.names & inputs.keys():  # it may ask for several on one flow
            for place in inputs.values():
                self.net.add({place: 2}, {place: 1, here: 1, late: 1}, fires)
        asking = [flow for flow in node.outgoing if "waitingForStart" in (flow.condition or "")]
        for some in ((), *self._some(asking)):
            self.net.add({late: 1}, self._entries(some))
        for place in inputs.values() if self.exact else ():
            self.net.add({place: 1}, {})

    # -- inclusive gateways ------------------------------------------------------------------------

    def _alike(self, place: Place) -> Hashable:
        """Of which flows of which inclusive gateways a token on the place is upstream."""
        if place not in self._kinds:
            node, flow = place
            self._kinds[place] = tuple(
                self._above(each.id, node)
                if each.id != node
                else (frozenset([flow]),) * 2
                if flow
                else (frozenset(),) * 2
                for each in self.nodes
                if each.tag == "inclusiveGateway" and waits(each)
            )
        return self._kinds[place]

    def _above(self, gateway: str, node: str) -> tuple[frozenset[str], ...]:
        bit = self.spec.bit.get(node, 0)
        return tuple(
            frozenset(
                flow for flow, reach in self.spec.upstream(gateway, by_events=each).items() if reach & bit
            )
            for each in (False, True)
        )


class _Waited:
    """The nodes of a scope on which an inclusive gateway waits for a token, by the flows that have one."""

    def __init__(self, spec: ProcessSpec, gateway: str, nodes: list[str]) -> None:
        self.spec, self.gateway, self.nodes = spec, gateway, nodes
        self.known: dict[frozenset[str], frozenset[str]] = {}

    def __call__(self, arrived: frozenset[str]) -> frozenset[str]:
        if arrived not in self.known:
            mask = waited_for(self.spec, self.gateway, arrived)
            self.known[arrived] = frozenset(name for name in self.nodes if self.spec.bit[name] & mask)
        return self.known[arrived]


def feasible(chart: Chart, scope: str) -> bool:
    """Whether the scope has inclusive joins whose waiting can be followed exactly with little effort."""
    nodes = chart.within.get(scope, [])
    inclusive = sum(node.tag == "inclusiveGateway" and waits(node) for node in nodes)
    wide = max((len(_asked(node)) for node in nodes if node.tag != "exclusiveGateway"), default=0) > _CHOICES
    return 0 < inclusive * len(nodes) <= _FOLLOWED and not wide


def activation(chart: Chart, node: Node) -> Expression | None:
    """The activation condition of a complex gateway; None for what is said where texts are compiled."""
    try:
        return chart.texts.expression(node.activation or "")
    except EngineError:
        return None


def _asked(node: Node) -> list[Flow]:
    return [flow for flow in node.outgoing if flow.condition is not None and flow.id != node.default]


def enough(condition: Expression | None, flows: Sequence[str]) -> Iterator[Collection[str]]:
    """The fewest flows, one token on each, with which an activation condition may hold.

    What depends on variables may hold with any.
    """
    if (
        condition is None
        or not condition.names <= {*_COUNTED, *flows}
        or (len(flows) > _COMBINED and len(flows) * len(condition.text) > _EFFORT)
    ):
        yield from ((flow,) for flow in flows)
        return
    if len(flows) > _COMBINED:
        counts = (_holds(condition, flows[:count]) for count in range(1, len(flows) + 1))
        if not condition.names <= _COUNTED or any(counts):
            yield from ((flow,) for flow in flows)
        return
    found: list[frozenset[str]] = []
    for count in range(1, len(flows) + 1):
        for some in map(frozenset, combinations(flows, count)):
            if not any(less <= some for less in found) and _holds(condition, some):
                found.append(some)
    yield from found


def _holds(condition: Expression, some: Collection[str]) -> bool:
    counts = {flow: int(flow in some) for flow in condition.names - _COUNTED}
    try:
        value = condition.evaluate({**counts, "activationCount": len(some), "waitingForStart": True}, {})
    except EngineError:
        return True  # an incident, after which a person may let it go on
    return value is not False
