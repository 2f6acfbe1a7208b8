"""What the shell completes ids with: labels, with the names people know things by."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from console.session import Session
from engine.errors import EngineError


def task_ids(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The open tasks of whoever asks, each with its name."""
    from engine.queries import worklist

    session = _session(ctx)
    try:
        with session.read() as conn:
            found = worklist.worklist(conn, session.rights(conn), scope=worklist.Scope.ALL)
    except EngineError:
        return []
    return _fitting(incomplete, [(task.id, f"{task.name} · {task.unit_name}") for task in found])


def instance_ids(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The instances that have not ended, each with its title."""
    from engine.queries import instances

    session = _session(ctx)
    try:
        with session.read() as conn:
            found = [
                each
                for status in ("running", "suspended")
                for each in instances.instances(conn, status=status, limit=200)
            ]
    except EngineError:
        return []
    return _fitting(
        incomplete, [(each.id, f"{session.title(each.title)} · {each.unit_name}") for each in found]
    )


def procedures(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The published procedures, each with its title."""
    from engine.queries import definitions

    session = _session(ctx)
    try:
        with session.read() as conn:
            found = definitions.definitions(conn)
    except EngineError:
        return []
    return _fitting(incomplete, [(each.procedure, session.title(each.title)) for each in found])


def units(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The organisation's units."""
    from engine.queries import organisation

    try:
        with _session(ctx).read() as conn:
            found = organisation.open_units(conn)
    except EngineError:
        return []
    return _fitting(incomplete, sorted(found.items()))


def people(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Everybody the organisation knows."""
    from engine.queries import organisation

    try:
        with _session(ctx).read() as conn:
            found = organisation.names(conn)
    except EngineError:
        return []
    return _fitting(incomplete, sorted(found.items()))


def _session(ctx: click.Context) -> Session:
    session = ctx.find_root().ensure_object(Session)
    session.quiet = True
    return session


def _fitting(incomplete: str, known: list[tuple[str, str]]) -> list[CompletionItem]:
    wanted = incomplete.casefold()
    return [
        CompletionItem(value, help=words) for value, words in known if value.casefold().startswith(wanted)
    ]
