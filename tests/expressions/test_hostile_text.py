"""A text written to break out or to exhaust the machine is answered soon, and in our own words."""

from __future__ import annotations

import json
import time
import warnings

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.errors import Misbuilt
from engine.expressions import ExpressionFault, compile_expression, compile_script


@pytest.fixture(autouse=True)
def within_seconds():
    """Of processor time; the longest compiles some hundred generated texts, in less than one on an idle machine."""
    started = time.process_time()
    yield
    assert time.process_time() - started < 3.0


@pytest.mark.parametrize(
    "text",
    [
        "().__class__.__bases__[0].__subclasses__()",
        "''.__class__",
        "'{0.__class__}'.format(1)",
        "f'{().__class__}'",
        "__import__('os').system('ls')",
        "__builtins__['eval']('1')",
        "eval('1')",
        "exec('1')",
        "open('/etc/passwd')",
        "getattr(1, 'real')",
        "globals()",
        "type(1)",
        "(lambda: 1)()",
        "[x for x in (1,)]",
        "len.__self__",
        "ｅｖａｌ('1')",
        "＿＿import＿＿('os')",
        "__ｉmport__('os')",
        "1 .real",
    ],
)
def test_there_is_no_way_out_to_python(text):
    with pytest.raises(Misbuilt):
        compile_expression(text, ())


DEEP = 100_000


@pytest.mark.parametrize(
    "text",
    [
        "(" * DEEP,
        "[" * DEEP + "]" * DEEP,
        "(" * 5000 + ")" * 5000,
        "[" * 101 + "]" * 101,
        "{'a':" * 1500 + "1" + "}" * 1500,
        "-" * 9999 + "1",
        "- " * 4999 + "1",
        "not " * 2000 + "1",
        "**".join(["1"] * 3000),
        "+".join(["1"] * 3000),
        "1 if 1 else " * 800 + "1",
        "lambda:" * 1400 + "1",
        "a" + "[0]" * 3000,
        "a" + ".b" * 4000,
        "f(" * 3000 + ")" * 3000,
        "await " * 1600 + "a",
        '"\\"' * 3000,
        '"' + '\\"' * 4999,
        "'" * 9999,
        "f'{" * 3000,
        "9" * 9999,
        "0x" + "f" * 9997,
        "9" * 9990 + ".5",
        "0x" + "f" * 5000 + ".a",
        "é" * 9999,
        "ﬁ" * 9999,
        "e\u0301" * 4000,
        "\n" * 9999 + "a.b",
        "#" * 9999,
        "a " * 5000,
        "x" * 9999 + "()",
    ],
    ids=lambda text: f"{text[:8]!r} in {len(text)}",
)
def test_a_text_that_would_exhaust_the_parser_is_refused(text):
    for compile_text in (compile_expression, compile_script):
        with pytest.raises(Misbuilt) as refusal:
            compile_text(text, {"f"})
        assert len(str(refusal.value)) < 20_000


@pytest.mark.parametrize(
    "text",
    [
        "10 ** 10 ** 10",
        "2 ** 4097",
        "(-2) ** 99999",
        "9 ** 9 ** 9 ** 9",
        "2.0 ** 10 ** 5",
        "(2 ** 4000) * (2 ** 4000)",
        "2 ** -(2 ** 4000)",
        "(2 ** 4000) / 0.1",
        "'a' * 10 ** 9",
        "10 ** 9 * 'a'",
        "('a' * 99999 + 'b') + 'c'",
        "[0] * 10 ** 9",
        "[0] * 10001",
        "[[0] * 9999] * 9999",
        "[[[0] * 20] * 20] * 99",
        "[[0] * 5000, [0] * 5001]",
        "['a' * 60000, 'b' * 60000]",
        "[" + "'a' * 99999," * 800 + "]",
        "int('9' * 5000)",
        "int('9' * 1400)",
        "float('9' * 1400)",
        "float('inf')",
        "round(5, -10 ** 9)",
        "round(1.7e308, -308)",
        "sum([1e308] * 9999)",
        "sum([2 ** 4095] * 9999)",
        "'%0999999999d' % 1",
        "huge",
        "huge + huge",
        "deep",
    ],
)
def test_a_value_that_would_fill_the_memory_is_refused_before_it_is_made(text):
    variables = {"huge": [0] * 20_000, "deep": json.loads("[" * 60 + "]" * 60)}
    condition = compile_expression(text, ())
    with pytest.raises(ExpressionFault, match="Line 1, column"):
        condition.evaluate(variables, {})


