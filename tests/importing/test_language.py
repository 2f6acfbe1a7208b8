"""Expressions of other engines mean here what they meant there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.expressions import compile_expression
from engine.importing.language import translated
from engine.importing.report import Refusal

VARIABLES: dict[str, Any] = {
    "n": 7,
    "m": -2,
    "price": 2.5,
    "name": "李",
    "nothing": None,
    "empty_text": "",
    "yes": True,
    "no": False,
    "list": [1, 2, 3],
    "bare": [],
    "order": {"total": 12, "who": {"name": "王"}},
    "dueDate": "2026-12-31",
}


@dataclass(frozen=True)
class Tree:
    """An expression as the other engine reads it: how it is written and what it gives there."""

    written: str
    value: Any
    binds: int

    def within(self, least: int) -> str:
        return self.written if self.binds >= least else f"({self.written})"


def binary(signs: dict[str, Any], least: int, operands: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """Two operands and a sign between them, which associates to the left."""
    return st.builds(
        lambda left, sign, right: Tree(
            f"{left.within(least)} {sign} {right.within(least + 1)}",
            signs[sign](left.value, right.value),
            least,
        ),
        operands,
        st.sampled_from(sorted(signs)),
        operands,
    )


# Jakarta Expression Language 3.0, 1.2 and table of precedence in 1.19: ternary 1, or 2, and 3, equality 4,
# relation 5, sum 6, product 7, unary 8, taken 9, literal 10.
NUMBERS = st.one_of(
    st.integers(0, 9).map(lambda n: Tree(str(n), n, 10)),
    st.sampled_from([Tree("1.5", 1.5, 10), Tree(".5", 0.5, 10), Tree("007", 7, 10), Tree("1e1", 10.0, 10)]),
    st.sampled_from([Tree(name, VARIABLES[name], 10) for name in ("n", "m", "price")]),
    st.sampled_from([Tree("order.total", 12, 9), Tree("order['total']", 12, 9), Tree("list[1]", 2, 9)]),
    st.just(Tree("list.size()", 3, 9)),
)
NUMBERS = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        binary({"+": lambda a, b: a + b, "-": lambda a, b: a - b}, 6, inner),
        binary({"*": lambda a, b: a * b}, 7, inner),
        inner.map(lambda tree: Tree(f"-{tree.within(8)}", -tree.value, 8)),
        inner.map(lambda tree: Tree(f"{tree.within(7)} / 2", tree.value / 2, 7)),
        inner.map(lambda tree: Tree(f"{tree.within(7)} div 4", tree.value / 4, 7)),
    ),
    max_leaves=5,
)
TEXTS = st.one_of(
    st.sampled_from([Tree("name", "李", 10), Tree("order.who.name", "王", 9), Tree("empty_text", "", 10)]),
    st.text(st.characters(exclude_characters="'\\{}", exclude_categories=["Cs", "Cc"]), max_size=4).map(
        lambda text: Tree(f"'{text}'", text, 10)
    ),
    st.sampled_from([Tree(r"'it\'s'", "it's", 10), Tree('"a\\\\b"', "a\\b", 10)]),
)
EMPTY = st.sampled_from(
    [
        *(Tree(name, VARIABLES[name] in (None, ""), 10) for name in ("nothing", "empty_text", "name", "n")),
        *(Tree("bare", True, 10), Tree("list", False, 10), Tree("order", False, 10)),
    ]
)
ORDER = {
    **{"<": lambda a, b: a < b, "lt": lambda a, b: a < b, ">": lambda a, b: a > b, "gt": lambda a, b: a > b},
    **{
        "<=": lambda a, b: a <= b,
        "le": lambda a, b: a <= b,
        ">=": lambda a, b: a >= b,
        "ge": lambda a, b: a >= b,
    },
}
SAME = {
    **{"==": lambda a, b: a == b, "eq": lambda a, b: a == b},
    **{"!=": lambda a, b: a != b, "ne": lambda a, b: a != b},
}
CONDITIONS = st.recursive(
    st.one_of(
        st.sampled_from([Tree("yes", True, 10), Tree("no", False, 10), Tree("true", True, 10)]),
        binary(ORDER, 6, NUMBERS).map(lambda tree: Tree(tree.written, tree.value, 5)),
        binary(ORDER, 6, TEXTS).map(lambda tree: Tree(tree.written, tree.value, 5)),
        binary(SAME, 6, NUMBERS).map(lambda tree: Tree(tree.written, tree.value, 4)),
        binary(SAME, 6, TEXTS).map(lambda tree: Tree(tree.written, tree.value, 4)),
        st.sampled_from([Tree("nothing == null", True, 4), Tree("name ne null", True, 4)]),
        EMPTY.map(lambda tree: Tree(f"empty {tree.written}", tree.value, 8)),
        st.sampled_from([Tree("name.equals('李')", True, 9), Tree("list.contains(3)", True, 9)]),
        st.sampled_from([Tree("list.isEmpty()", False, 9), Tree("order.containsKey('x')", False, 9)]),
    ),
    lambda inner: st.one_of(
        binary({"&&": lambda a, b: a and b, "and": lambda a, b: a and b}, 3, inner),
        binary({"||": lambda a, b: a or b, "or": lambda a, b: a or b}, 2, inner),
        binary(SAME, 4, inner),
        inner.map(lambda tree: Tree(f"!{tree.within(8)}", not tree.value, 8)),
        inner.map(lambda tree: Tree(f"not {tree.within(8)}", not tree.value, 8)),
        st.tuples(inner, inner, inner).map(
            lambda three: Tree(
                f"{three[0].within(2)} ? {three[1].within(1)} : {three[2].within(1)}",
                three[1].value if three[0].value else three[2].value,
                1,
            )
        ),
    ),
    max_leaves=6,
)


def value_of(text: str, variables: dict[str, Any] = VARIABLES) -> Any:
    return compile_expression(text, frozenset()).evaluate(variables, {})


@given(CONDITIONS)
def test_a_translated_condition_gives_what_the_other_engine_gives(tree: Tree) -> None:
    assert value_of(translated(f"${{{tree.written}}}", {})) is tree.value


@given(NUMBERS)
def test_a_translated_sum_gives_the_same_number(tree: Tree) -> None:
    assert value_of(translated(f"#{{ {tree.written} }}", {})) == pytest.approx(tree.value)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("${x == 'a' && y > 3 || !z}", 'x == "a" and y > 3 or not z'),
        ("#{empty rows}", 'rows in [None, "", [], {}]'),
        ("${!empty rows}", 'rows not in [None, "", [], {}]'),
        ("${a eq b ne c}", "(a == b) != c"),
        ("${!a == b}", "(not a) == b"),
        ("${ok ? 'x' : other ? 1 : 2}", '"x" if ok else (1 if other else 2)'),
        ("${execution.hasVariable('x')}", 'defined("x")'),
        ("${execution.getVariable('x') == null}", '(x if defined("x") else None) == None'),
        ("${nrOfCompletedInstances/nrOfInstances >= 0.6}", "nrOfCompletedInstances / nrOfInstances >= 0.6"),
        ("${金额 > 100}", "金额 > 100"),
        ('= amount > 100 and kind = "travel"', 'amount > 100 and kind == "travel"'),
        ('=if a = null then "b" else not(c)', '"b" if a == None else not c'),
        ("total >= 80", "total >= 80"),
    ],
)
def test_simple_expressions_become_what_one_would_write_by_hand(theirs: str, ours: str) -> None:
    assert translated(theirs, {}) == ours


@pytest.mark.parametrize(
    ("theirs", "meant"),
    [
        (r"${'\u0041'}", r"\u0041"),
        (r"${'it\'s \"so\" \\ \n'}", r"""it's "so" \ \n"""),
        (r'= "\u0041\U01F600\t\n\"\\ \q"', 'A\U0001f600\t\n"\\ \\q'),
    ],
    ids=["unicode", "quotes", "FEEL"],
)
def test_a_backslash_in_a_text_means_what_it_means_in_the_other_language(theirs: str, meant: str) -> None:
    assert value_of(translated(theirs, {})) == meant


