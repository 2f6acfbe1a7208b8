"""The play itself: everything that can be done is done, then time moves on to whatever is due next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, func, select

from engine.app import App
from engine.clock import VirtualClock
from engine.commands import timers, worklist
from engine.errors import EngineError
from engine.expressions.faults import shown
from engine.model import SYSTEM, Actor
from engine.queries import work
from engine.rehearsal.watching import Watch
from engine.store import tables

START = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
"""When rehearsals begin: a Monday, 09:00 in Shanghai."""
END = START.replace(year=START.year + 100)
"""When they end at the latest, however much time may pass."""
PEOPLE = ("rehearsal", "rehearsal-2")
"""Two, for steps that ask for a second pair of eyes."""

Progress = Callable[[datetime, int], None]
"""Is told after every step how far virtual time has come, and how many elements were entered."""


@dataclass(slots=True)
class Stage:
    """The made-up world of one rehearsal."""

    clock: VirtualClock
    slept: bool = False
    late: bool = False
    """Time passed inside a script: what fell due meanwhile goes before everything else."""
    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)
    tasks: deque[str] = field(default_factory=deque)
    """The tasks that were open when one was last opened, in the order in which they are done."""

    def sleep(self, seconds: float) -> None:
        """For scripts: virtual time passes; what falls due meanwhile fires after the script."""
        most = int((END - self.clock.now()).total_seconds())
        if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not 0 <= seconds <= most:
            template = "sleep({seconds}) is no time to wait: write a number of seconds from 0 to {most}"
            raise EngineError(template, seconds=shown(seconds), most=most)
        self.clock.advance(seconds=float(seconds))
        self.slept = self.late = True

    def paused(self) -> bool:
        slept, self.slept = self.slept, False
        return slept


def play(app: App, stage: Stage, watch: Watch, end: datetime, progress: Progress) -> str | None:
    """Do everything that can be done, and let time pass to the next thing due, until nothing is left.

    Returns why it was left as it stands, if it came to no rest or a task could not be completed.
    """
    while not (reason := watch.restless()):
        if watch.looks():
            with app.store.read() as conn:
                watch.crowd(conn.execute(_LARGEST).scalar_one() or 0)
        progress(stage.clock.now(), len(watch.visited))
        if stage.late:
            stage.late = False
            _fire_first(app)
        if app.settle(limit=1):
            continue
        with app.store.read() as conn:
            due = work.next_due(conn)
        if due is not None and due <= stage.clock.now() and app.do(timers.FireTimers(by=SYSTEM)).value:
            continue
        try:
            if _complete_one(app, stage, watch):
                continue
        except EngineError as refused:
            return str(refused)
        if due is None or due > end or not watch.may_wait():
            return None
        stage.clock.move_to(max(due, stage.clock.now()))
    return reason


_LARGEST = select(func.max(func.length(tables.instance.c.state))).where(tables.instance.c.status == "running")
_FIRST = (
    select(tables.job.c.id)
    .where(tables.NEW_JOB, tables.job.c.kind.in_(("timer", "cancel")), tables.job.c.attempts == 0)
    .order_by(tables.job.c.id)
    .limit(1)
)


def _fire_first(app: App) -> None:
    """Let the timers that fell due while a script slept happen, and end what they end, before it goes on."""
    app.do(timers.FireTimers(by=SYSTEM))
    while True:
        with app.store.read() as conn:
            number = conn.execute(_FIRST).scalar_one_or_none()
        if number is None:
            return
        app.work(number)


_table = tables.user_task
_OPEN = (
    select(_table.c.id, _table.c.excluded)
    .join(tables.instance, tables.instance.c.id == _table.c.instance_id)
    .where(tables.OPEN_WORK, tables.instance.c.status == "running")
    .order_by(_table.c.opened_at, _table.c.instance_id, _table.c.id)
)
_TASK = _OPEN.where(_table.c.id == bindparam("number"))


def _complete_one(app: App, stage: Stage, watch: Watch) -> bool:
    """Complete the task that has been open for longest, if one is open."""
    if not (stage.tasks or watch.opened):
        return False
    row = None
    with app.store.read() as conn:
        if watch.opened:
            stage.tasks, watch.opened = deque(row.id for row in conn.execute(_OPEN)), False
        while row is None and stage.tasks:  # it may have been withdrawn meanwhile
            row = conn.execute(_TASK, {"number": stage.tasks.popleft()}).one_or_none()
    if row is None:
        return False
    taken = {person for person, _ in row.excluded or ()}
    person = next((name for name in PEOPLE if name not in taken), PEOPLE[0])
    app.do(worklist.Complete(by=Actor(person), task=row.id, values={}))
    return True
