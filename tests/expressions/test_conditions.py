"""What a condition may say, what it may not, and what its author is told."""

from __future__ import annotations

import re

import pytest

from engine.errors import Conflict, Misbuilt
from engine.expressions import ExpressionFault, compile_expression

VARIABLES = {
    "score": 82,
    "ratio": 0.5,
    "city": "上海",
    "round": 3,
    "since": "2026-01-31",
    "nobody": None,
    "survey": {"units": [{"name": "一号楼", "returns": 40}, {"name": "二号楼", "returns": 2}]},
    "满意度": 95,
}


def value_of(text, variables=VARIABLES, **functions):
    return compile_expression(text, functions).evaluate(variables, functions)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("score >= 80 and city == '上海'", True),
        ("满意度 > 90", True),
        ("60 <= score < 80", False),
        ("'high' if score > 80 else 'low'", "high"),
        ("not score or nobody", None),
        ("nobody is None", True),
        ("city is not None", True),
        ("survey['units'][0]['name']", "一号楼"),
        ("survey['units'][-1]['returns'] * 2", 4),
        ("since[:4]", "2026"),
        ("[5, 6, 7][::2]", [5, 7]),
        ("since < '2026-02-01'", True),
        ("'name' in survey['units'][0]", True),
        ("'海' in city and '京' not in city", True),
        ("round + 1", 4),
        ("round(score / 3, 1)", 27.3),
        ("7 // 2 + 7 % 4 - 2 ** 3", -2),
        ("-score + +1", -81),
        ("(1, 'a')", [1, "a"]),
        ("()", []),
        ("{'a': [1], 'b': {}}", {"a": [1], "b": {}}),
        ("city + '/' + str(score)", "上海/82"),
        ("[0] * 3 + [1]", [0, 0, 0, 1]),
        ("'-' * 3", "---"),
        ("3 * '-'", "---"),
        ("len(city) + len([1, 2]) + len(survey)", 5),
        ("min(3, 1, 2) + max([3, 1, 2])", 4),
        ("sum([1, 2.5])", 3.5),
        ("sum([0.1] * 10)", 1.0),
        ("abs(-3)", 3),
        ("int('42') + int(3.9) + int(True)", 46),
        ("float('2.5')", 2.5),
        ("bool([]) or bool('x')", True),
        ("any([0, 1]) and all([])", True),
        ("sorted(['b', 'a'])", ["a", "b"]),
        ("sorted([1, 3, 2], reverse=True)", [3, 2, 1]),
        ("get(survey, 'units', []) == survey['units']", True),
        ("get(survey, 'missing')", None),
        ("get(survey, 'missing', 7)", 7),
        ("defined('score') and not defined('missing')", True),
        ("  score > 80  # enough\n  and ratio < 1\n", True),
        ("1_000 + 0x10 + 1.5e1", 1031.0),
    ],
)
def test_a_condition_has_the_value_its_author_expects(text, value):
    assert value_of(text) == value


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a.b > 3", 'Write a["b"]'),
        ("a.b.c", 'Write a["b"]["c"]'),
        ("a['b'].c", "Write a['b'][\"c\"]"),
        ("a.__class__.__mro__", 'Write a["__class__"]["__mro__"]'),
        ("a.get('b')", "get(mapping, key, default)"),
        ("a.length()", "len(x)"),
        ("a.upper()", "with upper a registered function"),
        ("${x > 3}", "Write x > 3"),
        ("#{ x > 3 }", "Write x > 3"),
        ("${a} > ${b}", "Write the variable's name alone"),
        ("a && b", "Write `and`"),
        ("a || b", "Write `or`"),
        ("!a", "Write `not x`"),
        ("a === b", "Write `==`"),
        ("a <> b", "Write `!=`"),
        ("a => b", "Write `>=`"),
        ("a ? b : c", "a if condition else b"),
        ("a = 3", "Write `==`"),
        ("= a", "leave out a leading `=`"),
        ("(a := 3)", "Write `==`"),
        ("a == true", "Write True"),
        ("a == null", "Write None"),
        ("a & b", "Write `and`"),
        ("a | b", "Write `or`"),
        ("1 << 9", "power of 2"),
        ("~a", "Write `not`"),
        ("a is 3", "Write == or !="),
        ("[x for x in a]", "multi-instance"),
        ("any(x for x in a)", "multi-instance"),
        ("lambda: 1", "Register a function"),
        ("{1, 2}", "Write a list"),
        ("f(*a)", "join lists with +"),
        ("f(**a)", "Write name=value"),
        ("f(a=1, a=2)", "Write name=value"),
        ("{**a}", "one by one"),
        ("f'{a}'", "str(n)"),
        ("b'a'", "plain quotes"),
        ("'''a'''", "plain quotes"),
        ("'abc", "Close it"),
        (r"'\d'", r"Write \\ for a backslash"),
        (r"'\ud800'", "Leave out"),
        (r"'\u0000'", "Leave out"),
        ("1j", "space between"),
        ("1if a else 2", "space between"),
        ("...", "Write a number, text"),
        ("1e999", "smaller number"),
        ("0x" + "f" * 1100, "smaller number"),
        ("f(1)(2)", "Write name(x)"),
        ("lenn(a)", "Write len"),
        ("zzz(a)", "The functions here are abs, all"),
        ("len(1, 2)", "Write len(value)"),
        ("round(1, 2, 3)", "Write round(number, [digits])"),
        ("defined(a)", 'defined("name")'),
        ("a[1, 2]", "Write x[a][b]"),
        ("__import__('os')", "The functions here are"),
        ("__builtins__", "Choose another name"),
        ("a" * 101, "Choose a shorter name"),
        ("（a）", "Write ( with a half-width"),
        ("a ＞ 3", "Write > with a half-width"),
        ("a == “上海”", 'Write " with a half-width'),
        ("a ≥ 3", "Write >= with a half-width"),
        ("ａ > 3", "Write a with a half-width"),
        ("(a", "Close each bracket"),
        ("a) or (b", "Close each bracket"),
        ("[a)", "Close each bracket"),
        ("a >", "Write a condition"),
        ("import os", "Write a condition"),
        ("a; b", "Write a condition"),
        ("yield a", "Use names, literals"),
        ("", "Write a condition"),
        ("# only a comment", "Write a condition"),
        ("a\0", "Write a condition"),
        ("a\ud800", "broken characters"),
    ],
)
def test_what_is_outside_the_language_is_refused_with_what_to_write_instead(text, hint):
    with pytest.raises(Misbuilt) as refusal:
        compile_expression(text, {"f"})
    for finding in refusal.value.findings:
        assert (finding.level, finding.file, finding.element) == ("error", "", "")
        assert re.match(r"Line \d+, column \d+: ", finding.reason)
    assert hint in str(refusal.value)


