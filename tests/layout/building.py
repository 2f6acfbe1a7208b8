"""BPMN files without a drawing, written from a few lines: for tests of the layout."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"'
    ' xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"'
    ' xmlns:di="http://www.omg.org/spec/DD/20100524/DI"'
    ' id="Definitions_1" targetNamespace="urn:test">\n'
)


@dataclass
class Process:
    """One process or sub-process; `lanes` is lane name to members."""

    id: str
    name: str = ""
    lanes: dict[str, list[str]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    flows: int = 0

    def add(
        self, kind: str, key: str, name: str = "", lane: str = "", inside: str = "", **attributes: str
    ) -> str:
        extra = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
        self.lines.append(
            f"<bpmn:{kind} id={quoteattr(key)} name={quoteattr(name)}{extra}>{inside}</bpmn:{kind}>"
        )
        if lane:
            self.lanes.setdefault(lane, []).append(key)
        self.members.append(key)
        return key

    def boundary(self, key: str, host: str, name: str, kind: str = "timer", cancel: bool = True) -> str:
        inside = f"<bpmn:{kind}EventDefinition />"
        stays = "true" if cancel else "false"
        return self.add("boundaryEvent", key, name, inside=inside, attachedToRef=host, cancelActivity=stays)

    def flow(self, source: str, target: str, name: str = "") -> None:
        self.flows += 1
        label = f" name={quoteattr(name)}" if name else ""
        key = f"{self.id}_f{self.flows}"
        self.lines.append(
            f'<bpmn:sequenceFlow id="{key}"{label} sourceRef="{source}" targetRef="{target}" />'
        )

    def path(self, *keys: str) -> None:
        for source, target in pairwise(keys):
            self.flow(source, target)

    def note(self, key: str, text: str, target: str) -> None:
        inside = f"<bpmn:text>{escape(text)}</bpmn:text>"
        self.lines.append(f'<bpmn:textAnnotation id="{key}">{inside}</bpmn:textAnnotation>')
        self.lines.append(f'<bpmn:association id="{key}_a" sourceRef="{key}" targetRef="{target}" />')

    def data(self, key: str, name: str, lane: str = "") -> None:
        self.lines.append(f'<bpmn:dataObject id="{key}_o" />')
        self.add("dataObjectReference", key, name, dataObjectRef=f"{key}_o")

    def body(self) -> str:
        lanes = ""
        if self.lanes:
            rows = "".join(
                f'<bpmn:lane id="{self.id}_l{number}" name={quoteattr(name)}>'
                + "".join(f"<bpmn:flowNodeRef>{key}</bpmn:flowNodeRef>" for key in keys)
                + "</bpmn:lane>\n"
                for number, (name, keys) in enumerate(self.lanes.items())
            )
            lanes = f'<bpmn:laneSet id="{self.id}_ls">\n{rows}</bpmn:laneSet>\n'
        return "\n" + lanes + "\n".join(self.lines) + "\n"


def output(data: str, key: str) -> str:
    """A data output for the inside of a task."""
    tag = "bpmn:dataOutputAssociation"
    return f'<{tag} id="{key}_{data}_w"><bpmn:targetRef>{data}</bpmn:targetRef></{tag}>'


def reading(data: str, key: str) -> str:
    """A data input for the inside of a task."""
    tag = "bpmn:dataInputAssociation"
    return f'<{tag} id="{key}_{data}_r"><bpmn:sourceRef>{data}</bpmn:sourceRef></{tag}>'


def file(*processes: Process, pools: bool = True, extra: str = "") -> bytes:
    """The BPMN file; with `pools` a collaboration shows every process, `extra` is added to it."""
    text = HEAD
    if pools:
        text += '  <bpmn:collaboration id="Collaboration_1">\n'
        for process in processes:
            name, key = quoteattr(process.name), process.id
            text += f'    <bpmn:participant id="Pool_{key}" name={name} processRef="{key}" />\n'
        text += f"{extra}  </bpmn:collaboration>\n"
    for process in processes:
        name = quoteattr(process.name)
        text += f'  <bpmn:process id="{process.id}" name={name} isExecutable="true">'
        text += f"{process.body()}  </bpmn:process>\n"
    return (text + "</bpmn:definitions>\n").encode()
