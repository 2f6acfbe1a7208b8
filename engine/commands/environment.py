"""What a running instance may ask: its expressions and scripts, and the handlers of its service tasks."""

from __future__ import annotations

import logging
from collections import ChainMap
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from engine.bpmn.diagram import Node
from engine.bpmn.environment import BpmnError
from engine.bpmn.rules.decisions import by_table
from engine.characters import blank
from engine.commands.personal import personal_names
from engine.commands.records import keep
from engine.decisions import decide
from engine.errors import EngineError
from engine.expressions import Expression, Script, compile_expression, compile_script
from engine.expressions.faults import shown
from engine.handlers import Call, Function, Kind
from engine.model import label
from engine.store.private import set_aside

if TYPE_CHECKING:
    from engine.commands.core import Context, OpenInstance


log = logging.getLogger("satisflow")


def throw_error(code: object) -> None:
    """For scripts: throw a BPMN error. Raises EngineError for what is no code."""
    if not isinstance(code, (str, int)) or isinstance(code, bool) or blank(str(code)):
        template = 'throw_error({code}) has no code: write one as text, as in throw_error("REFUSED")'
        raise EngineError(template, code=shown(code))
    raise BpmnError(str(code))


BUILT_IN: Mapping[str, Callable[..., Any]] = {"throw_error": throw_error}


@lru_cache(maxsize=4096)
def expression(text: str, functions: frozenset[str]) -> Expression:
    """A compiled expression, kept."""
    return compile_expression(text, functions)


@lru_cache(maxsize=4096)
def script(text: str, functions: frozenset[str]) -> Script:
    """A compiled script, kept."""
    return compile_script(text, functions)


class InstanceEnvironment:
    """The engine.bpmn.run.Environment of one instance within one command."""

    def __init__(self, ctx: Context, instance: OpenInstance) -> None:
        self.ctx = ctx
        self.instance = instance
        self.functions = {**BUILT_IN, **ctx.services.functions}
        self.names = frozenset(self.functions)

    def evaluate(self, text: str, variables: Mapping[str, object]) -> object:
        try:
            return expression(text, self.names).evaluate(self.seen(variables), self.functions)
        except BpmnError as thrown:
            template = "Only a script throws errors; this expression throws {code}"
            raise EngineError(template, code=thrown.code) from None

    def execute(self, text: str, variables: Mapping[str, object]) -> Mapping[str, object]:
        return script(text, self.names).execute(self.seen(variables), self.functions)

    def handle(self, node: Node, variables: Mapping[str, object]) -> Mapping[str, object] | None:
        if by_table(node):
            return self.decide(node, variables)
        name = node.properties.get("flow.handler", "").strip()
        if not name:
            return {}  # a rehearsal of a bare diagram: `check` reports the missing handler as incomplete
        handler = self.ctx.services.registry.find(name)
        outside = handler.kind is Kind.OUTSIDE
        function = handler.first if outside else handler.function
        values = dict(self.called(function, self.call(node, variables))) if function else {}
        return None if outside else take_records(self.ctx, self.instance, node, values)

    def called(self, function: Function, call: Call) -> Mapping[str, object]:
        """What a function returns. A bug in it is an incident at its element: what somebody handed in is not lost."""
        try:
            return function(call) or {}
        except (EngineError, BpmnError):
            raise
        except Exception as bug:
            name = call.properties.get("flow.handler", "").strip()
            log.exception("handler %s", name)
            raise EngineError(
                "Function {name} failed: {kind}: {reason}",
                name=name,
                kind=type(bug).__name__,
                reason=str(bug),
            ) from bug

    def slept(self) -> bool:
        return self.ctx.services.slept()

    def decide(self, node: Node, variables: Mapping[str, object]) -> Mapping[str, object]:
        """What a decision table says; the journal keeps what an auditor needs to look it up again."""
        known, name = self.instance.definition.procedure.decisions, node.attributes["decisionRef"]
        if name not in known:
            raise EngineError("There is no decision {decision}", decision=name)
        made = decide(known, name, self.seen(variables))
        values, variable = made[-1].values, node.attributes.get("resultVariable")
        if variable is not None:
            values = {variable: made[-1].mapped(node.attributes.get("mapDecisionResult", "resultList"))}
        personal = personal_names(self.instance.definition)
        for each in made:
            columns = zip(each.decision.inputs, each.inputs, strict=True)
            facts = {
                "decision": each.decision.id,
                "name": each.decision.name,
                "policy": " ".join(filter(None, (each.decision.policy, each.decision.aggregation))),
                "inputs": [
                    {column.label: self._kept(value, column.head.names & personal)}
                    for column, value in columns
                ],
                "rules": [rule.number for rule in each.rules],
                "ids": [rule.id for rule in each.rules],
                "result": each.whole,
            }
            self.ctx.note("decision.made", facts, instance=self.instance.id, subject=node.id)
        return values

    def _kept(self, value: object, personal: Collection[str]) -> object:
        """A value as the journal keeps it: one read from a personal answer can be erased."""
        return set_aside(self.ctx.conn, self.instance.label, value) if personal else value

    def paused(self) -> bool:
        return self.ctx.services.paused()

    def seen(self, variables: Mapping[str, object]) -> Mapping[str, Any]:
        """The variables, the procedure's parameters beneath them."""
        return ChainMap(dict(variables), dict(self.instance.definition.parameters))

    def call(self, node: Node, variables: Mapping[str, object], **more: Any) -> Call:
        """What a handler is told."""
        ctx, row = self.ctx, self.instance.row
        return Call(
            instance=self.instance.id,
            label=label(self.instance.id),
            root=row["root_id"] or self.instance.id,
            unit=row["unit"],
            procedure=row["procedure"],
            element=node.id,
            name=node.label,
            properties=node.properties,
            variables=variables,
            parameters=self.instance.definition.parameters,
            by=ctx.actor.person,
            now=ctx.now,
            today=ctx.today.isoformat(),
            conn=ctx.conn,
            folder=ctx.services.workspace.folder,
            who=ctx.who,
            zone=ctx.services.zone,
            roles=(row["called_as"] or {}).get("roles", {}),
            filed=self.instance.filed(node.properties.get("flow.record", node.id)),
            note=lambda kind, facts: ctx.note(kind, facts, instance=self.instance.id, subject=node.id),
            **more,
        )


def take_records(ctx: Context, instance: OpenInstance, node: Node, values: dict[str, Any]) -> dict[str, Any]:
    """Keep the files a handler returned under `$record`, and leave the variables."""
    files = values.pop("$record", None)
    if files:
        keep(ctx, instance, node, files)
    return values
