"""Messages and signals: a message goes to one who waits for it, a signal to all.

What the thrower itself or who called it waits for may end the thrower, and so comes before it goes on. To all
others it goes when the thrower, and those it belongs to, have come to rest: whoever is asked and answers at once
then finds them waiting for the answer, however many steps lie between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, bindparam, literal, or_, select

from engine.commands import instances, jobs, moving
from engine.commands.core import Command, Context, OpenInstance
from engine.errors import Conflict, EngineError, NotFound
from engine.model import SYSTEM, instance_number
from engine.store import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Send(Command):
    """A message from outside, to whoever waits for its name (and key)."""

    name: str
    key: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    unit: str | None = None
    """Where an instance is started when the message is some procedure's start."""


def send(cmd: Send, ctx: Context) -> int:
    """Deliver a message at once. Returns the instance that took it. Raises NotFound when nobody waits for it."""
    found = _receiver(ctx, cmd.name, cmd.key)
    if found is None:
        started = _start(ctx, cmd.name, cmd.unit, cmd.values)
        if started is None:
            raise NotFound(
                "Nobody waits for message {name!r} with key {key!r}; see `flow instance list`"
                if cmd.key
                else "Nobody waits for message {name!r}; see `flow instance list`",
                name=cmd.name,
                key=cmd.key,
            )
        return started
    _take(ctx, found, cmd.name, cmd.values)
    return int(found.instance_id)


def tell(ctx: Context, number: int, name: str) -> bool:
    """Deliver a message at once to one instance. Returns whether it waited for it."""
    table = tables.subscription
    waiting = select(table).where(
        table.c.kind == "message", table.c.name == name, table.c.instance_id == number
    )
    found = ctx.conn.execute(waiting.order_by(table.c.id).limit(1)).one_or_none()
    if found is not None:
        _take(ctx, found, name, {})
    return found is not None


def thrown(ctx: Context, job: Any) -> None:
    """A message that an instance threw, and that it or its callers may take before it goes on."""
    payload = job.payload
    found = _receiver(ctx, payload["name"], payload["correlation"])
    if found is not None and found.instance_id in around(ctx, ctx.peek(payload["origin"])):
        _take(ctx, found, payload["name"], {})
    else:
        _put_off(ctx, job, "letter")


def _put_off(ctx: Context, job: Any, kind: str, **more: Any) -> None:
    payload = {name: value for name, value in job.payload.items() if name != jobs.CHAIN}
    jobs.put(ctx, kind, key=f"{kind}:{job.id}", **payload, **more)


_GOING_ON = ("go-on", "child", "spawn", "escalated", "cancel", "catch")
"""Jobs by which an instance goes on without anybody acting or time passing."""


def _moves(ctx: Context, number: int) -> bool:
    """Whether an instance, or one that it belongs to or that belongs to it, has not come to rest."""
    table, instance = tables.job, tables.instance
    root = ctx.peek(number).row["root_id"] or number
    going_on = (
        select(table.c.id)
        .join(instance, instance.c.id == table.c.instance_id)
        .where(tables.NEW_JOB, table.c.kind.in_(_GOING_ON), table.c.attempts == 0)
        .where(instance.c.status == "running", or_(instance.c.id == root, instance.c.root_id == root))
    )
    return ctx.conn.execute(going_on.limit(1)).first() is not None


def _outward() -> Select[tuple[int]]:
    """An instance and those around it, the innermost first: one query however deep they stand."""
    table = tables.instance
    up = (
        select(table.c.id, table.c.parent_id, literal(0).label("steps"))
        .where(table.c.id == bindparam("instance"))
        .cte(recursive=True)
    )
    up = up.union_all(
        select(table.c.id, table.c.parent_id, up.c.steps + 1).where(table.c.id == up.c.parent_id)
    )
    return select(up.c.id).order_by(up.c.steps)


_OUTWARD = _outward()


def around(ctx: Context, instance: OpenInstance) -> list[int]:
    """An instance, and those that called it, one by another."""
    parent = instance.row["parent_id"]
    callers = () if parent is None else ctx.conn.execute(_OUTWARD, {"instance": parent}).scalars()
    return [instance.id, *callers]


def deliver(ctx: Context, job: Any) -> None:
    """A message that an instance threw: one receiver gets it; without one the journal says so."""
    payload = job.payload
    if _moves(ctx, payload["origin"]):
        _put_off(ctx, job, "letter")
        return
    found = _receiver(ctx, payload["name"], payload["correlation"])
    if found is not None:
        _take(ctx, found, payload["name"], {})
        return
    origin = ctx.instance(payload["origin"])
    if _start(ctx, payload["name"], origin.row["unit"], {}) is None:
        ctx.note(
            "message.unreceived", {"name": payload["name"], "key": payload["correlation"]}, instance=origin.id
        )


def _receiver(ctx: Context, name: str, key: str | None) -> Any:
    """The longest waiting subscription that fits: the same key, or its instance named by label, or no key asked.

    One of a suspended instance only when no other fits.
    """
    table, instance = tables.subscription, tables.instance
    waiting = (
        select(table).where(table.c.kind == "message", table.c.name == name).order_by(table.c.id).limit(1)
    )
    fits = table.c.key.is_(None) if key is None else table.c.key == key
    by_label = key is not None and key.upper().startswith("SV-")
    if key is not None and by_label:
        fits = or_(fits, table.c.instance_id == _labelled(key))
    ways = [fits] if key is None or by_label else [fits, table.c.key.is_(None)]
    able = waiting.join(instance, instance.c.id == table.c.instance_id).where(instance.c.status == "running")
    for query in (able, waiting):
        for way in ways:
            row = ctx.conn.execute(query.where(way)).one_or_none()
            if row is not None:
                return row
    return None


