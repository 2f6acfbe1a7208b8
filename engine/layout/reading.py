"""What is to be drawn: a BPMN file read into pools, lanes, elements and flows, without its drawing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from engine.errors import Finding, Misbuilt
from engine.xml_text import MAX_BYTES, decode, has_document_type

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DI = "http://www.omg.org/spec/DD/20100524/DI"

GATEWAYS = frozenset(
    {"exclusiveGateway", "parallelGateway", "inclusiveGateway", "complexGateway", "eventBasedGateway"}
)
EVENTS = frozenset(
    {"startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"}
)
SCOPES = frozenset({"subProcess", "transaction", "adHocSubProcess"})
TASKS = frozenset(
    {
        "task",
        "userTask",
        "manualTask",
        "serviceTask",
        "scriptTask",
        "businessRuleTask",
        "sendTask",
        "receiveTask",
        "callActivity",
    }
)
DATA = frozenset({"dataObjectReference", "dataStoreReference"})
ARTIFACTS = DATA | {"textAnnotation"}
NODES = GATEWAYS | EVENTS | SCOPES | TASKS | ARTIFACTS


@dataclass(slots=True)
class Element:
    """One shape to draw. `host` is the activity a boundary event sits on; `inside` the content of a sub-process."""

    id: str
    kind: str
    name: str
    host: str = ""
    alone: bool = False
    """An event sub-process: nothing flows in or out."""
    outgoing: tuple[str, ...] = ()
    inside: Scope | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """One connection. `kind` is sequence, message, association or data (an association with a data object)."""

    id: str
    kind: str
    name: str
    source: str
    target: str


@dataclass(slots=True)
class Scope:
    """The content of a process or sub-process."""

    id: str
    elements: dict[str, Element] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Lane:
    """One role's band; `inner` are the lanes it is divided into."""

    id: str
    name: str
    members: frozenset[str]
    inner: tuple[Lane, ...] = ()

    def leaves(self) -> Iterator[Lane]:
        """The lanes that are not divided further, in order."""
        if not self.inner:
            yield self
        for lane in self.inner:
            yield from lane.leaves()

    def depth(self) -> int:
        """How many lane headers stand beside each other."""
        return 1 + max((lane.depth() for lane in self.inner), default=0)


@dataclass(frozen=True, slots=True)
class Pool:
    """A participant; `scope` is None for a black box. A process drawn without a pool has no id."""

    id: str
    name: str
    scope: Scope | None
    lanes: tuple[Lane, ...]


@dataclass(slots=True)
class Chart:
    """One diagram: the plane's element and what lies on it."""

    plane: str
    pools: list[Pool]
    messages: list[Flow]
    missing_collaboration: bool = False
    """The file has lanes or several processes but no collaboration to show them in: `draw` adds one."""


def parse(xml: bytes) -> etree._Element:
    """The root of a BPMN file. Raises Misbuilt when it is not well-formed BPMN."""
    if len(xml) > MAX_BYTES:
        template, remedy = (
            "The file is larger than {limit} bytes",
            "Split the procedure into called processes",
        )
        raise _misbuilt("", template, remedy, limit=MAX_BYTES)
    text = decode(xml).text
    if has_document_type(text):
        raise _misbuilt(
            "", "The file declares a document type or entities", "Save it again from a BPMN editor"
        )
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise _misbuilt("", "Not well-formed XML: {detail}", "Repair the file.", detail=error.msg) from None
    if root.tag != f"{{{BPMN}}}definitions":
        raise _misbuilt("", "Not a BPMN 2.0 file: its root is {tag}", "Give a .bpmn file.", tag=root.tag)
    return root


def read(root: etree._Element) -> Chart:
    """The chart of a parsed file. Raises Misbuilt naming every dangling reference."""
    processes = {_id(item): item for item in root.findall(f"{{{BPMN}}}process")}
    if not processes:
        raise _misbuilt("", "The file has no process", "Add a process.")
    collaboration = root.find(f"{{{BPMN}}}collaboration")
    chart = Chart(plane=next(iter(processes)), pools=[], messages=[])
    if collaboration is not None:
        chart.plane = _id(collaboration)
        for item in collaboration.findall(f"{{{BPMN}}}participant"):
            process = processes.pop(_ref(item.get("processRef", "")), None)
            chart.pools.append(_pool(_id(item), item.get("name", ""), process))
        chart.messages = [_flow(item, "message") for item in collaboration.findall(f"{{{BPMN}}}messageFlow")]
        if processes:
            names = ", ".join(processes)
            raise _misbuilt(
                names,
                "No participant of the collaboration shows the process",
                "Add a participant with its processRef.",
            )
    else:
        laned = any(item.find(f"{{{BPMN}}}laneSet/{{{BPMN}}}lane") is not None for item in processes.values())
        chart.missing_collaboration = laned or len(processes) > 1
        if chart.missing_collaboration:
            chart.plane = _fresh(root, "Collaboration")
        for key, item in processes.items():
            pool = _fresh(root, f"Participant_{key}") if chart.missing_collaboration else ""
            chart.pools.append(_pool(pool, item.get("name", ""), item))
    _judge(chart)
    return chart


def everything(chart: Chart) -> Iterator[tuple[str, str]]:
    """The id and kind of all that needs a drawing: pools, lanes, elements, flows."""
    for pool in chart.pools:
        if pool.id and not chart.missing_collaboration:
            yield pool.id, "participant"
        pending = list(pool.lanes)
        while pending:
            lane = pending.pop(0)
            yield lane.id, "lane"
            pending = [*lane.inner, *pending]
        for scope in scopes(pool.scope):
            yield from ((element.id, element.kind) for element in scope.elements.values())
            yield from ((flow.id, flow.kind) for flow in scope.flows)
    yield from ((flow.id, flow.kind) for flow in chart.messages)


