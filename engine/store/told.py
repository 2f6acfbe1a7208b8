"""What the entries of one instance come to: what its rows in the tables have to say.

Taken in one after the other; `contradictions` compares the tables with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row

from engine.model import InstanceStatus, TaskStatus
from engine.store.columns import to_micros
from engine.store.journal import INSTANCE_CHAIN

UNSAID = object()
"""Stands for what entries of older versions do not say."""
_ENDS = {f"instance.{end}": str(end) for end in InstanceStatus if end not in ("running", "suspended")}
_STATES = {"instance.suspended": "suspended", "instance.resumed": "running", **_ENDS}
_TASKS = (
    *("task.opened", "task.claimed", "task.released", "task.assigned", "task.delegated"),
    *("task.completed", "task.withdrawn"),
)
_DEADLINES = tuple(
    f"deadline.{what}" for what in ("armed", "moved", "recounted", "met", "missed", "cancelled")
)
KINDS = (
    *("instance.started", *_STATES, *_TASKS, *_DEADLINES, "record.made", "schedule.fired"),
    *("batch.opened", "batch.done", "timer.armed", "timer.moved"),
)


@dataclass(slots=True)
class Known:
    """What the journal says of one row: the values of its columns, and its entry that said so last."""

    seq: int
    values: dict[str, object]

    def now(self, seq: int, **values: object) -> None:
        """An entry says something new."""
        self.seq = seq
        self.values.update(values)


@dataclass(slots=True)
class Story:
    """What the entries of one instance come to."""

    instance: Known | None = None
    tasks: dict[str, Known] = field(default_factory=dict)
    deadlines: dict[str, Known] = field(default_factory=dict)
    records: Counter[tuple[object, ...]] = field(default_factory=Counter)
    fired: dict[str, Known] = field(default_factory=dict)
    batches: dict[str, Known] = field(default_factory=dict)
    timers: set[tuple[object, object]] = field(default_factory=set)
    """Of which elements timers ever waited, and for which moments."""


def tell(story: Story, row: Row[Any]) -> None:
    """Take one entry into the story."""
    facts = facts_of(row.facts)
    name = str(row.subject)
    if row.kind.startswith("task."):
        _tell_task(story, row, name, facts)
    elif row.kind.startswith("deadline."):
        _tell_deadline(story, row, name, facts)
    elif row.kind == "instance.started":
        given = {column: facts.get(column) for column in ("definition", "procedure", "unit", "called_as")}
        given |= {"title": facts["title"]} if "title" in facts else {}
        given["parent_id"] = number_of(facts.get("parent"))
        if "parent" not in facts:  # a called one has its caller's
            given["period"] = facts.get("period")
        story.instance = Known(row.seq, {
            **given, "status": "running", "started_at": row.at, "started_by": row.by, "ended_at": None, "outcome": None,
        })  # fmt: skip
    elif row.kind in _STATES and story.instance is not None:
        story.instance.now(row.seq, status=_STATES[row.kind])
        if row.kind in _ENDS:
            story.instance.now(row.seq, ended_at=row.at, outcome=facts.get("outcome"))
    elif row.kind == "record.made":
        told = (facts.get("path"), facts.get("sha256"), facts.get("size"), facts.get("name"), row.subject,
                row.at, row.by, facts.get("code", UNSAID))  # fmt: skip
        story.records[told] += 1
    elif row.kind == "batch.opened" and "batch" in facts:
        story.batches[str(facts["batch"])] = Known(row.seq, {
            "element": row.subject, "total": facts.get("items"), "items": facts.get("items"),
            "status": ("active", "cancelled"),
        })  # fmt: skip
    elif row.kind == "batch.done" and (known := story.batches.get(str(facts.get("batch")))) is not None:
        known.now(row.seq, status="done", done=facts.get("done"))
    elif row.kind.startswith("timer."):
        story.timers.add((row.subject, micros(facts.get("due", facts.get("to")))))
    elif row.kind == "schedule.fired":
        story.fired[str(facts.get("period"))] = Known(row.seq, {
            "status": "started", "due_at": micros(facts.get("due")), "late": facts.get("late"),
            "unit": facts.get("unit"), "procedure": row.subject, "started_at": row.at,
        })  # fmt: skip


def _tell_task(story: Story, row: Row[Any], name: str, facts: Mapping[str, Any]) -> None:
    what = row.kind.partition(".")[2]
    if what == "opened":
        assignee = facts.get("assignee")
        known = {column: facts.get(column) for column in ("element", "name", "role", "assignee")}
        known |= {"form": facts["form"]} if "form" in facts else {}
        status = TaskStatus.OPEN if assignee is None else TaskStatus.CLAIMED
        story.tasks[name] = Known(row.seq, {
            **known, "status": str(status), "opened_at": row.at, "closed_at": None, "closed_by": None,
            "closed_for": None, "delegated_by": None, "claimed_at": None if assignee is None else row.at,
        })  # fmt: skip
        if story.instance is not None:
            story.tasks[name].values["unit"] = story.instance.values["unit"]
        _tell_task_of(story, name)
        _tell_due(story, name, row.seq)
        return
    if (told := story.tasks.get(name)) is None:
        return  # the chain is broken, which `verify` says
    who = (row.by, row.acting_for)  # a deputy's own name or, with --as, the other's
    if what == "claimed":
        told.now(row.seq, status="claimed", assignee=who, claimed_at=row.at)
    elif what == "released":
        told.now(row.seq, status="open", assignee=None, claimed_at=None, delegated_by=None)
    elif what in ("assigned", "delegated"):
        giver = who if what == "delegated" else None
        told.now(row.seq, status="claimed", assignee=facts.get("to"), claimed_at=row.at, delegated_by=giver)
    elif what == "withdrawn":
        told.now(row.seq, status="cancelled", closed_at=row.at)
    elif what == "completed":
        told.now(
            row.seq, status="done", assignee=who, closed_by=who, closed_at=row.at,
            closed_for=facts.get("right_of") or row.acting_for,
        )  # fmt: skip


def _tell_deadline(story: Story, row: Row[Any], name: str, facts: Mapping[str, Any]) -> None:
    what = row.kind.partition(".")[2]
    if what == "armed":
        story.deadlines[name] = Known(row.seq, {
            "name": facts.get("name"), "rule": facts.get("rule"), "status": "armed", "closed_at": None,
            "armed_at": row.at, "task_id": None, "element": name,
        })  # fmt: skip
        _tell_task_of(story, name)
    if (told := story.deadlines.get(name)) is None:
        return
    if what in ("armed", "moved", "recounted"):
        told.values.pop("arithmetic", None)
        if "arithmetic" in facts:
            told.now(row.seq, arithmetic=facts["arithmetic"])
    if what in ("armed", "moved"):
        told.now(row.seq, due_day=facts.get("due" if what == "armed" else "to"))
        told.values.pop("due_at", None)
        if (due := micros(facts.get("at"))) is not None:
            told.now(row.seq, due_at=due)
            _tell_due(story, name, row.seq)
    elif what != "recounted":
        told.now(row.seq, status=what, closed_at=row.at)


def _tell_task_of(story: Story, name: str) -> None:
    """A deadline has its task's element; either may be entered first."""
    task, due = story.tasks.get(name), story.deadlines.get(name)
    if task is not None and due is not None:
        due.values.update(task_id=name, element=task.values["element"])


def _tell_due(story: Story, name: str, seq: int) -> None:
    """A task shows the date of its deadline; the deadline is entered first."""
    task, due = story.tasks.get(name), story.deadlines.get(name)
    if task is not None and (due is None or "due_at" in due.values):
        task.now(seq, due_at=None if due is None else due.values["due_at"])


def facts_of(text: object) -> Mapping[str, Any]:
    """What an entry says; nothing where it was altered, which `verify` finds."""
    try:
        facts = orjson.loads(text if isinstance(text, str) else "")
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def number_of(name: object) -> int | None:
    """The number of an instance that an entry names; None where it names none."""
    match = INSTANCE_CHAIN.fullmatch(name) if isinstance(name, str) else None
    return None if match is None else int(match[1])


def micros(text: object) -> int | None:
    """An instant of the facts, in microseconds; None where there is none."""
    try:
        return to_micros(datetime.fromisoformat(text)) if isinstance(text, str) else None
    except ValueError:
        return None
