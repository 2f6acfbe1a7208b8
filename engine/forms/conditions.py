"""Whether a field is shown: conditions are data, so that a web page can judge them as well.

    show_if: {decision: {eq: return}}
    show_if: {any: [{quality.q1: {lte: 2}}, {not: {reasons: {answered: true}}}]}

Nothing holds of a field without an answer, hidden fields among them, but `answered: false`. Of a field with
several answers (choices) `eq` and `in` hold when one of them fits, `ne` when none does.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal, cast

from engine.forms.form import Condition, Field, Group, Test
from engine.forms.reading import RefusedError, read
from engine.strict_yaml import Reader, Value, nearest, shown

ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}
OPERATORS = ("eq", "ne", *ORDERINGS, "in", "answered")


def holds(condition: Condition | None, answers: Mapping[str, object]) -> bool:
    """Whether `condition` holds of `answers`, which are clean values; no condition always does."""
    if condition is None:
        return True
    if isinstance(condition, Test):
        return _test(condition, answers)
    parts = (holds(part, answers) for part in condition.parts)
    if condition.kind == "not":
        return not any(parts)
    return any(parts) if condition.kind == "any" else all(parts)


def answered(value: object) -> bool:
    """Whether a clean value is an answer: not nothing, and not an empty list."""
    return value is not None and value != []


def _test(test: Test, answers: Mapping[str, object]) -> bool:
    found: object = answers
    for step in test.path:
        found = found.get(step) if isinstance(found, Mapping) else None
    if test.operator == "answered":
        return answered(found) is test.operand
    if not answered(found):
        return False
    given = found if isinstance(found, list) else [found]
    wanted = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    if test.operator in ("eq", "in"):
        return any(value in wanted for value in given)
    if test.operator == "ne":
        return not any(value in wanted for value in given)
    # "not applicable" is text among numbers: neither below nor above any of them
    comparable = isinstance(found, str) == isinstance(test.operand, str)
    return comparable and ORDERINGS[test.operator](found, test.operand)


def load_condition(entry: Reader, earlier: Mapping[str, Field]) -> Condition:
    """The condition in `entry` on the `earlier` fields; faults are noted in the reader."""
    parts: list[Condition] = []
    keys = entry.keys()
    if not keys:
        entry.fault("The condition is empty", "Write `field: {eq: value}`, or delete it")
    for key in keys:
        if key in ("any", "all"):
            kind = cast(Literal["any", "all"], key)
            parts.append(Group(kind, tuple(load_condition(part, earlier) for part in entry.mappings(key))))
        elif key == "not":
            parts.append(Group("not", (load_condition(entry.mapping(key), earlier),)))
        else:
            target = _target(entry, key, earlier)
            tests = entry.mapping(key)
            operators = tests.keys()
            if target:
                parts += [_load_test(tests, tuple(key.split(".")), name, target) for name in operators]
    return parts[0] if len(parts) == 1 else Group("all", tuple(parts))


def _target(entry: Reader, key: str, earlier: Mapping[str, Field]) -> Field | None:
    """The field whose answer is tested; for a matrix's row, a choice on its scale."""
    name, _, row = key.partition(".")
    field = earlier.get(name)
    if field is None or field.type == "info":
        meant = nearest(name, earlier)
        remedy = "Did you mean {meant}?" if meant else "Name a field that stands before this one"
        entry.fault("{name} is no earlier field", remedy, at=(key,), name=name, meant=meant)
        return None
    if not row:
        return field
    if row not in {item.id for item in field.rows}:
        remedy = "Write the id of one of the rows of a matrix"
        entry.fault("{name} has no row {row}", remedy, at=(key,), name=name, row=row)
        return None
    return replace(field, type="choice")


def _load_test(tests: Reader, path: tuple[str, ...], name: str, target: Field) -> Test:
    operand = tests.value(name)
    if name == "answered":
        tests.boolean(name)
        return Test(path, name, operand)
    whole = target.type in ("table", "matrix")
    if name not in OPERATORS or whole or (name in ORDERINGS and not _ordered(target)):
        known = [word for word in OPERATORS if word not in ORDERINGS or _ordered(target)]
        params = {"name": name, "known": "answered" if whole else ", ".join(known)}
        tests.fault("{name} cannot be asked of this field", "Write one of: {known}", at=(name,), **params)
        return Test(path, "answered", True)
    if name != "in":
        return Test(path, name, _operand(tests, name, target, operand))
    if not isinstance(operand, list) or not operand:
        tests.fault("in expects a list, found {found}", "Write [a, b]", at=(name,), found=shown(operand))
        operand = []
    return Test(path, name, tuple(_operand(tests, name, target, item) for item in operand))


def _ordered(target: Field) -> bool:
    numeric = any(isinstance(option.value, (int, float)) for option in target.options)
    return target.type in ("integer", "number", "date", "datetime") or (target.type == "choice" and numeric)


def _operand(tests: Reader, name: str, target: Field, written: Value) -> object:
    single = replace(target, type="choice") if target.type == "choices" else target
    try:
        value = read(single, written)
    except RefusedError as refusal:
        reason = "; ".join(str(problem) for problem in refusal.problems)
        tests.fault("No answer can be this: {problem}", "Write a possible answer", at=(name,), problem=reason)
        return None
    if value is None or value != written:
        remedy = "Write {value}" if value is not None else "Write answered: false for no answer"
        template = "No answer is ever {found}"
        tests.fault(template, remedy, at=(name,), found=shown(written), value=value)
    return value
