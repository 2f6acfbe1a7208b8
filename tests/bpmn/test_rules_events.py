"""Events, compensation, links: each rule broken once."""

from __future__ import annotations

import pytest

from engine.check import check_diagram
from tests.bpmn.models import (
    BASIC,
    CANCEL,
    COMPENSATE,
    END,
    ENDS,
    ERROR,
    FLOWS,
    INNER,
    MESSAGE,
    MULTI,
    SIGNAL,
    START,
    TERMINATE,
    XOR,
    boundary,
    catch,
    end,
    flows,
    line,
    link,
    process,
    refused,
    throw,
    timer,
)

REFUSED: dict[str, tuple[bytes, str, str]] = {
    "a signal of another namespace": (
        line(catch('<signalEventDefinition signalRef="o:g"/>'), "c").replace(
            b"<definitions ", b'<definitions targetNamespace="here" xmlns:o="there" '
        ),
        "c",
        "belongs to there and not to this file",
    ),
    "an unknown definition": (line(catch("<wormholeEventDefinition/>"), "c"), "c", "wormhole is not known"),
    "a reference to no definition": (
        line(catch("<eventDefinitionRef>gone</eventDefinitionRef>"), "c"),
        "c",
        "not known",
    ),
    "an error start of a process": (
        process(f'<startEvent id="s">{ERROR}</startEvent>{END}', "s > e"),
        "s",
        "cannot be of the kind error",
    ),
    "a start that needs several events": (
        process(
            f'<startEvent id="s" parallelMultiple="true">{MESSAGE}{timer("PT1H")}</startEvent>{END}', "s > e"
        ),
        "s",
        "cannot be waited for together",
    ),
    "a typed start of a sub-process": (
        line(
            f'<subProcess id="q"><startEvent id="is">{timer("PT1H")}</startEvent><endEvent id="ie"/>'
            f"{flows('is > ie', 'i')}</subProcess>",
            "q",
        ),
        "is",
        "embedded sub-process cannot be",
    ),
    "a terminate that does not end": (line(throw(TERMINATE), "w"), "w", "cannot be of the kind terminate"),
    "an error thrown in passing": (line(throw(ERROR), "w"), "w", "cannot be of the kind error"),
    "an error caught in passing": (line(catch(ERROR), "c"), "c", "cannot be of the kind error"),
    "a catch event that waits for nothing": (line(catch(""), "c"), "c", "waits for nothing"),
    "a boundary event without a kind": (
        process(BASIC + boundary(""), FLOWS + "; b > e"),
        "b",
        "waits for nothing",
    ),
    "a message without a name": (line(catch("<messageEventDefinition/>"), "c"), "c", "message has no name"),
    "a signal without a name": (line(throw("<signalEventDefinition/>"), "w"), "w", "signal has no name"),
    "an error without a code": (
        process(START + end("<errorEventDefinition/>"), "s > e"),
        "e",
        "error has no name",
    ),
    "an escalation without a code": (
        line(throw("<escalationEventDefinition/>"), "w"),
        "w",
        "escalation has no name",
    ),
    "a condition without text": (
        line(catch("<conditionalEventDefinition/>"), "c"),
        "c",
        "condition is empty",
    ),
    "a compensation among others": (
        process(START + end(SIGNAL + COMPENSATE), "s > e"),
        "e",
        "compensate cannot be combined",
    ),
    "an error waited for together with a message": (
        process(BASIC + boundary(MESSAGE + ERROR, 'parallelMultiple="true"'), FLOWS + "; b > e"),
        "b",
        "cannot be waited for together",
    ),
    "an error that does not interrupt": (
        process(BASIC + boundary(ERROR, 'cancelActivity="false"'), FLOWS + "; b > e"),
        "b",
        "always interrupts",
    ),
    "a boundary event on nothing": (
        process(BASIC + boundary(timer("PT1H"), host="gone"), FLOWS + "; b > e"),
        "b",
        "attached to nothing",
    ),
    "a boundary event on a gateway": (
        process(f"{ENDS}{XOR}" + boundary(timer("PT1H"), host="x1"), "s > x1; x1 > e; b > e"),
        "b",
        "attached to nothing that could be interrupted",
    ),
    "a boundary event in another scope": (
        process(
            BASIC + f'<subProcess id="q">{INNER}{boundary(timer("PT1H"))}{flows("b > ie", "j")}</subProcess>',
            "s > t; t > q; q > e",
        ),
        "b",
        "another scope",
    ),
    "two boundary events for one error": (
        process(BASIC + boundary(ERROR) + boundary(ERROR, identity="b2"), FLOWS + "; b > e; b2 > e"),
        "b2",
        "catches the same error",
    ),
    "a compensation event without a handler": (
        process(BASIC + boundary(COMPENSATE), FLOWS),
        "b",
        "has no handler",
    ),
    "a handler that nothing leads to": (
        process(BASIC + '<userTask id="h" isForCompensation="true"/>', FLOWS),
        "h",
        "it never runs",
    ),
    "a flow to a handler": (
        process(
            BASIC
            + boundary(COMPENSATE)
            + '<userTask id="h" isForCompensation="true"/>'
            + '<association id="z" sourceRef="b" targetRef="h"/>',
            FLOWS + "; t > h",
        ),
        "h",
        "joins a compensation handler",
    ),
    "a compensated loop": (
        process(
            f'{ENDS}<userTask id="t">{MULTI.format("<loopCardinality>3</loopCardinality>")}</userTask>'
            + boundary(COMPENSATE)
            + '<userTask id="h" isForCompensation="true"/>'
            + '<association id="z" sourceRef="b" targetRef="h"/>',
            FLOWS,
        ),
        "b",
        "its compensation would run once",
    ),
    "a compensation of what does not exist": (
        line(throw('<compensateEventDefinition activityRef="gone"/>'), "w"),
        "w",
        "activityRef names gone, which the file does not have",
    ),
    "a compensation of what nothing undoes": (
        process(BASIC + throw('<compensateEventDefinition activityRef="t"/>'), "s > t; t > w; w > e"),
        "w",
        "Nothing undoes t",
    ),
    "a compensation of a call that nothing here undoes": (
        process(
            f'{ENDS}<callActivity id="t" calledElement="x"/>'
            + throw('<compensateEventDefinition activityRef="t"/>'),
            "s > t; t > w; w > e",
        ),
        "t",
        "does not reach into the called process",
    ),
    "a compensation of what stands elsewhere": (
        process(
            f'{ENDS}<subProcess id="q">{INNER}</subProcess>'
            + throw('<compensateEventDefinition activityRef="is"/>'),
            "s > q; q > w; w > e",
        ),
        "w",
        "stands in another scope",
    ),
    "a cancel outside a transaction": (process(START + end(CANCEL), "s > e"), "e", "outside a transaction"),
    "a cancel boundary event on a task": (
        process(BASIC + boundary(CANCEL), FLOWS + "; b > e"),
        "b",
        "outside a transaction",
    ),
    "a cancelled transaction without a way on": (
        process(
            f'{ENDS}<transaction id="q"><startEvent id="is"/><endEvent id="ie">{CANCEL}</endEvent>'
            f"{flows('is > ie', 'i')}</transaction>",
            "s > q; q > e",
        ),
        "q",
        "nothing says how it goes on",
    ),
    "a link that nobody catches": (process(START + throw(link("A")), "s > w"), "w", "catches A"),
    "a link that nobody throws": (process(ENDS + catch(link("A")), "s > e; c > e"), "c", "throws A"),
    "a link caught twice": (
        process(
            ENDS + throw(link("A")) + catch(link("A")) + catch(link("A"), "d"),
            "s > w; c > e; d > e",
        ),
        "d",
        "A second link event catches A",
    ),
    "a link without a name": (process(START + throw(link("")), "s > w"), "w", "link has no name"),
    "a flow away from a link": (
        process(ENDS + throw(link("A")) + catch(link("A")), "s > w; w > e; c > e"),
        "w",
        "away from a throwing link",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_diagram_that_cannot_run_faithfully_is_refused_with_place_reason_and_remedy(case: str) -> None:
    refused(*REFUSED[case])


def test_the_remedy_for_a_compensation_of_nothing_is_to_choose_an_activity() -> None:
    [found] = check_diagram(line(throw('<compensateEventDefinition activityRef="gone"/>'), "w"))
    assert found.remedy == "Choose an activity of the diagram"
