"""Numbers of opinions, as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.opinions import numbers_in

SPANS = st.lists(st.tuples(st.integers(1, 9999), st.integers(0, 50)), max_size=8)


def flat(text: str) -> list[int]:
    return [number for numbers in numbers_in(text) for number in numbers]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1-3, 7", [1, 2, 3, 7]),
        ("1、4", [1, 4]),
        ("2至4；9", [2, 3, 4, 9]),
        ("１－２", [1, 2]),
        (" 5 ", [5]),
        ("", []),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, numbers: list[int]) -> None:
    assert flat(text) == numbers


@pytest.mark.parametrize("text", ["0", "3-1", "all", "1-", "1.5", "0-2", "-1", "9999999"])
def test_what_names_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        flat(text)


@given(SPANS, st.sampled_from([",", "，", "、", "; ", " "]))
def test_what_was_written_is_read_back(spans: list[tuple[int, int]], between: str) -> None:
    text = between.join(f"{first}-{first + more}" if more else str(first) for first, more in spans)
    assert flat(text) == [number for first, more in spans for number in range(first, first + more + 1)]
