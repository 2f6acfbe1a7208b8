"""Forms filled in by their definitions, and refusals answered by correcting what they name.

Values are those of somebody who has done the step before (see `knowledge`); whatever the form or the check of the
step objects to is mended by the field's type and by what the problem says. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from engine.errors import Problem
from engine.forms import Field, Form

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SPANS = re.compile(r"(\d+)(?:\s*[-–—~至]\s*(\d+))?")
_LISTED = re.compile("[、,，;；] *")
_CODES = re.compile(r"[、,，;；\s]+")
_CUSTOMERS = "codes"
"""The column that lists customers."""
_MANY = 200
"""Rows that a correction adds at most."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What lies before somebody who fills a form in."""

    today: date
    people: Sequence[str]
    """Everybody in the unit."""
    meant: Mapping[str, str]
    """Whom and what a scenario's names stand for here: its people, its unit."""
    holders: Callable[[str], Sequence[str]]
    """Who holds a role in the unit."""
    standing: Mapping[str, Any] = field(default_factory=dict)
    """What stands in the form beforehand, by field."""
    alike: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By customer of the scenarios, those on the roster who are treated as that one is."""
    models: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The rows that were good in a scenario, by table."""
    taken_over: set[str] = field(default_factory=set)
    """Tables of which the rows that stand there were taken."""
    turns: dict[str, int] = field(default_factory=dict)
    """How often a table was mended."""


def adapted(
    form: Form | None, values: Mapping[str, Any], desk: Desk, given_on: date | None
) -> dict[str, Any]:
    """A scenario's values for today: days as far from now as they were then, people those of the unit."""
    if form is None:
        return {}
    ahead = timedelta() if given_on is None else desk.today - given_on
    fields = {each.id: each for each in form.questions}
    found = {
        name: _adapted(fields.get(name), value, desk, ahead)
        for name, value in values.items()
        if name.partition(".")[0] in fields
    }
    for each in form.questions:
        if each.type == "table":
            desk.models[each.id] = [row for row in found.get(each.id) or [] if isinstance(row, dict)]
    return found


def _taken_over(table: Field, desk: Desk) -> list[dict[str, Any]]:
    """The rows that stand in a table beforehand, completed as a scenario completes the row most like it."""
    columns = {each.id for each in table.fields}
    known = desk.models.get(table.id, [])
    rows = []
    for place, row in enumerate(desk.standing[table.id][:_MANY]):
        there = {name: each for name, each in row.items() if name in columns and each not in (None, "")}
        alike = max(
            enumerate(known),
            key=lambda each: (sum(each[1].get(k) == v for k, v in there.items()), each[0] == place),
            default=(0, _row(table, desk)),
        )[1]
        rows.append({**alike, **there})
    return rows


def _adapted(field: Field | None, value: Any, desk: Desk, ahead: timedelta) -> Any:
    if isinstance(value, list):
        return [_adapted(field, each, desk, ahead) for each in value]
    if isinstance(value, dict):
        columns = {each.id: each for each in field.fields} if field else {}
        return {name: _adapted(columns.get(name), each, desk, ahead) for name, each in value.items()}
    if not isinstance(value, str) or (field is not None and field.type in ("choice", "choices")):
        return value
    if _DAY.fullmatch(value):
        return (date.fromisoformat(value) + ahead).isoformat()
    if field is not None and field.id == _CUSTOMERS:
        codes = [part for part in _CODES.split(value) if part]
        return ", ".join([*codes, *(other for code in codes for other in desk.alike.get(code, ()))])
    return desk.meant.get(value, value)


