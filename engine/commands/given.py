"""The variables that people give an instance, judged before they count: names it knows, dates where dates belong."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from engine.check import BUILT_IN
from engine.commands.core import Context
from engine.commands.due_dates import date_of
from engine.commands.published import Definition
from engine.errors import Problem
from engine.strict_yaml import nearest


def misgiven(
    ctx: Context, definition: Definition, values: Mapping[str, object], there: Collection[str] = ()
) -> list[Problem]:
    """A problem for each name that nothing in the procedure sets or reads, and for each date that is none.

    Variables that are `there` already may be named, whatever the procedure knows.
    """
    known = _known(ctx, definition, set()).union(there)
    problems = []
    for name in sorted(set(values) - known):
        meant = nearest(name, known)
        template = "The procedure knows no variable {name}: did you mean {meant}?"
        if meant is None:
            template = (
                "The procedure knows no variable {name}: nothing in it sets or reads one. One that only a function "
                "reads is declared in flow.sets of the start event"
            )
        problems.append(Problem(name, template, {"name": name, "meant": meant}))
    for name in sorted(definition.names(_functions(ctx)).anchors & set(values)):
        if date_of(values[name]) is None:
            template = "{value} is no date; write it as in 2026-09-14"
            problems.append(Problem(name, template, {"value": str(values[name])}))
    return problems


def missing(ctx: Context, definition: Definition, values: Mapping[str, object]) -> list[Problem]:
    """A problem for each date that due dates count from and that nothing but a start gives."""
    problems = []
    for name, elements in definition.names(_functions(ctx)).awaited.items():
        if name not in values:
            template = (
                "The date {name} is missing, and nothing else sets it: the due dates of {steps} count from it"
            )
            steps = ", ".join(dict.fromkeys(_title(definition, each) for each in elements))
            problems.append(Problem(name, template, {"name": name, "steps": steps}))
    return problems


def _known(ctx: Context, definition: Definition, seen: set[str]) -> set[str]:
    """The variables that a procedure and those it calls know: a call hands them on."""
    seen.add(definition.hash)
    found = set(definition.names(_functions(ctx)).known)
    for digest in set(definition.calls.values()) - seen:
        found |= _known(ctx, ctx.services.library.find(ctx.conn, digest), seen)
    return found


def _functions(ctx: Context) -> frozenset[str]:
    return BUILT_IN | set(ctx.services.functions)


def _title(definition: Definition, element: str) -> str:
    """What people call an element of the main process, or the whole."""
    node = definition.diagram.processes[definition.procedure.process].nodes.get(element)
    return definition.procedure.title.of("zh") if node is None else node.label
