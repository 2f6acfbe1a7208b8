"""What a diagram has to fulfil so that it runs as BPMN 2.0 says: everything else is refused.

Two sorts of rules stand here: those of the standard (OMG formal/2013-12-09; each rule names its clause), and
those that refuse what is legal BPMN but not run here, so that nothing is ever dropped in silence.
docs/bpmn-support.md lists both for process owners.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import chain

from engine.bpmn.diagram import Diagram
from engine.bpmn.rules import activities, events, flows, joins, properties, reach, texts
from engine.bpmn.rules.chart import Chart, error
from engine.errors import Finding

_Rule = Callable[[Chart], Iterator[Finding]]

_RULES: tuple[_Rule, ...] = (
    *(flows.ids, flows.ends, flows.attachment, flows.choices, flows.gateways),
    *(events.definitions, events.boundaries, events.compensation, events.links),
    *(activities.kinds_of_activity, activities.loops, activities.scopes),
    *(properties.known, properties.written),
    *(texts.expressions, texts.values, texts.timers, texts.dues),
)
_ON_PATHS: tuple[_Rule, ...] = (reach.unreachable, reach.endless, joins.stuck)
"""Judged only where every flow has two ends."""

_FOREIGN = ("choreography", "globalConversation", "conversation")


def findings(diagram: Diagram, *, functions: Collection[str] = ()) -> list[Finding]:
    """Every reason why the diagram cannot run faithfully, each of level `error`; none when it can.

    `functions` are the names that expressions and scripts may call besides those the language has itself.
    A process marked as not executable is another participant's view, and is not judged beside one that is.
    """
    found = [
        error(identity or f"line {line}", "A {tag} is not run", "Draw a process", tag=tag)
        for tag, identity, line in diagram.others
        if tag in _FOREIGN
    ]
    executable = [process for process in diagram.processes.values() if process.executable]
    if not executable:
        found.extend(
            error(name, "The process is marked as not executable", 'Set isExecutable="true"')
            for name in diagram.processes
        )
    for process in executable or diagram.processes.values():
        chart = Chart(diagram, process, frozenset(functions))
        found.extend(chain.from_iterable(rule(chart) for rule in _RULES))
        if not flows.unconnected(chart):
            found.extend(chain.from_iterable(rule(chart) for rule in _ON_PATHS))
    return _once(found)


def _once(found: list[Finding]) -> list[Finding]:
    """The findings without repetitions, in their order."""
    return list({(each.element, each.reason): each for each in found}.values())
