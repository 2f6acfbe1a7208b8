"""What every command is given: one transaction, one reading of the clock, and the instances it opens.

A command loads what it needs, judges it (`policy`), moves instances (`bpmn`) and notes what happened. Saving the
instances and writing the journal is done once, at the end, by `Context.close`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from engine.bpmn import state
from engine.bpmn.meter import Meter
from engine.calendar.working import NoTable
from engine.commands.due_dates import leading_to
from engine.errors import Conflict, Denied, EngineError, Invalid, NotFound, Problem
from engine.events import Fact
from engine.model import SYSTEM, Actor, label
from engine.policy import Rights
from engine.store import tables
from engine.store.calendars import calendar_of
from engine.store.connect import savepoint
from engine.store.journal import Entry, Head, append, append_shared, head_values, instance_chain
from engine.store.organisation import is_active, rights_of, units_above

if TYPE_CHECKING:
    from engine.bpmn.run import Run
    from engine.calendar.working import WorkingCalendar
    from engine.commands.published import Definition, Library
    from engine.config import Workspace
    from engine.handlers import Handlers
    from engine.ports import Doorbell


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something that changes the world. `by` is who asks."""

    by: Actor


@dataclass(frozen=True, slots=True)
class Services:
    """What is the same for every command of a program: wired once by `bootstrap`."""

    workspace: Workspace
    registry: Handlers
    library: Library
    doorbell: Doorbell
    effects: Mapping[type[Any], Callable[[Any, Any, Any], None]]
    """What becomes of each effect of a step: `moving.EFFECTS` and `batches.EFFECTS`."""
    jobs: Mapping[str, Callable[[Any, Any], None]]
    """What each kind of job does: `working.EFFECTS` and those of the subjects."""
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """Extra functions for scripts, for rehearsals."""
    slept: Callable[[], bool] = lambda: False
    """Whether a script let virtual time pass since it was last asked whether the step must stop."""
    paused: Callable[[], bool] = lambda: False
    """Whether a script let virtual time pass, so that the step must stop."""

    @property
    def zone(self) -> ZoneInfo:
        """The organisation's time zone."""
        return self.workspace.zone


_PEEK = select(tables.instance).where(tables.instance.c.id == bindparam("instance"))
_INSTANCE = _PEEK.with_for_update()
_OF_TASK = (
    select(tables.instance)
    .where(
        tables.instance.c.id
        == select(tables.user_task.c.instance_id)
        .where(tables.user_task.c.id == bindparam("task"))
        .scalar_subquery()
    )
    .with_for_update()
)
_SAVE = (
    update(tables.instance)
    .where(tables.instance.c.id == bindparam("number"), tables.instance.c.version == bindparam("read"))
    .values(
        {
            name: bindparam(name)
            for name in (
                "status", "state", "version", "next_task", "head_seq", "head_hash",
                "sealed", "ended_at", "outcome", "title", "correlation",
            )
        }
    )
)  # fmt: skip


@dataclass(slots=True)
class OpenInstance:
    """An instance whose row is locked by this transaction."""

    row: Mapping[str, Any]
    definition: Definition
    run: Run | None = None
    """Loaded when it is moved."""
    changes: dict[str, Any] = field(default_factory=dict)
    facts: list[tuple[Fact, Actor]] = field(default_factory=list)

    @property
    def id(self) -> int:
        return int(self.row["id"])

    def get(self, name: str) -> Any:
        """A column's value, with what this command changed."""
        return self.changes.get(name, self.row[name])

    @property
    def label(self) -> str:
        return label(self.id)

    def role(self, own: str | None) -> str | None:
        """The role that does here what the diagram gives to the role `own`: whoever called it may have said another."""
        return own if self.row["called_as"] is None else self.row["called_as"]["roles"].get(own, own)

    def filed(self, record: str) -> tuple[str, str]:
        """As what a record of the diagram is filed: the definition that knows it, and the record's id there."""
        called_as = self.row["called_as"]
        found = None if called_as is None else called_as["records"].get(record)
        return (self.definition.hash, record) if found is None else (found[0], found[1])

    def variables(self) -> dict[str, Any]:
        """The instance's variables, without moving it."""
        return state.variables(self.row["state"], self.label) if self.run is None else dict(self.run.data)


def administrative(carry: Callable[[Any, Context], Any]) -> Callable[[Any, Context], Any]:
    """The same command, for those with the permission `admin` only."""

    def guarded(cmd: Any, ctx: Context) -> Any:
        ctx.require("admin")
        return carry(cmd, ctx)

    return guarded


