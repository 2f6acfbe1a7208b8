"""The people of a rehearsed year: who takes a task up, when, and with which values; and what stopped them.

They hand in what a scenario handed in for the same step, with today's dates, and answer a refusal by correcting
what it names. Now and then they decide otherwise, as another scenario does: once for a step of an instance, and where
the usual way led back to it time and again, so that every loop comes to its end.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from console.year.filling import Desk, adapted, corrected
from console.year.knowledge import Knowledge, Way
from console.year.place import Office, Place
from console.year.respondents import Habits, group_cells, sheet, waited
from engine.app import App
from engine.calendar.counting import add_working_days, roll
from engine.calendar.tables import CalendarTable, Exceptions, Status
from engine.calendar.working import WorkingCalendar
from engine.commands import worklist
from engine.errors import Conflict, Denied, EngineError, Invalid, NotFound
from engine.forms import Form, prefill
from engine.model import Actor
from engine.queries import demonstration, instances
from engine.queries.rehearsed import Waiting
from engine.scenarios import INSTANCE, Act
from engine.store.calendars import calendar_of
from survey import rounds
from survey.commands import ImportReturns, Record
from survey.rounds import Member, Round

_CORRECTIONS = 12
"""How often somebody corrects one form before they give it up for the day."""
_DAYS = 15
"""On how many working days somebody tries a task that is refused, before they leave it for good."""
_PATIENCE = 2
"""How often somebody does the same step of an instance in the usual way, before they decide otherwise for once."""
_FIRST, _MINUTES = time(9, 5), 450
"""When the working day begins, and how many minutes of it things are handed in."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How people work."""

    seed: int
    late: float
    """Share of the tasks with a due date that are done late."""
    late_days: float
    """Mean number of working days late, geometrically distributed, at least one."""
    unusual: float
    """Share of the steps that are answered as in another scenario."""
    respondents: Habits


