"""What a form is: frozen values, the same for a task form, a questionnaire, a prompt and a web page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from engine.characters import folded

OptionValue: TypeAlias = str | int | float

FIELD_TYPES = (
    *("text", "long_text", "integer", "number", "date", "datetime", "boolean"),
    *("choice", "choices", "person", "table", "matrix", "info"),
)
"""`info` is a text shown, without an answer; `person` holds a person's id."""


@dataclass(frozen=True, slots=True)
class Text:
    """What people read, in Chinese and, where somebody wrote it, in English."""

    zh: str
    en: str = ""

    def __str__(self) -> str:
        return self.of("en")

    def of(self, lang: str) -> str:
        """The text in `lang` (`zh`, `en`, `en_GB`, …), in Chinese where there is no other."""
        return self.en if lang.startswith("en") and self.en else self.zh


@dataclass(frozen=True)
class Option:
    """One thing to choose: stored as `value`, read as `label`."""

    value: OptionValue
    label: Text
    weight: float | None = None
    """Only of a scale's point: what it counts when its value is not the number to count."""

    @cached_property
    def writings(self) -> tuple[str, ...]:
        """The ways in which it may be written."""
        return tuple(folded(name) for name in (self.value, self.label.zh, self.label.en) if name != "")


@dataclass(frozen=True, slots=True)
class Scale:
    """The points of a rating, in the order shown, and the answer that means "not applicable"."""

    id: str
    points: tuple[Option, ...]
    na: Option | None = None
    satisfied: int | None = None
    """How many of the best points count as satisfied; None: the upper half, the middle one not in it."""

    @property
    def options(self) -> tuple[Option, ...]:
        """The points, then `na`."""
        return (*self.points, self.na) if self.na else self.points


@dataclass(frozen=True, slots=True)
class Row:
    """One item of a matrix."""

    id: str
    label: Text
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison of an earlier answer; `path` is (field,) or (matrix, row)."""

    path: tuple[str, ...]
    operator: str
    """eq, ne, lt, lte, gt, gte, in (operand: a tuple) or answered (operand: true or false)."""
    operand: object


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions of which all, any or none (`not`) hold."""

    kind: Literal["all", "any", "not"]
    parts: tuple[Condition, ...]


Condition: TypeAlias = Test | Group


@dataclass(frozen=True, slots=True)
class Field:
    """One question. Attributes that its type does not have keep their defaults."""

    id: str
    type: str
    label: Text
    help: Text | None = None
    required: bool = False
    personal: bool = False
    """Kept in the erasable side table of the journal."""
    read_only: bool = False
    variable: str | None = None
    """The variable that fills it in beforehand."""
    default: object = None
    """Stands when the answer is not given at all; `today` for a date."""
    show_if: Condition | None = None
    min: int | float | str | None = None
    """The least number or date (ISO); the least count of options chosen or of a table's rows."""
    max: int | float | str | None = None
    min_length: int = 0
    max_length: int = 0
    """Characters, of text."""
    pattern: str | None = None
    """A regular expression (Python's `re`) that the whole text has to match. It is the author's: nothing bounds
    the time a badly written one takes but `max_length`."""
    not_before: str | None = None
    """`today`, an earlier date field, or a variable holding an ISO date."""
    not_after: str | None = None
    options: tuple[Option, ...] = ()
    """Of choice and choices; of a matrix and a choice on a scale, the scale's."""
    scale: Scale | None = None
    rows: tuple[Row, ...] = ()
    fields: tuple[Field, ...] = ()
    """A table's columns."""
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """How the answers become one figure; kept for whoever computes it."""

    method: str
    na: str | None
    to: int | float | None
    """The top of the scale reported, e.g. 100."""
    overall: str | None = None
    """The item that asks for the overall judgement."""
    scale: str | None = None
    """The scale of the items that are figured, where there are several."""


@dataclass(frozen=True, slots=True)
class Form:
    """A task form or a questionnaire, one version of it."""

    id: str
    version: str
    kind: Literal["task", "questionnaire"]
    title: Text
    fields: tuple[Field, ...]
    intro: Text | None = None
    anonymity: Literal["named", "confidential", "anonymous"] | None = None
    """The promise to those who answer; only of questionnaires."""
    scales: tuple[Scale, ...] = ()
    score: Score | None = None

    @property
    def questions(self) -> tuple[Field, ...]:
        """The fields that have an answer."""
        return tuple(field for field in self.fields if field.type != "info")

    @property
    def personal(self) -> frozenset[str]:
        """The ids of the fields whose answers have to be erasable."""
        return frozenset(field.id for field in self.fields if field.personal)

    @property
    def variables(self) -> frozenset[str]:
        """The names of the instance's variables that the form reads."""
        return frozenset(self._variables())

    def _variables(self) -> Iterator[str]:
        own = {"today", *(field.id for field in self.fields)}
        for field in self.fields:
            if field.variable:
                yield field.variable
            for part in (field, *field.fields):
                yield from {part.not_before, part.not_after} - own - {None}  # type: ignore[misc]
