"""The organisation as the database has it: who holds what where, who stands in for whom, which unit is above.

Every step asks for both, so each is one statement, and its cost does not grow with the organisation.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, Integer, bindparam, exists, literal, select

from engine import ports
from engine.errors import NotFound
from engine.policy import Rights, Substitution, represented
from engine.store import tables

_SUBSTITUTE = tables.substitute.c
_TODAY = (_SUBSTITUTE.starts <= bindparam("day"), _SUBSTITUTE.ends >= bindparam("day"))
_PERSON = (
    select(
        tables.person.c.active,
        exists().where(_SUBSTITUTE.substitute == bindparam("person"), *_TODAY).label("stands_in"),
        tables.holding.c.role,
        tables.holding.c.unit,
    )
    .outerjoin(tables.holding, tables.holding.c.person == tables.person.c.id)
    .where(tables.person.c.id == bindparam("person"))
)
_SUBSTITUTIONS = select(tables.substitute).where(*_TODAY)

_MAX_DEPTH = 100
"""More levels than any organisation has; an import refuses units that lie within themselves."""
_LOWEST = (
    select(tables.unit.c.id, tables.unit.c.parent, literal(0, Integer).label("depth"))
    .where(tables.unit.c.id == bindparam("unit"))
    .cte("above", recursive=True)
)
_ABOVE = _LOWEST.union_all(
    select(tables.unit.c.id, tables.unit.c.parent, _LOWEST.c.depth + 1).where(
        tables.unit.c.id == _LOWEST.c.parent, _LOWEST.c.depth < _MAX_DEPTH
    )
)
_UNITS = select(_ABOVE.c.id).order_by(_ABOVE.c.depth)
_ACTIVE = select(tables.unit.c.active).where(tables.unit.c.id == bindparam("unit"))


def rights_of(conn: Connection, person: str, day: date) -> Rights:
    """What a person may do on a day. Raises NotFound for nobody the organisation knows."""
    rows = conn.execute(_PERSON, {"person": person, "day": day.isoformat()}).all()
    if not rows or not rows[0].active:
        raise NotFound(
            "The organisation knows no {person}; see `flow org show`. What org.yaml says counts after "
            "`flow org import`",
            person=person,
        )
    others = _represented(conn, person, day) if rows[0].stands_in else {}
    held: dict[str, set[tuple[str, str]]] = {person: {(row.role, row.unit) for row in rows if row.role}}
    if others:
        theirs = select(tables.holding).where(tables.holding.c.person.in_(others))
        for row in conn.execute(theirs):
            held.setdefault(row.person, set()).add((row.role, row.unit))
    return Rights(person, others, {holder: frozenset(pairs) for holder, pairs in held.items()})


def _represented(conn: Connection, person: str, day: date) -> dict[str, tuple[str, ...]]:
    substitutions = [
        Substitution(row.person, row.substitute, date.fromisoformat(row.starts), date.fromisoformat(row.ends))
        for row in conn.execute(_SUBSTITUTIONS, {"day": day.isoformat()})
    ]
    return represented(person, day, substitutions)


def is_active(conn: Connection, unit: str) -> bool:
    """Whether org.yaml still names the unit: what runs there goes on, but nothing new starts."""
    active = conn.execute(_ACTIVE, {"unit": unit}).scalar_one_or_none()
    return active is not False


def units_above(conn: Connection, unit: str) -> tuple[str, ...]:
    """A unit and those above it, nearest first. Raises NotFound."""
    chain = tuple(conn.execute(_UNITS, {"unit": unit}).scalars())
    if not chain:
        raise NotFound("The organisation has no unit {unit}; see `flow org show`", unit=unit)
    return chain


def person_names(conn: ports.Connection, ids: Iterable[str]) -> dict[str, str]:
    """The names of these people, by id; whoever is unknown is left out."""
    table = tables.person.c
    rows = conn.execute(select(table.id, table.name).where(table.id.in_(sorted(set(ids)))))
    return {row.id: row.name for row in rows}


def active_roles(conn: Connection) -> set[str]:
    """The ids of the roles that org.yaml names."""
    return set(conn.execute(select(tables.role.c.id).where(tables.role.c.active)).scalars())
