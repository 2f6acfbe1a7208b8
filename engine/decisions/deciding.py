"""A decision made for given variables, with what an auditor needs to make it again: inputs, rules, results."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.decisions.cells import Values, equal
from engine.decisions.model import Decision, Output, Rule, fits
from engine.errors import EngineError
from engine.expressions import Expression, compile_expression

Result = dict[str, Any]
"""What one rule gives, by the names of the outputs."""

_AGGREGATES: Final[Mapping[str, Expression]] = {
    name: compile_expression(text, ())
    for name, text in {"SUM": "sum(x)", "MIN": "min(x)", "MAX": "max(x)", "COUNT": "len(x)"}.items()
}


@dataclass(frozen=True, slots=True)
class Made:
    """A decision, as it fell."""

    decision: Decision
    inputs: tuple[Any, ...]
    """The value of each input column."""
    rules: tuple[Rule, ...]
    """The rules that applied; under FIRST the first of them."""
    results: tuple[Result, ...]

    @property
    def values(self) -> Result:
        """A value for each output: under the hit policies that give several, the list of them."""
        if not self.decision.one_result:
            return {each.name: [row[each.name] for row in self.results] for each in self.decision.outputs}
        return self.results[0] if self.results else {each.name: None for each in self.decision.outputs}

    @property
    def whole(self) -> Any:
        """The result as one value: of a single output its own, else a mapping; where there are several, a list."""
        rows = [row if len(row) > 1 else next(iter(row.values())) for row in self.results]
        return (rows[0] if rows else None) if self.decision.one_result else rows

    def mapped(self, mapping: str) -> Any:
        """The results as one of MAPPINGS puts them. Raises EngineError where one is wanted, but there are more."""
        rows: list[Any] = list(self.results)
        if mapping in ("singleEntry", "collectEntries"):
            rows = [next(iter(row.values())) for row in rows]
        if mapping in ("resultList", "collectEntries"):
            return rows
        if len(rows) > 1:
            template = "{table} gives {count} results where one is wanted"
            raise EngineError(template, table=self.decision.name, count=len(rows))
        return rows[0] if rows else None


def decide(decisions: Mapping[str, Decision], name: str, variables: Values) -> list[Made]:
    """The decision called `name`, last, after those it requires; each sees the results of what it requires.

    Raises EngineError, naming table and rule, when a value does not fit or more rules apply than may.
    """
    made: dict[str, Made] = {}
    for each in (*decisions[name].after, name):
        decision = decisions[each]
        seen: Result = {}
        for other in decision.requires:
            seen |= made[other].values
            if decisions[other].variable:
                seen[decisions[other].variable] = made[other].whole
        made[each] = _made(decision, ChainMap(seen, dict(variables)))
    return list(made.values())


def _made(decision: Decision, variables: Values) -> Made:
    inputs = tuple(_input(decision, column, variables) for column in range(len(decision.inputs)))
    hits = _hits(decision, inputs, variables)
    rows = [(rule, _conclusion(decision, rule, variables)) for rule in hits]
    if decision.policy in ("PRIORITY", "OUTPUT ORDER"):
        rows.sort(key=lambda row: [_rank(output, row[1][output.name]) for output in decision.outputs])
    if decision.policy == "PRIORITY":
        rows = rows[:1]
    results = [result for _, result in rows]
    if decision.policy == "ANY":
        results = _agreeing(decision, rows)
    elif decision.aggregation:
        results = _aggregated(decision, results)
    if not hits and not decision.aggregation and any(output.default for output in decision.outputs):
        defaults = [output.default and output.default.value(variables) for output in decision.outputs]
        results = [_checked(decision, None, defaults)]
    return Made(decision, inputs, tuple(hits), tuple(results))


def _input(decision: Decision, column: int, variables: Values) -> Any:
    each = decision.inputs[column]
    try:
        value = each.head.value(variables)
        if not fits(each.type, value):
            raise EngineError("{value!r} is no {type}", value=value, type=each.type)
        if value is not None and each.allowed is not None and not each.allowed.holds(value, variables):
            raise EngineError("{value!r} is not among the values of the column", value=value)
    except EngineError as fault:
        template = "{table}, column {column}: {reason}"
        raise EngineError(template, table=decision.name, column=each.label, reason=fault) from None
    return value


def _hits(decision: Decision, inputs: Sequence[Any], variables: Values) -> list[Rule]:
    hits: list[Rule] = []
    for rule in decision.rules:
        column = 0
        try:
            for column, (cell, value) in enumerate(zip(rule.conditions, inputs, strict=True)):  # noqa: B007
                if not cell.holds(value, variables):
                    break
            else:
                hits.append(rule)
                if decision.policy == "FIRST":
                    break
        except EngineError as fault:
            raise _at(decision, rule, decision.inputs[column].label, fault) from None
    if decision.policy == "UNIQUE" and len(hits) > 1:
        template = "{table}: rules {rules} apply at once, but under the hit policy UNIQUE only one may"
        raise EngineError(template, table=decision.name, rules=_numbers(hits))
    return hits


def _conclusion(decision: Decision, rule: Rule, variables: Values) -> Result:
    values = []
    for output, cell in zip(decision.outputs, rule.conclusions, strict=True):
        try:
            values.append(cell.value(variables))
        except EngineError as fault:
            raise _at(decision, rule, output.name, fault) from None
    return _checked(decision, rule, values)


def _checked(decision: Decision, rule: Rule | None, values: Sequence[Any]) -> Result:
    for output, value in zip(decision.outputs, values, strict=True):
        fault = misfit(output, value)
        if fault is not None:
            raise _at(decision, rule, output.name, fault)
    return {output.name: value for output, value in zip(decision.outputs, values, strict=True)}


def misfit(output: Output, value: object) -> EngineError | None:
    """Why a result does not belong into its column; None when it does. Null always does."""
    if not fits(output.type, value):
        return EngineError("{value!r} is no {type}", value=value, type=output.type)
    if value is not None and output.allowed and not any(equal(value, each) for each in output.allowed):
        return EngineError("{value!r} is not among the values of the column", value=value)
    return None


def _rank(output: Output, value: object) -> int:
    """The place of a value in the order of its column; one that is not listed, which only null can be, is last."""
    return next((i for i, each in enumerate(output.allowed) if equal(value, each)), len(output.allowed))


def _agreeing(decision: Decision, rows: Sequence[tuple[Rule, Result]]) -> list[Result]:
    for rule, result in rows[1:]:
        if not all(equal(result[name], value) for name, value in rows[0][1].items()):
            template = "{table}: rules {rules} apply at once with different results, which the hit policy ANY forbids"
            raise EngineError(template, table=decision.name, rules=_numbers([rows[0][0], rule]))
    return [result for _, result in rows[:1]]


def _aggregated(decision: Decision, results: Sequence[Result]) -> list[Result]:
    """One result out of all: DMN 1.3, table 33."""
    if not results and decision.aggregation != "COUNT":
        return []
    name = decision.outputs[0].name
    try:
        value = _AGGREGATES[decision.aggregation].evaluate({"x": [row[name] for row in results]}, {})
    except EngineError as fault:
        raise EngineError(
            "{table}, column {column}: {reason}", table=decision.name, column=name, reason=fault
        ) from None
    return [{name: value}]


def _at(decision: Decision, rule: Rule | None, column: str, reason: EngineError) -> EngineError:
    if rule is None:
        return EngineError(
            "{table}, column {column}: {reason}", table=decision.name, column=column, reason=reason
        )
    template = "{table}, rule {rule}, column {column}: {reason}"
    return EngineError(template, table=decision.name, rule=rule.number, column=column, reason=reason)


def _numbers(rules: Sequence[Rule]) -> str:
    return ", ".join(str(rule.number) for rule in rules)
