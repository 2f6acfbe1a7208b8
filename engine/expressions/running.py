"""One evaluation: its variables, its changes, and the work it may still do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.expressions.copying import Copy
from engine.expressions.faults import MAX_WORK, ExpressionFault, NotSet, nearest


class Run:
    """One evaluation: what it can read, what it has changed, and how much work it may still do.

    There are no loops, so every node of the source is visited at most once; only the size of what is
    made needs counting.
    """

    __slots__ = ("changes", "functions", "variables", "work")

    def __init__(self, variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> None:
        self.variables = variables
        self.functions = functions
        self.changes: dict[str, Any] = {}
        self.work = 0

    def has(self, name: str) -> bool:
        """Whether the variable is set."""
        return name in self.changes or name in self.variables

    def read(self, name: str) -> Any:
        """The variable's value; NotSet when it is not set."""
        if name in self.changes:
            return self.changes[name]
        if name in self.variables:
            return self.variables[name]
        near = nearest(name, [*self.changes, *self.variables])
        if near is None:
            raise NotSet(
                "Line {line}, column {column}: there is no variable {name}; "
                'set it in an earlier step, or test it first with defined("{name}")',
                name=name,
            )
        raise NotSet(
            "Line {line}, column {column}: there is no variable {name}; did you mean {near}?",
            name=name,
            near=near,
        )

    def spend(self, amount: int) -> None:
        """Count work done; ExpressionFault when the run has done too much."""
        self.work += amount
        if self.work > MAX_WORK:
            raise ExpressionFault(
                "Line {line}, column {column}: one run makes more than {limit} entries and characters; "
                "leave large calculations to a service task",
                limit=MAX_WORK,
            )

    def made(self, value: Any) -> Any:
        """The value, its size counted as work: of what an operator makes and what a function goes through."""
        if isinstance(value, str | list):
            self.spend(len(value))
        return value

    def settled(self, value: object) -> Any:
        """A copy of the value that shares nothing with the variables.

        Tuples become lists. ExpressionFault for anything else that JSON cannot hold, or that is too large.
        """
        copy = Copy()
        result = copy.of(value)
        self.spend(copy.entries)
        return result