def scopes(scope: Scope | None) -> Iterator[Scope]:
    """A scope and every sub-process below it."""
    if scope is not None:
        yield scope
        for element in scope.elements.values():
            yield from scopes(element.inside)


def _pool(key: str, name: str, process: etree._Element | None) -> Pool:
    if process is None:
        return Pool(key, name, None, ())
    lanes = tuple(
        _lane(lane)
        for group in process.findall(f"{{{BPMN}}}laneSet")
        for lane in group.findall(f"{{{BPMN}}}lane")
    )
    return Pool(key, name, _scope(process), lanes)


def _lane(item: etree._Element) -> Lane:
    inner = tuple(_lane(lane) for lane in item.findall(f"{{{BPMN}}}childLaneSet/{{{BPMN}}}lane"))
    members = frozenset(_ref(ref.text or "") for ref in item.findall(f"{{{BPMN}}}flowNodeRef"))
    return Lane(_id(item), item.get("name", ""), members, inner)


def _scope(item: etree._Element) -> Scope:
    scope = Scope(_id(item))
    for child in item:
        if not isinstance(child.tag, str) or not child.tag.startswith(f"{{{BPMN}}}"):
            continue
        kind = etree.QName(child).localname
        if kind in NODES:
            element = _element(child, kind)
            scope.elements[element.id] = element
            scope.flows.extend(_data_flows(child))
        elif kind == "sequenceFlow":
            scope.flows.append(_flow(child, "sequence"))
        elif kind == "association":
            scope.flows.append(_flow(child, "association"))
    return scope


def _element(item: etree._Element, kind: str) -> Element:
    name = item.get("name", "")
    if kind == "textAnnotation":
        name = item.findtext(f"{{{BPMN}}}text") or ""
    return Element(
        id=_id(item),
        kind=kind,
        name=name.strip(),
        host=_ref(item.get("attachedToRef", "")),
        alone=kind in SCOPES and item.get("triggeredByEvent") == "true",
        outgoing=tuple(_ref(ref.text or "") for ref in item.findall(f"{{{BPMN}}}outgoing")),
        inside=_scope(item) if kind in SCOPES else None,
    )


def _data_flows(item: etree._Element) -> Iterator[Flow]:
    for tag, end in (("dataInputAssociation", "sourceRef"), ("dataOutputAssociation", "targetRef")):
        for link in item.findall(f"{{{BPMN}}}{tag}"):
            data = _ref(link.findtext(f"{{{BPMN}}}{end}") or "")
            pair = (data, _id(item)) if end == "sourceRef" else (_id(item), data)
            if data:
                yield Flow(_id(link), "data", "", *pair)


def _flow(item: etree._Element, kind: str) -> Flow:
    ends = (_ref(item.get("sourceRef", "")), _ref(item.get("targetRef", "")))
    return Flow(_id(item), kind, item.get("name", "").strip(), *ends)


def _judge(chart: Chart) -> None:
    """Refuse what cannot be drawn: flows to nowhere, boundary events without a host."""
    findings: list[Finding] = []
    known = {pool.id for pool in chart.pools}
    for pool in chart.pools:
        for scope in scopes(pool.scope):
            known |= scope.elements.keys()
            for element in scope.elements.values():
                host = scope.elements.get(element.host)
                if element.kind == "boundaryEvent" and (host is None or host.kind not in TASKS | SCOPES):
                    findings.append(
                        _fault(element.id, "The boundary event sits on no activity", "Set attachedToRef.")
                    )
            findings.extend(
                _fault(
                    flow.id, "The flow leaves its process or leads nowhere", "Set sourceRef and targetRef."
                )
                for flow in scope.flows
                if flow.kind == "sequence" and not {flow.source, flow.target} <= scope.elements.keys()
            )
    for pool in chart.pools:
        for scope in scopes(pool.scope):
            findings.extend(
                _fault(
                    flow.id,
                    "The association does not join two shapes",
                    "Attach it to an element, not to a flow.",
                )
                for flow in scope.flows
                if flow.kind == "association" and not {flow.source, flow.target} <= known
            )
            # A data association may name a property, which has no shape: then there is nothing to draw.
            scope.flows = [flow for flow in scope.flows if {flow.source, flow.target} <= known]
    findings.extend(
        _fault(flow.id, "The message flow leads nowhere", "Set sourceRef and targetRef.")
        for flow in chart.messages
        if not {flow.source, flow.target} <= known
    )
    if findings:
        raise Misbuilt(findings)


def _id(item: etree._Element) -> str:
    key = str(item.get("id", ""))
    if not key:
        tag = etree.QName(item).localname
        raise _misbuilt(f"line {item.sourceline}", "{tag} has no id", "Give it an id.", tag=tag)
    return key


def _ref(text: str) -> str:
    """A reference is a QName; within one file only its local part tells elements apart."""
    return text.strip().rpartition(":")[2]


def _fresh(root: etree._Element, wanted: str) -> str:
    taken = set(root.xpath("//@id"))
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def _fault(element: str, template: str, remedy: str) -> Finding:
    return Finding("error", "", element, template, remedy)


def _misbuilt(element: str, template: str, remedy: str, **params: object) -> Misbuilt:
    return Misbuilt([Finding("error", "", element, template, remedy, params)])