def test_every_fault_is_listed_with_its_line_and_column():
    text = "市.a == 1 and\n  '市' == b.c"
    with pytest.raises(Misbuilt) as refusal:
        compile_expression(text, ())
    places = [(finding.params["line"], finding.params["column"]) for finding in refusal.value.findings]
    assert places == [(1, 1), (2, 10)]


def test_one_text_never_gets_a_flood_of_findings():
    with pytest.raises(Misbuilt) as refusal:
        compile_expression("!" * 9000, ())
    assert len(refusal.value.findings) == 20


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scor > 3", "Line 1, column 1: there is no variable scor; did you mean score?"),
        ("score > 1 and\n zebra", 'Line 2, column 2: there is no variable zebra; .* defined("zebra")'),
        ("survey['unit']", "column 8: there is no key 'unit'; did you mean 'units'?"),
        ("survey['x']", "no key 'x'; where it may be missing, write get(mapping, key, default)"),
        ("survey[0]", "keys are text, but this is a whole number"),
        ("city['x']", "a position in text is a whole number, but this is text"),
        ("city[True]", "a position in text is a whole number, but this is a truth value"),
        ("[1][1]", "position 1 is outside a list of length 1"),
        ("[1][-2]", "position -2 is outside a list of length 1"),
        ("nobody['x']", "None has no entries to take one from"),
        ("score[1:]", "only a list or text can be cut, but this is a whole number"),
        ("city['a':]", "where to cut is a whole number, but this is text"),
        ("city[::0]", "the step of a cut cannot be zero"),
        ("score > city", "column 9: > does not apply to a whole number and text"),
        ("nobody < ratio", "< does not apply to None and a decimal number"),
        ("[1] < [2]", "< does not apply to a list and a list"),
        ("'第' + round", "+ does not apply to text and a whole number; convert one of them with str()"),
        ("city * ratio", "* does not apply to text and a decimal number"),
        ("'%s' % city", "% does not apply to text and text"),
        ("-city", "a sign stands before a number, but this is text"),
        ("3 in score", "cannot be looked for in a whole number"),
        ("3 in city", "a whole number cannot be looked for in text"),
        ("score / 0", "division by zero"),
        ("score % 0", "division by zero"),
        ("0 ** -1", "division by zero"),
        ("(-8) ** 0.5", "no fractional power"),
        ("{1: 2}", "keys are text, but this is a whole number"),
        ("1e308 * 10", "the number is too large"),
        ("2 ** 4000 * 1.0", "the number is too large"),
        ("len(3)", "len() wants text, a list or a mapping, but this is a whole number"),
        ("min([])", "min() of an empty list has no value"),
        ("max(1, 'a')", "max() cannot compare a whole number with text"),
        ("sorted([None])", "sorted() wants numbers or text, but this is None"),
        ("sum([[1], [2]])", "sum() wants a number, but this is a list"),
        ("sum(3)", "sum() wants a list"),
        ("abs('a')", "abs() wants a number"),
        ("int('abc')", "int() cannot read 'abc' as a number"),
        ("int([])", "int() wants a number or text"),
        ("float('nan')", "the number is too large"),
        ("str(nobody)", "str() wants a number, text or a truth value, but this is None"),
        ("round(1, 10 ** 9)", "round() takes a whole number of digits"),
        ("get([], 'a')", "get() wants a mapping"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_place(text, message):
    condition = compile_expression(text, ())
    with pytest.raises(ExpressionFault) as fault:
        condition.evaluate(VARIABLES, {})
    pattern = ".*".join(re.escape(part) for part in message.split(" .* "))
    assert re.search(pattern, str(fault.value))
    assert re.match(r"Line \d, column \d+: ", str(fault.value))


def test_the_variables_a_condition_reads_are_known_before_it_runs():
    condition = compile_expression("round(score, 1) > limits['low'] or defined('x') and get(m, key)", ())
    assert condition.names == {"score", "limits", "m", "key"}


def test_a_registered_function_gets_its_arguments_by_position_and_name():
    assert value_of("days('2026-01-01', unit='WD') + 1", days=lambda start, *, unit: len(start + unit)) == 13


def test_a_registered_function_may_return_a_tuple_but_only_json():
    assert value_of("pair()", pair=lambda: (1, {"a": (2,)})) == [1, {"a": [2]}]
    with pytest.raises(ExpressionFault, match="set cannot be kept in a variable"):
        value_of("1 + f()", f=lambda: {1, 2})
    with pytest.raises(ExpressionFault, match="keys are text"):
        value_of("f()", f=lambda: {1: 2})


def test_what_a_registered_function_raises_passes_through_unchanged():
    class OutOfPaper(Exception):
        pass

    for error in (OutOfPaper("tray 2"), Conflict("Taken by {who}", who="李"), KeyError("x")):

        def fail(error=error):
            raise error

        with pytest.raises(type(error)) as raised:
            value_of("fail() or 1", fail=fail)
        assert raised.value is error


def test_a_function_known_when_compiling_may_be_missing_when_running():
    with pytest.raises(ExpressionFault, match="column 5: the function f is not at hand here"):
        compile_expression("1 + f()", {"f"}).evaluate({}, {})


def test_a_registered_function_takes_the_place_of_a_built_in_one():
    assert value_of("len(3)", len=lambda n: n + 1) == 4


def test_neither_a_result_nor_a_function_can_reach_back_into_the_variables():
    variables = {"a": {"list": [1]}}
    value_of("a", variables)["list"].append(2)
    value_of("f(a['list'])", variables, f=lambda entries: entries.append(3))
    assert variables == {"a": {"list": [1]}}


def test_a_branch_not_taken_is_not_computed():
    assert value_of("1 if True else missing") == 1
    assert value_of("False and missing") is False
    assert value_of("1 > 2 > missing") is False
