"""The organisation: who there is, what they hold where, who stands in for whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from engine.errors import NotFound
from engine.store.tables import holding, permission, role, substitute, unit
from engine.store.tables import person as people


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts."""

    id: str
    name: str
    system_user: str | None
    active: bool
    holdings: tuple[tuple[str, str], ...]
    """(role, unit)."""
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of the organisation."""

    id: str
    name: str
    parent: str | None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Substitute:
    """Who stands in for whom, from the first to the last day (ISO dates), both included."""

    person: str
    substitute: str
    starts: str
    ends: str


@dataclass(frozen=True, slots=True)
class Organisation:
    """All of it."""

    units: tuple[Unit, ...]
    roles: Mapping[str, str]
    """Id to name."""
    people: tuple[Person, ...]
    substitutes: tuple[Substitute, ...]


def person(conn: Connection, id_: str) -> Person:
    """A person who is active. Raises NotFound."""
    found = _people(conn, people.c.id == id_)
    if not found or not found[0].active:
        raise NotFound(
            "The organisation knows no {person}; see `flow org show`. What org.yaml says counts after "
            "`flow org import`",
            person=id_,
        )
    return found[0]


def person_of_system_user(conn: Connection, user: str) -> Person | None:
    """The active person that a user of the machine stands for."""
    found = _people(conn, (people.c.system_user == user) & people.c.active)
    return found[0] if found else None


def has_people(conn: Connection) -> bool:
    """Whether anybody was imported yet."""
    return conn.execute(select(people.c.id).limit(1)).first() is not None


def having(conn: Connection, permissions: Collection[str]) -> set[str]:
    """Who has one of the permissions."""
    return set(conn.execute(select(permission.c.person).where(permission.c.name.in_(permissions))).scalars())


def names(conn: Connection) -> dict[str, str]:
    """Everybody's name by id, those who left included: history names them."""
    return {row.id: row.name for row in conn.execute(select(people.c.id, people.c.name))}


def unit_names(conn: Connection) -> dict[str, str]:
    """The units' names by id, those given up included."""
    return {row.id: row.name for row in conn.execute(select(unit.c.id, unit.c.name))}


def open_units(conn: Connection) -> dict[str, str]:
    """The names of the units that org.yaml still has, by id."""
    return {row.id: row.name for row in conn.execute(select(unit.c.id, unit.c.name).where(unit.c.active))}


def roles(conn: Connection) -> set[str]:
    """The ids of the roles that org.yaml still has."""
    return set(conn.execute(select(role.c.id).where(role.c.active)).scalars())


def role_names(conn: Connection) -> dict[str, str]:
    """The roles' names by id, those given up included: tasks of old name them."""
    return {row.id: row.name for row in conn.execute(select(role.c.id, role.c.name).order_by(role.c.id))}


def parents(conn: Connection) -> dict[str, str | None]:
    """Each unit's parent."""
    return {row.id: row.parent for row in conn.execute(select(unit.c.id, unit.c.parent))}


def organisation(conn: Connection) -> Organisation:
    """Everything, in the order of ids; of the roles those that org.yaml still has."""
    known = roles(conn)
    return Organisation(
        tuple(
            Unit(*row)
            for row in conn.execute(
                select(unit.c.id, unit.c.name, unit.c.parent, unit.c.active).order_by(unit.c.id)
            )
        ),
        {id_: name for id_, name in role_names(conn).items() if id_ in known},
        _people(conn, None),
        tuple(
            Substitute(row.person, row.substitute, row.starts, row.ends)
            for row in conn.execute(select(substitute).order_by(substitute.c.starts, substitute.c.id))
        ),
    )


def _people(conn: Connection, where: object) -> tuple[Person, ...]:
    query = select(people).order_by(people.c.id)
    rows = conn.execute(query if where is None else query.where(where)).all()  # type: ignore[arg-type]
    narrow = where is not None
    ids = [row.id for row in rows]
    held: dict[str, list[tuple[str, str]]] = {}
    holdings = select(holding).order_by(holding.c.person, holding.c.role, holding.c.unit)
    for each in conn.execute(holdings.where(holding.c.person.in_(ids)) if narrow else holdings):
        held.setdefault(each.person, []).append((each.role, each.unit))
    allowed: dict[str, list[str]] = {}
    permissions = select(permission).order_by(permission.c.person, permission.c.name)
    for each in conn.execute(permissions.where(permission.c.person.in_(ids)) if narrow else permissions):
        allowed.setdefault(each.person, []).append(each.name)
    return tuple(
        Person(
            row.id,
            row.name,
            row.system_user,
            row.active,
            tuple(held.get(row.id, ())),
            tuple(allowed.get(row.id, ())),
        )
        for row in rows
    )
