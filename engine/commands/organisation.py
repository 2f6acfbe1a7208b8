"""The organisation is imported from org.yaml; the database counts. And the settings that the program keeps there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.commands.core import Command, Context
from engine.commands.org_file import Organisation, read_organisation
from engine.commands.worklist import release_lapsed
from engine.errors import Conflict, Invalid, Problem
from engine.model import SYSTEM
from engine.store import tables
from engine.store.arranged import ORG_HASH
from engine.store.fingerprints import of_organisation
from engine.store.watch import STOPPED, TICKED
from engine.strict_yaml import Document

CLOCK, LAPSED_ON = "clock", "lapsed_on"
"""Names in the table `setting`."""

LAST_YEAR = 2100
"""As far as a virtual clock goes: dates counted from there still are dates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrganisation(Command):
    """Make the database say what org.yaml says. Nobody and nothing is deleted: who is missing becomes inactive."""

    document: Document
    raw: bytes = b""
    """The file's bytes, so that `flow status` can tell when it is newer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick(Command):
    """The metronome was here; with `last`, for the last time."""

    last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveClock(Command):
    """Set the virtual clock of a demo workspace. Raises Conflict for an earlier time."""

    to: datetime


@dataclass(frozen=True, slots=True)
class Left:
    """A unit, role or person that org.yaml no longer names, and what is still open there."""

    kind: str
    """`unit`, `role` or `person`."""
    id: str
    name: str
    tasks: int = 0
    """Open tasks."""
    instances: int = 0
    """Running or suspended; of a unit only."""
    schedules: int = 0
    """That started there and do no longer; of a unit only."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to."""

    organisation: Organisation
    left: tuple[Left, ...]
    released: tuple[str, ...]
    """Tasks taken from people who may no longer do them."""
    paused: tuple[tuple[str, str], ...]
    """(procedure, unit) of the schedules that stay paused though their unit is back."""


def import_organisation(cmd: ImportOrganisation, ctx: Context) -> Imported:
    """Bring org.yaml into the database, in one go; say what it leaves open."""
    found = read_organisation(cmd.document)
    _stay_admin(ctx, found)
    was = {table.name: _active(ctx, table) for table in (tables.unit, tables.role, tables.person)}
    _put(ctx, tables.role, [{"id": k, "name": v, "active": True} for k, v in found.roles.items()])
    _put(ctx, tables.unit,
         [{"id": k, "name": n, "parent": p, "active": True} for k, (n, p) in found.units.items()])  # fmt: skip
    people = found.people.values()
    _put(ctx, tables.person,
         [{"id": p.id, "name": p.name, "system_user": p.system_user, "active": True, "email": p.email,
           "channel": p.channel, "language": p.language} for p in people])  # fmt: skip
    gone = {
        "unit": _retire(ctx, tables.unit, was["unit"], found.units),
        "role": _retire(ctx, tables.role, was["role"], found.roles),
        "person": _retire(ctx, tables.person, was["person"], found.people),
    }
    if gone["person"]:  # nobody writes to them any more
        table = tables.person
        ctx.conn.execute(update(table).where(table.c.id.in_(gone["person"])).values(email=None))
    for table in (tables.holding, tables.permission, tables.substitute):
        ctx.conn.execute(delete(table))
    for table, new in _rows(found):
        if new:
            ctx.conn.execute(insert(table), new)
    put_setting(ctx, ORG_HASH, sha256(cmd.raw).hexdigest())
    left = [_left(ctx, kind, id_, name) for kind, names in gone.items() for id_, name in names.items()]
    released = release_lapsed(ctx)
    facts = {"units": len(found.units), "roles": len(found.roles), "people": len(found.people),
             "inactive": sorted(gone["person"]), "file": sha256(cmd.raw).hexdigest(),
             "tables": of_organisation(ctx.conn)}  # fmt: skip
    more = {
        "closed_units": sorted(gone["unit"]),
        "closed_roles": sorted(gone["role"]),
        "released": list(released),
    }
    ctx.note("organisation.imported", {**facts, **{name: each for name, each in more.items() if each}})
    return Imported(found, tuple(left), released, _still_paused(ctx, set(found.units) - set(was["unit"])))


