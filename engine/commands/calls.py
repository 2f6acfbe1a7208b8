"""What passes between a child and whoever called it: variables both ways, who does its steps, its records' names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.bpmn.diagram import Node
from engine.bpmn.rules.properties import inputs, pairs
from engine.errors import NotFound

if TYPE_CHECKING:
    from engine.commands.core import OpenInstance


def called(instance: OpenInstance, node: Node) -> tuple[str, str]:
    """The hash of the definition that a call activity calls, and its process. Raises NotFound."""
    process = node.called or ""
    if process in instance.definition.diagram.processes:
        return instance.definition.hash, process
    digest = instance.definition.calls.get(process)
    if digest is None:
        template = "{element} calls process {called}, which is not published"
        raise NotFound(template, element=node.id, called=process)
    return digest, process


def given(
    instance: OpenInstance, node: Node, item: object, index: int, *, multi: bool,
    data: Mapping[str, object] | None = None,
) -> dict[str, object]:  # fmt: skip
    """What a child gets, by copy: the declared inputs (all variables when none are declared), and its item.

    Expressions of the inputs see the item too. It is of the instance's variables, or of `data` in their place.
    """
    assert instance.run is not None
    data = instance.run.data if data is None else data
    own: dict[str, object] = {}
    if multi:
        own["loopCounter"] = index
        if node.loop is not None and node.loop.item:
            own[node.loop.item] = item
    seen = {**data, **own}
    declared = node.properties.get("flow.in")
    if declared is None:
        return seen
    found = {name: instance.run.env.evaluate(text, seen) for name, text in inputs(declared) if name}
    return {**found, **own}


def called_as(instance: OpenInstance, node: Node) -> Mapping[str, Any] | None:
    """Who does it in the child, and as what it files: what this call says, through what was said of the caller."""
    outer: Mapping[str, Any] | None = instance.row["called_as"]
    if node.tag != "callActivity":
        return outer
    roles, records = (pairs(node.properties.get(name, "")) for name in ("flow.roles", "flow.records"))
    if not roles and not records:
        return outer
    known = outer or {"roles": {}, "records": {}}
    return {
        "roles": {**known["roles"], **{own: instance.role(role) for own, role in roles.items()}},
        "records": {**known["records"], **{own: list(instance.filed(name)) for own, name in records.items()}},
    }


def returned(node: Node, values: Mapping[str, Any], *, multi: bool) -> dict[str, Any]:
    """The outputs a child may return: `flow.out`, else the output item; a plain single call gives all back."""
    declared = node.properties.get("flow.out")
    if declared is not None:
        names = [name.strip() for name in declared.split(",") if name.strip()]
        return {name: values.get(name) for name in names}
    if multi:
        name = node.loop.output_item if node.loop is not None else None
        return {name: values.get(name)} if name else {}
    return dict(values)
