"""What people do: assignment, due dates and forms of user tasks."""

from __future__ import annotations

import json
import re

from lxml import etree

from engine.bpmn.xml import local
from engine.calendar.durations import parse_duration, parse_instant
from engine.errors import Invalid
from engine.importing.forms import Asked, asked, fresh, slug, written
from engine.importing.language import unwrapped, usable
from engine.importing.report import Refusal
from engine.importing.source import Attribute
from engine.importing.work import Work

PERSON = ("userTask", "manualTask")
_OURS = re.compile(r"[a-z][a-z0-9_-]*")


def assignee(work: Work, element: etree._Element, at: Attribute, text: str) -> None:
    """A person's id stands bare there; here it is an expression."""
    bare = not (text.startswith(("${", "#{", "=")) or "${" in text or "#{" in text)
    if (unwrapped(text) or "").strip() in work.initiators:
        template = "Who started the instance is no variable here"
        remedy = "Let the lane's role do it, or name a variable that a form of type person sets"
        raise Refusal(template, remedy)
    after = json.dumps(text, ensure_ascii=False) if bare else work.expression(element, text)
    work.write_value(element, at, text, after)


def groups(work: Work, element: etree._Element, at: Attribute, text: str) -> None:
    """One group is one role; several, or a computed one, are not."""
    if not re.fullmatch(r"[\w.-]+", text.strip()):
        remedy = "Put the task into the lane of a role, or name one role"
        raise Refusal("Here one role does a task, and it is written down", remedy)
    work.write_value(element, at, text, text.strip())


def due(work: Work, element: etree._Element, at: Attribute, text: str) -> None:
    """A date variable, a date or a duration becomes `flow.due`."""
    value = _due(work, element, text.strip())
    work.source.remove_attribute(at)
    work.into_property(element, "flow.due", value)
    work.row("translated", element, at.name, text, f"flow.due: {value}")


def _due(work: Work, element: etree._Element, text: str) -> str:
    remedy = "Write the property flow.due, as in `P3WD` or `P2D before d0`, and delete the attribute"
    if "{" in text or text.startswith("="):
        name = work.expression(element, text)
        if not usable(name):
            raise Refusal("A due date counts from one variable, not from an expression", remedy)
        return f"P0D after {name}"
    try:
        return str(parse_duration(text) if text.startswith("P") else parse_instant(text))
    except Invalid:
        raise Refusal("{text} is no due date here", remedy, text=text[:60]) from None


def priority(work: Work, element: etree._Element, at: Attribute, text: str) -> None:
    """A whole number, also one in `${…}`."""
    number = (unwrapped(text) or text).strip()
    if not re.fullmatch(r"-?[0-9]{1,9}", number):
        raise Refusal("The priority is computed", "Write a whole number, or delete the attribute")
    work.write_value(element, at, text, number)


def form_key(work: Work, element: etree._Element, at: Attribute, text: str) -> None:
    """The key of a form that lies outside the diagram: a form of ours by a name like it has to be written."""
    if local(element) not in PERSON:
        remedy = "Put a user task with this form behind the event, and delete the attribute"
        raise Refusal("A start has no form here: whoever starts gives the variables", remedy)
    if "{" in text:
        remedy = "Write the name of one form"
        raise Refusal("Here a task's form is written down, not computed", remedy)
    stem = re.split(r"[/:]", re.sub(r"\.(html?|form|json|xhtml|jsf|jsp|vue)$", "", text.strip()))[-1]
    key = stem if _OURS.fullmatch(stem) else slug(stem, slug(element.get("id", ""), "form"))
    if at.name.endswith("formRef"):
        start = at.name_at + len(at.name) - len("formRef")
        work.source.replace(start, at.name_at + len(at.name), "formKey")
    if key != text:
        work.source.set_value(at, key)
    template = "The form itself is not in the diagram"
    remedy = "Write it as forms/{procedure}/{form}.yaml"
    work.row("refused", element, at.name, text, f"formKey: {key}", template, remedy, form=key)


def rename_variables(work: Work) -> None:
    """Find the fields whose ids cannot be variables of our forms, and the names they get everywhere."""
    every = {
        each.id: element for element in work.source.elements for each in fields_of(work, element) if each.id
    }
    taken = {name for name in every if _fits(name)}
    taken |= set(re.findall(r"[A-Za-z_]\w*", work.source.text))
    for name, element in every.items():
        if not _fits(name):
            work.names[name] = fresh(slug(name, "field"), taken)
            taken.add(work.names[name])
            work.row("translated", element, "variable", name, work.names[name])


def _fits(name: str) -> bool:
    return re.fullmatch(r"[a-z][a-z0-9_]*", name) is not None and slug(name, "") == name


def fields_of(work: Work, element: etree._Element) -> list[Asked]:
    """The form fields that stand in a user task."""
    if local(element) not in PERSON:
        return []
    return [each for form in work.extensions(element, "formData", "formProperty") for each in asked(form)]


def form_fields(work: Work, element: etree._Element) -> None:
    """The fields that stand in the task become a form of ours."""
    holders = list(work.extensions(element, "formData", "formProperty"))
    fields = fields_of(work, element)
    what = work.written(holders[0])
    if work.vendor(element, "formKey") or work.vendor(element, "formRef"):
        template, remedy = "The task names a form besides", "Delete one of them, and import again"
        raise Refusal(template, remedy)
    if not fields or not all(each.id for each in fields):
        raise Refusal("A field of the form has no id", "Give it one, and import again")
    form = fresh(slug(element.get("id", ""), "form"), work.forms)
    names = {each.id: work.names.get(each.id, each.id) for each in fields}
    title = element.get("name") or element.get("id", "")
    text, strange = written(form, title, fields, {**work.names, **names})
    work.forms[form] = text
    work.source.add_attribute(element, f"{work.prefix(element)}:formKey", form)
    for each in holders:
        work.remove(each)
    listed = ", ".join(each.id for each in fields)
    work.row("translated", element, what, listed, f"forms/{form}.yaml")
    for each in strange:
        template = "The field has something that our forms do not"
        work.row("refused", element, what, each, "", template, "Complete forms/{procedure}/{form}.yaml",
                 form=form)  # fmt: skip
