"""Decision tables out of .dmn files (OMG DMN, 1.1 to 1.5), with every fault of them.

Read are decisions made by decision tables, and which of them require which. What else a file may hold is left
alone where it changes no result (input data, knowledge sources, drawing, annotations) and refused where it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lxml import etree

from engine.decisions.document import child, children, local, named, parse
from engine.decisions.model import Decision
from engine.decisions.tables import TableReader
from engine.errors import Finding, Misbuilt
from engine.strict_yaml import nearest

MAX_FINDINGS: Final = 50
"""Faults told of one file."""

_BESIDE: Final = (
    *("description", "extensionElements", "inputData", "knowledgeSource", "itemDefinition", "textAnnotation"),
    *("association", "group", "elementCollection", "performanceIndicator", "organizationUnit"),
)
_OF_DECISION: Final = (
    *("description", "extensionElements", "question", "allowedAnswers", "variable", "informationRequirement"),
    *("authorityRequirement", "supportedObjective", "impactedPerformanceIndicator", "decisionMaker"),
    *("decisionOwner", "usingProcess", "usingTask", "decisionTable"),
)


def read_decisions(files: Mapping[str, bytes]) -> dict[str, Decision]:
    """The decisions of .dmn files, by id. Raises Misbuilt with the faults of all of them."""
    found: dict[str, Decision] = {}
    faults: list[Finding] = []
    for name in sorted(files):
        try:
            decisions = _File(name).read(files[name])
        except Misbuilt as error:
            faults += [replace(each, file=name) for each in error.findings]
            continue
        for each in decisions:
            if each.id in found:
                template, remedy = "The decision stands in {other} too", "Give one of them another id"
                params = {"other": found[each.id].file}
                faults.append(Finding("error", name, each.id, template, remedy, params, each.line))
            found[each.id] = each
    if faults:
        raise Misbuilt(faults)
    return found


@dataclass
class _File:
    """One file on its way to decisions, and what was found amiss."""

    name: str
    faults: list[Finding] = field(default_factory=list)

    def read(self, xml: bytes) -> list[Decision]:
        """Its decisions, each after those that it requires. Raises Misbuilt."""
        root = parse(xml)
        elements = self.decisions(root)
        if not elements and not self.faults:
            self.fault("", root, "The file has no decision", "Draw a decision table, or delete the file")
        tables = {name: self.table(name, element) for name, element in elements.items()}
        required = {name: self.required(name, element, elements) for name, element in elements.items()}
        order = self.ordered(required, elements)
        if self.faults:
            raise Misbuilt(self.faults[:MAX_FINDINGS])
        return [
            replace(table, requires=tuple(required[name]), after=_closure(name, required, order))
            for name in order
            if (table := tables[name]) is not None
        ]

    def fault(self, name: str, at: etree._Element, template: str, remedy: str, /, **params: object) -> None:
        """Note a fault of a decision, or (without a name) of the file."""
        self.faults.append(Finding("error", "", name, template, remedy, params, at.sourceline))

    def decisions(self, root: etree._Element) -> dict[str, etree._Element]:
        """The decisions' elements, by id."""
        found: dict[str, etree._Element] = {}
        for each in children(root):
            name = each.get("id", "")
            if local(each) == "decision":
                if not name or name in found:
                    template = "The id stands twice" if name else "A decision has no id"
                    self.fault(name, each, template, "Give it an id of its own")
                found[name] = each
            elif local(each) not in _BESIDE:
                template, remedy = "The {tag} is not run", "Write what it says into a decision table"
                self.fault(name, each, template, remedy, tag=local(each))
        return found

    def table(self, name: str, element: etree._Element) -> Decision | None:
        """A decision by its table; None when it cannot be read."""
        before = len(self.faults)
        for each in children(element):
            if local(each) not in _OF_DECISION:
                template, remedy = "The {tag} is not run", "Write what it says into a decision table"
                self.fault(name, each, template, remedy, tag=local(each))
        table = child(element, "decisionTable")
        if table is None:
            if len(self.faults) == before:
                self.fault(name, element, "The decision has no decision table", "Draw one")
            return None
        return TableReader(name, self.faults).read(element, table, self.name)

    def required(self, name: str, element: etree._Element, known: Mapping[str, etree._Element]) -> list[str]:
        """The decisions that one requires."""
        found = []
        for requirement in named(element, "informationRequirement"):
            for each in named(requirement, "requiredDecision"):
                other = (each.get("href") or "").removeprefix("#")
                if other in known:
                    found.append(other)
                    continue
                meant = nearest(other, known)
                template = "It requires the decision {other}, which the file does not have"
                remedy = "Did you mean {meant}?" if meant else "Draw it in the same file"
                self.fault(name, each, template, remedy, other=other[:60] or "''", meant=meant)
        return found

    def ordered(self, required: Mapping[str, Sequence[str]], at: Mapping[str, etree._Element]) -> list[str]:
        """The decisions, each after those that it requires."""
        order: dict[str, None] = {}
        waiting = list(required)
        while waiting:
            ready = [each for each in waiting if all(other in order for other in required[each])]
            if not ready:
                template = "The decisions {circle} require one another in a circle, or what stands in one"
                remedy = "Delete one of the requirements"
                self.fault(waiting[0], at[waiting[0]], template, remedy, circle=", ".join(waiting[:10]))
                break
            order |= dict.fromkeys(ready)
            waiting = [each for each in waiting if each not in order]
        return list(order)


def _closure(name: str, required: Mapping[str, Sequence[str]], order: Sequence[str]) -> tuple[str, ...]:
    """All that a decision requires, what others require of those included, in the order given."""
    found: set[str] = set()
    pending = [*required[name]]
    while pending:
        each = pending.pop()
        if each not in found:
            found.add(each)
            pending += required[each]
    return tuple(each for each in order if each in found)
