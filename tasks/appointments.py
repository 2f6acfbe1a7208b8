"""Appointments: whoever a form names for some work holds the role that the work needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from sqlalchemy import Connection

from engine.errors import EngineError, Invalid, NotFound, Problem
from engine.handlers import Call, Handlers, takes
from engine.store.organisation import rights_of, units_above
from tasks.meaning import parameter

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


def _judged(call: Call, field: str, column: str | None, role: str) -> list[Problem]:
    if column is not None:
        return all_hold(call, field, column, role, once=True)
    person = call.values.get(field)
    return holds(call, field, person, role) if person else []


def holds(call: Call, field: str, person: Any, role: str) -> list[Problem]:
    """A problem unless the person holds the role in the unit, or whichever the caller of the process has for it."""
    conn, role = cast(Connection, call.conn), call.role(role)
    try:
        rights = rights_of(conn, str(person), date.fromisoformat(call.today))
    except NotFound as unknown:
        return [Problem(field, unknown.template, unknown.params)]
    if rights.holder(role, units_above(conn, call.unit)) is not None:
        return []
    params: Mapping[str, object] = {"person": person, "role": role, "unit": call.unit}
    return [Problem(field, "{person} does not hold the role {role} in unit {unit}", params)]


def all_hold(call: Call, table: str, column: str, *roles: str, once: bool = False) -> list[Problem]:
    """What is wrong with the people in a column of a form's table: each holds the roles; `once`: stands there once."""
    problems: list[Problem] = []
    seen: set[object] = set()
    for place, row in enumerate(call.values.get(table) or [], 1):
        person, field = row.get(column), f"{table}.{place}.{column}"
        if not person:
            continue
        if once and person in seen:
            problems.append(Problem(field, "{person} stands here twice", {"person": person}))
        seen.add(person)
        for role in roles:
            problems += holds(call, field, person, role)
    return problems
