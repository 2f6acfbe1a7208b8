"""What service tasks do: one module a subject, each a `Handlers`; diagrams name them `subject.function`."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from engine.bootstrap import Subject
from engine.handlers import Handlers
from engine.store.verify import Fault

__all__ = ["registry", "subjects"]


SUBJECTS = (
    "appointments",
    "approvals",
    "archive",
    "assessment",
    "callbacks",
    "coverage",
    "dates",
    "delphi",
    "distribution",
    "fieldwork",
    "figures",
    "genuineness",
    "handouts",
    "improvement",
    "indicators",
    "links",
    "notices",
    "offices",
    "opinions",
    "papers",
    "planning",
    "plausibility",
    "questionnaires",
    "quotas",
    "rectification",
    "report",
    "representatives",
    "sampling",
    "scores",
    "standards",
    "summary",
    "team",
    "templates",
    "timing",
    "visits",
    "workbook",
)
"""The modules of this package, each with its `handlers`."""


def registry() -> Handlers:
    """Every handler that a diagram may name. Imported only when asked for: `flow --help` needs none."""
    known = Handlers()
    for name in SUBJECTS:
        known.include(import_module(f"{__name__}.{name}").handlers)
    return known


def subjects() -> tuple[Subject, ...]:
    """What the program is opened with: the handlers, the commands of the survey domain, the notices."""
    from notices.subject import subject as notices
    from survey.commands import COMMANDS

    return (Subject(registry(), COMMANDS, comparisons=(_contradicted,)), notices())


def _contradicted(conn: Any) -> Iterable[Fault]:
    from survey.agreement import contradicted  # which only `flow audit verify` needs

    return contradicted(conn)
