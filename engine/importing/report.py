"""What an import says of every construct it met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["kept", "translated", "dropped", "refused"]
OUTCOMES: tuple[Outcome, ...] = ("kept", "translated", "dropped", "refused")
"""Kept: means the same here as it stands. Translated: written anew, to mean the same. Dropped: has no effect
here, and does not change the course. Refused: has no counterpart here, and has to be put right by hand."""


@dataclass(frozen=True, slots=True)
class Row:
    """One construct and what became of it."""

    outcome: Outcome
    element: str
    """The id of the BPMN element it belongs to; empty for what belongs to the whole file."""
    line: int
    """The line in the file that was imported, from 1."""
    what: str
    """The tag or attribute as the file writes it."""
    before: str = ""
    after: str = ""
    reason: str = ""
    """A template in English, as is `remedy`; both are filled in from `params`."""
    remedy: str = ""
    params: Mapping[str, object] = field(default_factory=dict)


class Refusal(Exception):
    """Something cannot be translated; whoever knows the place makes a row of it."""

    def __init__(self, reason: str, remedy: str, /, **params: object) -> None:
        super().__init__(reason, params)
        self.reason = reason
        self.remedy = remedy
        self.params = params
