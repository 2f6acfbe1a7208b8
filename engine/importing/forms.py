"""Form fields that stand in the diagram (`formData`, `formProperty`), written as forms of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date

from lxml import etree

from engine.errors import Misbuilt
from engine.forms import load_form
from engine.importing.report import Refusal

RESERVED = frozenset({"any", "all", "not", "today", "and", "or", "in", "is", "if", "else", "true", "false"})
_TYPES = {
    **dict.fromkeys(("string", "text"), "text"),
    **dict.fromkeys(("long", "int", "integer", "short"), "integer"),
    **dict.fromkeys(("double", "float", "number", "decimal"), "number"),
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "enum": "choice",
    "user": "person",
}
_LIMITS = {
    "min": ("min", ("integer", "number")),
    "max": ("max", ("integer", "number")),
    "minlength": ("min_length", ("text",)),
    "maxlength": ("max_length", ("text",)),
}


@dataclass(slots=True)
class Asked:
    """One field as the other engine has it."""

    id: str
    type: str
    label: str
    default: str = ""
    required: bool = False
    read_only: bool = False
    options: list[tuple[str, str]] = field(default_factory=list)
    limits: dict[str, str] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)
    """What it says besides that has no counterpart."""


def slug(text: str, other: str) -> str:
    """An id of a-z, 0-9 and _ that resembles the text: `dueDate` is `due_date`; `other` when nothing is left."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    text = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    text = re.sub(r"^[0-9_]+", "", text)
    return f"{text}_" if text in RESERVED else text or other


def fresh(wanted: str, taken: Collection[str]) -> str:
    """`wanted`, or with a number behind it when that is taken."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def asked(element: etree._Element) -> Iterator[Asked]:
    """The fields of a `formData`, or the one that a `formProperty` is."""
    if etree.QName(element).localname == "formProperty":
        yield _property(element)
        return
    for each in _children(element, "formField"):
        yield _field(each)


def _field(element: etree._Element) -> Asked:
    found = _common(element, element.get("label"), element.get("defaultValue"))
    for validation in _children(element, "validation"):
        for each in _children(validation, "constraint"):
            name, value = each.get("name", ""), each.get("config", "")
            if name in ("required", "readonly"):
                if value != "false":
                    found.required |= name == "required"
                    found.read_only |= name == "readonly"
            elif name in _LIMITS:
                found.limits[name] = value
            else:
                found.strange.append(f"{name} {value}".strip())
    for properties in _children(element, "properties"):
        found.strange += [each.get("id", "") for each in _children(properties, "property")]
    return found


def _property(element: etree._Element) -> Asked:
    found = _common(element, element.get("name"), element.get("default") or element.get("expression"))
    found.required = element.get("required") == "true"
    found.read_only = element.get("writable") == "false" or element.get("writeable") == "false"
    if element.get("variable") not in (None, found.id):
        found.strange.append(f"variable {element.get('variable')}")
    if element.get("readable") == "false":
        found.strange.append("readable false")
    return found


def _common(element: etree._Element, label: str | None, default: str | None) -> Asked:
    identity = element.get("id", "")
    options = [
        (each.get("id", ""), each.get("name") or each.get("id", "")) for each in _children(element, "value")
    ]
    return Asked(identity, element.get("type") or "string", label or identity, default or "", options=options)


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    for each in element:
        if isinstance(each.tag, str) and etree.QName(each).localname == name:
            yield each


def written(form: str, title: str, fields: Collection[Asked], names: dict[str, str]) -> tuple[str, list[str]]:
    """The form in YAML, and what of it had no counterpart; the fields are called what `names` says.

    Raises Refusal when no form of ours can be made of them.
    """
    lines = ["form: flow/1", f"id: {form}", 'version: "1"', f"title: {_quoted(title)}", "fields:"]
    strange: list[str] = []
    for each in fields:
        lines += _lines(each, names, strange)
    text = "\n".join(lines) + "\n"
    try:
        load_form(text.encode(), f"forms/{form}.yaml")
    except Misbuilt as error:
        raise Refusal(
            "Its fields make no form: {reason}",
            "Write forms/{form}.yaml by hand, and name it in formKey",
            reason=str(error.findings[0]),
            form=form,
        ) from None
    return text, strange


def _lines(asked: Asked, names: dict[str, str], strange: list[str]) -> Iterator[str]:
    kind = _TYPES.get(asked.type.lower(), "")
    if kind == "choice" and not asked.options:
        kind = ""
    if not kind:
        strange.append(f"{asked.id}: {asked.type}")
        kind = "text"
    strange += [f"{asked.id}: {each}" for each in asked.strange]
    name = names[asked.id]
    yield f"  - id: {name}"
    yield f"    type: {kind}"
    yield f"    label: {_quoted(asked.label)}"
    if asked.required:
        yield "    required: true"
    for limit, value in asked.limits.items():
        key, kinds = _LIMITS[limit]
        number = _constant("number" if limit in ("min", "max") else "integer", value)
        if kind in kinds and number is not None:
            yield f"    {key}: {number}"
        else:
            strange.append(f"{asked.id}: {limit} {value}")
    variable = re.fullmatch(r"[$#]\{\s*(\w+)\s*\}", asked.default)
    if asked.read_only or variable:
        yield f"    value: {{var: {names.get(variable[1], variable[1]) if variable else name}}}"
        if asked.read_only:
            yield "    read_only: true"
    fits = kind != "choice" or asked.default in {value for value, _ in asked.options}
    default = _constant(kind, asked.default) if asked.default and fits and not variable else None
    if default is not None:
        yield f"    default: {default}"
    elif asked.default and not variable:
        strange.append(f"{asked.id}: {asked.default}")
    if kind == "choice":
        yield "    options:"
        for value, label in asked.options:
            yield f"      - {{value: {_quoted(value)}, label: {_quoted(label)}}}"


def _constant(kind: str, text: str) -> str | None:
    """A value as YAML has it; None when the text is none of this kind."""
    if kind == "boolean":
        return text if text in ("true", "false") else None
    if kind == "integer":
        return str(int(text)) if re.fullmatch(r"-?[0-9]{1,15}", text) else None
    if kind == "number":
        return text if re.fullmatch(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?", text) else None
    if kind in ("date", "datetime"):
        try:
            return _quoted(date.fromisoformat(text).isoformat()) if kind == "date" else None
        except ValueError:
            return None
    return None if "${" in text or "#{" in text else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)
