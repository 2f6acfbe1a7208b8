"""The conformance kit beside the repository: models with the elements that must run, or a refusal that says why.

Each case gives its expected marks, with and without reading the state anew after every step, or the diagram is
refused before it runs. What runs wrongly is never a success.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engine.errors import Misbuilt
from engine.rehearsal import run

KIT = Path(__file__).parents[3] / "shared" / "conformance"
LEAST = 67
"""Cases that run, not refused: it must not become less."""
UNORDERED = "MARKER_exists"
"""A case with this mark asks which scripts ran, not how often."""

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


def as_expected(marks: list[str], expected: list[str]) -> bool:
    if UNORDERED in expected:
        return set(marks) == set(expected)
    return sorted(marks) == sorted(expected)


@needed
@pytest.mark.parametrize(
    "place", range(len(_CASES)), ids=lambda n: f"{_CASES[n]['model']}-{_CASES[n]['case']}"
)
@pytest.mark.parametrize("reload", [False, True], ids=["kept", "reloaded"])
def test_a_case_leaves_the_marks_expected_or_its_diagram_is_refused(place, reload):
    marks = outcome(place, reload)
    assert marks is None or as_expected(marks, _CASES[place]["expected"])


@needed
def test_most_cases_run_rather_than_being_refused():
    ran = [place for place in range(len(_CASES)) if outcome(place, False) is not None]
    assert len(ran) >= LEAST
