"""What the notices bring to the program: their commands, and the postman's rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.app import App, Beat
from engine.bootstrap import Subject
from engine.commands.core import Command, Context, administrative
from engine.handlers import Handlers
from engine.store.verify import Fault
from notices import delivering, digests, outbox

SECONDS = 5
"""Between two rounds."""

COMMANDS: Mapping[type[Command], Callable[[Any, Context], Any]] = {
    outbox.Collect: outbox.collect,
    digests.PlanDigests: digests.plan_digests,
    delivering.Take: delivering.take,
    delivering.Report: delivering.report,
    delivering.Retry: administrative(delivering.retry),
    delivering.Skip: administrative(delivering.skip),
    delivering.Trial: administrative(delivering.trial),
}


def _go_round(app: App) -> object:
    from notices.postman import go_round  # loads what speaks to servers, which no other command needs

    return go_round(app)


def _unmarked(conn: Any) -> Iterable[Fault]:
    from notices.agreement import unmarked  # which only `flow audit verify` needs

    return unmarked(conn)


BEATS: Mapping[str, Beat] = {"notices": (_go_round, SECONDS)}


def subject() -> Subject:
    """The notices, to open the program with."""
    return Subject(Handlers(), COMMANDS, BEATS, (_unmarked,))
