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
from survey.figures import METHOD, decimal, percent, shown, summarise

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
def test_every_figure_of_the_real_round_is_right(
    rows: list[dict[str, str]], questionnaire: Form, district: str
) -> None:
    chosen = [row for row in rows if not district or row["district"] == district]
    figures = summarise(questionnaire, nested(chosen), issued=len(chosen) + 7)
    assert figures.returned == len(chosen)
    assert figures.return_rate == Fraction(len(chosen), len(chosen) + 7)
    assert figures.method == METHOD
    for item in figures.items:
        answers = [row[item.id] for row in chosen]
        given_points = [int(answer) for answer in answers if answer != "9"]
        assert item.tally.base == len(given_points)
        assert item.tally.abstained == answers.count("9")
        assert item.tally.blank == 0
        assert {point: count for point, count in item.tally.counts.items() if count} == {
            point: given_points.count(point) for point in sorted(set(given_points))
        }
        assert item.tally.rate == Fraction(sum(point >= 4 for point in given_points), len(given_points))
        assert item.tally.mean == Fraction(sum(given_points), len(given_points))
    for group in figures.groups:
        pooled = [
            int(row[f"{group.id}_{n:02d}"])
            for row in chosen
            for n in range(1, GROUPS[group.id] + 1)
            if row[f"{group.id}_{n:02d}"] != "9"
        ]
        assert group.tally.base == len(pooled)
        assert group.tally.mean == Fraction(sum(pooled), len(pooled))
        assert group.tally.rate == Fraction(sum(point in (4, 5) for point in pooled), len(pooled))
    assert figures.whole.base == sum(group.tally.base for group in figures.groups)
    assert figures.whole.satisfied == sum(group.tally.satisfied for group in figures.groups)


def test_the_real_round_has_1033_returns_of_70_items(rows: list[dict[str, str]], questionnaire: Form) -> None:
    figures = summarise(questionnaire, nested(rows), issued=1033)
    assert (figures.returned, len(figures.items), len(figures.groups)) == (1033, 70, 10)
    assert percent(figures.return_rate) == "100.0%"


def test_abstentions_and_blanks_are_in_no_base(small: Form) -> None:
    answers = [
        {"m": {"a": 5, "b": 9}, "all_in_all": 4},
        {"m": {"a": 9, "b": 9}, "all_in_all": None},
        {"m": {"a": 3, "b": None}},
        {"m": None},
    ]
    figures = summarise(small, answers, issued=8)
    a, b, whole = (item.tally for item in figures.items)
    assert (a.base, a.abstained, a.blank, a.rate, a.mean) == (2, 1, 1, Fraction(1, 2), Fraction(4))
    assert (b.base, b.abstained, b.blank, b.rate, b.mean) == (0, 2, 2, None, None)
    assert (whole.base, whole.blank, whole.rate) == (1, 3, Fraction(1))
    assert percent(b.rate) == shown(b.mean) == "—"
    assert figures.return_rate == Fraction(1, 2)


def test_nothing_issued_gives_no_return_rate(small: Form) -> None:
    figures = summarise(small, [], issued=0)
    assert figures.return_rate is None
    assert figures.whole.base == 0


def test_a_scale_of_words_counts_by_its_weights() -> None:
    text = SMALL.replace("value: 5,", "value: great, weight: 100,").replace(
        "value: 4,", "value: good, weight: 75,"
    )
    form = load_form(text.encode(), "small.yaml")
    figures = summarise(form, [{"all_in_all": "great"}, {"all_in_all": "good"}, {"all_in_all": 3}], issued=3)
    assert figures.items[-1].tally.rate == Fraction(2, 3)
    assert figures.items[-1].tally.mean == Fraction(178, 3)


def test_items_on_different_scales_are_not_pooled() -> None:
    text = SMALL.replace("fields:", "  t: {points: [{value: 1, label: 是}, {value: 0, label: 否}]}\nfields:")
    text = text.replace("type: choice, scale: s", "type: choice, scale: t")
    with pytest.raises(Invalid, match="s, t"):
        summarise(load_form(text.encode(), "small.yaml"), [], issued=0)


POINTS = st.sampled_from([1, 2, 3, 4, 5, 9, None])


@given(st.lists(st.fixed_dictionaries({"a": POINTS, "b": POINTS})))
def test_every_answer_is_counted_once_and_order_does_not_matter(cells: list[dict[str, int | None]]) -> None:
    form = load_form(SMALL.encode(), "small.yaml")
    figures = summarise(form, [{"m": each} for each in cells], issued=len(cells))
    for item in figures.items[:2]:
        tally = item.tally
        assert sum(tally.counts.values()) == tally.base
        assert tally.base + tally.abstained + tally.blank == len(cells)
        assert tally.satisfied <= tally.base
        assert tally.mean is None or 1 <= tally.mean <= 5
    assert figures == summarise(form, [{"m": each} for each in reversed(cells)], issued=len(cells))


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
