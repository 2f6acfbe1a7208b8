"""What gateways do: which way tokens go on, and which they wait for (10.6, 13.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from SpiffWorkflow.util.task import TaskState

from engine.bpmn.diagram import Flow, Node
from engine.bpmn.environment import no_truth
from engine.bpmn.specs import ASIDE, NodeSpec
from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.bpmn.process import ProcessSpec
    from engine.bpmn.run import Token


class ExclusiveSpec(NodeSpec):
    """Exclusive gateway (13.4.2): the first flow that holds, in document order; else the default."""

    def chosen(self, token: Token) -> list[Flow]:
        others = [flow for flow in self.node.outgoing if flow.id != self.node.default]
        for flow in others:
            if flow.condition is None or self.holds(token, flow):
                return [flow]
        default = [flow for flow in self.node.outgoing if flow.id == self.node.default]
        if not default and self.node.outgoing:
            raise EngineError("No outgoing flow's condition holds and there is no default flow")
        return default


class ParallelSpec(NodeSpec):
    """Parallel gateway (13.4.1): one token from every incoming flow; what is in excess stays."""

    def _update_hook(self, my_task: Token) -> bool:
        if len(self.node.incoming) < 2:
            return True
        my_task._set_state(TaskState.WAITING)
        self.join(my_task)
        return False

    def join(self, token: Token) -> bool:
        arrived: dict[str, Token] = {}
        for each in token.workflow.at(self.name, token.scope):
            if each.state == TaskState.WAITING:
                arrived.setdefault(each.internal_data["f"], each)
        if len(arrived) < len(self.node.incoming):
            return False
        self.merge(list(arrived.values()))
        return True

    def merge(self, arrived: list[Token]) -> None:
        """The latest arrival goes on for all."""
        last = arrived.pop()
        for each in arrived:
            each.complete()
        last.internal_data["f"] = ""
        last._ready()

    def _on_complete_hook(self, my_task: Token) -> None:
        if my_task.alive and (len(self.node.incoming) < 2 or my_task.internal_data.get("f") == ""):
            self.leave(my_task)

    def chosen(self, token: Token) -> list[Flow]:
        return list(self.node.outgoing)


def still_coming(spec: NodeSpec, token: Token, arrived: Collection[str]) -> bool:
    """Whether a token elsewhere can reach one of the gateway's flows that none has `arrived` on (13.4.3)."""
    waited = waited_for(spec.process, spec.name, arrived)
    for each in token.workflow.tasks.values():
        if each.scope != token.scope or each.task_spec is spec or each.internal_data.keys() & ASIDE:
            continue
        if spec.process.bit[each.task_spec.name] & waited:
            return True
    return False


def waited_for(process: ProcessSpec, gateway: str, arrived: Collection[str]) -> int:
    """The nodes on which a token is waited for, by their bits, when one has `arrived` on these flows (13.4.3).

    As the standard has it, one from which a flow that has a token is reachable too is not waited for. Sequence
    flows decide; the way over a boundary event counts only for a token that has no other way to the gateway.
    """
    waited = near = 0
    for by_events in (False, True):
        upstream = process.upstream(gateway, by_events=by_events)
        taken = reduce(or_, (upstream[flow] for flow in arrived), 0)
        empty = reduce(or_, (reach for flow, reach in upstream.items() if flow not in arrived), 0)
        waited |= empty & ~taken & ~near
        near = taken | empty
    return waited


class InclusiveSpec(ParallelSpec):
    """Inclusive gateway (13.4.3): waits while a token elsewhere can still reach an empty incoming flow."""

    def __init__(self, process: ProcessSpec, node: Node) -> None:
        super().__init__(process, node)
        self.waits_for_upstream = len(node.incoming) > 1

    def _update_hook(self, my_task: Token) -> bool:
        if not self.waits_for_upstream:
            return True
        my_task._set_state(TaskState.WAITING)
        return False

    def join(self, token: Token) -> bool:
        run = token.workflow
        arrived: dict[str, Token] = {}
        for each in run.at(self.name, token.scope):
            if each.state == TaskState.WAITING:
                arrived.setdefault(each.internal_data["f"], each)
        if not arrived:
            return False
        if still_coming(self, token, arrived):
            return False
        self.merge(list(arrived.values()))
        return True

    def chosen(self, token: Token) -> list[Flow]:
        return NodeSpec.chosen(self, token)


