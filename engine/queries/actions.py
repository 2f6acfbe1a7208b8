"""Corrective actions across procedures: what is to be put right, by whom and when, and whether it had its effect.

An action is an instance of a process, or of a multi-instance activity, that calls itself one by `flow.action`: which
of its variables say what (docs/formats.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select

from engine.bpmn import state
from engine.bpmn.rules.properties import pairs
from engine.errors import NotFound
from engine.forms import Text
from engine.model import label
from engine.procedures import Procedure
from engine.queries.definitions import Library
from engine.queries.organisation import names
from engine.store.tables import OPEN_WORK, instance, unit, user_task

PROPERTY = "flow.action"


@dataclass(frozen=True, slots=True)
class Action:
    """One corrective action as it stands."""

    id: str
    """SV-7: the instance that it is."""
    root: str
    """The instance at the top of the calls; itself when it was not called."""
    procedure: str
    """The title of the procedure at the top."""
    period: str | None
    unit: str
    unit_name: str
    item: str
    owner: str | None
    owner_name: str | None
    cause: str | None
    measure: str | None
    due: str | None
    """The day by which the measure is to be carried out, ISO 8601."""
    done: str | None
    verdict: Any
    """The last one, as entered."""
    verdict_label: Text | None
    """What the form calls it."""
    reason: str | None
    status: str
    """Of the instance: running, completed, cancelled …"""
    steps: tuple[str, ...]
    """The names of its open tasks."""
    next_due: datetime | None
    """The earliest due date among them."""
    late: bool
    rounds: int
    """How often its most repeated step was begun."""
    started_at: datetime
    ended_at: datetime | None

    @property
    def open(self) -> bool:
        """Whether something is still to be done."""
        return self.ended_at is None


def actions(
    conn: Connection, library: Library, now: datetime, *, units: Collection[str] | None = None
) -> tuple[Action, ...]:
    """All actions: late ones first, then what is open by its next date, then what is over, the newest first."""
    found = [each for each in _found(conn, library, now) if units is None or each.unit in units]
    return tuple(sorted(found, key=_urgency))


def find(conn: Connection, library: Library, now: datetime, number: int) -> Action:
    """One action. Raises NotFound."""
    for each in _found(conn, library, now, number):
        return each
    template = "{label} is no corrective action; `flow action list --all` lists those there are"
    raise NotFound(template, label=label(number))


def _urgency(each: Action) -> tuple[Any, ...]:
    if not each.open:
        return (2, -(each.ended_at or each.started_at).timestamp(), each.id)
    due = each.next_due or datetime.max.replace(tzinfo=UTC)
    return (0 if each.late else 1, due, each.started_at)


def _found(conn: Connection, library: Library, now: datetime, number: int | None = None) -> Iterator[Action]:
    said = dict(_said(conn, library))
    if not said:
        return
    chosen = or_(*(and_(instance.c.definition == hash_, instance.c.process == name) for hash_, name in said))
    if number is not None:
        chosen = and_(chosen, instance.c.id == number)
    tasks, people = _tasks(conn, chosen), names(conn)
    rows: Sequence[Row[Any]] = conn.execute(_ACTIONS.where(chosen)).all()
    for row in rows:
        words = said[row.definition, row.process]
        kept = state.variables(row.state, label(row.id))
        values = {word: kept.get(name) for word, name in words.items()}
        procedure = library.find(conn, row.definition).procedure
        judged = _label(procedure, words.get("verdict", ""), values.get("verdict"))
        yield _action(row, values, judged, tasks.get(row.id, ()), now, people)


def _said(conn: Connection, library: Library) -> Iterator[tuple[tuple[str, str], Mapping[str, str]]]:
    """What of all that ran calls itself an action: (definition, process), to its words' variables."""
    for hash_, process in conn.execute(select(instance.c.definition, instance.c.process).distinct()).all():
        name, _, element = process.partition("#")
        whole = library.find(conn, hash_).diagram.processes[name]
        text = (whole.nodes[element] if element else whole).properties.get(PROPERTY)
        if text:
            yield (hash_, process), pairs(text)


_TOP = instance.alias("top")
_ACTIONS: Select[Any] = (
    select(
        instance.c.id, instance.c.definition, instance.c.process, instance.c.unit, instance.c.title,
        instance.c.period, instance.c.status, instance.c.state, instance.c.started_at, instance.c.ended_at,
        instance.c.root_id, _TOP.c.title.label("top_title"), _TOP.c.period.label("top_period"),
        unit.c.name.label("unit_name"),
    )
    .select_from(
        instance.outerjoin(_TOP, _TOP.c.id == instance.c.root_id).outerjoin(unit, unit.c.id == instance.c.unit)
    )
    .order_by(instance.c.id)
)  # fmt: skip


def _tasks(conn: Connection, chosen: ColumnElement[bool]) -> Mapping[int, list[Row[Any]]]:
    """The tasks of the actions, in the order opened."""
    query = (
        select(
            user_task.c.instance_id, user_task.c.element, user_task.c.name, user_task.c.due_at,
            OPEN_WORK.label("open"),
            func.coalesce(user_task.c.closed_for, user_task.c.closed_by, user_task.c.assignee).label("person"),
        )
        .join(instance, instance.c.id == user_task.c.instance_id)
        .where(chosen)
        .order_by(user_task.c.opened_at, user_task.c.id)
    )  # fmt: skip
    found: dict[int, list[Row[Any]]] = {}
    for row in conn.execute(query):
        found.setdefault(row.instance_id, []).append(row)
    return found


def _owner(values: Mapping[str, Any], tasks: Iterable[Row[Any]]) -> str | None:
    """Whom the process names, else who has, or did, its first step."""
    if values.get("owner"):
        return str(values["owner"])
    return next((str(task.person) for task in tasks if task.person), None)


def _label(procedure: Procedure, variable: str, value: Any) -> Text | None:
    for form in procedure.forms.values():
        for field in form.questions:
            if field.id == variable:
                for option in field.options:
                    if option.value == value:
                        return option.label
    return None


def _action(
    row: Row[Any],
    values: Mapping[str, Any],
    judged: Text | None,
    tasks: Sequence[Row[Any]],
    now: datetime,
    people: Mapping[str, str],
) -> Action:
    def text(word: str) -> str | None:
        value = values.get(word)
        return None if value is None or value == "" else str(value)

    owner = _owner(values, tasks)
    waiting = [task for task in tasks if task.open]
    dues = [task.due_at for task in waiting if task.due_at is not None]
    began = [task.element for task in tasks]
    return Action(
        id=label(row.id), root=label(row.root_id or row.id), procedure=row.top_title or row.title,
        period=row.top_period or row.period, unit=row.unit, unit_name=row.unit_name or row.unit,
        item=text("item") or row.title, owner=owner, owner_name=None if owner is None else people.get(owner, owner),
        cause=text("cause"), measure=text("measure"), due=text("due"), done=text("done"),
        verdict=values.get("verdict"), verdict_label=judged, reason=text("reason"), status=row.status,
        steps=tuple(dict.fromkeys(task.name for task in waiting)), next_due=min(dues, default=None),
        late=any(due <= now for due in dues), rounds=max(map(began.count, began), default=0),
        started_at=row.started_at, ended_at=row.ended_at,
    )  # fmt: skip
