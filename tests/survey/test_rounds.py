"""Allocation: every customer has exactly one surveyor, or the problem is named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Invalid
from survey.numbering import allocation, natural, ranges


def part(surveyor: str, first: int | None = None, last: int | None = None) -> dict[str, Any]:
    return {"surveyor": surveyor, "first": first, "last": last}


@given(st.integers(1, 400), st.integers(1, 12))
def test_an_even_split_gives_everybody_one_surveyor_and_nobody_much_more(size: int, surveyors: int) -> None:
    found = allocation(size, [part(f"s{place}") for place in range(surveyors)])
    assert sorted(found) == list(range(1, size + 1))
    shares = [list(found.values()).count(f"s{place}") for place in range(surveyors)]
    assert max(shares) - min(shares) <= 1


@given(st.integers(2, 60), st.data())
def test_any_division_into_parts_is_taken(size: int, data: st.DataObject) -> None:
    ends = [*sorted(data.draw(st.sets(st.integers(1, size - 1), max_size=5))), size]
    parts = [
        part(f"s{place}", first + 1, last)
        for place, (first, last) in enumerate(zip([0, *ends], ends, strict=False))
    ]
    found = allocation(size, data.draw(st.permutations(parts)))
    assert sorted(found) == list(range(1, size + 1))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([], "Customers 1-10 have no surveyor"),
        ([part("a", 1, 4), part("b", 6, 9)], "Customers 5, 10 have no surveyor"),
        ([part("a", 1, 6), part("b", 6, 10)], "Customers 6 are given to more than one"),
        ([part("a", 1, 11)], "parts.1: 1 to 11 is no part of the roster, which goes from 1 to 10"),
        ([part("a", 5, 1)], "5 to 1 is no part"),
        ([part("a", 1, 5), part("b")], "parts.2: … to …"),
    ],
)
def test_a_faulty_division_is_refused_naming_the_customers(parts: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(Invalid) as refused:
        allocation(10, parts)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([], ""),
        ([3], "3"),
        ([1, 2, 3, 5, 7, 8], "1-3, 5, 7-8"),
        (list(range(1, 60, 2)), "1, 3, 5, 7, 9, 11, 13, 15, 17, 19, …"),
    ],
)
def test_numbers_are_written_in_short(numbers: list[int], text: str) -> None:
    assert ranges(numbers) == text


def test_codes_are_sorted_as_people_count() -> None:
    codes = ["10", "B-10", "2", "B-2", "A", "B-2-1", ""]
    assert sorted(codes, key=natural) == ["", "2", "10", "A", "B-2", "B-2-1", "B-10"]
