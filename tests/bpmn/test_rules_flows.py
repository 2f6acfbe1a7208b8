"""Ids, sequence flows, gateways: each rule broken once."""

from __future__ import annotations

import pytest

from tests.bpmn.models import (
    AND,
    BASIC,
    ENDS,
    FLOWS,
    INNER,
    MESSAGE,
    OTHER,
    SIGNAL,
    START,
    TASK,
    XOR,
    boundary,
    catch,
    line,
    process,
    refused,
    timer,
)

REFUSED: dict[str, tuple[bytes, str, str]] = {
    "a node without an id": (process(f"{ENDS}<userTask/>", "s > e"), "line 1", "userTask has no id"),
    "an id with a blank": (line('<userTask id="a b"/>', "a b"), "a b", "cannot be an id"),
    "a flow without an id": (
        process(f'{ENDS}<sequenceFlow sourceRef="s" targetRef="e"/>'),
        "p",
        "sequenceFlow from s to e has no id",
    ),
    "a flow that ends nowhere": (process(BASIC, "s > t; t > gone"), "f2", "flow ends nowhere"),
    "a flow that begins nowhere": (process(BASIC, "s > t; gone > e"), "f2", "flow begins nowhere"),
    "a flow across a border": (
        process(f'{ENDS}<subProcess id="q">{INNER}</subProcess>', "s > q; q > e; ie > e"),
        "f3",
        "crosses the border",
    ),
    "a flow to a start": (process(BASIC, FLOWS + "; t > s"), "s", "leads to a start event"),
    "a flow from an end": (process(BASIC, FLOWS + "; e > t"), "e", "leads away from an end event"),
    "a flow to a boundary event": (
        process(BASIC + boundary(timer("PT1H")), FLOWS + "; t > b; b > e"),
        "b",
        "leads to a boundary event",
    ),
    "a condition out of a parallel gateway": (
        process(f"{ENDS}{AND}{TASK}{OTHER}", "s > a1; a1 > t if x > 1; a1 > u; t > e; u > e"),
        "f2",
        "no meaning on a flow out of the parallelGateway",
    ),
    "a condition out of an event": (process(ENDS, "s > e if x > 1"), "f1", "no meaning"),
    "a default that leads away from elsewhere": (
        process(f'{ENDS}<exclusiveGateway id="x1" default="f1"/>', "s > x1; x1 > e"),
        "x1",
        "f1 does not lead away from here",
    ),
    "a default of a parallel gateway": (
        process(f'{ENDS}<parallelGateway id="a1" default="f2"/>', "s > a1; a1 > e"),
        "a1",
        "cannot have a default flow",
    ),
    "a choice without condition": (
        process(f"{ENDS}{XOR}{TASK}", "s > x1; x1 > t; x1 > e if x > 1; t > e"),
        "f2",
        "has no condition",
    ),
    "a gateway that leads nowhere": (process(START + XOR, "s > x1"), "x1", "leads nowhere"),
    "a complex gateway that joins without a condition": (
        process(
            f'{ENDS}{AND}{TASK}{OTHER}<complexGateway id="c"/>', "s > a1; a1 > t; a1 > u; t > c; u > c; c > e"
        ),
        "c",
        "says not when it goes on",
    ),
    "an event gateway with one event": (
        line('<eventBasedGateway id="g1"/>' + catch(MESSAGE), "g1", "c"),
        "g1",
        "two events",
    ),
    "an event gateway that leads to a task": (
        process(
            f'{ENDS}<eventBasedGateway id="g1"/>{TASK}{catch(MESSAGE)}',
            "s > g1; g1 > t; g1 > c; t > e; c > e",
        ),
        "g1",
        "waits for no event",
    ),
    "an event behind an event gateway that others lead to": (
        process(
            f'{ENDS}{XOR}<eventBasedGateway id="g1"/>{catch(SIGNAL, "d")}{catch(MESSAGE)}',
            "s > x1; x1 > g1 if x > 1; x1 > c if x < 1; g1 > c; g1 > d; c > e; d > e",
        ),
        "c",
        "another incoming flow",
    ),
    "a receive task with a boundary event behind an event gateway": (
        process(
            f'{ENDS}<eventBasedGateway id="g1"/>{catch(SIGNAL)}<receiveTask id="t" messageRef="m"/>'
            + boundary(timer("PT1H")),
            "s > g1; g1 > t; g1 > c; t > e; c > e; b > e",
        ),
        "t",
        "boundary event or a loop",
    ),
    "an event gateway that begins instances": (
        process(
            f'{ENDS}{TASK}<eventBasedGateway id="g1" instantiate="true"/>{catch(SIGNAL, "d")}{catch(MESSAGE)}',
            "s > t; t > g1; g1 > c; g1 > d; c > e; d > e",
        ),
        "g1",
        "stands where none begins",
    ),
    "an event gateway that begins instances by time": (
        process(
            f'<eventBasedGateway id="g1" instantiate="true"/>{catch(timer("PT1H"), "d")}{catch(MESSAGE)}',
            "g1 > c; g1 > d",
        ),
        "d",
        "cannot begin an instance",
    ),
    "a parallel event gateway in the middle": (
        process(
            f'{ENDS}<eventBasedGateway id="g1" eventGatewayType="Parallel"/>{catch(SIGNAL, "d")}{catch(MESSAGE)}',
            "s > g1; g1 > c; g1 > d; c > e; d > e",
        ),
        "g1",
        "has to begin the instance",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_diagram_that_cannot_run_faithfully_is_refused_with_place_reason_and_remedy(case: str) -> None:
    refused(*REFUSED[case])