def _active(ctx: Context, table: Table) -> dict[str, str]:
    rows = ctx.conn.execute(select(table.c.id, table.c.name).where(table.c.active).order_by(table.c.id))
    return {row.id: row.name for row in rows}


def _retire(ctx: Context, table: Table, was: dict[str, str], now: Collection[str]) -> dict[str, str]:
    """What was active and is no longer named becomes inactive: id to name."""
    gone = {id_: name for id_, name in was.items() if id_ not in now}
    if gone:
        ctx.conn.execute(update(table).where(table.c.id.in_(gone)).values(active=False))
    return gone


def _rows(found: Organisation) -> list[tuple[Table, list[dict[str, str]]]]:
    people = found.people.values()
    return [
        (tables.holding,
         [{"person": p.id, "role": role, "unit": unit} for p in people for role, unit in sorted(set(p.roles))]),
        (tables.permission, [{"person": p.id, "name": name} for p in people for name in sorted(set(p.may))]),
        (tables.substitute,
         [dict(zip(("person", "substitute", "starts", "ends"), s, strict=True)) for s in found.substitutes]),
    ]  # fmt: skip


def _left(ctx: Context, kind: str, id_: str, name: str) -> Left:
    """Count what is open; nothing starts by the calendar any more in a unit that is gone."""
    task, instance, schedule = tables.user_task, tables.instance, tables.schedule
    where = {"unit": task.c.unit, "role": task.c.role, "person": task.c.assignee}[kind]
    tasks = _count(ctx, task, tables.OPEN_WORK, where == id_)
    if kind != "unit":
        return Left(kind, id_, name, tasks)
    instances = _count(
        ctx, instance, instance.c.unit == id_, instance.c.parent_id.is_(None),
        instance.c.status.in_(("running", "suspended")),
    )  # fmt: skip
    paused = ctx.conn.execute(
        update(schedule)
        .where(schedule.c.unit == id_, schedule.c.status == "active")
        .values(status="paused", next_at=None, next_period=None, anchors=None)
        .returning(schedule.c.procedure)
    ).scalars().all()  # fmt: skip
    for procedure in paused:
        ctx.note("schedule.paused", {"unit": id_, "closed": True}, subject=procedure)
    return Left(kind, id_, name, tasks, instances, len(paused))


def _count(ctx: Context, table: Table, *where: Any) -> int:
    return int(ctx.conn.execute(select(func.count()).select_from(table).where(*where)).scalar_one())


def _still_paused(ctx: Context, units: Collection[str]) -> tuple[tuple[str, str], ...]:
    table = tables.schedule
    rows = ctx.conn.execute(
        select(table.c.procedure, table.c.unit)
        .where(table.c.unit.in_(units), table.c.status == "paused")
        .order_by(table.c.unit, table.c.procedure)
    )
    return tuple((row.procedure, row.unit) for row in rows)


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


def tick(cmd: Tick, ctx: Context) -> None:
    """Leave word that a scheduler is alive, or stops; once a day, release what substitutes took whose time is over."""
    table = tables.setting
    put_setting(ctx, STOPPED if cmd.last else TICKED, ctx.now.isoformat())
    if cmd.last:
        return
    ctx.conn.execute(delete(table).where(table.c.name == STOPPED))
    last = ctx.conn.execute(select(table.c.value).where(table.c.name == LAPSED_ON)).scalar_one_or_none()
    if last != ctx.today.isoformat():
        release_lapsed(ctx)
        put_setting(ctx, LAPSED_ON, ctx.today.isoformat())


def may_move(to: datetime) -> None:
    """Raise Conflict for a moment that a virtual clock does not reach."""
    if to.year > LAST_YEAR:
        raise Conflict("The clock goes no further than the year {year}", year=LAST_YEAR)


def move_clock(cmd: MoveClock, ctx: Context) -> None:
    """Keep where a demo workspace's clock stands."""
    may_move(cmd.to)
    if cmd.to < ctx.now:
        raise Conflict(
            "The clock stands at {now}; it does not go back to {to}",
            now=ctx.now.astimezone(ctx.services.zone).isoformat(timespec="seconds"),
            to=cmd.to.astimezone(ctx.services.zone).isoformat(timespec="seconds"),
        )
    put_setting(ctx, CLOCK, cmd.to.isoformat())


def read_moment(text: str) -> datetime:
    """A kept instant."""
    return datetime.fromisoformat(text)
