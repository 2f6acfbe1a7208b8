"""Clean values of a form, or every problem they have.

A clean value is what the rest of the program may rely on: JSON, typed, within the field's limits, and only of
fields that the other answers make visible. A visible field without an answer is None (a list: []), a hidden
one is absent: "not answered" and "not asked" stay apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from engine.errors import Invalid, Problem
from engine.forms.conditions import answered, holds
from engine.forms.form import Field, Form
from engine.forms.patterns import compiled
from engine.forms.reading import RefusedError, inside, read, unknown
from engine.strict_yaml import shown

MAX_ROWS = 1000
"""Of a table that sets no limit."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a field is judged against besides its own value."""

    today: date
    """Local date."""
    variables: Mapping[str, object]
    answers: Mapping[str, object]
    """Clean values of the earlier fields."""
    dates: frozenset[str] = frozenset()
    """The ids of the form's own dates, which go before variables."""


def clean(
    form: Form, values: Mapping[str, object], *, today: date, variables: Mapping[str, object]
) -> dict[str, object]:
    """The clean values of `values`, by field id.

    `values` are JSON values or a person's writing (see `reading`); a matrix's row may be given as
    `matrix.row`. Answers to hidden fields are dropped unread. A field that is not given at all takes its
    variable's value or its default, one given blank has no answer. Cleaning clean values changes nothing.

    Raises `Invalid` with the problems of all fields; places are `field`, `matrix.row` and
    `table.<row from 1>.column`.
    """
    given, problems = _given(form, values)
    answers: dict[str, object] = {}
    dates = frozenset(field.id for field in form.fields if field.type in ("date", "datetime"))
    for field in form.questions:
        if not holds(field.show_if, answers):
            continue
        setting = Setting(today, variables, answers, dates)
        try:
            value = _value(field, given, setting)
            faults = check(field, value, setting)
        except RefusedError as refusal:
            value, faults = None, list(refusal.problems)
        problems += (inside(field.id, fault) for fault in faults)
        answers[field.id] = value
    if problems:
        raise Invalid(problems)
    return answers


def draft(form: Form, values: Mapping[str, object]) -> dict[str, object]:
    """What can be kept of a form half filled in: answers as far as they can be read, the rest as written.

    Nothing is required, compared or hidden, and no default is filled in. Raises `Invalid` for unknown
    fields and for what cannot be stored at all.
    """
    given, problems = _given(form, values)
    kept: dict[str, object] = {}
    for field in form.questions:
        if field.id not in given:
            continue
        raw = given[field.id]
        try:
            kept[field.id] = read(field, raw)
        except RefusedError:
            if not _storable(raw):
                problems.append(Problem(field.id, "{found} cannot be stored", {"found": shown(raw)}))
            kept[field.id] = raw
    if problems:
        raise Invalid(problems)
    return kept


def visible(form: Form, values: Mapping[str, object]) -> tuple[Field, ...]:
    """The fields to show, `info` among them, given the answers so far; unreadable answers count as none."""
    given, _ = _given(form, values)
    answers: dict[str, object] = {}
    shown_fields: list[Field] = []
    for field in form.fields:
        if not holds(field.show_if, answers):
            continue
        shown_fields.append(field)
        if field.id in given:
            try:
                answers[field.id] = read(field, given[field.id])
            except RefusedError:
                answers[field.id] = None
    return tuple(shown_fields)


def prefill(form: Form, *, today: date, variables: Mapping[str, object]) -> dict[str, object]:
    """What stands in the form when it is opened: variables and defaults, by field id."""
    given = {field.id: _beforehand(field, today, variables) for field in form.questions}
    return {name: value for name, value in given.items() if answered(value)}


def check(field: Field, value: object, setting: Setting) -> list[Problem]:
    """The problems of a value that `read` returned; places are inside the field."""
    if not answered(value):
        return [Problem("", "An answer is required")] if field.required else []
    judge = _CHECKS.get(field.type)
    return judge(field, value, setting) if judge else []


def _given(form: Form, values: Mapping[str, object]) -> tuple[dict[str, object], list[Problem]]:
    """The values by field, `matrix.row` put into its matrix, and a problem for each unknown key."""
    if not isinstance(values, Mapping):
        raise Invalid([Problem("", "Expected fields with values, found {found}", {"found": shown(values)})])
    fields = {field.id: field for field in form.questions}
    cells = {f"{field.id}.{row.id}": (field.id, row.id) for field in form.questions for row in field.rows}
    given = {name: value for name, value in values.items() if name in fields}
    problems = unknown({name: 0 for name in values if name not in cells}, list(fields))
    for name in [name for name in values if name in cells]:
        matrix, row = cells[name]
        rows = given.get(matrix) or {}
        if not isinstance(rows, Mapping) or row in rows:
            problems.append(Problem(name, "It is given twice, here and in {matrix}", {"matrix": matrix}))
        else:
            given[matrix] = {**rows, row: values[name]}
    return given, problems


