"""Runs a drawing through the rehearsal, once loading the state anew after every element and once not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.rehearsal import Rehearsal, run
from tests.engine.drawing import diagram


def rehearse(
    drawing: str, horizon_s: float = 3600.0, *, side_by_side: bool = False, **variables: Any
) -> Rehearsal:
    """What becomes of the drawing's main process, which must not depend on loading anew.

    Only how the steps of instances that run `side_by_side` come to lie between each other may.
    """
    bpmn = diagram(drawing)
    found = [
        run(bpmn, "main", dict(variables), horizon_s=horizon_s, reload=reload) for reload in (False, True)
    ]
    if side_by_side:
        assert sorted(found[0].visited) == sorted(found[1].visited)
        found = [replace(each, visited=found[0].visited) for each in found]
    assert found[0] == found[1]
    return found[0]


def path(drawing: str, horizon_s: float = 3600.0, **variables: Any) -> str:
    """The elements entered until the main process completed, in order."""
    found = rehearse(drawing, horizon_s, **variables)
    assert found.ended == "completed", (found.ended, found.incidents, found.visited)
    return " ".join(found.visited)
