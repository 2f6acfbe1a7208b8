"""Paths that lead nowhere, and joins that never complete."""

from __future__ import annotations

import pytest

from tests.bpmn.models import (
    AND,
    BASIC,
    END,
    ENDS,
    FLOWS,
    MESSAGE,
    OTHER,
    OTHER_AND,
    SIGNAL,
    START,
    TASK,
    XOR,
    catch,
    process,
    refused,
)

REFUSED: dict[str, tuple[bytes, str, str]] = {
    "a step that nothing leads to": (process(BASIC + OTHER, FLOWS), "u", "No path from a start leads here"),
    "a circle that nothing leads to": (
        process(BASIC + OTHER + '<userTask id="w"/>', FLOWS + "; u > w; w > u"),
        "u",
        "No path from a start",
    ),
    "a loop without a way out": (
        process(START + '<task id="t"/><task id="u"/>', "s > t; t > u; u > t"),
        "t",
        "loop of 2 elements has no way out",
    ),
    "a join of two alternatives": (
        process(
            f"{ENDS}{XOR}{AND}{TASK}{OTHER}",
            "s > x1; x1 > t if x > 1; x1 > u if x < 2; t > a1; u > a1; a1 > e",
        ),
        "a1",
        "the flows from t, u never have a token together",
    ),
    "a join of two events": (
        process(
            f'{ENDS}<eventBasedGateway id="g1"/>{catch(MESSAGE)}{catch(SIGNAL, "d")}{AND}',
            "s > g1; g1 > c; g1 > d; c > a1; d > a1; a1 > e",
        ),
        "a1",
        "never have a token together",
    ),
    "a join of two starts": (
        process(
            f'<startEvent id="s"/><startEvent id="s2">{MESSAGE}</startEvent>{AND}{END}',
            "s > a1; s2 > a1; a1 > e",
        ),
        "a1",
        "never have a token together",
    ),
    "a join of alternatives in a branch of a parallel block": (
        process(
            f'{ENDS}{AND}{OTHER_AND}{XOR}<parallelGateway id="bad"/>{TASK}{OTHER}<userTask id="w"/>',
            "s > a1; a1 > w; w > a2; a1 > x1; x1 > t if x > 1; x1 > u if x < 2;"
            "t > bad; u > bad; bad > a2; a2 > e",
        ),
        "bad",
        "never have a token together",
    ),
    "a join of alternatives behind a parallel block": (
        process(
            f'{ENDS}{AND}{OTHER_AND}{XOR}<parallelGateway id="bad"/>{TASK}{OTHER}',
            "s > a1; a1 > t; a1 > u; t > a2; u > a2; a2 > x1; x1 > bad if x > 1; x1 > bad if x < 2; bad > e",
        ),
        "bad",
        "never have a token together",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_diagram_that_cannot_run_faithfully_is_refused_with_place_reason_and_remedy(case: str) -> None:
    refused(*REFUSED[case])
