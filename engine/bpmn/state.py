"""The live part of an instance as bytes, and back.

Format 1, JSON: `v` variables, `n` the last number given, `s` scopes, `t` tokens. Nothing of the definition
and nothing finished is in it. A token is [number, element, scope, state, facts].
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from SpiffWorkflow.util.task import TaskState

from engine.bpmn.environment import Environment
from engine.bpmn.process import ProcessSpec
from engine.bpmn.run import Run, Scope, Token
from engine.errors import EngineError

FORMAT = 1


def dump(run: Run) -> bytes:
    """The state between two steps."""
    return orjson.dumps(
        {
            "v": run.data,
            "n": run.counter,
            "s": [
                [s.id, s.element, s.token, s.parent, s.live, *([s.records] if s.records else [])]
                for s in run.scopes.values()
            ],
            "t": [
                [t.id, t.task_spec.name, t.scope, t.state, *([t.internal_data] if t.internal_data else [])]
                for t in run.tasks.values()
            ],
        }
    )


def variables(state: bytes, of: str = "") -> dict[str, object]:
    """Only the variables. Raises EngineError, naming the instance `of`, for a state that cannot be read."""
    return dict(_content(state, of, "v")["v"])


def without(state: bytes, names: Collection[str], of: str = "") -> bytes:
    """The same state without the variables of those names. Raises as `variables` does."""
    content = _content(state, of, "v")
    kept = {name: value for name, value in content["v"].items() if name not in names}
    return orjson.dumps({**content, "v": kept})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a token of an instance stands."""

    token: int
    element: str
    scope: int
    waiting: bool
    """It waits for an event or for other tokens, rather than for what the element does."""
    facts: Mapping[str, Any]
    """As `Token` lists them."""


def places(state: bytes, of: str = "") -> tuple[Place, ...]:
    """Where the tokens stand, in the order in which they came there. Raises as `variables` does."""
    return tuple(
        Place(token, element, scope, status == TaskState.WAITING, facts[0] if facts else {})
        for token, element, scope, status, *facts in _content(state, of, "t")["t"]
    )


def _content(state: bytes, of: str, *parts: str) -> dict[str, Any]:
    try:
        content = orjson.loads(state)
    except ValueError as error:
        raise EngineError(_DAMAGED, instance=of, reason=str(error)) from None
    if not isinstance(content, dict) or not content.keys() >= set(parts):
        raise EngineError(_DAMAGED, instance=of, reason=repr(content)[:80])
    return content


_DAMAGED = (
    "The state of instance {instance} is damaged ({reason}). Nothing was changed; the other instances go on. "
    "Restore the database's last backup"
)


def load(state: bytes, number: int, spec: ProcessSpec, env: Environment, of: str = "") -> Run:
    """An instance as `dump` left it; `of` is its label, for messages.

    Raises EngineError for a format this program does not know, and for a state that cannot be read.
    """
    if number != FORMAT:
        raise EngineError(
            "The instance's state has format {number}; this program reads {known}",
            number=number,
            known=FORMAT,
        )
    content = _content(state, of, "v", "n", "s", "t")
    run = Run(spec, env)
    run.dirty = False
    run.data.update(content["v"])
    run.counter = content["n"]
    for identity, element, holder, parent, live, *records in content["s"]:
        run.scopes[identity] = Scope(identity, element, holder, parent, live, records[0] if records else [])
        if not live:
            run.drained.append(identity)  # a step that paused left it to be closed
    for identity, element, scope, status, *facts in content["t"]:
        token = Token(run, spec.task_specs[element], scope, identity, facts[0] if facts else {})
        token._set_state(TaskState.READY if "d" in token.internal_data else status)
        if token.state == TaskState.READY:
            run.agenda.append(token)
            run.dirty = True  # the step that paused before it may not have looked at the conditions yet
    return run
