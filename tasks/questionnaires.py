"""Questionnaires: kept or revised from year to year, and released only with everything they have to ask about.

What a questionnaire has to ask about are the parameter `constructs`, ids of its fields, with commas. A revised one
comes with a newly published version of the procedure; the answers asked for here name its version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.errors import Invalid, Problem
from engine.forms import Form
from engine.handlers import Call, Handlers, Values, anything, number, takes
from survey.questionnaires import columns_of, published, questionnaire_of
from survey.wording import Fault, faults, private
from tasks.controlled import listed
from tasks.indicators import asked_about
from tasks.meaning import asked, parameter

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


@handlers.verify
def as_agreed(call: Call) -> None:
    """What goes out is what was agreed on: `final_version` is published, and rates exactly what `indicators` lists.

    `indicators` (a variable) are rows with `first` and `second`, as `indicators.propose` gives them.
    """
    found = latest(call)
    agreed = {_named(row) for row in call.variables.get("indicators") or []}
    there = {_named(row) for row in asked_about(found)}
    problems = list(_released(call, "final_version", found, wanted=False))
    params = {"version": found.version, "items": "、".join(sorted(agreed - there))}
    if agreed - there:
        template = "Version {version} does not ask about {items}, as was agreed: add it, and publish"
        problems.append(Problem("final_version", template, params))
    if there - agreed:
        template = "Version {version} asks about {items}, which was not agreed on: take it out, and publish"
        params = {**params, "items": "、".join(sorted(there - agreed))}
        problems.append(Problem("final_version", template, params))
    _refuse(problems)


def _named(row: Mapping[str, Any]) -> str:
    return str(row.get("second") or row["first"]).strip()


@handlers.verify
@takes(parameters={"most_questions": number(1, whole=True)})
def covered(call: Call) -> None:
    """Every indicator is measured by a question that there is, and the questionnaire is short, or its length explained.

    `indicators` (rows with `indicator`, of the form or a variable) are what has to be measured; `measured_by` (rows
    with `indicator` and `items`, ids with commas) says by what; `questionnaire_used` (a variable) is the
    questionnaire; with more questions than the parameter `most_questions` a `length_reason` is needed.
    """
    name = str(call.variables.get("questionnaire_used") or NAME)
    form = questionnaire_of(call.conn, published(call.conn, call.procedure), name)
    known = columns_of(form).keys() | {each.id for each in form.questions}
    stated = call.values.get("indicators", call.variables.get("indicators"))
    wanted = [row["indicator"].strip() for row in stated or []]
    rows = call.values.get("measured_by") or []
    problems = list(_missing(call, "measured_by", form))
    for place, row in enumerate(rows, 1):
        if row["indicator"].strip() not in wanted:
            template = "{indicator} is none of the indicators: {wanted}"
            params = {"indicator": row["indicator"], "wanted": "、".join(wanted)}
            problems.append(Problem(f"measured_by.{place}.indicator", template, params))
        if strange := [each for each in listed(row["items"]) if each not in known]:
            template = "The questionnaire has no question {items}; it has {known}"
            params = {"items": ", ".join(strange), "known": ", ".join(sorted(known))}
            problems.append(Problem(f"measured_by.{place}.items", template, params))
    measured = {row["indicator"].strip() for row in rows}
    if missing := [each for each in wanted if each not in measured]:
        template = "No question measures {indicators}: add a row for each, or a question"
        problems.append(Problem("measured_by", template, {"indicators": "、".join(missing)}))
    count, most = len(columns_of(form)), int(parameter(call, "most_questions"))
    if count > most and not call.values.get("length_reason"):
        template = (
            "The questionnaire has {count} questions, more than {most}: shorten it, or say why it is so long"
        )
        problems.append(Problem("length_reason", template, {"count": count, "most": most}))
    _refuse(problems)


@handlers.inside
@takes(
    optional={"flow.questionnaire": anything, "flow.sets": anything},
    parameters={"longest_option": number(1, whole=True), "private_words": anything},
)
def read_over(call: Call) -> Values:
    """Reads the questionnaire's wording as published, for whoever judges it: what would be refused, what is private.

    Property: `flow.questionnaire`, which one, or what holds its name. Parameters: `longest_option` (characters),
    `private_words`, that give a private question away. Sets `wording_text` and `private_questions`, how many.
    """
    form = _published(call, asked(call))
    found, asking = list(faults(form, _longest(call))), list(private(form, _private_words(call)))
    lines = [_FAULTS[each.kind].format(text=each.text) for each in found]
    lines += [f"“{each.label}”可能涉及个人隐私（{each.word}）。" for each in asking]
    if asking:
        call.note("questionnaire.private", {"questions": [each.field for each in asking]})
    text = "\n".join(lines) or "没有发现措辞、选项和隐私方面的问题。"
    return {"wording_text": text, "private_questions": len(asking)}


_FAULTS = {
    "purpose": "“{text}”没有说明调查目的的引言。",
    "long": "选项“{text}”过长。",
}


@handlers.verify
@takes(parameters={"longest_option": number(1, whole=True), "private_words": anything})
def worded(call: Call) -> None:
    """The questionnaire (`questionnaire_used`) says its purpose, asks about `constructs`, and has no long option.

    Where it asks for something private, `privacy_reason` says why. Problems stand at `design_checks`.
    """
    form = _published(call, str(call.variables.get("questionnaire_used") or NAME))
    problems = [_at_fault(each) for each in faults(form, _longest(call))]
    problems += _missing(call, "design_checks", form)
    asking = list(private(form, _private_words(call)))
    if asking and not call.values.get("privacy_reason"):
        template = "These questions ask for something private: {questions}. Take them out, or say why they are needed"
        params = {"questions": "；".join(f"{each.label}（{each.word}）" for each in asking)}
        problems.append(Problem("privacy_reason", template, params))
    _refuse(problems)


def _at_fault(found: Fault) -> Problem:
    templates = {
        "purpose": "The questionnaire {text} has no introduction: say what it is for",
        "long": "The option {text} of {field} is too long: make it short and plain",
    }
    params = {"text": found.text, "field": found.field}
    return Problem("design_checks", templates[found.kind], params)


def _longest(call: Call) -> int:
    return int(parameter(call, "longest_option"))


def _private_words(call: Call) -> list[str]:
    return listed(str(parameter(call, "private_words")))


def _published(call: Call, name: str) -> Form:
    return questionnaire_of(call.conn, published(call.conn, call.procedure), name)


def _released(call: Call, field: str, found: Form, *, wanted: bool = True) -> Iterator[Problem]:
    said = call.values.get(field)
    if said != found.version:
        template = (
            "Published is version {published}, not {said}: write the questionnaire as forms/{procedure}/{name}.yaml "
            "and publish it with `flow procedure publish {procedure}`, or correct the version"
        )
        params = {"published": found.version, "said": said, "procedure": call.procedure, "name": NAME}
        yield Problem(field, template, params)
    if wanted:
        yield from _missing(call, field, found)


def _unchanged(call: Call, found: Form) -> Iterator[Problem]:
    if found.version == call.variables.get("form_version"):
        template = (
            "Version {version} is the one there was before: raise the version of the revised questionnaire"
        )
        yield Problem("new_version", template, {"version": found.version})


def _missing(call: Call, field: str, found: Form) -> Iterator[Problem]:
    asked = {each.id for each in found.questions}
    wanted = listed(str(parameter(call, "constructs")))
    if missing := [name for name in wanted if name not in asked]:
        template = (
            "Version {version} of the questionnaire does not ask about {missing}: add a question with that id"
        )
        yield Problem(field, template, {"version": found.version, "missing": ", ".join(missing)})


def _refuse(problems: Iterator[Problem] | list[Problem]) -> None:
    if found := list(problems):
        raise Invalid({(each.field, each.template): each for each in found}.values())
