"""Archives: an instance that has ended is sealed as a set of files, handed to a custodian, kept for a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, insert, select

from engine.archiving import contents
from engine.commands.core import Command, Context
from engine.errors import Conflict, Denied, Invalid, NotFound, Problem
from engine.model import SYSTEM, label
from engine.store import tables

if TYPE_CHECKING:
    from engine.ports import Connection as Port


@dataclass(frozen=True, slots=True, kw_only=True)
class SealArchive(Command):
    """Seal everything an instance left. Once more after something was added makes a further set."""

    instance: int
    custodian: str
    """The person or the role that takes it over."""
    retention: str | None = None
    """How long it is kept (P3Y, or permanent); without it, as long as the procedure's records say."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What was sealed."""

    instance: str
    number: int
    sha256: str
    """Of the manifest."""
    files: int
    size: int
    custodian: str
    retention: str | None
    keep_until: date | None

    @property
    def facts(self) -> Mapping[str, object]:
        """What the journal keeps of it."""
        return {
            "number": self.number,
            "sha256": self.sha256,
            "files": self.files,
            "size": self.size,
            "custodian": self.custodian,
            "retention": self.retention,
            "keep_until": None if self.keep_until is None else self.keep_until.isoformat(),
        }


def seal_archive(cmd: SealArchive, ctx: Context) -> Sealed:
    """Seal an instance that has ended.

    Raises Conflict for another, Denied to whoever has no role in its unit, Invalid where files are not as made.
    """
    instance = ctx.instance(cmd.instance)
    if instance.row["root_id"] not in (None, instance.id):
        raise Conflict(
            "{label} was called by {root}, and is archived with it",
            label=instance.label,
            root=label(instance.row["root_id"]),
        )
    if instance.get("status") in ("running", "suspended"):
        raise Conflict("{label} has not ended yet: only what is complete is sealed", label=instance.label)
    _check_right(ctx, instance.row["unit"])
    made = contents.records(ctx.conn, contents.family(ctx.conn, instance.id))
    if problems := list(contents.damage(ctx.services.workspace.folder, made)):
        raise Invalid(problems)
    sealed = put(
        ctx.conn, instance.id, now=ctx.now, day=ctx.today, by=ctx.actor.person, custodian=cmd.custodian,
        retention=cmd.retention,
    )  # fmt: skip
    ctx.note("archive.sealed", sealed.facts, instance=instance.id, subject=instance.label)
    return sealed


def put(
    conn: Port, number: int, *, now: datetime, day: date, by: str, custodian: str, retention: str | None
) -> Sealed:
    """Write a sealed set down; the caller enters it in the journal. Raises NotFound, Invalid."""
    assert isinstance(conn, Connection)
    table = tables.archive
    name = _custodian(conn, custodian)
    numbers = contents.family(conn, number)
    kept = retention or contents.retention_of(conn, numbers)
    until = contents.keep_until(kept, day)
    before = select(func.coalesce(func.max(table.c.number), 0)).where(table.c.instance_id == number)
    which = 1 + int(conn.execute(before).scalar_one())
    chains = contents.heads(conn, numbers)
    found = contents.items(conn, numbers, chains)
    text = contents.manifest(
        {
            **_instance(conn, number),
            "number": which,
            "sealed_at": now.isoformat(),
            "sealed_by": by,
            "custodian": {"id": custodian, "name": name},
            "retention": kept,
            "keep_until": None if until is None else until.isoformat(),
        },
        chains,
        contents.newest_seal(conn),
        found,
    )
    sealed = Sealed(
        label(number), which, sha256(text.encode()).hexdigest(), len(found), sum(each.size for each in found),
        custodian, kept, until,
    )  # fmt: skip
    conn.execute(
        insert(table).values(
            instance_id=number,
            sealed_at=now,
            sealed_by=by,
            manifest=text,
            sha256=sealed.sha256,
            **{
                name: sealed.facts[name]
                for name in ("number", "files", "size", "custodian", "retention", "keep_until")
            },
        )
    )
    return sealed


def _instance(conn: Connection, number: int) -> dict[str, Any]:
    """What the manifest says of the instance."""
    table, definition, unit = tables.instance, tables.definition, tables.unit
    row = conn.execute(
        select(table, definition.c.version, definition.c.code, unit.c.name.label("unit_name"))
        .select_from(
            table.join(definition, definition.c.hash == table.c.definition).outerjoin(
                unit, unit.c.id == table.c.unit
            )
        )
        .where(table.c.id == number)
    ).one()
    return {
        "instance": label(number),
        "title": row.title,
        "period": row.period,
        "procedure": {
            "id": row.procedure,
            "code": row.code,
            "version": row.version,
            "definition": row.definition,
        },
        "unit": {"id": row.unit, "name": row.unit_name or row.unit},
        "started_at": row.started_at.isoformat(),
        "ended_at": None if row.ended_at is None else row.ended_at.isoformat(),
        "status": row.status,
    }


def _custodian(conn: Connection, id_: str) -> str:
    """The name of the person or role that takes a set over."""
    for table in (tables.person, tables.role):
        name = conn.execute(
            select(table.c.name).where(table.c.id == id_, table.c.active)
        ).scalar_one_or_none()
        if name is not None:
            return str(name)
    raise NotFound("The organisation has neither a person nor a role {id}; see `flow org show`", id=id_)


def judge_retention(value: Any) -> None:
    """Raise Invalid for what is no time that something is kept."""
    if value == contents.PERMANENT:
        return
    until = contents.keep_until(str(value), date(2000, 1, 1))
    if until is None or until <= date(2000, 1, 1):
        raise Invalid([Problem("retention", "Write a duration such as P3Y, or permanent")])


def _check_right(ctx: Context, unit: str) -> None:
    if ctx.actor == SYSTEM or ctx.may("admin"):
        return
    rights, units = ctx.rights(ctx.who), ctx.units(unit)
    if not any(place in units for held in rights.holdings.values() for _, place in held):
        raise Denied("{person} holds no role in unit {unit}", person=rights.person, unit=unit)
