"""Trend: the same figures over several rounds, where they can be compared at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from engine.errors import Invalid, Problem
from engine.forms import Text
from survey.figures.methods import Method
from survey.figures.report import Figures, Line


@dataclass(frozen=True, slots=True)
class Wave:
    """One round in a trend: what people call it (`2026-Q3`, `SV-12`), and its figures."""

    name: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class TrendLine:
    """An item, a field or the whole, over the rounds in order."""

    id: str
    label: Text
    rates: tuple[Fraction | None, ...]
    means: tuple[Fraction | None, ...]
    bases: tuple[int, ...]

    @property
    def change(self) -> Fraction | None:
        """The last rate less the one before; None where either is missing."""
        before, last = self.rates[-2:]
        return None if before is None or last is None else last - before


@dataclass(frozen=True, slots=True)
class Trend:
    """Rounds side by side, by one method."""

    method: Method
    names: tuple[str, ...]
    items: tuple[TrendLine, ...]
    groups: tuple[TrendLine, ...]
    whole: TrendLine


def trend(waves: Sequence[Wave]) -> Trend:
    """The figures of two or more rounds, the oldest first.

    Raises `Invalid` unless all have the same version of the questionnaire, the same items and points, and the same
    method: figures of different questions or formulas are no trend.
    """
    if len(waves) < 2:
        known = {"count": len(waves)}
        raise Invalid([Problem("rounds", "A trend needs two rounds or more, found {count}", known)])
    first = waves[0]
    problems = [problem for wave in waves[1:] for problem in _differences(first, wave)]
    if problems:
        raise Invalid(problems)
    every = [wave.figures for wave in waves]
    return Trend(
        method=first.figures.method,
        names=tuple(wave.name for wave in waves),
        items=tuple(map(_line, zip(*(each.items for each in every), strict=True))),
        groups=tuple(map(_line, zip(*(each.groups for each in every), strict=True))),
        whole=_line([each.whole for each in every]),
    )


def _differences(first: Wave, other: Wave) -> list[Problem]:
    names = {"one": first.name, "other": other.name}
    mine, theirs = first.figures, other.figures
    problems = []
    if mine.questionnaire != theirs.questionnaire:
        known = {**names, "mine": mine.questionnaire, "theirs": theirs.questionnaire}
        template = (
            "{one} and {other} cannot be compared: the one asked questionnaire {mine}, the other {theirs}"
        )
        problems.append(Problem("rounds", template, known))
    elif _asked(mine) != _asked(theirs):
        template = (
            "{one} and {other} cannot be compared: the items or points of questionnaire {questionnaire} were changed "
            "without a new version"
        )
        problems.append(Problem("rounds", template, {**names, "questionnaire": mine.questionnaire}))
    if mine.method != theirs.method:
        known = {**names, "mine": mine.method.id, "theirs": theirs.method.id}
        template = (
            "{one} and {other} cannot be compared: the one was figured by {mine}, the other by {theirs}; "
            "figure both by one method"
        )
        problems.append(Problem("rounds", template, known))
    return problems


def _asked(figures: Figures) -> tuple[object, ...]:
    return (figures.whole.id, *((each.id, each.tally.levels) for each in figures.items))


def _line(lines: Sequence[Line]) -> TrendLine:
    return TrendLine(
        lines[0].id,
        lines[0].label,
        tuple(line.rate.value for line in lines),
        tuple(line.mean for line in lines),
        tuple(line.rate.base for line in lines),
    )
