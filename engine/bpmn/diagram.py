"""What a BPMN file says, as frozen values: processes, nodes, flows, events. No behaviour, no library types.

Terms and attribute names are those of BPMN 2.0.2 (OMG formal/2013-12-09); section numbers refer to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ACTIVITIES = frozenset(
    [
        "task",
        "userTask",
        "manualTask",
        "serviceTask",
        "scriptTask",
        "sendTask",
        "receiveTask",
        "businessRuleTask",
        "callActivity",
        "subProcess",
        "transaction",
        "adHocSubProcess",
    ]
)
GATEWAYS = frozenset(
    [
        "exclusiveGateway",
        "parallelGateway",
        "inclusiveGateway",
        "eventBasedGateway",
        "complexGateway",
    ]
)
EVENTS = frozenset(
    [
        "startEvent",
        "endEvent",
        "intermediateCatchEvent",
        "intermediateThrowEvent",
        "boundaryEvent",
    ]
)
SCOPES = frozenset(
    [
        "subProcess",
        "transaction",
        "adHocSubProcess",
    ]
)
PERSON_TASKS = frozenset(("userTask", "manualTask"))


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """One event definition (10.5.5)."""

    kind: str
    """timer, message, signal, error, escalation, conditional, terminate, cancel, compensate, link;
    unknown for any other."""
    id: str = ""
    name: str | None = None
    """Message, signal or link name; error or escalation code. None catches any error or escalation."""
    text: str | None = None
    """The timer's text or the condition's expression."""
    timer: str | None = None
    """duration, date or cycle, as the file declares it."""
    activity: str | None = None
    """activityRef of a compensation event."""
    wait: bool = True
    """waitForCompletion of a compensation event: whether the thrower waits until all is undone."""


@dataclass(frozen=True, slots=True)
class Loop:
    """Loop characteristics of an activity (13.3.6, 13.3.7)."""

    multi: bool
    sequential: bool = False
    cardinality: str | None = None
    collection: str | None = None
    """Variable (loopDataInputRef) whose items the instances get."""
    item: str | None = None
    """Name under which an instance finds its item (inputDataItem)."""
    output: str | None = None
    """Variable (loopDataOutputRef) that gathers the instances' results."""
    output_item: str | None = None
    completion: str | None = None
    condition: str | None = None
    test_before: bool = False
    maximum: str | None = None
    behavior: str = "All"
    behavior_event: EventDefinition | None = None
    none_event: EventDefinition | None = None
    complex: tuple[tuple[str, EventDefinition | None], ...] = ()

    @property
    def early(self) -> bool:
        """Whether the end of one instance can be the end of the whole activity."""
        return self.completion is not None or self.behavior != "All"


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow (8.4.13)."""

    id: str
    source: str
    target: str
    condition: str | None = None
    name: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A flow node: activity, event or gateway."""

    id: str
    tag: str
    name: str
    scope: str
    """Id of the sub-process it stands in, or of the process."""
    line: int = 0
    outgoing: tuple[Flow, ...] = ()
    """In the order of the node's own `outgoing` children, else of the sequence flows."""
    incoming: tuple[Flow, ...] = ()
    default: str | None = None
    events: tuple[EventDefinition, ...] = ()
    parallel_multiple: bool = False
    """All its events are needed: parallelMultiple of an event, eventGatewayType Parallel of a gateway."""
    activation: str | None = None
    """activationCondition of a complex gateway."""
    attached_to: str | None = None
    interrupting: bool = True
    """cancelActivity of a boundary event, isInterrupting of an event sub-process's start."""
    loop: Loop | None = None
    lane: str | None = None
    """Id of the lane: the role."""
    script: str | None = None
    called: str | None = None
    operation: str | None = None
    message: str | None = None
    instantiate: bool = False
    for_compensation: bool = False
    triggered_by_event: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    """`camunda:` attributes, by local name."""
    properties: Mapping[str, str] = field(default_factory=dict)
    """`camunda:property` values, by name (`flow.due`, `flow.handler`, …)."""
    inputs: tuple[tuple[str, str], ...] = ()
    """(source, target) of the data input associations."""
    outputs: tuple[tuple[str, str], ...] = ()
    """(source, target) of the data output associations."""
    quantities: tuple[int, int] = (1, 1)
    """startQuantity and completionQuantity; 0 stands for what is no number from 1."""
    documentation: str | None = None

    @property
    def label(self) -> str:
        """What a person reads: the name, else the id."""
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane: a role, and the name people know it by."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a file, its sub-processes' nodes included."""

    id: str
    name: str
    nodes: Mapping[str, Node]
    flows: Mapping[str, Flow]
    lanes: tuple[Lane, ...]
    properties: Mapping[str, str]
    executable: bool = True
    data: Mapping[str, str] = field(default_factory=dict)
    """Data objects and properties: id to name."""
    associations: Mapping[str, str] = field(default_factory=dict)
    """Compensation boundary event to its handler."""

    def begun_at(self, node: Node) -> bool:
        """Whether an event may begin an instance at the node: a start event, or what instantiates.

        That stands where nothing leads to it but a start event without a trigger (10.3.3, 10.6.6).
        """
        before = [self.nodes.get(flow.source) for flow in node.incoming]
        plain = all(each is not None and each.tag == "startEvent" and not each.events for each in before)
        led = node.instantiate and plain and len(before) < 2
        return node.scope == self.id and (node.tag == "startEvent" or led)

    def within(self, scope: str) -> tuple[Node, ...]:
        """The nodes standing directly in a sub-process or in the process itself."""
        return tuple(node for node in self.nodes.values() if node.scope == scope)


@dataclass(frozen=True, slots=True)
class Diagram:
    """One BPMN file."""

    processes: Mapping[str, Process]
    global_tasks: Mapping[str, Node] = field(default_factory=dict)
    drawn: frozenset[str] = frozenset()
    """Ids of the elements that the drawing shows."""