def _value(field: Field, given: Mapping[str, object], setting: Setting) -> object:
    value = read(field, given.get(field.id))
    if field.id in given and not field.read_only:
        return value
    standing = read(field, _beforehand(field, setting.today, setting.variables))
    if answered(value) and value != standing:
        raise RefusedError([Problem("", "It is filled in beforehand and cannot be changed")])
    if field.required and field.read_only and not answered(standing):
        params = {"name": field.variable}
        raise RefusedError([Problem("", "It is filled in from the variable {name}, which is empty", params)])
    return standing


def _beforehand(field: Field, today: date, variables: Mapping[str, object]) -> object:
    found = variables.get(field.variable) if field.variable else None
    if found is not None:
        return found
    return today.isoformat() if field.default == "today" and field.type == "date" else field.default


def _storable(raw: object) -> bool:
    try:
        json.dumps(raw, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _check_text(field: Field, value: object, _setting: Setting) -> list[Problem]:
    text = str(value)
    problems: list[Problem] = []
    if len(text) < field.min_length:
        template = "Expected at least {limit} characters, found {count}"
        problems.append(Problem("", template, {"limit": field.min_length, "count": len(text)}))
    if len(text) > field.max_length:
        template = "Expected at most {limit} characters, found {count}"
        problems.append(Problem("", template, {"limit": field.max_length, "count": len(text)}))
    elif field.pattern and not compiled(field.pattern).fullmatch(text):
        params = {"found": shown(text), "pattern": field.pattern}
        problems.append(Problem("", "{found} does not have the form {pattern}", params))
    return problems


def _check_range(field: Field, value: object, _setting: Setting) -> list[Problem]:
    """Numbers, and dates as ISO text, whose order is that of time."""
    low, high = field.min, field.max
    if low is not None and value < low:  # type: ignore[operator]
        return [Problem("", "Expected at least {limit}, found {found}", {"limit": low, "found": value})]
    if high is not None and value > high:  # type: ignore[operator]
        return [Problem("", "Expected at most {limit}, found {found}", {"limit": high, "found": value})]
    return []


def _check_date(field: Field, value: object, setting: Setting) -> list[Problem]:
    problems = _check_range(field, value, setting)
    day = str(value)[:10]
    for name, wrong, template in (
        (field.not_before, day.__lt__, "{day} lies before {limit} ({name})"),
        (field.not_after, day.__gt__, "{day} lies after {limit} ({name})"),
    ):
        if name is None:
            continue
        if name == "today":
            limit: object = setting.today.isoformat()
        elif name in setting.dates:
            limit = setting.answers.get(name)
            if limit is None:
                continue  # that date's own problem, if it is one
        else:
            limit = setting.variables.get(name)
        if not isinstance(limit, str) or not re.match("[0-9]{4}-[0-9]{2}-[0-9]{2}", limit):
            params: dict[str, object] = {"name": name, "found": shown(limit)}
            problems.append(Problem("", "It is compared with the variable {name}, no date: {found}", params))
        elif wrong(limit[:10]):
            problems.append(Problem("", template, {"day": day, "limit": limit[:10], "name": name}))
    return problems


def _check_count(field: Field, value: object, _setting: Setting) -> list[Problem]:
    assert isinstance(value, list)
    low, high = field.min or 0, field.max or max(len(field.options), MAX_ROWS)
    if low <= len(value) <= high:  # type: ignore[operator]
        return []
    params = {"low": low, "high": high, "count": len(value)}
    return [Problem("", "Expected {low} to {high} entries, found {count}", params)]


def _check_matrix(field: Field, value: object, _setting: Setting) -> list[Problem]:
    assert isinstance(value, dict)
    if not field.required:
        return []
    return [Problem(row, "An answer is required") for row, answer in value.items() if answer is None]


def _check_table(field: Field, value: object, setting: Setting) -> list[Problem]:
    assert isinstance(value, list)
    problems = _check_count(field, value, setting)
    for number, row in enumerate(value, 1):
        for column in field.fields:
            faults = check(column, row[column.id], setting)
            problems += (inside(f"{number}.{column.id}", fault) for fault in faults)
    return problems


_CHECKS: Mapping[str, Callable[[Field, object, Setting], list[Problem]]] = {
    "text": _check_text,
    "long_text": _check_text,
    "person": _check_text,
    "integer": _check_range,
    "number": _check_range,
    "date": _check_date,
    "datetime": _check_date,
    "choices": _check_count,
    "matrix": _check_matrix,
    "table": _check_table,
}