def corrected(
    form: Form, values: Mapping[str, Any], problems: Sequence[Problem], desk: Desk
) -> dict[str, Any] | None:
    """The values with what the problems name put right; None where nothing can be."""
    fields = {field.id: field for field in form.questions}
    mended: dict[str, Any] = {name: _copied(value) for name, value in values.items()}
    dropped: dict[str, set[int]] = {}
    fresh = {
        each.id
        for each in form.questions
        if each.type == "table" and desk.standing.get(each.id) and each.id not in desk.taken_over
        if any(problem.field.partition(".")[0] == each.id for problem in problems)
    }
    for name in fresh:  # what stands there is what the step is about
        mended[name] = _taken_over(fields[name], desk)
    desk.taken_over.update(fresh)
    for problem in problems:
        name, *rest = problem.field.split(".")
        field = fields.get(name)
        if name in fresh:
            continue
        if field is None:
            mended.pop(problem.field, None)
        elif field.type == "table" and len(rest) == 2 and rest[0].isdecimal():
            rows = mended.get(name) or []
            place = int(rest[0]) - 1
            column = next((each for each in field.fields if each.id == rest[1]), None)
            if place >= len(rows) or column is None:
                continue
            was = rows[place].get(column.id)
            now = _without(was, problem.params.get(column.id)) or _mended(column, was, problem, desk)
            if now is None or now == was:
                dropped.setdefault(name, set()).add(place)
            else:
                rows[place] = {**rows[place], column.id: now}
        elif field.rows and rest:
            cells = dict(mended.get(name) or {})
            cells[rest[0]] = field.options[0].value
            mended[name] = cells
        elif _is_beforehand(problem):
            mended.pop(name, None)
        else:
            now = _mended(field, mended.get(name), problem, desk)
            if now is not None:
                mended[name] = now
    for name, places in dropped.items():
        mended[name] = [row for place, row in enumerate(mended[name]) if place not in places]
    return None if mended == dict(values) else mended


def _is_beforehand(problem: Problem) -> bool:
    return "filled in beforehand" in problem.template


def _copied(value: Any) -> Any:
    if isinstance(value, list):
        return [_copied(each) for each in value]
    return dict(value) if isinstance(value, dict) else value


def _mended(field: Field, was: Any, problem: Problem, desk: Desk) -> Any:
    """Another value for a field that was refused; None where there is none."""
    params = problem.params
    if was in (None, "", [], {}) and field.type != "table":
        return made(field, desk)
    match field.type:
        case "integer" | "number":
            numbers = [each for each in params.values() if _is_number(each) and each != was]
            return numbers[0] if numbers else None
        case "date" | "datetime":
            return _day(field, was, problem, desk)
        case "person":
            return _person(params, was, desk)
        case "choice":
            values = [option.value for option in field.options]
            return values[(values.index(was) + 1) % len(values)] if was in values else values[0]
        case "choices":
            return made(field, desk)
        case "table":
            return _rows(field, was or [], params, desk)
        case "boolean":
            return not was
    return _text(was, params)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _day(field: Field, was: Any, problem: Problem, desk: Desk) -> str | None:
    limit = problem.params.get("limit")
    days = [limit] if isinstance(limit, str) else [each for each in problem.params.values() if each != was]
    found = next((each[:10] for each in days if isinstance(each, str) and _DAY.match(each)), None)
    if found is None:
        found = desk.today.isoformat() if was != desk.today.isoformat() else None
    return f"{found} 10:00" if found and field.type == "datetime" else found


def _person(params: Mapping[str, object], was: Any, desk: Desk) -> str | None:
    role = params.get("role")
    held = desk.holders(role) if isinstance(role, str) else desk.people
    return next((each for each in held if each != was), None)


def _text(was: Any, params: Mapping[str, object]) -> str | None:
    limit = params.get("limit")
    if isinstance(limit, int) and isinstance(was, str) and len(was) < limit:
        return (was + "。已按规定办理" * limit)[:limit]
    if isinstance(limit, int) and isinstance(was, str):
        return was[:limit]
    known = params.get("known")
    if isinstance(known, str) and known:
        return _LISTED.split(known)[0]
    return None


