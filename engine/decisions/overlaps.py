"""Rules of a table that can apply at once, as far as the cells alone tell.

The constants of a column divide its values into regions: before the first, the first itself, between the first
and the second, and so on. Every cell of constants then stands for a set of regions, kept as the bits of a whole
number, so that thousands of rules are compared in moments. A column whose head is more than one variable, or
whose cells read variables, tells only that equal cells, and a cell open to all, meet.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

from engine.decisions.cells import Cell, Test, kind
from engine.decisions.model import Decision, Input, Rule


def overlapping(decision: Decision) -> Iterator[tuple[Rule, Rule]]:
    """Pairs of rules that some values make apply at once; of each rule only the first one after it."""
    columns = [_meeting(each, cells) for each, cells in _columns(decision)]
    everything = (1 << len(decision.rules)) - 1
    for place, rule in enumerate(decision.rules):
        others = everything >> (place + 1) << (place + 1)
        for column in columns:
            others &= column[place]
        if others:
            yield rule, decision.rules[(others & -others).bit_length() - 1]


def _columns(decision: Decision) -> Iterator[tuple[Input, list[tuple[Cell, ...]]]]:
    """Each input with its cells. Columns of one head are one column, for they hold of the same value."""
    heads: dict[str, list[int]] = {}
    for place, each in enumerate(decision.inputs):
        heads.setdefault(each.head.text, []).append(place)
    for places in heads.values():
        cells = [tuple(rule.conditions[place] for place in places) for rule in decision.rules]
        yield decision.inputs[places[0]], cells


def _meeting(column: Input, cells: Sequence[tuple[Cell, ...]]) -> list[int]:
    """For each rule, the rules (as bits) whose cells in this column some value passes together with its own."""
    rules: dict[tuple[tuple[str, ...], int], int] = {}
    regions = _Regions(column, [cell for group in cells for cell in group])
    keys = []
    for place, group in enumerate(cells):
        key = (() if regions.certain else tuple(cell.text for cell in group if cell.tests), regions.of(group))
        keys.append(key)
        rules[key] = rules.get(key, 0) | 1 << place
    meeting = {}
    for texts, mask in rules:
        meeting[texts, mask] = 0
        for (other, region), bits in rules.items():
            if (texts == other or not texts or not other) and mask & region:
                meeting[texts, mask] |= bits
    return [meeting[key] for key in keys]


class _Regions:
    """The regions of one column. Where they cannot be told there is one, and every cell has it."""

    def __init__(self, column: Input, cells: Sequence[Cell]) -> None:
        every = [*cells, *([column.allowed] if column.allowed else [])]
        constants = [each for cell in every for each in cell.operands]
        values = {each.constant for each in constants if kind(each.constant) in ("number", "text", "boolean")}
        kinds = {kind(each) for each in values}
        plain = column.head.expression is not None and column.head.text in column.head.names
        self.certain = (
            plain
            and len(kinds) < 2
            and all(each.expression is None and kind(each.constant) in ("null", *kinds) for each in constants)
        )
        self.points = sorted(values) if self.certain else []
        self.null = 1 << (2 * len(self.points) + 1)
        self.all = 2 * self.null - 1
        if self.certain:
            self.all &= ~self._empty(kinds, column.type)
            if column.allowed is not None:
                self.all &= self._cell(column.allowed) | self.null

    def _empty(self, kinds: set[str], type_: str) -> int:
        """The regions between constants that no value lies in."""
        if kinds == {"boolean"}:
            points = sum(1 << (2 * place + 1) for place in range(len(self.points)))
            other = {1: 1 if self.points == [True] else 1 << 2}.get(len(self.points), 0)
            return (self.null - 1) & ~points & ~other
        found = 0
        for place, (low, high) in enumerate(pairwise(self.points)):
            if (type_ == "integer" and high - low <= 1) or (type_ == "date" and _next(low, high)):
                found |= 1 << (2 * place + 2)
        return found

    def of(self, cells: Sequence[Cell]) -> int:
        """The regions whose values pass all these cells."""
        found = self.all
        for cell in cells if self.certain else ():
            found &= self._cell(cell)
        return found

    def _cell(self, cell: Cell) -> int:
        if not cell.tests:
            return self.all
        found = 0
        for test in cell.tests:
            found |= self._test(test)
        if not cell.negated:
            return found
        ordered = any(sign not in ("==", "!=") for test in cell.tests for sign, _ in test)
        return self.all & ~found & ~(self.null if ordered else 0)

    def _test(self, test: Test) -> int:
        found = self.all
        for sign, operand in test:
            if operand.constant is None:
                point = self.null if sign in ("==", "!=") else 0
                found &= point if sign != "!=" else ~point
                continue
            place = 2 * bisect_left(self.points, operand.constant) + 1
            point, before = 1 << place, (1 << place) - 1
            after = (self.null - 1) & ~before & ~point
            found &= {
                "==": point,
                "!=": ~point,
                "<": before,
                "<=": before | point,
                ">": after,
                ">=": point | after,
            }[sign]
        return found


def _next(low: str, high: str) -> bool:
    """Whether no day lies between two."""
    return (date.fromisoformat(high) - date.fromisoformat(low)).days <= 1
