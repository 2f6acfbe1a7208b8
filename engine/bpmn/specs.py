"""What each kind of BPMN element does: SpiffWorkflow task specs with our semantics (clause 13).

A spec is shared by every instance of its definition and holds no state. The hooks, in the order in which
SpiffWorkflow calls them: `_update_hook` (a token arrives: ready, or does it wait?), `_run_hook` (True: done,
None: it waits), `_on_complete_hook` (where the token goes), `_on_cancel`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from SpiffWorkflow.specs.base import TaskSpec
from SpiffWorkflow.util.task import TaskState

from engine.bpmn import effects, propagation
from engine.bpmn.diagram import PERSON_TASKS, SCOPES, Flow, Node
from engine.bpmn.environment import no_truth
from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.bpmn.process import ProcessSpec
    from engine.bpmn.run import Scope, Token


ASIDE = frozenset("ghxu")
"""Facts of what waits on another token's behalf, and has not come: that other token counts."""


class NodeSpec(TaskSpec):  # type: ignore[misc]
    """A flow node. The base passes the token on along every outgoing flow."""

    waits = False
    """Its tokens may leave rows behind (a task, a timer, a batch), to be cleared when the token goes."""
    awaits_events = False
    """An event-based gateway: other tokens wait on its behalf."""
    waits_for_upstream = False
    """A converging inclusive gateway: asked again when everything else waits."""
    triggered_by_event = False

    def __init__(self, process: ProcessSpec, node: Node) -> None:
        super().__init__(process, node.id)
        self.node = node
        self.process = process

    # -- SpiffWorkflow's hooks -------------------------------------------------------------------

    def test(self) -> None:
        """Nothing to test at run time: `rules` judged the diagram when it was published."""

    def _update_hook(self, my_task: Token) -> bool:
        return True

    def _on_ready_hook(self, my_task: Token) -> None:
        my_task.workflow.agenda.append(my_task)

    def _run_hook(self, my_task: Token) -> bool | None:
        my_task.workflow.visit(my_task)
        done = self.perform(my_task)
        return done if my_task.alive else None  # it may have interrupted itself

    def _on_complete_hook(self, my_task: Token) -> None:
        if my_task.alive:
            self.leave(my_task)

    def _on_error_hook(self, my_task: Token) -> None:
        """The drive decides: an incident, or a BPMN error on its way out."""

    def _on_cancel(self, my_task: Token) -> None:
        """What hangs on the token is withdrawn by the run."""

    # -- ours ------------------------------------------------------------------------------------

    def perform(self, token: Token) -> bool | None:
        """What the element does. True: done; None: the token waits."""
        return True

    def leave(self, token: Token) -> None:
        """Send tokens on when the element is done."""
        for flow in self.chosen(token):
            self.follow(token, flow)

    def chosen(self, token: Token) -> list[Flow]:
        """The outgoing flows to follow: the unconditional, those whose condition holds, else the default."""
        unconditional = [f for f in self.node.outgoing if f.condition is None and f.id != self.node.default]
        conditional = [f for f in self.node.outgoing if f.condition is not None and f.id != self.node.default]
        if len(unconditional) == len(self.node.outgoing):
            return unconditional
        holding = [flow for flow in conditional if self.holds(token, flow)]
        default = [flow for flow in self.node.outgoing if flow.id == self.node.default]
        chosen = unconditional + (holding or default)
        if not chosen:
            raise EngineError("No outgoing flow's condition holds and there is no default flow")
        return sorted(chosen, key=self.node.outgoing.index)

    def holds(self, token: Token, flow: Flow) -> bool:
        return self.meets(token, flow, {})

    def meets(self, token: Token, flow: Flow, more: Mapping[str, object]) -> bool:
        """Whether the flow's condition holds, with `more` to be seen than the variables."""
        run = token.workflow
        value = run.env.evaluate(flow.condition or "", {**run.data, **more} if more else run.data)
        if not isinstance(value, bool):
            raise no_truth(EngineError("The condition of flow {flow}", flow=flow.id), value)
        return value

    def follow(self, token: Token, flow: Flow) -> None:
        token.workflow.enter(flow.target, token.scope, f=flow.id)

    def catcher(self, kind: str, code: str) -> str | None:
        """The boundary event here that catches an error or escalation; an exact code before a catch-all."""
        return None

    def awaited(self, kind: str, name: str) -> int | None:
        """Which of the definitions waited for is that message or signal."""
        return None

    def happen(self, token: Token, index: int) -> None:
        """The event waited for has come."""
        raise EngineError("{element} waits for no event", element=self.name)

    def compensated(self, token: Token) -> None:
        """All compensation that the token waited for is done."""
        token.complete()


