"""Diagrams that are in order, and what else is asked of the findings."""

from __future__ import annotations

import pytest

from engine.check import check_diagram
from tests.bpmn.models import (
    AND,
    BASIC,
    CANCEL,
    COMPENSATE,
    END,
    ENDS,
    FLOWS,
    INNER,
    MESSAGE,
    MULTI,
    OTHER,
    OTHER_AND,
    OTHER_XOR,
    TASK,
    XOR,
    boundary,
    catch,
    event_subprocess,
    flows,
    line,
    link,
    process,
    properties,
    service,
    throw,
    timer,
)

GOOD: dict[str, bytes] = {
    "a line": line(TASK, "t"),
    "a rework loop": process(
        f"{ENDS}{XOR}{TASK}{OTHER}", "s > t; t > u; u > x1; x1 > t if not agreed; x1 > e if agreed"
    ),
    "a loop inside a parallel block": process(
        f'{ENDS}{AND}{OTHER_AND}{XOR}{OTHER_XOR}{TASK}{OTHER}<userTask id="w"/>',
        "s > a1; a1 > x2; x2 > t; t > x1; x1 > x2 if x > 1; x1 > a2 if x < 2; a1 > u; u > w; w > a2; a2 > e",
    ),
    "alternatives that meet in an exclusive gateway": process(
        f"{ENDS}{XOR}{OTHER_XOR}{TASK}{OTHER}",
        "s > x1; x1 > t if x > 1; x1 > u if x < 2; t > x2; u > x2; x2 > e",
    ),
    "a join that a second token may complete": process(
        # The tokens of the split meet without a join, so that the choice is made twice.
        f'{ENDS}{AND}{XOR}{OTHER_XOR}{TASK}{OTHER}<parallelGateway id="a2"/>',
        "s > a1; a1 > t; a1 > u; t > x1; u > x1; x1 > x2; x2 > a2 if x > 1; x2 > a2 if x < 2; a2 > e",
    ),
    "a join behind a non-interrupting event": process(
        f"{ENDS}{AND}{TASK}{OTHER}" + boundary(timer("PT1H"), 'cancelActivity="false"'),
        "s > t; t > a1; b > u; u > a1; a1 > e",
    ),
    "a join behind an activity that splits": process(
        f"{ENDS}{AND}{TASK}{OTHER}", "s > t; t > u; t > a1; u > a1; a1 > e"
    ),
    "a default flow": process(
        f'{ENDS}<exclusiveGateway id="x1" default="f3"/>{TASK}', "s > x1; x1 > t if x > 1; x1 > e; t > e"
    ),
    "no start event": process(TASK + OTHER, "t > u"),
    "links": process(ENDS + TASK + throw(link("A")) + catch(link("A")), "s > w; c > t; t > e"),
    "compensation": process(
        BASIC
        + boundary(COMPENSATE)
        + '<userTask id="h" isForCompensation="true"/><association id="z" sourceRef="b" targetRef="h"/>'
        + throw('<compensateEventDefinition activityRef="t"/>'),
        "s > t; t > w; w > e",
    ),
    "a transaction": process(
        f'{ENDS}<transaction id="q">{XOR}<startEvent id="is"/><endEvent id="ie"/><endEvent id="ic">{CANCEL}'
        f"</endEvent>{flows('is > x1; x1 > ie if x > 1; x1 > ic if x < 2', 'i')}</transaction>"
        + boundary(CANCEL, host="q"),
        "s > q; q > e; b > e",
    ),
    "event sub-processes": process(BASIC + event_subprocess(MESSAGE, 'isInterrupting="false"'), FLOWS),
    "an event gateway": process(
        f'{ENDS}<eventBasedGateway id="g1"/>{catch(timer("P5WD"))}<receiveTask id="t" messageRef="m"/>',
        "s > g1; g1 > c; g1 > t; c > e; t > e",
    ),
    "timers in every way of writing": line(
        catch(timer("P15WD"))
        + catch(timer("2026-12-31T17:00", "timeDate"), "c2")
        + catch(timer("R3/P1W", "timeCycle"), "c3")
        + catch(timer("d0", "timeDate"), "c4")
        + catch(timer("P1D before d0"), "c5"),
        *("c", "c2", "c3", "c4", "c5"),
    ),
    "a start by schedule": process(f'<startEvent id="s"><timerEventDefinition/></startEvent>{END}', "s > e"),
    "a person's task with everything": line(
        f'<userTask id="u">{properties(due="P14D before d0")}</userTask>'
        '<userTask id="t" camunda:formKey="plan" camunda:candidateGroups="boss" camunda:priority="5" '
        f'camunda:assignee="chosen">'
        + properties(
            due="P3WD after planned(u), next working day",
            remind="P1WD before due, P2D before due",
            overdue="P0D after due: boss; P2WD after due: owner",
            not_same_as="u",
            verify="fieldwork.complete",
            record="plan",
        )
        + "</userTask>",
        *("u", "t"),
    ),
    "a service task with parameters of its own": service(handler="figures.sum", threshold="60"),
    "instances of a sub-process": line(
        f'<subProcess id="q">{properties(collection="a.b", output="all", **{"in": "x, y = x + 1"})}'
        + MULTI.format('<inputDataItem id="item" name="item"/>')
        + f"{INNER}</subProcess>",
        "q",
    ),
    "a call whose inputs are computed": line(
        '<callActivity id="c" calledElement="other">'
        + properties(
            **{"in": "a = max(1, 2), b = 'x, y', c = [1, 2][0], d"}, roles="doer = clerk, a-b = boss"
        )
        + "</callActivity>",
        "c",
    ),
    "four eyes with whom a variable names": line(
        '<userTask id="u"/>' + '<userTask id="t">' + properties(not_same_as="u, (drafter)") + "</userTask>",
        "u",
        "t",
    ),
    "ids in Chinese": line('<userTask id="审批"/>', "审批"),
    "ids that the library underneath also uses": process(
        '<startEvent id="Start"/><userTask id="Root"/><endEvent id="End"/>', "Start > Root; Root > End"
    ),
    "another participant's process beside one's own": process(
        BASIC,
        FLOWS,
        after='<process id="they" isExecutable="false"><adHocSubProcess id="x8"/></process>',
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_diagram_that_runs_faithfully_has_no_findings(case: str) -> None:
    assert [str(each) for each in check_diagram(GOOD[case])] == []


def test_a_remedy_proposes_the_word_that_was_probably_meant() -> None:
    xml = line(f'<userTask id="t">{properties(rimind="P1D before due", due="P5D")}</userTask>', "t")
    [finding] = check_diagram(xml)
    assert "Did you mean flow.remind?" in str(finding)


def test_a_finding_is_given_once_however_often_it_applies() -> None:
    found = check_diagram(process(f"{ENDS}{TASK}", "s > t; t > gone; s > e"))
    assert len({str(each) for each in found}) == len(found)
