"""Whatever is in a file, it is answered soon: by a run, or by a refusal that says why."""

from __future__ import annotations

import time

import pytest

from engine.bpmn.reader import read
from engine.check import check_diagram
from engine.errors import Misbuilt
from engine.rehearsal import Rehearsal, run
from tests.bounds.broken import by_hand, damaged

SECONDS = 5.0
"""Of the processor, not of the clock: the machine may be shared."""


def answer(name: str, xml: bytes) -> Rehearsal | Misbuilt:
    """A run or a refusal; any other end, or a long time, fails the test."""
    begun = time.process_time()
    findings = check_diagram(xml)
    try:
        processes = list(read(xml).processes)
    except Misbuilt as refused:
        assert findings, name
        found: Rehearsal | Misbuilt = refused
    else:
        try:
            found = run(xml, next(iter(processes), "main"), {})
        except Misbuilt as refused:
            found = refused
        assert isinstance(found, Rehearsal) or found.findings, name
    taken = time.process_time() - begun
    assert taken < SECONDS, f"{name} took {taken:.1f} s"
    for each in [*findings, *(found.findings if isinstance(found, Misbuilt) else ())]:
        assert str(each), name
    return found


def test_a_hundred_and_twenty_damaged_models_are_each_run_or_refused():
    found = [answer(*damaged(seed)) for seed in range(120)]
    assert sum(isinstance(each, Rehearsal) for each in found) > 2, "the damage is too great to tell anything"
    assert sum(isinstance(each, Misbuilt) for each in found) > 40


@pytest.mark.slow
@pytest.mark.parametrize("part", range(2))
def test_a_thousand_damaged_models_are_each_run_or_refused(part):
    for seed in range(120 + part * 450, 570 + part * 450):
        answer(*damaged(seed))


_HAND_MADE = dict(by_hand())
_SLOW = (
    "every node leads to every other",
    "fifty thousand times the same id",
    "5,000 tasks that nothing joins",
)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in _SLOW else []) for name in _HAND_MADE]
)
def test_a_hostile_file_is_run_or_refused(name):
    answer(name, _HAND_MADE[name])
