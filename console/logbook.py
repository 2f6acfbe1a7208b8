"""The journal in sentences: one for each kind of entry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from console.dates import moment_text
from console.language import Messages, tr
from engine.queries.history import Line

_SENTENCES: Messages = {
    "batch.done": "{subject}: {done} of {total} items done",
    "batch.opened": "{subject}: {items} items opened",
    "calendar.imported": "working-day table {subject} imported ({status}), {deadlines_moved} due dates moved",
    "deadline.armed": "due on {due}: {name}",
    "deadline.cancelled": "due date dropped: {name}",
    "deadline.met": "in time: {name} (due on {due})",
    "deadline.missed": "LATE: {name} was due on {due}",
    "deadline.moved": "due date moved from {from} to {to}: {name}",
    "deadline.waits": "due date waits for what it is measured from: {rule}",
    "element.failed": "{subject} failed: {reason}",
    "error.thrown": "error {name}",
    "escalation.thrown": "escalation {name}",
    "instance.cancelled": "cancelled",
    "instance.cancelling": "to be cancelled: {reason}",
    "instance.completed": "completed",
    "instance.failed": "ended by an error ({outcome})",
    "instance.moved": "went on: {path}",
    "instance.resumed": "resumed",
    "instance.started": "{procedure} version {version} started for {unit}",
    "instance.suspended": "suspended: {reason}",
    "job.failed": "job {job} ({kind}) failed after {attempts} attempts: {reason}",
    "job.retried": "job {job} is tried again",
    "job.skipped": "job {job} is left out: {reason}",
    "message.received": "message {name} received",
    "message.thrown": "message {name} sent",
    "message.unreceived": "message {name} found nobody who waits for it",
    "notice.overdue": "overdue notice to {to} (due on {due})",
    "notice.reminder": "reminder to {to} (due on {due})",
    "organisation.imported": "organisation imported: {people} people, {units} units, {roles} roles",
    "person.erased": "{values} personal values of {subject} erased: {reason}",
    "procedure.published": "{subject} published as version {version}",
    "record.made": "record {record}: {path}",
    "schedule.active": "{subject} starts by the calendar again for {unit}: {reason}",
    "schedule.changed": "the schedule of {subject} for {unit} changed",
    "schedule.ended": "the schedule of {subject} for {unit} ended",
    "schedule.fired": "started by the calendar for {period}",
    "schedule.made": "{subject} starts by the calendar for {unit} from now on",
    "schedule.paused": "{subject} no longer starts by the calendar for {unit}: {reason}",
    "signal.thrown": "signal {name} sent",
    "task.assigned": "{subject} given to {to}",
    "task.claimed": "{subject} taken",
    "task.commented": "{subject}: {text}",
    "task.completed": "{subject} {name} done",
    "task.delegated": "{subject} delegated to {to}",
    "task.drafted": "{subject}: draft kept",
    "task.opened": "{subject} {name} opened for {role}",
    "task.released": "{subject} given back",
    "task.withdrawn": "{subject} is no longer needed",
    "timer.armed": "timer {rule} set for {due}",
    "timer.fired": "timer {rule} fired",
    "variables.corrected": "corrected from {before} to {values}: {reason}",
    "variables.set": "{subject} set {values}",
}

_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+\+[0-9]{2}:[0-9]{2}")


def sentence(line: Line, names: Mapping[str, str], zone: ZoneInfo) -> str:
    """An entry in words; `names` puts names in the place of ids. A kind without sentence shows its facts."""
    words = _Words(names, zone)
    template = _SENTENCES.get(line.kind)
    facts = {name: words.of(value) for name, value in line.facts.items()}
    if line.kind == "variables.set":
        facts = {"values": "; ".join(f"{name} = {value}" for name, value in facts.items())}
    if template is None:
        parts = [line.kind, line.subject or "", *(f"{name}={value}" for name, value in facts.items())]
        return " ".join(part for part in parts if part)
    text = tr(template).format_map(_Facts(facts | {"subject": line.subject or ""}))
    late = f" ({tr('late')})" if line.facts.get("late") is True else ""
    reason = line.facts.get("doubt")
    return f"{text}{late}" + (f" ({reason})" if reason else "")


class _Facts(dict[str, str]):
    """Facts of an older version may lack a name: a dash stands for it."""

    def __missing__(self, key: str) -> str:
        return "–"


@dataclass(frozen=True, slots=True)
class _Words:
    """Puts facts into words: names for ids, local time for instants."""

    names: Mapping[str, str]
    zone: ZoneInfo

    def of(self, value: Any) -> str:
        if isinstance(value, str):
            return self.names.get(value) or self.local(value)
        if isinstance(value, list):
            return ", ".join(self.of(each) for each in value)
        if isinstance(value, Mapping):
            return "; ".join(f"{name}: {self.of(each)}" for name, each in value.items())
        return "" if value is None else str(value)

    def local(self, text: str) -> str:
        if not _INSTANT.fullmatch(text):
            return text
        return moment_text(datetime.fromisoformat(text), self.zone)


def is_loud(line: Line) -> bool:
    """Whether an entry deserves attention."""
    return line.kind in (
        "deadline.missed",
        "element.failed",
        "job.failed",
        "instance.failed",
        "message.unreceived",
    )
