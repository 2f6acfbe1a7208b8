"""What of a questionnaire is counted: its items, and where each stands in a row of answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.errors import Invalid, Problem
from engine.forms import Field, Form, Text
from survey.figures.tally import Levels, levels_of, levels_of_options

MOST_POINTS = 250
"""A choice of more options than this (a list of streets, say) is not counted."""


@dataclass(frozen=True, slots=True)
class CountedItem:
    """One row of a matrix, or a single choice."""

    id: str
    group: str
    """The field it belongs to: its matrix, or itself."""
    label: Text
    levels: Levels
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class CountedGroup:
    """The items of one field, side by side: a matrix (in 003E's words: a department) or a single choice."""

    field: Field
    first: int
    last: int
    """The place after its last item."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The items in the order they are counted in: the rated ones first."""

    items: tuple[CountedItem, ...]
    groups: tuple[CountedGroup, ...]
    rated: int
    """So many items are on the scale that satisfaction is figured on."""
    overall: int | None
    """The place of the item that asks for the overall judgement."""

    @property
    def rated_items(self) -> tuple[CountedItem, ...]:
        """Those that satisfaction is figured from."""
        return self.items[: self.rated]

    @property
    def rated_groups(self) -> tuple[CountedGroup, ...]:
        """The fields of the rated items."""
        return tuple(group for group in self.groups if group.last <= self.rated)

    def place(self, item: str) -> int:
        """Where the item stands. Raises `Invalid` for what is no item."""
        for place, each in enumerate(self.items):
            if each.id == item:
                return place
        known = {"item": item, "known": ", ".join(each.id for each in self.items[:20])}
        template = "The questionnaire has no item {item} that can be counted; it has {known}"
        raise Invalid([Problem("item", template, known)])


def shape_of(questionnaire: Form) -> Shape:
    """What is counted of the questionnaire.

    Rated are matrices and single choices on its scale; of several scales `score: {scale: …}` names the one.
    Single choices beside it are counted, not rated. Raises `Invalid` when several scales leave it open.
    """
    fields = [field for field in questionnaire.fields if field.options and field.type in ("choice", "matrix")]
    scale = _scale(questionnaire, fields)
    rated = [field for field in fields if field.scale is not None and field.scale.id == scale]
    others = [field for field in fields if field not in rated and len(field.options) <= MOST_POINTS]
    items: list[CountedItem] = []
    groups: list[CountedGroup] = []
    for field in (*rated, *others):
        first = len(items)
        items += _items(field)
        groups.append(CountedGroup(field, first, len(items)))
    overall = questionnaire.score.overall if questionnaire.score else None
    number = sum(group.last - group.first for group in groups[: len(rated)])
    places = [place for place, item in enumerate(items[:number]) if item.id == overall]
    return Shape(tuple(items), tuple(groups), number, places[0] if places else None)


def _scale(questionnaire: Form, fields: list[Field]) -> str | None:
    named = questionnaire.score.scale if questionnaire.score else None
    scales = sorted({field.scale.id for field in fields if field.scale is not None})
    if named is None and len(scales) > 1:
        template = (
            "Items on several scales cannot be pooled: {scales}. Name the one that satisfaction is figured on in "
            "the questionnaire, as score: scale"
        )
        raise Invalid([Problem("scales", template, {"scales": ", ".join(scales)})])
    return named or (scales[0] if scales else None)


def _items(field: Field) -> Iterator[CountedItem]:
    levels = levels_of_options(field.options) if field.scale is None else levels_of(field.scale)
    if field.type != "matrix":
        yield CountedItem(field.id, field.id, field.label, levels, None)
    for row in field.rows:
        yield CountedItem(row.id, field.id, row.label, levels, row.weight)
