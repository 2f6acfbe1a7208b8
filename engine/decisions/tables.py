"""One decision table out of its XML, every fault with its column and rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from lxml import etree

from engine.decisions.cells import Cell, Operand, read_cell, read_list, read_value
from engine.decisions.deciding import misfit
from engine.decisions.document import child, children, local, named
from engine.decisions.model import AGGREGATIONS, POLICIES, TYPES, Decision, Input, Output, Rule, fits
from engine.errors import EngineError, Finding, Misbuilt

_PARTS: Final = ("description", "extensionElements", "input", "output", "rule", "annotation")
_NAME: Final = re.compile(r"[^\W\d]\w*")
_LANGUAGE: Final = re.compile(r"feel|https?://www\.omg\.org/spec/(DMN|FEEL)/\S*", re.IGNORECASE)

T = TypeVar("T")


@dataclass
class TableReader:
    """A decision on its way to values, and what was found amiss."""

    decision: str
    """Its id."""
    faults: list[Finding]
    cells: dict[str, Cell] = field(default_factory=dict)
    """Those for inputs, by text: they repeat."""

    def fault(self, element: etree._Element, template: str, remedy: str, /, **params: object) -> None:
        """Note a fault at an element of the file."""
        self.faults.append(Finding("error", "", self.decision, template, remedy, params, element.sourceline))

    def read(self, element: etree._Element, table: etree._Element, file: str) -> Decision | None:
        """The decision that the table makes; None when it cannot be read."""
        before = len(self.faults)
        for each in children(table):
            if local(each) not in _PARTS:
                template, remedy = (
                    "The {tag} has no place in a decision table",
                    "Delete it, or draw the table anew in a DMN editor",
                )
                self.fault(each, template, remedy, tag=local(each))
        variable = child(element, "variable")
        name = "" if variable is None else (variable.get("name") or "").strip()
        policy, aggregation = self.policy(table)
        inputs = [self.input(each) for each in named(table, "input")]
        outputs = self.outputs(table, name)
        rules = [self.rule(each, n, inputs, outputs) for n, each in enumerate(named(table, "rule"), 1)]
        if not rules:
            self.fault(table, "The table has no rule", "Write one, or delete the decision")
        if len(self.faults) > before:
            return None
        decision = Decision(
            id=self.decision,
            name=" ".join((element.get("name") or self.decision).split()),
            file=file,
            line=element.sourceline or 0,
            policy=policy,
            aggregation=aggregation,
            inputs=tuple(filter(None, inputs)),
            outputs=tuple(outputs),
            rules=tuple(filter(None, rules)),
            variable=name if _NAME.fullmatch(name) else "",
        )
        self.whole(table, decision)
        return decision

    def policy(self, table: etree._Element) -> tuple[str, str]:
        """The hit policy and the aggregation."""
        policy, aggregation = table.get("hitPolicy", "UNIQUE"), table.get("aggregation", "")
        if policy not in POLICIES:
            template, remedy = "There is no hit policy {policy}", "Write one of {known}"
            self.fault(table, template, remedy, policy=policy[:40], known=", ".join(POLICIES))
        if aggregation and aggregation not in AGGREGATIONS:
            template, remedy = "There is no aggregation {aggregation}", "Write one of {known}"
            known = ", ".join(AGGREGATIONS)
            self.fault(table, template, remedy, aggregation=aggregation[:40], known=known)
        elif aggregation and policy != "COLLECT":
            template = "Results are aggregated under the hit policy COLLECT only"
            self.fault(table, template, "Choose COLLECT, or delete the aggregation")
        return policy, aggregation

    def whole(self, table: etree._Element, decision: Decision) -> None:
        """What the columns and rules of a table have to be together."""
        if decision.aggregation and len(decision.outputs) > 1:
            remedy = "Keep one output, or make a table of each"
            self.fault(table, "Results of several outputs cannot be aggregated", remedy)
        ranked = decision.policy in ("PRIORITY", "OUTPUT ORDER")
        if ranked and not any(each.allowed for each in decision.outputs):
            template = "The hit policy {policy} needs the order of the results"
            remedy = "List the values of an output, the most important first, or choose FIRST or RULE ORDER"
            self.fault(table, template, remedy, policy=decision.policy)

    # -- columns -----------------------------------------------------------------------------------

    def input(self, element: etree._Element) -> Input | None:
        """A column that is tested."""
        expression = child(element, "inputExpression")
        text = "" if expression is None else self.text(expression)
        label = " ".join((element.get("label") or text or "?").split())[:60]
        if expression is None or not text.strip():
            remedy = "Write the variable whose value the column tests"
            self.fault(element, "Column {heading} reads nothing", remedy, heading=label)
            return None
        head = self.attempt(read_value, text, expression, label)
        type_ = self.type(expression, label)
        allowed = self.listed(element, "inputValues", read_cell, label)
        if head is None:
            return None
        found = Input(label, head, type_, allowed)
        if allowed is not None:
            self.fitting(element, found, allowed, None)
        return found

    def outputs(self, table: etree._Element, variable: str) -> list[Output]:
        """The columns of results, each with a name of its own."""
        elements = named(table, "output")
        found: list[Output] = []
        if not elements:
            self.fault(table, "The table has no output", "Add a column for the result")
        for element in elements:
            name = (element.get("name") or "").strip()
            if not name and len(elements) == 1:
                name = variable or self.decision  # a single result needs no name of its own
            twice = any(name == each.name for each in found)
            if twice or not _NAME.fullmatch(name):
                template = "The name of the output {heading} cannot be a variable"
                if twice:
                    template = "The name of the output {heading} stands twice"
                remedy = "Give it a name of letters, digits and _ that begins with a letter"
                self.fault(element, template, remedy, heading=name or element.get("label") or "?")
            found.append(self.output(element, name))
        return found

    def output(self, element: etree._Element, name: str) -> Output:
        """One column of results."""
        allowed = self.listed(element, "outputValues", read_list, name) or ()
        if any(each.expression is not None for each in allowed):
            template = "Column {heading}: its values are no constants"
            self.fault(element, template, 'List them as in "a", "b"', heading=name)
        found = Output(name, self.type(element, name), tuple(each.constant for each in allowed))
        default = child(element, "defaultOutputEntry")
        if default is None or not self.text(default).strip():
            return found
        return replace(found, default=self.conclusion(default, found, None))

    def listed(self, column: etree._Element, tag: str, read: Callable[[str], T], label: str) -> T | None:
        """The values that a column may have, if they are listed."""
        element = child(column, tag)
        text = "" if element is None else self.text(element)
        return self.attempt(read, text, column, label) if text.strip() else None

    def type(self, element: etree._Element, column: str) -> str:
        """The type of a column; empty when it takes any value."""
        written = (element.get("typeRef") or "").rpartition(":")[2].strip()
        if written.lower() not in TYPES:
            template, remedy = "Column {heading}: the type {type} is not known", "Write one of {known}"
            known = "string, boolean, number, integer, date, Any"
            self.fault(element, template, remedy, heading=column, type=written[:40], known=known)
        return TYPES.get(written.lower(), "")

    # -- rules -------------------------------------------------------------------------------------

    def rule(
        self, element: etree._Element, number: int, inputs: Sequence[Input | None], outputs: Sequence[Output]
    ) -> Rule | None:
        """A row."""
        entries, exits = named(element, "inputEntry"), named(element, "outputEntry")
        if (len(entries), len(exits)) != (len(inputs), len(outputs)):
            template = (
                "Rule {rule} has {inputs} cells for inputs and {outputs} for outputs, other than its table"
            )
            remedy = "Draw the rule anew in a DMN editor"
            self.fault(element, template, remedy, rule=number, inputs=len(entries), outputs=len(exits))
            return None
        conditions = [self.condition(*each, number) for each in zip(entries, inputs, strict=True)]
        conclusions = [self.conclusion(*each, number) for each in zip(exits, outputs, strict=True)]
        return Rule(
            number,
            element.get("id", ""),
            element.sourceline or 0,
            tuple(each for each in conditions if each is not None),
            tuple(each for each in conclusions if each is not None),
        )

    def condition(self, entry: etree._Element, column: Input | None, rule: int) -> Cell | None:
        """A cell for an input."""
        text = self.text(entry)
        label = column.label if column else "?"
        cell = self.cells.get(text) or self.attempt(read_cell, text, entry, label, rule)
        if cell is not None:
            self.cells[text] = cell
            if column is not None:
                self.fitting(entry, column, cell, rule)
        return cell

    def conclusion(self, entry: etree._Element, output: Output, rule: int | None) -> Operand | None:
        """A cell for an output; an empty one gives null."""
        text = self.text(entry)
        if not text.strip():
            return Operand("")
        found = self.attempt(read_value, text, entry, output.name, rule)
        fault = misfit(output, found.constant) if found is not None and found.expression is None else None
        if fault is not None:
            self.misfit(entry, output.name, rule, fault)
        return found

    # -- cells -------------------------------------------------------------------------------------

    def text(self, element: etree._Element) -> str:
        """What is written in a cell; another language than FEEL is refused."""
        language = (element.get("expressionLanguage") or "").strip()
        if language and not _LANGUAGE.fullmatch(language):
            template, remedy = "The language {language} is not read in tables", "Choose FEEL"
            self.fault(element, template, remedy, language=language[:60])
            return "null"
        found = child(element, "text")
        return "" if found is None else "".join(found.itertext())

    def attempt(
        self, read: Callable[[str], T], text: str, at: etree._Element, column: str, rule: int | None = None
    ) -> T | None:
        """What a text means; None when it cannot be read, which is noted with its place."""
        try:
            return read(text)
        except Misbuilt as error:
            for each in error.findings:
                self.located(
                    at, column, rule, EngineError(each.template, **each.params), each.remedy_template
                )
        return None

    def fitting(self, at: etree._Element, column: Input, cell: Cell, rule: int | None) -> None:
        """Note constants that are not of the column's type: no value would ever pass them."""
        for each in cell.operands:
            values = each.constant if isinstance(each.constant, list) else [each.constant]
            if not all(fits(column.type, value) for value in values):
                fault = EngineError("{value} is no {type}", value=each.text[:60], type=column.type)
                self.misfit(at, column.label, rule, fault)

    def misfit(self, at: etree._Element, column: str, rule: int | None, fault: EngineError) -> None:
        """Note a value that does not belong where it stands."""
        remedy = "Correct it (text stands in quotes), or change the type or the values of the column"
        self.located(at, column, rule, fault, remedy)

    def located(
        self, at: etree._Element, column: str, rule: int | None, fault: EngineError, remedy: str
    ) -> None:
        """Note a fault of a cell, or of a column's head."""
        template = "Column {heading}: {fault}" if rule is None else "Rule {rule}, column {heading}: {fault}"
        params = {**fault.params, "heading": column, "rule": rule, "fault": fault}
        self.fault(at, template, remedy, **params)
