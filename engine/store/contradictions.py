"""Compares the tables with what the journal's entries come to, in one pass and with bounded memory.

`engine.store.verify` proves that the journal is whole; this proves that the tables say nothing else: the status of
instances, who closed which user task, due dates, listed records, which periods were started. Held at once are the
entries of a few hundred instances, or of one that has more. What no entry repeats (the state of an instance, its
variables, drafts) cannot be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Row,
    Text,
    cast,
    exists,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.exc import DBAPIError

from engine.errors import EngineError
from engine.store import arranged, calls, fingerprints, groundwork, sets
from engine.store.columns import Instant
from engine.store.journal import INSTANCE_CHAIN, instance_chain
from engine.store.tables import (
    ARMED_TIMER,
    batch,
    batch_item,
    deadline,
    instance,
    journal,
    kickoff,
    record,
    schedule,
    timer,
    user_task,
)
from engine.store.told import KINDS, UNSAID, Known, Story, facts_of, micros, tell
from engine.store.verify import DIFFERS, MISSING, UNKNOWN, Fault

_CHAINS, _ENTRIES = 300, 5000
_STREAM = 2000


def _raw(column: Column[Any]) -> Any:
    """A column as it is stored: whoever altered it may have left anything there."""
    return type_coerce(column, BigInteger).label(column.name) if isinstance(column.type, Instant) else column


def _columns(*columns: Column[Any]) -> list[Any]:
    return [_raw(column) for column in columns]


_ROWS = (
    select(
        journal.c.chain, journal.c.seq, type_coerce(journal.c.at, BigInteger).label("at"), journal.c.by,
        journal.c.acting_for, journal.c.kind, journal.c.subject, journal.c.facts,
    )
    .where(journal.c.kind.in_(KINDS))
    .order_by(journal.c.chain, journal.c.seq)
    .execution_options(yield_per=_STREAM)
)  # fmt: skip
_SHARED = select(journal.c.kind, journal.c.subject, journal.c.facts).where(
    journal.c.kind.in_(("schedule.failed", "clock.accepted"))
)
_INSTANCES = select(
    instance.c.id.label("instance_id"), *_columns(instance.c.status, instance.c.definition, instance.c.procedure,
    instance.c.unit, instance.c.period, instance.c.started_at, instance.c.started_by, instance.c.ended_at,
    instance.c.outcome, instance.c.called_as, instance.c.title, instance.c.parent_id),
)  # fmt: skip
_TASK_ROWS = select(
    user_task.c.instance_id, user_task.c.id, *_columns(user_task.c.element, user_task.c.name, user_task.c.role,
    user_task.c.status, user_task.c.assignee, user_task.c.due_at, user_task.c.opened_at, user_task.c.closed_at,
    user_task.c.closed_by, user_task.c.closed_for, user_task.c.form, user_task.c.unit, user_task.c.claimed_at,
    user_task.c.delegated_by),
)  # fmt: skip
_DEADLINE_ROWS = select(
    deadline.c.instance_id, deadline.c.task_id, deadline.c.element, *_columns(deadline.c.name, deadline.c.rule,
    deadline.c.due_day, deadline.c.due_at, deadline.c.status, deadline.c.armed_at, deadline.c.closed_at,
    deadline.c.counting, deadline.c.calendar),
    type_coerce(deadline.c.anchors, Text).label("anchors"), type_coerce(deadline.c.lines, Text).label("lines"),
)  # fmt: skip
_RECORD_ROWS = select(
    record.c.instance_id, *_columns(record.c.path, record.c.sha256, record.c.size, record.c.name, record.c.element,
    record.c.made_at, record.c.made_by, record.c.code),
)  # fmt: skip
_BATCH_ROWS = select(
    batch.c.instance_id, batch.c.id, batch.c.element, batch.c.total, batch.c.done, batch.c.status,
    select(func.count()).where(batch_item.c.batch_id == batch.c.id).scalar_subquery().label("items"),
)  # fmt: skip
_TIMER_ROWS = select(timer.c.instance_id, timer.c.element, _raw(timer.c.due_at)).where(
    ARMED_TIMER,
    timer.c.kind == "event",
    timer.c.rule.not_like("R%"),  # a cycle begins anew without a word
)
_KICKOFFS = select(
    kickoff.c.instance_id, kickoff.c.period, kickoff.c.status, kickoff.c.late, _raw(kickoff.c.due_at),
    _raw(kickoff.c.started_at), schedule.c.procedure, schedule.c.unit,
).join_from(kickoff, schedule, isouter=True)  # fmt: skip
_PARENT = instance.alias("parent")
_CALLED = (
    select(instance.c.id, instance.c.root_id, instance.c.period, _PARENT.c.period.label("given"),
           func.coalesce(_PARENT.c.root_id, _PARENT.c.id).label("root"))
    .join_from(instance, _PARENT, _PARENT.c.id == instance.c.parent_id)
    .execution_options(yield_per=_STREAM)
)  # fmt: skip
_NO_CHAIN = ~exists().where(
    journal.c.chain == literal("SV-") + cast(instance.c.id, Text), journal.c.kind == "instance.started"
)


UNREADABLE = (EngineError, TypeError, ValueError, ArithmeticError, DBAPIError)
"""What reading rows raises that hold values of a kind nobody writes."""


def contradictions(conn: Connection) -> tuple[Fault, ...]:
    """Every row of the tables that the journal contradicts, and every one that it misses.

    Use a connection of `Store.read()`: then writers going on meanwhile are not seen.
    """
    check = _Comparison(conn)
    try:
        check.stories()
        check.called()
        check.strays()
        for each in (groundwork, arranged, sets, calls):
            each.compare(conn, check.fault)
    except UNREADABLE as error:
        check.fault("journal", None, "cannot be read to its end: {reason}", reason=str(error)[:200])
    return tuple(check.faults)


class _Comparison:
    """One walk over the entries; compares the tables a few hundred instances at a time."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.faults: list[Fault] = []
        self.failed: set[tuple[object, ...]] = set()
        """Kick-offs that could not be carried out: (procedure, unit, period)."""
        self.accepted: list[int] = []
        """What the clock said whenever somebody vouched for it: kick-offs planned for later were forgotten."""

    def fault(self, chain: str, seq: int | None, template: str, /, **params: object) -> None:
        self.faults.append(Fault(chain, seq, template, params))

    def stories(self) -> None:
        """Every instance that has entries."""
        for kind, subject, text in self.conn.execute(_SHARED):
            facts = facts_of(text)
            if kind == "schedule.failed":
                self.failed.add((subject, facts.get("unit"), facts.get("period")))
            elif (moment := micros(facts.get("clock"))) is not None:
                self.accepted.append(moment)
        held: dict[int, Story] = {}
        entries = 0
        name, story = "", Story()
        for row in self.conn.execute(_ROWS):
            if row.chain != name:
                if len(held) >= _CHAINS or entries >= _ENTRIES:
                    self._compare(held)
                    held, entries = {}, 0
                name, story = row.chain, Story()
                if (match := INSTANCE_CHAIN.fullmatch(name)) is not None:
                    held[int(match[1])] = story
            entries += 1
            tell(story, row)
        self._compare(held)

    def _compare(self, held: Mapping[int, Story]) -> None:
        ids = list(held)
        for row in self.conn.execute(_INSTANCES.where(instance.c.id.in_(ids))).all():
            told = held[row.instance_id].instance
            if told is not None:
                self._judge("instance", instance_chain(row.instance_id), row.instance_id, told, row)
        self._rows(held, "user_task", _TASK_ROWS.where(user_task.c.instance_id.in_(ids)),
                   lambda story: story.tasks, lambda row: row.id)  # fmt: skip
        self._rows(held, "deadline", _DEADLINE_ROWS.where(deadline.c.instance_id.in_(ids)),
                   lambda story: story.deadlines, lambda row: row.task_id or row.element)  # fmt: skip
        self._rows(held, "kickoff", _KICKOFFS.where(kickoff.c.instance_id.in_(ids)),
                   lambda story: story.fired, lambda row: row.period)  # fmt: skip
        self._rows(held, "batch", _BATCH_ROWS.where(batch.c.instance_id.in_(ids)),
                   lambda story: story.batches, lambda row: str(row.id))  # fmt: skip
        for row in self.conn.execute(_TIMER_ROWS.where(timer.c.instance_id.in_(ids))):
            if (row.element, row.due_at) not in held[row.instance_id].timers:
                name = f"{row.element} ({_shown('due_at', row.due_at)})"
                self.fault(instance_chain(row.instance_id), None, UNKNOWN, table="timer", name=name)
        self._records(held, ids)

    def _rows(
        self, held: Mapping[int, Story], table: str, query: Any,
        part: Callable[[Story], dict[str, Known]], name_of: Callable[[Row[Any]], str],
    ) -> None:  # fmt: skip
        """One table's rows of these instances: each is told of, and agrees; what is told of is there."""
        for row in self.conn.execute(query.execution_options(yield_per=_STREAM)):
            name = name_of(row)
            told = part(held[row.instance_id]).pop(name, None)
            if told is None and table == "batch":
                continue  # a single call makes one too, without a word: `calls` has to do with it
            if told is None:
                self.fault(instance_chain(row.instance_id), None, UNKNOWN, table=table, name=name)
            else:
                self._judge(table, name, row.instance_id, told, row)
        for number, story in held.items():
            for name, told in part(story).items():
                if table != "kickoff" or not self._forgotten(told.values["due_at"]):
                    self.fault(instance_chain(number), told.seq, MISSING, table=table, name=name)

    def _forgotten(self, due: object) -> bool:
        return any(isinstance(due, int) and due > moment for moment in self.accepted)

    def _judge(self, table: str, name: str, number: int, told: Known, row: Row[Any]) -> None:
        for column, expected in told.values.items():
            found = _counted(row) if column == "arithmetic" else row._mapping[column]
            allowed = expected if isinstance(expected, tuple) else (expected,)
            if found not in allowed:
                self.fault(
                    instance_chain(number), told.seq, DIFFERS, table=table, name=name, column=column,
                    found=_shown(column, found), expected=_shown(column, allowed[0]),
                )  # fmt: skip

    def _records(self, held: Mapping[int, Story], ids: list[int]) -> None:
        query = _RECORD_ROWS.where(record.c.instance_id.in_(ids)).execution_options(yield_per=_STREAM)
        for number, *values in self.conn.execute(query):
            listed = held[number].records
            for said in (tuple(values), (*values[:-1], UNSAID)):
                if listed[said]:
                    listed[said] -= 1
                    break
            else:
                self.fault(instance_chain(number), None, UNKNOWN, table="record", name=_record(values))
        for number, story in held.items():
            for listing in story.records.elements():
                told = "{name} is missing in the table {table}, though the journal lists it"
                self.fault(instance_chain(number), None, told, table="record", name=_record(listing))

    def called(self) -> None:
        """What a called instance has of its caller, whose own row has been compared."""
        for row in self.conn.execute(_CALLED):
            name = instance_chain(row.id)
            told = {"root_id": row.root, "period": row.given}
            groundwork.judge(self.fault, name, None, "instance", name, told, row._mapping)

    def strays(self) -> None:
        """Rows of no instance that the journal knows."""
        for (number,) in self.conn.execute(select(instance.c.id).where(_NO_CHAIN)):
            name = instance_chain(number)
            self.fault(name, None, UNKNOWN, table="instance", name=name)
        for table, column in (
            (user_task, user_task.c.id),
            (deadline, deadline.c.name),
            (record, record.c.path),
        ):
            alone = ~exists().where(instance.c.id == table.c.instance_id)
            for number, name in self.conn.execute(select(table.c.instance_id, column).where(alone)):
                self.fault(instance_chain(number), None, UNKNOWN, table=table.name, name=name)
        alone = kickoff.c.instance_id.is_(None) | ~exists().where(instance.c.id == kickoff.c.instance_id)
        for row in self.conn.execute(_KICKOFFS.where(alone)):
            if row.instance_id is not None or (row.procedure, row.unit, row.period) not in self.failed:
                self.fault("org", None, UNKNOWN, table="kickoff", name=f"{row.unit} {row.period}")


def _counted(row: Row[Any]) -> str | None:
    """The sum of a due date's arithmetic; None where somebody left what is none."""
    try:
        anchors, lines = (None if each is None else orjson.loads(each) for each in (row.anchors, row.lines))
        return fingerprints.of_arithmetic(anchors, row.counting, row.calendar, lines)
    except ValueError:
        return None


def _record(values: Iterable[object]) -> str:
    path, digest, size, *_, code = values
    known = f", {code}" if isinstance(code, str) and code else ""
    return f"{path} ({size} B, sha256 {str(digest)[:12]}{known})"


def _shown(column: str, value: object) -> str:
    if value is None:
        return "–"
    if column.endswith("_at") and isinstance(value, int):
        return str(Instant().process_result_value(value, None))  # type: ignore[arg-type]
    return str(value)
