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
from engine.calendar.working import NoTable
from engine.commands import calls, moving, recounting, waits
from engine.commands.core import OpenInstance
from engine.commands.due_dates import date_of
from engine.commands.environment import InstanceEnvironment
from engine.errors import EngineError
from engine.model import InstanceStatus
from engine.store import tables
from engine.store.variables import Setting, Step, Variables, variables_of, variables_of_many

if TYPE_CHECKING:
    from engine.bpmn.diagram import Node
    from engine.commands.core import Context
    from engine.handlers import Function

_INSTANCE, _BATCH, _ITEM = tables.instance.c, tables.batch.c, tables.batch_item.c
_OPEN = _INSTANCE.status.in_((InstanceStatus.RUNNING, InstanceStatus.SUSPENDED))
_SEEN = select(
    *(_INSTANCE.id, _INSTANCE.definition, _INSTANCE.process, _INSTANCE.procedure, _INSTANCE.unit),
    *(_INSTANCE.root_id, _INSTANCE.called_as),
).where(_OPEN)
"""Of open instances what a call is told, without their state."""
_CALLED = (
    select(_INSTANCE.id, _BATCH.element, _BATCH.facts, _ITEM.idx, _ITEM.input)
    .join(tables.batch, _BATCH.id == _INSTANCE.batch_id)
    .join(tables.batch_item, (_ITEM.batch_id == _BATCH.id) & (_ITEM.idx == _INSTANCE.batch_index))
    .where(_INSTANCE.parent_id == bindparam("instance"), _OPEN)
)


def by_calendar(ctx: Context) -> int:
    """A working-day table came: count anew whatever steps of open instances worked out by the one before it.

    Returns how many dates of open deadlines moved along.
    """
    redating = _Redating(ctx)
    instances: dict[int, OpenInstance] = {}
    asked: dict[int, Collection[str]] = {}
    for row in ctx.conn.execute(_SEEN).mappings():
        instance = OpenInstance(dict(row), ctx.services.library.find(ctx.conn, row["definition"]))
        if counting := redating.counting(instance):
            instances[instance.id], asked[instance.id] = instance, counting
    for number, known in variables_of_many(ctx.conn, asked):
        redating.catch_up(number)  # a caller is older than whoever it called
        redating.consider(instances[number], known)
    redating.finish()
    return redating.moved


def by_correction(ctx: Context, instance: OpenInstance, before: Mapping[str, Any]) -> None:
    """Variables of an instance were put right, and stand in it already: what was counted from them follows.

    `before` is what its variables were.
    """
    if instance.get("status") != InstanceStatus.RUNNING:
        return  # what was put right has ended it
    redating = _Redating(ctx)
    known = variables_of(ctx.conn, instance.id, redating.counting(instance))
    for fact, by in instance.facts:
        known.take(fact.kind, fact.subject, fact.facts, ctx.now, by.person)
    data = moving.loaded(ctx, instance).data
    for name in known.now.keys() & data.keys():  # personal ones are not in the journal
        known.now[name].value = data[name]
    redating.change(instance, redating.changes(instance, known), before)
    redating.finish()


@dataclass(frozen=True, slots=True)
class _Change:
    """Variables of which others come out."""

    step: str | None
    """The element that worked them out; None for what a caller gave."""
    before: Mapping[str, Any]
    values: Mapping[str, Any]
    standing: Mapping[str, Any]
    """Of the values those that nobody has set since. Another step may have counted from the rest all the same."""


