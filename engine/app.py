"""The application: every change to the world passes through `do`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import heappop, heappush
from typing import Any
from zoneinfo import ZoneInfo

from engine.bpmn.environment import BpmnError
from engine.commands import jobs, moving
from engine.commands.clock import AcceptClock
from engine.commands.core import Command, Context, Services
from engine.commands.environment import InstanceEnvironment
from engine.commands.prepared import Prepared
from engine.commands.texts import refuse_unstorable
from engine.config import Workspace
from engine.errors import Conflict, EngineError
from engine.events import Fact
from engine.handlers import Handlers
from engine.model import SYSTEM, rank
from engine.ports import Clock, Connection
from engine.queries import work
from engine.store.connect import Store
from engine.store.verify import Fault
from engine.store.watch import UNKNOWN, Reach, reach

log = logging.getLogger("satisflow")

Carry = Callable[[Any, Context], Any]
"""What carries out one kind of command."""

Compare = Callable[[Any], Iterable[Fault]]
"""Reads the tables of a subject through a connection, and says where the journal contradicts them."""

Beat = tuple[Callable[["App"], object], int]
"""What is done now and then, and the seconds between."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a command: the facts it entered in the journal, and its own answer."""

    facts: tuple[Fact, ...]
    value: Any = None


_BEHIND = (
    "The clock says {now}, but the history already reaches {latest}. Set the clock right and try again; if it is "
    "right and was wrong before, see `flow audit clock`"
)
_AHEAD = (
    "The clock says {now}, but the last that happened here was on {latest}. Set the clock right and try again; if "
    "it is right, see `flow audit clock`"
)


