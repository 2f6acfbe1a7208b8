"""Compares the tables with what the journal's entries come to, in one pass and with bounded memory.

`engine.store.verify` proves that the journal is whole; this proves that the tables say nothing else: the status of
instances, who closed which user task, due dates, listed records, which periods were started. Held at once are the
entries of a few hundred instances, or of one that has more. What no entry repeats (the state of an instance, its
variables, drafts) cannot be compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import BigInteger, Column, Connection, Row, Text, cast, exists, literal, select, type_coerce
from sqlalchemy.exc import DBAPIError

from engine.model import InstanceStatus, TaskStatus
from engine.store.columns import Instant, to_micros
from engine.store.journal import INSTANCE_CHAIN, instance_chain
from engine.store.tables import deadline, instance, journal, kickoff, record, schedule, user_task
from engine.store.verify import Fault

_CHAINS, _ENTRIES = 300, 5000
_STREAM = 2000
_ENDS = {f"instance.{end}": str(end) for end in InstanceStatus if end not in ("running", "suspended")}
_STATES = {"instance.suspended": "suspended", "instance.resumed": "running", **_ENDS}
_TASKS = (
    *("task.opened", "task.claimed", "task.released", "task.assigned", "task.delegated"),
    *("task.completed", "task.withdrawn"),
)
_DEADLINES = tuple(f"deadline.{what}" for what in ("armed", "moved", "met", "missed", "cancelled"))
_KINDS = ("instance.started", *_STATES, *_TASKS, *_DEADLINES, "record.made", "schedule.fired")

_MISSING = "{name} is missing in the table {table}, though this row entered it"
_UNKNOWN = "{name} stands in the table {table}, but the journal knows nothing of it"
_DIFFERS = "{name}: the table {table} has {column} {found}, the journal says {expected}"


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
    .where(journal.c.kind.in_(_KINDS))
    .order_by(journal.c.chain, journal.c.seq)
    .execution_options(yield_per=_STREAM)
)  # fmt: skip
_SHARED = select(journal.c.kind, journal.c.subject, journal.c.facts).where(
    journal.c.kind.in_(("schedule.failed", "clock.accepted"))
)
_INSTANCES = select(
    instance.c.id.label("instance_id"), *_columns(instance.c.status, instance.c.definition, instance.c.procedure,
    instance.c.unit, instance.c.period, instance.c.started_at, instance.c.started_by, instance.c.ended_at,
    instance.c.outcome),
)  # fmt: skip
_TASK_ROWS = select(
    user_task.c.instance_id, user_task.c.id, *_columns(user_task.c.element, user_task.c.name, user_task.c.role,
    user_task.c.status, user_task.c.assignee, user_task.c.due_at, user_task.c.opened_at, user_task.c.closed_at,
    user_task.c.closed_by, user_task.c.closed_for),
)  # fmt: skip
_DEADLINE_ROWS = select(
    deadline.c.instance_id, deadline.c.task_id, deadline.c.element, *_columns(deadline.c.name, deadline.c.rule,
    deadline.c.due_day, deadline.c.due_at, deadline.c.status, deadline.c.closed_at),
)  # fmt: skip
_RECORD_ROWS = select(
    record.c.instance_id, record.c.path, record.c.sha256, record.c.size, record.c.name, record.c.element
)
_KICKOFFS = select(
    kickoff.c.instance_id, kickoff.c.period, kickoff.c.status, kickoff.c.late, _raw(kickoff.c.due_at),
    schedule.c.procedure, schedule.c.unit,
).join_from(kickoff, schedule, isouter=True)  # fmt: skip
_NO_CHAIN = ~exists().where(
    journal.c.chain == literal("SV-") + cast(instance.c.id, Text), journal.c.kind == "instance.started"
)


@dataclass(slots=True)
class _Known:
    """What the journal says of one row: the values of its columns, and its entry that said so last."""

    seq: int
    values: dict[str, object]

    def now(self, seq: int, **values: object) -> None:
        self.seq = seq
        self.values.update(values)


@dataclass(slots=True)
class _Story:
    """What the entries of one instance come to."""

    instance: _Known | None = None
    tasks: dict[str, _Known] = field(default_factory=dict)
    deadlines: dict[str, _Known] = field(default_factory=dict)
    records: Counter[tuple[object, ...]] = field(default_factory=Counter)
    fired: dict[str, _Known] = field(default_factory=dict)


def contradictions(conn: Connection) -> tuple[Fault, ...]:
    """Every row of the tables that the journal contradicts, and every one that it misses.

    Use a connection of `Store.read()`: then writers going on meanwhile are not seen.
    """
    check = _Comparison(conn)
    try:
        check.stories()
        check.strays()
    except (
        TypeError,
        ValueError,
        ArithmeticError,
        DBAPIError,
    ) as error:  # values of a kind that nobody writes
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
            facts = _facts(text)
            if kind == "schedule.failed":
                self.failed.add((subject, facts.get("unit"), facts.get("period")))
            elif (moment := _micros(facts.get("clock"))) is not None:
                self.accepted.append(moment)
        held: dict[int, _Story] = {}
        entries = 0
        name, story = "", _Story()
        for row in self.conn.execute(_ROWS):
            if row.chain != name:
                if len(held) >= _CHAINS or entries >= _ENTRIES:
                    self._compare(held)
                    held, entries = {}, 0
                name, story = row.chain, _Story()
                if (match := INSTANCE_CHAIN.fullmatch(name)) is not None:
                    held[int(match[1])] = story
            entries += 1
            _tell(story, row)
        self._compare(held)

    def _compare(self, held: Mapping[int, _Story]) -> None:
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
        self._records(held, ids)

    def _rows(
        self, held: Mapping[int, _Story], table: str, query: Any,
        part: Callable[[_Story], dict[str, _Known]], name_of: Callable[[Row[Any]], str],
    ) -> None:  # fmt: skip
        """One table's rows of these instances: each is told of, and agrees; what is told of is there."""
        for row in self.conn.execute(query.execution_options(yield_per=_STREAM)):
            name = name_of(row)
            told = part(held[row.instance_id]).pop(name, None)
            if told is None:
                self.fault(instance_chain(row.instance_id), None, _UNKNOWN, table=table, name=name)
            else:
                self._judge(table, name, row.instance_id, told, row)
        for number, story in held.items():
            for name, told in part(story).items():
                if table != "kickoff" or not self._forgotten(told.values["due_at"]):
                    self.fault(instance_chain(number), told.seq, _MISSING, table=table, name=name)

    def _forgotten(self, due: object) -> bool:
        return any(isinstance(due, int) and due > moment for moment in self.accepted)

    def _judge(self, table: str, name: str, number: int, told: _Known, row: Row[Any]) -> None:
        for column, expected in told.values.items():
            found = row._mapping[column]
            allowed = expected if isinstance(expected, tuple) else (expected,)
            if found not in allowed:
                self.fault(
                    instance_chain(number), told.seq, _DIFFERS, table=table, name=name, column=column,
                    found=_shown(column, found), expected=_shown(column, allowed[0]),
                )  # fmt: skip

    def _records(self, held: Mapping[int, _Story], ids: list[int]) -> None:
        query = _RECORD_ROWS.where(record.c.instance_id.in_(ids)).execution_options(yield_per=_STREAM)
        for number, *values in self.conn.execute(query):
            listed = held[number].records
            if listed[tuple(values)]:
                listed[tuple(values)] -= 1
            else:
                self.fault(instance_chain(number), None, _UNKNOWN, table="record", name=_record(values))
        for number, story in held.items():
            for listing in story.records.elements():
                told = "{name} is missing in the table {table}, though the journal lists it"
                self.fault(instance_chain(number), None, told, table="record", name=_record(listing))

    def strays(self) -> None:
        """Rows of no instance that the journal knows."""
        for (number,) in self.conn.execute(select(instance.c.id).where(_NO_CHAIN)):
            name = instance_chain(number)
            self.fault(name, None, _UNKNOWN, table="instance", name=name)
        for table, column in (
            (user_task, user_task.c.id),
            (deadline, deadline.c.name),
            (record, record.c.path),
        ):
            alone = ~exists().where(instance.c.id == table.c.instance_id)
            for number, name in self.conn.execute(select(table.c.instance_id, column).where(alone)):
                self.fault(instance_chain(number), None, _UNKNOWN, table=table.name, name=name)
        alone = kickoff.c.instance_id.is_(None) | ~exists().where(instance.c.id == kickoff.c.instance_id)
        for row in self.conn.execute(_KICKOFFS.where(alone)):
            if row.instance_id is not None or (row.procedure, row.unit, row.period) not in self.failed:
                self.fault("org", None, _UNKNOWN, table="kickoff", name=f"{row.unit} {row.period}")


