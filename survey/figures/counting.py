"""Counting answers in one pass and bounded memory, however many there are.

Each answer set becomes a row of bytes, one for each item; rows are gathered by their group and counted by column.
What is kept is counts alone, from which every figure follows exactly: counts of two halves add up to the counts
of the whole. Answers in, `Counts` out; nothing here knows a database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import gcd, lcm
from operator import itemgetter

from engine.errors import Invalid, Problem
from engine.forms import Form
from survey.figures.shape import CountedGroup, Shape, shape_of
from survey.figures.tally import Levels, Tally

Answers = Mapping[str, object]

MAX_CELLS = 2_000
"""Groups that one counting tells apart: each keeps some ten thousand counts."""
_GATHERED = 50_000
"""Rows held until they are counted."""

_NA, _BLANK, _UNASKED = 253, 254, 255
"""What stands in a row instead of the place of a point."""


@dataclass(slots=True)
class Cell:
    """The counts of one group of answer sets."""

    marks: list[list[Counter[int]]]
    """For each answer to the overall item (one entry without such an item), for each item: marks counted."""
    profile: Counter[tuple[int, int, int]] = field(default_factory=Counter)
    """Answer sets by how many rated items they were asked, answered, and found satisfying."""
    totals: dict[str, Counter[int]] = field(default_factory=dict)
    """By matrix: the sums of those who answered all of it."""
    complete: dict[str, list[Counter[int]]] = field(default_factory=dict)
    """By matrix: the marks of those same, for each of its items."""

    @property
    def returned(self) -> int:
        """Answer sets."""
        return sum(self.profile.values())

    def __add__(self, other: Cell) -> Cell:
        return Cell(
            [_each(mine, theirs) for mine, theirs in zip(self.marks, other.marks, strict=True)],
            self.profile + other.profile,
            {key: self.totals[key] + other.totals[key] for key in self.totals},
            {key: _each(self.complete[key], other.complete[key]) for key in self.complete},
        )


def _each(mine: Sequence[Counter[int]], theirs: Sequence[Counter[int]]) -> list[Counter[int]]:
    return [one + other for one, other in zip(mine, theirs, strict=True)]


@dataclass(frozen=True)
class Counts:
    """What was counted, by group."""

    questionnaire: Form
    shape: Shape
    by: tuple[str, ...]
    """What the answer sets are told apart by: names of groups, or items."""
    cells: Mapping[tuple[str, ...], Cell]
    withheld: int = 0
    """Answer sets in none of the cells: so few of an anonymous round that nothing of them may be shown."""

    @property
    def name(self) -> str:
        """The questionnaire's id and version."""
        return f"{self.questionnaire.id} {self.questionnaire.version}"

    @property
    def kind(self) -> tuple[object, ...]:
        """What has to agree for counts to be added or compared."""
        return (self.name, *((each.id, each.levels) for each in self.shape.items))

    @cached_property
    def whole(self) -> Cell:
        """All cells together."""
        return _pooled(self.shape, self.cells.values())

    @property
    def returned(self) -> int:
        """Answer sets, those withheld among them."""
        return sum(cell.returned for cell in self.cells.values()) + self.withheld

    def split(self, by: str) -> Mapping[str, Counts]:
        """The counts of each group of `by`, in the order of names. Raises `Invalid` for what was not told apart."""
        return self._parts[self.place(by)]

    @cached_property
    def _parts(self) -> list[dict[str, Counts]]:
        found: list[dict[str, Counts]] = []
        for place in range(len(self.by)):
            cells: dict[str, dict[tuple[str, ...], Cell]] = {}
            for key, cell in self.cells.items():
                cells.setdefault(key[place], {})[key] = cell
            parts = {
                name: Counts(self.questionnaire, self.shape, self.by, cells[name]) for name in sorted(cells)
            }
            found.append(parts)
        return found

    def place(self, by: str) -> int:
        """Where `by` stands in the keys of the cells. Raises `Invalid`."""
        if by not in self.by:
            params = {"by": by, "known": ", ".join(self.by) or "…"}
            template = "The answers were not counted by {by}, only by {known}"
            raise Invalid([Problem("by", template, params)])
        return self.by.index(by)

    @cached_property
    def tallies(self) -> tuple[Tally, ...]:
        """What was answered to each item, in the shape's order."""
        marks = self.whole.marks
        return tuple(
            tally_of(each.levels, sum((part[place] for part in marks), Counter()))
            for place, each in enumerate(self.shape.items)
        )

    def __add__(self, other: Counts) -> Counts:
        """Both together. Raises `Invalid` for different questionnaires."""
        if self.kind != other.kind or self.by != other.by:
            params = {"one": self.name, "other": other.name}
            template = "Answers to different questionnaires cannot be put together: {one} and {other}"
            raise Invalid([Problem("rounds", template, params)])
        cells = dict(self.cells)
        for key, cell in other.cells.items():
            cells[key] = cells[key] + cell if key in cells else cell
        return Counts(self.questionnaire, self.shape, self.by, cells, self.withheld + other.withheld)


