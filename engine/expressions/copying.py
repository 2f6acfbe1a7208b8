"""A copy of a value that shares nothing with it, checked to be JSON and within bounds."""

from __future__ import annotations

from typing import Any

from engine.expressions.faults import (
    MAX_ENTRIES,
    MAX_LEVELS,
    MAX_TEXT,
    ExpressionFault,
    checked,
    kind,
    text_key,
    too_long,
    too_many,
)


class Copy:
    """Copies one value, counting as it goes so that it stops early at what is too large."""

    def __init__(self) -> None:
        self.entries = 0
        self.characters = 0

    def of(self, value: object, level: int = 0) -> Any:
        """The value, copied; ExpressionFault when JSON cannot hold it or it is beyond the bounds."""
        if isinstance(value, str):
            return self._text(value)
        if value is None or isinstance(value, int | float):
            return checked(value)
        if level == MAX_LEVELS:
            raise ExpressionFault(
                "Line {line}, column {column}: lists and mappings are nested deeper than {limit} levels",
                limit=MAX_LEVELS,
            )
        if isinstance(value, list | tuple):
            self._count(len(value))
            return [self.of(entry, level + 1) for entry in value]
        if isinstance(value, dict):
            self._count(len(value))
            return {self._key(key): self.of(entry, level + 1) for key, entry in value.items()}
        raise ExpressionFault(
            "Line {line}, column {column}: {kind} cannot be kept in a variable; "
            "keep a number, text, a truth value, None, a list or a mapping (a date as text, 2026-01-31)",
            kind=kind(value),
        )

    def _text(self, value: str) -> str:
        self.characters += len(value)
        if self.characters > MAX_TEXT:
            raise too_long()
        return value

    def _key(self, key: object) -> str:
        return self._text(text_key(key))

    def _count(self, entries: int) -> None:
        self.entries += entries
        if self.entries > MAX_ENTRIES:
            raise too_many()
