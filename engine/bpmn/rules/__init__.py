"""What a diagram has to fulfil so that it runs as BPMN 2.0 says: everything else is refused.

Two sorts of rules stand here: those of the standard (OMG formal/2013-12-09; each rule names its clause), and
those that refuse what is legal BPMN but not run here, so that nothing is ever dropped in silence.
docs/bpmn-support.md lists both for process owners.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from lxml import etree

from engine.bpmn.diagram import Diagram
from engine.bpmn.rules import (
    activities,
    collaboration,
    constants,
    data,
    decisions,
    events,
    flows,
    foreign,
    joins,
    messages,
    properties,
    reach,
    references,
    schema,
    shape,
    texts,
    undoing,
)
from engine.bpmn.rules.chart import Chart, error
from engine.bpmn.rules.document import Document
from engine.errors import Finding
from engine.expressions import Texts

MOST = 500
"""Faults that are told; who has more begins with these."""

_Rule = Callable[[Chart], Iterator[Finding]]

_RULES: tuple[_Rule, ...] = (
    *(flows.ids, flows.ends, flows.attachment, flows.choices, flows.gateways),
    *(shape.ends, shape.gateways, shape.conditions, shape.called),
    *(events.definitions, events.boundaries, events.compensation, events.links, undoing.out_of_reach),
    *(activities.kinds_of_activity, activities.loops, activities.scopes, activities.twins),
    *(properties.known, properties.written, decisions.deciding),
    *(texts.expressions, texts.values, texts.timers, texts.dues, constants.computed),
)
_ON_PATHS: tuple[_Rule, ...] = (reach.unreachable, reach.endless, joins.stuck)
"""Judged only where every flow has two ends."""

_OF_DOCUMENTS: tuple[Callable[[Document], Iterator[Finding]], ...] = (
    *(references.existing, references.ends_listed),
    *(collaboration.not_run, collaboration.participants, collaboration.message_flows, collaboration.lanes),
    *(data.specifications, data.associations, data.items, data.names, data.operations),
    *(data.codes, data.performers, data.imports),
    *(messages.correlation, messages.keyed, messages.addressed),
    *(
        foreign.extensions,
        foreign.strays,
        foreign.attributes,
        foreign.languages,
        shape.directions,
        shape.immediate,
    ),
)


def of_document(root: etree._Element) -> list[Finding]:
    """What is wrong with a file beyond its nodes and flows, and what of it would be dropped in silence."""
    document = Document(root)
    found = chain.from_iterable(rule(document) for rule in _OF_DOCUMENTS)
    return _first(chain(schema.valid(root), found))


def findings(diagram: Diagram, texts: Texts | None = None) -> list[Finding]:
    """Every reason why the diagram cannot run faithfully, each of level `error`; none when it can.

    `texts` knows what expressions and scripts may call besides the functions that the language has itself.
    A process marked as not executable is another participant's view, and is not judged beside one that is.
    """
    return _first(_faults(diagram, texts or Texts()))


def _faults(diagram: Diagram, texts: Texts) -> Iterator[Finding]:
    executable = [process for process in diagram.processes.values() if process.executable]
    if not executable:
        for name in diagram.processes:
            yield error(name, "The process is marked as not executable", 'Set isExecutable="true"')
    for process in executable or diagram.processes.values():
        chart = Chart(diagram, process, texts)
        for rule in _RULES:
            yield from rule(chart)
        if not flows.unconnected(chart):
            for rule in _ON_PATHS:
                yield from rule(chart)


def _first(findings: Iterable[Finding]) -> list[Finding]:
    """The findings in their order, without repetitions; of very many the first."""
    told: dict[tuple[str, str], Finding] = {}
    for each in findings:
        told.setdefault((each.element, each.reason), each)
        if len(told) == MOST:
            template = "There are more faults than these {count}"
            told["", ""] = error("", template, "Correct these, and check again", count=MOST)
            break
    return list(told.values())
