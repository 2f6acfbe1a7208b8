"""Returns matched with the round's sample: whose they are, and whether they may come in.

Where it is known whose answers they are, a row names its respondent. In an anonymous round it must not: rows carry
the groups that the round's design names, and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, select, type_coerce

from engine.characters import identity
from engine.errors import Problem
from engine.ports import Connection
from engine.strict_yaml import nearest
from survey.ledger import WITHOUT
from survey.reading import CUSTOMER, Given, Judged, Layout
from survey.rounds import HANDED_OUT, Member, Round, counted, roster
from survey.sheets import Row, refuse
from survey.tables import answers, member

_ALREADY = "The answers of customer {code} are already in"
_NOT_GIVEN = "Customer {code} was given no questionnaire: {disposition}"
_LISTED = 20
"""Codes named in one line."""
_MEMBER = [type_coerce(each, Text) if each is member.c.attributes else each for each in member.c]


@dataclass(frozen=True, slots=True)
class Return:
    """One questionnaire that came back, as it will be written down."""

    member: Member | None
    """None in an anonymous round."""
    groups: Mapping[str, str]
    given: Given
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a round stands, as far as returns are matched by it: equal as long as nobody changes any of it."""

    members: list[tuple[Any, ...]]
    entered: list[tuple[int, int]]
    """Whose answers are in (the member's id), and whether as first (1) or second (2) entry."""
    handed_out: Mapping[str, int]


def standing(conn: Connection, found: Round) -> Standing:
    """How the round stands now."""
    here = select(*_MEMBER).where(member.c.round_id == found.id).order_by(member.c.id)
    entered = select(answers.c.member_id, answers.c.entry).where(
        answers.c.round_id == found.id, answers.c.member_id.is_not(None)
    )
    return Standing(
        [tuple(row) for row in conn.execute(here)],
        sorted((row[0], row[1]) for row in conn.execute(entered)),
        counted(conn, found, HANDED_OUT) if found.anonymous else {},
    )


class Matcher:
    """Matches rows with the round's sample. `stands` was read before: what changes later is noticed by it."""

    def __init__(
        self, conn: Connection, found: Round, layout: Layout, stands: Standing, *, entry: int, replace: bool
    ) -> None:
        self.round, self.layout, self.entry, self.replace = found, layout, entry, replace
        members = roster(conn, found.id)
        self.members = {identity(each.code): each for each in members}
        self.values = {name: {each.value(name) for each in members} - {""} for name in found.groups}
        if found.anonymous and found.groups:
            self.values[found.groups[0]] |= set(stands.handed_out)
        self.answered = {who for who, number in stands.entered if number == entry}
        self.first = {who for who, number in stands.entered if number == 1}
        self.seen: dict[str, int] = {}

    def matched(self, rows: Iterable[Judged]) -> list[Return]:
        """The returns. Raises `Invalid` naming every row that does not fit, by itself or into the round."""
        problems: list[Problem] = []
        found = []
        for each in rows:
            own: list[Problem] = []
            who = None if self.round.anonymous else self._member(each.row, own)
            groups = self._groups(each.row, who, own)
            own += each.problems
            if each.given is not None and not own:
                found.append(Return(who, groups, each.given, each.channel))
            problems += [_placed(each.row, problem) for problem in own]
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

    def _member(self, row: Row, problems: list[Problem]) -> Member | None:
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
        problems.append(Problem(CUSTOMER, template, params))
        return None

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


def _placed(row: Row, problem: Problem) -> Problem:
    column = problem.field.rpartition(".")[2]
    place = f"row {row.number}, {column}" if column else f"row {row.number}"
    return Problem(place, problem.template, problem.params)
