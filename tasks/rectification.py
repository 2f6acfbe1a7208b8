"""Rectification: the problems customers raised, who is responsible, who was told what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.errors import Invalid, Problem
from engine.handlers import Call, Handlers, Values, asks_for
from survey.numbering import ranges
from tasks.fieldwork import holds

handlers = Handlers("rectification")

HEAD = "dept_head"
"""The role of those who answer for a department."""


@handlers.verify
@asks_for({HEAD: "责任部门"})
def problems_assigned(call: Call) -> None:
    """Whoever is named as the head of a responsible department holds that role."""
    problems = [
        problem
        for place, row in enumerate(call.values.get("problems") or [], 1)
        for problem in holds(call, f"problems.{place}.head", row["head"], HEAD)
    ]
    if problems:
        raise Invalid(problems)


@handlers.inside
def gather(call: Call) -> Values:
    """Lists the heads to be invited (`heads`) and the customers to be answered (`feedback_list`)."""
    raised = _raised(call.variables)
    heads: dict[str, list[str]] = {}
    for each in raised:
        departments = heads.setdefault(each["head"], [])
        if each["department"] not in departments:
            departments.append(each["department"])
    return {
        "heads": [{"head": head, "department": "、".join(names)} for head, names in heads.items()],
        "feedback_list": [{"number": each["number"], "customer": each["customer"]} for each in raised],
    }


@handlers.collection
def problems(call: Call) -> Iterable[object]:
    """The problems raised: number, customer, description, department, head."""
    return _raised(call.variables)


@handlers.verify
def heads_attended(call: Call) -> None:
    """The head of every responsible department was present at the meeting."""
    present = {row["head"] for row in call.values.get("meeting_attendance") or [] if row["present"]}
    absent = [each["head"] for each in call.variables.get("heads") or [] if each["head"] not in present]
    if absent:
        template = (
            "Every responsible head has to be there; absent: {absent}. Hold the meeting again with them"
        )
        raise Invalid([Problem("meeting_attendance", template, {"absent": ", ".join(absent)})])


@handlers.verify
def raisers_answered(call: Call) -> None:
    """Everybody who raised a problem was told what is done about it."""
    raised = {each["number"] for each in _raised(call.variables)}
    told = [row["number"] for row in call.values.get("feedback_given") or []]
    faults = []
    if missing := sorted(raised - set(told)):
        template = "Who raised problem {numbers} got no feedback yet: add a row for each"
        faults.append(Problem("feedback_given", template, {"numbers": ranges(missing)}))
    if strange := sorted(set(told) - raised):
        template = "There is no problem {numbers}"
        faults.append(Problem("feedback_given", template, {"numbers": ranges(strange)}))
    if faults:
        raise Invalid(faults)


def _raised(variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"number": place, **row} for place, row in enumerate(variables.get("problems") or [], 1)]
