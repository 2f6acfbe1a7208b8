"""What customers wrote to the open questions of a round, numbered, so that each of them can be sorted and answered.

Functions work in the caller's transaction.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from engine.ports import Connection
from survey import returns, rounds
from survey.figures import open_texts
from survey.rounds import Member, Round

_SEPARATOR = re.compile(r"[,，、;；\s]+")
_PART = re.compile(r"(\d{1,6})(?:[-–—－~～至](\d{1,6}))?")


@dataclass(frozen=True, slots=True)
class Opinion:
    """One answer to one open question."""

    number: int
    """From 1; the same as long as the round takes no further returns."""
    question: str
    """Its label."""
    text: str
    member: Member | None
    """Who wrote it, for call-backs; of an anonymous round nobody knows, and lists say it of a named one only."""


def written(conn: Connection, found: Round, questions: Collection[str] = ()) -> list[Opinion]:
    """Everything written: of a named round in the order of the roster, else by question and the texts' characters.

    With `questions`, ids, only what was written to these. Answers marked as personal are left out.
    """
    form = rounds.questionnaire(conn, found)
    if questions:
        form = replace(form, fields=tuple(each for each in form.fields if each.id in questions))
    if found.anonymous:
        remarks = open_texts(form, (given for given, _ in rounds.answers_of(conn, [found])))
        said: list[tuple[str, str, Member | None]] = [
            (each.label.zh, text, None) for each in remarks for text in each.texts
        ]
    else:
        there = returns.stored(conn, found)
        said = [
            (each.label.zh, text, member)
            for member in rounds.roster(conn, found.id)
            if member.id in there
            for each in open_texts(form, [there[member.id].answers])
            for text in each.texts
        ]
        if not found.named:
            order = [each.label.zh for each in form.questions]
            said.sort(key=lambda each: (order.index(each[0]), each[1]))
    return [Opinion(number, *each) for number, each in enumerate(said, 1)]


def numbers_in(text: str) -> Iterator[range]:
    """The numbers that a text names, as `1-3, 7、9至12`. Raises `ValueError` for one that names none."""
    for part in filter(None, _SEPARATOR.split(text)):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(part)
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last:
            raise ValueError(part)
        yield range(first, last + 1)
