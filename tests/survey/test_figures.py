"""Figures against a second computation that shares no code with the first: the file and plain arithmetic."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Invalid
from engine.forms import Form, load_form
from survey.figures import (
    MEAN_ANSWERS,
    MEAN_DEPARTMENTS,
    TOP2_ANSWERED,
    TOP2_RETURNED,
    Method,
    count,
    decimal,
    figures,
    percent,
    shown,
    summarise,
)

ROOT = Path(__file__).parents[2]
DATA = ROOT / "examples/resident-survey-2021-09/resident-survey-2021-09.csv"
GROUPS = {"q2": 8, "q3": 16, "q5": 7, "q7": 4, "q9": 10, "q11": 2, "q12": 10, "q14": 4, "q15": 5, "q17": 4}

SMALL = """
form: flow/1
id: small
version: "1"
kind: questionnaire
anonymity: anonymous
title: 小问卷
scales:
  s:
    points:
      - {value: 5, label: 五}
      - {value: 4, label: 四}
      - {value: 3, label: 三}
      - {value: 2, label: 二}
      - {value: 1, label: 一}
    na: {value: 9, label: 不了解}
fields:
  - {id: m, type: matrix, scale: s, label: 项目, rows: [{id: a, label: 甲}, {id: b, label: 乙}]}
  - {id: all_in_all, type: choice, scale: s, label: 总体}
