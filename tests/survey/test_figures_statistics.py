"""The statistics, against tables and computations of other makers."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Invalid
from survey.figures import (
    TOP2_ANSWERED,
    Tally,
    Wave,
    consistency,
    correction,
    count,
    mean_interval,
    method,
    normal,
    open_texts,
    priorities,
    ratio,
    summarise,
    trend,
    wilson,
)
from survey.figures.distributions import chi_square_tail, t_quantile
from tests.survey.asked import form, with_overall


@pytest.mark.parametrize(
    ("df", "quantile"),
    [(1, 12.706), (2, 4.303), (5, 2.571), (10, 2.228), (30, 2.042), (120, 1.980), (100_000, 1.960)],
)
def test_quantiles_of_t_are_those_of_the_tables(df: int, quantile: float) -> None:
    assert round(t_quantile(0.975, df), 3) == quantile


@pytest.mark.parametrize(
    ("df", "critical"),
    [(1, 3.841), (2, 5.991), (3, 7.815), (4, 9.488), (9, 16.919), (10, 18.307), (100, 124.342)],
)
def test_tails_of_chi_square_are_those_of_the_tables(df: int, critical: float) -> None:
    assert chi_square_tail(critical, df) == pytest.approx(0.05, abs=2e-5)


@given(st.integers(4, 40), st.floats(0.05, 80))
def test_the_tail_of_chi_square_is_the_area_under_its_density(df: int, x: float) -> None:
    def density(t: float) -> float:
        if t == 0:
            return 0.0
        return math.exp((df / 2 - 1) * math.log(t) - t / 2 - df / 2 * math.log(2) - math.lgamma(df / 2))

    steps, width = 2000, x / 2000
    area = (
        sum(density(n * width) * (1 if n in (0, steps) else 4 if n % 2 else 2) for n in range(steps + 1))
        * width
        / 3
    )
    assert chi_square_tail(x, df) == pytest.approx(1 - area, abs=1e-4)


@given(st.integers(1, 500), st.data())
def test_the_ends_of_wilsons_interval_are_where_the_rate_is_just_believable(
    base: int, data: st.DataObject
) -> None:
    part = data.draw(st.integers(0, base))
    found = wilson(part, base)
    assert found is not None
    assert 0 <= found.low <= part / base <= found.high <= 1
    for end in {found.low, found.high} - {0.0, 1.0}:
        assert (part / base - end) ** 2 == pytest.approx(1.959964**2 * end * (1 - end) / base, rel=1e-5)


def test_a_finite_population_narrows_intervals() -> None:
    plain = normal(66, 73, correction(101, 73))
    assert plain is not None
    assert round(100 * (plain.high - plain.low) / 2, 1) == 3.6
    narrow, wide, certain = (wilson(90, 100, correction(size, 100)) for size in (150, None, 100))
    assert narrow is not None
    assert wide is not None
    assert certain is not None
    assert wide.low < narrow.low < certain.low == certain.high == 0.9 < narrow.high < wide.high
    assert correction(1, 1) == correction(0, 0) - 1 == 0


def test_the_interval_of_a_mean_is_students() -> None:
    levels = summarise(form(5, "m: a"), [], 0).items[0].tally.levels
    found = mean_interval(Tally(levels, (4, 3, 2, 1, 0)))
    marks = [5] * 4 + [4] * 3 + [3] * 2 + [2]
    half = 2.262157 * statistics.stdev(marks) / math.sqrt(10)  # t of 9 degrees of freedom
    assert found is not None
    assert (found.low, found.high) == pytest.approx((4 - half, 4 + half), abs=1e-5)
    assert mean_interval(Tally(levels, (1, 0, 0, 0, 0))) is None


def test_answers_of_one_person_are_not_taken_for_independent() -> None:
    alike = ratio([(50, 50, 20), (50, 0, 20)])  # forty people, each of one mind about fifty items
    single = ratio([(1, 1, 20), (1, 0, 20)])
    naive = normal(1000, 2000)
    assert alike is not None
    assert single is not None
    assert naive is not None
    assert (alike.low, alike.high) == pytest.approx((single.low, single.high))
    assert alike.high - alike.low > 6 * (naive.high - naive.low)
    assert ratio([(3, 1, 1), (0, 0, 9)]) is None


def test_consistency_is_cronbachs_alpha_of_those_who_answered_all() -> None:
    asked = form(5, "m: a b c\nn: d e")
    sets = [(5, 4, 5), (4, 4, 3), (2, 3, 2), (1, 1, 2), (3, 3, 4)]
    answers = [{"m": dict(zip("abc", each, strict=True))} for each in sets] + [
        {"m": {"a": 5, "b": None, "c": 1}}
    ]
    (found,) = consistency(count(asked, answers))
    spread = [statistics.variance(column) for column in zip(*sets, strict=True)]
    alpha = 1.5 * (1 - sum(spread) / statistics.variance([sum(each) for each in sets]))
    assert found.alpha is not None
    assert (found.group, found.items, found.base, found.doubtful) == ("m", 3, 5, False)
    assert float(found.alpha) == pytest.approx(alpha)
    against = [{"m": {"a": 5, "b": 1, "c": 3}}, {"m": {"a": 1, "b": 4, "c": 3}}]
    assert consistency(count(asked, against))[0].doubtful
    assert consistency(count(asked, answers[:1]))[0].alpha is None


def test_priorities_are_items_that_matter_and_are_rated_low() -> None:
    asked = with_overall(5, "m: a b c", "top2/answered")
    sets = [(5, 4, 5, 5), (4, 1, 5, 4), (1, 3, 4, 1), (2, 2, 5, 2), (3, 5, 5, 3)]
    answers = [{"m": dict(zip("abc", each, strict=False)), "overall": each[3]} for each in sets]
    answers += [{"m": {"a": 1}, "overall": None}]
    found = {each.id: each for each in priorities(count(asked, answers))}
    columns = list(zip(*sets, strict=True))
    for name, column in zip("abc", columns, strict=False):
        assert found[name].importance == pytest.approx(statistics.correlation(column, columns[3]))
        assert found[name].base == 5
    assert (found["a"].quadrant, found["b"].quadrant, found["c"].quadrant) == ("improve", "minor", "keep")
    with pytest.raises(Invalid, match="name the item"):
        priorities(count(form(5, "m: a"), []))


def test_a_trend_needs_the_same_questions_and_the_same_method() -> None:
    def wave(
        name: str, marks: list[int], version: str = "1", rows: str = "m: a", how: str = "top2/answered"
    ) -> Wave:
        answers = [{"m": {"a": mark}} for mark in marks]
        return Wave(name, summarise(form(5, rows, version=version), answers, 9, method=method(how)))

    first = wave("2025", [5, 1])
    found = trend([first, wave("2026", [5, 4, 4, 1])])
    assert (found.whole.rates, found.whole.bases, found.whole.change) == (
        (Fraction(1, 2), Fraction(3, 4)), (2, 4), Fraction(1, 4)
    )  # fmt: skip
    assert found.items[0].means == (Fraction(3), Fraction(7, 2))
    with pytest.raises(Invalid, match=r"2025 and 2026 cannot be compared.*tried 1, the other tried 2"):
        trend([first, wave("2026", [5], version="2")])
    with pytest.raises(Invalid, match="figured by top2/answered, the other by top2/returned"):
        trend([first, wave("2026", [5], how="top2/returned")])
    with pytest.raises(Invalid, match="changed without a new version"):
        trend([first, wave("2026", [5], rows="m: a b")])
    with pytest.raises(Invalid, match="two rounds or more, found 1"):
        trend([first])
    with pytest.raises(Invalid, match="tried 1 and tried 2"):
        count(form(5, "m: a"), []) + count(form(5, "m: a", version="2"), [])


def test_open_answers_are_listed_so_that_their_order_tells_nothing() -> None:
    extra = "  - {id: said, type: long_text, label: 意见}\n  - {id: phone, type: text, personal: true, label: 电话}\n"
    asked = with_overall(5, "m: a", "top2/answered", extra)
    said: list[dict[str, object]] = [
        {"said": " 电梯慢 ", "phone": "1"},
        {"said": ""},
        {"said": "保洁好"},
        {"said": None},
        {},
        {"said": "安静"},
    ]
    (found,) = open_texts(asked, said)
    assert (found.field, set(found.texts), found.left_out) == ("said", {"电梯慢", "保洁好", "安静"}, 0)
    assert list(found.texts) == sorted(found.texts)
    assert open_texts(asked, said, most=2)[0].left_out == 1


def test_points_that_are_not_evenly_spaced_and_large_weights_keep_their_sums() -> None:
    points = "{value: a, weight: 1000, label: 甲}, {value: b, weight: 3.5, label: 乙}, {value: c, weight: 0, label: 丙}"
    asked = form(3, "m: x y z", points=points)
    worth = {"a": 1000.0, "b": 3.5, "c": 0.0}
    sets = list(product("abc", repeat=3))[:20]
    (found,) = consistency(count(asked, [{"m": dict(zip("xyz", each, strict=True))} for each in sets]))
    numbers = [[worth[mark] for mark in each] for each in sets]
    spread = [statistics.variance(column) for column in zip(*numbers, strict=True)]
    assert found.alpha is not None
    assert float(found.alpha) == pytest.approx(
        1.5 * (1 - sum(spread) / statistics.variance(map(sum, numbers)))
    )


def test_counting_takes_answers_as_they_come() -> None:
    def endless() -> Iterator[dict[str, object]]:
        for number in range(60_000):
            yield {"m": {"a": number % 5 + 1}}

    found = summarise(form(5, "m: a"), endless(), 60_000, method=TOP2_ANSWERED)
    assert found.items[0].tally.numbers == (12_000,) * 5