class ActivitySpec(NodeSpec):
    """Base of the activities: boundary events, loops, compensation (13.3)."""

    def __init__(self, process: ProcessSpec, node: Node) -> None:
        super().__init__(process, node)
        self.boundary = process.boundary.get(node.id, [])
        self.armed = [
            each.id
            for each in self.boundary
            if any(d.kind in ("timer", "message", "signal", "conditional") for d in each.events)
        ]
        self.waits = True

    def _update_hook(self, my_task: Token) -> bool:
        return self.node.quantities[0] == 1 or "f" not in my_task.internal_data or self.gather(my_task)

    def _run_hook(self, my_task: Token) -> bool | None:
        return True if my_task.internal_data.pop("d", None) else super()._run_hook(my_task)

    def gather(self, token: Token) -> bool:
        """Wait until as many tokens came as startQuantity says; they are one then (13.3.2)."""
        run, here = token.workflow, []
        for each in run.at(self.name, token.scope):
            if each.state == TaskState.WAITING and "f" in each.internal_data:
                here.append(each)
        missing = self.node.quantities[0] - 1 - len(here)
        if missing > 0:
            token._set_state(TaskState.WAITING)
            return False
        for each in here:
            run.absorb(each)
        return True

    def catcher(self, kind: str, code: str) -> str | None:
        return propagation.match(self.boundary, kind, code)

    def perform(self, token: Token) -> bool | None:
        loop = self.node.loop
        if loop is not None and not loop.multi and loop.test_before and "n" not in token.internal_data:
            token.internal_data["n"] = 0
            if not self.again(token, 0):
                token.internal_data["n"] = -1
                return True
        done = self.open_batch(token) if loop is not None and loop.multi else self.act(token)
        if done and self.armed and token.alive and token.workflow.env.slept():
            token.internal_data["d"] = 1
            done = None
        if done is None and token.alive and "b" not in token.internal_data:
            self.arm_boundary(token)
        return done

    def act(self, token: Token) -> bool | None:
        """What the activity does once."""
        return True

    def arm_boundary(self, token: Token) -> None:
        run = token.workflow
        waiting = []
        for each in self.armed:
            event = run.new_token(run.spec.task_specs[each], token.scope, h=token.id)
            event._set_state(TaskState.WAITING)
            waiting.append(event)
        if waiting:
            token.internal_data["b"] = [event.id for event in waiting]
        for event in waiting:
            if event.alive:
                event.task_spec.arm(event)

    def open_batch(self, token: Token) -> bool | None:
        run, loop = token.workflow, self.node.loop
        assert loop is not None
        items: tuple[object, ...] | None = None
        if loop.cardinality is not None:
            count = run.env.evaluate(loop.cardinality, run.data)
            if isinstance(count, bool) or not isinstance(count, int) or count < 0:
                raise EngineError(
                    "The number of instances is {count!r}, not a whole number from 0: `flow instance correct` puts the "
                    "variable right with --set NAME:=5, without quotes",
                    count=count,
                )
            items = tuple(range(min(count, effects.MAX_ITEMS + 1)))
        elif loop.collection is not None:
            found = run.data.get(loop.collection)
            if not isinstance(found, (list, dict)):
                raise EngineError("Variable {name} is no list to take instances from", name=loop.collection)
            items = tuple(found.values() if isinstance(found, dict) else found)
        if items == ():
            return True
        run.effects.append(
            effects.Called(token.id, self.name, multi=True, items=items, sequential=loop.sequential)
        )
        return None

    def again(self, token: Token, done: int) -> bool:
        """Whether a standard loop goes round once more after so many laps (13.3.6)."""
        loop, run = self.node.loop, token.workflow
        if loop is None or loop.multi or token.internal_data.get("n") == -1:
            return False
        if loop.maximum is not None and done >= int(loop.maximum):
            return False
        if not loop.condition:
            return loop.maximum is not None
        value = run.env.evaluate(loop.condition, {**run.data, "loopCounter": done})
        if not isinstance(value, bool):
            raise no_truth(EngineError("The loop's condition"), value)
        return value

    def leave(self, token: Token) -> None:
        run, facts, scope = token.workflow, token.internal_data, token.workflow.scopes[token.scope]
        laps = facts.get("n", 0) + 1
        if self.again(token, laps):
            if "k" not in facts:
                propagation.keep_record(run, scope, self.name, facts.pop("r", []))
            kept = {key: facts.pop(key) for key in ("b", "k") if key in facts}
            for number in kept.get("b", ()):
                run.tasks[number].internal_data["h"] = run.counter + 1
            run.enter(self.name, token.scope, n=laps, **kept)
            return
        if "k" in facts:
            propagation.proceed(run, run.tasks[facts["k"]])
            return
        flows = self.chosen(token)
        if laps:  # else it was not done at all
            propagation.keep_record(run, scope, self.name, facts.pop("r", []))
        for flow in flows:
            for _ in range(self.node.quantities[1]):
                self.follow(token, flow)


