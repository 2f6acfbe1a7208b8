"""The organisation: units, roles, people, who holds what, who stands in for whom. The database counts.

org.yaml:

    organisation: flow/1
    units:   [{id: head, name: 总部}, {id: office-1, name: 第一管理处, parent: head}]
    roles:   [{id: cs_supervisor, name: 客服主管}]
    people:
      - {id: wang.fang, name: 王芳, system_user: wang, roles: [{role: cs_supervisor, unit: office-1}], may: [act-for]}
    substitutes: [{person: wang.fang, substitute: li.lei, from: "2026-09-14", to: "2026-09-18"}]
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.commands.core import Command, Context
from engine.errors import Conflict, Invalid, Problem
from engine.model import SYSTEM
from engine.store import tables
from engine.strict_yaml import Document, Reader, nearest

CLOCK, TICKED, ORG_HASH = "clock", "ticked_at", "org_hash"
"""Names in the table `setting`."""

PERMISSIONS = ("act-for", "assign", "audit", "admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrganisation(Command):
    """Make the database say what org.yaml says. Nobody and nothing is deleted: who is missing becomes inactive."""

    document: Document
    raw: bytes = b""
    """The file's bytes, so that `flow status` can tell when it is newer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick(Command):
    """The metronome was here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveClock(Command):
    """Set the virtual clock of a demo workspace. Raises Conflict for an earlier time."""

    to: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """A person as org.yaml has them."""

    id: str
    name: str
    system_user: str | None
    roles: tuple[tuple[str, str], ...]
    may: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Organisation:
    """org.yaml, read and checked."""

    units: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    substitutes: tuple[tuple[str, str, str, str], ...] = ()


def read_organisation(document: Document) -> Organisation:
    """Check org.yaml. Raises Misbuilt naming every fault with its line."""
    reader = document.reader()
    reader.choice("organisation", ["flow/1"])
    found = Organisation()
    for entry in reader.mappings("units"):
        identity = _id(entry, found.units)
        found.units[identity] = (entry.text("name"), entry.optional_text("parent"))
        entry.done()
    for entry in reader.mappings("roles"):
        identity = _id(entry, found.roles)
        found.roles[identity] = entry.text("name")
        entry.done()
    for entry in reader.mappings("people"):
        identity = _id(entry, found.people)
        found.people[identity] = _person(entry, identity, found)
    substitutes = []
    for entry in reader.mappings("substitutes") if reader.has("substitutes") else ():
        row = tuple(_known(entry, key, found.people) for key in ("person", "substitute"))
        days = tuple(_day(entry, key) for key in ("from", "to"))
        if days[0] and days[1] and days[0] > days[1]:
            entry.fault("The substitution ends before it begins", "Exchange `from` and `to`")
        substitutes.append((row[0], row[1], days[0], days[1]))
        entry.done()
    for unit, (_, parent) in found.units.items():
        if parent is not None and parent not in found.units:
            reader.fault(
                "Unit {unit} lies in {parent}, which is not there", "Add that unit, or correct its name",
                at=("units",), unit=unit, parent=parent,
            )  # fmt: skip
    _no_circle(reader, found)
    reader.done()
    reader.raise_faults()
    return Organisation(found.units, found.roles, found.people, tuple(substitutes))


def _person(entry: Reader, identity: str, found: Organisation) -> Person:
    held = []
    for holding in entry.mappings("roles") if entry.has("roles") else ():
        held.append((_known(holding, "role", found.roles), _known(holding, "unit", found.units)))
        holding.done()
    may = tuple(entry.texts("may")) if entry.has("may") else ()
    for each in may:
        if each not in PERMISSIONS:
            entry.fault(
                "There is no permission {name}", "Write one of {known}", at=("may",), name=each,
                known=", ".join(PERMISSIONS),
            )  # fmt: skip
    person = Person(identity, entry.text("name"), entry.optional_text("system_user"), tuple(held), may)
    entry.done()
    return person


_ID = re.compile(r"[A-Za-z0-9][\w.-]*")


def _id(entry: Reader, taken: Collection[str]) -> str:
    identity = entry.text("id")
    if identity and not _ID.fullmatch(identity):
        entry.fault(
            "{id} is no id", "Use letters, digits, dots, hyphens and underscores", at=("id",), id=identity
        )
    if identity in taken:
        entry.fault("{id} stands twice", "Take one of them out", at=("id",), id=identity)
    return identity


def _known(entry: Reader, key: str, known: Collection[str]) -> str:
    name = entry.text(key)
    if name and name not in known:
        entry.fault(
            "There is no {kind} {name}", "Did you mean {near}? Otherwise add it above", at=(key,), kind=key, name=name,
            near=nearest(name, known) or "-",
        )  # fmt: skip
    return name


def _day(entry: Reader, key: str) -> str:
    text = entry.text(key)
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        entry.fault("{text} is no date", 'Write it as in "2026-09-14"', at=(key,), text=text)
        return ""


def _no_circle(reader: Reader, found: Organisation) -> None:
    for identity in found.units:
        seen, current = {identity}, found.units[identity][1]
        while current is not None and current in found.units:
            if current in seen:
                reader.fault(
                    "Unit {unit} lies within itself", "Correct a parent", at=("units",), unit=identity
                )
                return
            seen.add(current)
            current = found.units[current][1]


def import_organisation(cmd: ImportOrganisation, ctx: Context) -> Organisation:
    """Bring org.yaml into the database, in one go."""
    found = read_organisation(cmd.document)
    _stay_admin(ctx, found)
    _put(ctx, tables.role, [{"id": k, "name": v} for k, v in found.roles.items()])
    _put(ctx, tables.unit, [{"id": k, "name": n, "parent": p} for k, (n, p) in found.units.items()])
    _put(
        ctx,
        tables.person,
        [
            {"id": p.id, "name": p.name, "system_user": p.system_user, "active": True}
            for p in found.people.values()
        ],
    )
    gone = [
        row.id
        for row in ctx.conn.execute(select(tables.person.c.id).where(tables.person.c.active))
        if row.id not in found.people
    ]
    if gone:
        ctx.conn.execute(update(tables.person).where(tables.person.c.id.in_(gone)).values(active=False))
    for table in (tables.holding, tables.permission, tables.substitute):
        ctx.conn.execute(delete(table))
    holdings = [
        {"person": p.id, "role": r, "unit": u} for p in found.people.values() for r, u in sorted(set(p.roles))
    ]
    permissions = [
        {"person": p.id, "name": name} for p in found.people.values() for name in sorted(set(p.may))
    ]
    substitutes = [
        dict(zip(("person", "substitute", "starts", "ends"), s, strict=True)) for s in found.substitutes
    ]
    rows: list[tuple[Table, list[dict[str, str]]]] = [
        (tables.holding, holdings), (tables.permission, permissions), (tables.substitute, substitutes)
    ]  # fmt: skip
    for table, new in rows:
        if new:
            ctx.conn.execute(insert(table), new)
    put_setting(ctx, ORG_HASH, sha256(cmd.raw).hexdigest())
    ctx.note(
        "organisation.imported",
        {"units": len(found.units), "roles": len(found.roles), "people": len(found.people), "inactive": gone,
         "file": sha256(cmd.raw).hexdigest()},
    )  # fmt: skip
    return found


def _stay_admin(ctx: Context, found: Organisation) -> None:
    """Nobody locks themselves out: who imports an organisation with administrators is one of them."""
    admins = [person for person in found.people.values() if "admin" in person.may]
    mine = any(ctx.who in (person.id, person.system_user) for person in admins)
    if admins and not mine and ctx.actor != SYSTEM and not ctx.services.workspace.demo:
        raise Invalid(
            [
                Problem(
                    "people",
                    "You would lock yourself out: only {admins} may administer. Give your own entry "
                    "`system_user: {user}` and `may: [admin]`",
                    {"admins": ", ".join(person.id for person in admins), "user": ctx.who},
                )
            ]
        )


def _put(ctx: Context, table: Table, rows: list[dict[str, object]]) -> None:
    if not rows:
        return
    make = postgresql.insert if ctx.conn.dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    others = {name: statement.excluded[name] for name in rows[0] if name != "id"}
    ctx.conn.execute(statement.on_conflict_do_update(index_elements=["id"], set_=others), rows)


def put_setting(ctx: Context, name: str, value: object) -> None:
    """Keep a setting of the workspace."""
    make = postgresql.insert if ctx.conn.dialect.name == "postgresql" else sqlite.insert
    statement = make(tables.setting).values(name=name, value=value)
    ctx.conn.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"value": statement.excluded.value})
    )


def tick(_cmd: Tick, ctx: Context) -> None:
    """Leave word that a scheduler is alive."""
    put_setting(ctx, TICKED, ctx.now.isoformat())


def move_clock(cmd: MoveClock, ctx: Context) -> None:
    """Keep where a demo workspace's clock stands."""
    if cmd.to < ctx.now:
        raise Conflict(
            "The clock stands at {now}; it does not go back to {to}",
            now=ctx.now.isoformat(),
            to=cmd.to.isoformat(),
        )
    put_setting(ctx, CLOCK, cmd.to.isoformat())


def read_moment(text: str) -> datetime:
    """A kept instant."""
    return datetime.fromisoformat(text)
