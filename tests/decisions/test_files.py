"""Files of decision tables: what they may hold, what of them is refused, and where the fault is."""

from __future__ import annotations

import re
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decisions import decide, overlapping, read_decisions
from engine.decisions.document import NAMESPACES
from engine.errors import EngineError, Misbuilt
from tests.decisions.tables import dmn, made, read, table

ONE = table([('"a"', "1")])


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_every_release_of_dmn_is_read(namespace: str) -> None:
    assert list(read_decisions({"a.dmn": dmn(ONE, namespace=namespace)})) == ["rating"]


def test_what_changes_no_result_is_left_alone() -> None:
    beside = (
        '<inputData id="i" name="分数"/><knowledgeSource id="k"/>'
        '<textAnnotation id="n"><text>注</text></textAnnotation>'
        '<dmndi:DMNDI xmlns:dmndi="https://www.omg.org/spec/DMN/20191111/DMNDI/"/><!-- drawn by hand -->'
    )
    annotated = '<annotation name="依据"/><!-- in the table -->'
    rules = ONE.replace("</rule>", "<annotationEntry><text>003G</text></annotationEntry></rule>")
    rules = rules.replace("<decisionTable", "<description>评级规则</description><decisionTable")
    assert read_decisions(
        {"a.dmn": dmn(rules.replace("</decisionTable>", annotated + "</decisionTable>"), more=beside)}
    )


LITERAL = '<decision id="d" name="d"><literalExpression><text>1</text></literalExpression></decision>'
BAD: dict[str, tuple[bytes, str]] = {
    "no XML": (b"<definitions", "not well-formed"),
    "no DMN": (b"<definitions/>", "not DMN definitions"),
    "another root": (dmn(ONE).replace(b"definitions", b"definition"), "not DMN definitions"),
    "entities": (b'<!DOCTYPE x [<!ENTITY a "b">]>' + dmn(ONE), "document type or entities"),
    "too large": (dmn(ONE) + b" " * 5_000_000, "larger than"),
    "no decision": (dmn(), "no decision"),
    "an id twice": (dmn(ONE, ONE), "The id stands twice"),
    "no id": (dmn(ONE.replace(' id="rating"', "")), "has no id"),
    "a literal expression": (dmn(LITERAL), "The literalExpression is not run"),
    "a knowledge model": (dmn(ONE, more='<businessKnowledgeModel id="m"/>'), "The businessKnowledgeModel is not run"),
    "an import": (dmn(ONE, more='<import namespace="x"/>'), "The import is not run"),
    "no table": (dmn('<decision id="d" name="d"/>'), "has no decision table"),
    "no rule": (dmn(table([])), "The table has no rule"),
    "no output": (dmn(table([("1",)], outputs=())), "The table has no output"),
    "no expression": (dmn(table([("1", "2")], inputs=("",))), r"Column \? reads nothing"),
    "an output twice": (dmn(table([("-", "1", "2")], outputs=("y", "y"))), "stands twice"),
    "no variable": (dmn(table([("-", "1")], outputs=("处理 措施",))), "cannot be a variable"),
    "an unknown type": (dmn(table([("-", "1")], outputs=[{"name": "y", "type": "money"}])), "the type money"),
    "too few cells": (dmn(table([("1",)])), "Rule 1 has 1 cells for inputs and 0 for outputs"),
    "another language": (
        dmn(ONE.replace("<outputEntry>", '<outputEntry expressionLanguage="juel">')),
        "The language juel is not read",
    ),
    "values that are none": (dmn(table([("-", "1")], outputs=[{"name": "y", "values": "x"}])), "are no constants"),
    "a foreign part": (dmn(table([("-", "1")], more="<rules/>")), "The rules has no place in a decision table"),
    "nothing required": (dmn(table([("-", "1")], requires=("grade",))), "requires the decision grade"),
    "a circle": (
        dmn(table([("-", "1")], id="a", requires=("b",)), table([("-", "1")], id="b", requires=("a",))),
        "The decisions a, b require one another in a circle",
    ),
    "itself": (dmn(table([("-", "1")], requires=("rating",))), "in a circle"),
}  # fmt: skip


@pytest.mark.parametrize(("file", "reason"), BAD.values(), ids=BAD)
def test_a_file_that_cannot_decide_faithfully_is_refused(file: bytes, reason: str) -> None:
    with pytest.raises(Misbuilt, match=reason) as refused:
        read_decisions({"rating.dmn": file})
    assert {finding.file for finding in refused.value.findings} == {"rating.dmn"}
    assert all(finding.remedy for finding in refused.value.findings)


def test_every_fault_is_listed_with_its_line() -> None:
    rules = table([("“a”", "1"), ('"b"', "“2"), ('"c"', "3")]).replace("<rule", "\n<rule")
    with pytest.raises(Misbuilt) as refused:
        read_decisions({"a.dmn": dmn(rules)})
    assert [(each.line, each.reason[:16]) for each in refused.value.findings] == [
        (2, "Rule 1, column x"), (2, "Rule 1, column x"), (3, "Rule 2, column y"),
    ]  # fmt: skip


def test_a_decision_that_two_files_have_is_refused() -> None:
    with pytest.raises(Misbuilt, match=r"b\.dmn rating: The decision stands in a\.dmn too"):
        read_decisions({"a.dmn": dmn(ONE), "b.dmn": dmn(ONE)})