@dataclass(slots=True)
class Context:
    """One command's transaction."""

    conn: Connection
    now: datetime
    actor: Actor
    services: Services
    opened: dict[int, OpenInstance] = field(default_factory=dict)
    shared: list[tuple[Fact, Actor]] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    depth: int = 0
    """How deep instances start one another in this command."""
    started: int = 0
    """How many instances this command has started."""
    crossed: int = 0
    """How often something left an instance that another may catch, who ends it perhaps, or its siblings."""
    meter: Meter = field(default_factory=Meter)
    """How much was done without waiting, in this command and in the jobs that led to it."""
    before_commit: list[Callable[[], None]] = field(default_factory=list)
    past: list[Problem] = field(default_factory=list)
    """Deadlines that this command made past already, by the variable they are measured from."""
    untabled: list[NoTable] = field(default_factory=list)
    """Incidents of this command that no working-day table of a year was there for."""
    prepared: Any = None
    """What the command made ready before the transaction began (`commands.prepared`)."""
    locks: bool = True
    """Rows to be changed are locked; not while a command is being prepared."""
    _calendars: dict[str, WorkingCalendar] = field(default_factory=dict)

    @property
    def who(self) -> str:
        """Whose rights count: the person asked for (`--as`), else who asks."""
        return self.actor.acting_for or self.actor.person

    @property
    def today(self) -> date:
        """The date in the organisation's zone."""
        return self.now.astimezone(self.services.zone).date()

    def instance(self, number: int) -> OpenInstance:
        """Lock an instance's row. Raises NotFound."""
        if number not in self.opened:
            found = self.conn.execute(_INSTANCE if self.locks else _PEEK, {"instance": number})
            row = found.mappings().one_or_none()
            if row is None:
                raise NotFound("There is no instance {label}", label=label(number))
            self._open(row)
        return self.opened[number]

    def instance_of(self, task: str) -> OpenInstance:
        """Lock the row of a user task's instance. Raises NotFound."""
        row = self.conn.execute(_OF_TASK, {"task": task}).mappings().one_or_none()
        if row is None:
            raise NotFound("There is no task {task}", task=task)
        return self.opened.get(row["id"]) or self._open(row)

    def _open(self, row: RowMapping) -> OpenInstance:
        definition = self.services.library.find(self.conn, row["definition"])
        found = self.opened[row["id"]] = OpenInstance(dict(row), definition)
        return found

    def peek(self, number: int) -> OpenInstance:
        """An instance as it stands, not locked: for calls outside."""
        row = self.conn.execute(_PEEK, {"instance": number}).mappings().one()
        return OpenInstance(dict(row), self.services.library.find(self.conn, row["definition"]))

    def running(self, number: int) -> OpenInstance:
        """Lock an instance that is to move. Raises Conflict when it is suspended or has ended."""
        found = self.instance(number)
        status = found.get("status")
        if status == "suspended":
            raise Conflict(
                "{label} is suspended; `flow instance resume {label}` lets it go on", label=found.label
            )
        if status != "running":
            raise Conflict("{label} has ended: it is {status}", label=found.label, status=status)
        return found

    def refuse_past(self, entered: Mapping[str, object]) -> None:
        """Raise Invalid when a date that a person entered makes a deadline that is past already."""
        problems = [each for each in self.past if each.field in entered]
        if problems:
            raise Invalid(problems)

    @contextmanager
    def within_tables(self, entered: Mapping[str, object]) -> Iterator[None]:
        """Raise Invalid when what the block sets off needs a working-day table that is missing by a date entered.

        That is the date nearest to the year, unless today is as near: then time itself ran beyond the tables, and
        what failed stays what it is.
        """
        try:
            yield
        except NoTable as missing:
            self._refuse_untabled(entered, missing)
            raise
        self._refuse_untabled(entered, *self.untabled)

    def _refuse_untabled(self, entered: Mapping[str, object], *missing: NoTable) -> None:
        template = (
            "Dates counted from this one fall in {year}, which has no working-day table: have it imported "
            "(`flow calendar import`), or enter another date"
        )
        problems = [
            Problem(place, template, {"year": year})
            for year in sorted({each.year for each in missing})
            for place in leading_to(year, entered, self.today)
        ]
        if problems:
            raise Invalid(problems)

    def note(
        self, kind: str, facts: Mapping[str, object], *, instance: int | None = None, subject: str | None = None,
        by: Actor | None = None,
    ) -> None:  # fmt: skip
        """Enter a fact in the journal: in an instance's chain, or in the organisation's."""
        fact = Fact(kind, instance, subject, facts)
        self.facts.append(fact)
        if instance is None:
            self.shared.append((fact, by or self.actor))
        else:
            self.instance(instance).facts.append((fact, by or self.actor))

    def calendar(self, unit: str) -> WorkingCalendar:
        """The working-day calendar that counts in a unit."""
        if unit not in self._calendars:
            self._calendars[unit] = calendar_of(self.conn, unit)
        return self._calendars[unit]

    def rights(self, person: str) -> Rights:
        """What a person may do today. Raises NotFound for nobody the organisation knows."""
        return rights_of(self.conn, person, self.today)

    def may(self, permission: str) -> bool:
        """Whether who asks has a permission of org.yaml. All have it while nobody does.

        In a demo workspace so does whoever sits there and plays nobody; who is played has what that person has.
        """
        if self.actor == SYSTEM or (self.services.workspace.demo and not self._is_person(self.actor.person)):
            return True
        having = self._having(permission)
        return not having or self.who in having

    def require(self, permission: str) -> None:
        """Refuse who lacks a permission."""
        if not self.may(permission):
            raise Denied(
                "This needs the permission `{permission}`, which {person} does not have; {others} may do it",
                permission=permission, person=self.who, others=", ".join(sorted(self._having(permission))),
            )  # fmt: skip

    def _is_person(self, id_: str) -> bool:
        return (
            self.conn.execute(select(tables.person.c.id).where(tables.person.c.id == id_)).first() is not None
        )

    def _having(self, permission: str) -> set[str]:
        table = tables.permission
        return set(self.conn.execute(select(table.c.person).where(table.c.name == permission)).scalars())

    def units(self, unit: str) -> tuple[str, ...]:
        """A unit and those above it."""
        return units_above(self.conn, unit)

    def active_unit(self, unit: str) -> None:
        """Refuse a unit in which nothing may start: NotFound when there is none, Conflict when it was given up."""
        self.units(unit)
        if not is_active(self.conn, unit):
            raise Conflict("Nothing starts in unit {unit} any more: org.yaml no longer names it", unit=unit)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What the block does is undone when it raises an EngineError, which passes on; the rest stays."""
        known, shared, facts, files = (
            set(self.opened),
            len(self.shared),
            len(self.facts),
            len(self.before_commit),
        )
        depth, chain = self.depth, self.meter.chain
        before = {each.id: (dict(each.changes), len(each.facts)) for each in self.opened.values()}
        try:
            with savepoint(self.conn):
                yield
        except EngineError:
            self.depth, self.meter.chain = depth, chain
            for number in set(self.opened) - known:
                del self.opened[number]
            for number, (changes, noted) in before.items():
                self.opened[number].changes = changes
                del self.opened[number].facts[noted:]
            del self.shared[shared:], self.facts[facts:], self.before_commit[files:]
            raise

    def close(self) -> None:
        """Save the instances and write the journal: the last thing in the transaction."""
        for each in self.opened.values():
            if each.run is None and not each.changes and not each.facts:
                continue
            head = Head(each.row["head_seq"], each.row["head_hash"])
            if each.facts:
                head = append(self.conn, instance_chain(each.id), head, self._entries(each.facts))
            values = {
                "number": each.id,
                "read": each.row["version"],
                "version": each.row["version"] + 1,
                "state": each.row["state"] if each.run is None else state.dump(each.run),
                **{
                    name: each.get(name)
                    for name in ("status", "next_task", "ended_at", "outcome", "title", "correlation")
                },
                **head_values(head),
            }
            if self.conn.execute(_SAVE, values).rowcount != 1:
                raise Conflict("{label} changed meanwhile; try again", label=each.label)
        if self.shared:
            append_shared(self.conn, ORGANISATION, self._entries(self.shared))
        for action in self.before_commit:
            action()

    def _entries(self, facts: list[tuple[Fact, Actor]]) -> list[Entry]:
        return [
            Entry(self.now, by.person, fact.kind, _told(fact, by), fact.subject, by.acting_for)
            for fact, by in facts
        ]


def _told(fact: Fact, by: Actor) -> Mapping[str, object]:
    """What a row says; besides who acted and as whom, for whom that one stood in."""
    return fact.facts if by.right_of is None else {**fact.facts, "right_of": by.right_of}


ORGANISATION = "org"
"""The chain of what concerns no single instance."""
