"""What the standard allows, and tools write, is not refused: the counter-check to the constraints."""

from __future__ import annotations

import pytest

from engine.check import check_diagram
from tests.bpmn.models import (
    BASIC,
    COMPENSATE,
    ENDS,
    FLOWS,
    OTHER,
    TASK,
    basic,
    boundary,
    catch,
    line,
    message,
    pools,
    process,
    throw,
    timer,
)

KEY = (
    '<extensionElements><c:properties xmlns:c="http://camunda.org/schema/1.0/bpmn"><c:property name="flow.key" '
    'value="1"/></c:properties></extensionElements>'
)

LEGAL: dict[str, bytes] = {
    "pools that exchange messages": pools(message("w", "ot")),
    "a message flow to one of two that await the message, with a key": process(
        f"{BASIC}{OTHER}<sendTask id='w' messageRef='m'>{KEY}</sendTask>",
        "s > t; t > w; w > u; u > e",
        after="".join(
            f'<process id="o{n}"><receiveTask id="r{n}" messageRef="m">{KEY}</receiveTask></process>'
            for n in (1, 2)
        )
        + '<collaboration id="co"><participant id="p1" processRef="p"/><participant id="p2" processRef="o1"/>'
        '<participant id="p3" processRef="o2"/><messageFlow id="mf" sourceRef="w" targetRef="r1"/></collaboration>'
        '<correlationProperty id="cp"><correlationPropertyRetrievalExpression messageRef="m">'
        "<messagePath>x</messagePath></correlationPropertyRetrievalExpression></correlationProperty>",
    ),
    "a black box": pools(
        '<participant id="p3" name="customer"/><messageFlow id="m1" sourceRef="p3" targetRef="t"/>'
    ),
    "both ends of the flows are listed": process(
        '<startEvent id="s"><outgoing>f1</outgoing></startEvent><userTask id="t"><incoming>f1</incoming>'
        '<outgoing>f2</outgoing></userTask><endEvent id="e"><incoming>f2</incoming></endEvent>',
        FLOWS,
    ),
    "lanes within lanes": basic(
        '<laneSet id="ls"><lane id="l"><flowNodeRef>t</flowNodeRef><childLaneSet id="cl"><lane id="l2">'
        "<flowNodeRef>t</flowNodeRef></lane></childLaneSet></lane></laneSet>"
    ),
    "data objects as editors draw them": process(
        f'{ENDS}<dataObjectReference id="r" name="方案" dataObjectRef="d"/><dataObject id="d"/>'
        '<userTask id="t"><property id="x7" name="__targetRef_placeholder"/><dataInputAssociation id="x8">'
        "<sourceRef>r</sourceRef><targetRef>x7</targetRef></dataInputAssociation><dataOutputAssociation>"
        "<targetRef>r</targetRef></dataOutputAssociation></userTask>",
        FLOWS,
    ),
    "a definition that events share": line(catch("<eventDefinitionRef>x7</eventDefinitionRef>"), "c").replace(
        b"<process", b'<signalEventDefinition id="x7" signalRef="g"/><process'
    ),
    "children in another order than the schema's": line(
        '<userTask id="t"><standardLoopCharacteristics loopMaximum="2"/><documentation>why</documentation></userTask>',
        "t",
    ),
    "truth values written as numbers": basic(
        boundary(timer("PT1H"), 'cancelActivity="0"') + '<exclusiveGateway id="x2"/>',
        lines="b > x2; t > x2; x2 > e",
    )
    .replace(
        b'targetRef="e"></sequenceFlow><sequenceFlow id="f3"',
        b'targetRef="x2"></sequenceFlow><sequenceFlow id="f3"',
        1,
    )
    .replace(b'<sequenceFlow id="f4" sourceRef="t" targetRef="x2"></sequenceFlow>', b""),
    "nothing undone by a compensation without handlers": line(throw(COMPENSATE), "w"),
    "no start and no end event": process(TASK + OTHER, "t > u"),
    "groups, annotations and documentation": basic(
        '<documentation>说明</documentation><textAnnotation id="a"><text>注</text></textAnnotation>'
        '<association id="z" sourceRef="t" targetRef="a"/><group id="gr" categoryValueRef="cv"/>',
        after='<category id="cat"><categoryValue id="cv" value="阶段"/></category>',
    ),
    "colours and other things of editors": basic().replace(
        b'<userTask id="t"/>',
        b'<userTask id="t" xmlns:c="http://www.omg.org/spec/BPMN/non-normative/color/1.0" c:background-color="#fff">'
        b'<extensionElements><s:metaData xmlns:s="http://www.signavio.com" metaKey="bgcolor" metaValue="#fff"/>'
        b"</extensionElements></userTask>",
    ),
}


@pytest.mark.parametrize("case", LEGAL)
def test_what_the_standard_allows_is_not_refused(case: str) -> None:
    assert [str(each) for each in check_diagram(LEGAL[case])] == []


def test_a_truth_value_written_as_a_number_means_what_it_says() -> None:
    from engine.bpmn.reader import read

    node = read(LEGAL["truth values written as numbers"]).processes["p"].nodes["b"]
    assert not node.interrupting


def test_what_two_thousand_elements_say_with_prefixes_is_read_as_what_ten_say() -> None:
    """The schema is asked part by part; names in values (`xsi:type`, `messageRef`) keep their prefixes there."""
    nodes, lines = ['<b:exclusiveGateway id="x" default="d"/><b:endEvent id="e"/><b:startEvent id="s"/>'], []
    for n in range(660):
        timer = '<b:timerEventDefinition><b:timeDuration xsi:type="b:tFormalExpression">PT1H</b:timeDuration>'
        kind = (
            f"{timer}</b:timerEventDefinition>" if n % 2 else '<b:messageEventDefinition messageRef="t:m"/>'
        )
        nodes.append(f'<b:intermediateCatchEvent id="c{n}">{kind}</b:intermediateCatchEvent>')
        lines.append(
            f'<b:sequenceFlow id="f{n}" sourceRef="x" targetRef="c{n}"><b:conditionExpression '
            f'xsi:type="b:tFormalExpression">k == {n}</b:conditionExpression></b:sequenceFlow>'
            f'<b:sequenceFlow id="g{n}" sourceRef="c{n}" targetRef="e"/>'
        )
    lines.append(
        '<b:sequenceFlow id="d" sourceRef="x" targetRef="e"/><b:sequenceFlow id="a" sourceRef="s" targetRef="x"/>'
    )
    bpmn = (
        '<b:definitions xmlns:b="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:t="here" targetNamespace="here" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><b:message id="m" name="letter"/>'
        f'<b:process id="p">{"".join(nodes + lines)}</b:process></b:definitions>'
    )
    assert [str(each) for each in check_diagram(bpmn.encode())] == []
