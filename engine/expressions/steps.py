"""What a node of a syntax tree becomes: a function of a `Run`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from engine.expressions.faults import ExpressionFault
from engine.expressions.running import Run

Step = Callable[[Run], Any]
"""Computes one node's value, or carries out one statement."""
COMPUTED: Final = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Subscript)
UNKNOWN: Final = (ast.Name, ast.Call)


def nothing(_run: Run) -> None:
    """The step of `pass`, of a bound left out of a cut, and of what was refused (which is never run)."""


def located(operation: Callable[..., Any], line: int, column: int, *args: Any) -> Any:
    """What the operation gives, its faults located at this place."""
    try:
        return operation(*args)
    except ExpressionFault as fault:
        fault.locate(line, column)
        raise


def read(name: str, run: Run) -> Any:
    """The step of a variable."""
    return run.read(name)


def same(value: Any, _run: Run) -> Any:
    """The step of a literal."""
    return value


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text that computes something out of literals only."""

    node: ast.expr
    _step: Step

    @property
    def text(self) -> str:
        """The part as one writes it."""
        return ast.unparse(self.node)

    def evaluate(self) -> Any:
        """Its value, alike in every run. ExpressionFault when it has none."""
        return self._step(Run({}, {}))