"""


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with DATA.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def questionnaire() -> Form:
    file = ROOT / "forms/building-quarterly-15-workdays/questionnaire.yaml"
    return load_form(file.read_bytes(), file.name)


@pytest.fixture(scope="module")
def small() -> Form:
    return load_form(SMALL.encode(), "small.yaml")


def nested(rows: list[dict[str, str]]) -> Iterator[dict[str, object]]:
    for row in rows:
        yield {
            group: {f"{group}_{n:02d}": int(row[f"{group}_{n:02d}"]) for n in range(1, size + 1)}
            for group, size in GROUPS.items()
        }


@pytest.mark.parametrize("district", ["", "1", "2", "3", "4", "5", "6"])
def test_every_figure_of_the_real_round_is_right_by_every_method(
    rows: list[dict[str, str]], questionnaire: Form, district: str
) -> None:
    chosen = [row for row in rows if not district or row["district"] == district]
    counts = count(questionnaire, nested(chosen))
    answered, returned, departments, pooled = (
        figures(counts, issued=len(chosen) + 7, method=method)
        for method in (TOP2_ANSWERED, TOP2_RETURNED, MEAN_DEPARTMENTS, MEAN_ANSWERS)
    )
    assert answered == summarise(questionnaire, nested(chosen), issued=len(chosen) + 7)
    assert answered.returned == len(chosen)
    assert answered.return_rate == Fraction(len(chosen), len(chosen) + 7)
    means: dict[str, Fraction] = {}
    for place, item in enumerate(answered.items):
        answers = [row[item.id] for row in chosen]
        given_points = [int(answer) for answer in answers if answer != "9"]
        satisfied, mean = (
            sum(point >= 4 for point in given_points),
            Fraction(sum(given_points), len(given_points)),
        )
        means[item.id] = mean
        assert (item.tally.abstained, item.tally.blank, item.tally.unasked) == (answers.count("9"), 0, 0)
        assert item.tally.counts == {point: given_points.count(point) for point in (5, 4, 3, 2, 1)}
        assert (item.rate.value, item.rate.base) == (
            Fraction(satisfied, len(given_points)),
            len(given_points),
        )
        assert (returned.items[place].rate.value, returned.items[place].rate.base) == (
            Fraction(satisfied, len(chosen)),
            len(chosen),
        )
        assert departments.items[place].rate.value == pooled.items[place].rate.value == mean / 5
        assert item.mean == mean
        assert item.index == (mean - 1) / 4 * 100
    every: list[int] = []
    of_departments = []
    for place, (group, size) in enumerate(GROUPS.items()):
        names = [f"{group}_{n:02d}" for n in range(1, size + 1)]
        points = [int(row[name]) for row in chosen for name in names if row[name] != "9"]
        satisfied, every = sum(point in (4, 5) for point in points), every + points
        of_departments.append(sum(means[name] for name in names) / size)
        assert answered.groups[place].id == group
        assert answered.groups[place].rate.value == Fraction(satisfied, len(points))
        assert returned.groups[place].rate.value == Fraction(satisfied, len(chosen) * size)
        assert departments.groups[place].mean == of_departments[-1]
        assert departments.groups[place].rate.value == of_departments[-1] / 5
        assert pooled.groups[place].rate.value == Fraction(sum(points), 5 * len(points))
    assert answered.whole.rate.value == Fraction(sum(point > 3 for point in every), len(every))
    assert returned.whole.rate.value == Fraction(sum(point > 3 for point in every), 70 * len(chosen))
    assert departments.whole.rate.value == sum(of_departments) / 10 / 5
    assert pooled.whole.rate.value == Fraction(sum(every), 5 * len(every))
    assert answered.abstained == sum(set(list(row.values())[4:]) == {"9"} for row in chosen)


def test_counting_by_district_gives_the_same_as_counting_each_district(
    rows: list[dict[str, str]], questionnaire: Form
) -> None:
    told = [
        {**answers, "district": int(row["district"])} for row, answers in zip(rows, nested(rows), strict=True)
    ]
    counts = count(questionnaire, told, by=["district"])
    parts = counts.split("district")
    assert list(parts) == ["1", "2", "3", "4", "5", "6"]
    for name, part in parts.items():
        alone = [row for row in rows if row["district"] == name]
        assert figures(part, issued=1000) == summarise(questionnaire, nested(alone), issued=1000)
    assert figures(counts, issued=1033) == summarise(questionnaire, nested(rows), issued=1033)


def test_the_real_round_has_1033_returns_of_70_items(rows: list[dict[str, str]], questionnaire: Form) -> None:
    found = summarise(questionnaire, nested(rows), issued=1033, population=1033)
    assert (found.returned, len(found.items), len(found.groups)) == (1033, 70, 10)
    assert percent(found.return_rate) == "100.0%"
    assert found.items[0].interval is not None
    assert found.items[0].interval.low == found.items[0].interval.high  # everybody was asked


def test_abstentions_and_blanks_are_in_no_base_unless_the_method_says_so(small: Form) -> None:
    answers: list[dict[str, object]] = [
        {"m": {"a": 5, "b": 9}, "all_in_all": 4},
        {"m": {"a": 9, "b": 9}, "all_in_all": None},
        {"m": {"a": 3, "b": None}},
        {"m": None},
    ]
    found = summarise(small, answers, issued=8)
    a, b, whole = found.items
    assert (a.rate.base, a.tally.abstained, a.tally.blank, a.rate.value, a.mean) == (
        2,
        1,
        1,
        Fraction(1, 2),
        Fraction(4),
    )
    assert (b.rate.base, b.tally.abstained, b.tally.blank, b.rate.value, b.mean) == (0, 2, 2, None, None)
    assert (whole.rate.base, whole.tally.blank, whole.rate.value) == (1, 3, Fraction(1))
    assert percent(b.rate.value) == shown(b.mean) == "—"
    assert (found.return_rate, found.abstained) == (Fraction(1, 2), 2)
    of_returned = summarise(small, answers, issued=8, method=TOP2_RETURNED)
    assert [line.rate.value for line in of_returned.items] == [Fraction(1, 4), 0, Fraction(1, 4)]


def test_a_mark_outside_the_scale_is_an_abstention_from_the_item_alone(small: Form) -> None:
    answers: list[dict[str, object]] = [
        {"m": {"a": 7, "b": 5}, "all_in_all": "4"},
        {"m": {"a": [5], "b": {"c": 1}}, "all_in_all": [4]},
    ]
    a, b, whole = (line.tally for line in summarise(small, answers, issued=2).items)
    assert (a.base, a.blank, b.base, b.blank, whole.base, whole.blank) == (0, 2, 1, 1, 0, 2)


@pytest.mark.parametrize("method", [TOP2_ANSWERED, TOP2_RETURNED, MEAN_DEPARTMENTS, MEAN_ANSWERS])
def test_nothing_issued_nobody_returned_and_all_abstained_give_no_rate(small: Form, method: Method) -> None:
    nothing = summarise(small, [], issued=0, method=method, population=0)
    assert (nothing.return_rate, nothing.whole.rate.value, nothing.whole.interval) == (None, None, None)
    nobody = summarise(small, [], issued=5, method=method, population=5)
    assert (nobody.return_rate, nobody.whole.rate.value, nobody.whole.mean) == (Fraction(0), None, None)
    silent: list[dict[str, object]] = [{"m": {"a": 9, "b": 9}, "all_in_all": 9}] * 3
    abstained = summarise(small, silent, issued=5, method=method, population=5)
    assert (abstained.returned, abstained.abstained, abstained.whole.mean) == (3, 3, None)
    assert abstained.whole.rate.value == (0 if method == TOP2_RETURNED else None)
    one = summarise(small, [{"m": {"a": 4, "b": 9}}], issued=1, method=method, population=9)
    assert one.items[0].rate.value == (Fraction(4, 5) if method in (MEAN_DEPARTMENTS, MEAN_ANSWERS) else 1)


def test_a_scale_of_words_counts_by_its_weights() -> None:
    text = SMALL.replace("value: 5,", "value: great, weight: 100,").replace(
        "value: 4,", "value: good, weight: 75,"
    )
    form = load_form(text.encode(), "small.yaml")
    found = summarise(form, [{"all_in_all": "great"}, {"all_in_all": "good"}, {"all_in_all": 3}], issued=3)
    assert found.items[-1].rate.value == Fraction(2, 3)
    assert found.items[-1].mean == Fraction(178, 3)


def test_items_on_different_scales_are_not_pooled() -> None:
    text = SMALL.replace("fields:", "  t: {points: [{value: 1, label: 是}, {value: 0, label: 否}]}\nfields:")
    text = text.replace("type: choice, scale: s", "type: choice, scale: t")
    with pytest.raises(Invalid, match="s, t"):
        summarise(load_form(text.encode(), "small.yaml"), [], issued=0)
    named = text.replace("fields:", "score: {method: top2/answered, scale: s}\nfields:")
    found = summarise(load_form(named.encode(), "small.yaml"), [{"all_in_all": 1}], issued=1)
    assert [line.id for line in found.items] == ["a", "b"]


POINTS = st.sampled_from([1, 2, 3, 4, 5, 9, None])
SETS = st.lists(st.fixed_dictionaries({"a": POINTS, "b": POINTS}))
FORM = load_form(SMALL.encode(), "small.yaml")


@given(SETS, SETS)
def test_every_answer_is_counted_once_order_does_not_matter_and_parts_add_up(
    cells: list[dict[str, int | None]], more: list[dict[str, int | None]]
) -> None:
    found = summarise(FORM, [{"m": each} for each in cells], issued=len(cells))
    for item in found.items[:2]:
        tally = item.tally
        assert sum(tally.counts.values()) == tally.base
        assert tally.asked == tally.base + tally.abstained + tally.blank == len(cells)
        assert tally.satisfied <= tally.base
        assert item.mean is None or 1 <= item.mean <= 5
        assert item.index is None or 0 <= item.index <= 100
    assert found == summarise(FORM, [{"m": each} for each in reversed(cells)], issued=len(cells))
    both = count(FORM, [{"m": each} for each in cells]) + count(FORM, [{"m": each} for each in more])
    assert figures(both, issued=9) == summarise(FORM, [{"m": each} for each in cells + more], issued=9)


@given(SETS.filter(len), st.integers(1, 5))
def test_who_abstains_changes_the_rate_of_those_returned_only(
    cells: list[dict[str, int | None]], abstainers: int
) -> None:
    answers = [{"m": each, "all_in_all": 4} for each in cells]
    silent = [{"m": {"a": 9, "b": None}, "all_in_all": 9}] * abstainers
    for method in (TOP2_ANSWERED, MEAN_DEPARTMENTS, MEAN_ANSWERS):
        alone, with_them = (summarise(FORM, each, 99, method=method) for each in (answers, answers + silent))
        assert [line.rate for line in alone.items] == [line.rate for line in with_them.items]
        assert alone.whole.rate == with_them.whole.rate
    alone, with_them = (
        summarise(FORM, each, 99, method=TOP2_RETURNED) for each in (answers, answers + silent)
    )
    assert alone.items[2].rate.value == 1
    assert with_them.items[2].rate.value == Fraction(len(cells), len(cells) + abstainers)
    assert with_them.abstained == alone.abstained + abstainers


@given(st.fractions(min_value=-1000, max_value=1000, max_denominator=2000), st.integers(0, 4))
def test_numbers_are_rounded_half_away_from_zero(value: Fraction, places: int) -> None:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    expected = exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    assert Decimal(decimal(value, places)) == expected
    assert not decimal(value, places).startswith("-0") or expected != 0


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Fraction(1, 8), "12.5%"),
        (Fraction(1249, 2000), "62.5%"),
        (Fraction(6245, 10000), "62.5%"),
        (Fraction(1, 3), "33.3%"),
        (Fraction(1), "100.0%"),
        (None, "—"),
    ],
)
def test_rates_are_printed_as_people_write_them(rate: Fraction | None, text: str) -> None:
    assert percent(rate) == text
