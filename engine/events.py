"""What happened: facts in the past tense, written once to the journal, never edited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry of the journal. `kind` is a stable name (`task.completed`): renaming code never renames history."""

    kind: str
    instance: int | None = None
    """None for what concerns the organisation."""
    subject: str | None = None
    """What it is about: a task's label, an element's id, a procedure, a unit."""
    facts: Mapping[str, object] = field(default_factory=dict)
