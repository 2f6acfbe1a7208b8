"""Assertions of clauses: what a part of the procedure is, held against its files."""

from __future__ import annotations

from typing import Any

from engine import strict_yaml
from engine.bpmn.reader import read
from engine.procedures import PROCEDURE, Claim, Procedure
from tests.mutation.changing import NothingChangedError, part_of


def untrue(procedure: Procedure, claim: Claim) -> str | None:
    """Why an assertion does not hold; None when it does."""
    try:
        found = _of_element(procedure, claim.id) if claim.kind == "element" else _of_file(procedure, claim)
    except NothingChangedError as error:
        return str(error)
    for key, value in claim.holds.items():
        is_ = _at(found, key)
        if is_ != value:
            return f"{key} of {claim.id} is {is_!r}"
    return None


def _at(found: Any, key: str) -> Any:
    if key in found:
        return found[key]
    for each in key.split("."):
        found = found.get(each) if isinstance(found, dict) else None
    return found


def _of_element(procedure: Procedure, identity: str) -> dict[str, Any]:
    """What the diagram says of an element, by the names that a change would use."""
    for process in read(procedure.diagram).processes.values():
        for lane in process.lanes:
            if lane.id == identity:
                return {"name": lane.name}
        if process.id == identity:
            return {"name": process.name, **process.properties}
        if identity in process.flows:
            flow = process.flows[identity]
            return {"name": flow.name, "condition": flow.condition, "from": flow.source, "to": flow.target}
        node = process.nodes.get(identity)
        if node is not None:
            plain = {"name": node.name, "kind": node.tag, "lane": node.lane, "calledElement": node.called}
            return {**plain, **node.attributes, **node.properties}
    raise NothingChangedError(f"the diagram has no element {identity}")


def _of_file(procedure: Procedure, claim: Claim) -> Any:
    form = claim.kind in ("form", "field")
    name = f"forms/{claim.id.partition('.')[0]}.yaml" if form else PROCEDURE
    if name not in procedure.files:
        raise NothingChangedError(f"there is no {name}")
    holder, key = part_of(strict_yaml.load(procedure.files[name], name).value, claim.kind, claim.id)
    return holder[key]
