"""What a table says when none, one or several of its rules apply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EngineError, Misbuilt
from tests.decisions.tables import made, read, table

GRADES = [("< 60", '"不合格"'), ("[60..80)", '"合格"'), (">= 80", '"优良"')]
NESTED = [("> 1", "10"), ("> 2", "20"), ("> 3", "10")]


def test_under_unique_the_one_rule_that_applies_decides() -> None:
    assert made(table(GRADES), x=79.5).values == {"y": "合格"}


def test_without_a_rule_that_applies_the_result_is_null() -> None:
    said = made(table([('"a"', "1")]), x="b")
    assert (said.values, said.rules, said.whole) == ({"y": None}, (), None)


def test_without_a_rule_that_applies_the_default_is_given() -> None:
    assert made(table([('"a"', "1")], outputs=[{"name": "y", "default": "x"}]), x="b").values == {"y": "b"}


def test_several_rules_under_unique_are_a_fault_that_names_them() -> None:
    overlapping = table([("a", "1"), ("b", "2"), ("- ", "3")])
    with pytest.raises(
        EngineError, match="评级: rules 1, 2, 3 apply at once, but under the hit policy UNIQUE only one"
    ):
        made(overlapping, x=1, a=1, b=1)


def test_under_first_the_first_decides() -> None:
    said = made(table(NESTED, policy="FIRST"), x=5)
    assert (said.values, [rule.number for rule in said.rules]) == ({"y": 10}, [1])


def test_under_any_equal_results_are_one() -> None:
    assert made(table([("> 1", "10"), ("> 2", "5 + 5")], policy="ANY"), x=5).values == {"y": 10}


def test_under_any_different_results_are_a_fault_that_names_the_rules() -> None:
    with pytest.raises(EngineError, match="rules 1, 2 apply at once with different results"):
        made(table(NESTED, policy="ANY"), x=5)


def test_under_any_true_is_not_one() -> None:
    with pytest.raises(EngineError, match="different results"):
        made(table([("-", "1"), ("-", "true")], policy="ANY"), x=5)


RANKED = [{"name": "y", "values": '"紧急", "一般", "缓办"'}]
URGENT = [("> 1", '"一般"'), ("> 2", '"缓办"'), ("> 3", '"紧急"')]


def test_under_priority_the_most_important_result_is_given() -> None:
    said = made(table(URGENT, outputs=RANKED, policy="PRIORITY"), x=5)
    assert (said.values, [rule.number for rule in said.rules]) == ({"y": "紧急"}, [1, 2, 3])
    assert made(table(URGENT, outputs=RANKED, policy="PRIORITY"), x=3).values == {"y": "一般"}


def test_under_output_order_the_results_come_by_importance() -> None:
    assert made(table(URGENT, outputs=RANKED, policy="OUTPUT ORDER"), x=5).values == {
        "y": ["紧急", "一般", "缓办"]
    }


def test_of_several_outputs_the_first_counts_before_the_second() -> None:
    outputs = [{"name": "a", "values": "2, 1"}, {"name": "b", "values": '"q", "p"'}]
    rules = [("-", "1", '"q"'), ("-", "2", '"p"'), ("-", "2", '"q"')]
    said = made(table(rules, outputs=outputs, policy="OUTPUT ORDER"), x=0)
    assert said.results == ({"a": 2, "b": "q"}, {"a": 2, "b": "p"}, {"a": 1, "b": "q"})


def test_under_rule_order_the_results_come_as_written() -> None:
    assert made(table(NESTED, policy="RULE ORDER"), x=5).values == {"y": [10, 20, 10]}


def test_under_collect_every_result_is_given() -> None:
    assert made(table(NESTED, policy="COLLECT"), x=3).values == {"y": [10, 20]}
    assert made(table(NESTED, policy="COLLECT"), x=0).values == {"y": []}


@pytest.mark.parametrize(
    ("aggregation", "some", "none"),
    [("SUM", 40, None), ("COUNT", 3, 0), ("MIN", 10, None), ("MAX", 20, None)],
)
def test_collected_results_are_aggregated(aggregation: str, some: object, none: object) -> None:
    rules = table(NESTED, policy="COLLECT", aggregation=aggregation)
    assert (made(rules, x=5).values, made(rules, x=0).values) == ({"y": some}, {"y": none})


def test_what_cannot_be_added_up_is_a_fault() -> None:
    with pytest.raises(EngineError, match=r"评级, column y: .*sum\(\) wants a number"):
        made(table([("-", '"a"')], policy="COLLECT", aggregation="SUM"), x=1)


def test_a_result_may_be_worked_out_from_variables_and_has_to_fit_its_column() -> None:
    rules = table([("-", "x * 2")], outputs=[{"name": "y", "type": "number", "values": "2, 4"}])
    assert made(rules, x=2).values == {"y": 4}
    with pytest.raises(EngineError, match="评级, rule 1, column y: 6 is not among the values"):
        made(rules, x=3)
    with pytest.raises(EngineError, match="评级, rule 1, column y: 'aa' is no number"):
        made(rules, x="a")


@pytest.mark.parametrize(
    ("decision", "reason"),
    [
        (table(NESTED, policy="PRIORITY"), "needs the order of the results"),
        (table(NESTED, policy="LAST"), "There is no hit policy LAST"),
        (table(NESTED, policy="FIRST", aggregation="SUM"), "under the hit policy COLLECT only"),
        (table(NESTED, policy="COLLECT", aggregation="MEAN"), "There is no aggregation MEAN"),
        (
            table([("-", "1", "2")], outputs=("a", "b"), policy="COLLECT", aggregation="SUM"),
            "several outputs",
        ),
        (table([("-", '"d"')], outputs=RANKED, policy="PRIORITY"), "'d' is not among the values"),
    ],
)
def test_a_hit_policy_that_cannot_be_followed_is_refused(decision: str, reason: str) -> None:
    with pytest.raises(Misbuilt, match=reason):
        read(decision)


BOUNDS = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted)
POLICIES: dict[str, Callable[[list[int]], object]] = {
    "FIRST": lambda hits: hits[0] if hits else None,
    "RULE ORDER": lambda hits: hits,
    "COLLECT": lambda hits: hits,
    "COLLECT SUM": lambda hits: sum(hits) if hits else None,
    "COLLECT COUNT": len,
    "COLLECT MIN": lambda hits: min(hits, default=None),
    "COLLECT MAX": lambda hits: max(hits, default=None),
    "OUTPUT ORDER": lambda hits: sorted(hits, reverse=True),
    "PRIORITY": lambda hits: max(hits, default=None),
}


@given(
    st.lists(st.tuples(BOUNDS, st.sampled_from(["甲", "乙", None]), st.integers(0, 5)), min_size=1, max_size=8),
    st.sampled_from(sorted(POLICIES)), st.integers(0, 9), st.sampled_from(["甲", "乙", "丙"]),
)  # fmt: skip
def test_a_table_says_what_a_plain_reading_of_its_rows_does(
    rows: list[tuple[list[int], str | None, int]], policy: str, score: int, kind: str
) -> None:
    rules = [
        (f"[{low}..{high}]", f'"{which}"' if which else "-", str(result))
        for (low, high), which, result in rows
    ]
    hits = [result for (low, high), which, result in rows if low <= score <= high and which in (None, kind)]
    name, _, aggregation = policy.partition(" ") if policy.startswith("COLLECT") else (policy, "", "")
    outputs: Any = [{"name": "y", "values": "5, 4, 3, 2, 1, 0"}]
    decision = table(rules, ("score", "kind"), outputs, name, aggregation=aggregation)
    assert made(decision, score=score, kind=kind).values == {"y": POLICIES[policy](hits)}
