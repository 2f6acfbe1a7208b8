"""Activities, loops, sub-processes: each rule broken once."""

from __future__ import annotations

import pytest

from tests.bpmn.models import (
    BASIC,
    COMPENSATE,
    ENDS,
    FLOWS,
    MESSAGE,
    MULTI,
    OTHER,
    SIGNAL,
    TASK,
    event_subprocess,
    flows,
    line,
    process,
    refused,
    task,
)

REFUSED: dict[str, tuple[bytes, str, str]] = {
    "an ad-hoc sub-process": (
        line('<adHocSubProcess id="q"><userTask id="t"/></adHocSubProcess>', "q"),
        "q",
        "Ad-hoc",
    ),
    "no tokens at all": (line('<userTask id="t" startQuantity="0"/>', "t"), "t", "token quantity"),
    "endless tokens": (line('<userTask id="t" completionQuantity="100000"/>', "t"), "t", "token quantity"),
    "a script task without a script": (line('<scriptTask id="t"/>', "t"), "t", "script is empty"),
    "a business rule without a function": (line('<businessRuleTask id="t"/>', "t"), "t", "Nothing decides"),
    "a send task without a message": (line('<sendTask id="t"/>', "t"), "t", "has no message"),
    "a receive task without a message": (line('<receiveTask id="t"/>', "t"), "t", "has no message"),
    "a receive task that begins instances": (
        line('<userTask id="u"/><receiveTask id="t" messageRef="m" instantiate="true"/>', "u", "t"),
        "t",
        "stands where none begins",
    ),
    "a call of nothing": (line('<callActivity id="t"/>', "t"), "t", "calls nothing"),
    "a call by expression": (
        line('<callActivity id="t" calledElement="${which}"/>', "t"),
        "t",
        "is no plain id",
    ),
    "a call of a global task without a script": (
        process(
            f'{ENDS}<callActivity id="t" calledElement="gt"/>', FLOWS, after='<globalScriptTask id="gt"/>'
        ),
        "t",
        "script is empty",
    ),
    "an attribute without effect": (
        line('<userTask id="t" camunda:dueDate="2026-01-01"/>', "t"),
        "t",
        "camunda:dueDate would have no effect",
    ),
    "an attribute mistyped": (
        line('<userTask id="t" camunda:formkey="plan"/>', "t"),
        "t",
        "camunda:formkey",
    ),
    "an attribute in the wrong place": (
        line('<scriptTask id="t" camunda:assignee="boss"><script>pass</script></scriptTask>', "t"),
        "t",
        "no meaning on the scriptTask",
    ),
    "a loop without an end": (task("<standardLoopCharacteristics/>"), "t", "neither how long nor how often"),
    "a loop with a bad maximum": (
        task('<standardLoopCharacteristics loopMaximum="many"/>'),
        "t",
        "many is no whole number",
    ),
    "a loop that goes round no times": (
        task('<standardLoopCharacteristics loopMaximum="0"/>'),
        "t",
        "0 is no whole number from 1",
    ),
    "instances of unknown number": (task(MULTI.format("")), "t", "neither how often nor for what"),
    "instances from two sources": (
        task(MULTI.format("<loopCardinality>3</loopCardinality>"), collection="a.b"),
        "t",
        "loopCardinality, flow.collection at once",
    ),
    "a negative number of instances": (
        task(MULTI.format("<loopCardinality>-1</loopCardinality>")),
        "t",
        "-1 is no whole number from 0",
    ),
    "a textual number of instances": (
        task(MULTI.format('<loopCardinality>"three"</loopCardinality>')),
        "t",
        "is no whole number from 0",
    ),
    "a number of instances that is no expression": (
        task(MULTI.format("<loopCardinality>3 +</loopCardinality>")),
        "t",
        "",
    ),
    "another multi-instance behaviour": (
        task(
            '<multiInstanceLoopCharacteristics behavior="None"><loopCardinality>3</loopCardinality>'
            "</multiInstanceLoopCharacteristics>"
        ),
        "t",
        "says not which event",
    ),
    "a multi-instance behaviour that ends the activity": (
        process(
            f'{ENDS}<userTask id="t"><multiInstanceLoopCharacteristics behavior="One" oneBehaviorEventRef="d">'
            "<loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics></userTask>"
            '<boundaryEvent id="b" attachedToRef="t"><signalEventDefinition signalRef="g"/></boundaryEvent>',
            FLOWS + "; b > e",
            after='<signalEventDefinition id="d" signalRef="g"/>',
        ),
        "t",
        "as soon as the first instance completes",
    ),
    "a multi-instance behaviour that throws an error": (
        process(
            f'{ENDS}<userTask id="t"><multiInstanceLoopCharacteristics behavior="None" noneBehaviorEventRef="d">'
            "<loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics></userTask>",
            FLOWS,
            after='<errorEventDefinition id="d" errorRef="x"/>',
        ),
        "t",
        "cannot throw an event of the kind error",
    ),
    "results of unknown name": (
        task(MULTI.format("<loopCardinality>3</loopCardinality><loopDataOutputRef>all</loopDataOutputRef>")),
        "t",
        "gathered in all",
    ),
    "an empty process": (process(""), "p", "process is empty"),
    "an empty sub-process": (line('<subProcess id="q"/>', "q"), "q", "sub-process is empty"),
    "two starts without a trigger": (
        process(BASIC + '<startEvent id="s2"/>', FLOWS + "; s2 > t"),
        "s2",
        "2 start events without a trigger",
    ),
    "a process that nothing begins": (process(TASK + OTHER, "t > u; u > t"), "p", "Nothing begins here"),
    "an event sub-process with two starts": (
        process(
            f'{BASIC}<subProcess id="v" triggeredByEvent="true"><startEvent id="a">{MESSAGE}</startEvent>'
            f'<startEvent id="b">{SIGNAL}</startEvent><endEvent id="c"/>{flows("a > c; b > c", "v")}</subProcess>',
            FLOWS,
        ),
        "v",
        "2 start events",
    ),
    "an event sub-process without a trigger": (
        process(BASIC + event_subprocess(""), FLOWS),
        "vs",
        "waits for nothing",
    ),
    "a flow to an event sub-process": (
        process(BASIC + event_subprocess(MESSAGE), FLOWS + "; t > v"),
        "v",
        "joins an event sub-process",
    ),
    "an event sub-process that compensates the process": (
        process(BASIC + event_subprocess(COMPENSATE), FLOWS),
        "v",
        "Nothing undoes the process itself",
    ),
    "a process marked as not executable": (
        process(BASIC, FLOWS, attributes='id="p" isExecutable="false"'),
        "p",
        "not executable",
    ),
    "a choreography": (
        process(BASIC, FLOWS, after='<choreography id="ch"/>'),
        "ch",
        "choreography is not run",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_diagram_that_cannot_run_faithfully_is_refused_with_place_reason_and_remedy(case: str) -> None:
    refused(*REFUSED[case])
