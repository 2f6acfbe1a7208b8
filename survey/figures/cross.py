"""Cross-tabulation: the answers to an item by group, with the test that says whether the groups differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from survey.figures.counting import Counts
from survey.figures.distributions import chi_square_tail
from survey.figures.hiding import INDICATIVE, Group, hidden_groups
from survey.figures.shape import CountedItem
from survey.figures.tally import Tally


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """Pearson's test of independence over the groups shown; abstentions and blanks left out."""

    statistic: float
    df: int
    p: float
    least_expected: float
    doubtful: bool
    """An expected count under 1, or more than a fifth of them under 5 (Cochran's rule): p is not to be trusted."""


@dataclass(frozen=True, slots=True)
class CrossRow:
    """One group."""

    name: str
    """Empty: those of whom the group is not known."""
    tally: Tally | None
    """None: not shown, because the round is not named and the group small or needed to hide a small one."""
    indicative: bool
    """Too few answers to rely on."""

    @property
    def shares(self) -> tuple[Fraction | None, ...]:
        """Each point's part of the row's base."""
        if self.tally is None:
            return ()
        base = self.tally.base
        return tuple(Fraction(number, base) if base else None for number in self.tally.numbers)


@dataclass(frozen=True, slots=True)
class CrossTable:
    """An item by groups."""

    item: CountedItem
    by: str
    rows: tuple[CrossRow, ...]
    total: Tally
    test: ChiSquare | None
    """None when there are not two groups and two points with answers."""


def cross(
    counts: Counts,
    item: str,
    by: str,
    *,
    hidden: frozenset[Group] | None = None,
    indicative: int = INDICATIVE,
) -> CrossTable:
    """The answers to `item` by the groups of `by`, one of those that were counted apart.

    `hidden` are the groups not to be shown, by default those of `hidden_groups`; groups with a base under
    `indicative` are marked. Raises `Invalid` for an unknown item or grouping.
    """
    place = counts.shape.place(item)
    hidden = hidden_groups(counts) if hidden is None else hidden
    rows = []
    for name, part in counts.split(by).items():
        tally = None if (by, name) in hidden else part.tallies[place]
        rows.append(CrossRow(name, tally, tally is not None and tally.base < indicative))
    total = counts.tallies[place]
    shown = [row.tally.numbers for row in rows if row.tally is not None]
    return CrossTable(counts.shape.items[place], by, tuple(rows), total, chi_square(shown))


def chi_square(rows: Sequence[Sequence[int]]) -> ChiSquare | None:
    """Pearson's test of a table of counts; rows and columns without any are left out. None without two of each."""
    rows = [row for row in rows if sum(row)]
    columns = [column for column in zip(*rows, strict=True) if sum(column)]
    if len(rows) < 2 or len(columns) < 2:
        return None
    lines = list(zip(*columns, strict=True))
    sums, total = [sum(column) for column in columns], sum(map(sum, columns))
    expected = [[Fraction(sum(line) * down, total) for down in sums] for line in lines]
    statistic = sum(
        (seen - due) ** 2 / due
        for line, dues in zip(lines, expected, strict=True)
        for seen, due in zip(line, dues, strict=True)
    )
    df = (len(lines) - 1) * (len(columns) - 1)
    every = [due for dues in expected for due in dues]
    small = sum(due < 5 for due in every)
    return ChiSquare(
        statistic=float(statistic),
        df=df,
        p=chi_square_tail(float(statistic), df),
        least_expected=float(min(every)),
        doubtful=min(every) < 1 or 5 * small > len(every),
    )
