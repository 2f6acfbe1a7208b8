"""Customers and answers that nobody gave: the same ones every time, from what a course says of them.

A roster: `customers` (rows of segment, prefix, count), `projects` that they belong to in turn, `since` (first and last
year). Answers: who gave them (`numbers` of the sample as in `1-16, 20`; a `share` of it; or how many in each of the
`departments` where nobody knows who), how well they judge (`level`, or an item's own in `marks`; `spread` to both
sides of it), and `texts`, some of which stand in a field.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from engine.forms.form import Field, Option
from engine.ports import Connection
from survey import rounds
from survey.reading import CUSTOMER
from survey.rounds import Round

ABSTAINS = 0.04
"""How often somebody has no opinion."""


def roster(unit: str, spec: Mapping[str, Any]) -> str:
    """A roster's file."""
    projects, (first, last) = spec["projects"], spec["since"]
    rows = []
    for group in spec["customers"]:
        for number in range(1, group["count"] + 1):
            code = f"{group['prefix']}-{number:03}"
            year = first + int(_chance(code, "year") * (last - first + 1))
            since = f"{year}-{1 + int(_chance(code, 'month') * 12):02}-01"
            rows.append((code, unit, projects[number % len(projects)], group["segment"], since))
    return _sheet(("customer", "unit", "project", "segment", "since"), rows)


def returns(conn: Connection, found: Round, spec: Mapping[str, Any]) -> str:
    """A file of answers to the round's questionnaire, by whoever was asked and has not answered yet."""
    form = rounds.questionnaire(conn, found)
    who, given = (found.groups[0] if found.anonymous else CUSTOMER), []
    columns = [column for field in form.questions for column in _columns(field)]
    texts = spec.get("texts", {})
    for number, (name, seed) in enumerate(_givers(conn, found, spec)):
        leaning = _spread(seed, "leaning") / 2
        row: dict[str, object] = {who: name}
        for field in form.questions:
            for column in _columns(field):
                row[column] = _mark(field, column, seed, leaning, spec)
        for column, said in texts.items():
            row[column] = said[number % len(said)] if number % 5 == 0 else ""
        given.append([row[column] for column in (who, *columns)])
    return _sheet((who, *columns), given)


def _givers(conn: Connection, found: Round, spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Who gave answers: what a row calls them, and what their answers are made from."""
    for department, count in spec.get("departments", {}).items():
        for number in range(count):
            yield department, f"{found.part}/{department}/{number}"
    wanted = set(_numbers(spec.get("numbers", "")))
    for each in rounds.roster(conn, found.id) if not found.anonymous else ():
        seed = f"{found.part}/{each.number}"  # its number, as chance may draw somebody else the next time
        chosen = each.number in wanted or _chance(seed, "answers") < spec.get("share", 0)
        if chosen and each.issued_on is not None and each.returned_on is None:
            yield each.code, seed


def _numbers(text: str) -> Iterator[int]:
    for part in filter(None, map(str.strip, text.split(","))):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _columns(field: Field) -> list[str]:
    return [row.id for row in field.rows] or [field.id]


def _mark(field: Field, column: str, seed: str, leaning: float, spec: Mapping[str, Any]) -> object:
    if field.scale is None:
        return _option(field.options, seed, column).value if field.options and not field.rows else ""
    if field.scale.na is not None and _chance(seed, column, "abstains") < ABSTAINS:
        return field.scale.na.value
    points = sorted(int(str(point.value)) for point in field.scale.points)
    level = float(spec.get("marks", {}).get(column, spec["level"]))
    mark = round(level + (leaning + _spread(seed, column)) * float(spec.get("spread", 0.8)))
    return min(max(mark, points[0]), points[-1])


def _option(options: Sequence[Option], seed: str, column: str) -> Option:
    return options[int(_chance(seed, column) * len(options))]


def _chance(*of: str) -> float:
    """A number from 0 up to 1, always the same for the same words."""
    return int.from_bytes(sha256("/".join(of).encode()).digest()[:6]) / 2**48


def _spread(*of: str) -> float:
    """A number about 0, with deviation 1, seldom further off than 2."""
    return (sum(_chance(*of, str(place)) for place in range(3)) - 1.5) * 2


def _sheet(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return out.getvalue()
