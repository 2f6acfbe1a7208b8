"""The conformance kit beside the repository: models with the elements that must run, or a refusal that says why.

Each case gives its expected marks, with and without reading the state anew after every step, or the diagram is
refused before it runs. What runs wrongly is never a success.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engine.errors import Misbuilt
from engine.rehearsal import run

KIT = Path(__file__).parents[3] / "shared" / "conformance"
LEAST = 67
"""Cases that run, not refused: it must not become less."""
ONCE = "MARKER_exists"
"""A case with this mark asks which scripts ran, and in which order first, not how often."""

_SPLIT = ["SCRIPT_task1"], ["SCRIPT_task2"]
_TWICE = ["SCRIPT_task1", "SCRIPT_task3"], ["SCRIPT_task2", "SCRIPT_task3"]
CONCURRENT: dict[str, tuple[str, list[str], Sequence[list[str]], list[str]]] = {
    "SequenceFlow_Conditional-1": ("both conditions hold, so both flows are taken", [], _SPLIT, []),
    "ParallelGateway-1": ("two branches, joined", [], _SPLIT, ["SCRIPT_task3"]),
    "InclusiveGateway-1": ("both conditions hold; joined", [], _SPLIT, ["SCRIPT_task3"]),
    "ComplexGateway-4": ("both conditions hold; joined", [], _SPLIT, ["SCRIPT_task4"]),
    "ParallelDiverging_InclusiveConverging-1": ("two branches, joined", [], _SPLIT, ["SCRIPT_task3"]),
    "ParallelDiverging_ExclusiveConverging-1": ("two branches pass the end each for itself", [], _TWICE, []),
    "InclusiveDiverging_ExclusiveConverging-1": ("two branches pass the end each for itself", [], _TWICE, []),
    "EventBasedGateway_Signals-1": (
        "who throws the signal goes on beside who catches it; joined", [], _SPLIT, ["SCRIPT_task4"],
    ),
    "Token_Cardinality_Split_Explicit-1": (
        "two flows lead out; the last task waits for both tokens",
        ["SCRIPT_task1"], (["SCRIPT_task2"], ["SCRIPT_task3"]), ["SCRIPT_task4"],
    ),
    "Token_Cardinality_Split_Default-1": (
        "two flows lead out; each token passes the last task for itself",
        ["SCRIPT_task1"], (["SCRIPT_task2", "SCRIPT_task4"], ["SCRIPT_task3", "SCRIPT_task4"]), [],
    ),
}  # fmt: skip
"""Cases whose marks are ordered in part only: why; what comes before, the branches side by side, what comes after."""
REWRITTEN = {"SubProcess-1": ["SCRIPT_task2", "SCRIPT_task1"]}
"""Where the kit names the marks in another order than its own diagram can leave them: the inner task's is task2, and
the sub-process has ended before the task after it, whose is task1."""

_CASES: list[dict[str, Any]] = (
    json.loads((KIT / "cases.json").read_text("utf-8")) if (KIT / "cases.json").exists() else []
)
needed = pytest.mark.skipif(
    not _CASES, reason="conformance kit missing: put it beside the repository as shared/conformance"
)


@cache
def outcome(place: int, reload: bool) -> list[str] | None:
    """The marks a case left; None when its diagram is refused."""
    case, marks = _CASES[place], []
    bpmn = (KIT / "models" / f"{case['model']}.bpmn").read_bytes()
    try:
        found = run(
            bpmn, case["model"], dict(case["variables"]), functions={"trace": marks.append},
            also_start=case["also_start"], horizon_s=case["horizon_s"], reload=reload,
        )  # fmt: skip
    except Misbuilt as refused:
        silent = [each for each in refused.findings if not (each.reason and each.remedy)]
        return ["refused without a reason"] if silent or not refused.findings else None
    return [*marks, "ERROR_runtime"] if found.ended == "incident" else marks


def as_expected(name: str, marks: list[str], expected: list[str]) -> bool:
    if name in CONCURRENT:
        _, before, branches, after = CONCURRENT[name]
        assert sorted(sum(branches, before + after)) == sorted(expected)
        middle = marks[len(before) : len(marks) - len(after)]
        return marks == before + middle + after and merged(middle, branches)
    if name in REWRITTEN:
        assert sorted(REWRITTEN[name]) == sorted(expected)
        expected = REWRITTEN[name]
    return (list(dict.fromkeys(marks)) if ONCE in expected else marks) == expected


def merged(marks: list[str], branches: Sequence[list[str]]) -> bool:
    """Whether the marks are those of the branches, each branch in its order."""
    if not marks:
        return not any(branches)
    return any(
        merged(marks[1:], [each[1:] if n == taken else each for n, each in enumerate(branches)])
        for taken, branch in enumerate(branches)
        if branch[:1] == marks[:1]
    )


def named(place: int) -> str:
    return f"{_CASES[place]['model']}-{_CASES[place]['case']}"


@needed
@pytest.mark.parametrize("place", range(len(_CASES)), ids=named)
@pytest.mark.parametrize("reload", [False, True], ids=["kept", "reloaded"])
def test_a_case_leaves_the_marks_expected_or_its_diagram_is_refused(place, reload):
    marks = outcome(place, reload)
    assert marks is None or as_expected(named(place), marks, _CASES[place]["expected"])


@needed
def test_every_case_said_to_be_concurrent_or_rewritten_is_one_of_the_kit():
    assert {*CONCURRENT, *REWRITTEN} <= {named(place) for place in range(len(_CASES))}


def test_marks_in_another_order_than_the_diagram_leaves_them_are_not_as_expected():
    assert not as_expected("Transaction-1", ["b", "a"], ["a", "b"])
    assert merged(["a", "c", "b", "d"], (["a", "b"], ["c", "d"]))
    assert not merged(["b", "a", "c", "d"], (["a", "b"], ["c", "d"]))
    assert not merged(["a", "b", "c"], (["a", "b"], ["c", "d"]))


@needed
def test_most_cases_run_rather_than_being_refused():
    ran = [place for place in range(len(_CASES)) if outcome(place, False) is not None]
    assert len(ran) >= LEAST