def _rows(
    table: Field, rows: list[dict[str, Any]], params: Mapping[str, object], desk: Desk
) -> list[dict[str, Any]] | None:
    """A table with the rows that it lacks, each like one that is there; or without those too many."""
    limit, count = params.get("limit"), params.get("count")
    if isinstance(limit, int) and isinstance(count, int) and count > limit:
        return rows[:limit]
    if (spans := _spans(table, params.get("numbers"))) is not None:
        model = rows[0] if rows else _row(table, desk)
        return [*rows, *({**model, **span} for span in spans)]
    column, wanted = _lacking(table, params)
    model = rows[0] if rows else next(iter(desk.models.get(table.id, ())), _row(table, desk))
    turn = desk.turns[table.id] = desk.turns.get(table.id, -1) + 1
    if column is None:
        least = limit if isinstance(limit, int) else 1
        return [*rows, *(dict(model) for _ in range(least - len(rows)))] if len(rows) < least else None
    if column in params and rows:  # a list in one cell: added to the cell of one row after the other
        place = turn % len(rows)
        cell = ", ".join(filter(None, (str(rows[place].get(column) or ""), *map(str, wanted))))
        return [*rows[:place], {**rows[place], column: cell}, *rows[place + 1 :]]
    there = [row.get(column) for row in rows]
    if all(each in there for each in wanted):  # named because they are too many
        kept = [row for row in rows if row.get(column) not in wanted]
        return kept if kept or not (table.required or table.min) else None
    return [*rows, *({**model, column: each} for each in wanted[:_MANY] if each not in there)]


def _spans(table: Field, numbers: object) -> list[dict[str, Any]] | None:
    """The spans of numbers that a problem names, for a table whose rows say from where to where; else None."""
    whole = [each.id for each in table.fields if each.type == "integer"]
    if (
        not isinstance(numbers, str)
        or len(whole) != 2
        or {"number", "numbers"} & {e.id for e in table.fields}
    ):
        return None
    return [{whole[0]: int(low), whole[1]: int(high or low)} for low, high in _SPANS.findall(numbers)]


def _lacking(table: Field, params: Mapping[str, object]) -> tuple[str | None, list[object]]:
    """The column, and its values, of the rows that a problem is about: a column called as its parameter is."""
    columns = {each.id: each for each in table.fields}
    for name, value in params.items():
        if not isinstance(value, (str, list, tuple)) or not value:
            continue
        if name in columns:
            return name, [value]
        single = columns.get(name.removesuffix("s"))
        if single is None and name == "numbers":
            single = next((each for each in table.fields if each.type == "integer"), None)
        if single is None and name.endswith("s"):
            single = next((each for each in table.fields if each.type in ("text", "choice", "person")), None)
        if single is not None:
            listed = _LISTED.split(value) if isinstance(value, str) else list(value)
            return single.id, list(_numbers(str(value))) if single.type == "integer" else list(listed)
    return None, []


def _without(was: Any, listed: object) -> str | None:
    """A list in a cell without the parts that a problem names; None where it is none, or nothing is left."""
    if not isinstance(was, str) or not isinstance(listed, str):
        return None
    parts, refused = _LISTED.split(was), set(_LISTED.split(listed))
    kept = [part for part in parts if part not in refused]
    return ", ".join(kept) if kept and len(kept) < len(parts) else None


def _numbers(text: str) -> list[int]:
    found: list[int] = []
    for first, last in _SPANS.findall(text):
        found += range(int(first), int(last or first) + 1)
    return found[:_MANY]


def _row(field: Field, desk: Desk) -> dict[str, Any]:
    return {each.id: made(each, desk) for each in field.fields if each.required}


def made(field: Field, desk: Desk) -> Any:
    """A plain answer, by the field's type alone: the first option, the least number, today, anybody."""
    match field.type:
        case "integer" | "number":
            return field.min if field.min is not None else 1
        case "date":
            return max(desk.today.isoformat(), str(field.min or ""))
        case "datetime":
            return f"{desk.today.isoformat()} 10:00"
        case "boolean":
            return True
        case "choice":
            return field.options[0].value
        case "choices":
            most = int(field.max) if isinstance(field.max, (int, float)) else len(field.options)
            return [option.value for option in field.options][:most]
        case "person":
            return next(iter(desk.people), None)
        case "matrix":
            return {row.id: field.options[0].value for row in field.rows}
        case "table":
            least = int(field.min) if isinstance(field.min, (int, float)) else 1
            return [_row(field, desk) for _ in range(max(least, 1))]
    text = f"{field.label.zh}：已按规定办理"
    text = text if len(text) >= field.min_length else text + "，" + "详见记录" * field.min_length
    return text[: field.max_length] if field.max_length else text
