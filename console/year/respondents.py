"""The made-up respondents: who answers, when, and what, from the questionnaire's definition and a seed."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from engine.forms import Field, Form, Option, holds
from survey.questionnaires import columns_of
from survey.rounds import Member, Round

_POINTS = (9, 7, 2.2, 0.8, 0.5)
"""How often the best, the second best, … point of a scale is chosen; those beyond as often as the last."""
_NOT_APPLICABLE = 0.03
_WORDS = 0.25
"""Share of those who write something where nobody has to."""
_OPINIONS = (
    "希望加快处理速度",
    "电梯时常停运",
    "服务态度很好",
    "夜间巡查不足",
    "收费说明不够清楚",
    "请增设指示牌",
)


@dataclass(frozen=True, slots=True)
class Habits:
    """How respondents answer."""

    seed: int
    share: float
    """Of those who got a questionnaire, how many give it back."""
    days: float
    """Mean number of days they take, geometrically distributed, at least one."""

    def day(self, found: Round, number: int, issued_on: date) -> date | None:
        """When the questionnaire of that number comes back; None: never."""
        draw = self.random(found, number)
        if draw.random() >= self.share:
            return None
        return issued_on + timedelta(days=waited(draw, self.days))

    def random(self, found: Round, number: int, what: str = "day") -> Random:
        """The chance of one respondent in one round."""
        return Random(f"{self.seed}/{found.name}/{number}/{what}")  # noqa: S311 - made-up people


def waited(draw: Random, mean: float) -> int:
    """A whole number from 1, geometrically distributed with that mean."""
    number, stop = 1, 1 / max(mean, 1.0)
    while draw.random() >= stop and number < 100:
        number += 1
    return number


def sheet(form: Form, rows: Sequence[tuple[Mapping[str, str], Random]], today: date) -> str:
    """A CSV file of made-up answers, a row for each of `rows`: its first cells, and the chance that answers."""
    columns = columns_of(form)
    heads = list(dict.fromkeys([*(name for first, _ in rows for name in first), *columns]))
    out = io.StringIO()
    writer = csv.DictWriter(out, heads, lineterminator="\n")
    writer.writeheader()
    for first, draw in rows:
        given = answered(form, draw, today)
        cells = {column: _cell(_at(given, place)) for column, place in columns.items()}
        writer.writerow({**cells, **first})
    return out.getvalue()


def answered(form: Form, draw: Random, today: date) -> dict[str, Any]:
    """One respondent's answers, by field: what is asked of them, in order."""
    given: dict[str, Any] = {}
    for field in form.questions:
        if holds(field.show_if, given):
            given[field.id] = _answer(field, draw, today)
    return given


def _answer(field: Field, draw: Random, today: date) -> Any:
    if field.rows:
        return {row.id: _point(field, draw) for row in field.rows}
    if field.scale is not None:
        return _point(field, draw)
    match field.type:
        case "choice":
            return draw.choice(field.options).value
        case "choices":
            least = int(field.min) if isinstance(field.min, (int, float)) else 1
            return [each.value for each in field.options[: max(least, draw.randint(1, len(field.options)))]]
        case "boolean":
            return draw.random() < 0.5
        case "integer" | "number":
            low = int(field.min) if isinstance(field.min, (int, float)) else 1
            high = int(field.max) if isinstance(field.max, (int, float)) else low + 9
            return draw.randint(low, max(low, high))
        case "date":
            return today.isoformat()
        case "datetime":
            return f"{today.isoformat()} 10:00"
    if not field.required and draw.random() >= _WORDS:
        return None
    return draw.choice(_OPINIONS)[: field.max_length or None]


def _point(field: Field, draw: Random) -> Any:
    scale = field.scale
    if scale is None:
        return draw.choice(field.options).value
    if scale.na is not None and draw.random() < _NOT_APPLICABLE:
        return scale.na.value
    best = sorted(scale.points, key=_worth, reverse=True)
    weights = [_POINTS[min(place, len(_POINTS) - 1)] for place in range(len(best))]
    return draw.choices(best, weights)[0].value


def _worth(point: Option) -> float:
    if point.weight is not None:
        return float(point.weight)
    return float(point.value) if isinstance(point.value, (int, float)) else 0.0


def _at(given: Mapping[str, Any], place: str) -> Any:
    name, _, row = place.partition(".")
    value = given.get(name)
    return value.get(row) if row and isinstance(value, Mapping) else value


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ";".join(map(str, value))
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value)


def group_cells(found: Round, who: Member) -> dict[str, str]:
    """The cells that say to which groups an anonymous row belongs."""
    return {name: value for name in found.groups if (value := who.value(name))}