def tally_of(levels: Levels, marks: Mapping[int, int]) -> Tally:
    """Counted marks as a tally."""
    numbers = tuple(marks.get(place, 0) for place in range(len(levels.points)))
    return Tally(levels, numbers, marks.get(_NA, 0), marks.get(_BLANK, 0), marks.get(_UNASKED, 0))


def units(levels: Levels) -> tuple[int, ...]:
    """The weights as the smallest whole numbers from 0 with the same steps between them."""
    many = lcm(*(weight.denominator for weight in levels.weights))
    whole = [int((weight - levels.worst) * many) for weight in levels.weights]
    return tuple(each // (gcd(*whole) or 1) for each in whole)


def _pooled(shape: Shape, cells: Iterable[Cell]) -> Cell:
    whole = _empty(shape)
    for cell in cells:
        whole += cell
    return whole


def _empty(shape: Shape) -> Cell:
    judged = 1 if shape.overall is None else len(shape.items[shape.overall].levels.points) + 1
    scored = _scored(shape)
    return Cell(
        [[Counter() for _ in shape.items] for _ in range(judged)],
        totals={group.field.id: Counter() for group in scored},
        complete={group.field.id: [Counter() for _ in group.field.rows] for group in scored},
    )


def _scored(shape: Shape) -> list[CountedGroup]:
    """The matrices whose consistency can be asked for: three items or more on one scale."""
    return [group for group in shape.rated_groups if group.last - group.first >= 3]


class _Marks(dict[object, int]):
    """A mark for each answer of a scale; whatever else was answered counts as blank."""

    def __missing__(self, key: object) -> int:
        return _BLANK


class Counting:
    """Takes answer sets in, one after the other, and knows their counts.

    They are told apart by the `groups` that `add` is given, and `by` items of the questionnaire. Raises `Invalid`
    for an item that there is not.
    """

    def __init__(self, questionnaire: Form, by: Sequence[str] = (), *, groups: Sequence[str] = ()) -> None:
        self._form = questionnaire
        self._shape = shape = shape_of(questionnaire)
        self._groups = tuple(groups)
        self._places = [(place, shape.items[place].levels.points) for place in map(shape.place, by)]
        self._by = (*groups, *by)
        self._readers = [_reader(group, shape) for group in shape.groups]
        self._rows: dict[tuple[str, ...], list[bytes]] = {}
        self._gathered = 0
        self._cells: dict[tuple[str, ...], Cell] = {}

    def add(self, answers: Answers, groups: Mapping[str, str] | None = None) -> None:
        """Take one answer set in, as `engine.forms.clean` returns it. Raises `Invalid` for too many groups."""
        row = b"".join([read(answers) for read in self._readers])
        known = groups or {}
        key = tuple(
            [str(known.get(name) or "") for name in self._groups]
            + [str(points[row[at]]) if row[at] < len(points) else "" for at, points in self._places]
        )
        rows = self._rows.get(key)
        if rows is None:
            rows = self._rows[key] = []
            if len(self._rows) > MAX_CELLS:
                params = {"by": ", ".join(self._by), "limit": MAX_CELLS}
                template = "{by} make more than {limit} groups: group by fewer, or by coarser ones"
                raise Invalid([Problem("by", template, params)])
        rows.append(row)
        self._gathered += 1
        if self._gathered >= _GATHERED:
            self._count()

    def counts(self) -> Counts:
        """What was taken in so far."""
        self._count()
        # copies: what is taken in later changes our own cells
        cells = {key: cell + _empty(self._shape) for key, cell in self._cells.items()}
        return Counts(self._form, self._shape, self._by, cells)

    def _count(self) -> None:
        for key, rows in self._rows.items():
            if rows:
                cell = self._cells.setdefault(key, _empty(self._shape))
                _count(cell, rows, self._shape)
                rows.clear()
        self._gathered = 0


def _reader(group: CountedGroup, shape: Shape) -> Callable[[Answers], bytes]:
    """What turns the answer to one field into its marks."""
    levels, name, rows = shape.items[group.first].levels, group.field.id, group.field.rows
    marks = _Marks({None: _BLANK})
    if levels.na is not None:
        marks[levels.na] = _NA
    marks.update({point: place for place, point in enumerate(levels.points)})
    mark = marks.__getitem__
    width = group.last - group.first
    hidden = bytes([_UNASKED] if group.field.show_if is not None else [_BLANK]) * width
    blank = bytes([_BLANK]) * width

    def choice(answers: Answers) -> bytes:
        if name not in answers:
            return hidden
        try:
            return bytes((mark(answers[name]),))
        except TypeError:  # a list or the like is no answer to a choice
            return blank

    if not rows:
        return choice
    ids = [row.id for row in rows]
    cells_of = itemgetter(*ids) if width > 1 else lambda cells: (cells[ids[0]],)

    def matrix(answers: Answers) -> bytes:
        cells = answers.get(name)
        if not isinstance(cells, dict):
            return blank if name in answers else hidden
        try:
            return bytes(map(mark, cells_of(cells)))
        except (KeyError, TypeError):
            return bytes(
                _BLANK if isinstance(each, (list, dict)) else mark(each) for each in map(cells.get, ids)
            )

    return matrix


def _count(cell: Cell, rows: list[bytes], shape: Shape) -> None:
    """Add the rows to the cell."""
    width = len(shape.items)
    for place, part in enumerate(_judged(rows, shape)):
        joined = b"".join(part)
        for item, marks in enumerate(cell.marks[place]):
            column = joined[item::width]
            for mark in (*range(len(shape.items[item].levels.points)), _NA, _BLANK, _UNASKED):
                if number := column.count(mark):
                    marks[mark] += number
    rated = shape.rated
    satisfied = sorted(shape.items[0].levels.satisfied) if rated else []
    for row in rows:
        asked = rated - row.count(_UNASKED, 0, rated)
        answered = asked - row.count(_NA, 0, rated) - row.count(_BLANK, 0, rated)
        cell.profile[asked, answered, sum([row.count(mark, 0, rated) for mark in satisfied])] += 1
    for group in _scored(shape):
        _sums(cell, group, rows, shape)


def _judged(rows: list[bytes], shape: Shape) -> list[list[bytes]]:
    """The rows by their answer to the overall item; those without one are the last part."""
    if shape.overall is None:
        return [rows]
    points = len(shape.items[shape.overall].levels.points)
    parts: list[list[bytes]] = [[] for _ in range(points + 1)]
    for row in rows:
        parts[min(row[shape.overall], points)].append(row)
    return parts


def _sums(cell: Cell, group: CountedGroup, rows: list[bytes], shape: Shape) -> None:
    """Add up each answer to the whole matrix, for its consistency."""
    levels = shape.items[group.first].levels
    first, last, points = group.first, group.last, len(levels.points)
    complete = [part for part in [row[first:last] for row in rows] if max(part) < points]
    joined, width = b"".join(complete), last - first
    for item, marks in enumerate(cell.complete[group.field.id]):
        column = joined[item::width]
        for mark in range(points):
            if number := column.count(mark):
                marks[mark] += number
    worth = units(levels)
    if max(worth) < 256:
        weighed = joined.translate(bytes(worth) + bytes(256 - points))
        parts = [weighed[at : at + width] for at in range(0, len(weighed), width)]
        cell.totals[group.field.id].update(map(sum, parts))
    else:
        cell.totals[group.field.id].update(sum(worth[mark] for mark in part) for part in complete)


def count(questionnaire: Form, answers: Iterable[Answers], by: Sequence[str] = ()) -> Counts:
    """The counts of answer sets, told apart by items of the questionnaire (`by`)."""
    counting = Counting(questionnaire, by)
    for each in answers:
        counting.add(each)
    return counting.counts()
