"""Reading one value by its field's type, from a typed value or from what a person wrote.

The same answer comes as JSON from the web, as text from a command line, CSV or paper typed in, and as numbers
and dates from a spreadsheet. `read` makes one value of all of them: text, int, float, bool, ISO dates, lists
and mappings of these. Whether that value fits (limits, required) is judged in `cleaning`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time

from engine.characters import blank, folded, identity, unstorable
from engine.errors import Problem
from engine.forms.form import Field, Option
from engine.strict_yaml import nearest, shown

LARGEST = 10**15
"""Beyond it JSON readers elsewhere lose digits."""
MAX_UNKNOWN = 50
"""Unknown keys that are named; the rest are counted."""

_INTEGER = re.compile(r"[-+]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)")
_NUMBER = re.compile(r"[-+]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)?(\.[0-9]+)?(e[-+]?[0-9]{1,3})?")
_DATE = re.compile(r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?")
_TIME = re.compile(r"([0-9]{1,2})[:时]([0-9]{1,2})(?:分|:([0-9]{1,2}))?")
_SEPARATORS = re.compile(r"[,，、;；|\n]")
_TRUTH = {
    **dict.fromkeys(("true", "yes", "y", "on", "1", "是", "对"), True),
    **dict.fromkeys(("false", "no", "n", "off", "0", "否", "不"), False),
}


class RefusedError(Exception):
    """The value cannot be read; `problems` name places inside the field (empty: the field itself)."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


def read(field: Field, raw: object) -> object:
    """The value of `raw` for `field`: None, or [] for lists, where there is no answer.

    Raises `RefusedError`.
    """
    if raw is None or (isinstance(raw, str) and blank(raw)):
        return [] if field.type in ("choices", "table") else None
    return _READERS[field.type](field, raw)


def inside(place: str, problem: Problem) -> Problem:
    """The problem as seen from outside `place`."""
    where = f"{place}.{problem.field}" if problem.field else place
    return Problem(where, problem.template, problem.params)


def _refused(template: str, **params: object) -> RefusedError:
    return RefusedError([Problem("", template, params)])


def _text(field: Field, raw: object) -> str:
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        raw = str(_number(field, raw))  # a spreadsheet's telephone number
    if not isinstance(raw, str):
        raise _refused("Expected text, found {found}", found=shown(raw))
    text = raw.replace("\r\n", "\n").replace("\r", "\n").strip()
    if unstorable(text):
        raise _refused("A character in it cannot be stored: type the text again")
    if "\n" in text and field.type != "long_text":
        raise _refused("Expected one line of text")
    return text


def _person(field: Field, raw: object) -> str:
    return identity(_text(field, raw))


def _integer(field: Field, raw: object) -> int | float:
    value = _number(field, raw)
    if not isinstance(value, int):
        raise _refused("Expected a whole number, found {found}", found=shown(raw))
    return value


def _number(_field: Field, raw: object) -> int | float:
    value = raw
    if isinstance(raw, str):
        text = folded(raw)
        if len(text) > 40 or not _NUMBER.fullmatch(text) or not re.search("[0-9]", text.partition("e")[0]):
            raise _refused("Expected a number, found {found}", found=shown(raw))
        value = float(text.replace(",", ""))
        if _INTEGER.fullmatch(text) and abs(value) <= LARGEST:
            value = int(text.replace(",", ""))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _refused("Expected a number, found {found}", found=shown(raw))
    if (isinstance(value, float) and not math.isfinite(value)) or abs(value) > LARGEST:
        raise _refused("The number is too large: at most {limit}", limit=LARGEST)
    return int(value) if value == int(value) else value


def _boolean(_field: Field, raw: object) -> bool:
    if isinstance(raw, (bool, int, float)) and raw in (0, 1):
        return bool(raw)
    value = _TRUTH.get(folded(raw)) if isinstance(raw, str) else None
    if value is None:
        raise _refused("Expected yes or no, found {found}", found=shown(raw))
    return value


def _date(_field: Field, raw: object) -> str:
    if isinstance(raw, datetime) and raw.time() == time():
        raw = raw.date()  # a spreadsheet's date
    if isinstance(raw, date) and not isinstance(raw, datetime):
        raw = raw.isoformat()
    match = _DATE.fullmatch(folded(raw)) if isinstance(raw, str) else None
    if match is None:
        template = "Expected a date such as 2026-09-14 or 2026年9月14日, found {found}"
        raise _refused(template, found=shown(raw))
    return _day(match).isoformat()


def _day(match: re.Match[str]) -> date:
    try:
        day = date(*(int(part) for part in match.group(1, 2, 3)))
    except ValueError:
        raise _refused("There is no day {found}", found=match.group()) from None
    if not 1900 <= day.year < 2200:
        raise _refused("Expected a year from 1900 to 2199, found {found}", found=day.year)
    return day


def _datetime(_field: Field, raw: object) -> str:
    if isinstance(raw, datetime) and raw.tzinfo is None:
        raw = raw.isoformat(timespec="seconds")
    text = folded(raw) if isinstance(raw, str) else ""
    match = _DATE.match(text)
    clock = _TIME.fullmatch(text[match.end() :].removeprefix("t").strip()) if match else None
    if match is None or clock is None:
        template = "Expected a date and time such as 2026-09-14 16:30, found {found}"
        raise _refused(template, found=shown(raw))
    try:
        hour, minute, second = (int(part or 0) for part in clock.groups())
        at = time(hour, minute, second)
    except ValueError:
        raise _refused("There is no time {found}", found=clock.group()) from None
    return datetime.combine(_day(match), at).isoformat(timespec="seconds")


