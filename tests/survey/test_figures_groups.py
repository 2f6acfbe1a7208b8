"""Groups: tables of items by groups, and what of an anonymous round stays hidden."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Invalid
from survey.figures import (
    LEAST,
    Counting,
    Counts,
    chi_square,
    count,
    cross,
    figures,
    hidden_groups,
    hidden_rows,
)
from tests.survey.asked import form, with_overall


def test_an_item_is_crossed_with_a_group() -> None:
    asked = form(2, "m: a", anonymity="named")
    counting = Counting(asked, groups=("district",))
    for district, marks in {"东": [2] * 20 + [1] * 10, "西": [2] * 10 + [1] * 20, "": [1] * 3}.items():
        for mark in marks:
            counting.add({"m": {"a": mark}}, {"district": district})
    found = cross(counting.counts(), "a", "district")
    assert [(row.name, row.tally and row.tally.base, row.indicative) for row in found.rows] == [
        *(("", 3, True), ("东", 30, False), ("西", 30, False))
    ]
    assert found.rows[1].shares == (Fraction(2, 3), Fraction(1, 3))
    assert found.total.base == 63
    with pytest.raises(Invalid, match="no item b"):
        cross(counting.counts(), "b", "district")
    with pytest.raises(Invalid, match="not counted by sex, only by district"):
        cross(counting.counts(), "a", "sex")


def test_chi_square_is_pearsons_and_warns_of_small_cells() -> None:
    found = chi_square([[20, 10], [10, 20], [0, 0]])
    assert found is not None
    assert (found.df, round(found.statistic, 4), found.doubtful) == (1, 6.6667, False)
    assert found.p == pytest.approx(math.erfc(math.sqrt(6.66667 / 2)), rel=1e-5)
    small = chi_square([[3, 1], [1, 3]])
    assert small is not None
    assert (small.least_expected, small.doubtful) == (2, True)
    assert chi_square([[5, 0], [7, 0]]) is chi_square([[5, 3]]) is chi_square([]) is None


def test_plain_choices_are_crossed_too() -> None:
    options = "[{value: web, label: 网上}, {value: post, label: 邮寄}]"
    extra = f"  - {{id: channel, type: choice, label: 渠道, options: {options}}}\n"
    asked = with_overall(5, "m: a", "top2/answered", extra)
    answers: list[dict[str, object]] = [
        {"overall": 5, "channel": "web"},
        {"overall": 2, "channel": "post"},
        {"overall": 5, "channel": None},
    ]
    counts = count(asked, answers, by=("channel", "overall"))
    assert {row.name: row.tally and row.tally.numbers for row in cross(counts, "channel", "overall").rows} == {
        "2": (0, 1), "5": (1, 0)
    }  # fmt: skip
    assert figures(counts, issued=3).groups[-1].id == "overall"


def test_too_many_groups_are_refused() -> None:
    counting = Counting(form(5, "m: a"), groups=("code",))
    for number in range(2000):
        counting.add({}, {"code": str(number)})
    with pytest.raises(Invalid, match="code make more than 2000 groups"):
        counting.add({}, {"code": "2000"})


def anonymous(sizes: Mapping[Any, int], by: tuple[str, ...]) -> Counts:
    counting = Counting(form(2, "m: a"), groups=by)
    for key, size in sizes.items():
        for _ in range(size):
            counting.add({"m": {"a": 1}}, dict(zip(by, key, strict=True)))
    return counting.counts()


@pytest.mark.parametrize(("promise", "hidden"), [("anonymous", "bc"), ("confidential", "bc"), ("named", "")])
def test_a_small_group_is_hidden_unless_the_questionnaire_is_named(promise: str, hidden: str) -> None:
    counts = anonymous({("a",): 40, ("b",): 3, ("c",): 9, ("d",): 12}, ("place",))
    counts = replace(counts, questionnaire=replace(counts.questionnaire, anonymity=promise))
    assert [row.name for row in cross(counts, "a", "place").rows if row.tally is None] == list(hidden)


def test_a_small_group_of_an_anonymous_round_is_hidden_with_another_one() -> None:
    counts = anonymous({("a",): 40, ("b",): 3, ("c",): 9, ("d",): 12}, ("place",))
    assert hidden_groups(counts) == {("place", "b"), ("place", "c")}
    assert [row.name for row in cross(counts, "a", "place").rows if row.tally is None] == ["b", "c"]
    assert hidden_groups(counts, named=True) == frozenset()
    assert hidden_groups(anonymous({("a",): 40, ("b",): 9}, ("place",))) == frozenset()


def test_departments_cannot_be_worked_out_from_their_project() -> None:
    sizes = {("P", "p1"): 20, ("P", "p2"): 3, ("P", "p3"): 9, ("Q", "q1"): 30, ("Q", "q2"): 4, ("Q", "q3"): 8}
    hidden = hidden_groups(anonymous(sizes, ("project", "department")))
    assert {("department", "p2"), ("department", "q2")} < hidden
    assert {("department", "p3"), ("department", "q3")} <= hidden  # else total of project less the others


@given(
    st.dictionaries(st.tuples(st.sampled_from("ABC"), st.sampled_from("xyz")), st.integers(1, 12), min_size=1)
)
def test_nothing_small_follows_from_what_is_shown(sizes: dict[tuple[str, ...], int]) -> None:
    counts = anonymous(sizes, ("one", "two"))
    hidden = hidden_groups(counts)
    keys = list(counts.cells)
    groups = {
        (by, name): [key[place] == name for key in keys]
        for place, by in enumerate(("one", "two"))
        for name in {key[place] for key in keys}
    }
    if sum(sizes.values()) < LEAST:
        assert hidden == set(groups)
        return
    seen = [list(map(int, cells)) for group, cells in groups.items() if group not in hidden] + [
        [1] * len(keys)
    ]
    for group, cells in groups.items():
        if sum(sizes[key] for key, inside in zip(keys, cells, strict=True) if inside) < LEAST:
            assert group in hidden
            assert rank([*seen, list(map(int, cells))]) == rank(seen) + 1
    for by in ("one", "two"):  # the total less what is shown
        together = sum(sizes[key] for key in keys if (by, key[("one", "two").index(by)]) in hidden)
        assert together == 0 or together >= LEAST


def rank(rows: list[list[int]]) -> int:
    left, found = [[Fraction(value) for value in row] for row in rows], 0
    for column in range(len(rows[0])):
        pivot = next((row for row in left if row[column]), None)
        if pivot is not None:
            left.remove(pivot)
            left = [
                [a - b * row[column] / pivot[column] for a, b in zip(row, pivot, strict=True)] for row in left
            ]
            found += 1
    return found


@given(
    st.dictionaries(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), st.integers(1, 12), min_size=1)
)
def test_rows_with_their_groups_never_leave_a_few_apart(sizes: dict[tuple[str, ...], int]) -> None:
    hidden = hidden_rows(("one", "two"), sizes)
    bare = sum(sizes[key] for key in hidden)
    assert all(sizes[key] >= 5 for key in sizes if key not in hidden)
    assert bare == 0 or bare >= 5 or len(hidden) == len(sizes)
    groups = hidden_groups(anonymous(sizes, ("one", "two")))
    for key in sizes:
        if groups & set(zip(("one", "two"), key, strict=True)):
            assert key in hidden, "what figures hide no row tells"
    for at, by in enumerate(("one", "two")):  # figures of a group less its rows are of many, or of nobody
        for name in {key[at] for key in sizes} - {group for kind, group in groups if kind == by}:
            rest = sum(sizes[key] for key in hidden if key[at] == name)
            assert rest == 0 or rest >= 5 or len(hidden) == len(sizes)


def test_no_group_stands_in_rows_of_a_round_with_very_many_of_them() -> None:
    sizes = {(str(number),): 9 for number in range(301)}
    assert hidden_rows(("one",), sizes) == frozenset(sizes)
    assert hidden_rows((), {(): 9}) == frozenset()
