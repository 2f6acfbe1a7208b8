"""What a decision table is: frozen values, its cells read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.decisions.cells import Cell, Operand, is_day, kind

POLICIES: Final = ("UNIQUE", "FIRST", "ANY", "PRIORITY", "COLLECT", "RULE ORDER", "OUTPUT ORDER")
"""Hit policies (DMN 1.3, 8.2.10)."""
ONE_RESULT: Final = POLICIES[:4]
"""Those under which a table gives one result at most."""
AGGREGATIONS: Final = ("SUM", "COUNT", "MIN", "MAX")
MAPPINGS: Final = ("singleEntry", "singleResult", "collectEntries", "resultList")
"""What a business rule task makes of the results, by `camunda:mapDecisionResult`."""

TYPES: Final[Mapping[str, str]] = {
    "string": "string", "boolean": "boolean", "date": "date", "number": "number", "double": "number",
    "integer": "integer", "long": "integer", "any": "", "": "",
}  # fmt: skip
"""The types a column may have, in lower case, and what each stands for; the empty one takes any value."""


def fits(type_: str, value: object) -> bool:
    """Whether a value is of a column's type; null is of every type."""
    if value is None or not type_:
        return True
    if type_ == "date":
        return is_day(value)
    if type_ == "integer":
        return kind(value) == "number" and float(str(value)).is_integer()
    return kind(value) == {"string": "text"}.get(type_, type_)


@dataclass(frozen=True, slots=True)
class Input:
    """A column that is tested."""

    label: str
    """What people read above it."""
    head: Operand
    """Where its value comes from."""
    type: str = ""
    allowed: Cell | None = None
    """What the value has to pass (inputValues)."""


@dataclass(frozen=True, slots=True)
class Output:
    """A column of results."""

    name: str
    """The variable's name."""
    type: str = ""
    allowed: tuple[object, ...] = ()
    """The values it may give, the one of highest priority first (outputValues)."""
    default: Operand | None = None
    """What it gives when no rule applies."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A row."""

    number: int
    """From 1, as editors number them."""
    id: str
    line: int
    conditions: tuple[Cell, ...]
    conclusions: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision that is made by a table."""

    id: str
    name: str
    file: str
    line: int
    policy: str
    aggregation: str
    """Empty, or one of AGGREGATIONS."""
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]
    variable: str = ""
    """The name under which decisions that require this one see its whole result, if it has one."""
    requires: tuple[str, ...] = ()
    """The ids of the decisions whose results it sees."""
    after: tuple[str, ...] = ()
    """The ids of all the decisions that are made before it, in their order: those it requires, and theirs."""

    @property
    def one_result(self) -> bool:
        """Whether it gives one result at most, and no list."""
        return self.policy in ONE_RESULT or bool(self.aggregation)

    @property
    def gives(self) -> frozenset[str]:
        """The names that decisions requiring this one see its results under."""
        return frozenset(each.name for each in self.outputs) | ({self.variable} - {""})
