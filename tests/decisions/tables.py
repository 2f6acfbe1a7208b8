"""Decision tables in few words, as the .dmn files that an editor would write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from engine.decisions import Decision, Made, decide, read_decisions

NAMESPACE = "https://www.omg.org/spec/DMN/20191111/MODEL/"

Column = str | Mapping[str, str]
"""A name, or `name`, `type`, `label`, `values` and (of an output) `default`."""


def dmn(*decisions: str, namespace: str = NAMESPACE, more: str = "") -> bytes:
    """A file of decisions."""
    body = "".join(decisions) + more
    return f'<definitions xmlns="{namespace}" id="d" name="d" namespace="tests">{body}</definitions>'.encode()


def table(
    rules: Sequence[Sequence[str]],
    inputs: Sequence[Column] = ("x",),
    outputs: Sequence[Column] = ("y",),
    policy: str = "UNIQUE",
    *,
    id: str = "rating",
    name: str = "评级",
    aggregation: str = "",
    requires: Sequence[str] = (),
    variable: str = "",
    more: str = "",
) -> str:
    """A decision by a table; each rule is its cells, those for inputs first."""
    columns = "".join(map(_input, inputs)) + "".join(map(_output, outputs))
    rows = "".join(_rule(place, rule, len(inputs)) for place, rule in enumerate(rules, 1))
    needs = "".join(
        f'<informationRequirement><requiredDecision href="#{each}"/></informationRequirement>'
        for each in requires
    )
    called = f"<variable name={quoteattr(variable)}/>" if variable else ""
    aggregated = f' aggregation="{aggregation}"' if aggregation else ""
    return (
        f'<decision id="{id}" name={quoteattr(name)}>{called}{needs}'
        f'<decisionTable id="{id}_t" hitPolicy="{policy}"{aggregated}>{columns}{rows}{more}</decisionTable></decision>'
    )


def _of(column: Column) -> Mapping[str, str]:
    return {"name": column} if isinstance(column, str) else column


def _input(column: Column) -> str:
    of = _of(column)
    label = f" label={quoteattr(of['label'])}" if "label" in of else ""
    values = f"<inputValues><text>{escape(of['values'])}</text></inputValues>" if "values" in of else ""
    return (
        f'<input{label}><inputExpression typeRef="{of.get("type", "")}"><text>{escape(of["name"])}</text>'
        f"</inputExpression>{values}</input>"
    )


def _output(column: Column) -> str:
    of = _of(column)
    values = f"<outputValues><text>{escape(of['values'])}</text></outputValues>" if "values" in of else ""
    default = (
        f"<defaultOutputEntry><text>{escape(of['default'])}</text></defaultOutputEntry>"
        if "default" in of
        else ""
    )
    return f'<output name={quoteattr(of["name"])} typeRef="{of.get("type", "")}">{values}{default}</output>'


def _rule(number: int, cells: Sequence[str], inputs: int) -> str:
    written = "".join(
        f"<{tag}><text>{escape(cell)}</text></{tag}>"
        for tag, cell in (
            ("inputEntry" if place < inputs else "outputEntry", cell) for place, cell in enumerate(cells)
        )
    )
    return f'<rule id="r{number}">{written}</rule>'


def made(decision: str, **variables: Any) -> Made:
    """What the one decision of a file says."""
    return decide(read(decision), "rating", variables)[-1]


def read(*decisions: str) -> dict[str, Decision]:
    return read_decisions({"rating.dmn": dmn(*decisions)})


def says(cell: str, value: object, **variables: object) -> bool:
    """Whether a value passes a cell."""
    return bool(made(table([(cell, "1")]), x=value, **variables).rules)
