"""Appointments: whoever a form names for some work holds the role that the work needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.errors import EngineError, Invalid, Problem
from engine.handlers import Call, Handlers, takes
from tasks.fieldwork import holds, parameter

handlers = Handlers("appointments")

_PART = re.compile(r"\s*(\w+)(?:\.(\w+))?\s*=\s*([\w.\-]+)\s*")


def _holders(value: Any) -> list[tuple[str, str | None, str]]:
    """Field, or table and column, with the role, as in `executor = surveyor, told.person = dept_head`."""
    found = []
    for part in str(value).split(","):
        match = _PART.fullmatch(part)
        if match is None:
            template = "{part} cannot be read: write field = role, or table.column = role"
            raise EngineError(template, part=part.strip())
        found.append((match[1], match[2], match[3]))
    return found


@handlers.verify
@takes(parameters={"appointments": _holders})
def hold(call: Call) -> None:
    """Whoever is named holds the role, and stands in a table once.

    Parameter: `appointments`, which field or column of a table has to hold which role, as in
    `executor = surveyor, told.person = dept_head`; those that the form does not ask for are passed over.
    """
    problems = [
        problem
        for field, column, role in _holders(parameter(call, "appointments"))
        for problem in _judged(call, field, column, role)
    ]
    if problems:
        raise Invalid(problems)


def _judged(call: Call, field: str, column: str | None, role: str) -> Iterator[Problem]:
    given = call.values.get(field)
    if column is None:
        if given:
            yield from holds(call, field, given, role)
        return
    seen: set[object] = set()
    rows: list[Mapping[str, Any]] = given or []
    for place, row in enumerate(rows, 1):
        person, where = row.get(column), f"{field}.{place}.{column}"
        if not person:
            continue
        if person in seen:
            yield Problem(where, "{person} stands here twice", {"person": person})
        seen.add(person)
        yield from holds(call, where, person, role)
