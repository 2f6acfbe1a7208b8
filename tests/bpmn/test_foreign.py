"""What other programs wrote into a file, other languages, other encodings, and files beyond the limits."""

from __future__ import annotations

import pytest

from engine.bpmn.reader import read
from engine.bpmn.xml import MAX_BYTES, MAX_ELEMENTS
from engine.check import check_diagram
from tests.bpmn.models import BASIC, FLOWS, MULTI, XOR, boundary, catch, line, process, refused, timer

FLOWABLE = 'xmlns:flowable="http://flowable.org/bpmn"'
TWICE = "<loopCardinality>2</loopCardinality>"
ZEEBE = 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'


def extended(inner: str, tag: str = "userTask", attributes: str = "", more: str = "") -> bytes:
    """A task with extension elements."""
    return line(
        f'<{tag} id="t" {attributes}><extensionElements>{inner}</extensionElements>{more}</{tag}>', "t"
    )


DROPPED: dict[str, tuple[bytes, str, str]] = {
    "mapped variables": (extended("<camunda:inputOutput/>"), "t", "camunda:inputOutput would have no effect"),
    "an execution listener": (
        extended('<camunda:executionListener event="start" class="x"/>'), "t", "camunda:executionListener"),
    "a task listener": (extended('<camunda:taskListener event="create" class="x"/>'), "t", "camunda:taskListener"),
    "a connector": (extended("<camunda:connector/>", "serviceTask"), "t", "camunda:connector"),
    "generated forms": (extended("<camunda:formData/>"), "t", "camunda:formData"),
    "variables of a call": (
        extended('<camunda:in source="a" target="b"/>', "callActivity", 'calledElement="p"'), "t", "camunda:in would"),
    "a job of Zeebe": (
        extended(f'<zeebe:taskDefinition {ZEEBE} type="mail"/>', "serviceTask"), "t", "zeebe:taskDefinition"),
    "an attribute of Flowable": (
        line(f'<userTask id="t" {FLOWABLE} flowable:assignee="kermit"/>', "t"), "t", "flowable:assignee"),
    "who may start": (
        process(BASIC, FLOWS, attributes='id="p" camunda:candidateStarterGroups="all"'),
        "p", "camunda:candidateStarterGroups"),
    "a script from elsewhere": (
        line('<scriptTask id="t"><script camunda:resource="x.js">pass</script></scriptTask>', "t"),
        "t", "camunda:resource"),
    "the class of a message": (
        line('<intermediateThrowEvent id="w"><messageEventDefinition messageRef="m" camunda:class="x"/>'
             "</intermediateThrowEvent>", "w"),
        "w", "camunda:class"),
    "a property twice": (
        extended('<camunda:properties><camunda:property name="flow.due" value="P1D"/>'
                 '<camunda:property name="flow.due" value="P2D"/></camunda:properties>'),
        "t", "flow.due stands twice"),
    "a property on a flow": (
        process(BASIC, FLOWS).replace(
            b'targetRef="e">',
            b'targetRef="e"><extensionElements><camunda:properties><camunda:property name="flow.due" value="P1D"/>'
            b"</camunda:properties></extensionElements>"),
        "f2", "no effect at the sequenceFlow"),
    "a script in another language": (
        line('<scriptTask id="t" scriptFormat="javascript"><script>x = 1</script></scriptTask>', "t"),
        "t", "in javascript"),
    "a condition in another language": (
        process(BASIC + XOR, "s > t; t > x1; x1 > e if x > 1; x1 > t if x == 1").replace(
            b"<conditionExpression", b'<conditionExpression language="juel"', 1),
        "f3", "in juel"),
    "a condition that is none": (
        line(catch("<conditionalEventDefinition><condition>1</condition></conditionalEventDefinition>"), "c"),
        "c", "always 1, which is neither"),
    "a number beyond bounds": (
        process(BASIC + XOR, "s > t; t > x1; x1 > e if x > 9**9**9**9; x1 > t if x == 1"),
        "f3", "9 ** 9 ** 9 ** 9 cannot be worked out"),
    "a script that can never run": (
        line('<scriptTask id="t"><script>\n  a = 1\n  x = "a" + 1\n</script></scriptTask>', "t"),
        "t", "'a' + 1 cannot be worked out"),
    "a loop's end that is no condition": (
        line("<userTask id='t'>" + MULTI.format(f"{TWICE}<completionCondition>1 + 1</completionCondition>")
             + "</userTask>", "t"),
        "t", "always 2, which is neither"),
}  # fmt: skip


@pytest.mark.parametrize("case", DROPPED)
def test_what_would_be_dropped_or_fail_later_is_refused_at_once(case: str) -> None:
    refused(*DROPPED[case])


def test_what_says_nothing_about_the_course_may_stay() -> None:
    xml = extended(
        '<camunda:properties><camunda:property name="note" value="a"/><camunda:property name="note" value="b"/>'
        '</camunda:properties><c:x xmlns:c="urn:colours"/>',
        attributes='camunda:asyncBefore="true" camunda:modelerTemplate="x"',
    ).replace(b'id="p"', b'id="p" camunda:historyTimeToLive="180" camunda:versionTag="1"')
    assert check_diagram(xml) == []


