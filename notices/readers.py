"""Whom an entry of the journal concerns: people by name, by role, by permission, and who stands in for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from engine.policy import Substitution, represented
from engine.store import tables
from engine.store.organisation import units_above

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may be told."""

    id: str
    name: str
    email: str | None
    channel: str | None
    language: str | None


@dataclass(slots=True)
class Readers:
    """The people of the organisation as of one day, looked up once for many entries."""

    conn: Connection
    day: date
    _people: dict[str, Reader] = field(default_factory=dict)
    _holders: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _above: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _substitutes: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._people = everybody(self.conn)
        for row in self.conn.execute(select(tables.holding)):
            self._holders.setdefault((row.role, row.unit), []).append(row.person)
        table = tables.substitute
        day = self.day.isoformat()
        today = [
            Substitution(
                row.person, row.substitute, date.fromisoformat(row.starts), date.fromisoformat(row.ends)
            )
            for row in self.conn.execute(select(table).where(table.c.starts <= day, table.c.ends >= day))
        ]
        for substitute in {each.substitute for each in today}:
            for absent in represented(substitute, self.day, today):
                self._substitutes.setdefault(absent, []).append(substitute)

    def above(self, unit: str) -> tuple[str, ...]:
        """A unit and those above it."""
        if unit not in self._above:
            self._above[unit] = units_above(self.conn, unit)
        return self._above[unit]

    def holders(self, role: str | None, unit: str) -> list[str]:
        """Who holds a role in a unit or above it."""
        return [person for each in self.above(unit) for person in self._holders.get((role or "", each), ())]

    def admins(self) -> list[str]:
        """Who may administer."""
        table = tables.permission
        return list(self.conn.execute(select(table.c.person).where(table.c.name == "admin")).scalars())

    def told(self, people: Iterable[str], excluded: Collection[str] = ()) -> list[Reader]:
        """These people, as far as they are still there, and who stands in for them today; each once."""
        named = [person for person in people if person not in excluded]
        named += [other for person in list(named) for other in self._substitutes.get(person, ())]
        wanted = dict.fromkeys(person for person in named if person not in excluded)
        return [self._people[person] for person in wanted if person in self._people]


def everybody(conn: Connection) -> dict[str, Reader]:
    """Who has not left, by id."""
    table = tables.person
    columns = (table.c.id, table.c.name, table.c.email, table.c.channel, table.c.language)
    rows = conn.execute(select(*columns).where(table.c.active).order_by(table.c.id))
    return {row.id: Reader(*row) for row in rows}


def instances_of(conn: Connection, numbers: Collection[int]) -> Mapping[int, Any]:
    """The rows of instances, with the names of their units, by number."""
    table, unit = tables.instance, tables.unit
    columns = (table.c.id, table.c.unit, table.c.title, table.c.period, table.c.status,
               unit.c.name.label("unit_name"))  # fmt: skip
    query = select(*columns).select_from(table.outerjoin(unit, unit.c.id == table.c.unit))
    return _by(conn, query, table.c.id, numbers)


def tasks_of(conn: Connection, labels: Collection[str]) -> Mapping[str, Any]:
    """The rows of user tasks, by label."""
    table = tables.user_task
    columns = (table.c.id, table.c.name, table.c.status, table.c.assignee, table.c.excluded, table.c.due_at)
    return _by(conn, select(*columns), table.c.id, labels)


def _by(conn: Connection, query: Any, column: Any, keys: Collection[Any]) -> dict[Any, Any]:
    found, ordered = {}, sorted(set(keys))
    for start in range(0, len(ordered), _CHUNK):
        for row in conn.execute(query.where(column.in_(ordered[start : start + _CHUNK]))):
            found[row.id] = row
    return found
