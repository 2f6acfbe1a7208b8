"""What events do: starting, catching, throwing, ending (10.5, 13.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from SpiffWorkflow.util.task import TaskState

from engine.bpmn import effects, propagation
from engine.bpmn.diagram import EventDefinition, Node
from engine.bpmn.environment import no_truth
from engine.bpmn.specs import ActivitySpec, NodeSpec
from engine.errors import EngineError
from engine.expressions import NotSet

if TYPE_CHECKING:
    from engine.bpmn.process import ProcessSpec
    from engine.bpmn.run import Run, Scope, Token

WAITABLE = ("timer", "message", "signal")


class CatchSpec(NodeSpec):
    """Base of what waits for events; a multiple event waits for one of its definitions, or for all."""

    def __init__(self, process: ProcessSpec, node: Node) -> None:
        super().__init__(process, node)
        self.waits = any(each.kind in (*WAITABLE, "conditional") for each in node.events)

    def definitions(self) -> tuple[EventDefinition, ...]:
        return self.node.events

    def repeats(self, definition: EventDefinition) -> bool:
        """Whether the wait goes on after this definition fired once."""
        return False

    def arm(self, token: Token) -> None:
        """Begin to wait."""
        run, seen = token.workflow, token.internal_data.get("m", ())
        for index, each in enumerate(self.definitions()):
            if index in seen:
                continue
            if each.kind == "conditional":
                token.internal_data["c"] = False
                run.dirty = True
            elif each.kind in WAITABLE:
                name = each.text if each.kind == "timer" else each.name
                run.effects.append(
                    effects.Armed(token.id, self.name, index, each.kind, name or "", self.repeats(each))
                )

    def awaited(self, kind: str, name: str) -> int | None:
        for index, each in enumerate(self.definitions()):
            if each.kind == kind and each.name == name:
                return index
        return None

    def reconsider(self, token: Token) -> bool:
        """Look at the conditions again after variables changed; they fire when they become true.

        One that reads a variable which is not set yet is not true yet. Raises EngineError for one that cannot be
        worked out, or gives neither true nor false.
        """
        run, before = token.workflow, token.internal_data["c"]
        asked = [index for index, each in enumerate(self.definitions()) if each.kind == "conditional"]
        held = before if isinstance(before, list) else [index for index in asked if before]
        true = [index for index in asked if _holds(run, self.definitions()[index])]
        token.internal_data["c"] = (
            true if len(asked) > 1 else bool(true)
        )  # one: as states have it since format 1
        became = [index for index in true if index not in held]
        for index in became:
            if token.alive:
                self.happen(token, index)
        return bool(became)

    def happen(self, token: Token, index: int) -> None:
        if self.node.parallel_multiple:
            seen = token.internal_data.setdefault("m", [])
            if index not in seen:
                seen.append(index)
            if len(seen) < len(self.definitions()):
                return
            token.internal_data["m"] = []
        self.come(token, index)

    def come(self, token: Token, index: int) -> None:
        """All that was waited for is there."""
        token.complete()

    def spent(self, index: int) -> bool:
        """Whether nothing more can come after this definition fired: a timer that fires once."""
        definition = self.definitions()[index]
        once = definition.kind == "timer" and definition.timer != "cycle"
        return once and len(self.definitions()) == 1


def _holds(run: Run, definition: EventDefinition) -> bool:
    text = definition.text or ""
    try:
        value = run.env.evaluate(text, run.data)
    except NotSet:
        return False
    if not isinstance(value, bool):
        raise no_truth(EngineError("The condition {text}", text=text), value)
    return value


class StartSpec(CatchSpec):
    """Start event. That of an event sub-process is laid out in the scope around as a waiting trigger."""

    def __init__(self, process: ProcessSpec, node: Node) -> None:
        super().__init__(process, node)
        self.subprocess = node.scope if process.is_event_subprocess(node.scope) else None

    def repeats(self, definition: EventDefinition) -> bool:
        return not self.node.interrupting

    def perform(self, token: Token) -> bool | None:
        came = token.internal_data.pop("w", None)
        if came is None or not self.node.parallel_multiple:
            return True
        token.internal_data["m"] = [self.awaited(*came)]
        self.arm(token)
        return None

    def come(self, token: Token, index: int) -> None:
        if self.subprocess is None:  # all that a process needs to begin is there
            token.complete()
            return
        run, scope = token.workflow, token.scope
        if self.spent(index):
            run.withdraw(token)
        self.begin(run, scope)

    def begin(self, run: Run, scope: int) -> None:
        """Run the event sub-process; an interrupting one first withdraws everything beside it."""
        assert self.subprocess is not None
        spec = run.spec.task_specs[self.subprocess]
        holder = run.new_token(spec, scope)
        if self.node.interrupting:
            for each in [t for t in run.tasks.values() if t.scope == scope and t is not holder]:
                run.withdraw(each)
        run.visit(holder)
        holder._set_state(TaskState.STARTED)
        inner = run.open_scope(self.subprocess, holder)
        run.enter(self.name, inner.id)


class CatchEventSpec(CatchSpec):
    """Intermediate catch event or receive-like wait in the flow, also behind an event-based gateway."""

    def perform(self, token: Token) -> bool | None:
        if not self.waits or "w" in token.internal_data:
            return True  # a none event, the target of a link, or what began the instance
        self.arm(token)
        return None

    def come(self, token: Token, index: int) -> None:
        gateway = token.internal_data.pop("g", None)
        run = token.workflow
        if gateway is not None or token.state == TaskState.READY:
            run.visit(token)  # behind a gateway, or come before the token had its turn
        if gateway is not None:
            chosen = run.tasks[gateway]
            for each in [t for t in run.tasks.values() if t.internal_data.get("g") == gateway]:
                run.withdraw(each)
            chosen.complete()
        token.complete()


class ReceiveSpec(ActivitySpec, CatchEventSpec):
    """Receive task: an activity that waits for a message."""

    def definitions(self) -> tuple[EventDefinition, ...]:
        return (EventDefinition("message", name=self.node.message or self.name),)

    def perform(self, token: Token) -> bool | None:
        return ActivitySpec.perform(self, token)

    def act(self, token: Token) -> bool | None:
        if "w" in token.internal_data:
            del token.internal_data["w"]
            return True  # its message began the instance
        self.arm(token)
        return None


class BoundarySpec(CatchSpec):
    """Boundary event: waits beside its host; interrupting, it takes the host's token away."""

    def repeats(self, definition: EventDefinition) -> bool:
        return not self.node.interrupting and (definition.kind != "timer" or definition.timer == "cycle")

    def come(self, token: Token, index: int) -> None:
        run = token.workflow
        host = run.tasks[token.internal_data["h"]]
        run.visit(token)
        if self.node.interrupting:
            host.internal_data["b"].remove(token.id)
            run.withdraw(host)
            token.complete()
        elif self.spent(index):
            host.internal_data["b"].remove(token.id)
            token.complete()
        else:
            self.leave(token)


