"""What stands in a cell for an input, and which values pass it."""

from __future__ import annotations

import operator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.decisions.cells import read_cell
from engine.errors import EngineError, Misbuilt
from tests.decisions.tables import made, read, says, table

PASSED: list[tuple[str, object]] = [
    ("", 5), ("-", None), (" - ", "很差"), ("5", 5), ("5", 5.0), ("= 5", 5), ("!= 5", 6), ("-5", -5),
    ('"很满意"', "很满意"), ('"问题,多?"', "问题,多?"), ('"a", "b"', "b"), ("1,5", 5), ("< 10", 9.5), ("<= 10", 10),
    ("> 0.8", 0.81), ("[1..10]", 1), ("[1..10]", 10), ("(1..10)", 2), ("]1..10[", 9), ("[-5..-1]", -3),
    ("[1..2], [5..6[, 20", 5.5), ('["b".."d"]', "c"), ('not("a", "b")', "c"), ("not(> 5)", 5), ("not([1..2])", 3),
    ("true", True), ("false", False), ("null", None), ("not(null)", 0), ('date("2026-10-01")', "2026-10-01"),
    ('>= date("2026-10-01")', "2026-10-02"), ('[date("2026-01-01")..date("2026-02-01")]', "2026-01-31"),
    ("> limit * 2", 21), ("[limit..limit+5]", 15), ("choices", "b"), ('["a", "b"]', "b"), ("len(choices)", 2),
    ('"a\\"b"', 'a"b'), ("100000000000000000000", 10**20),
]  # fmt: skip
NOT_PASSED: list[tuple[str, object]] = [
    ("5", 6), ("5", "5"), ("true", 1), ("1", True), ("0", False), ('"a"', "A"), ("(1..10)", 1), ("(1..10)", 10),
    ("]1..10[", 10), ("[10..1]", 5), ('not("a")', "a"), ("> 5", None), ("<= 5", None), ("not(> 5)", None),
    ("null", 0), ('"null"', None), ("choices", "c"), ('not("a", null)', None),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "value"), PASSED, ids=str)
def test_a_value_passes(cell: str, value: object) -> None:
    assert says(cell, value, limit=10, choices=["a", "b"])


@pytest.mark.parametrize(("cell", "value"), NOT_PASSED, ids=str)
def test_a_value_does_not_pass(cell: str, value: object) -> None:
    assert not says(cell, value, limit=10, choices=["a", "b"])


REFUSED = {
    "x > 5": "`x > 5` is a condition of its own",
    "not x": "is a condition of its own",
    'not("a"), "b"': "is a condition of its own",
    '"a",, "b"': "A value is missing beside a comma",
    '"a",': "A value is missing beside a comma",
    '"a" "b"': "Two texts stand beside one another",
    '"a': "is not closed",
    "[1..2": "has no partner",
    ">": "nothing to read",
    "1 # , 2": "There is no comment in a cell",
    "“很满意”": "not the plain character it looks like",
    '"a"，"b"': "not the plain character it looks like",
    "≥ 5": "not the plain character it looks like",
    "&& 5": "another language's spelling",
    'date("2026-02-30")': "is no day",
    'date and time("2026-02-03T00:00:00")': "there is no function time",
    "if a then b else c": "cannot be read",
    "? > 5": "another language's spelling",
    "x.__class__.__mro__": "reaches inside a value",
    '__import__("os").getcwd()': "is a method",
    "open('/etc/passwd')": "there is no function open",
    "9**9**9": "the number is too large",
    "[1..9**9**9]": "the number is too large",
    '"a" * 999999999': "the text is longer than",
    "lambda: 1": "a function cannot be made",
    "(" * 150 + "1" + ")" * 150: "deeper than",
    "1" * 2001: "longer than 2000 characters",
    "[" + ".." * 900: "has no partner",
}