def _tell(story: _Story, row: Row[Any]) -> None:
    """Take one entry into the story."""
    facts = _facts(row.facts)
    name = str(row.subject)
    if row.kind.startswith("task."):
        _tell_task(story, row, name, facts)
    elif row.kind.startswith("deadline."):
        _tell_deadline(story, row, name, facts)
    elif row.kind == "instance.started":
        given = {column: facts.get(column) for column in ("definition", "procedure", "unit")}
        if "parent" not in facts:  # a called one has its caller's
            given["period"] = facts.get("period")
        story.instance = _Known(row.seq, {
            **given, "status": "running", "started_at": row.at, "started_by": row.by, "ended_at": None, "outcome": None,
        })  # fmt: skip
    elif row.kind in _STATES and story.instance is not None:
        story.instance.now(row.seq, status=_STATES[row.kind])
        if row.kind in _ENDS:
            story.instance.now(row.seq, ended_at=row.at, outcome=facts.get("outcome"))
    elif row.kind == "record.made":
        told = (facts.get("path"), facts.get("sha256"), facts.get("size"), facts.get("name"), row.subject)
        story.records[told] += 1
    elif row.kind == "schedule.fired":
        story.fired[str(facts.get("period"))] = _Known(row.seq, {
            "status": "started", "due_at": _micros(facts.get("due")), "late": facts.get("late"),
            "unit": facts.get("unit"), "procedure": row.subject,
        })  # fmt: skip


