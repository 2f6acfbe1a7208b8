"""What service tasks do: one module a subject, each a `Handlers`; diagrams name them `subject.function`."""

from __future__ import annotations

from engine.bootstrap import Subject
from engine.handlers import Handlers

__all__ = ["registry", "subjects"]


def registry() -> Handlers:
    """Every handler that a diagram may name."""
    from tasks import (
        archive,
        dates,
        fieldwork,
        figures,
        handouts,
        notices,
        papers,
        planning,
        questionnaires,
        rectification,
        report,
        summary,
        team,
    )

    known = Handlers()
    for subject in (
        fieldwork,
        figures,
        rectification,
        archive,
        notices,
        dates,
        papers,
        report,
        team,
        handouts,
        summary,
        planning,
        questionnaires,
    ):
        known.include(subject.handlers)
    return known


def subjects() -> tuple[Subject, ...]:
    """What the program is opened with: the handlers, the commands of the survey domain, the notices."""
    from notices.subject import subject as notices
    from survey.commands import COMMANDS

    return (Subject(registry(), COMMANDS), notices())
