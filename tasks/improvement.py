"""Improvement: the plan that follows from a survey, and whether what others make of it takes up its rows.

The plan is the variable `improvement_plan`, a table; forms refer to its rows by the column `number`, from 1.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import Invalid, Problem
from engine.handlers import Call, Handlers, asks_for
from survey.numbering import ranges
from tasks.appointments import all_hold

handlers = Handlers("improvement")

OWNER = "measure_owner"
"""The role of those who may be given a measure to carry out."""


@handlers.verify
def followed(call: Call) -> None:
    """What the form's tables say is about rows that the plan has."""
    _refuse(list(_strange(call)))


@handlers.verify
@asks_for({OWNER: "措施责任人"})
def detailed(call: Call) -> None:
    """Every row of the plan is taken up in each of the form's tables that refer to it; an `owner` may carry it out."""
    owners = [problem for name, _ in _tables(call) for problem in all_hold(call, name, "owner", OWNER)]
    _refuse([*_strange(call), *_left_out(call), *owners])


def _tables(call: Call) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """The tables filled in that refer to the plan."""
    for name, rows in call.values.items():
        if isinstance(rows, list) and rows and isinstance(rows[0], dict) and "number" in rows[0]:
            yield name, rows


def _strange(call: Call) -> Iterator[Problem]:
    size = len(call.variables.get("improvement_plan") or [])
    for name, rows in _tables(call):
        for place, row in enumerate(rows, 1):
            number = row["number"]
            if not isinstance(number, int) or not 1 <= number <= size:
                yield Problem(f"{name}.{place}.number", "The plan goes from 1 to {size}", {"size": size})


def _left_out(call: Call) -> Iterator[Problem]:
    wanted = set(range(1, len(call.variables.get("improvement_plan") or []) + 1))
    for name, rows in _tables(call):
        if missing := wanted - {row["number"] for row in rows}:
            template = "Nothing is said about {numbers} of the plan: add a row for each"
            yield Problem(name, template, {"numbers": ranges(sorted(missing))})


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise Invalid(problems)