def test_a_variable_renamed_for_its_form_is_renamed_in_expressions() -> None:
    assert (
        translated("${dueDate == other.dueDate}", {"dueDate": "due_date"}) == 'due_date == other["dueDate"]'
    )


@pytest.mark.parametrize(
    ("theirs", "reason"),
    [
        ("${bean.approve(order)}", "calls a method"),
        ("${now()}", "calls a method"),
        ("${execution.businessKey}", "object of the other engine"),
        ("${task.assignee}", "object of the other engine"),
        ("${a % 2 == 0}", "remainder"),
        ("${'Nr. ' + n}", "takes texts for numbers"),
        ("Nr. ${n}", "joins text"),
        ("${a}-${b}", "joins text"),
        ("${a >}", "something is missing"),
        ("${a b}", "cannot be read at"),
        ("${class == 1}", "cannot be called"),
        ("${" + "(" * 60 + "a" + ")" * 60 + "}", "nested too deeply"),
        ("${" + "!" * 5000 + "a}", "longer than|nested too deeply"),
        ("= items[1]", "cannot be read at"),
        ("= count(items) > 0", "calls a method"),
        ("a && b", "another language"),
    ],
)
def test_what_would_mean_something_else_is_refused_with_its_reason(theirs: str, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        translated(theirs, {})
    told = refused.value.reason.format(**refused.value.params)
    assert any(part in told for part in reason.split("|")), told
    assert refused.value.remedy


@given(st.text(max_size=30))
def test_any_text_is_translated_or_refused(text: str) -> None:
    for wrapped in (f"${{{text}}}", f"={text}", text):
        try:
            after = translated(wrapped, {})
        except Refusal as refusal:
            after = "0" if refusal.reason.format(**refusal.params) else ""
        compile_expression(after, frozenset())