def _choice(field: Field, raw: object) -> object:
    return _option(field.options, raw)


def _option(options: Sequence[Option], raw: object) -> object:
    if isinstance(raw, (int, float, str)) and not isinstance(raw, bool):
        for option in options:
            if option.value == raw:
                return option.value
        key = folded(raw if isinstance(raw, str) or abs(raw) <= LARGEST else "")
        for option in options:
            if key in option.writings:
                return option.value
    known = ", ".join(str(option.value) for option in options)
    meant = (
        nearest(raw, [name for option in options for name in option.writings])
        if isinstance(raw, str)
        else None
    )
    if meant:
        template = "{found} is not among the options; did you mean {meant}? They are: {known}"
        raise _refused(template, found=shown(raw), meant=meant, known=known)
    raise _refused("{found} is not among the options: {known}", found=shown(raw), known=known)


def _choices(field: Field, raw: object) -> object:
    if isinstance(raw, str):
        raw = _json(raw) if raw.lstrip().startswith("[") else _split(field.options, raw)
    if not isinstance(raw, (list, tuple)):
        raw = [raw]
    problems: list[Problem] = []
    chosen: set[object] = set()
    for item in raw:
        try:
            chosen.add(_option(field.options, item))
        except RefusedError as refusal:
            problems += refusal.problems
    if problems:
        raise RefusedError(problems)
    return [option.value for option in field.options if option.value in chosen]


def _split(options: Sequence[Option], text: str) -> list[str]:
    """The parts of an enumeration, unless an option itself is written so."""
    if any(folded(text) in option.writings for option in options):
        return [text]
    return [part for part in _SEPARATORS.split(text) if part.strip()]


def _json(raw: object) -> object:
    if not isinstance(raw, str):
        return raw
    try:
        return json.loads(raw, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise _refused("Expected JSON, found {found}", found=shown(raw)) from None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object whose keys stand there once each: of two values nobody could say which is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for place, (key, _) in enumerate(pairs) if key in dict(pairs[:place]))
        raise _refused("{key} is given twice: keep one of them", key=shown(twice))
    return found


def _matrix(field: Field, raw: object) -> object:
    raw = _json(raw)
    if not isinstance(raw, Mapping):
        raise _refused("Expected an answer for each row, found {found}", found=shown(raw))
    answers: dict[str, object] = {}
    problems = unknown(raw, [row.id for row in field.rows])
    for row in field.rows:
        given = raw.get(row.id)
        nothing = given is None or (isinstance(given, str) and blank(given))
        try:
            answers[row.id] = None if nothing else _option(field.options, given)
        except RefusedError as refusal:
            problems += (inside(row.id, problem) for problem in refusal.problems)
    if problems:
        raise RefusedError(problems)
    return answers if any(value is not None for value in answers.values()) else None


def _table(field: Field, raw: object) -> object:
    raw = _json(raw)
    if not isinstance(raw, (list, tuple)):
        raise _refused("Expected a list of rows, found {found}", found=shown(raw))
    rows: list[dict[str, object]] = []
    problems: list[Problem] = []
    for number, item in enumerate(raw, 1):
        if not isinstance(item, Mapping):
            template = "Expected a row of fields with values, found {found}"
            problems.append(Problem(str(number), template, {"found": shown(item)}))
            continue
        row: dict[str, object] = {}
        faults = unknown(item, [column.id for column in field.fields])
        for column in field.fields:
            try:
                row[column.id] = read(column, item.get(column.id))
            except RefusedError as refusal:
                faults += (inside(column.id, problem) for problem in refusal.problems)
        problems += (inside(str(number), problem) for problem in faults)
        rows.append(row)
    if problems:
        raise RefusedError(problems)
    while rows and all(value in (None, []) for value in rows[-1].values()):
        rows.pop()  # the blank lines at the end of a sheet; one in between keeps its number
    return rows


def unknown(given: Mapping[str, object], known: Sequence[str]) -> list[Problem]:
    """A problem for each key that is not known, with the one probably meant; beyond `MAX_UNKNOWN` they are counted."""
    problems: list[Problem] = []
    strange = [key for key in given if key not in known]
    for key in strange[:MAX_UNKNOWN]:
        meant = nearest(str(key), known)
        template = (
            "There is no such field; did you mean {meant}?" if meant else "There is no such field: {known}"
        )
        problems.append(Problem(shown(key), template, {"meant": meant, "known": ", ".join(known)}))
    if len(strange) > MAX_UNKNOWN:
        template = "{count} more fields that there are not"
        problems.append(Problem("", template, {"count": len(strange) - MAX_UNKNOWN}))
    return problems


_READERS: Mapping[str, Callable[[Field, object], object]] = {
    "text": _text,
    "long_text": _text,
    "integer": _integer,
    "number": _number,
    "date": _date,
    "datetime": _datetime,
    "boolean": _boolean,
    "choice": _choice,
    "choices": _choices,
    "person": _person,
    "table": _table,
    "matrix": _matrix,
}
