"""Small BPMN files, written short: elements without prefix, flows as `a > b` or `a > b if x == 1`."""

from __future__ import annotations

from html import escape
from itertools import pairwise

from engine.check import check_diagram

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
    'xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI">'
)
ROOTS = (
    '<message id="m" name="letter"/><signal id="g" name="alarm"/>'
    '<error id="x" errorCode="E1"/><escalation id="k" escalationCode="C1"/>'
)


def flows(text: str, prefix: str = "f") -> str:
    """Sequence flows `f1`, `f2`, … from `a > b; b > c if x > 1`."""
    found = []
    for number, line in enumerate(filter(None, (part.strip() for part in text.split(";"))), 1):
        ends, _, condition = line.partition(" if ")
        source, target = (end.strip() for end in ends.split(">"))
        inner = (
            f"<conditionExpression>{escape(condition, quote=False)}</conditionExpression>"
            if condition
            else ""
        )
        found.append(
            f'<sequenceFlow id="{prefix}{number}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'
        )
    return "".join(found)


def properties(**values: str) -> str:
    """`flow.` properties; an underscore stands for a dash."""
    each = "".join(
        f'<camunda:property name="flow.{name.replace("_", "-")}" value="{escape(value)}"/>'
        for name, value in values.items()
    )
    return f"<extensionElements><camunda:properties>{each}</camunda:properties></extensionElements>"


def process(nodes: str, lines: str = "", *, after: str = "", attributes: str = 'id="p"') -> bytes:
    """A file with one process; `after` stands behind it."""
    return f"{HEAD}{ROOTS}<process {attributes}>{nodes}{flows(lines)}</process>{after}</definitions>".encode()


def line(nodes: str, *names: str) -> bytes:
    """A process in which a token passes the named nodes one after another, between a start and an end."""
    stops = ["s", *names, "e"]
    steps = "; ".join(f"{one} > {other}" for one, other in pairwise(stops))
    return process(f'<startEvent id="s"/>{nodes}<endEvent id="e"/>', steps)


def timer(text: str, kind: str = "timeDuration") -> str:
    """A timer definition."""
    return f"<timerEventDefinition><{kind}>{escape(text)}</{kind}></timerEventDefinition>"


START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'
ENDS = START + END
TASK, OTHER = '<userTask id="t"/>', '<userTask id="u"/>'
MESSAGE = '<messageEventDefinition messageRef="m"/>'
SIGNAL = '<signalEventDefinition signalRef="g"/>'
ERROR = '<errorEventDefinition errorRef="x"/>'
TERMINATE = "<terminateEventDefinition/>"
COMPENSATE = "<compensateEventDefinition/>"
CANCEL = "<cancelEventDefinition/>"
CONDITION = "<conditionalEventDefinition><condition>x &gt; 1</condition></conditionalEventDefinition>"
XOR, OTHER_XOR = '<exclusiveGateway id="x1"/>', '<exclusiveGateway id="x2"/>'
AND, OTHER_AND = '<parallelGateway id="a1"/>', '<parallelGateway id="a2"/>'
MULTI = "<multiInstanceLoopCharacteristics>{}</multiInstanceLoopCharacteristics>"
INNER = f'<startEvent id="is"/><endEvent id="ie"/>{flows("is > ie", "i")}'


def catch(inner: str, identity: str = "c") -> str:
    return f'<intermediateCatchEvent id="{identity}">{inner}</intermediateCatchEvent>'


def throw(inner: str, identity: str = "w") -> str:
    return f'<intermediateThrowEvent id="{identity}">{inner}</intermediateThrowEvent>'


def boundary(inner: str, more: str = "", identity: str = "b", host: str = "t") -> str:
    return f'<boundaryEvent id="{identity}" attachedToRef="{host}" {more}>{inner}</boundaryEvent>'


def end(inner: str) -> str:
    return f'<endEvent id="e">{inner}</endEvent>'


def link(name: str) -> str:
    return f'<linkEventDefinition name="{name}"/>'


def event_subprocess(inner: str, more: str = "") -> str:
    return (
        f'<subProcess id="v" triggeredByEvent="true"><startEvent id="vs" {more}>{inner}</startEvent>'
        f'<endEvent id="ve"/>{flows("vs > ve", "v")}</subProcess>'
    )


def task(inner: str = "", **values: str) -> bytes:
    return line(f'<userTask id="t">{properties(**values)}{inner}</userTask>', "t")


def service(tag: str = "serviceTask", **values: str) -> bytes:
    return line(f'<{tag} id="t">{properties(**values)}</{tag}>', "t")


BASIC = f"{START}{TASK}{END}"
FLOWS = "s > t; t > e"


def refused(xml: bytes, element: str, reason: str) -> None:
    """Assert that one finding says this of that element, and how to put it right."""
    everything = check_diagram(xml)
    found = [each for each in everything if each.element == element and reason in each.reason]
    assert found, [str(each) for each in everything]
    for each in found:
        assert each.level == "error"
        assert each.reason.strip()
        assert each.remedy.strip()
        assert "{" not in str(each) or "{" in xml.decode()


ITEMS = '<itemDefinition id="i1" structureRef="text"/><itemDefinition id="i2" structureRef="number"/>'
SETS = "<inputSet>{}</inputSet><outputSet>{}</outputSet>"
OPERATION = (
    '<interface id="n" name="n"><operation id="o" name="o"><inMessageRef>m</inMessageRef></operation>'
    "</interface>"
)


def basic(more: str = "", *, after: str = "", lines: str = "") -> bytes:
    """A process of one task, with something more in it or behind it."""
    return process(BASIC + more, FLOWS + (f"; {lines}" if lines else ""), after=after)


def within(inner: str, tag: str = "userTask", attributes: str = "", after: str = "") -> bytes:
    """A process of one task with something inside it."""
    return process(f'{ENDS}<{tag} id="t" {attributes}>{inner}</{tag}>', FLOWS, after=after)


def pools(inner: str, *, other: str = '<startEvent id="os"/><receiveTask id="ot" messageRef="m"/>') -> bytes:
    """Two pools, with something more in the collaboration."""
    return process(
        BASIC + throw(MESSAGE) + OTHER,
        "s > t; t > w; w > u; u > e",
        after=f'<process id="other" isExecutable="false">{other}<endEvent id="oe"/>'
        f'<sequenceFlow id="of" sourceRef="ot" targetRef="oe"/></process><collaboration id="co">'
        f'<participant id="p1" processRef="p"/><participant id="p2" processRef="other"/>{inner}</collaboration>',
    ).replace(b"s &gt;", b"s >")


def message(source: str, target: str) -> str:
    return f'<messageFlow id="mf" sourceRef="{source}" targetRef="{target}"/>'