@dataclass(slots=True)
class People:
    """Everybody in the organisation."""

    place: Place
    manners: Manners
    blocked: dict[str, EngineError] = field(default_factory=dict)
    """What last stopped a task that is open, by task."""
    turned_down: dict[tuple[int, str], EngineError] = field(default_factory=dict)
    """What last refused something done outside the worklist, by instance and command."""
    _tries: dict[str, int] = field(default_factory=dict)
    _done: dict[tuple[int, str], int] = field(default_factory=dict)
    """How often a step of an instance (with those it called) was done."""
    _same: dict[tuple[int, str, str], int] = field(default_factory=dict)
    _ordered: set[tuple[int, str]] = field(default_factory=set)
    _offices: dict[str, Office] = field(default_factory=dict)
    _calendars: dict[str, WorkingCalendar] = field(default_factory=dict)

    @property
    def app(self) -> App:
        """The engine they work with."""
        return self.place.app

    def today(self) -> date:
        """The local day."""
        return self.app.clock.now().astimezone(self.app.zone).date()

    def times(self, task: Waiting) -> int:
        """How often this very step of this very instance, for the same item, was done so far."""
        return self._same.get((task.instance, task.element, str(task.item)), 0)

    def when(self, task: Waiting) -> datetime:
        """When a task is taken up: in time as a rule, on a working day."""
        draw, zone = self.draw(task.id), self.app.zone
        opened, calendar = task.opened_at.astimezone(zone), self.calendar(task.unit)
        begins = roll(opened.date(), "next", calendar).day
        if task.due_at is None:
            day = add_working_days(begins, 1 + draw.randrange(3), calendar).day
        else:
            last = roll(
                (task.due_at.astimezone(zone) - timedelta(seconds=1)).date(), "previous", calendar
            ).day
            if draw.random() < self.manners.late:
                day = add_working_days(max(last, begins), waited(draw, self.manners.late_days), calendar).day
            else:
                span = max((last - begins).days, 0)
                day = roll(
                    begins + timedelta(days=draw.randint(span * 2 // 3, span)), "previous", calendar
                ).day
        moment = datetime.combine(day, _FIRST, zone) + timedelta(minutes=draw.randrange(_MINUTES))
        return max(moment, opened + timedelta(minutes=20 + draw.randrange(90))).astimezone(UTC)

    def again(self, task: Waiting) -> datetime | None:
        """When a task that was refused is tried again; None: no more."""
        self._tries[task.id] = tries = self._tries.get(task.id, 0) + 1
        if tries > _DAYS:
            return None
        day = add_working_days(self.today(), 1, self.calendar(task.unit)).day
        return datetime.combine(day, _FIRST, self.app.zone).astimezone(UTC)

    def do(self, task: Waiting) -> bool:
        """Hand a task in; what stops that is kept in `blocked`."""
        office = self._office(task.root_procedure)
        self._bring_returns(office, task.root)
        self._carry_out_orders(office, task)
        failed: EngineError | None = None
        for way in self._ways(office, task):
            fault = self._hand_in(office, task, way)
            if fault is None:
                self.blocked.pop(task.id, None)
                key = (task.root, task.element)
                self._done[key] = self._done.get(key, 0) + 1
                self._same[task.instance, task.element, str(task.item)] = self.times(task) + 1
                self.app.settle()
                return True
            failed = fault
        assert failed is not None
        self.blocked[task.id] = failed
        self._log_refusals(office, task.root)
        return False

    def draw(self, what: str) -> Random:
        """The chance of one thing, the same with the same seed."""
        return Random(f"{self.manners.seed}/{what}")  # noqa: S311 - made-up people

    def _office(self, procedure: str) -> Office:
        if not self._offices:
            self._offices = {each.procedure.id: each for each in self.place.offices}
        return self._offices[procedure]

    def calendar(self, unit: str) -> WorkingCalendar:
        """The unit's working days; in the year after the last table people go by the plain week."""
        if unit not in self._calendars:
            with self.app.store.read() as conn:
                known = calendar_of(conn, unit)
            after = CalendarTable(known.tables[-1].year + 1, Status.PROVISIONAL, None, Exceptions())
            self._calendars[unit] = WorkingCalendar.of((*known.tables, after), known.overrides)
        return self._calendars[unit]

    def _ways(self, office: Office, task: Waiting) -> Iterator[Way]:
        """How the step may be done, the way to try first first.

        The usual way comes last, but for what scenarios know of doing a step once more: after a plan the supplement.
        """
        done = self._done.get((task.root, task.element), 0)
        knows, draw = office.knows, self.draw(f"{task.id}/way")
        others = knows.unusual.get(task.element, ())
        times = self.times(task)
        stuck = times >= _PATIENCE and times % _PATIENCE == 0  # what was decided so often led back here
        if others and (stuck or (not done and draw.random() < self.manners.unusual)):
            yield draw.choice(others)
        yield _usual(knows, task, done, office)
        if times:
            yield from knows.later.get(task.element, ())

    def _hand_in(self, office: Office, task: Waiting, way: Way) -> EngineError | None:
        """Try one way, by whoever may; None when it is done."""
        failed: EngineError | None = None
        for person in self._candidates(office, task, way):
            failed = self._fill_in(office, task, way, person)
            if not isinstance(failed, Denied):
                return failed
        return failed or NotFound("Nobody holds the role {role} in {unit}", role=task.role, unit=task.unit)

    def _candidates(self, office: Office, task: Waiting, way: Way) -> list[str]:
        if task.assignee is not None:
            return [task.assignee]
        held = self._holders(task.role, task.unit)
        wanted = office.people.get(way.by)
        ranked = sorted(held, key=lambda person: person != wanted)
        return [person for person in ranked if person not in task.excluded]

    def _holders(self, role: str | None, unit: str) -> list[str]:
        with self.app.store.read() as conn:
            return demonstration.holders(conn, role or "", unit)

    def _fill_in(self, office: Office, task: Waiting, way: Way, person: str) -> EngineError | None:
        form, standing = self._form(task)
        desk = Desk(
            self.today(),
            list(office.people.values()),
            {**office.people, office.knows.stage.unit: office.unit},
            lambda role: self._holders(role, task.unit),
            standing,
            office.alike,
        )
        values = adapted(form, way.values, desk, way.day)
        refused: Invalid | None = None
        for _ in range(_CORRECTIONS):
            try:
                self.app.do(worklist.Complete(by=Actor(person), task=task.id, values=values))
            except Invalid as error:
                refused = error
                better = None if form is None else corrected(form, values, error.problems, desk)
                if better is None:
                    return error
                values = better
            except EngineError as error:
                return error
            else:
                return None
        return refused

    def _form(self, task: Waiting) -> tuple[Form | None, Mapping[str, Any]]:
        """The task's form, and what stands in it."""
        if task.form is None:
            return None, {}
        with self.app.store.read() as conn:
            definition = self.app.services.library.find(conn, task.definition)
            variables = {**definition.parameters, **instances.variables(conn, task.instance)}
        if task.item is not None:
            variables["item"] = task.item
        form = definition.procedure.forms.get(task.form)
        return form, prefill(form, today=self.today(), variables=variables) if form else {}

    # --- what comes from outside

    def _bring_returns(self, office: Office, root: int) -> None:
        """Type in what respondents have given back by today."""
        with self.app.store.read() as conn:
            found = [each for each in rounds.rounds_of(conn, root) if each.status == "open"]
            files = [(each, self._sheet(conn, each)) for each in found]
        for each, data in files:
            if data:
                self._as_anybody(
                    office, ImportReturns, office.knows.importer, instance=root, part=each.part, data=data
                )

    def _log_refusals(self, office: Office, root: int) -> None:
        """Enter in the ledger who will not answer, as somebody does whose step waits for it."""
        with self.app.store.read() as conn:
            open_rounds = [each for each in rounds.rounds_of(conn, root) if each.status == "open"]
            there = [(each, rounds.roster(conn, each.id)) for each in open_rounds if not each.anonymous]
        for found, members in there:
            codes = tuple(each.code for each in members if self._never_answers(found, each))
            if codes:
                values = {"instance": root, "part": found.part, "codes": codes, "kind": "refusal"}
                self._as_anybody(office, Record, office.knows.importer, **values)

    def _never_answers(self, found: Round, who: Member) -> bool:
        return self._asked(who) and self._answers_on(found, who) is None

    def _sheet(self, conn: Any, found: Round) -> str:
        form = rounds.questionnaire(conn, found)
        habits, today = self.manners.respondents, self.today()
        rows = self._counted_rows(conn, found) or [
            (self._first(found, each), habits.random(found, each.number, "answers"))
            for each in rounds.roster(conn, found.id)
            if self._has_answered(found, each, today)
        ]
        if found.anonymous:
            rows = rows[rounds.progress(conn, found).returned :]
        return sheet(form, rows, today) if rows else ""

    def _has_answered(self, found: Round, who: Member, today: date) -> bool:
        day = self._answers_on(found, who) if self._asked(who) else None
        return day is not None and day <= today

    @staticmethod
    def _asked(who: Member) -> bool:
        """Whether an answer is still waited for."""
        return who.issued_on is not None and who.returned_on is None and who.disposition not in _FINAL

    def _answers_on(self, found: Round, who: Member) -> date | None:
        """The day on which somebody who was asked answers; None: never. Who is visited does so then and there."""
        issued_on = date.fromisoformat(str(who.issued_on))
        day = self.manners.respondents.day(found, who.number, issued_on)
        return issued_on if day is not None and who.channel in _AT_ONCE else day

    @staticmethod
    def _first(found: Round, who: Member) -> Mapping[str, str]:
        return group_cells(found, who) if found.anonymous else {"respondent": who.code}

    def _counted_rows(self, conn: Any, found: Round) -> list[tuple[Mapping[str, str], Random]]:
        """Where questionnaires went to whoever came: those collected, by the group they were handed out in."""
        collected = rounds.counted(conn, found, rounds.COLLECTED)
        habits, name = self.manners.respondents, next(iter(found.groups), "")
        return [
            ({name: group}, habits.random(found, number, group))
            for group, count in sorted(collected.items())
            for number in range(count)
        ]

    def _carry_out_orders(self, office: Office, task: Waiting) -> None:
        """What a scenario does outside the worklist right before this step, once an instance."""
        for place, act in enumerate(office.knows.before.get(task.element, ())):
            key = (task.root, f"{task.element}/{place}")
            if key in self._ordered:
                continue
            values = self._order_values(office, act, task.root)
            if self._ordered_as(office, act, values):
                self._ordered.add(key)

    def _order_values(self, office: Office, act: Act, root: int) -> dict[str, Any]:
        given = {name: root if value == INSTANCE else value for name, value in act.values.items()}
        return dict(office.said(given))

    def _ordered_as(self, office: Office, act: Act, values: Mapping[str, Any]) -> bool:
        assert act.order is not None
        kind = next(each for each in self.app.commands if each.__name__ == act.order.command)
        known = {each.name for each in dataclasses.fields(kind)}
        return self._as_anybody(
            office, kind, act.by, **{name: value for name, value in values.items() if name in known}
        )

    def _as_anybody(self, office: Office, kind: Any, by: str, /, **values: Any) -> bool:
        """Carry a command out as that person or, where they may not, as another of the unit."""
        ranked = sorted(office.people.items(), key=lambda each: each[0] != by)
        key = (int(values.get("instance", 0)), kind.__name__)
        for _, person in ranked:
            try:
                self.app.do(kind(by=Actor(person), **values))
            except Denied as error:
                self.turned_down[key] = error
                continue
            except (Conflict, Invalid, NotFound) as error:
                self.turned_down[key] = (
                    error  # perhaps not yet the time for it: it is tried again with each step
                )
                return False
            self.turned_down.pop(key, None)
            self.app.settle()
            return True
        return False


_AT_ONCE = ("visit", "phone")
"""Ways in which people are asked and answer at once."""
_FINAL = ("refusal", "non-contact", "other", "ineligible")
"""Dispositions of those who give nothing back any more."""


def _usual(knows: Knowledge, task: Waiting, done: int, office: Office) -> Way:
    """The step as the scenario does it that many times in, by the same person where somebody has it already."""
    ways = knows.usual.get(task.element, ())
    mine = [way for way in ways if task.assignee and office.people.get(way.by) == task.assignee]
    found = mine or list(ways)
    return found[min(done, len(found) - 1)] if found else Way("", {}, None)