class ScriptSpec(ActivitySpec):
    """Script task: atomic; on a fault its variables stay as they were."""

    def act(self, token: Token) -> bool | None:
        run = token.workflow
        run.set(token, run.env.execute(self.node.script or "", run.data))
        return True


class PersonSpec(ActivitySpec):
    """User task or manual task: waits for a person."""

    def act(self, token: Token) -> bool | None:
        token.workflow.effects.append(effects.TaskOpened(token.id, self.name))
        return None


class ServiceSpec(ActivitySpec):
    """Service task: an inside handler runs at once, an outside one is a job after the commit."""

    def act(self, token: Token) -> bool | None:
        run = token.workflow
        result = run.env.handle(self.node, run.data)
        if result is None:
            handler = self.node.properties.get("flow.handler", "").strip()
            run.effects.append(effects.Requested(token.id, self.name, handler))
            return None
        run.set(token, result)
        return True


class SendSpec(ActivitySpec):
    """Send task: the message leaves and the token goes on."""

    def act(self, token: Token) -> bool | None:
        propagation.send(token.workflow, token, self.node.message or self.name)
        return True


class CallSpec(ActivitySpec):
    """Call activity: a child instance in a row of its own; the token waits for its end."""

    def act(self, token: Token) -> bool | None:
        token.workflow.effects.append(effects.Called(token.id, self.name, multi=False))
        return None


class SubProcessSpec(ActivitySpec):
    """Embedded sub-process, transaction or event sub-process: a scope inside the same instance."""

    def __init__(self, process: ProcessSpec, node: Node) -> None:
        super().__init__(process, node)
        self.triggered_by_event = node.triggered_by_event

    def act(self, token: Token) -> bool | None:
        run = token.workflow
        scope = run.open_scope(self.name, token)
        scope.records = token.internal_data.pop("r", [])
        for node in self.process.starts(self.name, None):
            run.enter(node, scope.id)
        if not scope.live:
            run.drained.append(scope.id)
        return None

    def scope_ended(self, token: Token, scope: Scope) -> None:
        if scope.records:
            token.internal_data["r"] = scope.records
        token.complete()


def activity_spec(node: Node) -> type[ActivitySpec]:
    """The spec for an activity's tag."""
    if node.tag in PERSON_TASKS:
        return PersonSpec
    if node.tag in SCOPES:
        return SubProcessSpec
    return {
        "scriptTask": ScriptSpec,
        "serviceTask": ServiceSpec,
        "businessRuleTask": ServiceSpec,
        "sendTask": SendSpec,
        "callActivity": CallSpec,
    }.get(node.tag, ActivitySpec)
