"""What a step of an instance may ask while it runs, and the form in which values can be kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

import orjson

from engine.bpmn.diagram import Node
from engine.errors import EngineError


class BpmnError(Exception):
    """A BPMN error (10.5.1), thrown by a handler or by `throw_error` in a script."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def no_truth(condition: EngineError, value: object) -> EngineError:
    """What is wrong with a condition, called by its text, that gives something else than true or false."""
    if isinstance(value, str):
        return EngineError(
            "{condition} gives {value!r}, a text, not true or false. Compare it, as in answer == 'yes', or let the "
            "variable be true or false: NAME:=true sets it so, NAME=true sets a text",
            condition=condition, value=value,
        )  # fmt: skip
    template = "{condition} gives {value!r}, not true or false. Compare it, as in amount > 0"
    return EngineError(template, condition=condition, value=value)


def plain(values: Mapping[str, object]) -> dict[str, Any]:
    """Values as they will be when the state is next read: a date is text then, a tuple a list.

    Raises EngineError for what a state cannot keep.
    """
    kept: dict[str, Any] = orjson.loads(written(values))
    return kept


def written(values: Mapping[str, object]) -> bytes:
    """Values as they stand in a state. Raises EngineError for what it cannot keep."""
    try:
        json.dumps(values, allow_nan=False, default=str)  # refuses what the other would turn into None
        return orjson.dumps(values)
    except (TypeError, ValueError, RecursionError) as fault:
        raise EngineError("A variable cannot be kept: {reason}", reason=str(fault)) from None


class Environment(Protocol):
    """What a step may ask while it runs; all of it inside the step's transaction."""

    def evaluate(self, text: str, variables: Mapping[str, object]) -> object:
        """The value of an expression. Raises EngineError."""

    def execute(self, text: str, variables: Mapping[str, object]) -> Mapping[str, object]:
        """The variables a script sets. Raises EngineError or BpmnError."""

    def handle(self, node: Node, variables: Mapping[str, object]) -> Mapping[str, object] | None:
        """What an inside handler returns; None when the handler runs outside, after the commit."""

    def slept(self) -> bool:
        """Whether time passed inside a script since `paused` was last asked."""

    def paused(self) -> bool:
        """Whether the step must stop here, because time passed inside a script."""
