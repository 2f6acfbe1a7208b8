"""Questionnaires: kept or revised from year to year, and released only with everything they have to ask about.

What a questionnaire has to ask about are the parameter `constructs`, ids of its fields, with commas. A revised one
comes with a newly published version of the procedure; the answers asked for here name its version.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import Invalid, Problem
from engine.forms import Form
from engine.handlers import Call, Handlers
from survey.questionnaires import published, questionnaire_of
from tasks.fieldwork import parameter

handlers = Handlers("questionnaires")

NAME = "questionnaire"


def latest(call: Call) -> Form:
    """The questionnaire as the procedure's latest published version has it."""
    return questionnaire_of(call.conn, published(call.conn, call.procedure), NAME)


@handlers.verify
def decided(call: Call) -> None:
    """A questionnaire that is kept (`form_decision` keep) asks about everything it has to."""
    if call.values.get("form_decision") == "keep":
        _refuse(_missing(call, "form_decision", latest(call)))


@handlers.verify
def revised(call: Call) -> None:
    """The new version (`new_version`) is published, another than `form_version`, and asks about everything."""
    found = latest(call)
    _refuse([*_released(call, "new_version", found), *_unchanged(call, found)])


@handlers.verify
def finalised(call: Call) -> None:
    """What is accepted (`final_verdict` accept) is published as `final_version`, and asks about everything."""
    if call.values.get("final_verdict") == "accept":
        _refuse(_released(call, "final_version", latest(call)))


def _released(call: Call, field: str, found: Form) -> Iterator[Problem]:
    said = call.values.get(field)
    if said != found.version:
        template = (
            "Published is version {published}, not {said}: write the questionnaire as forms/{procedure}/{name}.yaml "
            "and publish it with `flow procedure publish {procedure}`, or correct the version"
        )
        params = {"published": found.version, "said": said, "procedure": call.procedure, "name": NAME}
        yield Problem(field, template, params)
    yield from _missing(call, field, found)


def _unchanged(call: Call, found: Form) -> Iterator[Problem]:
    if found.version == call.variables.get("form_version"):
        template = (
            "Version {version} is the one there was before: raise the version of the revised questionnaire"
        )
        yield Problem("new_version", template, {"version": found.version})


def _missing(call: Call, field: str, found: Form) -> Iterator[Problem]:
    asked = {each.id for each in found.questions}
    wanted = [name.strip() for name in str(parameter(call, "constructs")).split(",")]
    if missing := [name for name in wanted if name not in asked]:
        template = (
            "Version {version} of the questionnaire does not ask about {missing}: add a question with that id"
        )
        yield Problem(field, template, {"version": found.version, "missing": ", ".join(missing)})


def _refuse(problems: Iterator[Problem] | list[Problem]) -> None:
    if found := list(problems):
        raise Invalid({(each.field, each.template): each for each in found}.values())