@pytest.mark.parametrize(
    "text",
    [
        "a = [0, 0]\n" + "a = [a, a]\n" * 600,
        "a = {'k': 0}\n" + "a['x'] = a\na['y'] = a\n" * 400,
        "a = 0\n" + "a = [a]\n" * 1000,
        "a = 'ab'\n" + "a += a\n" * 1000,
        "a = 3\n" + "a *= a\n" * 1000,
        "a = [0] * 9999\n" + "a[0] = 1\n" * 1000,
        "a = [0] * 9999\n" + "b = a\n" * 1400,
        "a = 'a' * 99999\n" + "b = [a[1:], a[1:]]\n" * 400,
    ],
    ids=lambda text: text[:24],
)
def test_a_script_that_keeps_growing_is_stopped(text):
    script = compile_script(text, ())
    with pytest.raises(ExpressionFault):
        script.execute({}, {})


def test_the_bounds_leave_room_for_what_is_allowed():
    assert compile_expression("2 ** 4095 > 0 and (-1) ** (10 ** 9) == 1", ()).evaluate({}, {}) is True
    assert compile_expression("len(huge) + huge[19999]", ()).evaluate({"huge": [1] * 20_000}, {}) == 20_001
    assert len(compile_expression("'a' * 100000", ()).evaluate({}, {})) == 100_000
    assert compile_expression("[[0] * 99] * 100", ()).evaluate({}, {}) == [[0] * 99] * 100


def test_the_deepest_text_on_the_deepest_value_still_runs():
    deep = json.loads("[" * 49 + "]" * 49)
    nested = "same(" * 90 + "deep" + ")" * 90
    functions = {"same": lambda value: value}
    assert compile_expression(nested, functions).evaluate({"deep": deep}, functions) == deep


def test_the_longest_text_compiles_soon():
    text = "[" + ",".join(["城+1"] * 2400) + "]"
    assert len(compile_expression(text, ()).evaluate({"城": 1}, {})) == 2400


FRAGMENTS = st.sampled_from(
    [
        *"ab1'\"()[]{}+-*/%<:,=.$?`#\\\n\t；（“é\ufeff\x0c\0\ud800",
        *("1.5", "'x'", "上海", "f(1)", "a[0]", "**", "==", "!=", ":=", "&&", "!", "1or", "0x", "f'", 'r"'),
        *("and", "or", "not", "in", "is", "None", "True", "if", "else", "lambda", "for", "pass", "import"),
        *('"""', "\\d"),
    ]
)
NOISE = (
    st.text(max_size=40)
    | st.lists(FRAGMENTS, max_size=15).map(" ".join)
    | st.lists(FRAGMENTS, max_size=15).map("".join)
)


@given(NOISE)
@example("\x0c a.b")
@example("\ufeffa.b")
@example("a\\\n.b")
@example("(\\\n\u00b7)")
def test_any_text_at_all_is_compiled_or_refused(text):
    for compile_text in (compile_expression, compile_script):
        try:
            compile_text(text, {"f"})
        except Misbuilt as refusal:
            lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            for finding in refusal.findings:
                line, column = finding.params["line"], finding.params["column"]
                assert 1 <= line <= len(lines)
                assert 1 <= column <= len(lines[line - 1]) + 1
                assert str(finding)


@given(NOISE)
def test_a_text_is_judged_alike_whether_or_not_warnings_are_errors(text):
    answers = []
    for action in ("error", "ignore"):
        with warnings.catch_warnings():
            warnings.simplefilter(action)
            try:
                compile_script(text, {"f"})
                answers.append("")
            except Misbuilt as refusal:
                answers.append(str(refusal))
    assert answers[0] == answers[1]
