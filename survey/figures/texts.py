"""What people wrote in their own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.forms import Form, Text
from survey.figures.counting import Answers

MOST_TEXTS = 10_000
_STRUCK = re.compile(r"[-‐‑‒–—―−﹘﹣－/／\\＼\s]*")


@dataclass(frozen=True, slots=True)
class Remarks:
    """The answers to one open question."""

    field: str
    label: Text
    texts: tuple[str, ...]
    """In the order of their own characters: the order of the answer sets would tell who wrote what."""
    left_out: int
    """Beyond `most`."""


def wordless(text: str) -> bool:
    """Whether a text is nothing but dashes and slashes: how people strike out what they leave blank.

    A word, `无` too, is an answer, and so is any other sign.
    """
    return _STRUCK.fullmatch(text) is not None


def open_texts(
    questionnaire: Form, answers: Iterable[Answers], most: int = MOST_TEXTS
) -> tuple[Remarks, ...]:
    """What was written to each open question that asks for nothing personal, without blank and struck out ones."""
    fields = [
        field
        for field in questionnaire.questions
        if field.type in ("text", "long_text") and not field.personal
    ]
    found: Mapping[str, list[str]] = {field.id: [] for field in fields}
    more = dict.fromkeys(found, 0)
    for name, text in _written(tuple(found), answers):
        if len(found[name]) < most:
            found[name].append(text)
        else:
            more[name] += 1
    return tuple(
        Remarks(field.id, field.label, tuple(sorted(found[field.id])), more[field.id]) for field in fields
    )


def _written(names: tuple[str, ...], answers: Iterable[Answers]) -> Iterator[tuple[str, str]]:
    for each in answers:
        for name in names:
            text = each.get(name)
            if isinstance(text, str) and not wordless(text):
                yield name, text.strip()
