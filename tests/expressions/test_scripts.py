"""What a script changes, what it may not say, and that a fault changes nothing."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Misbuilt
from engine.expressions import ExpressionFault, compile_expression, compile_script


def changes_of(text, variables, **functions):
    return compile_script(text, functions).execute(variables, functions)


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("n = 2", {"n": 2}),
        ("n += 2\nn *= 3", {"n": 9}),
        ("a = b = n", {"a": 1, "b": 1}),
        ("a = 1; b = a + 1", {"a": 1, "b": 2}),
        ("pass", {}),
        ("m['x'] = 5", {"m": {"x": 5, "inner": {"list": [1, 2]}}}),
        ("m['inner']['list'][-1] += 5", {"m": {"x": 0, "inner": {"list": [1, 7]}}}),
        ("m['new'] = {}\nm['new']['k'] = n", {"m": {"x": 0, "inner": {"list": [1, 2]}, "new": {"k": 1}}}),
        ("t = (1, 2)\nt[0] = 3", {"t": [3, 2]}),
        ("m['self'] = m\nm = m['self']['x']", {"m": 0}),
        ("\n    a = n\n\n    b = (a +\n  1)\n    ", {"a": 1, "b": 2}),
        ("a = n\n    b = a", {"a": 1, "b": 1}),
        ("\n    a = [\n1,\n  n]\n# why\n    b = a[\n0]", {"a": [1, 1], "b": 1}),
        ("text = '\\u4e0a' + \"'\"  # a comment", {"text": "上'"}),
    ],
)
def test_a_script_returns_the_variables_it_set(text, changes):
    variables = {"n": 1, "m": {"x": 0, "inner": {"list": [1, 2]}}}
    before = copy.deepcopy(variables)
    assert changes_of(text, variables) == changes
    assert variables == before


def test_assignment_copies_so_one_variable_never_changes_through_another():
    changes = changes_of("a = b\na['x'] = 2\nc = a\nc['x'] = 3", {"b": {"x": 1}})
    assert changes == {"a": {"x": 2}, "c": {"x": 3}}


def test_a_call_on_a_line_of_its_own_is_made():
    seen = []
    assert changes_of("note('begun', n)", {"n": 1}, note=lambda *values: seen.append(values)) == {}
    assert seen == [("begun", 1)]


def test_a_key_with_an_effect_is_computed_once():
    calls = []
    text = "m[key()] += 1"
    changes = changes_of(text, {"m": {"k": 1}}, key=lambda: calls.append(1) or "k")
    assert (changes, calls) == ({"m": {"k": 2}}, [1])


def test_what_a_script_reads_and_sets_is_known_before_it_runs():
    script = compile_script("a = b + 1\nc = a\nm['x'] = c\nn += 1\ns[k] = s2 = 1", ())
    assert script.names == {"b", "m", "n", "s", "k"}
    assert script.assigns == {"a", "c", "m", "n", "s", "s2"}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("if a: b = 1", "gateway"),
        ("if a:\n    b = 1", "to branch or repeat, use the diagram"),
        ("x = 1\nif a:\n    b = 1", "gateway"),
        ("for x in a: pass", "multi-instance"),
        ("while True: pass", "multi-instance"),
        ("import os", "Register a function"),
        ("from os import path", "Register a function"),
        ("def f(): pass", "Register a function"),
        ("class A: pass", "Register a function"),
        ("return 1", "result = value"),
        ("del a", "x = None"),
        ("try: pass\nfinally: pass", "Test first"),
        ("raise a", "error event"),
        ("a: int = 1", "Write x = value"),
        ("a, b = 1, 2", "one name a line"),
        ("[a, b] = c", "one name a line"),
        ("*a, b = c", "one name a line"),
        ("a[1:2] = []", "one name a line"),
        ("f(1)[0] = 2", "one name a line"),
        ("a.b = 1", 'Write a["b"]'),
        ("a.b += 1", 'Write a["b"]'),
        ("a.append(1)", "x = x + [entry]"),
        ("a <<= 1", "power of 2"),
        ("a == 1", "Assign it"),
        ("'a docstring'", "Assign it"),
        ("true = 1", "Write True"),
        ("__x = 1", "Choose another name"),
        ("global a", "Use names, literals"),
        ("with a: pass", "Use names, literals"),
        ("assert a", "Use names, literals"),
        ("a = 1\n  b = 2\n c = 3", "Begin all lines at the same column"),
        ("None = 1", "Write a condition"),
        ("  \n", "Write `pass`"),
    ],
)
def test_what_a_script_may_not_say_is_refused_with_what_to_write_instead(text, hint):
    with pytest.raises(Misbuilt) as refusal:
        compile_script(text, {"f"})
    assert hint in str(refusal.value)


def test_a_place_is_counted_in_the_text_as_written():
    with pytest.raises(Misbuilt) as refusal:
        compile_script("\r\n    甲 = 1\r\n    乙 = 甲.x\r\n", ())
    assert str(refusal.value).startswith(": Line 3, column 9:")
    with pytest.raises(ExpressionFault, match="Line 3, column 9: there is no variable 丙"):
        changes_of("\n    甲 = 1\n    乙 = 丙 + 1", {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\nn['x'] = 1", "Line 2, column 1: a whole number has no entries to set"),
        ("t['x'] = 1", "text has no entries to set"),
        ("m[1] = 1", "keys are text"),
        ("l[1] = 1", "position 1 is outside a list of length 1 .*add to a list with x = x \\+ "),
        ("m['x']['y'] = 1", "no key 'x'"),
        ("missing['x'] = 1", "there is no variable missing"),
        ("missing += 1", "there is no variable missing"),
        ("t += 1", r"\+ does not apply to text and a whole number"),
    ],
)
def test_an_assignment_that_does_not_fit_is_named_with_its_place(text, message):
    with pytest.raises(ExpressionFault, match=message):
        changes_of(text, {"n": 1, "t": "text", "m": {}, "l": [1]})


LINES = st.sampled_from(
    [
        "a = a + 1",
        "a = [a, b]",
        "a['x'] = b",
        "a[0] = b",
        "a[0] += 1",
        "b = a",
        "b['x']['y'] = a",
        "b += b",
        "b *= 3",
        "c = a == b",
        "c = {'k': [a, b]}",
        "b = c['k'][0]",
        "change(a)",
        "a = 1 / (len(b) - 2)",
    ]
)
VALUES = st.recursive(
    st.integers(-2, 2) | st.sampled_from(["", "ab"]) | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xyk"), inner, max_size=2),
    max_leaves=5,
)


def spoil(value):
    """A registered function that treats its argument as its own."""
    if isinstance(value, list | dict):
        value.clear()


@given(lines=st.lists(LINES, min_size=1, max_size=12), a=VALUES, b=VALUES)
def test_a_script_never_touches_the_variables_whether_it_ends_or_faults(lines, a, b):
    variables = {"a": a, "b": b}
    before = copy.deepcopy(variables)
    script = compile_script("\n".join(lines), {"change"})
    try:
        changes = script.execute(variables, {"change": spoil})
    except ExpressionFault:
        pass
    else:
        assert set(changes) == script.assigns
        for value in changes.values():
            spoil(value)
    assert variables == before


ACTS = {"sleep": lambda seconds: None, "throw_error": lambda code: None}


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        *((f"throw_error({given})", "Write throw_error(code)") for given in ("", "'a', 'b'", "err='E'")),
        *((f"x = sleep({given})", "Write sleep(seconds)") for given in ("", "1, 2", "x=1")),
    ],
)
def test_what_acts_is_called_with_the_one_argument_it_takes(text, instead):
    with pytest.raises(Misbuilt) as refusal:
        compile_script(text, ACTS)
    (found,) = refusal.value.findings
    assert "other arguments than it takes" in found.reason
    assert found.remedy == instead


@pytest.mark.parametrize(
    "text", ["throw_error('E')", "1 if sleep(1) else 2", "sleep(1) == None", "throw_error()"]
)
def test_only_a_script_may_call_what_acts(text):
    with pytest.raises(Misbuilt, match=r"only a script may call \w+\(\)\. Call it in a script task"):
        compile_expression(text, ACTS)
    assert compile_script("sleep(1)\nthrow_error(code='E')", ACTS).assigns == frozenset()
