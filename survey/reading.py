"""Rows of a returns file judged by the round's questionnaire: its columns, and what each row says.

Nothing here asks the database. Whose the rows are is found out in `survey.matching`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import orjson

from engine.errors import Invalid, Problem
from engine.forms import Form, Text, asked_when, clean, draft
from survey.figures import wordless
from survey.ledger import CHANNELS
from survey.questionnaires import columns_of
from survey.rosters import COLUMNS
from survey.rounds import Round
from survey.sheets import Row, aliases

CUSTOMER = "respondent"
"""The column that says whose answers a row has: the customer's code on the roster."""
ABSTAINED = "abstained"
"""The column that marks a questionnaire given back without any rating."""
CHANNEL = "channel"
NUMBER = "number"
"""The column of an entry form that numbers its rows: one without answers is not back yet."""
COMPLETE = 4, 5
"""A return that answers at least 4 of 5 of what it was asked to rate is complete, else partial (AAPOR leaves the
limits to the survey and names 80 %); one that leaves all of it blank is neither."""

_NAMES = {
    CUSTOMER: ("customer", *COLUMNS["customer"]),
    ABSTAINED: ("弃权", "整卷弃权"),
    CHANNEL: ("渠道", "回收方式"),
    NUMBER: ("序号",),
    "project": COLUMNS["project"],
    "segment": COLUMNS["segment"],
    "department": ("科室", "部门"),
}
_YES = ("1", "yes", "y", "true", "是", "√")
_NO = ("", "0", "no", "n", "false", "否")
_CHANNEL_WORDS = {word: channel for channel, word in CHANNELS.items()}


@dataclass(frozen=True, slots=True)
class Given:
    """What a questionnaire says, as it will be written down."""

    answers: str
    """Clean ones, as JSON."""
    abstained: bool
    disposition: str
    """complete, partial or blank."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A row by itself, whoever it is from: what it says, and what is wrong with that."""

    row: Row
    """With the cells alone that say whose it is."""
    given: Given | None
    """None where it cannot be read."""
    channel: str | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Unasked:
    """An answer to a question that was not asked, by the other answers of its row: it is not taken in."""

    row: int
    column: str
    when: Text
    """On what answers it is asked."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a round's returns."""

    answers: Mapping[str, str]
    """Column to the answer's place, `field` or `matrix.row`."""
    who: tuple[str, ...]
    """The column that says whose answers they are; of an anonymous round none."""
    items: tuple[str, ...]
    """What may not be left out, but where nobody rated anything."""
    extra: tuple[str, ...]

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that there have to be."""
        return (*self.who, *self.items)

    @property
    def known(self) -> tuple[str, ...]:
        """Every column that there may be."""
        return tuple(dict.fromkeys((*self.required, *self.answers, *self.extra)))

    def abstains(self, row: Row) -> bool:
        """Whether a row is marked as a questionnaire that rates nothing."""
        return ABSTAINED not in self.answers and row.cells.get(ABSTAINED, "").casefold() in _YES

    def unasked(self, given: Iterable[str], answers: Collection[str]) -> list[str]:
        """The columns, of those with an answer, whose question clean answers hide."""
        return [name for name in given if self.answers[name].partition(".")[0] not in answers]

    def called(self, heading: str) -> str:
        """The column that a heading means; the questionnaire's own names come first."""
        return heading if heading in self.answers else _called(heading)


_called = aliases(_NAMES)


def layout(found: Round, form: Form) -> Layout:
    """The columns of the round's returns: everything rated and everything required may not be left out."""
    columns = columns_of(form)
    items = tuple(
        name
        for each in form.questions
        if each.scale is not None or each.required
        for name in ([row.id for row in each.rows] or [each.id])
    )
    who = () if found.anonymous else (CUSTOMER,)
    groups = found.groups if found.anonymous else ()
    extra = [name for name in (*groups, ABSTAINED, CHANNEL, NUMBER, CUSTOMER) if name not in columns]
    return Layout(columns, who, items, tuple(extra))