def _labelled(key: str) -> int | None:
    try:
        return instance_number(key)
    except NotFound:
        return None


def _take(ctx: Context, row: Any, name: str, values: Mapping[str, object]) -> None:
    instance = ctx.running(row.instance_id)
    moving.loaded(ctx, instance)
    token = row.token
    if not moving.awaits(ctx, instance, token):
        raise Conflict("{label} no longer waits for message {name}", label=instance.label, name=name)
    assert instance.run is not None
    index = instance.run.tasks[token].task_spec.awaited("message", name)
    ctx.note(
        "message.received", {"name": name, "values": dict(values)}, instance=instance.id, subject=row.element
    )
    moving.move(ctx, instance, lambda run: run.fire(token, index or 0, values))


def _start(ctx: Context, name: str, unit: str | None, values: Mapping[str, object]) -> int | None:
    """Start the newest definition that begins with that message."""
    for procedure, element in _begun(ctx, "message", name):
        if unit is None:
            raise NotFound(
                "Message {name} starts {procedure}; say for which unit", name=name, procedure=procedure
            )
        command = instances.Start(
            by=ctx.actor, procedure=procedure, unit=unit, variables=values, element=element,
            came=("message", name),
        )  # fmt: skip
        return instances.begin(command, ctx)
    return None


def _begun(ctx: Context, kind: str, name: str) -> Iterator[tuple[str, str]]:
    """The procedures whose newest version begins with that message or signal, and the element it begins at."""
    table = tables.definition
    rows = ctx.conn.execute(
        select(table.c.hash, table.c.procedure, table.c.facts).order_by(
            table.c.version.desc(), table.c.procedure
        )
    ).all()
    seen: set[str] = set()
    for row in rows:
        if row.procedure not in seen:
            seen.add(row.procedure)
            element = ctx.services.library.find(ctx.conn, row.hash).begun_by(kind, name)
            if element is not None and row.facts.get("begins", True):
                yield row.procedure, element


def raised(ctx: Context, job: Any) -> None:
    """A signal that a called process threw: its callers, if they wait for it, take it before it goes on."""
    name, origin = job.payload["name"], job.payload["origin"]
    near = [number for number in around(ctx, ctx.peek(origin)) if number != origin]
    told = [
        number for number in dict.fromkeys(row.instance_id for row in _waiting(ctx, name)) if number in near
    ]
    for number in told:
        jobs.put(ctx, "catch", instance=number, key=f"catch:{job.id}:{number}", name=name)
    _put_off(ctx, job, "broadcast", told=told)


def _waiting(ctx: Context, signal: str) -> Sequence[Any]:
    """Who waits for a signal: instance, element and procedure."""
    table, instance = tables.subscription, tables.instance
    query = (
        select(table.c.instance_id, table.c.element, instance.c.procedure)
        .join(instance, instance.c.id == table.c.instance_id)
        .where(table.c.kind == "signal", table.c.name == signal)
    )
    return ctx.conn.execute(query.distinct().order_by(table.c.instance_id)).all()


def spread(ctx: Context, job: Any) -> None:
    """A signal: everyone who waits for it gets a job of their own, and so does every procedure that it begins.

    Such a procedure is begun for the unit in which the signal was thrown.
    """
    name = job.payload["name"]
    if _moves(ctx, job.payload["origin"]):
        _put_off(ctx, job, "broadcast")
        return
    rows, told = _waiting(ctx, name), {job.payload["origin"], *job.payload.get("told", ())}
    for number in dict.fromkeys(row.instance_id for row in rows):
        if number not in told:
            jobs.put(ctx, "catch", instance=number, key=f"catch:{job.id}:{number}", name=name)
    unit = ctx.peek(job.payload["origin"]).row["unit"]
    # A start event that needs several events waits for the others in its instance.
    beginning = {(row.procedure, row.element) for row in rows}
    for procedure, element in _begun(ctx, "signal", name):
        if (procedure, element) not in beginning:
            payload = {"procedure": procedure, "unit": unit, "element": element, "name": name}
            try:  # at once, so that what was thrown after the signal finds the instance
                with ctx.attempt():
                    _begin(ctx, payload)
            except EngineError:
                jobs.put(ctx, "begin", key=f"begin:{job.id}:{procedure}", **payload)


def begin(ctx: Context, job: Any) -> None:
    """A signal begins a procedure that it could not begin at once."""
    _begin(ctx, job.payload)


def _begin(ctx: Context, payload: Mapping[str, Any]) -> None:
    command = instances.Start(
        by=SYSTEM, procedure=payload["procedure"], unit=payload["unit"], element=payload["element"],
        came=("signal", payload["name"]),
    )  # fmt: skip
    instances.begin(command, ctx)


def catch(ctx: Context, job: Any) -> None:
    """A signal reaches one of those who waited for it."""
    instance = ctx.instance(job.instance_id)
    if instance.get("status") == "running":
        moving.move(ctx, instance, lambda run: run.signal(job.payload["name"]))