class ComplexSpec(NodeSpec):
    """Complex gateway (13.4.5): goes on as soon as its activation condition holds, then waits for the late ones.

    The condition sees `activationCount`, the number of incoming flows that have a token, and under each flow's
    id the number of tokens on it. Once it went on, a token stays here (fact a: the flows taken in) until nothing
    more can come on the other flows; what came on them is then taken in, and only the outgoing flows whose
    condition asks for `waitingForStart` are looked at again, with False for it.
    """

    def __init__(self, process: ProcessSpec, node: Node) -> None:
        super().__init__(process, node)
        self.waits_for_upstream = len(node.incoming) > 1

    def _run_hook(self, my_task: Token) -> bool | None:
        if _late(my_task):
            return True
        if self.waits_for_upstream and my_task.internal_data["f"] and not self.activated(my_task):
            return None
        return super()._run_hook(my_task)

    def activated(self, token: Token) -> bool:
        """Whether enough has come; what came is then one token, which goes on."""
        run, facts = token.workflow, token.internal_data
        if any(_late(each) for each in run.at(self.name, token.scope)):
            return False
        here = self.waiting(token)
        arrived: dict[str, Token] = {facts["f"]: token}
        for each in here:
            arrived.setdefault(each.internal_data["f"], each)
        counts = Counter(each.internal_data["f"] for each in here)
        seen = {flow.id: counts[flow.id] for flow in self.node.incoming}
        seen |= {"activationCount": len(arrived), "waitingForStart": True}
        value = run.env.evaluate(self.node.activation or "", {**run.data, **seen})
        if not isinstance(value, bool):
            raise no_truth(EngineError("The activation condition"), value)
        if not value:
            return False
        facts.update(f="", a=sorted(arrived))
        for each in arrived.values():
            if each is not token:
                run.absorb(each)
        return True

    def holds(self, token: Token, flow: Flow) -> bool:
        return self.meets(token, flow, {"waitingForStart": not _late(token)})

    def leave(self, token: Token) -> None:
        if _late(token):
            self.begin_anew(token)
            return
        super().leave(token)
        if "a" in token.internal_data:
            late = token.workflow.new_token(self, token.scope, a=token.internal_data["a"])
            late._set_state(TaskState.WAITING)

    def begin_anew(self, token: Token) -> None:
        """Take in what came late, and wait for the next round."""
        run, taken = token.workflow, list(token.internal_data["a"])
        asking = [flow for flow in self.node.outgoing if "waitingForStart" in (flow.condition or "")]
        chosen = [flow for flow in asking if self.holds(token, flow)]
        for each in self.waiting(token):
            if each.internal_data["f"] not in taken:
                taken.append(each.internal_data["f"])
                run.absorb(each)
            elif "e" not in each.internal_data:
                each._ready()
        for flow in chosen:
            self.follow(token, flow)

    def waiting(self, token: Token) -> list[Token]:
        """The tokens that came and were not yet taken in, oldest first."""
        here = token.workflow.at(self.name, token.scope)
        return [each for each in here if each.internal_data.get("f")]

    def join(self, token: Token) -> bool:
        here = token.workflow.at(self.name, token.scope)
        late = next((each for each in here if _late(each) and each.state == TaskState.WAITING), None)
        if late is None:
            return False
        arrived = [each.internal_data["f"] for each in self.waiting(token)]
        if still_coming(self, late, [*arrived, *late.internal_data["a"]]):
            return False
        late._ready()
        return True


def _late(token: Token) -> bool:
    """Whether the token stays at a complex gateway for those that come late."""
    return "a" in token.internal_data and "f" not in token.internal_data


class EventGatewaySpec(NodeSpec):
    """Event-based gateway (13.4.4): the first of the events behind it decides, the others are withdrawn.

    Where it begins the instance, the event that did has come already (fact w); a parallel one waits for all others.
    """

    awaits_events = True

    def perform(self, token: Token) -> bool | None:
        run, came = token.workflow, token.internal_data.get("w")
        targets = [run.spec.task_specs[flow.target] for flow in self.node.outgoing]
        first = None if came is None else next(each for each in targets if each.awaited(*came) is not None)
        if first is not None:
            run.enter(first.name, token.scope, w=came)
        if first is not None or self.node.parallel_multiple:
            for each in targets if self.node.parallel_multiple else ():
                if each is not first:
                    run.enter(each.name, token.scope)
            return True
        waiting = []
        for each in targets:
            event = run.new_token(each, token.scope, g=token.id)
            event._set_state(TaskState.WAITING)
            waiting.append(event)
        for event in waiting:
            if event.alive:
                event.task_spec.arm(event)
        return None

    def awaited(self, kind: str, name: str) -> int | None:
        specs = [self.process.task_specs[flow.target] for flow in self.node.outgoing]
        places = [place for place, each in enumerate(specs) if each.awaited(kind, name) is not None]
        return places[0] if places else None

    def leave(self, token: Token) -> None:
        """The event that came goes on by itself."""