def filled(rows: Iterable[Row], found: Layout) -> list[Row]:
    """The rows of a file without those of an entry form that were not filled in."""
    if NUMBER in found.answers:
        return list(rows)
    said = (*found.answers, ABSTAINED)
    return [row for row in rows if NUMBER not in row.cells or any(row.cells.get(name) for name in said)]


class Reader:
    """Judges rows by the questionnaire alone."""

    def __init__(self, found: Round, form: Form, *, today: date) -> None:
        self.form, self.today, self.layout = form, today, layout(found, form)
        self.who = (*self.layout.who, *found.groups)
        self.texts = frozenset(each.id for each in form.questions if each.type in ("text", "long_text"))
        self.rated = [each for each in form.questions if each.scale is not None]
        self.unasked: list[Unasked] = []
        """Of the rows read so far."""

    def judged(self, row: Row) -> Judged:
        """The row, with every problem it has by itself."""
        problems: list[Problem] = []
        channel, given = self._channel(row, problems), None
        try:
            answers, abstained = self._answers(row)
            given = self.given(answers, abstained=abstained)
        except Invalid as error:
            problems += error.problems
        who = Row(row.number, {name: row.cells[name] for name in self.who if name in row.cells})
        return Judged(who, given, channel, tuple(problems))

    def said(self, column: str, text: str) -> str:
        """What a cell says: one of an open question nothing where it is struck out."""
        return "" if column in self.texts and wordless(text) else text

    def given(self, answers: Mapping[str, object], *, abstained: bool = False) -> Given:
        """Clean answers: whether they are complete, and whether they rate anything."""
        (answered, asked), points = self._rated(answers)
        disposition = "partial" if answered * COMPLETE[1] < asked * COMPLETE[0] else "complete"
        if abstained or (asked and not answered):
            disposition = "blank"
        return Given(orjson.dumps(answers).decode(), abstained or points == 0, disposition)

    def _channel(self, row: Row, problems: list[Problem]) -> str | None:
        if CHANNEL in self.layout.answers or not (text := row.cells.get(CHANNEL, "")):
            return None
        found = _CHANNEL_WORDS.get(text, text.casefold())
        if found not in CHANNELS:
            params = {"found": text[:40], "known": ", ".join((*CHANNELS, *_CHANNEL_WORDS))}
            problems.append(Problem(CHANNEL, "There is no {found}; there are: {known}", params))
        return found

    def _answers(self, row: Row) -> tuple[dict[str, object], bool]:
        columns = self.layout.answers
        given = {
            place: text
            for column, place in columns.items()
            if (text := row.cells.get(column)) and (column not in self.texts or not wordless(text))
        }
        mark = "" if ABSTAINED in columns else row.cells.get(ABSTAINED, "").casefold()
        if mark not in (*_YES, *_NO):
            raise Invalid([Problem(ABSTAINED, "Expected yes or no, found {found}", {"found": mark[:40]})])
        if self.layout.abstains(row):
            found = draft(self.form, given)
            if self._rated(found)[1]:
                raise Invalid(
                    [Problem(ABSTAINED, "Marked as an abstention, but items are rated: delete one or other")]
                )
            return found, True
        if not given:
            template = "The row answers nothing: delete it, or write 1 in the column abstained"
            raise Invalid([Problem("", template)])
        answers = clean(self.form, given, today=self.today, variables={})
        for column in self.layout.unasked(
            [name for name, place in columns.items() if place in given], answers
        ):
            when = asked_when(self.form, columns[column].partition(".")[0])
            self.unasked.append(Unasked(row.number, column, when))
        return answers, False

    def _rated(self, given: Mapping[str, object]) -> tuple[tuple[int, int], int]:
        """Of the rated items: how many were answered, out of how many asked; and how many of those with a point."""
        answered = asked = points = 0
        for each in self.rated:
            if each.id not in given:
                continue  # hidden by a condition
            value, na = given[each.id], each.scale.na.value if each.scale and each.scale.na else None
            cells: list[object] = [value]
            if each.rows:
                cells = [value.get(row.id) if isinstance(value, Mapping) else None for row in each.rows]
            asked += len(cells)
            there = [cell for cell in cells if cell is not None]
            answered += len(there)
            points += sum(cell != na for cell in there)
        return (answered, asked), points
