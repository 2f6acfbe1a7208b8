"""Instances: started, suspended, resumed, cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from engine.bpmn import state
from engine.bpmn.environment import plain
from engine.bpmn.run import Run
from engine.calendar.periods import Unit, key_form, period_named
from engine.characters import blank
from engine.commands import deadlines, jobs, moving, redating
from engine.commands.core import Command, Context, OpenInstance
from engine.commands.environment import InstanceEnvironment
from engine.commands.given import misgiven, missing
from engine.commands.personal import kept_apart, personal_names
from engine.commands.published import described, newest
from engine.errors import Conflict, Denied, Invalid, Problem
from engine.model import SYSTEM, InstanceStatus, label
from engine.store import tables
from engine.store.organisation import active_roles

if TYPE_CHECKING:
    from engine.commands.published import Definition

_EMPTY = b'{"v":{},"n":0,"s":[],"t":[]}'
_INSERT = insert(tables.instance).returning(tables.instance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(Command):
    """Start an instance of a procedure's newest (or named) version, for a unit."""

    procedure: str
    unit: str
    variables: Mapping[str, object] = field(default_factory=dict)
    title: str | None = None
    period: str | None = None
    element: str | None = None
    """The start event; by default the plain one."""
    came: tuple[str, str] | None = None
    """The message or signal (kind, name) that started it there."""
    version: int | None = None
    again: bool = False
    """Start it though an instance of the period is there already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspend(Command):
    """Stop an instance for a while: its timers wait, its tasks can not be completed."""

    instance: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(Command):
    """Let a suspended instance go on."""

    instance: int
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correct(Command):
    """Put variables of an instance right, for a reason: what a wrong answer left behind."""

    instance: int
    values: Mapping[str, object]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(Command):
    """End an instance for good, with everything it started."""

    instance: int
    reason: str


def start(cmd: Start, ctx: Context) -> int:
    """Start an instance, as somebody asked.

    Raises Invalid for a variable the procedure does not know, a date that is missing or none, a date that makes a
    deadline past already or leads beyond the working-day tables, and a period that is none; Conflict for one that
    was started already.
    """
    _may_start(cmd, ctx)
    if ctx.actor != SYSTEM:
        definition = ctx.services.library.find(ctx.conn, newest(ctx.conn, cmd.procedure, cmd.version))
        _doable(ctx, definition)
        problems = misgiven(ctx, definition, cmd.variables) + missing(ctx, definition, cmd.variables)
        if problems:
            raise Invalid(problems)
        if cmd.period is not None:
            _judge_period(cmd, cmd.period, definition, ctx)
    if ctx.actor == SYSTEM:
        return begin(cmd, ctx)
    with ctx.within_tables(cmd.variables):
        number = begin(cmd, ctx)
    ctx.refuse_past(cmd.variables)
    return number


def _doable(ctx: Context, definition: Definition) -> None:
    """By itself, what is made to be called needs its own roles: nobody names others."""
    if not definition.procedure.called:
        return
    services = ctx.services
    process = {definition.procedure.process: definition.hash}
    (found,) = described(ctx.conn, services.library, services.registry, process).values()
    if lacking := sorted(set(found.roles) - active_roles(ctx.conn)):
        template = (
            "{procedure} is made to be called by others, which name who does it; by itself it needs roles that "
            "org.yaml does not have: {roles}"
        )
        raise Conflict(template, procedure=definition.procedure.id, roles=", ".join(lacking))


def _judge_period(cmd: Start, period: str, definition: Definition, ctx: Context) -> None:
    """A period is one that the calendar could name, and is started once."""
    schedules = definition.procedure.schedules
    of_start = [each for name, each in schedules.items() if name == cmd.element] or list(schedules.values())
    lengths: set[Unit | None] = {each.rule.every for each in of_start if each.rule.every is not None}
    lengths = lengths or {None}
    if not any(period_named(period, length) for length in lengths):
        forms = ", ".join(key_form(length) for length in sorted(lengths, key=str))
        template = "{period} is no period of this procedure; write it as in {forms}"
        raise Invalid([Problem("period", template, {"period": period, "forms": forms})])
    table = tables.instance
    there = ctx.conn.execute(
        select(table.c.id)
        .where(
            table.c.procedure == definition.procedure.id, table.c.unit == cmd.unit, table.c.period == period
        )
        .where(table.c.parent_id.is_(None), table.c.status != InstanceStatus.CANCELLED)
        .order_by(table.c.id)
        .limit(1)
    ).scalar_one_or_none()
    if there is not None and not cmd.again:
        raise Conflict(
            "Period {period} was started already: {label}; --again starts it once more",
            period=period, label=label(there),
        )  # fmt: skip


def _may_start(cmd: Start, ctx: Context) -> None:
    """By hand a procedure is started by somebody who holds a role in the unit, or an administrator."""
    units = ctx.units(cmd.unit)
    if ctx.may("admin"):
        return
    rights = ctx.rights(ctx.who)
    if not any(unit in units for held in rights.holdings.values() for _, unit in held):
        raise Denied("{person} holds no role in unit {unit}", person=ctx.who, unit=cmd.unit)


def begin(cmd: Start, ctx: Context) -> int:
    """Start an instance and let it go on until it waits. Returns its number.

    A deadline that is past already, because the kick-off comes late, is armed and missed at once.
    """
    ctx.active_unit(cmd.unit)
    digest = newest(ctx.conn, cmd.procedure, cmd.version)
    definition = ctx.services.library.find(ctx.conn, digest)
    return create(
        ctx,
        definition=digest,
        process=definition.procedure.process,
        unit=cmd.unit,
        variables=cmd.variables,
        title=cmd.title,
        period=cmd.period,
        element=cmd.element,
        came=cmd.came,
    )


def create(
    ctx: Context,
    *,
    definition: str,
    process: str,
    unit: str,
    variables: Mapping[str, object],
    title: str | None = None,
    period: str | None = None,
    element: str | None = None,
    came: tuple[str, str] | None = None,
    parent: OpenInstance | None = None,
    token: int | None = None,
    batch: int | None = None,
    index: int | None = None,
    called_as: Mapping[str, Any] | None = None,
    held: bool = False,
) -> int:
    """A new instance of a process: its row, its deadline, its first step. Returns its number.

    When it is `held`, its first step is a job's.
    """
    found = ctx.services.library.find(ctx.conn, definition)
    ctx.depth += 1
    ctx.started += 1
    row = (
        ctx.conn.execute(
            _INSERT,
            {
                "definition": definition,
                "process": process,
                "procedure": found.procedure.id,
                "unit": unit,
                "title": title or found.procedure.title.of("zh"),
                "period": period if parent is None else parent.row["period"],
                "parent_id": None if parent is None else parent.id,
                "parent_token": token,
                "batch_id": batch,
                "batch_index": index,
                "root_id": None if parent is None else parent.row["root_id"] or parent.id,
                "called_as": called_as,
                "status": str(InstanceStatus.RUNNING),
                "state": _EMPTY,
                "state_format": state.FORMAT,
                "started_at": ctx.now,
                "started_by": ctx.actor.person,
            },
        )
        .mappings()
        .one()
    )
    instance = OpenInstance(dict(row), found)
    ctx.opened[instance.id] = instance
    _note_started(ctx, instance, variables, period, parent, element)
    _first_step(ctx, instance, found, process, dict(variables), element, came, held)
    ctx.depth -= 1
    return instance.id


def _note_started(
    ctx: Context,
    instance: OpenInstance,
    variables: Mapping[str, object],
    period: str | None,
    parent: OpenInstance | None,
    element: str | None,
) -> None:
    row, found = instance.row, instance.definition
    facts: dict[str, object] = {
        "procedure": found.procedure.id, "version": found.version, "definition": row["definition"],
        "unit": row["unit"], "variables": dict(variables), "title": row["title"],
    }  # fmt: skip
    called = {"parent": None if parent is None else parent.label, "called_as": row["called_as"]}
    # How far its caller's journal was then, so that it can be told of which variables it was given something.
    called |= {"parent_seq": None if parent is None else parent.row["head_seq"] + len(parent.facts)}
    facts |= {name: value for name, value in {"period": period, **called}.items() if value is not None}
    ctx.note("instance.started", facts, instance=instance.id, subject=element)


def _first_step(
    ctx: Context,
    instance: OpenInstance,
    found: Definition,
    process: str,
    variables: dict[str, Any],
    element: str | None,
    came: tuple[str, str] | None,
    held: bool,
) -> None:
    run = Run(found.spec(process), InstanceEnvironment(ctx, instance))
    run.data.update(plain(variables))
    run.meter = ctx.meter
    run.called = instance.row["parent_id"] is not None
    instance.run = run
    if "#" not in process:
        deadlines.arm(ctx, instance, None, None, None, deadlines.promised(ctx, instance, None))
    chain = ctx.meter.chain
    run.start({}, element, came, held=held)
    moving.settle(ctx, instance)
    ctx.meter.chain = chain  # what a child does is not what its siblings or its parent go on from


def suspend(cmd: Suspend, ctx: Context) -> None:
    """Suspend an instance and the children it waits for."""
    _reason(cmd.reason)
    instance = ctx.running(cmd.instance)
    instance.changes["status"] = str(InstanceStatus.SUSPENDED)
    ctx.note("instance.suspended", {"reason": cmd.reason}, instance=cmd.instance)
    for child in _children(ctx, cmd.instance, "running"):
        jobs.put(
            ctx,
            "suspend",
            instance=child,
            key=f"suspend:{child}:{instance.row['version']}",
            reason=cmd.reason,
        )


def resume(cmd: Resume, ctx: Context) -> None:
    """Resume an instance and its children; what fell due meanwhile fires now."""
    instance = ctx.instance(cmd.instance)
    if instance.get("status") != "suspended":
        raise Conflict(
            "{label} is not suspended: it is {status}", label=instance.label, status=instance.get("status")
        )
    instance.changes["status"] = str(InstanceStatus.RUNNING)
    ctx.note("instance.resumed", {} if cmd.reason is None else {"reason": cmd.reason}, instance=cmd.instance)
    jobs.put(ctx, "go-on", instance=cmd.instance, key=f"resumed:{cmd.instance}:{instance.row['version']}")
    for child in _children(ctx, cmd.instance, "suspended"):
        jobs.put(ctx, "resume", instance=child, key=f"resume:{child}:{instance.row['version']}")


def correct(cmd: Correct, ctx: Context) -> None:
    """Set variables by hand; both the old and the new values are journaled, dates counted from them follow."""
    _reason(cmd.reason)
    if not cmd.values:
        raise Invalid([Problem("values", "Say which variables, as in --set d0=2026-09-14")])
    instance = ctx.running(cmd.instance)
    run = moving.loaded(ctx, instance)
    if problems := misgiven(ctx, instance.definition, cmd.values, run.data):
        raise Invalid(problems)
    before = {name: run.data.get(name) for name in cmd.values}
    personal = personal_names(instance.definition)
    facts = {
        "values": kept_apart(ctx, instance, cmd.values, personal),
        "before": kept_apart(ctx, instance, before, personal),
        "reason": cmd.reason,
    }
    ctx.note("variables.corrected", facts, instance=cmd.instance)
    with ctx.within_tables(cmd.values):
        redating.by_correction(ctx, instance, cmd.values)


def cancel(cmd: Cancel, ctx: Context) -> None:
    """Cancel an instance and, by jobs, its children. Its history stays."""
    _reason(cmd.reason)
    instance = ctx.instance(cmd.instance)
    if instance.get("status") not in ("running", "suspended"):
        raise Conflict(
            "{label} has ended: it is {status}", label=instance.label, status=instance.get("status")
        )
    if instance.row["parent_id"] is not None and cmd.by != SYSTEM:
        raise Conflict(
            "{label} is part of {parent}, which would wait for it for ever; cancel {parent}, or suspend {label}",
            label=instance.label, parent=label(instance.row["parent_id"]),
        )  # fmt: skip
    ctx.note("instance.cancelling", {"reason": cmd.reason}, instance=cmd.instance)
    moving.move(ctx, instance, lambda run: run.stop("cancelled"))
    for child in _children(ctx, cmd.instance, "running", "suspended"):
        jobs.put(ctx, "cancel", instance=child, key=f"cancel:{child}", reason=cmd.reason)


def _children(ctx: Context, parent: int, *status: str) -> list[int]:
    table = tables.instance
    rows = ctx.conn.execute(select(table.c.id).where(table.c.parent_id == parent, table.c.status.in_(status)))
    return [row.id for row in rows]


def _reason(text: str) -> None:
    if blank(text):
        raise Invalid([Problem("reason", "Say why: the auditor will ask")])
