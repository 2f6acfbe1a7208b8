"""A span of time played: schedules and deadlines happen at their time, people do what is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from console.year.people import People
from console.year.place import Office, Place
from engine.calendar.counting import roll
from engine.calendar.rules import Manual
from engine.clock import VirtualClock
from engine.commands import instances
from engine.errors import EngineError
from engine.model import SYSTEM
from engine.queries import rehearsed, work
from engine.scheduler import tick

_BY_HAND = 0.6
"""What is started by hand is started in the first part of the span, so that most of it comes to its end."""


@dataclass(slots=True)
class Play:
    """One span, played once."""

    place: Place
    people: People
    until: datetime
    refused: list[tuple[str, EngineError]] = field(default_factory=list)
    """Procedures that could not be started, and why."""
    planned: dict[str, datetime] = field(default_factory=dict)
    """When each open task is taken up; what nobody tries any more is not among them."""
    _seen: set[str] = field(default_factory=set)
    _by_hand: list[tuple[datetime, Office, str | None]] = field(default_factory=list)

    @property
    def clock(self) -> VirtualClock:
        """The clock that the play moves."""
        assert isinstance(self.place.app.clock, VirtualClock)
        return self.place.app.clock

    def play(self, progress: Callable[[date], None] | None = None) -> None:
        """From now to the end; `progress` is told each month that begins."""
        app, month = self.place.app, -1
        self._by_hand = self._starts()
        tick(app)
        while (moment := self._next()) is not None:
            self.clock.move_to(max(moment, self.clock.now()))
            if progress and (today := self.people.today()).month != month:
                month = today.month
                progress(today)
            tick(app)
            while self._by_hand and self._by_hand[0][0] <= self.clock.now():
                self._start(*self._by_hand.pop(0)[1:])
            self._work()
        self.clock.move_to(max(self.until, self.clock.now()))
        tick(app)
        self._look()

    def _next(self) -> datetime | None:
        """The next moment at which something happens; None when it lies beyond the end."""
        self._look()
        with self.place.app.store.read() as conn:
            due = work.next_due(conn)
        moments = [*self.planned.values(), *(each[0] for each in self._by_hand[:1])]
        if due is not None and due > self.clock.now():
            moments.append(due)
        nearest = min(moments, default=None)
        return None if nearest is None or nearest >= self.until else nearest

    def _look(self) -> dict[str, rehearsed.Waiting]:
        """Take note of what was opened and closed."""
        with self.place.app.store.read() as conn:
            there = {task.id: task for task in rehearsed.waiting(conn)}
        for name, task in there.items():
            if name not in self._seen:
                self._seen.add(name)
                self.planned[name] = self.people.when(task)
        self.planned = {name: at for name, at in self.planned.items() if name in there}
        self.people.blocked = {name: why for name, why in self.people.blocked.items() if name in there}
        return there

    def _work(self) -> None:
        """Do the one task that is first planned, if its time has come."""
        there, now = self._look(), self.clock.now()
        due = min(((at, name) for name, at in self.planned.items() if at <= now), default=None)
        if due is None:
            return
        task = there[due[1]]
        del self.planned[task.id]
        if not self.people.do(task) and (again := self.people.again(task)) is not None:
            self.planned[task.id] = again

    def _starts(self) -> list[tuple[datetime, Office, str | None]]:
        """What no calendar starts, each at a seeded working day."""
        found: list[tuple[datetime, Office, str | None]] = []
        for office in self.place.offices:
            schedules = office.procedure.schedules
            manual = [name for name, each in schedules.items() if isinstance(each.rule.start, Manual)]
            elements: list[str | None] = [*manual] if schedules else [None]
            found += [(self._moment(office, element), office, element) for element in elements]
        return sorted(found, key=lambda each: (each[0], each[1].unit, each[2] or ""))

    def _moment(self, office: Office, element: str | None) -> datetime:
        app = self.place.app
        draw = self.people.draw(f"{office.unit}/{element}")
        begin = self.clock.now()
        day = (begin + (self.until - begin) * (_BY_HAND * draw.random())).astimezone(app.zone).date()
        day = roll(day, "next", self.people.calendar(office.unit)).day
        moment = datetime.combine(day, time(9), app.zone) + timedelta(minutes=draw.randrange(60))
        return max(moment.astimezone(UTC), begin)

    def _start(self, office: Office, element: str | None) -> None:
        given_on, given = office.knows.starts.get(element, (None, {}))
        variables: dict[str, Any] = dict(office.said(given))
        if given_on is not None:
            ahead = self.people.today() - given_on
            variables = {name: _moved(value, ahead) for name, value in variables.items()}
        try:
            self.place.app.do(
                instances.Start(
                    by=SYSTEM, procedure=office.procedure.id, unit=office.unit, element=element,
                    variables=variables,
                )
            )  # fmt: skip
        except EngineError as error:
            self.refused.append((office.code, error))
        self.place.app.settle()


def _moved(value: Any, ahead: timedelta) -> Any:
    try:
        return (date.fromisoformat(value) + ahead).isoformat()
    except (TypeError, ValueError):
        return value
