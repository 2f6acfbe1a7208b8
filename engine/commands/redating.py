"""Dates that steps worked out, counted anew: when a working-day table comes, or a date they counted from is put right.

A step's dates are variables: deadlines and timers count from them, and called processes are given them. All these
follow, callers before those they called; what people have set since stays. Ten thousand instances may be open, of
which few change: only those are loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from engine.bpmn.environment import BpmnError, plain
from engine.commands import calls, moving, recounting, waits
from engine.commands.core import OpenInstance
from engine.commands.due_dates import date_of
from engine.commands.environment import InstanceEnvironment
from engine.commands.personal import reason_apart
from engine.errors import EngineError
from engine.model import InstanceStatus
from engine.store import tables
from engine.store.journal import instance_chain
from engine.store.private import reveal
from engine.store.told import facts_of
from engine.store.variables import Settings, Step, Variables, values_of, variables_of, variables_of_many

if TYPE_CHECKING:
    from engine.bpmn.diagram import Node
    from engine.commands.core import Context
    from engine.commands.published import Definition
    from engine.handlers import Function, Handlers

_INSTANCE, _BATCH, _ITEM, _JOURNAL = tables.instance.c, tables.batch.c, tables.batch_item.c, tables.journal.c
_OPEN = (InstanceStatus.RUNNING, InstanceStatus.SUSPENDED)
_SEEN = select(
    *(_INSTANCE.id, _INSTANCE.definition, _INSTANCE.process, _INSTANCE.procedure, _INSTANCE.unit),
    *(_INSTANCE.root_id, _INSTANCE.called_as),
).where(_INSTANCE.status.in_(_OPEN))
"""Of open instances what a call is told, without their state."""
_CALLED = (
    select(_INSTANCE.id, _BATCH.element, _BATCH.facts, _ITEM.idx, _ITEM.input)
    .join(tables.batch, _BATCH.id == _INSTANCE.batch_id)
    .join(tables.batch_item, (_ITEM.batch_id == _BATCH.id) & (_ITEM.idx == _INSTANCE.batch_index))
    .where(
        _INSTANCE.parent_id == bindparam("instance"), _INSTANCE.status.in_(_OPEN), _BATCH.status == "active"
    )
)
_STARTED = select(_JOURNAL.chain, _JOURNAL.facts).where(_JOURNAL.kind == "instance.started")
_CHUNK = 400


def counting(registry: Handlers, definition: Definition, process: str) -> Mapping[str, Function | None]:
    """The elements of a process that count anew, each with the function that does; None for a script."""
    found: dict[str, Function | None] = {}
    for node in definition.spec(process).source.nodes.values():
        handler = registry.known.get(node.properties.get("flow.handler", "").strip())
        if node.tag == "scriptTask" or (handler is not None and handler.recount is not None):
            found[node.id] = None if handler is None else handler.recount
    return found


def by_calendar(ctx: Context) -> int:
    """A working-day table came: count anew whatever steps of open instances worked out by the one before it.

    What cannot be counted any more stays, and the journal says why. Returns how many dates of open deadlines moved.
    """
    redating = _Redating(ctx, correcting=False)
    instances: dict[int, OpenInstance] = {}
    asked: dict[int, Collection[str]] = {}
    for row in ctx.conn.execute(_SEEN).mappings().all():
        instance = OpenInstance(dict(row), ctx.services.library.find(ctx.conn, row["definition"]))
        if elements := redating.counting(instance):
            instances[instance.id], asked[instance.id] = instance, elements
    for number, known in variables_of_many(ctx.conn, asked):
        redating.catch_up(number)  # a caller is older than whoever it called
        redating.consider(instances[number], known)
    redating.finish()
    return redating.moved


def by_correction(ctx: Context, instance: OpenInstance, values: Mapping[str, object]) -> None:
    """Variables of an instance are put right, as its journal says already: what was counted from them follows.

    Raises EngineError when something cannot be counted from these values.
    """
    redating = _Redating(ctx, correcting=True)
    known = variables_of(ctx.conn, instance.id, redating.counting(instance))
    known.correct(plain(values))
    redating.change(instance, redating.changes(instance, known), values)
    redating.finish()


@dataclass(frozen=True, slots=True)
class _Change:
    """Variables of which others come out."""

    step: Step | None
    """The step that worked them out; None for what a caller gave."""
    before: Mapping[str, Any]
    values: Mapping[str, Any]
    standing: Mapping[str, Any]
    """Of the values those that nobody has set since. Another step may have counted from the rest all the same."""


@dataclass(slots=True)
class _Redating:
    """One change on its way through the instances."""

    ctx: Context
    correcting: bool
    """A person puts something right, and is told what cannot be; else a table came, which goes on without it."""
    moved: int = 0
    """Open deadlines whose date moved."""
    given: dict[int, dict[str, tuple[Any, Any]]] = field(default_factory=dict)
    """What callers gave those they called, and give them now."""
    waiting: list[int] = field(default_factory=list)
    """Those that are given something else now, the oldest first."""
    _counting: dict[tuple[str, str], Mapping[str, Function | None]] = field(default_factory=dict)

    def counting(self, instance: OpenInstance) -> Mapping[str, Function | None]:
        """What counts anew in the instance's process."""
        key = (instance.definition.hash, instance.row["process"])
        if key not in self._counting:
            self._counting[key] = counting(self.ctx.services.registry, instance.definition, key[1])
        return self._counting[key]

    def catch_up(self, number: int) -> None:
        """Consider those given something else that are older than an instance."""
        while self.waiting and self.waiting[0] < number:
            child = heappop(self.waiting)
            if child in self.given:
                instance = self.ctx.instance(child)
                self.consider(instance, variables_of(self.ctx.conn, child, self.counting(instance)))

    def finish(self) -> None:
        """Consider all that are left."""
        while self.waiting:
            self.catch_up(self.waiting[0] + 1)

    def consider(self, instance: OpenInstance, known: Variables) -> None:
        """Set whatever comes out otherwise in an instance."""
        if changes := self.changes(instance, known):
            self.change(self.ctx.instance(instance.id), changes)

    def changes(self, instance: OpenInstance, known: Variables) -> list[_Change]:
        """What comes out otherwise, in the order it was set: a step may have counted from what one before it set."""
        given = {
            name: new
            for name, (old, new) in self.given.pop(instance.id, {}).items()
            if name in known.given and known.given[name].value == old
        }
        found = [_amended(known, None, known.given, given)]
        found += [
            _amended(known, step, step.set, self._counted(instance, step))
            for step in known.steps
            if step.touched() or self._by_calendar(instance, step)
        ]
        return [each for each in found if each.values]

    def _by_calendar(self, instance: OpenInstance, step: Step) -> bool:
        return not self.correcting and self.counting(instance)[step.element] is not None

    def _counted(self, instance: OpenInstance, step: Step) -> Mapping[str, object]:
        """What a step works out now, told what it knew when it was done."""
        env, node = InstanceEnvironment(self.ctx, instance), moving.node_of(instance, step.element)
        function = self.counting(instance)[step.element]
        noted: list[tuple[str, Mapping[str, object]]] = []
        call = replace(
            env.call(node, values_of(step.known)),
            by=step.by,
            now=step.at,
            today=waits.local_day(self.ctx, step.at).isoformat(),
            kept=step.corrected(),
            note=lambda kind, facts: noted.append((kind, facts)),
        )
        try:
            values = _scripted(env, node, step) if function is None else env.called(function, call)
        except (EngineError, BpmnError) as fault:
            if self.correcting:
                raise
            facts = {"names": sorted(step.set), "reason": reason_apart(self.ctx, instance, str(fault))}
            self.ctx.note("variables.stayed", facts, instance=instance.id, subject=step.element)
            return {}
        if any(name in values and values[name] != each.value for name, each in step.set.items()):
            for kind, told in noted:
                self.ctx.note(kind, told, instance=instance.id, subject=step.element)
        return values

    def change(
        self, instance: OpenInstance, changes: list[_Change], corrected: Mapping[str, object] | None = None
    ) -> None:
        """Set it, in one go with what was `corrected`; deadlines, timers and called processes follow."""
        run = moving.loaded(self.ctx, instance)
        before, values = dict(run.data), dict(corrected or {})
        for each in changes:
            values |= each.standing
            facts: dict[str, object] = {"values": dict(each.values), "before": dict(each.before)}
            facts |= {} if each.step is None else {"of": each.step.seq}
            subject = None if each.step is None else each.step.element
            self.ctx.note("variables.recounted", facts, instance=instance.id, subject=subject)
        noted = len(instance.facts)
        if instance.get("status") == InstanceStatus.RUNNING:
            moving.move(self.ctx, instance, lambda run: run.correct(values))
        else:  # it looks at its conditions when it is resumed
            run.data.update(plain(values))
        if instance.get("status") in _OPEN:
            self.moved += recounting.reconsider(self.ctx, instance, values)
            waits.retime(self.ctx, instance, before)
            self._give(instance, noted)

    def _give(self, instance: OpenInstance, noted: int) -> None:
        """Give those it called the dates that are others now, of the variables that there were when it called them.

        The first `noted` of its facts not yet written say what has changed.
        """
        children = self.ctx.conn.execute(_CALLED, {"instance": instance.id}).all()
        if not children:
            return
        moments = self._called_at([row.id for row in children])
        known = variables_of(self.ctx.conn, instance.id, self.counting(instance), set(moments.values()))
        for number, (fact, by) in enumerate(instance.facts[:noted], instance.row["head_seq"] + 1):
            facts = reveal(self.ctx.conn, fact.facts)
            known.take(number, fact.kind, fact.subject, facts, self.ctx.now, by.person)
        for row in children:
            then = known.at.get(moments.get(row.id, -1), known.now)
            node, multi = moving.node_of(instance, row.element), row.facts["multi"]
            try:
                old, new = (
                    calls.given(
                        instance, node, row.input, row.idx, multi=multi, data=values_of(then, read=read)
                    )
                    for read in (True, False)
                )
            except EngineError:  # what cannot be told from these variables was not given of them
                continue
            dates = {
                name: (old[name], value)
                for name, value in new.items()
                if old[name] != value and (date_of(value) or date_of(old[name])) is not None
            }
            if dates:
                self.given[row.id] = dates
                heappush(self.waiting, row.id)

    def _called_at(self, children: list[int]) -> dict[int, int]:
        """How far the caller's journal was when it called them."""
        found: dict[int, int] = {}
        for start in range(0, len(children), _CHUNK):
            part = {instance_chain(number): number for number in children[start : start + _CHUNK]}
            for row in self.ctx.conn.execute(_STARTED.where(_JOURNAL.chain.in_(part))):
                found[part[row.chain]] = facts_of(row.facts).get("parent_seq", -1)
        return found


def _scripted(env: InstanceEnvironment, node: Node, step: Step) -> Mapping[str, object]:
    """The dates that a script hands on; whatever else it sets is no matter of the calendar."""
    dates = [name for name, each in step.set.items() if date_of(each.value) is not None]
    values = env.execute(node.script or "", values_of(step.known)) if dates else {}
    return {name: values[name] for name in dates if date_of(values.get(name)) is not None}


def _amended(known: Variables, step: Step | None, made: Settings, values: Mapping[str, Any]) -> _Change:
    """The change that makes what was `made` of the `values`, where these are others."""
    otherwise = {
        name: values[name]
        for name, each in made.items()
        if name in values and values[name] != each.value and not each.corrected
    }
    before = {name: made[name].value for name in otherwise}
    known.recount(made, otherwise)
    standing = {name: value for name, value in otherwise.items() if known.now.get(name) is made[name]}
    return _Change(step, before, otherwise, standing)
