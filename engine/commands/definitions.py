"""Definitions: a procedure published is checked, hashed, versioned, and never changes again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from engine.bpmn.diagram import Diagram
from engine.bpmn.reader import read
from engine.check import World, check
from engine.commands import schedules
from engine.commands.core import Command, Context
from engine.commands.published import described, newest_process
from engine.commands.rescheduled import Moved
from engine.errors import Misbuilt
from engine.procedures import Procedure, bundle_hash
from engine.procedures.packing import listed, pack
from engine.store import tables
from engine.store.organisation import active_roles


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish(Command):
    """Publish a procedure as it stands now."""

    procedure: Procedure


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing came to."""

    hash: str
    procedure: str
    version: int
    fresh: bool
    """False when these very bytes were published before: nothing changed."""
    callers: tuple[str, ...]
    """Procedures that call this one by an older version: republish them to take it up."""
    moved: tuple[Moved, ...] = ()
    """What its schedules' new rules change."""


def publish(cmd: Publish, ctx: Context) -> Published:
    """Check and keep a procedure. Raises Misbuilt with every finding."""
    procedure = cmd.procedure
    diagram = read(procedure.diagram)
    calls = _callees(ctx.conn, diagram)
    faults = check(procedure, world_of(ctx, calls))
    if faults:
        raise Misbuilt(faults)
    digest = bundle_hash(procedure.files, sorted(calls.values()))
    table = tables.definition
    known = ctx.conn.execute(select(table.c.version).where(table.c.hash == digest)).scalar_one_or_none()
    if known is not None:
        return Published(digest, procedure.id, known, False, _callers(ctx.conn, procedure.id, digest))
    version = 1 + (
        ctx.conn.execute(
            select(func.max(table.c.version)).where(table.c.procedure == procedure.id)
        ).scalar_one()
        or 0
    )
    ctx.conn.execute(
        insert(table).values(
            hash=digest,
            procedure=procedure.id,
            version=version,
            published_at=ctx.now,
            published_by=ctx.actor.person,
            bundle=pack(procedure.files),
            **listed(procedure),
        )
    )
    for process, callee in calls.items():
        ctx.conn.execute(insert(tables.definition_call).values(caller=digest, process=process, callee=callee))
    ctx.note(
        "procedure.published",
        {"version": version, "definition": digest, "calls": dict(calls)},
        subject=procedure.id,
    )
    moved = schedules.lay_out(ctx, procedure)
    callers = _callers(ctx.conn, procedure.id, digest)
    return Published(digest, procedure.id, version, True, callers, moved)


def world_of(ctx: Context, calls: Mapping[str, str]) -> World:
    """What a procedure is checked against: the organisation's roles, the handlers, the published processes."""
    services = ctx.services
    known = described(ctx.conn, services.library, services.registry, calls)
    return World(active_roles(ctx.conn), services.registry, dict(calls), known)


def _callees(conn: Connection, diagram: Diagram) -> dict[str, str]:
    """The newest definitions of the processes that the diagram calls, as far as there are any."""
    called = {
        node.called
        for process in diagram.processes.values()
        for node in process.nodes.values()
        if node.tag == "callActivity" and node.called and node.called not in diagram.processes
    }
    found = {name: newest_process(conn, name) for name in sorted(called)}
    return {name: digest for name, digest in found.items() if digest is not None}


def _callers(conn: Connection, procedure: str, digest: str) -> tuple[str, ...]:
    """Procedures whose newest version calls an older version of this one."""
    table, call = tables.definition, tables.definition_call
    older = select(table.c.hash).where(table.c.procedure == procedure, table.c.hash != digest)
    callers = conn.execute(
        select(table.c.procedure, table.c.hash)
        .join(call, call.c.caller == table.c.hash)
        .where(call.c.callee.in_(older))
    ).all()
    current = {row.procedure: row.hash for row in conn.execute(select(table).order_by(table.c.version)).all()}
    return tuple(sorted({row.procedure for row in callers if current[row.procedure] == row.hash}))
