"""What a running instance may ask: its expressions and scripts, and the handlers of its service tasks."""

from __future__ import annotations

import logging
from collections import ChainMap
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from engine.bpmn.diagram import Node
from engine.bpmn.run import BpmnError
from engine.commands.records import keep
from engine.errors import EngineError
from engine.expressions import Expression, Script, compile_expression, compile_script
from engine.handlers import Call, Kind
from engine.model import label

if TYPE_CHECKING:
    from engine.commands.core import Context, OpenInstance


log = logging.getLogger("satisflow")


def throw_error(code: str) -> None:
    """For scripts: throw a BPMN error."""
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
        return expression(text, self.names).evaluate(self.seen(variables), self.functions)

    def execute(self, text: str, variables: Mapping[str, object]) -> Mapping[str, object]:
        return script(text, self.names).execute(self.seen(variables), self.functions)

    def handle(self, node: Node, variables: Mapping[str, object]) -> Mapping[str, object] | None:
        name = node.properties.get("flow.handler")
        if name is None:
            return {}  # a rehearsal of a bare diagram: `check` reports the missing handler as incomplete
        handler = self.ctx.services.registry.find(name)
        if handler.kind is Kind.OUTSIDE:
            return None
        try:
            values = dict(handler.function(self.call(node, variables)) or {})
        except (EngineError, BpmnError):
            raise
        except Exception as bug:  # an incident at this element: what the person handed in is not lost
            log.exception("handler %s", name)
            raise EngineError(
                "Function {name} failed: {kind}: {reason}",
                name=name,
                kind=type(bug).__name__,
                reason=str(bug),
            ) from bug
        return take_records(self.ctx, self.instance, node, values)

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
            note=lambda kind, facts: ctx.note(kind, facts, instance=self.instance.id, subject=node.id),
            **more,
        )


def take_records(ctx: Context, instance: OpenInstance, node: Node, values: dict[str, Any]) -> dict[str, Any]:
    """Keep the files a handler returned under `$record`, and leave the variables."""
    files = values.pop("$record", None)
    if files:
        keep(ctx, instance, node, files)
    return values
