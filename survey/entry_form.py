"""The form for typing returns in: a workbook with a row for each member, read back by `survey.reading`.

A heading's first line is the column's name, so that the file can be read back as it is; below it stands what people
call the item. Cells take the scale's points only.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from engine.forms import Field, Form
from survey.questionnaires import columns_of
from survey.reading import ABSTAINED, CUSTOMER, NUMBER
from survey.returns import flat
from survey.rounds import Member, Round
from survey.sheets import csv_text

_LIST = 255
"""Characters that a list of allowed values may have in the file format."""
_WORDS: Mapping[str, str] = {
    NUMBER: "序号",
    CUSTOMER: "客户编号",
    ABSTAINED: "整卷弃权填1",
    "project": "项目",
    "segment": "分类",
}
_EXPLAINED = (
    "每行为一份问卷；尚未收回的行请留空，读入时自动跳过。",
    "打分栏只能填写选项的数字；未作答的项目留空，不要填0。",
    "整份问卷一项都未评价的，在“整卷弃权”栏填1。",
    "请勿改动第一行标题和“序号”“客户编号”两栏；行的顺序可以改变。",
)


def entry_form(
    found: Round, form: Form, members: Sequence[Member], rows: int = 0, groups: Sequence[str] = ()
) -> bytes:
    """The workbook. For an anonymous round it has `rows` blank rows under the round's groups.

    `groups` are the names of the first of them where the members do not tell (see `rounds.counted`).
    """
    from xlsxwriter import Workbook

    file = io.BytesIO()
    with Workbook(file, {"constant_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"title": form.title.zh, "created": found.opened_at.replace(tzinfo=None)})
        head = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "border": 1, "bg_color": "#E8EEF4"}
        )
        cell = book.add_format({"border": 1, "num_format": "@"})
        mark = book.add_format({"border": 1, "align": "center"})
        sheet = book.add_worksheet("录入")
        columns = _columns(found, form)
        for place, (name, words, _) in enumerate(columns):
            sheet.write_string(0, place, f"{name}\n{words}", head)
        fixed = [
            place for place, (name, _, _) in enumerate(columns) if name in (NUMBER, CUSTOMER, *found.groups)
        ]
        sheet.freeze_panes(1, len(fixed))
        sheet.set_column(0, len(columns) - 1, 9, mark)
        sheet.set_column(0, max(len(fixed) - 1, 0), 14, cell)
        for row, values in enumerate(_rows(found, members, rows), 1):
            for place, value in enumerate(values):
                sheet.write_string(row, place, value, cell)
        last = max(len(members), rows, 1)
        for place, (_, words, field) in enumerate(columns):
            allowed = _allowed(found, members, columns[place][0], field, groups)
            if allowed is not None:
                sheet.data_validation(1, place, last, place, {**allowed, "input_title": words[:32]})
        guide = book.add_worksheet("说明")
        guide.set_column(0, 0, 100)
        for row, text in enumerate((f"{form.title.zh}　{found.name}　{found.period or ''}", *_EXPLAINED)):
            guide.write_string(row, 0, text)
    return file.getvalue()


def _columns(found: Round, form: Form) -> list[tuple[str, str, Field | None]]:
    """Name, words and field of each column."""
    who = found.groups if found.anonymous else (NUMBER, CUSTOMER)
    fields: dict[str, tuple[str, Field]] = {}
    for field in form.questions:
        fields |= {row.id: (row.label.zh, field) for row in field.rows} or {field.id: (field.label.zh, field)}
    extra = [name for name in (*who, ABSTAINED) if name not in fields]
    return [
        *((name, _WORDS.get(name, name), None) for name in extra if name != ABSTAINED),
        *((name, *fields[name]) for name in columns_of(form)),
        *((name, _WORDS[name], None) for name in extra if name == ABSTAINED),
    ]


def _rows(found: Round, members: Sequence[Member], rows: int) -> Iterable[tuple[str, ...]]:
    if found.anonymous:
        return ((),) * rows
    return ((str(each.number), each.code) for each in members)


def _allowed(
    found: Round, members: Sequence[Member], name: str, field: Field | None, groups: Sequence[str]
) -> dict[str, Any] | None:
    if name == ABSTAINED:
        return {"validate": "list", "source": ["1"], "error_message": "整份弃权填1，否则留空"}
    if field is None:
        values = sorted({each.value(name) for each in members} - {""}) if name in found.groups else []
        if name in found.groups[:1]:
            values = sorted({*values, *groups})
        legend = ""
    elif field.type in ("choice", "matrix"):
        values = [str(option.value) for option in field.options]
        legend = "　".join(
            str(option.value) if str(option.value) == option.label.zh else f"{option.value} {option.label.zh}"
            for option in field.options
        )
    else:
        return None
    if not values or len(",".join(values)) > _LIST or any("," in value for value in values):
        return None
    shown = {"input_message": legend[:255]} if legend else {}
    return {
        "validate": "list",
        "source": values,
        **shown,
        "error_message": f"只能填写：{'、'.join(values)}"[:255],
    }


def answers_table(
    found: Round, form: Form, sets: Iterable[tuple[str, Mapping[str, str], Mapping[str, object]]]
) -> str:
    """Answer sets (code, groups, answers) as CSV.

    A named round's have codes, so that `flow round import` reads them; another's have groups instead.
    """
    columns = list(columns_of(form))
    groups = [] if found.named else [name for name in found.groups if name not in columns]
    rows = (
        [
            *((code,) if found.named else (grouped.get(name, "") for name in groups)),
            *_written(columns, flat(given)),
        ]
        for code, grouped, given in sets
    )
    return csv_text([*([CUSTOMER] if found.named else groups), *columns], rows)


def _written(columns: Iterable[str], answers: Mapping[str, object]) -> Iterator[object]:
    for value in map(answers.get, columns):
        yield "；".join(map(str, value)) if isinstance(value, list | tuple) else value
