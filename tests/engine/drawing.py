"""A short notation for diagrams, so that a test shows the diagram it is about.

    start s
    user draft form=plan flow.due="P2D after d0"
    xor big
    end done
    s -> draft -> big
    big -> draft : amount > 10
    big -> done : else

A line is an element (`kind id option=value …`) or a chain of flows; what follows ` : ` is the condition of the
line's last flow, `else` makes it the default. A node's outgoing flows are tried in the order of the lines.
Elements indented below a `sub`, `transaction` or `event-sub` stand in it. `process other` begins another process
of the file. `undo ~> handler` is the association of a compensation event. Everybody's lane is `clerk` unless
an element says `lane=`.

Events take `timer= cycle= date= message= signal= error= escalation= condition= link= compensate= cancel
terminate`; boundary events `on=HOST`, and `soft` when they do not interrupt; `all` when an event needs all of
its definitions, `no-wait` when a compensation is not waited for. `begins` is for a receive task or choice that
begins the instance (`all`: parallel), `needs=` for the activation condition of a `complex` gateway. `global
NAME do=` is a global script task. Activities take `do=` (script), `takes= gives=` (token quantities),
`calls=`, `message=`, `while= max= test-before` (standard loop), `times= each=VARIABLE:ITEM many sequential
until= gather=VARIABLE:ITEM throws="None signal NAME"` (multi-instance; or One, or a condition), `undoes` (for
compensation), and `form= assignee= group=
priority= decision= result= mapped=` and `flow.…=` as the modelers write them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

TAGS = {
    "start": "startEvent", "end": "endEvent", "catch": "intermediateCatchEvent", "throw": "intermediateThrowEvent",
    "boundary": "boundaryEvent", "xor": "exclusiveGateway", "and": "parallelGateway", "or": "inclusiveGateway",
    "choice": "eventBasedGateway", "complex": "complexGateway", "task": "task", "user": "userTask",
    "manual": "manualTask",
    "service": "serviceTask", "rule": "businessRuleTask", "script": "scriptTask", "send": "sendTask",
    "receive": "receiveTask",
    "call": "callActivity", "sub": "subProcess", "event-sub": "subProcess", "transaction": "transaction",
}  # fmt: skip
_HOLDERS = ("sub", "event-sub", "transaction")
_ATTRIBUTES = {
    "form": "formKey", "assignee": "assignee", "group": "candidateGroups", "priority": "priority",
    "decision": "decisionRef", "result": "resultVariable", "mapped": "mapDecisionResult",
}  # fmt: skip
_TIMERS = {"timer": "timeDuration", "date": "timeDate", "cycle": "timeCycle"}
_NAMED = ("message", "signal", "error", "escalation")
_NAMESPACES = (
    'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
    'xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" '
    'targetNamespace="tests"'
)


def diagram(text: str, process: str = "main") -> bytes:
    """The BPMN file that the notation describes, its first process called `process`."""
    return _File(text, process).xml()


class _Element:
    def __init__(self, indent: int, words: list[str]) -> None:
        self.indent = indent
        self.kind, self.id, *options = words
        self.options = {name: value for name, _, value in (each.partition("=") for each in options)}
        self.inside: list[_Element] = []
        self.flows: list[str] = []
        self.outgoing: list[str] = []
        self.default: str | None = None


class _File:
    def __init__(self, text: str, process: str) -> None:
        self.elements: dict[str, _Element] = {}
        self.processes: dict[str, _Element] = {}
        self.names: dict[tuple[str, str], str] = {}
        self.drawn: list[str] = []
        self.roots = ""
        self.around: dict[str, _Element] = {}
        self._begin(process)
        self.open = [self.process]
        for line in text.splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                self._line(line)

    def _begin(self, name: str, *options: str) -> None:
        self.process = _Element(-1, ["process", name, *options])
        self.processes[name] = self.process
        self.open = [self.process]

    def _line(self, line: str) -> None:
        chain, _, condition = line.partition(" : ")
        if "->" in chain:
            self._flows([each.strip() for each in chain.split("->")], condition.strip())
            return
        if "~>" in line:
            source, target = (each.strip() for each in line.split("~>"))
            self.around[source].flows.append(
                f'<association id="{source}_{target}" sourceRef="{source}" targetRef="{target}"/>'
            )
            return
        words = shlex.split(line)
        if words[0] == "process":
            if words[1] == self.process.id:
                self.process.options |= dict(each.split("=", 1) for each in words[2:])
            else:
                self._begin(*words[1:])
            return
        if words[0] == "global":
            script = f"<script>{escape(words[2].removeprefix('do='))}</script>"
            self.roots += f"<globalScriptTask id={quoteattr(words[1])}>{script}</globalScriptTask>"
            return
        element = _Element(len(line) - len(line.lstrip()), words)
        while self.open[-1].indent >= element.indent:
            self.open.pop()
        self.around[element.id] = self.open[-1]
        self.open[-1].inside.append(element)
        self.elements[element.id] = element
        self.drawn.append(element.id)
        if element.kind in _HOLDERS:
            self.open.append(element)

    def _flows(self, chain: list[str], condition: str) -> None:
        for source, target in pairwise(chain):
            last = target == chain[-1]
            number = sum(each.startswith(f"{source}_to_{target}") for each in self.drawn)
            name = f"{source}_to_{target}" + (f"_{number}" if number else "")
            test = ""
            if last and condition == "else":
                self.elements[source].default = name
            elif last and condition:
                test = f"<conditionExpression>{escape(condition)}</conditionExpression>"
            self.around[source].flows.append(
                f'<sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">{test}</sequenceFlow>'
            )
            self.elements[source].outgoing.append(name)
            self.drawn.append(name)

    def xml(self) -> bytes:
        body = "".join(self._process(each) for each in self.processes.values())
        roots = self.roots + "".join(
            f"<{kind} id={quoteattr(identity)} name={quoteattr(name)} "
            + (f"{kind}Code={quoteattr(name)}" if kind in ("error", "escalation") else "")
            + "/>"
            for (kind, name), identity in self.names.items()
        )
        bounds = '<dc:Bounds x="0" y="0" width="9" height="9"/>'
        shapes = "".join(f'<di:BPMNShape bpmnElement="{each}">{bounds}</di:BPMNShape>' for each in self.drawn)
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><definitions {_NAMESPACES}>{roots}{body}'
            f"<di:BPMNDiagram>{shapes}</di:BPMNDiagram></definitions>"
        ).encode()

    def _process(self, process: _Element) -> str:
        lanes: dict[str, list[str]] = {}
        for each in process.inside:
            lanes.setdefault(each.options.get("lane", "clerk"), []).append(each.id)
        lane_set = "".join(
            f'<lane id="{name}" name="{name}">{_texts("flowNodeRef", refs)}</lane>'
            for name, refs in lanes.items()
            if len(self.processes) == 1
        )
        extension = _extension(process.options)
        content = "".join(self._element(each) for each in process.inside) + "".join(process.flows)
        lane_set = f'<laneSet id="{process.id}_lanes">{lane_set}</laneSet>' if lane_set else ""
        return f'<process id="{process.id}" isExecutable="true">{extension}{lane_set}{content}</process>'

    def _element(self, element: _Element) -> str:
        tag, options = TAGS[element.kind], element.options
        attributes = {"id": element.id, "name": options.get("name", element.id)}
        for name, attribute in _ATTRIBUTES.items():
            if name in options:
                attributes[f"camunda:{attribute}"] = options[name]
        if tag in ("userTask", "manualTask") and len(self.processes) > 1:
            attributes.setdefault("camunda:candidateGroups", options.get("lane", "clerk"))
        if element.default:
            attributes["default"] = element.default
        if "on" in options:
            attributes["attachedToRef"] = options["on"]
        if "soft" in options:
            attributes["cancelActivity" if tag == "boundaryEvent" else "isInterrupting"] = "false"
        if "all" in options:
            gateway = tag == "eventBasedGateway"
            attributes |= {"eventGatewayType": "Parallel"} if gateway else {"parallelMultiple": "true"}
        if "begins" in options:
            attributes["instantiate"] = "true"
        quantities = {"takes": "startQuantity", "gives": "completionQuantity"}
        attributes |= {quantities[name]: options[name] for name in quantities if name in options}
        if "undoes" in options:
            attributes["isForCompensation"] = "true"
        if element.kind == "event-sub":
            attributes["triggeredByEvent"] = "true"
        if "calls" in options:
            attributes["calledElement"] = options["calls"]
        if tag in ("sendTask", "receiveTask"):
            attributes["messageRef"] = self._name("message", options["message"])
        written = " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())
        thrown = self._thrown(element)
        body = _extension(options) + _texts("outgoing", element.outgoing) + _loop(options, *thrown)
        if "needs" in options:
            body += f"<activationCondition>{escape(options['needs'])}</activationCondition>"
        if tag == "scriptTask":
            body += f"<script>{escape(options['do'])}</script>"
        if tag.endswith("Event"):
            body += self._definitions(element)
        body += "".join(self._element(each) for each in element.inside) + "".join(element.flows)
        return f"<{tag} {written}>{body}</{tag}>"

    def _definitions(self, element: _Element) -> str:
        found = ""
        for name, value in element.options.items():
            if name in _TIMERS:
                timer = f"<{_TIMERS[name]}>{escape(value)}</{_TIMERS[name]}>"
                found += f"<timerEventDefinition>{timer}</timerEventDefinition>"
            elif name in _NAMED:
                for each in value.split("|"):
                    reference = f' {name}Ref="{self._name(name, each)}"' if each else ""
                    found += f"<{name}EventDefinition{reference}/>"
            elif name == "condition":
                condition = f"<condition>{escape(value)}</condition>"
                found += f"<conditionalEventDefinition>{condition}</conditionalEventDefinition>"
            elif name == "link":
                found += f"<linkEventDefinition name={quoteattr(value)}/>"
            elif name == "compensate":
                wait = ' waitForCompletion="false"' if "no-wait" in element.options else ""
                found += f"<compensateEventDefinition{wait}{f' activityRef={value!r}' if value else ''}/>"
            elif name in ("terminate", "cancel"):
                found += f"<{name}EventDefinition/>"
        return found

    def _thrown(self, element: _Element) -> tuple[str, str]:
        """The attributes and the content of a multi-instance marker that throws."""
        if "throws" not in element.options:
            return "", ""
        when, kind, name = element.options["throws"].rsplit(" ", 2)
        reference = f'{kind}Ref="{self._name(kind, name)}"'
        if when in ("None", "One"):
            identity = f"{element.id}_thrown"
            self.roots += f"<{kind}EventDefinition id={quoteattr(identity)} {reference}/>"
            return f' behavior="{when}" {when.lower()}BehaviorEventRef="{identity}"', ""
        event = f"<event><{kind}EventDefinition {reference}/></event>"
        condition = f"<condition>{escape(when)}</condition>"
        return (
            ' behavior="Complex"',
            f"<complexBehaviorDefinition>{condition}{event}</complexBehaviorDefinition>",
        )

    def _name(self, kind: str, name: str) -> str:
        return self.names.setdefault((kind, name), f"{kind}_{len(self.names)}")


def _extension(options: dict[str, str]) -> str:
    found = "".join(
        f"<camunda:property name={quoteattr(name)} value={quoteattr(value)}/>"
        for name, value in options.items()
        if name.startswith("flow.") or re.fullmatch(r"x\.\w+", name)
    )
    if not found:
        return ""
    return f"<extensionElements><camunda:properties>{found}</camunda:properties></extensionElements>"


def _texts(tag: str, values: Iterable[str]) -> str:
    return "".join(f"<{tag}>{escape(value)}</{tag}>" for value in values)


def _loop(options: dict[str, str], attributes: str = "", thrown: str = "") -> str:
    if "while" in options or "max" in options:
        test = f"<loopCondition>{escape(options['while'])}</loopCondition>" if "while" in options else ""
        maximum = f' loopMaximum="{options["max"]}"' if "max" in options else ""
        before = str("test-before" in options).lower()
        return f'<standardLoopCharacteristics testBefore="{before}"{maximum}>{test}</standardLoopCharacteristics>'
    if not {"times", "each", "many"} & options.keys():
        return ""
    body = ""
    if "times" in options:
        body += f"<loopCardinality>{escape(options['times'])}</loopCardinality>"
    variable, _, item = options.get("each", "").partition(":")
    output, _, output_item = options.get("gather", "").partition(":")
    body += f"<loopDataInputRef>{variable}</loopDataInputRef>" if variable else ""
    body += f"<loopDataOutputRef>{output}</loopDataOutputRef>" if output else ""
    item = item or options.get("many", "")
    body += f'<inputDataItem id="item_{item}" name="{item}"/>' if item else ""
    body += f'<outputDataItem id="item_{output_item}" name="{output_item}"/>' if output_item else ""
    if "until" in options:
        body += f"<completionCondition>{escape(options['until'])}</completionCondition>"
    sequential = str("sequential" in options).lower()
    tag = "multiInstanceLoopCharacteristics"
    return f'<{tag} isSequential="{sequential}"{attributes}>{body}{thrown}</{tag}>'
