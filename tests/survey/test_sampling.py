"""Samples: the same for ever, of the size asked for, nobody twice before everybody once."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Invalid
from survey.coverage import Known, check, due, plan
from survey.precision import part_of, precision, sample_size
from survey.sampling import Listed, design_of, draw, proportion, wanted

TEN = [Listed(str(number), "ab"[number > 6]) for number in range(1, 11)]


@pytest.mark.parametrize(
    ("settings", "seed", "codes"),
    [
        ({"method": "census"}, "s", "1 2 3 4 5 6 7 8 9 10"),
        ({"method": "simple", "size": 4}, "2026-Q3", "1 2 6 10"),
        ({"method": "systematic", "size": 4}, "2026-Q3", "1 4 6 9"),
        ({"method": "stratified", "stratify": "project", "size": 5}, "2026-Q3", "1 2 6 9 10"),
        ({"method": "targeted", "codes": ["7", "3"], "reason": "重点客户"}, "2026-Q3", "3 7"),
    ],
)
def test_a_seed_gives_the_sample_that_it_always_gave(
    settings: dict[str, object], seed: str, codes: str
) -> None:
    """Never change these codes: samples drawn by earlier versions have to be drawn again alike."""
    assert " ".join(draw(TEN, design_of(settings), seed).codes) == codes


@given(st.integers(1, 60), st.data(), st.text(max_size=8))
def test_every_method_takes_exactly_so_many_and_nobody_twice(
    size: int, data: st.DataObject, seed: str
) -> None:
    frame = [Listed(f"c{number}", data.draw(st.sampled_from("xyz"))) for number in range(size)]
    wish = data.draw(st.integers(1, 70))
    for method in ("simple", "systematic", "stratified"):
        design = design_of({"method": method, "size": wish, "stratify": "project"})
        sample = draw(frame, design, seed)
        assert len(sample.codes) == len(set(sample.codes)) == min(wish, size)
        assert (sample.remark is not None) == (wish > size)
        shuffled = data.draw(st.permutations(frame))
        assert draw(shuffled, design, seed) == sample


@given(st.dictionaries(st.text("abc", min_size=1, max_size=2), st.integers(1, 50), min_size=1), st.data())
def test_strata_get_their_proportion_to_within_one(strata: dict[str, int], data: st.DataObject) -> None:
    total = sum(strata.values())
    size = data.draw(st.integers(0, total))
    shares = proportion(strata, size)
    assert sum(shares.values()) == size
    assert all(abs(shares[name] - size * number / total) < 1 for name, number in strata.items())


def test_a_least_of_each_stratum_is_kept_and_the_rest_divided_in_proportion() -> None:
    assert proportion({"a": 90, "b": 9, "c": 1}, 10, least_each=2) == {"a": 7, "b": 2, "c": 1}
    with pytest.raises(Invalid, match="3 strata with at least 5 each make 11, more than the sample of 10"):
        proportion({"a": 90, "b": 9, "c": 1}, 10, least_each=5)


def test_so_many_of_each_stratum_takes_small_strata_whole_and_says_so() -> None:
    sample = draw(TEN, design_of({"method": "stratified", "stratify": "project", "fixed": 5}), "s")
    assert (sample.strata, "b" in str(sample.remark)) == ({"a": 5, "b": 4}, True)


def test_nobody_is_asked_again_before_everybody_was_003f_9() -> None:
    """N = 10, n = 4: 4 + 4 + 2, and 2 of the next cycle."""
    asked: set[str] = set()
    taken = []
    for seed in ("first", "second", "third"):
        frame = [Listed(each.code, "", int(each.code in asked)) for each in TEN]
        codes = draw(frame, design_of({"method": "simple", "size": 4, "no_repeat": True}), seed).codes
        taken.append({*codes} - asked)
        asked |= {*codes}
    assert [len(each) for each in taken] == [4, 4, 2]
    assert asked == {each.code for each in TEN}


@pytest.mark.parametrize(("population", "size"), [(100, 80), (500, 218), (1000, 278), (1, 1), (0, 0)])
def test_five_points_need_so_many(population: int, size: int) -> None:
    assert sample_size(population, "0.05") == size
    error = precision(size, population)
    assert error is None if size == 0 else error is not None and error <= 0.05


def test_what_is_expected_not_to_answer_is_drawn_on_top_004b() -> None:
    assert wanted(design_of({"method": "simple", "size": 200, "response": "35%", "least": 200}), 9000) == 572
    with pytest.raises(Invalid, match="at least 200, found 199"):
        design_of({"method": "simple", "size": 199, "least": 200})


def test_parts_are_counted_upward() -> None:
    assert (part_of(35, "0.1"), part_of(101, "0.9"), part_of(0, "0.1", least=1), part_of(5, "0.1", 1)) == (
        4,
        91,
        0,
        1,
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"methd": "simple"}, "did you mean method?"),
        ({"method": "snowball"}, "There is no method snowball"),
        ({"method": "simple"}, "Say how many, in one way"),
        ({"method": "simple", "size": 3, "share": "0.1"}, "Say how many, in one way"),
        ({"method": "simple", "share": "110%"}, "110% is no part"),
        ({"method": "simple", "size": "0"}, "0 is no whole number"),
        ({"size": 3}, "A census asks everybody"),
        ({"method": "stratified", "size": 3}, "Say by what to stratify"),
        ({"method": "targeted", "codes": ["1"]}, "the reason for them"),
    ],
)
def test_a_design_that_means_nothing_is_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        design_of(settings)


def test_strata_of_a_column_that_nobody_has_are_refused() -> None:
    frame = [Listed(each.code, "") for each in TEN]
    with pytest.raises(Invalid, match="Nobody has a value of project"):
        draw(frame, design_of({"method": "stratified", "stratify": "project", "size": 5}), "s")


def test_a_targeted_sample_names_whom_it_does_not_find() -> None:
    with pytest.raises(Invalid, match="Not among those who may be asked: 11"):
        draw(TEN, design_of({"method": "targeted", "codes": ["1", "11"], "reason": "r"}), "s")


def test_forty_percent_a_year_are_judged_on_counts_003c_7() -> None:
    customers = [Known(str(number), date(2026, 1, 1), date(2026, 5, 1)) for number in range(99)]
    codes = [each.code for each in customers]
    assert check(codes[:40], customers, 2027) == []
    (problem,) = check(codes[:39], customers, 2027)
    assert "39 of 99 customers; 40% a year are 40" in str(problem)


def test_who_was_not_asked_for_three_years_is_in_the_plan_003c_8() -> None:
    customers = [
        Known("old", date(2015, 1, 1), date(2024, 3, 1)),
        Known("recent", date(2015, 1, 1), date(2025, 3, 1)),
        Known("never", date(2024, 12, 31)),
        Known("unknown"),
        Known("fresh", date(2026, 2, 1)),
    ]
    assert due(customers, 2027) == ("never", "old", "unknown")
    made = plan(customers, 2027)
    assert (made.due, made.new, made.filled) == (("never", "old", "unknown"), ("fresh",), ())
    assert check(made.codes, customers, 2027) == []
    assert any("old" in str(each) for each in check(["recent", "fresh"], customers, 2027))


@given(
    st.lists(st.tuples(st.integers(2018, 2026), st.integers(2018, 2026)), min_size=1), st.integers(2027, 2029)
)
def test_a_plan_made_always_passes_the_check(years: list[tuple[int, int]], year: int) -> None:
    customers = [
        Known(str(place), date(since, 6, 1), date(last, 6, 1) if last >= since else None)
        for place, (since, last) in enumerate(years)
    ]
    assert check(plan(customers, year).codes, customers, year) == []
