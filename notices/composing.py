"""A message put together when it goes out: what is over meanwhile is left out, dates are those of now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, select, tuple_

from engine.app import App
from engine.model import label
from engine.queries import organisation, worklist
from engine.store.organisation import rights_of
from engine.store.tables import journal
from notices.digests import since_of
from notices.outbox import LISTED, Entry, entries
from notices.readers import Reader
from notices.wording import Message, write

SOON = timedelta(days=3)
"""What is due within it is told by the digest."""
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Writing:
    """What is to be said, and to whom."""

    kind: str
    reader: Reader | None
    """None: a group chat."""
    about: list[Any]
    total: int


def compose(app: App, conn: Connection, writing: Writing, now: datetime) -> Message | None:
    """Put a message together; None when all it is about is over. Raises EngineError for a faulty template."""
    workspace = app.workspace
    language = (writing.reader.language if writing.reader else None) or workspace.language
    if writing.kind == "digest":
        values = _digest(app, conn, writing, now)
    elif writing.kind == "trial":
        values = {}
    else:
        values = _told(app, conn, writing)
    if values is None:
        return None
    values |= {
        "organisation": workspace.organisation,
        "person": writing.reader.name if writing.reader else "",
        "now": now.astimezone(app.zone).strftime("%Y-%m-%d %H:%M"),
    }
    return write(workspace.folder, writing.kind, language, values)


def _told(app: App, conn: Connection, writing: Writing) -> dict[str, Any] | None:
    places = [(chain, seq) for chain, seq in writing.about]
    query = select(journal).where(tuple_(journal.c.chain, journal.c.seq).in_(places))
    rows = conn.execute(query.order_by(journal.c.at, journal.c.chain, journal.c.seq)).all()
    found = entries(conn, rows)
    left = [each for each in found if not each.over and not _elsewhere(each, writing.reader)]
    more = writing.total - len(found)
    if not left and not more:
        return None
    roles = organisation.role_names(conn)
    return {
        "items": [_item(app, each, roles) for each in left],
        "total": len(left) + more,
    }


def _elsewhere(entry: Entry, reader: Reader | None) -> bool:
    """Whether somebody else has taken the task that was open to all who hold its role."""
    if entry.kind != "task" or entry.task is None or reader is None or entry.task.assignee is None:
        return False
    return (
        not entry.facts.get("assignee")
        and entry.row.kind == "task.opened"
        and entry.task.assignee != reader.id
    )


def _item(app: App, entry: Entry, roles: Mapping[str, str]) -> dict[str, Any]:
    """What a template knows of an entry; texts, empty where there is nothing to say."""
    facts, instance, task = entry.facts, entry.instance, entry.task
    due = facts.get("due") or ("" if task is None or task.due_at is None else _day(app, task.due_at))
    return _plain(
        id=task.id if task is not None else None if instance is None else label(instance.id),
        name=(task.name if task is not None else None) or facts.get("name") or entry.row.subject,
        procedure=None if instance is None else instance.title,
        period=instance.period if instance is not None else facts.get("period"),
        unit=instance.unit_name or instance.unit if instance is not None else facts.get("unit"),
        role=roles.get(facts.get("role") or ""),
        due=due,
        text=facts.get("text"),
        reason=facts.get("reason"),
    )


def _plain(**values: object) -> dict[str, str]:
    """The values as texts, and `about`: which procedure, period and unit it is about."""
    texts = {name: "" if value is None else str(value) for name, value in values.items()}
    about = (texts["procedure"], texts["period"], texts["unit"])
    return {**texts, "about": " ".join(each for each in about if each)}


def _day(app: App, due: datetime) -> str:
    """The last local day in time; `due` is the first instant that is late."""
    return (due.astimezone(UTC) - _MOMENT).astimezone(app.zone).date().isoformat()


def _digest(app: App, conn: Connection, writing: Writing, now: datetime) -> dict[str, Any] | None:
    """What is late, due soon and new on the person's worklist; nothing: no digest."""
    assert writing.reader is not None
    local = now.astimezone(app.zone)
    rights = rights_of(conn, writing.reader.id, local.date())
    tasks = [each for each in worklist.worklist(conn, rights) if each.doable]
    end = datetime.combine(local.date() + SOON, time(), app.zone)
    since = since_of(writing.about)
    late = [each for each in tasks if each.due_at is not None and each.due_at <= now]
    due = [each for each in tasks if each.due_at is not None and now < each.due_at <= end]
    new = [
        each
        for each in tasks
        if each not in late and each not in due and (since is None or each.opened_at > since)
    ]
    if not late and not due and not new:
        return None
    parts = {"late": late, "due": due, "new": new}
    return {
        **{name: [_task(app, each) for each in part[:LISTED]] for name, part in parts.items()},
        "counts": {name: len(part) for name, part in parts.items()},
        "open": len(tasks),
        "today": local.date().isoformat(),
    }


def _task(app: App, task: worklist.Task) -> dict[str, Any]:
    due = None if task.due_at is None else _day(app, task.due_at)
    return _plain(
        id=task.id, name=task.name, procedure=task.title, period=task.period, unit=task.unit_name,
        role=task.role_name, due=due,
    )  # fmt: skip