def test_decisions_are_made_after_those_they_require_and_see_their_results() -> None:
    grade = table([("< 60", '"差"'), (">= 60", '"好"')], ("score",), ("grade",), id="grade")
    many = table([("-", "1", "2")], ("score",), ("a", "b"), id="many", variable="pair")
    top = table([('"差"', '"回访"'), ('"好"', '"归档"')], ("grade",), ("action",), requires=("grade", "many"))
    tables = read(top, many, grade)
    steps = decide(tables, "rating", {"score": 50, "grade": "好"})
    assert [(each.decision.id, each.whole) for each in steps] == [
        ("many", {"a": 1, "b": 2}), ("grade", "差"), ("rating", "回访"),
    ]  # fmt: skip
    uses = read(table([("-", 'pair["b"] + a')], ("score",), requires=("many",)), many)
    assert decide(uses, "rating", {"score": 1})[-1].values == {"y": 3}


def test_a_result_is_not_seen_by_decisions_that_do_not_require_it() -> None:
    grade = table([("-", '"差"')], ("score",), ("grade",), id="grade")
    between = table([("-", "1")], ("score",), ("n",), id="between", requires=("grade",))
    other = table([('"好"', "1")], ("grade",), ("y",), requires=("between",))
    with pytest.raises(EngineError, match=r"there is no variable grade"):
        decide(read(other, between, grade), "rating", {"score": 1})


def test_a_single_output_without_a_name_has_that_of_its_decision() -> None:
    assert made(table([("-", "1")], outputs=("",)), x=0).values == {"rating": 1}
    assert made(table([("-", "1")], outputs=("",), variable="等级"), x=0).values == {"等级": 1}


def test_two_thousand_rules_are_read_and_asked_fast() -> None:
    rules = [(f"[{n}..{n + 1})", f'"区{n % 7}"', f'"结果{n}"') for n in range(2000)]
    begin = perf_counter()
    tables = read(table(rules, ("score", "area")))
    read_in = perf_counter() - begin
    said = decide(tables, "rating", {"score": 1999.5, "area": "区4"})[-1]
    asked_in = perf_counter() - begin - read_in
    assert said.values == {"y": "结果1999"}
    assert not list(overlapping(tables["rating"]))
    assert read_in < 3
    assert asked_in < 0.3


CONSTANTS = ["0", "1", "2", "3"]
CELLS = st.one_of(
    st.just("-"), st.sampled_from(CONSTANTS),
    st.builds("{} {}".format, st.sampled_from(["<", "<=", ">", ">=", "!="]), st.sampled_from(CONSTANTS)),
    st.builds("[{}..{})".format, st.sampled_from(CONSTANTS), st.sampled_from(CONSTANTS)),
    st.just("null"), st.just("not(1, 2)"), st.just("not(> 1)"),
)  # fmt: skip


@given(
    st.lists(st.tuples(CELLS, CELLS), min_size=2, max_size=5), st.sampled_from(["number", "integer", "same"])
)
def test_rules_overlap_exactly_when_some_values_make_both_apply(
    rows: list[tuple[str, str]], how: str
) -> None:
    type_ = "integer" if how == "integer" else ""
    names = ("x", "x") if how == "same" else ("x", "y")
    inputs: Any = [{"name": name, "type": type_} for name in names]
    tables = read(table([(*row, "1") for row in rows], inputs))
    values: list[float | None] = [None, *([-1, 0, 1, 2, 3, 4] if type_ else [n / 2 for n in range(-2, 9)])]
    pairs: set[int] = set()
    for x in values:
        for y in [x] if how == "same" else values:
            numbers = [
                rule.number
                for rule in tables["rating"].rules
                if all(cell.holds(value, {}) for cell, value in zip(rule.conditions, (x, y), strict=True))
            ]
            pairs |= set(numbers[:-1])
    assert {first.number for first, _ in overlapping(tables["rating"])} == pairs


def test_rules_whose_cells_read_variables_are_left_to_the_run() -> None:
    tables = read(table([("< limit", "1"), (">= other", "2")]))
    assert not list(overlapping(tables["rating"]))


def test_days_next_to_one_another_leave_no_gap_in_which_rules_meet() -> None:
    days = [('<= date("2026-12-31")', "1"), ('>= date("2027-01-01")', "2")]
    assert not list(overlapping(read(table(days, [{"name": "x", "type": "date"}]))["rating"]))
    assert list(
        overlapping(
            read(table([*days[:1], ('>= date("2026-12-31")', "2")], [{"name": "x", "type": "date"}]))[
                "rating"
            ]
        )
    )


def test_truth_values_are_two() -> None:
    for rules, meets in (
        ([("true", "1"), ("false", "2")], False),
        ([("true", "1"), ("not(true)", "2")], False),
        ([("true", "1"), ("not(false)", "2")], True),
    ):
        assert bool(list(overlapping(read(table(rules))["rating"]))) is meets


def test_the_table_of_the_documentation_is_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    [written] = [
        each for each in re.findall(r"```xml\n(.*?)```", page, re.DOTALL) if each.startswith("<definitions")
    ]
    tables = read_decisions({"measures.dmn": written.encode()})
    assert decide(tables, "measure", {"grade": "不满意"})[-1].values == {"measure": "上门回访"}