def test_another_participant_s_view_may_have_what_ours_may_not() -> None:
    other = f'<process id="o" isExecutable="false"><userTask id="ot" {FLOWABLE} flowable:assignee="kermit"/></process>'
    assert check_diagram(process(BASIC, FLOWS, after=other)) == []


LABELLED = process(
    '<startEvent id="s"/><userTask id="审批" name="审批方案"/><endEvent id="e"/>', "s > 审批; 审批 > e"
)


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK", "GB18030", "Big5", "UTF-16"])
def test_a_diagram_is_read_in_the_encoding_it_declares(encoding: str) -> None:
    text = LABELLED.decode().replace("审批", "核准")
    xml = f'<?xml version="1.0" encoding="{encoding}"?>\n{text}'.encode(encoding)
    assert check_diagram(xml) == []
    assert read(xml).processes["p"].nodes["核准"].name == "核准方案"


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (LABELLED.decode().encode("gbk"), "no text of the encoding utf-8"),
        (b'<?xml version="1.0" encoding="klingon"?>' + LABELLED, "encoding klingon is not known"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]>' + LABELLED, "declares a document type"),
        (('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x>' + LABELLED.decode()).encode("utf-16"), "document type"),
        (b"<!--" + b"x" * 70_000 + b"--><!DOCTYPE x>" + LABELLED, "document type"),
        (b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x+AD4-' + process(BASIC), "document type"),
        (LABELLED + b" " * MAX_BYTES, "larger than"),
        (process("<task/>" * MAX_ELEMENTS), "elements or nests deeper"),
        (process("<subProcess>" * 1001 + "</subProcess>" * 1001), "nests deeper"),
        (process("<subProcess>" * 9000 + "</subProcess>" * 9000), "nests deeper"),
        (process("<a>" * 9000 + "</a>" * 9000), "nests deeper"),
        (process(f'<task id="t" name="{"x" * 10_001}"/>'), "longer than 10000 characters"),
        (process("<task " + " ".join(f'a{n}=""' for n in range(201)) + "/>"), "more than 200 attributes"),
        (process('<task id="t">' + "<incoming>f</incoming>" * 2001 + "</task>"), "more than 2000 elements in it"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_file_that_cannot_be_read_or_is_beyond_the_limits_is_refused_before_it_is_judged(
    xml: bytes, reason: str
) -> None:
    [finding] = check_diagram(xml)
    assert reason in finding.reason
    assert finding.remedy


def test_every_finding_says_on_which_line_it_is() -> None:
    late = boundary(timer("PT1H"), 'colour="red"')
    xml = process(f"\n{BASIC}\n{late}\n", FLOWS + "; b > e")
    assert {(each.element, each.line) for each in check_diagram(xml)} == {("b", 3)}


def test_of_very_many_faults_the_first_are_told() -> None:
    found = check_diagram(process("".join(f'<sendTask id="t{n}"/>' for n in range(2000))))
    assert len(found) == 501
    assert "more faults than these 500" in found[-1].reason


STRAY = '<x:note xmlns:x="urn:x"/>'
ASTRAY = {
    "in the process": (process(BASIC + STRAY, FLOWS), "process"),
    "in a task": (line(f'<userTask id="t">{STRAY}</userTask>', "t"), "userTask"),
    "of no namespace": (line('<userTask id="t"><note xmlns=""/></userTask>', "t"), "userTask"),
    "in a flow": (process(BASIC, FLOWS).replace(b'targetRef="e">', b'targetRef="e">' + STRAY.encode()), "sequenceFlow"),
    "beside the process": (process(BASIC, FLOWS, after=STRAY), "definitions"),
    "of an engine": (line('<userTask id="t"><camunda:properties/></userTask>', "t"), "userTask"),
    "a drawing in the process": (
        process(BASIC + "<bpmndi:BPMNDiagram/>", FLOWS), "process"),
}  # fmt: skip


@pytest.mark.parametrize("case", ASTRAY)
def test_an_element_of_another_namespace_has_its_place_in_extension_elements(case: str) -> None:
    xml, around = ASTRAY[case]
    (found,) = (each for each in check_diagram(xml) if "is no element of BPMN" in each.reason)
    assert (found.level, found.line) == ("error", 1)
    assert f"stands in the {around} outside extensionElements" in found.reason
    assert found.remedy == f"Move it into the extensionElements of the {around}, or delete it"


def test_where_the_schema_has_room_for_anything_another_namespace_may_stand() -> None:
    inner = f"<extensionElements>{STRAY}</extensionElements>"
    told = f"<documentation>{STRAY}</documentation>"
    noted = f'<textAnnotation id="n"><text>{STRAY}</text></textAnnotation>'
    drawn = f"<bpmndi:BPMNDiagram>{STRAY}</bpmndi:BPMNDiagram>"
    xml = line(f'<userTask id="t">{told}{inner}</userTask>{noted}', "t").replace(
        b"</definitions>", drawn.encode() + b"</definitions>"
    )
    assert check_diagram(xml) == []
