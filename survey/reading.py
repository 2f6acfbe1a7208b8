"""Rows of a returns file judged against the round's sample and questionnaire.

Where it is known whose answers they are, a row names its respondent. In an anonymous round it must not: rows carry
the groups that the round's design names, and no more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from engine.characters import identity
from engine.errors import Invalid, Problem
from engine.forms import Form, Text, asked_when, clean, draft
from engine.ports import Connection
from engine.strict_yaml import nearest
from survey.ledger import CHANNELS, WITHOUT
from survey.questionnaires import columns_of
from survey.rosters import COLUMNS
from survey.rounds import HANDED_OUT, Member, Round, counted, roster
from survey.sheets import Row, aliases, refuse
from survey.tables import answers

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
class Return:
    """One questionnaire that came back, as it will be written down."""

    member: Member | None
    """None in an anonymous round."""
    groups: Mapping[str, str]
    answers: Mapping[str, object]
    abstained: bool
    disposition: str
    """complete, partial or blank."""
    channel: str | None = None


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


_ALREADY = "The answers of customer {code} are already in"
_NOT_GIVEN = "Customer {code} was given no questionnaire: {disposition}"
_LISTED = 20
"""Codes named in one line."""


class Reader:
    """Judges rows against the round's sample and questionnaire."""

    def __init__(
        self,
        conn: Connection,
        found: Round,
        form: Form,
        *,
        today: date,
        entry: int = 1,
        replace: bool = False,
    ) -> None:
        self.round, self.form, self.today, self.replace, self.entry = found, form, today, replace, entry
        self.layout = layout(found, form)
        members = roster(conn, found.id)
        self.members = {identity(each.code): each for each in members}
        self.values = {name: {each.value(name) for each in members} - {""} for name in found.groups}
        if found.anonymous and found.groups:
            self.values[found.groups[0]] |= set(counted(conn, found, HANDED_OUT))
        taken = select(answers.c.member_id).where(answers.c.round_id == found.id, answers.c.entry == entry)
        self.answered = set(conn.execute(taken).scalars())
        first = select(answers.c.member_id).where(answers.c.round_id == found.id, answers.c.entry == 1)
        self.first = set(conn.execute(first).scalars()) if entry == 2 else set[int | None]()
        self.rated = [each for each in form.questions if each.scale is not None]
        self.seen: dict[str, int] = {}
        self.unasked: list[Unasked] = []
        """Of the rows read so far."""

    def read(self, rows: Iterable[Row]) -> list[Return]:
        """The returns. Raises `Invalid` naming every row that does not fit."""
        problems: list[Problem] = []
        found = []
        for row in rows:
            try:
                found.append(self._return(row))
            except Invalid as error:
                problems += [_placed(row, problem) for problem in error.problems]
        many = (_ALREADY, _NOT_GIVEN)
        there, not_given = ([each for each in problems if each.template == template] for template in many)
        rest = [each for each in problems if each.template not in many]
        refuse([*self._already(there), *self._not_given(not_given), *rest])
        return found

    def _not_given(self, there: list[Problem]) -> list[Problem]:
        """Of questionnaires whose handing out was not entered: one line, with the remedy."""
        if len(there) < 2:
            return there
        codes = [str(each.params["code"]) for each in there]
        template = (
            "The ledger has no questionnaire given out to {count} customers ({codes}): enter that first, with flow "
            "round log … --kind issue, or take their rows out"
        )
        listed = ", ".join(codes[:_LISTED]) + (" …" if len(codes) > _LISTED else "")
        return [Problem("file", template, {"count": len(codes), "codes": listed})]

    def _already(self, there: list[Problem]) -> list[Problem]:
        """Of a file brought in twice: one line instead of one for every customer."""
        if len(there) < 2:
            return there
        template = "The answers of {count} customers are already in ({first} …)"
        if self.entry == 1:
            template = (
                "The answers of {count} customers are already in ({first} …): --replace puts these in their "
                "place"
            )
        return [Problem("file", template, {"count": len(there), "first": there[0].params["code"]})]

    def _return(self, row: Row) -> Return:
        problems: list[Problem] = []
        who: Member | None = None
        try:
            if not self.round.anonymous:
                who = self._member(row)
        except Invalid as error:
            problems += error.problems
        groups = self._groups(row, who, problems)
        channel = self._channel(row, problems)
        try:
            given, abstained = self._answers(row)
        except Invalid as error:
            raise Invalid([*problems, *error.problems]) from None
        if problems:
            raise Invalid(problems)
        return self.judged(who, given, groups=groups, abstained=abstained, channel=channel)

    def judged(
        self,
        who: Member | None,
        given: Mapping[str, object],
        *,
        groups: Mapping[str, str] | None = None,
        abstained: bool = False,
        channel: str | None = None,
    ) -> Return:
        """A return with clean answers: whether it is complete, and whether it rates anything."""
        (answered, asked), points = self._rated(given)
        disposition = "partial" if answered * COMPLETE[1] < asked * COMPLETE[0] else "complete"
        if abstained or (asked and not answered):
            disposition = "blank"
        return Return(who, groups or {}, given, abstained or points == 0, disposition, channel)

    def _member(self, row: Row) -> Member:
        code = identity(row.cells[CUSTOMER])
        found = self.members.get(code)
        first = self.seen.setdefault(code, row.number)
        if found is None:
            template = "Customer {code} is not on the round's roster"
        elif first != row.number:
            template = "Customer {code} stands already in row {first}"
        elif found.id in self.answered and not self.replace:
            template = _ALREADY
        elif self.entry == 2 and found.id not in self.first:
            template = "The answers of customer {code} were not entered a first time yet"
        elif found.issued_on is None:
            template = _NOT_GIVEN
        elif found.disposition in WITHOUT:
            template = (
                "The ledger has customer {code} as {disposition}: if that is wrong, correct it first, with flow round "
                "log … --kind correction --result issued --note …"
            )
        else:
            return found
        disposition = Problem("", found.disposition if found else "")  # a word that is translated, too
        params = {"code": code or "…", "first": first, "disposition": disposition}
        raise Invalid([Problem(CUSTOMER, template, params)])

    def _groups(self, row: Row, who: Member | None, problems: list[Problem]) -> dict[str, str]:
        if who is not None:
            found = {name: who.value(name) for name in self.round.groups}
            return {name: value for name, value in found.items() if value}
        groups: dict[str, str] = {}
        for name in self.round.groups if self.round.anonymous else ():
            value, known = row.cells.get(name, ""), self.values[name]
            if name not in self.layout.answers and known and value not in known:
                params = {
                    "found": value[:40] or "…",
                    "known": ", ".join(sorted(known)[:20]),
                    "meant": nearest(value, known),
                }
                template = "{found} is not among those asked: {known}"
                if params["meant"]:
                    template = "{found} is not among those asked; did you mean {meant}? They are: {known}"
                problems.append(Problem(name, template, params))
            if value:
                groups[name] = value
        return groups

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
        given = {place: row.cells[column] for column, place in columns.items() if row.cells.get(column)}
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
        for column in self.layout.unasked([name for name in columns if row.cells.get(name)], answers):
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


def _placed(row: Row, problem: Problem) -> Problem:
    column = problem.field.rpartition(".")[2]
    place = f"row {row.number}, {column}" if column else f"row {row.number}"
    return Problem(place, problem.template, problem.params)
