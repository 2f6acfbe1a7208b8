"""The constraints of BPMN 2.0.2 (formal/2013-12-09), chapter by chapter, each broken once.

Those on gateways, events, loops and paths that stand in the other files here are not repeated. Left out on
purpose, as tools break them and a run does not depend on it: the order of an element's children, a target
namespace, `xsi:type` of expressions (what is no expression of ours is refused when it is compiled), links that
name their other end by id instead of by name.
"""

from __future__ import annotations

import pytest

from tests.bpmn.models import (
    AND,
    BASIC,
    COMPENSATE,
    ENDS,
    FLOWS,
    INNER,
    ITEMS,
    MESSAGE,
    MULTI,
    OPERATION,
    OTHER,
    SETS,
    SIGNAL,
    TASK,
    XOR,
    basic,
    boundary,
    catch,
    end,
    event_subprocess,
    flows,
    line,
    link,
    message,
    pools,
    process,
    refused,
    throw,
    timer,
    within,
)

# fmt: off
CONSTRAINTS: dict[str, tuple[bytes, str, str]] = {
    # 8.2, 8.3: foundation, files
    "8.2 ids are unique": (basic('<dataObject id="t"/>'), "t", "stands twice"),
    "8.2 an id is a name": (line('<userTask id="1 a"/>', "1 a"), "1 a", "cannot be an id"),
    "8.2 what must be understood is known": (
        basic(after='<extension mustUnderstand="true" definition="x"/>'), "line 1", "to be understood"),
    "8.2 other BPMN files are not part of this one": (
        basic(
            after='<import importType="http://www.omg.org/spec/BPMN/20100524/MODEL" location="b.bpmn" namespace="n"/>'
        ),
        "line 1", "imports b.bpmn"),
    "XSD: an element has only attributes it may have": (
        within("", attributes='isForCompensaton="true"'), "t", "has no attribute isForCompensaton"),
    "XSD: an attribute holds what it may": (within("", attributes='isForCompensation="maybe"'), "t", "holds maybe"),
    "XSD: an expression is of a type that expressions have": (
        process(
            f'{ENDS}{TASK}<exclusiveGateway id="x1" default="f3"/><sequenceFlow id="c" sourceRef="x1" targetRef="e">'
            '<conditionExpression xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="tNonsense">k == 1'
            "</conditionExpression></sequenceFlow>",
            "s > t; t > x1; x1 > e",
        ),
        "c", "The attribute xsi:type of the conditionExpression holds tNonsense"),
    "XSD: an enumeration": (
        process(f'{ENDS}<exclusiveGateway id="x1" gatewayDirection="Sideways"/>{TASK}', "s > x1; x1 > t; t > e"),
        "x1", "holds Sideways"),
    "XSD: an element stands where it may": (
        within('<sequenceFlow id="z"/>'), "z", "sequenceFlow has no place in userTask"),
    "XSD: an element of BPMN is one": (basic('<userTaks id="z"/>'), "z", "userTaks has no place"),
    "XSD: what is needed is there": (
        within("<ioSpecification><inputSet/></ioSpecification>"), "t", "it lacks inputSet / outputSet"),
    "XSD: only one of alternatives": (
        line(
            catch(
                "<timerEventDefinition><timeDuration>P1D</timeDuration><timeDate>d0</timeDate></timerEventDefinition>"
            ),
            "c",
        ),
        "c", "beside what is there already"),
    "XSD: one loop at most": (
        within(MULTI.format("<loopCardinality>2</loopCardinality>") * 2), "t", "cannot stand in the userTask beside"),
    "XSD: text stands where it may": (basic("lost words"), "p", "Text stands in the process"),
    "XSD: a name is given where one is needed": (
        basic(
            after='<interface id="n"><operation id="o" name="o"><inMessageRef>m</inMessageRef></operation></interface>'
        ),
        "n", "lacks the attribute name"),
    # 8.4.2, 9: collaboration, correlation
    "9.3 a participant's process exists": (
        basic(after='<collaboration id="co"><participant id="p1" processRef="gone"/></collaboration>'),
        "p1", "processRef names gone"),
    "9.3 a participant has a process, not anything": (
        basic(after='<collaboration id="co"><participant id="p1" processRef="t"/></collaboration>'),
        "p1", "of the kind userTask instead of process"),
    "9.3 a multiplicity has a minimum from 0": (
        pools('<participant id="p3"><participantMultiplicity minimum="-1" maximum="2"/></participant>'),
        "p3", "-1 to 2"),
    "9.3 a multiplicity has a maximum not below the minimum": (
        pools('<participant id="p3"><participantMultiplicity minimum="3" maximum="2"/></participant>'), "p3", "3 to 2"),
    "9.4 a message flow begins somewhere": (pools(message("gone", "ot")), "mf", "begins nowhere"),
    "9.4 a message flow ends somewhere": (pools(message("w", "gone")), "mf", "ends nowhere"),
    "7.6.2 a message flow leads to another pool": (pools(message("t", "u")), "mf", "stays within one pool"),
    "7.6.2 nor from a pool into itself": (pools(message("p1", "t")), "mf", "stays within one pool"),
    "7.6.2 a message flow connects no gateways": (
        pools(
            message("w", "ox"),
            other='<startEvent id="os"/><exclusiveGateway id="ox"/><receiveTask id="ot" messageRef="m"/>',
        ),
        "mf", "cannot end at ox (exclusiveGateway)"),
    "10.5.2 a start event sends nothing": (pools(message("os", "t")), "mf", "cannot begin at os (startEvent)"),
    "10.5.3 an end event receives nothing": (pools(message("w", "oe")), "mf", "cannot end at oe (endEvent)"),
    "10.5.2 a start event that receives has a message": (
        pools(message("w", "os")), "mf", "os (startEvent), which has no message"),
    "10.5.3 an end event that sends has a message": (
        pools(message("oe", "t")), "mf", "oe (endEvent), which has no message"),
    "10.5.4 a throw event receives nothing": (pools(message("ot", "w")), "mf", "cannot end at w"),
    "7.6.2 a message flow connects no data": (
        basic(
            '<dataObject id="d"/>',
            after='<collaboration id="co"><participant id="p1" processRef="p"/>'
            '<participant id="p2"/><messageFlow id="mf" sourceRef="p2" targetRef="d"/></collaboration>',
        ),
        "mf", "cannot end at d"),
    "9.4 the message of a flow exists": (
        pools('<messageFlow id="mf" sourceRef="w" targetRef="ot" messageRef="gone"/>'), "mf", "messageRef names gone"),
    "8.4.2 a correlation key has properties": (pools('<correlationKey id="ck" name="k"/>'), "ck", "has no properties"),
    "8.4.2 the properties of a key exist": (
        pools('<correlationKey id="ck"><correlationPropertyRef>gone</correlationPropertyRef></correlationKey>'),
        "ck", "names gone"),
    "8.4.2 a subscription's key exists": (
        basic('<correlationSubscription id="cs" correlationKeyRef="gone"/>'), "cs", "correlationKeyRef names gone"),
    "8.4.2 the message a property is taken from exists": (
        basic(
            after='<correlationProperty id="cp"><correlationPropertyRetrievalExpression messageRef="gone">'
            "<messagePath>x</messagePath></correlationPropertyRetrievalExpression></correlationProperty>"
        ),
        "cp", "messageRef names gone"),
    "8.4.2 a message that is correlated has a key": (
        pools('<correlationKey id="ck"><correlationPropertyRef>cp</correlationPropertyRef></correlationKey>').replace(
            b"</definitions>",
            b'<correlationProperty id="cp"><correlationPropertyRetrievalExpression messageRef="m">'
            b"<messagePath>x</messagePath></correlationPropertyRetrievalExpression></correlationProperty></definitions>"
        ),
        "w", "is correlated, which has no effect"),
    "11 a choreography is none of ours": (basic(after='<choreography id="ch"/>'), "ch", "The choreography is not run"),
    "9.5 a conversation is none of ours": (
        basic(after='<globalConversation id="gc"/>'), "gc", "The globalConversation is not run"),
    "10.3 a process has no choreography activities": (
        basic(
            '<callChoreography id="ct" initiatingParticipantRef="a"><participantRef>a</participantRef>'
            "<participantRef>b</participantRef></callChoreography>"
        ),
        "ct", "The callChoreography is not run"),
    # 8.4.13: sequence flows
    "8.4.13 a flow has a source": (basic('<sequenceFlow id="z" targetRef="t"/>'), "z", "begins nowhere"),
    "8.4.13 a flow has a target": (basic('<sequenceFlow id="z" sourceRef="t"/>'), "z", "ends nowhere"),
    "8.4.13 a flow does not lead to an artifact": (
        basic('<textAnnotation id="a"/>', lines="t > a"), "f3", "ends nowhere"),
    "8.4.13 a flow does not come from a data object": (
        basic('<dataObject id="a"/>', lines="a > t"), "f3", "begins nowhere"),
    "8.4.13 the only flow out of an activity is taken": (
        process(BASIC, "s > t; t > e if x > 1"), "f2", "only flow out of t has a condition"),
    "8.4.13 a default flow has no condition": (
        process(f'{ENDS}<userTask id="t" default="f2"/>{OTHER}', "s > t; t > e if x > 1; t > u if x > 2; u > e"),
        "f2", "default flow has a condition"),
    "8.3.13 nothing undrawn happens along a flow": (
        basic().replace(b'<sequenceFlow id="f2"', b'<sequenceFlow id="f2" isImmediate="false"'),
        "f2", "steps that are not drawn"),
    "10.5.5 the other end of a link exists": (
        process(
            ENDS + throw(link("A").replace("/>", "><target>gone</target></linkEventDefinition>")) + catch(link("A")),
            "s > w; c > e",
        ),
        "w", "target names gone"),
    "10.6 a default flow exists": (
        process(
            f'{ENDS}<exclusiveGateway id="x1" default="gone"/>{TASK}',
            "s > x1; x1 > t if x > 1; x1 > e if x < 1; t > e",
        ),
        "x1", "gone does not lead away"),
    "8.4.13 incoming flows are listed as they are": (
        process(f'{ENDS}<userTask id="t"><incoming>f2</incoming></userTask>', FLOWS),
        "t", "f2 stands among the incoming flows"),
    "8.4.13 outgoing flows are listed as they are": (
        process(f'{ENDS}<userTask id="t"><outgoing>gone</outgoing></userTask>', FLOWS),
        "t", "gone stands among the outgoing flows"),
    "8.4.13 whoever lists flows lists them all": (
        process(f'{ENDS}<userTask id="t"><outgoing>f2</outgoing></userTask>{OTHER}', "s > t; t > e; t > u; u > e"),
        "t", "f3 is missing among the outgoing flows"),
    "8.4.13 both ends of a flow list it": (
        process(
            '<startEvent id="s"><outgoing>f1</outgoing></startEvent><userTask id="t"><outgoing>f2</outgoing></userTask>'
            '<endEvent id="e"><incoming>f2</incoming></endEvent>',
            FLOWS,
        ),
        "t", "f1 is missing among the incoming flows"),
    # 10.3: activities
    "10.3.3 the message of a task exists": (
        line('<sendTask id="t" messageRef="gone"/>', "t"), "t", "messageRef names gone"),
    "10.3.3 a message is a message": (
        line('<receiveTask id="t" messageRef="g"/>', "t"), "t", "of the kind signal instead of message"),
    "10.3.3 the operation of a task exists": (
        within("", "sendTask", 'messageRef="m" operationRef="gone"'), "t", "operationRef names gone"),
    "10.3.3 an operation uses the message of its task": (
        within(
            "",
            "sendTask",
            'messageRef="m2" operationRef="o"',
            after=f'<message id="m2" name="x"/>{OPERATION}',
        ),
        "t", "does not use the message m2"),
    "10.3.3 the messages of an operation exist": (
        basic(after=OPERATION.replace(">m<", ">gone<")), "o", "inMessageRef names gone"),
    "10.3.5 a sub-process has no inputs of its own": (
        line(
            f'<subProcess id="q"><ioSpecification>{SETS.format("", "")}</ioSpecification>{INNER}</subProcess>',
            "q",
        ),
        "q", "no inputs and outputs of its own"),
    "10.5.2 a called process begins without an event": (
        process(
            f'{ENDS}<callActivity id="t" calledElement="o"/>',
            FLOWS,
            after=f'<process id="o"><startEvent id="a">{MESSAGE}</startEvent><endEvent id="b"/>'
            + flows("a > b", "o")
            + "</process>",
        ),
        "t", "begins by events only"),
    "10.3.1 who does a step is said once": (
        within('<potentialOwner id="po"><resourceRef>gone</resourceRef></potentialOwner>'),
        "t", "The potentialOwner has no effect"),
    "10.3.8 the event of a behaviour exists": (
        within(
            '<multiInstanceLoopCharacteristics behavior="One" oneBehaviorEventRef="gone">'
            "<loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>"
        ),
        "t", "oneBehaviorEventRef names gone"),
    "10.3.8 a loop's maximum is a number": (
        within('<standardLoopCharacteristics loopMaximum="many"/>'),
        "t", "loopMaximum of the standardLoopCharacteristics holds many"),
    "10.3.2 a quantity is a number": (within("", attributes='startQuantity="two"'), "t", "holds two"),
    # 10.4: data
    "10.4.1 an item definition exists": (
        basic('<dataObject id="d" itemSubjectRef="gone"/>'), "d", "itemSubjectRef names gone"),
    "10.4.1 an item is a collection or not": (
        basic('<dataObject id="d" itemSubjectRef="i1" isCollection="true"/>', after=ITEMS),
        "d", "differ in whether it is a collection"),
    "10.4.1 a reference refers to a data object": (
        basic('<dataObjectReference id="r"/>'), "r", "refers to no data object"),
    "10.4.1 the data object referred to exists": (
        basic('<dataObjectReference id="r" dataObjectRef="gone"/>'), "r", "dataObjectRef names gone"),
    "10.4.1 a data object has one name": (
        basic('<dataObject id="d" name="A"/><dataObjectReference id="r" dataObjectRef="d" name="B"/>'),
        "r", "calls A by another name: B"),
    "10.4.1 the data store referred to exists": (
        basic('<dataStoreReference id="r" dataStoreRef="gone"/>'), "r", "dataStoreRef names gone"),
    "10.4.1 a gateway has no property": (
        process(f'{ENDS}<exclusiveGateway id="x1"><property id="d"/></exclusiveGateway>', "s > x1; x1 > e"),
        "x1", "property has no place in exclusiveGateway"),
    "10.4.1 an input stands in a set": (
        within(f'<ioSpecification><dataInput id="d"/>{SETS.format("", "")}</ioSpecification>'),
        "t", "d stands in no inputSet"),
    "10.4.1 an output stands in a set": (
        within(f'<ioSpecification><dataOutput id="d"/>{SETS.format("", "")}</ioSpecification>'),
        "t", "d stands in no outputSet"),
    "10.4.1 the inputs of a set exist": (
        within(f"<ioSpecification>{SETS.format('<dataInputRefs>gone</dataInputRefs>', '')}</ioSpecification>"),
        "t", "dataInputRefs names gone"),
    "10.4.1 an optional input is an input of the set": (
        within(
            '<ioSpecification><dataInput id="d"/><dataInput id="d2"/>'
            f"{SETS.format('<dataInputRefs>d2</dataInputRefs><optionalInputRefs>d</optionalInputRefs>', '')}"
            "</ioSpecification>"
        ),
        "t", "d is named as optionalInputRefs"),
    "10.4.1 sets that belong together name each other": (
        within(
            '<ioSpecification><inputSet id="is1"><outputSetRefs>os1</outputSetRefs></inputSet><outputSet id="os1"/>'
            "</ioSpecification>"
        ),
        "t", "is1 names os1, which does not name it in turn"),
    "10.4.2 data comes from what holds data": (
        within(
            '<ioSpecification><dataInput id="d"/>'
            f"{SETS.format('<dataInputRefs>d</dataInputRefs>', '')}</ioSpecification>"
            "<dataInputAssociation><sourceRef>s</sourceRef><targetRef>d</targetRef></dataInputAssociation>"
        ),
        "t", "Data flows from or to s"),
    "10.4.2 data goes to what exists": (
        process(
            f'{ENDS}<dataObject id="x9"/><userTask id="t"><property id="d"/><dataOutputAssociation>'
            "<sourceRef>d</sourceRef><targetRef>gone</targetRef></dataOutputAssociation></userTask>",
            FLOWS,
        ),
        "t", "Data flows from or to gone"),
    "10.4.2 data stays within reach": (
        process(
            f'{ENDS}<subProcess id="q"><dataObject id="d"/>{INNER}</subProcess><userTask id="t"><property id="d2"/>'
            "<dataInputAssociation><sourceRef>d</sourceRef><targetRef>d2</targetRef></dataInputAssociation></userTask>",
            "s > q; q > t; t > e",
        ),
        "t", "out of reach"),
    "10.4.2 several sources need a transformation": (
        process(
            f'{ENDS}<dataObject id="d"/><dataObject id="d1"/><userTask id="t"><property id="d2"/>'
            "<dataInputAssociation><sourceRef>d</sourceRef><sourceRef>d1</sourceRef><targetRef>d2</targetRef>"
            "</dataInputAssociation></userTask>",
            FLOWS,
        ),
        "t", "several sources"),
    "10.4.2 data keeps its type": (
        process(
            f'{ENDS}<dataObject id="d" itemSubjectRef="i1"/><userTask id="t"><property id="d2" itemSubjectRef="i2"/>'
            "<dataInputAssociation><sourceRef>d</sourceRef><targetRef>d2</targetRef></dataInputAssociation></userTask>",
            FLOWS,
            after=ITEMS,
        ),
        "t", "items of the types number, text"),
    "10.4.2 data goes into a variable of the same name": (
        process(
            f'{ENDS}<dataObject id="score"/><userTask id="t"><ioSpecification><dataOutput id="o" name="result"/>'
            f"{SETS.format('', '<dataOutputRefs>o</dataOutputRefs>')}</ioSpecification><dataOutputAssociation>"
            "<sourceRef>o</sourceRef><targetRef>score</targetRef></dataOutputAssociation></userTask>",
            FLOWS,
        ),
        "t", "No value goes from result to score"),
    # 10.5: events
    "10.5.1 the signal of an event exists": (
        line(catch('<signalEventDefinition signalRef="gone"/>'), "c"), "c", "signalRef names gone"),
    "10.5.1 the message of an event exists": (
        line(catch('<messageEventDefinition id="x7" messageRef="gone"/>'), "c"), "c", "messageRef names gone"),
    "10.5.1 the error of an event exists": (
        basic(boundary('<errorEventDefinition errorRef="gone"/>'), lines="b > e"), "b", "errorRef names gone"),
    "10.5.1 an escalation is an escalation": (
        line(throw('<escalationEventDefinition escalationRef="x"/>'), "w"),
        "w", "of the kind error instead of escalation"),
    "10.5.1 a shared definition exists": (
        line(catch("<eventDefinitionRef>gone</eventDefinitionRef>"), "c"), "c", "eventDefinitionRef names gone"),
    "10.5.1 a shared definition belongs to no event": (
        line(
            catch('<signalEventDefinition id="x7" signalRef="g"/>')
            + catch("<eventDefinitionRef>x7</eventDefinitionRef>", "c2"),
            *("c", "c2"),
        ),
        "c2", "belongs to another event"),
    "10.5.3 a thrown error has a code": (
        process(
            '<startEvent id="s"/>' + end('<errorEventDefinition errorRef="y"/>'),
            "s > e",
            after='<error id="y" name="n"/>',
        ),
        "y", "has no code"),
    "10.5.4 a thrown escalation has a code": (
        line(throw('<escalationEventDefinition escalationRef="y"/>'), "w").replace(
            b"<process", b'<escalation id="y" name="n"/><process'
        ),
        "y", "has no code"),
    "10.5.1 the activity to undo is one": (
        line(throw('<compensateEventDefinition activityRef="s"/>'), "w"), "w", "of the kind startEvent instead of"),
    "10.5.2 who ends somewhere begins somewhere": (
        process(TASK + '<endEvent id="e"/>', "t > e"), "p", "end event but no start event"),
    "10.5.3 who begins somewhere ends somewhere": (
        process('<startEvent id="s"/>' + TASK, "s > t"), "p", "start event but no end event"),
    "10.5.2 so does a sub-process": (
        line(f'<subProcess id="q">{TASK}<endEvent id="ie"/>{flows("t > ie", "i")}</subProcess>', "q"),
        "q", "end event but no start event"),
    "10.5.2 a start event leads somewhere": (
        process(BASIC + f'<startEvent id="s2">{MESSAGE}</startEvent>', FLOWS), "s2", "Nothing follows here"),
    "10.5.3 an activity leads somewhere where there are ends": (
        process(BASIC + OTHER, "s > t; t > e; t > u"), "u", "Nothing follows here"),
    "10.5.3 an end event is reached": (basic('<endEvent id="e2"/>'), "e2", "No path from a start"),
    "10.5.4 a boundary event leads somewhere": (basic(boundary(timer("PT1H"))), "b", "Nothing follows here"),
    "10.5.4 a catch event leads somewhere": (
        process(BASIC + catch(SIGNAL), "s > t; t > e; t > c"), "c", "Nothing follows here"),
    "10.5.4 a catch event is reached": (basic(catch(SIGNAL), lines="c > e"), "c", "No path from a start"),
    "10.5.4 a throw event is reached": (basic(throw(SIGNAL), lines="w > e"), "w", "No path from a start"),
    "10.5.4 a catching link has nothing before it": (
        process(ENDS + TASK + throw(link("A")) + catch(link("A")), "s > t; t > w; t > c; c > e"),
        "c", "leads to a catching link"),
    "10.5.5 a second event sub-process catches nothing": (
        process(
            BASIC
            + event_subprocess('<errorEventDefinition errorRef="x"/>')
            + event_subprocess('<errorEventDefinition errorRef="x"/>')
            .replace('"v', '"y')
            .replace("'v", "'y"),
            FLOWS,
        ),
        "y", "catches the same error"),
    # 10.6: gateways
    "10.6.1 a converging gateway brings together": (
        process(
            f'{ENDS}<parallelGateway id="a1" gatewayDirection="Converging"/>{TASK}{OTHER}',
            "s > a1; a1 > t; a1 > u; t > e; u > e",
        ),
        "a1", "declared Converging, but has 1 incoming and 2 outgoing"),
    "10.6.1 a diverging gateway parts": (
        process(
            f'{ENDS}{TASK}{OTHER}{AND}<exclusiveGateway id="x2" gatewayDirection="Diverging"/>',
            "s > a1; a1 > t; a1 > u; t > x2; u > x2; x2 > e",
        ),
        "x2", "declared Diverging"),
    "10.6.1 a mixed gateway does both": (
        process(
            f'{ENDS}<parallelGateway id="a1" gatewayDirection="Mixed"/>{TASK}{OTHER}',
            "s > a1; a1 > t; a1 > u; t > e; u > e",
        ),
        "a1", "declared Mixed"),
    "10.6.1 a gateway parts or brings together": (
        process(f"{ENDS}{XOR}{TASK}", "s > x1; x1 > t; t > e"), "x1", "neither parts flows nor joins them"),
    "10.6.6 receive tasks and message events do not mix": (
        process(
            f'{ENDS}<eventBasedGateway id="g1"/>{catch(MESSAGE)}<receiveTask id="t" messageRef="m"/>',
            "s > g1; g1 > c; g1 > t; c > e; t > e",
        ),
        "g1", "to receive tasks and to message events"),
    # 10.7: compensation
    "10.7 a handler has no flows": (
        process(
            f'{BASIC}{boundary(COMPENSATE)}<userTask id="h" isForCompensation="1"/>{OTHER}'
            '<association id="z" sourceRef="b" targetRef="h"/>',
            FLOWS + "; h > u; u > e",
        ),
        "h", "joins a compensation handler"),
    # 10.8: lanes
    "10.8 a lane holds elements of the file": (
        basic('<laneSet id="ls"><lane id="l"><flowNodeRef>gone</flowNodeRef></lane></laneSet>'),
        "l", "gone in it, which is no element"),
    "10.8 a lane holds no flows": (
        basic('<laneSet id="ls"><lane id="l"><flowNodeRef>f1</flowNodeRef></lane></laneSet>'),
        "l", "f1 in it, which is no element"),
    "10.8 a lane holds elements of its own process": (
        basic(
            '<laneSet id="ls"><lane id="l"><flowNodeRef>o1</flowNodeRef></lane></laneSet>',
            after='<process id="o"><userTask id="o1"/></process>',
        ),
        "l", "belongs to another process"),
    "10.8 an element stands in one lane": (
        basic(
            '<laneSet id="ls"><lane id="l"><flowNodeRef>t</flowNodeRef></lane>'
            '<lane id="l2"><flowNodeRef>t</flowNodeRef></lane></laneSet>'
        ),
        "t", "two lanes, l and l2"),
}
# fmt: on


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_what_breaks_a_constraint_of_the_standard_is_refused_where_it_does(constraint: str) -> None:
    refused(*CONSTRAINTS[constraint])
