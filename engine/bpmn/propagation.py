"""How errors, escalations, signals and compensation find who handles them (10.5.1, 10.7, 13.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from SpiffWorkflow.util.task import TaskState

from engine.bpmn import effects

if TYPE_CHECKING:
    from engine.bpmn.diagram import EventDefinition, Node
    from engine.bpmn.run import Run, Scope, Token


def throw(run: Run, token: Token, definition: EventDefinition) -> None:
    """What stops nobody: a message, a signal or an escalation leaves the token."""
    name = definition.name or ""
    match definition.kind:
        case "message":
            send(run, token, name)
        case "signal":
            _leave(run, token, "signal", name, near=run.called)
            broadcast(run, name)
        case "escalation":
            throw_escalation(run, token, name)


def send(run: Run, token: Token, name: str) -> None:
    """A message leaves, with the key that the diagram asks for."""
    text = token.task_spec.node.properties.get("flow.key")
    key = None if text is None else str(run.env.evaluate(text, run.data))
    awaited = any(
        each.task_spec.waits and each.task_spec.awaited("message", name) is not None
        for each in run.tasks.values()
    )
    _leave(run, token, "message", name, key, near=run.called or awaited)


def _leave(run: Run, token: Token, kind: str, name: str, key: str | None = None, *, near: bool) -> None:
    run.effects.append(effects.Thrown(token.id, token.task_spec.name, kind, name, key, near))
    run.crossed = run.crossed or near


def throw_error(run: Run, token: Token, code: str) -> None:
    """An error at the token: the innermost handler catches it; uncaught, it ends the instance."""
    if _caught(run, token, "error", code):
        return
    run.effects.append(effects.Thrown(token.id, token.task_spec.name, "error", code))
    run.stop(f"error({code})")


def throw_escalation(run: Run, token: Token, code: str) -> None:
    """An escalation: found like an error, but nothing stops unless the one who catches it interrupts."""
    if not _caught(run, token, "escalation", code):
        run.effects.append(effects.Thrown(token.id, token.task_spec.name, "escalation", code))
        run.crossed = run.crossed or run.called


def broadcast(run: Run, name: str) -> None:
    """A signal: every token that waits for it now fires (10.5.1); one that is gone meanwhile does not."""
    for number, token in list(run.tasks.items()):
        index = token.task_spec.awaited("signal", name) if token.task_spec.waits else None
        if index is not None and number in run.tasks:
            token.task_spec.happen(token, index)


def interrupt(run: Run, host: Token, boundary: str) -> None:
    """Leave an activity by a boundary event that needed no waiting (error, escalation, cancel)."""
    spec = run.spec.task_specs[boundary]
    token = run.new_token(spec, host.scope)
    run.visit(token)
    if spec.node.interrupting:
        run.withdraw(host)
    token.complete()


def _caught(run: Run, token: Token, kind: str, code: str) -> bool:
    """Walk outward from the token and let the first that catches act; False when nobody does."""
    while True:
        boundary = token.task_spec.catcher(kind, code)
        if boundary is not None and token.alive:
            interrupt(run, token, boundary)
            return True
        scope = run.scopes[token.scope]
        if not token.task_spec.triggered_by_event:  # what is thrown inside an event sub-process passes it by
            trigger = run.spec.catching_trigger(scope.element, kind, code)
            if trigger is not None:
                run.spec.task_specs[trigger].begin(run, scope.id)
                return True
        if scope.token is None:
            return False
        token = run.tasks[scope.token]


def match(nodes: list[Node], kind: str, code: str) -> str | None:
    """The event among the nodes that catches an error or escalation: an exact code, else a catch-all."""
    fallback = None
    for node in nodes:
        for definition in node.events:
            if definition.kind == kind:
                if definition.name == code:
                    return node.id
                if definition.name is None:
                    fallback = node.id
    return fallback


def compensate(run: Run, token: Token, activity: str | None, *, wait: bool = True) -> bool | None:
    """Run the compensation handlers of completed activities, latest first.

    None: the thrower waits for them. Else they hang on a token of their own (fact u), and the thrower goes on.
    """
    scope = run.scopes[token.scope]
    queue: list[Any] = []
    while True:
        chosen = [record for record in scope.records if activity in (None, record[0])]
        scope.records = [record for record in scope.records if record not in chosen]
        for record in reversed(chosen):
            queue.extend(_handlers(run, record))
        if not run.spec.is_event_subprocess(scope.element) or scope.parent is None:
            break
        scope = run.scopes[scope.parent]  # an event sub-process compensates what it stands beside
    waiting = token if wait else run.new_token(token.task_spec, token.scope, u=1)
    waiting.internal_data["q"] = queue
    if not wait:
        waiting._set_state(TaskState.STARTED)
    proceed(run, waiting)
    return None if wait else True


def proceed(run: Run, token: Token) -> None:
    """Start the next compensation handler the token waits for; with none left the token goes on."""
    queue = token.internal_data["q"]
    if queue:
        handler, inner = queue.pop(0)
        run.enter(handler, token.scope, k=token.id, **({"r": inner} if inner else {}))
    else:
        token.task_spec.compensated(token)


def _handlers(run: Run, record: list[Any]) -> list[list[Any]]:
    activity, inner = record
    own = run.spec.compensation_handler(activity)
    if own is not None:
        return [[own, inner if run.spec.is_event_subprocess(own) else None]]
    return [handler for each in reversed(inner) for handler in _handlers(run, each)]


def keep_record(run: Run, scope: Scope, activity: str, inner: list[Any]) -> None:
    """Remember a completed activity that may have to be compensated."""
    if run.spec.compensation_handler(activity) is not None or inner:
        scope.records.append([activity, inner])
