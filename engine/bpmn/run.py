"""One instance on the move: SpiffWorkflow's `Workflow` with a flat set of live tokens.

A token is a SpiffWorkflow `Task`; its states (WAITING, READY, STARTED, COMPLETED, CANCELLED) and the hooks
of its `TaskSpec` decide what happens next. What differs from the library's own BPMN workflow, and why, is in
docs/decisions/0002: finished tasks are dropped at once instead of growing a tree, nothing is predicted, the
variables of an instance are one mapping, and joins count what waits at them.

Nothing here knows of rows, people or calendars: a step leaves `effects`, in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState
from SpiffWorkflow.workflow import Workflow

from engine.bpmn import effects, propagation
from engine.bpmn.diagram import EventDefinition
from engine.bpmn.environment import BpmnError, Environment, plain, written
from engine.bpmn.meter import Meter
from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.bpmn.process import ProcessSpec
    from engine.bpmn.specs import NodeSpec


@dataclass(slots=True)
class Scope:
    """A process or a running sub-process: the tokens in it, and what it could compensate."""

    id: int
    element: str
    """The sub-process's id; the process's own for the outermost."""
    token: int | None
    """The token of the sub-process activity, in the scope around."""
    parent: int | None
    live: int = 0
    """Tokens in the scope, waiting event sub-process triggers not counted."""
    records: list[Any] = field(default_factory=list)
    """Completed activities that can be compensated, oldest first: [activity, inner records]."""


class Token(Task):  # type: ignore[misc]
    """A live token. Its data is the instance's variables: shared, never copied.

    Facts (`internal_data`), all optional: f incoming flow (joins), h host of a boundary event, b boundary
    tokens of a host, g event-based gateway waited for, x trigger of an event sub-process, s scope of a
    running sub-process, n loop counter, k thrower of the compensation, q what it has yet to compensate,
    m definitions seen of a parallel multiple event, c last values of conditions, e why the element failed,
    w the event that began the instance here, a flows that a complex gateway took in, u nobody waits for the
    compensation, d the activity is done, but what fell due meanwhile goes first.
    """

    workflow: Run
    task_spec: NodeSpec
    internal_data: dict[str, Any]

    def __init__(self, run: Run, spec: NodeSpec, scope: int, number: int, facts: dict[str, Any]) -> None:
        super().__init__(run, spec, None, TaskState.FUTURE, number)
        self.scope = scope
        self.internal_data = facts
        self.data = run.data

    def _set_state(self, value: int) -> None:
        # The library stamps the wall clock and builds log records here; time is not ours to read.
        self._state = value

    @property
    def alive(self) -> bool:
        return self.id in self.workflow.tasks


class Run(Workflow):  # type: ignore[misc]
    """One instance between two waits."""

    spec: ProcessSpec
    tasks: dict[int, Token]
    data: dict[str, Any]

    def __init__(self, spec: ProcessSpec, env: Environment) -> None:
        super().__init__(spec, deserializing=True)
        self.env = env
        self.scopes: dict[int, Scope] = {}
        self.counter = 0
        self.effects: deque[effects.Effect] = deque()
        self.agenda: deque[Token] = deque()
        self.drained: deque[int] = deque()
        self.meter = Meter()
        self.outcome: str | None = None
        self.dirty = True
        self.called = False
        """Whether another instance started it and waits for it."""
        self.crossed = False
        """Something was thrown that others may catch, who end this one perhaps: they come first."""

    # -- what the engine asks for ------------------------------------------------------------------

    def start(
        self,
        variables: Mapping[str, object],
        element: str | None = None,
        came: tuple[str, str] | None = None,
        *,
        held: bool = False,
    ) -> None:
        """Put tokens where the process begins: on the element named, or as `ProcessSpec.starts` says.

        `came` is the message or signal (kind, name) that began it; without it the process begins as if all
        that its start event waits for had come. `held` it is there, and goes on with the next step.
        """
        self.data.update(plain(variables))
        scope = self.open_scope(self.spec.name, None)
        for node in self.spec.starts(self.spec.name, element):
            began = self.spec.source.nodes[node].instantiate or came is not None
            self.enter(node, scope.id, **({"w": came} if began else {}))
        if held and self.agenda:
            self._pause(self.agenda[0])
        else:
            self.drive()

    def complete(self, number: int, values: Mapping[str, object]) -> None:
        """A person, an outside handler or a batch is done with the token's element."""
        token = self.tasks[number]
        self.set(token, values)
        token.complete()
        self.drive()

    def fire(self, number: int, index: int = 0, values: Mapping[str, object] | None = None) -> None:
        """The event that the token waits for has come."""
        token = self.tasks[number]
        self.set(token, values or {})
        token.task_spec.happen(token, index)
        self.drive()

    def error(self, number: int, code: str) -> None:
        """What the token waits for ended in a BPMN error."""
        propagation.throw_error(self, self.tasks[number], code)
        self.drive()

    def escalate(self, number: int, code: str) -> None:
        """The called process that the token waits for escalated; both go on unless the diagram interrupts."""
        propagation.throw_escalation(self, self.tasks[number], code)
        self.drive()

    def throw(self, number: int, definition: EventDefinition) -> None:
        """An instance of the multi-instance activity that the token runs completed, and throws (13.3.7)."""
        propagation.throw(self, self.tasks[number], definition)
        self.drive()

    def signal(self, name: str) -> None:
        """A signal from outside the instance: everything that waits for it fires."""
        propagation.broadcast(self, name)
        self.drive()

    def retry(self, number: int) -> None:
        """Run the element again whose token failed; an event that waits beside others begins to wait anew."""
        token = self.tasks[number]
        token.internal_data.pop("e", None)
        if token.state == TaskState.WAITING:
            token.task_spec.arm(token)
        else:
            token._set_state(TaskState.READY)
            self.agenda.append(token)
        self.drive()

    def skip(self, number: int) -> None:
        """Go on without the element whose token failed, as if it had been done.

        A boundary event or the trigger of an event sub-process is given up: it never comes.
        """
        token = self.tasks[number]
        facts = token.internal_data
        facts.pop("e", None)
        if "g" in facts:
            token.task_spec.happen(token, 0)
        elif "h" in facts or "x" in facts:
            if "h" in facts:
                self.tasks[facts["h"]].internal_data["b"].remove(number)
            self.withdraw(token)
        else:
            token.complete()
        self.drive()

    def drive(self) -> None:
        """Run what is ready until everything waits, the instance ends, or the environment asks to pause."""
        pausing = False
        while self.outcome is None:
            if self._check_conditions():
                continue
            if self.drained:
                self._close_scope(self.drained.popleft())
            elif self.agenda and (pausing or self.meter.full):
                self._pause(self.agenda[0])
                return
            elif self.agenda:
                token = self.agenda.popleft()
                if token.alive and token.state == TaskState.READY:
                    if self._exhausted(token):
                        return
                    self._run_token(token)
                    # A scope ends together with its last element, unless what was thrown or fell due comes before.
                    first = self.crossed or self.env.slept()
                    pausing = self.env.paused() or first
                    delayed = token.alive and "d" in token.internal_data
                    if (first and self.drained) or (pausing and delayed):
                        self._pause(token)
                        return
            elif not self._check_joins():
                return

    def stop(self, outcome: str) -> None:
        """Withdraw everything: cancelled, terminated, or ended by an error that nothing caught."""
        for token in list(self.tasks.values()):
            self.withdraw(token)
        self.agenda.clear()
        self.drained.clear()
        self.outcome = outcome
        self.effects.append(effects.Ended(0, self.spec.name, outcome))

    # -- what the specs ask for --------------------------------------------------------------------

    def new_token(self, spec: NodeSpec, scope: int, **facts: Any) -> Token:
        """A token that has not arrived anywhere yet."""
        self.counter += 1
        token = Token(self, spec, scope, self.counter, facts)
        if "x" not in facts:
            self.scopes[scope].live += 1
        return token

    def enter(self, node: str, scope: int, **facts: Any) -> Token:
        """A new token arrives at a node, whose spec decides whether it is ready or waits."""
        spec: NodeSpec = self.spec.task_specs[node]
        token = self.new_token(spec, scope, **facts)
        spec._update(token)
        return token

    def visit(self, token: Token) -> None:
        """The element begins: for the history, and to notice a loop that never waits."""
        self.meter.visit()
        self.effects.append(effects.Entered(token.id, token.task_spec.name))

    def set(self, token: Token, values: Mapping[str, object]) -> None:
        """Variables change, by a token: the later completion wins (docs/bpmn-support.md)."""
        if values:
            text = written(values)
            kept = orjson.loads(text)
            self.meter.weigh(len(text))
            self.data.update(kept)
            self.dirty = True
            self.effects.append(effects.Changed(token.id, token.task_spec.name, kept))

    def correct(self, values: Mapping[str, object]) -> None:
        """Variables are put right from outside; conditions that wait for them are looked at again."""
        self.data.update(plain(values))
        self.look_again()

    def look_again(self) -> None:
        """Go on, and look at the conditions once more."""
        self.dirty = True
        self.drive()

    def withdraw(self, token: Token) -> None:
        """Take a token away with all that hangs on it."""
        if not token.alive:
            return
        for each in self._dependents(token):
            self.withdraw(each)
        self.scopes.pop(token.internal_data.get("s", -1), None)
        if token.alive:
            token.cancel()
            self._drop(token, effects.Withdrawn)

    def absorb(self, token: Token) -> None:
        """Take a token away that another one, arrived at the same place, goes on for."""
        token.cancel()
        self._drop(token, None)

    def open_scope(self, element: str, token: Token | None) -> Scope:
        """Begin a process or sub-process and lay out the triggers of its event sub-processes."""
        self.counter += 1
        parent = None if token is None else token.scope
        scope = Scope(self.counter, element, None if token is None else token.id, parent)
        self.scopes[scope.id] = scope
        if token is not None:
            token.internal_data["s"] = scope.id
        for trigger in self.spec.triggers(element):
            waiting = self.new_token(self.spec.task_specs[trigger], scope.id, x=1)
            waiting._set_state(TaskState.WAITING)
            waiting.task_spec.arm(waiting)
        return scope

    def at(self, node: str, scope: int | None = None) -> Iterator[Token]:
        """The live tokens on a node."""
        for token in list(self.tasks.values()):
            if token.task_spec.name == node and (scope is None or token.scope == scope):
                yield token

    # -- SpiffWorkflow's notifications -------------------------------------------------------------

    def _task_completed_notify(self, task: Token) -> None:
        if task.alive:
            for each in self._dependents(task):
                self.withdraw(each)
            self._drop(task, effects.Finished)

    # -- inside ------------------------------------------------------------------------------------

    def _dependents(self, token: Token) -> list[Token]:
        facts = token.internal_data
        found = [self.tasks[number] for number in facts.get("b", ()) if number in self.tasks]
        if "s" in facts or "q" in facts or token.task_spec.awaits_events:
            for each in self.tasks.values():
                if each.scope == facts.get("s", -1) or token.id in (
                    each.internal_data.get("g"),
                    each.internal_data.get("k"),
                ):
                    found.append(each)
        return found

    def _drop(self, token: Token, kind: type[effects.Finished] | type[effects.Withdrawn] | None) -> None:
        del self.tasks[token.id]
        if kind is not None and token.task_spec.waits:
            self.effects.append(kind(token.id, token.task_spec.name))
        scope = self.scopes.get(token.scope)
        if scope is not None and "x" not in token.internal_data:
            scope.live -= 1
            if scope.live == 0:
                self.drained.append(scope.id)

    def _pause(self, token: Token) -> None:
        self.effects.append(effects.Paused(token.id, token.task_spec.name))

    def _run_token(self, token: Token) -> None:
        try:
            token.run()
        except BpmnError as error:
            propagation.throw_error(self, token, error.code)
        except EngineError as fault:
            self._fail(token, fault)

    def _exhausted(self, token: Token) -> bool:
        """Whether it went on for too long: it stops here, at one incident, however many tokens are ready."""
        fault = self.meter.fault(len(self.tasks))
        if fault is None:
            return False
        if any(each.internal_data.get("e") == str(fault) for each in self.tasks.values()):
            self.agenda.appendleft(token)  # said once already: the others go on when that one does
        else:
            token._set_state(TaskState.ERROR)
            self._fail(token, fault)
        return True

    def _fail(self, token: Token, fault: EngineError) -> None:
        # What was done before stays done: the step is kept, and a person retries or skips this element.
        if token.alive:
            token.internal_data["e"] = str(fault)
            self.effects.append(effects.Failed(token.id, token.task_spec.name, str(fault), fault))

    def _close_scope(self, number: int) -> None:
        scope = self.scopes.get(number)
        if scope is None or scope.live:
            return
        for token in [each for each in self.tasks.values() if each.scope == number]:
            self.withdraw(token)  # triggers of event sub-processes that never came
        del self.scopes[number]
        if scope.token is None:
            self.outcome = "completed"
            self.effects.append(effects.Ended(0, self.spec.name, "completed"))
            return
        token = self.tasks[scope.token]
        token.internal_data.pop("s", None)
        token.task_spec.scope_ended(token, scope)

    def _check_conditions(self) -> bool:
        if not self.dirty:
            return False
        self.dirty = False
        fired = False
        for number in [n for n, token in self.tasks.items() if "c" in token.internal_data]:
            token = self.tasks.get(number)
            if token is not None and "e" not in token.internal_data:
                try:
                    fired = token.task_spec.reconsider(token) or fired
                except EngineError as fault:
                    self._fail(token, fault)
        return fired

    def _check_joins(self) -> bool:
        joins = [token for token in self.tasks.values() if token.task_spec.waits_for_upstream]
        waiting = {(token.scope, token.task_spec.name): token for token in joins}
        return any(token.task_spec.join(token) for token in waiting.values())