@dataclass(slots=True)
class _Redating:
    """One change on its way through the instances."""

    ctx: Context
    moved: int = 0
    """Open deadlines whose date moved."""
    given: dict[int, dict[str, Any]] = field(default_factory=dict)
    """What callers give anew to those they called."""
    waiting: list[int] = field(default_factory=list)
    """Those that are given something anew, the oldest first."""
    _counting: dict[tuple[str, str], Mapping[str, Function | None]] = field(default_factory=dict)

    def counting(self, instance: OpenInstance) -> Mapping[str, Function | None]:
        """The elements of the instance's process that count anew, with the function that does; None for a script."""
        process = instance.row["process"]
        key = (instance.definition.hash, process)
        if key not in self._counting:
            found = self._counting[key] = {}
            for node in instance.definition.spec(process).source.nodes.values():
                handler = self.ctx.services.registry.known.get(
                    node.properties.get("flow.handler", "").strip()
                )
                if node.tag == "scriptTask" or (handler is not None and handler.recount is not None):
                    found[node.id] = None if handler is None else handler.recount
        return self._counting[key]

    def catch_up(self, number: int) -> None:
        """Consider those given something anew that are older than an instance."""
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
        found = [_amended(None, known, known.given, self.given.pop(instance.id, {}))]
        found += [
            _amended(step.element, known, step.set, self._counted(instance, step)) for step in known.steps
        ]
        return [each for each in found if each.values]

    def _counted(self, instance: OpenInstance, step: Step) -> Mapping[str, object]:
        """What a step works out now, told what it knew when it was done."""
        env, node = InstanceEnvironment(self.ctx, instance), moving.node_of(instance, step.element)
        noted: list[tuple[str, Mapping[str, object]]] = []
        call = replace(
            env.call(node, step.found()),
            by=step.by,
            now=step.at,
            today=waits.local_day(self.ctx, step.at).isoformat(),
            kept=step.corrected(),
            note=lambda kind, facts: noted.append((kind, facts)),
        )
        function = self.counting(instance)[step.element]
        try:
            values = _scripted(env, node, step) if function is None else function(call)
        except (EngineError, BpmnError) as fault:
            # By a date that is none, say: the rest follows all the same, unless it was put right just now.
            if isinstance(fault, NoTable):
                self.ctx.untabled.append(fault)
            reason = {"names": sorted(step.set), "reason": str(fault)}
            self.ctx.note("variables.stayed", reason, instance=instance.id, subject=step.element)
            return {}
        if any(name in values and values[name] != each.value for name, each in step.set.items()):
            for kind, told in noted:
                self.ctx.note(kind, told, instance=instance.id, subject=step.element)
        return dict(values)

    def change(
        self, instance: OpenInstance, changes: list[_Change], before: Mapping[str, Any] | None = None
    ) -> None:
        """Set it; deadlines and timers follow, and what the instance has called is given it.

        `before` is what the variables were, where some were put right already.
        """
        run = moving.loaded(self.ctx, instance)
        before = dict(run.data) if before is None else before
        values: dict[str, Any] = {}
        for each in changes:
            values |= each.standing
            facts = {"values": dict(each.values), "before": dict(each.before)}
            self.ctx.note("variables.recounted", facts, instance=instance.id, subject=each.step)
        if values and instance.get("status") == InstanceStatus.RUNNING:
            moving.move(self.ctx, instance, lambda run: run.correct(values))
        else:
            run.data.update(plain(values))
        self.moved += recounting.reconsider(self.ctx, instance, values)
        waits.retime(self.ctx, instance, before)
        self._give(instance, before)

    def _give(self, instance: OpenInstance, before: Mapping[str, Any]) -> None:
        """Give those it called the dates they were given that are others now."""
        assert instance.run is not None
        now = instance.run.data
        changed = {name for name in {*before, *now} if before.get(name) != now.get(name)}
        for row in self.ctx.conn.execute(_CALLED, {"instance": instance.id}).all() if changed else ():
            node = moving.node_of(instance, row.element)
            multi = row.facts["multi"]
            try:
                old, new = (
                    calls.given(instance, node, row.input, row.idx, multi=multi, data=data, of=changed)
                    for data in (before, now)
                )
            except EngineError:  # an input that cannot be told from these values gives nothing anew
                continue
            dates = {
                name: value
                for name, value in new.items()
                if name in old and old[name] != value and date_of(value) is not None
            }
            if dates:
                self.given[row.id] = dates
                heappush(self.waiting, row.id)


def _scripted(env: InstanceEnvironment, node: Node, step: Step) -> Mapping[str, object]:
    """The dates that a script hands on; whatever else it sets is no matter of the calendar."""
    dates = [name for name, each in step.set.items() if date_of(each.value) is not None]
    values = env.execute(node.script or "", step.found()) if dates else {}
    return {name: values[name] for name in dates if date_of(values.get(name)) is not None}


def _amended(
    step: str | None, known: Variables, made: Mapping[str, Setting], values: Mapping[str, Any]
) -> _Change:
    """The change that makes what was `made` of the `values`, where these are others."""
    otherwise = {
        name: values[name]
        for name, each in made.items()
        if name in values and values[name] != each.value and not each.corrected
    }
    before = {name: made[name].value for name in otherwise}
    for name, value in otherwise.items():
        made[name].value = value
    standing = {name: value for name, value in otherwise.items() if known.now.get(name) is made[name]}
    return _Change(step, before, otherwise, standing)
