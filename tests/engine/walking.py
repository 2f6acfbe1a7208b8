"""Random walks: one process moved by itself, without rows, in memory or through its bytes after every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from engine.bpmn import state
from engine.bpmn.process import ProcessSpec
from engine.bpmn.reader import read
from engine.bpmn.run import Run
from engine.commands.environment import expression, script
from tests.engine.blocks import Action

WAITING = {"userTask": "do", "manualTask": "do", "serviceTask": "do", "callActivity": "do"}


class Environment:
    """Expressions and scripts of the language; handlers run outside; unknown names are `guesses` at random."""

    def __init__(
        self, defaults: dict[str, Any] | None = None, seed: int = 0, guesses: Sequence[Any] = (True, False)
    ) -> None:
        self.defaults, self.random, self.guesses = defaults or {}, Random(seed), guesses

    def evaluate(self, text, variables):
        compiled = expression(text, frozenset())
        guessed = {name: self.random.choice(self.guesses) for name in sorted(compiled.names)}
        return compiled.evaluate({**guessed, **self.defaults, **variables}, {})

    def execute(self, text, variables):
        return script(text, frozenset()).execute({**self.defaults, **variables}, {})

    def handle(self, node, variables):
        return None

    def slept(self):
        return False

    def paused(self):
        return False


class Walker:
    """A process under way."""

    def __init__(self, spec: ProcessSpec, *, reload: bool, env: Environment | None = None) -> None:
        self.spec, self.reload, self.env = spec, reload, env or Environment()
        self.run = Run(spec, self.env)
        self.told: list[Any] = []
        self.run.start({})
        self._after()

    def _after(self) -> None:
        self.told += self.run.effects
        self.run.effects.clear()
        if self.reload and self.run.outcome is None:
            self.run = state.load(state.dump(self.run), state.FORMAT, self.spec, self.env)

    @property
    def ended(self) -> bool:
        return self.run.outcome is not None

    def numbers(self) -> dict[int, Action]:
        """What can be done now, by token."""
        found: dict[int, Action] = {}
        for number, token in self.run.tasks.items():
            node = token.task_spec.node
            if "e" in token.internal_data:
                continue
            if (node.loop is not None and node.loop.multi) or node.tag in WAITING:
                found[number] = ("do", node.id)
            elif "c" in token.internal_data or token.id in self._gateways():
                continue
            elif node.tag in ("intermediateCatchEvent", "boundaryEvent", "receiveTask", "startEvent"):
                found[number] = ("fire", node.id)
        return found

    def _gateways(self) -> set[int]:
        return {n for n, token in self.run.tasks.items() if token.task_spec.node.tag == "eventBasedGateway"}

    def actions(self) -> Counter[Action]:
        return Counter(self.numbers().values())

    def act(self, action: Action, values: dict[str, Any] | None = None) -> None:
        number = next(n for n, each in self.numbers().items() if each == action)
        self.act_on(number, values)

    def act_on(self, number: int, values: dict[str, Any] | None = None) -> None:
        if self.numbers()[number][0] == "do":
            self.run.complete(number, values or {})
        else:
            self.run.fire(number, 0, values or {})
        self._after()


def walker(
    xml: bytes, process: str = "main", *, reload: bool = False, env: Environment | None = None
) -> Walker:
    return Walker(ProcessSpec(read(xml).processes[process]), reload=reload, env=env)
