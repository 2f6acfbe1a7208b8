"""Answers as people read them, in Chinese: for records and documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.forms.conditions import answered
from engine.forms.form import Field


def words(field: Field, value: Any, names: Mapping[str, str]) -> str:
    """One answer to a field that is no table and no matrix; nothing where there is none. `names`: people's, by id."""
    if not answered(value):
        return ""
    if field.type == "boolean":
        return "是" if value else "否"
    if field.type == "choices":
        return "、".join(option_words(field, each) for each in value)
    if field.type == "choice":
        return option_words(field, value)
    if field.type == "person":
        return names.get(str(value), str(value))
    return str(value).replace("T", " ") if field.type == "datetime" else str(value)


def option_words(field: Field, value: object) -> str:
    """What the option of that value is called; the value itself where the field has no such option."""
    return next(
        (each.label.zh for each in field.options if each.value == value), "" if value is None else str(value)
    )


def people_in(field: Field, value: Any) -> Iterator[str]:
    """The ids of the people named in an answer, those in the rows of a table included."""
    if field.type == "person" and value:
        yield str(value)
    for row in value or () if field.type == "table" else ():
        for column in field.fields:
            yield from people_in(column, row.get(column.id))
