"""What the standard prescribes, case by case, with the state kept, and read anew after every step."""

from __future__ import annotations

import pytest

from tests.standard.cases import Case, fits
from tests.standard.catalogue import CASES

PARAMS = [
    pytest.param(
        each,
        id=f"{each.rows[0]}: {each.title}".replace(" ", "_"),
        # The patterns are drawn with constructs that have cases of their own.
        marks=[pytest.mark.slow] if each.rows[0].startswith("WCP") else [],
    )
    for each in CASES
]


@pytest.mark.parametrize("case", PARAMS)
def test_a_case_runs_as_the_standard_says(case: Case):
    _play(case, reload=False)


@pytest.mark.slow
@pytest.mark.parametrize("case", PARAMS)
def test_a_case_runs_the_same_when_the_state_is_read_anew_after_every_step(case: Case):
    _play(case, reload=True)


def _play(case: Case, *, reload: bool) -> None:
    found, marks = case.course(reload=reload)
    assert found.ended == case.ended, (found.ended, found.incidents, found.visited)
    assert fits(list(found.visited), case.trace), " ".join(found.visited)
    if case.marks:
        assert fits(marks, case.marks), " ".join(marks)
    assert {name: found.variables.get(name) for name in case.left} == dict(case.left)


@pytest.mark.parametrize(
    ("found", "expected", "fitting"),
    [
        ("s a b e", "s a b e", True),
        ("s b a e", "s a b e", False),
        ("s b a e", "s (a | b) e", True),
        ("s a e", "s (a | b) e", False),
        ("s a b a e", "s (a | b) e", False),
        ("s c a d b e", "s (a b | c d) e", True),
        ("s d c a b e", "s (a b | c d) e", False),
        ("a x a y", "(a x | a y)", True),
        ("a b c d", "(a | (b | c) d)", True),
        ("", "a", False),
        ("", "a?", True),
        ("s b", "s a? b", True),
        ("s a b", "s (a? | b)", True),
        ("s b", "s (a? | b)", True),
        ("s c b", "s (a? | b)", False),
        ("s b e", "s (a? | b) e", True),
    ],
)
def test_a_trace_fits_when_its_order_is_one_that_the_expectation_allows(found, expected, fitting):
    assert fits(found.split(), expected) is fitting


def test_no_two_cases_have_the_same_title_in_one_row():
    titles = [(each.rows[0], each.title) for each in CASES]
    assert len(titles) == len(set(titles))


def test_there_are_at_least_350_cases():
    assert len(CASES) >= 350
