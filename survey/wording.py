"""What is wrong with how a questionnaire asks: no purpose said, long options, private questions.

Whether questions are to the point is for people to judge; this finds what can be found by reading the form alone.
Options that read the same are no form at all: `engine.forms` refuses them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.forms import Field, Form


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    kind: str
    """purpose (no introduction), long (an option)."""
    field: str
    """The question's id; empty for the form."""
    text: str
    """What it is about, as people read it."""


@dataclass(frozen=True, slots=True)
class Private:
    """A question that asks for something personal."""

    field: str
    """The question's id, or that of its row."""
    label: str
    word: str
    """What gives it away."""


def faults(form: Form, longest: int) -> Iterator[Fault]:
    """What keeps the questionnaire from being used; an option's label may have `longest` characters."""
    if form.intro is None or not form.intro.zh.strip():
        yield Fault("purpose", "", form.title.zh)
    judged: set[str] = set()
    for each in form.questions:
        for label in (option.label.zh for option in each.options):
            if len(label) > longest and label not in judged:  # a scale is shared by several questions
                yield Fault("long", each.id, label)
            judged.add(label)


def private(form: Form, words: Iterable[str]) -> Iterator[Private]:
    """The questions whose wording holds one of the words, or that the form marks as personal."""
    wanted = [word for word in words if word]
    for each in form.questions:
        if each.personal:
            yield Private(each.id, each.label.zh, each.label.zh)
            continue
        for id_, text in _texts(each):
            word = next((word for word in wanted if word in text), None)
            if word is not None:
                yield Private(id_, text, word)


def _texts(field: Field) -> Iterator[tuple[str, str]]:
    yield field.id, field.label.zh + ("" if field.help is None else field.help.zh)
    yield from ((row.id, row.label.zh) for row in field.rows)
    yield from ((column.id, column.label.zh) for column in field.fields)
