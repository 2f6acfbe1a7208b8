"""What a rehearsal is told while it runs: which elements were entered, and whether it will ever come to rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Set

import orjson
from sqlalchemy import Connection, select

from engine.bpmn.diagram import PERSON_TASKS, SCOPES, Diagram, Node, Process
from engine.bpmn.meter import MAX_TOKENS, crowded
from engine.bpmn.rules.chart import Chart
from engine.bpmn.rules.reach import cycles
from engine.errors import EngineError
from engine.events import Fact
from engine.expressions import Texts
from engine.store import tables

MAX_VISITED = 100_000
"""Elements entered and settings of variables, after which a rehearsal is left as it stands."""
MAX_VISITED_ANEW = 50_000
"""The same where the state is read back after every element, so that each is a transaction."""
_ENTRIES = 200
"""Entries of lists that count as one more when they are set again, by the time it takes."""
_LETTERS = 10_000
"""Characters of what is set that do."""
MAX_STEPS = 11_000
"""Steps, after which it is: a task opened or completed, an instance begun or ended, a message sent or taken.

They are what goes into the journal besides the way, the variables and timers set, so that how the state is kept
changes nothing. The items of a multi-instance activity that is entered for the first time are none: they have a limit
of their own.
"""
_STEPS = {"timer.fired": 3, "message.received": 2}
"""Facts that count for more steps than one, by the time they take."""
_CALLED = 5
"""Steps that the start of an instance by another counts for."""
_CROWD = 4000
"""Bytes of an instance's state that make what is done in it take as long as a step more: some 260 live tokens."""
_LOOKED = 20
"""Acts after which it is looked anew how much goes on in an instance at once."""
_WITHIN = ("task.opened", "batch.opened")
"""Facts that come of another, so that they are no act of their own, in however many transactions they are kept."""
_QUIET = ("instance.moved", "variables.set", "timer.armed")
MAX_FIRED = 4_000
"""Timers that fire while no variable changes and no other element is entered, after which it is."""
MAX_INSTANCES = 10_000
"""Instances of its multi-instance activities, all together, beyond which it is."""
MAX_FAILED = 50
"""Incidents, after which it is."""
MAX_LAPS = 500
"""Times a token comes round with no variable changed and no time passed, before it is held to go on for ever."""
_BEGUN = ""
"""Stands among the elements where an instance began that another started."""


