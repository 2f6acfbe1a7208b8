"""BPMN XML read into `Diagram` values.

Reads what the standard's schema defines plus the `camunda:` attributes and properties that the ecosystem's
modelers edit. Nothing is judged here but the file itself (size, encoding, well-formedness, duplicate ids);
`rules` judges the content. The walk is iterative, so that nesting is bounded by a stated limit and not by
the interpreter's stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from lxml import etree

from engine.bpmn.diagram import (
    ACTIVITIES,
    EVENTS,
    GATEWAYS,
    SCOPES,
    Diagram,
    EventDefinition,
    Flow,
    Lane,
    Loop,
    Node,
    Process,
)
from engine.bpmn.sizes import bounded
from engine.bpmn.xml import BPMN, BPMNDI, CAMUNDA, local, parse, refuse, tag
from engine.errors import Finding, Misbuilt

GLOBAL_TASKS = {
    "globalTask": "task",
    "globalScriptTask": "scriptTask",
    "globalUserTask": "userTask",
    "globalManualTask": "manualTask",
    "globalBusinessRuleTask": "businessRuleTask",
}
"""Tasks that stand outside of processes, and what each is where a call activity calls it."""


@lru_cache(32)
def read(xml: bytes) -> Diagram:
    """Everything the file says. Raises Misbuilt when it cannot be read or an id stands twice.

    The last files stay read: one is asked for by the check, by publishing it and by whoever looks at it.
    """
    return read_tree(parse(xml))


def read_tree(root: etree._Element) -> Diagram:
    """Everything a parsed file says. Raises Misbuilt when it has no process, too much, or an id that stands twice."""
    return _Reader(root).diagram()


class _Reader:
    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.faults: list[Finding] = []
        self.ids: dict[str, etree._Element] = {}
        for element in root.iter(f"{{{BPMN}}}*"):
            identity = element.get("id")
            if identity is None:
                continue
            if identity in self.ids:
                self.faults.append(
                    Finding(
                        "error",
                        "",
                        identity,
                        "The id stands twice (line {line})",
                        "Give one of them another id",
                        {"line": element.sourceline},
                        element.sourceline,
                    )
                )
            self.ids[identity] = element

    def diagram(self) -> Diagram:
        if self.faults:
            raise Misbuilt(self.faults)
        self.tasks = {
            element.get("id", ""): self.node(element, "")
            for element in self.root
            if local(element) in GLOBAL_TASKS
        }
        processes = {}
        for element in self.root.findall(tag("process")):
            process = self.process(element)
            processes[process.id] = process
        drawn = frozenset(
            shape.get("bpmnElement", "")
            for kind in ("BPMNShape", "BPMNEdge")
            for shape in self.root.iter(f"{{{BPMNDI}}}{kind}")
        )
        if not processes:
            raise refuse("The file has no process", "Draw a process, or name the file that has one")
        return bounded(Diagram(processes, self.tasks, drawn))

    def process(self, element: etree._Element) -> Process:
        scopes = [element, *(each for each in element.iter(f"{{{BPMN}}}*") if local(each) in SCOPES)]
        flows = {}
        lanes: list[Lane] = []
        lane_of: dict[str, str] = {}
        data: dict[str, str] = {}
        for scope in scopes:
            for child in scope:
                name = local(child)
                if name == "sequenceFlow":
                    flow = self.flow(child)
                    flows[flow.id] = flow
                elif name == "laneSet":
                    self.lanes(child, lanes, lane_of)
                elif name in ("dataObject", "dataObjectReference", "property", "dataStoreReference"):
                    target = child.get("dataObjectRef")
                    source = self.ids.get(target) if target else None
                    named = source if source is not None else child
                    data[child.get("id", "")] = named.get("name") or named.get("id", "")
        nodes = {}
        touching: dict[str, list[Flow]] = {}
        for flow in flows.values():
            for end in {flow.source, flow.target}:
                touching.setdefault(end, []).append(flow)
        for scope in scopes:
            for child in scope:
                if local(child) in ACTIVITIES | EVENTS | GATEWAYS:
                    near = touching.get(child.get("id", ""), ())
                    node = self.node(child, scope.get("id", ""), near, lane_of, data)
                    nodes[node.id] = self.with_task(node)
        self.inherit_lanes(nodes)
        associations = {}
        for each in element.iter(tag("association")):
            source, target = each.get("sourceRef", ""), each.get("targetRef", "")
            associations[source] = target
        return Process(
            id=element.get("id", ""),
            name=element.get("name") or element.get("id", ""),
            nodes=nodes,
            flows=flows,
            lanes=tuple(lanes),
            properties=_properties(element),
            executable=_true(element.get("isExecutable"), True),
            data=data,
            associations=associations,
        )

    def with_task(self, node: Node) -> Node:
        """A call activity that calls a global task is that task, standing there (10.3.4)."""
        task = self.tasks.get((node.called or "").rpartition(":")[2])
        if node.tag != "callActivity" or task is None:
            return node
        return replace(
            node,
            tag=GLOBAL_TASKS[task.tag],
            name=node.name or task.name,
            script=task.script,
            called=None,
            attributes={**task.attributes, **node.attributes},
            properties={**task.properties, **node.properties},
        )

    @staticmethod
    def inherit_lanes(nodes: dict[str, Node]) -> None:
        # The nodes of an embedded sub-process stand in its lane: modelers write only the sub-process there.
        # An outer sub-process comes before what stands in it, so that one pass is enough.
        for identity, node in list(nodes.items()):
            holder = nodes.get(node.scope)
            if node.lane is None and holder is not None and holder.lane is not None:
                nodes[identity] = replace(node, lane=holder.lane)

    def lanes(self, lane_set: etree._Element, lanes: list[Lane], lane_of: dict[str, str]) -> None:
        for lane in lane_set.iter(tag("lane")):
            inner = lane.find(tag("childLaneSet"))
            identity = lane.get("id", "")
            if inner is None:
                lanes.append(Lane(identity, lane.get("name") or identity))
            for reference in lane.findall(tag("flowNodeRef")):
                lane_of[(reference.text or "").strip()] = identity

    def flow(self, element: etree._Element) -> Flow:
        condition = element.find(tag("conditionExpression"))
        return Flow(
            element.get("id", ""),
            element.get("sourceRef", ""),
            element.get("targetRef", ""),
            None if condition is None else (condition.text or "").strip(),
            element.get("name"),
            None if condition is None else condition.get("language"),
        )

    def node(
        self,
        element: etree._Element,
        scope: str,
        flows: Sequence[Flow] = (),
        lane_of: dict[str, str] | None = None,
        data: dict[str, str] | None = None,
    ) -> Node:
        identity, name = element.get("id", ""), local(element)
        listed = [(child.text or "").strip() for child in element.findall(tag("outgoing"))]
        rank = {flow: place for place, flow in enumerate(listed)}
        outgoing = sorted(
            (flow for flow in flows if flow.source == identity), key=lambda flow: rank.get(flow.id, len(rank))
        )
        script, activation = element.find(tag("script")), element.find(tag("activationCondition"))
        interrupting = element.get("cancelActivity" if name == "boundaryEvent" else "isInterrupting")
        documentation = element.find(tag("documentation"))
        return Node(
            id=identity,
            tag=name,
            name=" ".join((element.get("name") or "").split()),
            scope=scope,
            line=element.sourceline or 0,
            outgoing=tuple(outgoing),
            incoming=tuple(flow for flow in flows if flow.target == identity),
            default=element.get("default"),
            events=tuple(self.event_definitions(element)),
            parallel_multiple=_true(element.get("parallelMultiple"))
            or element.get("eventGatewayType") == "Parallel",
            activation=None if activation is None else (activation.text or "").strip(),
            attached_to=element.get("attachedToRef"),
            interrupting=_true(interrupting, True),
            loop=self.loop(element, data or {}),
            lane=(lane_of or {}).get(identity),
            script=None if script is None else script.text or "",
            called=element.get("calledElement"),
            operation=element.get("operationRef"),
            message=self.named(element.get("messageRef")),
            instantiate=_true(element.get("instantiate")),
            for_compensation=_true(element.get("isForCompensation")),
            triggered_by_event=_true(element.get("triggeredByEvent")),
            attributes={
                key[len(CAMUNDA) + 2 :]: value
                for key, value in ((str(k), str(v)) for k, v in element.attrib.items())
                if key.startswith(f"{{{CAMUNDA}}}")
            },
            properties=_properties(element),
            inputs=tuple(self.associations(element, "dataInputAssociation", data or {})),
            outputs=tuple(self.associations(element, "dataOutputAssociation", data or {})),
            quantities=(_whole(element.get("startQuantity")), _whole(element.get("completionQuantity"))),
            documentation=None if documentation is None else (documentation.text or "").strip(),
        )

    def associations(
        self, element: etree._Element, kind: str, data: dict[str, str]
    ) -> Iterator[tuple[str, str]]:
        for each in element.findall(tag(kind)):
            source, target = each.find(tag("sourceRef")), each.find(tag("targetRef"))
            ends = ["" if end is None else (end.text or "").strip() for end in (source, target)]
            yield data.get(ends[0], ends[0]), data.get(ends[1], ends[1])

    def event_definitions(self, element: etree._Element) -> Iterator[EventDefinition]:
        for child in element:
            name = local(child)
            if name == "eventDefinitionRef":
                target = self.ids.get((child.text or "").strip().rpartition(":")[2])
                yield EventDefinition("unknown") if target is None else self.event_definition(target)
            elif name.endswith("EventDefinition"):
                yield self.event_definition(child)

    def event_definition(self, element: etree._Element) -> EventDefinition:
        kind = local(element).removesuffix("EventDefinition")
        identity = element.get("id", "")
        if kind == "timer":
            for child, timer in (("timeDuration", "duration"), ("timeDate", "date"), ("timeCycle", "cycle")):
                found = element.find(tag(child))
                if found is not None:
                    return EventDefinition(kind, identity, text=(found.text or "").strip(), timer=timer)
            return EventDefinition(kind, identity)
        if kind == "conditional":
            found = element.find(tag("condition"))
            return EventDefinition(kind, identity, text=None if found is None else (found.text or "").strip())
        if kind in ("message", "signal"):
            return EventDefinition(kind, identity, name=self.named(element.get(f"{kind}Ref")))
        if kind in ("error", "escalation"):
            reference = element.get(f"{kind}Ref")
            target = self.ids.get(reference) if reference else None
            code = (
                reference
                if target is None
                else target.get(f"{kind}Code") or target.get("name") or target.get("id")
            )
            return EventDefinition(kind, identity, name=code)
        if kind == "link":
            return EventDefinition(kind, identity, name=element.get("name"))
        if kind == "compensate":
            wait = _true(element.get("waitForCompletion"), True)
            return EventDefinition(kind, identity, activity=element.get("activityRef"), wait=wait)
        if kind in ("terminate", "cancel"):
            return EventDefinition(kind, identity)
        return EventDefinition("unknown", identity, name=kind)

    def named(self, reference: str | None) -> str | None:
        """The name of the message or signal referred to, else its id."""
        if not reference:
            return None
        target = self.ids.get(reference.rpartition(":")[2])
        return reference if target is None else target.get("name") or target.get("id")

    def loop(self, element: etree._Element, data: dict[str, str]) -> Loop | None:
        standard = element.find(tag("standardLoopCharacteristics"))
        if standard is not None:
            condition = standard.find(tag("loopCondition"))
            return Loop(
                multi=False,
                condition=None if condition is None else (condition.text or "").strip(),
                test_before=_true(standard.get("testBefore")),
                maximum=standard.get("loopMaximum"),
            )
        multi = element.find(tag("multiInstanceLoopCharacteristics"))
        if multi is None:
            return None

        def text(name: str) -> str | None:
            found = multi.find(tag(name))
            return None if found is None else (found.text or "").strip()

        def item(name: str) -> str | None:
            found = multi.find(tag(name))
            return None if found is None else found.get("name") or found.get("id")

        collection = text("loopDataInputRef") or multi.get(f"{{{CAMUNDA}}}collection")
        output = text("loopDataOutputRef")
        return Loop(
            multi=True,
            sequential=_true(multi.get("isSequential")),
            cardinality=text("loopCardinality"),
            collection=None if collection is None else data.get(collection, collection),
            item=item("inputDataItem") or multi.get(f"{{{CAMUNDA}}}elementVariable"),
            output=None if output is None else data.get(output, output),
            output_item=item("outputDataItem"),
            completion=text("completionCondition"),
            behavior=multi.get("behavior", "All"),
            none_event=self.referred(multi.get("noneBehaviorEventRef")),
            behavior_event=self.referred(multi.get("oneBehaviorEventRef")),
            complex=tuple(self.complex_behaviour(multi)),
        )

    def referred(self, reference: str | None) -> EventDefinition | None:
        target = self.ids.get(reference) if reference else None
        return None if target is None else self.event_definition(target)

    def complex_behaviour(self, multi: etree._Element) -> Iterator[tuple[str, EventDefinition | None]]:
        for each in multi.findall(tag("complexBehaviorDefinition")):
            condition = each.find(tag("condition"))
            event = each.find(tag("event"))
            definitions = [] if event is None else list(self.event_definitions(event))
            yield (
                "" if condition is None else (condition.text or "").strip(),
                definitions[0] if definitions else None,
            )


def _properties(element: etree._Element) -> dict[str, str]:
    path = f"{tag('extensionElements')}/{{{CAMUNDA}}}properties/{{{CAMUNDA}}}property"
    return {each.get("name", ""): each.get("value", "") for each in element.findall(path)}


def _whole(text: str | None) -> int:
    """A number from 1; 0 for what is none."""
    if text is None:
        return 1
    return int(text) if re.fullmatch(r"\s*0*[1-9][0-9]{0,8}\s*", text) else 0


def _true(written: str | None, otherwise: bool = False) -> bool:
    """A truth value as XML Schema writes it; what is none is said by the rules."""
    if written is None:
        return otherwise
    return {"true": True, "1": True, "false": False, "0": False}.get(written.strip(), otherwise)