class Bell:
    """The in-process doorbell: jobs written in a transaction, rung for when it has committed."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int]] = []

    def ring(self, connection: Connection | None, job: int, instance: int | None, *, rank: int) -> None:
        heappush(self._waiting, (rank, job))

    def answer(self) -> int | None:
        """The next job rung for. It may have been rolled back since: then there is nothing to do."""
        return heappop(self._waiting)[1] if self._waiting else None


@dataclass(slots=True)
class App:
    """The engine, opened on one workspace."""

    store: Store
    clock: Clock
    services: Services
    commands: Mapping[type[Command], Carry]
    bell: Bell = field(default_factory=Bell)
    reach: Reach = UNKNOWN
    """How far time has come: a clock that was set back must not write before it, nor one that leapt far beyond."""
    witness: Callable[[Fact], None] | None = None
    """Is told every fact once it is committed, in order."""
    beats: Mapping[str, Beat] = field(default_factory=dict)
    """What the subjects beside the engine do now and then while `flow run` watches, by name."""
    comparisons: Sequence[Compare] = ()
    """How the tables of the subjects beside the engine are held against the journal."""

    @property
    def workspace(self) -> Workspace:
        """The folder and its settings."""
        return self.services.workspace

    @property
    def zone(self) -> ZoneInfo:
        """The organisation's time zone."""
        return self.services.zone

    @property
    def registry(self) -> Handlers:
        """The handlers that diagrams may name."""
        return self.services.registry

    def do(self, command: Command) -> Done:
        """Carry out one command: one transaction, one reading of the clock, one writing of the journal."""
        refuse_unstorable(command)
        carry = self.commands[type(command)]
        prepared = None
        now = self.clock.now() if isinstance(command, AcceptClock) else self.now()
        if isinstance(carry, Prepared):
            prepared, now = self._prepared(carry, command, now)
        with self.store.write() as conn:
            ctx = Context(conn, now, command.by, self.services, prepared=prepared)
            value = carry(command, ctx)
            ctx.close()
        self._reached(now, vouched=isinstance(command, AcceptClock))
        if self.witness is not None:
            for fact in ctx.facts:
                self.witness(fact)
        return Done(tuple(ctx.facts), value)

    def _prepared(self, carry: Prepared, command: Command, now: datetime) -> tuple[Any, datetime]:
        """What a command makes ready, and what the clock says afterwards, on the same day."""
        while True:
            conn: Any = _Reading(self.store)
            ctx = Context(conn, now, command.by, self.services, locks=False)
            made, day = carry.prepare(command, ctx), ctx.today
            now = self.now()
            if now.astimezone(self.zone).date() == day:
                return made, now

    def now(self) -> datetime:
        """What the clock says. Raises Conflict when that and the history cannot both be right."""
        now = self.clock.now()
        if self.reach.contradicts(now):
            with self.store.read() as conn:  # somebody may have vouched for the clock meanwhile
                known = reach(conn)
            self.reach = Reach(known.history, None if self.reach.seen is None else known.seen)
        if doubt := self.reach.contradicts(now):
            latest = self.reach.history if doubt == "behind" else self.reach.seen
            assert latest is not None
            raise Conflict(
                _BEHIND if doubt == "behind" else _AHEAD,
                now=now.astimezone(self.zone).isoformat(timespec="seconds"),
                latest=latest.astimezone(self.zone).isoformat(timespec="seconds"),
            )
        return now

    def _reached(self, now: datetime, *, vouched: bool) -> None:
        """Something was committed at `now`."""
        history, seen = self.reach.history, self.reach.seen
        self.reach = Reach(
            now if history is None or vouched else max(history, now),
            None if seen is None else now if vouched else max(seen, now),
        )

    def settle(self, limit: int = 100_000) -> int:
        """Run the jobs that wait and are due now, those they cause included. Returns how many ran."""
        ran = 0
        while ran < limit:
            number = self.bell.answer()
            if number is not None:
                self.work(number)
                ran += 1
                continue
            with self.store.read() as conn:
                waiting = work.waiting(conn, self.clock.now())
            for job, kind in waiting:
                self.bell.ring(None, job, None, rank=rank(kind))
            if not waiting:
                break
        return ran

    def follow(self, instances: Collection[int], enough: Callable[[], bool]) -> bool:
        """Run the jobs that this program's commands caused, and those that wait in these instances' families.

        What others left waiting is no concern of who gave the command: `settle` runs it. Returns whether all is
        done; what `enough` cuts off waits in the tables.
        """
        while True:
            number = self.bell.answer()
            if number is not None:
                if enough() and self._kind(number) is not None:
                    return False
                self.work(number)
                continue
            with self.store.read() as conn:
                waiting = work.waiting_in(conn, self.clock.now(), instances)
            if not waiting:
                return True
            for job, kind in waiting:
                self.bell.ring(None, job, None, rank=rank(kind))

    def work(self, number: int) -> None:
        """Run one job; what goes wrong is counted against it, never lost."""
        kind = self._kind(number)
        if kind is None:
            return  # rung for by what was rolled back, or done meanwhile, or held up by a suspension
        try:
            if kind == "outside":
                self._call(number)
            else:
                self.do(jobs.RunJob(by=SYSTEM, job=number))
        except EngineError as error:
            self._count(number, str(error), moot=isinstance(error, Conflict) and self._moot(number))
        except Exception as error:  # a bug in a handler: kept as an incident, and logged with its traceback
            log.exception("job %s", number)
            self._count(number, f"{type(error).__name__}: {error}", moot=False)

    def _count(self, number: int, reason: str, *, moot: bool) -> None:
        self.do(jobs.FailJob(by=SYSTEM, job=number, reason=reason, moot=moot))

    def _kind(self, number: int) -> str | None:
        with self.store.read() as conn:
            return work.kind(conn, number)

    def _moot(self, number: int) -> bool:
        """Whether the instance a job is for has ended meanwhile, so that no later try can help."""
        with self.store.read() as conn:
            return work.has_ended(conn, number)

    def _call(self, number: int) -> None:
        """Call an outside handler, holding no transaction, and bring its answer in."""
        with self.store.read() as conn:
            ctx = Context(conn, self.now(), SYSTEM, self.services)
            job = work.job(conn, number)
            instance = ctx.peek(job.instance_id)
            wanted = moving.awaits(ctx, instance, job.payload["token"])
            node = instance.definition.node(instance.row["process"], job.payload["element"])
            handler = self.registry.find(job.payload["handler"])
            call = InstanceEnvironment(ctx, instance).call(node, instance.variables(), key=job.idem_key)
        values: dict[str, Any] = {}
        notes: list[tuple[str, Mapping[str, object]]] = []
        error = None
        if wanted:
            call = replace(
                call, conn=_Reading(self.store), note=lambda kind, facts: notes.append((kind, facts))
            )
            try:
                values = dict(handler.function(call) or {})
            except BpmnError as thrown:
                error = thrown.code
        self.do(jobs.AnswerJob(by=SYSTEM, job=number, values=values, error=error, notes=tuple(notes)))


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is read by outside a transaction: a connection for each statement, none held between them."""

    store: Store

    def execute(self, statement: Any, parameters: Any = None, /) -> Any:
        with self.store.read() as conn:
            return conn.execute(statement, parameters).freeze()()


def moment(app: App) -> datetime:
    """What the clock says, in the organisation's zone."""
    return app.clock.now().astimezone(app.zone)