class Watch:
    """Is told every fact: which elements were entered, and whether anything still changes."""

    def __init__(self, diagram: Diagram, functions: Mapping[str, object], *, reload: bool = False) -> None:
        self.most = MAX_VISITED_ANEW if reload else MAX_VISITED
        nodes = [node for process in diagram.processes.values() for node in process.nodes.values()]
        many = [node for node in nodes if node.loop is not None and node.loop.multi]
        self.listed = {node.id for node in many if node.tag in PERSON_TASKS}
        """Tasks of which people do one for each item."""
        self.whole = {node.id for node in many if node.tag in SCOPES or node.tag == "callActivity"}
        """Activities whose instances do not name themselves on their way."""
        self.limits = {} if functions else _limits(diagram)
        self.visited: list[tuple[int, str]] = []
        self.done = 0
        """Elements entered, and variables set by their size."""
        self.values: dict[object, Mapping[str, object]] = {}
        self.children: set[int] = set()
        self.entered: Counter[tuple[int, str]] = Counter()
        """Since anything changed, by the instance, where another one started it."""
        self.now: list[tuple[int, str]] = []
        self.changed = False
        self.moved = False
        """Whether the clock moved on."""
        self.known: set[str] = set()
        """Elements entered since a variable changed."""
        self.fired = 0
        """Timers since a variable changed or another element was entered."""
        self.failed = 0
        self.items = 0
        self.batches: set[tuple[int, str]] = set()
        """Multi-instance activities entered, by the instance."""
        self.steps = 0
        self.acts = 0
        """Tasks completed, timers fired and the like since it was last looked how much goes on at once."""
        self.begun = 0
        """How many steps there were when time last passed."""
        self.left = ""
        """Why no more time was let pass, though nothing is wrong."""
        self.opened = False
        """Whether a task was opened. Whoever looks for the open ones takes it back."""
        self.too_many = ""
        """Why it would take too long, if that can be foreseen."""

    def __call__(self, fact: Fact) -> None:
        facts, instance = fact.facts, fact.instance or 0
        if fact.kind not in _QUIET:
            self.steps += _STEPS.get(fact.kind, 1)
            self.acts += fact.kind not in _WITHIN
        match fact.kind:
            case "instance.moved":
                path = facts["path"]
                assert isinstance(path, list)
                if not self.known.issuperset(path):
                    self.known.update(path)
                    self.fired = 0
                self.done += len(path)
                self.visited += [(instance, element) for element in path]
                own = instance if instance in self.children else 0
                self.now += [(own, element) for element in path if element in self.limits]
            case "instance.started":
                variables = facts["variables"]
                assert isinstance(variables, Mapping)
                self._compare(facts.get("parent"), variables)
                if "parent" in facts:
                    self.children.add(instance)
                    self.steps += _CALLED - 1
                    self.visited.append((instance, _BEGUN))
            case "task.opened":
                self.opened = True
                if facts["element"] in self.listed:
                    self.visited.append((instance, str(facts["element"])))
            case "batch.opened":
                self._opened(instance, fact.subject or "", facts["items"])
            case "element.failed" | "job.failed":
                self.failed += 1
                if facts["reason"] == str(crowded()):
                    template = "Nothing more is done with so many; the rehearsal is left as it stands"
                    self.too_many = str(EngineError(template))
            case "timer.fired":
                self.fired += 1
            case "variables.set":
                written = orjson.dumps(facts)
                self.done += 1 + written.count(b",") // _ENTRIES + len(written) // _LETTERS
                self._compare(fact.instance, facts)

    def _opened(self, instance: int, element: str, items: object) -> None:
        """Each instance of the activity enters it, so that the activity as a whole does not count besides."""
        assert isinstance(items, int)
        if (instance, element) not in self.batches:
            self.batches.add((instance, element))
            self.steps -= items * (2 if element in self.listed else _CALLED + 1)
        if items:
            back = next(n for n, each in enumerate(reversed(self.visited), 1) if each == (instance, element))
            del self.visited[-back]
        self.items += items
        if self.items > MAX_INSTANCES:
            template = (
                "{items} instances of multi-instance activities, the last of them of {element}, are more than the "
                "{limit} that a rehearsal plays; it is left as it stands"
            )
            self.too_many = str(EngineError(template, element=element, items=self.items, limit=MAX_INSTANCES))

    def _compare(self, whose: object, values: Mapping[str, object]) -> None:
        known = self.values.get(whose, {})
        if any(name not in known or known[name] != value for name, value in values.items()):
            self.values[whose] = {**known, **values}
            self.changed = True
            self.known.clear()
            self.fired = 0

    def looks(self) -> bool:
        """Whether it is time to say how much goes on at once. Counted in acts, so that `reload` changes nothing."""
        return self.acts >= _LOOKED

    def crowd(self, size: int) -> None:
        """What was done since it last looked was done in an instance whose state has so many bytes."""
        self.steps += self.acts * (size // _CROWD)
        self.acts = 0

    def may_wait(self) -> bool:
        """Whether time may pass, now that all else is done; `left` says why not."""
        template, params = "", {"times": self.fired, "steps": self.steps}
        if self.fired >= MAX_FIRED:
            template = "Timers fired {times} times while nothing changed; the rehearsal is left as it stands"
        elif self.steps > MAX_STEPS:
            template = (
                "Timers, tasks, instances and messages came and went in {steps} steps, and timers go on; "
                "the rehearsal is left as it stands"
            )
        self.left = str(EngineError(template, **params)) if template else ""
        self.begun, self.moved = self.steps, True
        return not template

    def restless(self) -> str | None:
        """Why it will not come to rest; None while it may. To be asked after every step."""
        if self.changed or self.moved:
            self.entered.clear()
            self.now.clear()
        self.entered.update(self.now)
        round_, self.now, self.changed, self.moved = set(self.now), [], False, False
        if self.too_many:
            return self.too_many
        if self.failed > MAX_FAILED:
            template = "More than {limit} elements failed; the rehearsal is left as it stands"
            return str(EngineError(template, limit=MAX_FAILED))
        if self.done > self.most:
            template = "More than {limit} elements were entered and variables set; the rehearsal is left as it stands"
            return str(EngineError(template, limit=self.most))
        if self.steps - self.begun > MAX_STEPS:
            template = (
                "More than {limit} times tasks, instances and messages came and went while no time passed; "
                "the rehearsal is left as it stands"
            )
            return str(EngineError(template, limit=MAX_STEPS))
        for place in sorted(round_, key=lambda each: -self.entered[each]):
            if self.entered[place] > self.limits[place[1]]:
                template = "{element} was entered {times} times while nothing changed; the loop has no end"
                return str(EngineError(template, element=place[1], times=self.entered[place]))
        return None

    def way(self, conn: Connection, family: Set[int]) -> tuple[str, ...]:
        """The elements that a family of instances entered, in order."""
        instance, batch = tables.instance, tables.batch
        query = select(instance.c.id, batch.c.element).join(batch, batch.c.id == instance.c.batch_id)
        begun = {row.id: row.element for row in conn.execute(query) if row.element in self.whole}
        named = (
            begun.get(number, "") if element == _BEGUN else element
            for number, element in self.visited
            if number in family
        )
        return tuple(filter(None, named))


def _limits(diagram: Diagram) -> dict[str, int]:
    """How often the elements that one can come back to may be entered while nothing changes.

    Beyond that it certainly goes on so for ever: as often as a token may go round, and as there may be tokens.
    Nothing is certain where standard loops count by themselves.
    """
    processes = diagram.processes.values()
    nodes = [node for process in processes for node in process.nodes.values()]
    if any(node.loop is not None and not node.loop.multi for node in nodes):
        return {}
    tokens = (
        MAX_TOKENS if any(map(_multiplies, nodes)) else max((len(each.outgoing) for each in nodes), default=0)
    )
    return {name: MAX_LAPS + tokens for process in processes for name in _returning(diagram, process)}


def _multiplies(node: Node) -> bool:
    """Whether one token here may become several."""
    split = len(node.outgoing) > 1 and node.tag not in ("exclusiveGateway", "eventBasedGateway")
    return split or node.quantities[1] > 1 or _repeats(node)


def _repeats(node: Node) -> bool:
    """Whether an event happens again though nothing led back to it."""
    return bool(node.events) and (
        node.tag == "startEvent" or (node.tag == "boundaryEvent" and not node.interrupting)
    )


def _returning(diagram: Diagram, process: Process) -> Iterator[str]:
    """The nodes of a process that may be entered any number of times."""
    chart = Chart(diagram, process, Texts())
    for loop in cycles({node.id: list(chart.next(node)) for node in chart.nodes}):
        yield from loop
    yield from (node.id for node in chart.nodes if _repeats(node))