class ThrowSpec(NodeSpec):
    """Intermediate throw event and end event: throws its definitions, in order."""

    awaits_events = False

    def perform(self, token: Token) -> bool | None:
        done: bool | None = True
        last = [each for each in self.node.events if each.kind in ("error", "terminate")]
        for each in (*(each for each in self.node.events if each not in last), *last):
            if not token.alive:
                return None
            done = self.throw(token, each) and done
        return done

    def throw(self, token: Token, definition: EventDefinition) -> bool | None:
        run, name = token.workflow, definition.name or ""
        match definition.kind:
            case "message" | "signal" | "escalation":
                propagation.throw(run, token, definition)
            case "error":
                propagation.throw_error(run, token, name)
            case "terminate":
                self.terminate(token)
            case "compensate":
                return propagation.compensate(run, token, definition.activity, wait=definition.wait)
            case "cancel":
                for each in [t for t in run.tasks.values() if t.scope == token.scope and t is not token]:
                    run.withdraw(each)
                propagation.compensate(run, token, None)
                return None
            case "link":
                run.enter(run.spec.link_target(self.node.scope, name), token.scope)
        return True

    def terminate(self, token: Token) -> None:
        """End the scope at once: the process, or only the sub-process the event stands in (13.5.6)."""
        run = token.workflow
        scope = run.scopes[token.scope]
        if scope.token is None:
            run.stop("terminated")
            return
        for each in [t for t in run.tasks.values() if t.scope == scope.id and t is not token]:
            run.withdraw(each)

    def leave(self, token: Token) -> None:
        if not any(each.kind == "link" for each in self.node.events):
            super().leave(token)

    def compensated(self, token: Token) -> None:
        if "u" in token.internal_data:
            token.workflow.withdraw(token)
        elif any(each.kind == "cancel" for each in self.node.events):
            self.cancelled(token)
        else:
            token.complete()

    def cancelled(self, token: Token) -> None:
        """The transaction's activities are undone: leave it by its cancel event (10.7.2)."""
        run = token.workflow
        scope: Scope = run.scopes[token.scope]
        if scope.token is None:
            raise EngineError("A cancel event stands outside a transaction")
        host = run.tasks[scope.token]
        for boundary in host.task_spec.boundary:
            if any(each.kind == "cancel" for each in boundary.events):
                propagation.interrupt(run, host, boundary.id)
                return
        run.withdraw(host)
