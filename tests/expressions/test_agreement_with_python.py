"""Inside the language, an expression means what it means in Python."""

from __future__ import annotations

import json
import math
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.expressions import ExpressionFault, compile_expression

VARIABLES = {
    "n": 7,
    "r": -2.5,
    "t": "abc",
    "e": "",
    "l": [3, 1, 2],
    "m": {"a": 1, "b": [1, 2]},
    "y": True,
    "z": None,
}

LITERALS = [
    "0",
    "1",
    "-3",
    "2.5",
    "'a'",
    "'b c'",
    "True",
    "False",
    "None",
    "[]",
    "[1, 2.5]",
    "{'a': 2}",
]
OPERATORS = ["+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", "and", "or"]
UNARY = [
    "not {0}",
    "-{0}",
    "+{0}",
    "len({0})",
    "bool({0})",
    "abs({0})",
    "int({0})",
    "sorted({0})",
    "max({0})",
]
BINARY = [f"{{0}} {sign} {{1}}" for sign in [*OPERATORS, "**", "in"]] + [
    "{0} not in {1}",
    "{0}[{1}]",
    "{0}[{1}:]",
    "[{0}, {1}]",
    "{{'a': {0}, 'b': {1}}}",
    "min({0}, {1})",
    "({0} is None) == {1}",
]
TERNARY = [
    "{0} if {1} else {2}",
    "{0} < {1} < {2}",
    "{0} == {1} != {2}",
    "{0}[{1}:{2}]",
    "{0} and {1} or {2}",
]


def combined(inner):
    forms = [(UNARY, 1), (BINARY, 2), (TERNARY, 3)]
    return st.one_of(
        st.builds(
            lambda form, parts: "(" + form.format(*parts) + ")",
            st.sampled_from(rows),
            st.tuples(*[inner] * n),
        )
        for rows, n in forms
    )


EXPRESSIONS = st.recursive(st.sampled_from([*LITERALS, *VARIABLES]), combined, max_leaves=8)


def exact(value):
    """The value as JSON, which tells 1 from 1.0 and from True."""
    return json.dumps(value)


def in_python(text):
    """Python's own answer, or None when it has none that JSON can hold."""
    allowed = {"len": len, "bool": bool, "abs": abs, "int": int, "sorted": sorted, "max": max, "min": min}
    try:
        with warnings.catch_warnings():
            # Python warns of what can only fail, such as 1[0]; that it fails is all that is asked here.
            warnings.simplefilter("ignore", SyntaxWarning)
            return exact(eval(text, {"__builtins__": {}}, {**allowed, **VARIABLES}))
    except (TypeError, ValueError, LookupError, ArithmeticError):
        return None


def small(text):
    """Whether Python itself can be asked: a tower of powers would keep it busy for ever."""
    return text.count("**") <= 1


@given(EXPRESSIONS.filter(small))
def test_our_value_is_pythons_value(text):
    condition = compile_expression(text, ())
    try:
        ours = exact(condition.evaluate(VARIABLES, {}))
    except ExpressionFault:
        return
    assert ours == in_python(text)


@given(EXPRESSIONS.filter(small))
def test_where_python_has_no_answer_we_have_none(text):
    condition = compile_expression(text, ())
    if in_python(text) is None:
        with pytest.raises(ExpressionFault, match="Line 1, column "):
            condition.evaluate(VARIABLES, {})


NUMBERS = st.integers(-9, 9).map(str) | st.floats(-9, 9).map(repr) | st.sampled_from(["n", "r", "y"])
ARITHMETIC = st.recursive(
    NUMBERS,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(OPERATORS), inner)
        | st.builds("({} if {} else {})".format, inner, inner, inner)
        | st.builds("(not {})".format, inner)
    ),
    max_leaves=20,
)


@given(ARITHMETIC)
def test_arithmetic_faults_only_where_python_divides_by_zero(text):
    condition = compile_expression(text, ())
    try:
        expected = eval(text, {"__builtins__": {}}, dict(VARIABLES))
    except ZeroDivisionError:
        expected = None
    try:
        ours = exact(condition.evaluate(VARIABLES, {}))
    except ExpressionFault:
        assert expected is None or not math.isfinite(expected)
    else:
        assert ours == exact(expected)
