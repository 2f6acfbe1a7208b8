"""A case of the standard: a diagram, what it is given, and the trace that BPMN 2.0.2 prescribes.

The trace names the elements in the order in which they begin. What runs side by side stands in brackets, its
branches parted by `|`: `s split (a b | c) join e` holds when a comes before b, and c anywhere beside them. What may
begin but need not, because what ends it runs beside it, is followed by `?`. So only what the standard orders
is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from engine.rehearsal import Rehearsal, run
from tests.engine.drawing import diagram

Steps = tuple[Any, ...]
"""What is to come: names in order; a tuple among them holds the branches that run side by side."""


@dataclass(frozen=True)
class Case:
    """One diagram, one course. `rows` names the rows of docs/bpmn-support.md that it speaks for."""

    rows: tuple[str, ...]
    clause: str
    title: str
    drawing: str
    trace: str
    """Elements, an activity once for each time it is done."""
    marks: str = ""
    """What scripts wrote with `mark("…")`."""
    ended: str = "completed"
    given: Mapping[str, Any] = field(default_factory=dict)
    left: Mapping[str, Any] = field(default_factory=dict)
    """Variables that the process leaves, among others."""
    also_start: tuple[str, ...] = ()
    hours: float = 1
    """How much virtual time may pass."""

    @property
    def bpmn(self) -> bytes:
        """The file; a drawing that begins with `<` is XML already."""
        text = self.drawing.strip()
        return text.encode() if text.startswith("<") else diagram(self.drawing)

    def course(self, *, reload: bool) -> tuple[Rehearsal, list[str]]:
        """What became of it, and its marks."""
        marks: list[str] = []
        found = run(
            self.bpmn, "main", dict(self.given), functions={"mark": marks.append}, also_start=self.also_start,
            horizon_s=self.hours * 3600, reload=reload,
        )  # fmt: skip
        return found, marks


def case(rows: str, clause: str, title: str, drawing: str, trace: str, **more: Any) -> Case:
    """A case for one row of the table, or for several with semicolons between them."""
    return Case(tuple(row.strip() for row in rows.split(";")), clause, title, drawing, trace, **more)


def steps(text: str) -> Steps:
    """A trace as written above, read."""
    stack: list[list[list[Any]]] = [[[]]]
    for word in re.findall(r"[()|]|[^\s()|]+", text):
        if word == "(":
            stack.append([[]])
        elif word == "|":
            stack[-1].append([])
        elif word == ")":
            branches = stack.pop()
            stack[-1][-1].append(tuple(tuple(branch) for branch in branches))
        else:
            stack[-1][-1].append(word)
    ((found,),) = stack
    return tuple(found)


@cache
def after(name: str, expected: Steps) -> frozenset[Steps]:
    """What may still be to come once `name` has; empty when it may not come now."""
    return frozenset(_after(name, expected))


def _after(name: str, expected: Steps) -> Iterator[Steps]:
    if not expected:
        return
    first, rest = expected[0], expected[1:]
    if _over(expected[:1]):
        yield from after(name, rest)
    if isinstance(first, str):
        if first.rstrip("?") == name:
            yield rest
        return
    for place, branch in enumerate(first):
        for left in after(name, branch):
            branches = tuple(b for b in (*first[:place], left, *first[place + 1 :]) if b)
            yield (branches, *rest) if branches else rest


def _over(expected: Steps) -> bool:
    """Whether nothing has to come any more."""
    return all(each.endswith("?") if isinstance(each, str) else all(map(_over, each)) for each in expected)


def fits(found: list[str], expected: str) -> bool:
    """Whether a trace is one of those that the expectation allows."""
    open_ends = {steps(expected)}
    for name in found:
        open_ends = {left for each in open_ends for left in after(name, each)}
    return any(map(_over, open_ends))