@pytest.mark.parametrize(("cell", "reason"), REFUSED.items(), ids=[key[:30] for key in REFUSED])
def test_a_cell_that_cannot_be_read_is_refused_with_rule_and_column(cell: str, reason: str) -> None:
    with pytest.raises(Misbuilt) as refused:
        read(table([("1", "1"), (cell, "2")], [{"name": "x", "label": "满意度"}], policy="FIRST"))
    [finding] = refused.value.findings[:1]
    assert (finding.file, finding.element) == ("rating.dmn", "rating")
    assert finding.reason.startswith("Rule 2, column 满意度: ")
    assert reason in finding.reason
    assert finding.remedy


def test_a_cell_may_stand_on_several_lines() -> None:
    assert says('"a",\n  "b"', "b")


def test_values_of_different_kinds_have_no_order_and_the_fault_names_the_rule() -> None:
    with pytest.raises(EngineError, match="评级, rule 1, column x: '2' is neither before nor after 1"):
        says("> 1", "2")


def test_a_cell_that_reads_a_variable_nobody_set_is_a_fault() -> None:
    with pytest.raises(EngineError, match=r"评级, rule 1, column x: .*there is no variable 很满意"):
        says("很满意", "很满意")


def test_the_value_of_a_column_has_to_be_of_its_type() -> None:
    rules = table([('"a"', "1")], [{"name": "x", "type": "string", "label": "等级"}])
    assert made(rules, x=None).results == ()
    with pytest.raises(EngineError, match="评级, column 等级: 5 is no string"):
        made(rules, x=5)


def test_the_value_of_a_column_has_to_be_among_those_listed() -> None:
    rules = table([('"a"', "1")], [{"name": "x", "values": '"a", "b"'}])
    assert made(rules, x="b").results == ()
    with pytest.raises(EngineError, match="'c' is not among the values of the column"):
        made(rules, x="c")


@pytest.mark.parametrize(
    ("type_", "cell", "good"),
    [
        ("string", "5", False), ("number", '"5"', False), ("number", "5", True), ("integer", "1.5", False),
        ("integer", "2", True), ("boolean", "1", False), ("date", '"1. May"', False),
        ("date", 'date("2026-05-01")', True), ("feel:string", '"a"', True), ("Any", "5", True),
        ("string", "null", True), ("long", "7", True), ("double", "-7.5", True),
    ],
)  # fmt: skip
def test_a_constant_of_another_type_than_its_column_is_found_before_anything_runs(
    type_: str, cell: str, good: bool
) -> None:
    for rules in (
        table([(cell, "1")], [{"name": "x", "type": type_}]),
        table([("1", cell)], outputs=[{"name": "y", "type": type_}]),
    ):
        if good:
            assert read(rules)
        else:
            with pytest.raises(Misbuilt, match=f"is no {type_}"):
                read(rules)


NUMBERS = st.integers(-20, 20) | st.integers(-40, 40).map(lambda half: half / 2)
SIGNS = {
    "": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@st.composite
def written(draw: st.DrawFn) -> tuple[str, Any]:
    """A test as a cell has it, and the same as a function of Python."""
    if draw(st.booleans()):
        low, high = draw(NUMBERS), draw(NUMBERS)
        begin, end = draw(st.sampled_from("[(]")), draw(st.sampled_from("])["))
        above = operator.ge if begin == "[" else operator.gt
        below = operator.le if end == "]" else operator.lt
        return f"{begin}{low}..{high}{end}", lambda x: above(x, low) and below(x, high)
    sign, bound = draw(st.sampled_from(sorted(SIGNS))), draw(NUMBERS)
    return f"{sign} {bound}", lambda x: SIGNS[sign](x, bound)


@given(st.lists(written(), min_size=1, max_size=4), st.booleans(), NUMBERS)
def test_a_cell_means_what_python_says_of_it(
    tests: list[tuple[str, Any]], negated: bool, value: float
) -> None:
    cell = ", ".join(text for text, _ in tests)
    expected = any(holds(value) for _, holds in tests) is not negated
    assert read_cell(f"not({cell})" if negated else cell).holds(value, {}) is expected


@given(st.text(max_size=60) | st.text('[]()".,-<>=!not1a ', max_size=40))
@example("A\\")
def test_any_text_at_all_is_read_or_refused(text: str) -> None:
    with suppress(EngineError):
        assert read_cell(text).holds(5, {}) in (True, False)
