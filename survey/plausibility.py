"""Answers that cannot well be true: the same set twice, an overall judgement at odds with the single ones.

What is found is pointed out, never struck off: that is for people to decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import orjson

from engine.forms import Form
from survey.figures.shape import CountedItem, shape_of
from survey.returns import flat

Answers = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Doubt:
    """An answer set that is doubted."""

    place: int
    """Among those that were looked at, from 0."""
    others: tuple[int, ...] = ()
    """The places of the sets that are the same; empty where it is at odds with itself."""
    overall: Fraction = Fraction(0)
    """What was given as a whole, and on the average of the rated items, where these are at odds."""
    mean: Fraction = Fraction(0)


def doubts(form: Form, sets: Sequence[Answers], gap: Fraction) -> Iterator[Doubt]:
    """The doubtful ones in order of place.

    The same are sets with every answer alike, open ones too, unless all that was rated has one and the same point:
    that many may hold. At odds is an overall judgement that lies `gap` points or more from the mean of the rated items.
    """
    shape = shape_of(form)
    judged = None if shape.overall is None else shape.items[shape.overall]
    rated = [item for item in shape.rated_items if item is not judged]
    alike: dict[bytes, list[int]] = {}
    for place, given in enumerate(sets):
        alike.setdefault(orjson.dumps(given, option=orjson.OPT_SORT_KEYS), []).append(place)
    same = {place: places for places in alike.values() if len(places) > 1 for place in places}
    for place, given in enumerate(sets):
        answers = flat(given)
        points = [point for item in rated if (point := _point(item, answers)) is not None]
        if place in same and len(set(points)) > 1:
            yield Doubt(place, tuple(other for other in same[place] if other != place))
        overall = None if judged is None else _point(judged, answers)
        if overall is not None and points:
            mean = sum(points, Fraction(0)) / len(points)
            if abs(mean - overall) >= gap:
                yield Doubt(place, (), overall, mean)


def _point(item: CountedItem, answers: Answers) -> Fraction | None:
    """What the answer counts; None for none, and for one off the scale."""
    place = item.levels.place(answers.get(item.id))
    return None if place is None else item.levels.weights[place]
