"""A panel's numbers in one: against the standard library, against the definitions, and by what has to hold."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import isclose, isqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Invalid
from survey.figures import concordance, furthest, opinion, overall, system_of, unbalanced
from survey.figures.weighting import called

weights = st.fractions(0, 1, max_denominator=100)
panels = st.lists(weights, min_size=2, max_size=15)


@given(panels)
def test_mean_median_quartiles_and_variance_are_those_of_the_standard_library(given_: list[Fraction]) -> None:
    found = opinion(given_)
    lower, median, upper = statistics.quantiles(given_, n=4, method="inclusive")
    assert (found.lower, found.median, found.upper) == (lower, median, upper)
    assert (found.mean, found.median) == (statistics.mean(given_), statistics.median(given_))
    assert found.variance == statistics.variance(given_)


@given(panels, st.fractions(0, 2, max_denominator=50))
def test_the_coefficient_of_variation_is_compared_without_a_root(
    given_: list[Fraction], limit: Fraction
) -> None:
    found = opinion(given_)
    if found.variation is None:
        assert found.varies_at_most(limit)
    elif not isclose(found.variation, limit, abs_tol=1e-9):
        assert found.varies_at_most(limit) == (found.variation <= limit)


def test_a_coefficient_that_lies_on_the_limit_is_within_it() -> None:
    found = opinion([Fraction(3, 10), Fraction(4, 10), Fraction(5, 10)])  # 0.1 of 0.4
    assert found.varies_at_most(Fraction(1, 4))
    assert not found.varies_at_most(Fraction(249, 1000))


def test_one_expert_agrees_with_themselves() -> None:
    alone = opinion([Fraction(1, 3)])
    assert alone.variance == 0
    assert (alone.lower, alone.upper) == (Fraction(1, 3), Fraction(1, 3))


def test_the_greatest_change_needs_a_round_before() -> None:
    now = {"a": Fraction(1, 2), "b": Fraction(1, 2)}
    assert furthest({}, now) is None
    assert furthest({"a": Fraction(6, 10), "b": Fraction(4, 10)}, now) == Fraction(1, 10)


def test_concordance_is_one_when_all_rank_alike_and_zero_when_ranks_cancel_out() -> None:
    row = [Fraction(each) for each in (5, 3, 2, 1)]
    assert (found := concordance([row] * 5)) is not None
    assert [found.w, found.statistic, found.df] == [1, 15, 3]
    assert (opposed := concordance([row, row[::-1]])) is not None
    assert [opposed.w, opposed.p] == [0, 1]


def test_concordance_with_ties_is_that_of_the_textbook_formula() -> None:
    """W = (12 sum(R^2) - 3 m^2 n (n + 1)^2) / (m^2 n (n^2 - 1) - m sum(T)), on three rankings of ten: 0.828."""
    ranks = (
        ("1", "4.5", "2", "4.5", "3", "7.5", "6", "9", "7.5", "10"),
        ("2.5", "1", "2.5", "4.5", "4.5", "8", "9", "6.5", "10", "6.5"),
        ("2", "1", "4.5", "4.5", "4.5", "4.5", "8", "8", "8", "10"),
    )
    rows = [[Fraction(each) for each in row] for row in ranks]
    squares = sum(sum(column) ** 2 for column in zip(*rows, strict=True))
    ties = (2**3 - 2) * 2 + (2**3 - 2) * 3 + (4**3 - 4) + (3**3 - 3)
    found = concordance(rows)
    assert found is not None
    assert found.w == (12 * squares - 3 * 9 * 10 * 11**2) / (9 * 10 * 99 - 3 * ties)
    assert (f"{float(found.w):.3f}", found.df) == ("0.828", 9)
    assert found.statistic == 3 * 9 * found.w


@given(
    st.integers(2, 4).flatmap(
        lambda n: st.lists(st.lists(weights, min_size=n, max_size=n), min_size=2, max_size=5)
    )
)
def test_concordance_follows_from_the_mean_rank_correlation(rows: list[list[Fraction]]) -> None:
    """Without ties the mean of Spearman's coefficients over all pairs is (m W - 1) / (m - 1) (Kendall)."""
    if any(len(set(row)) < len(row) for row in rows):
        return
    found = concordance(rows)
    assert found is not None
    things, experts = len(rows[0]), len(rows)
    places = [[sorted(row).index(each) for each in row] for row in rows]
    pairs = [
        1 - Fraction(6 * sum((a - b) ** 2 for a, b in zip(one, other, strict=True)), things * (things**2 - 1))
        for one, other in itertools.combinations(places, 2)
    ]
    assert sum(pairs, Fraction(0)) / len(pairs) == (experts * found.w - 1) / (experts - 1)


@pytest.mark.parametrize("rows", [[], [[1, 2]], [[1], [1]], [[1, 1], [2, 2]]])
def test_there_is_no_concordance_of_one_or_where_nothing_is_ranked(rows: list[list[int]]) -> None:
    assert concordance([[Fraction(each) for each in row] for row in rows]) is None


TREE: list[Mapping[str, object]] = [
    {"first": "质量", "second": "性能", "third": None},
    {"first": "质量", "second": "安全", "third": "用电"},
    {"first": "质量", "second": "安全", "third": "用水"},
    {"first": "价格", "second": "", "third": None},
]


@given(st.lists(st.integers(1, 9), min_size=6, max_size=6))
def test_weights_that_make_one_on_every_level_make_one_in_the_whole(parts: Sequence[int]) -> None:
    tree = system_of(TREE, 3)
    raw = dict(zip(tree.nodes, parts, strict=True))
    given_ = {
        node: Fraction(raw[node], sum(raw[each] for each in nodes))
        for nodes in tree.neighbours.values()
        for node in nodes
    }
    assert unbalanced(tree, given_) == {}
    whole = overall(tree, given_)
    assert list(whole) == list(tree.leaves)
    assert sum(whole.values()) == 1
    assert whole[("质量", "安全", "用电")] == (
        given_[("质量",)] * given_[("质量", "安全")] * given_[("质量", "安全", "用电")]
    )


def test_what_does_not_make_one_is_named_with_its_sum() -> None:
    tree = system_of(TREE, 3)
    given_ = dict.fromkeys(tree.nodes, Fraction(1, 2)) | {("质量", "安全", "用水"): Fraction(1, 4)}
    assert unbalanced(tree, given_) == {("质量", "安全"): Fraction(3, 4)}
    assert [called(node) for node in tree.nodes[:3]] == ["质量", "质量—性能", "质量—安全"]


@pytest.mark.parametrize(
    ("rows", "levels", "field"),
    [
        ([{"first": "a", "third": "c"}], 3, "indicators.1.second"),
        ([{"first": "a", "second": "b"}], 1, "indicators.1.second"),
        ([{"first": "a"}, {"first": " a"}], 3, "indicators.2.first"),
        ([{"first": "a", "second": "b"}, {"first": "a"}], 3, "indicators.2.first"),
    ],
)
def test_a_table_that_makes_no_tree_is_refused_at_its_row(
    rows: list[dict[str, object]], levels: int, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        system_of(rows, levels)
    assert [each.field for each in refused.value.problems] == [field]


def test_roots_of_large_panels_stay_exact() -> None:
    number = isqrt(10**12)
    found = opinion([Fraction(each, number) for each in range(200)])
    assert found.mean == Fraction(199, 2 * number)