def _tell_task(story: _Story, row: Row[Any], name: str, facts: Mapping[str, Any]) -> None:
    what = row.kind.partition(".")[2]
    if what == "opened":
        assignee = facts.get("assignee")
        known = {column: facts.get(column) for column in ("element", "name", "role", "assignee")}
        status = TaskStatus.OPEN if assignee is None else TaskStatus.CLAIMED
        story.tasks[name] = _Known(row.seq, {
            **known, "status": str(status), "opened_at": row.at, "closed_at": None, "closed_by": None,
            "closed_for": None,
        })  # fmt: skip
        _tell_due(story, name, row.seq)
        return
    if (told := story.tasks.get(name)) is None:
        return  # the chain is broken, which `verify` says
    who = (row.by, row.acting_for)  # a deputy's own name or, with --as, the other's
    if what == "claimed":
        told.now(row.seq, status="claimed", assignee=who)
    elif what == "released":
        told.now(row.seq, status="open", assignee=None)
    elif what in ("assigned", "delegated"):
        told.now(row.seq, status="claimed", assignee=facts.get("to"))
    elif what == "withdrawn":
        told.now(row.seq, status="cancelled", closed_at=row.at)
    elif what == "completed":
        told.now(
            row.seq, status="done", assignee=who, closed_by=who, closed_for=row.acting_for, closed_at=row.at
        )


def _tell_deadline(story: _Story, row: Row[Any], name: str, facts: Mapping[str, Any]) -> None:
    what = row.kind.partition(".")[2]
    if what == "armed":
        story.deadlines[name] = _Known(row.seq, {
            "name": facts.get("name"), "rule": facts.get("rule"), "status": "armed", "closed_at": None,
        })  # fmt: skip
    if (told := story.deadlines.get(name)) is None:
        return
    if what in ("armed", "moved"):
        told.now(row.seq, due_day=facts.get("due" if what == "armed" else "to"))
        told.values.pop("due_at", None)
        if (due := _micros(facts.get("at"))) is not None:
            told.now(row.seq, due_at=due)
            _tell_due(story, name, row.seq)
    else:
        told.now(row.seq, status=what, closed_at=row.at)


def _tell_due(story: _Story, name: str, seq: int) -> None:
    """A task shows the date of its deadline; the deadline is entered first."""
    task, due = story.tasks.get(name), story.deadlines.get(name)
    if task is not None and (due is None or "due_at" in due.values):
        task.now(seq, due_at=None if due is None else due.values["due_at"])


def _facts(text: object) -> Mapping[str, Any]:
    """What an entry says; nothing where it was altered, which `verify` finds."""
    try:
        facts = orjson.loads(text if isinstance(text, str) else "")
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _micros(text: object) -> int | None:
    try:
        return to_micros(datetime.fromisoformat(text)) if isinstance(text, str) else None
    except ValueError:
        return None


def _record(values: Iterable[object]) -> str:
    path, digest, size, *_ = values
    return f"{path} ({size} B, sha256 {str(digest)[:12]})"


def _shown(column: str, value: object) -> str:
    if value is None:
        return "–"
    if column.endswith("_at") and isinstance(value, int):
        return str(Instant().process_result_value(value, None))  # type: ignore[arg-type]
    return str(value)
