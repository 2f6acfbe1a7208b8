"""Papers: what was filled in, the questionnaire and what came back, as controlled documents (`tasks.controlled`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Literal

from documents.content import (
    Block,
    Column,
    Fields,
    Heading,
    Paragraph,
    Signature,
    Table,
    Value,
)
from documents.measure import breadth
from engine.errors import EngineError, NotFound
from engine.forms.conditions import answered
from engine.forms.form import Field, Form
from engine.forms.form import Text as FormText
from engine.forms.wording import option_words, people_in, words
from engine.handlers import Call, Handlers, Values, anything, takes
from engine.store.organisation import person_names
from survey import rounds
from survey.figures import LEAST
from survey.questionnaires import columns_of, published, questionnaire_of
from survey.returns import flat, stored
from survey.sheets import csv_text
from tasks.controlled import FILLED, MADE, Setting, control, files, listed, setting
from tasks.fieldwork import edition
from tasks.meaning import asked, part_of

handlers = Handlers("papers")

TOO_FEW = f"匿名答卷不足{LEAST}份，为保密不列结果"
"""Of a whole round."""
HIDDEN = "份数过少，为保密不列数字"
"""Of a group in a round that shows others."""
"""Why answers came back and stand in no figure, list or paper."""
SHORT = 24.0
"""A value up to this breadth, in Chinese characters, stands beside its label; a longer one below it."""
_NUMBERED = re.compile(r"^[一二三四五六七八九十]+、")
_BOX = "□"
_KINDS: Mapping[str, Literal["number", "date"]] = {"integer": "number", "number": "number", "date": "date"}


@handlers.outside
@takes({"flow.form": anything, "flow.record": anything}, MADE)
def form(call: Call) -> Values:
    """Sets what was filled in on task forms as a controlled document: a plan, a record, a list of measures.

    Properties: `flow.form`, the forms whose answers it holds, in this order (`plan, allocation`), and those of every
    paper. Answers kept as personal are left out: they could not be erased from a file. Sets nothing.
    """
    here = setting(call)
    return {
        "$record": files(call, here, [about(call, here), *answered_blocks(call, shown(call, here), level=1)])
    }


def about(call: Call, here: Setting) -> Fields:
    """What instance a paper is of."""
    pairs = (("单位", here.unit), ("期间", here.period), ("流程编号", call.label))
    return Fields(tuple(each for each in pairs if each[1]))


def shown(call: Call, here: Setting) -> list[Field]:
    """The fields of the forms that `flow.form` names, in order. Raises `NotFound`."""
    found: list[Field] = []
    for name in listed(call.properties["flow.form"]):
        there = here.procedure.forms.get(name)
        if there is None:
            raise NotFound("The procedure has no form {name} for {element}", name=name, element=call.element)
        found += there.questions
    return found


@handlers.sets_forms
def filled_in(call: Call, asked: Form, task: str, by: str) -> dict[str, bytes]:
    """A task form as it was filled in, as the files that its record is kept as, signed by who did."""
    here = setting(call)
    pairs = (("单位", here.unit), ("期间", here.period), ("步骤", call.name), ("任务", task))
    given = replace(call, variables=call.values)
    blocks = [
        Fields(tuple(each for each in pairs if each[1])),
        *answered_blocks(given, asked.questions, level=1),
    ]
    name = f"{control(call, here).title}-{task.rpartition('.')[2]}"
    signature = Signature(FILLED, by, date.fromisoformat(call.today))
    return files(call, here, blocks, signature, name=name)


def asked_for(call: Call, here: Setting, name: str) -> list[Field]:
    """The form fields of the variables that a property names, in its order: asked for, else shown under that name.

    Raises `EngineError` for strange ones.
    """
    forms = [form for form in here.procedure.forms.values() if form.kind == "task"]
    fields = [field for form in forms for field in form.questions]
    known = {field.id: field for field in fields if field.read_only and field.variable == field.id}
    known |= {field.id: field for field in fields if not field.read_only}
    wanted = listed(call.properties.get(name))
    strange = [each for each in wanted if each not in known]
    if strange:
        template = "No form of the procedure asks for {names}: correct {property} of {element}"
        raise EngineError(template, names=", ".join(strange), property=name, element=call.element)
    return [known[each] for each in wanted]


def answered_blocks(call: Call, fields: Sequence[Field], level: int) -> list[Block]:
    """The answers that variables hold, under the labels of their fields: short ones together, then one by one."""
    kept = [each for each in fields if not each.personal and answered(call.variables.get(each.id))]
    names = person_names(
        call.conn, {name for each in kept for name in people_in(each, call.variables[each.id])}
    )
    short: list[tuple[str, Value]] = []
    long: list[Block] = []
    for each in kept:
        value = call.variables[each.id]
        if each.type == "table":
            long += [_heading(each.label, level), _table(each, value, names)]
        elif each.type == "matrix":
            rows = tuple((row.label.zh, option_words(each, value.get(row.id))) for row in each.rows)
            long += [_heading(each.label, level), Table((Column("项目"), Column("评价")), rows)]
        elif breadth(text := words(each, value, names)) > SHORT or "\n" in text or each.type == "long_text":
            long += [_heading(each.label, level), Paragraph(text)]
        else:
            short.append((each.label.zh, text))
    return [*([Fields(tuple(short))] if short else []), *long]


def _heading(label: FormText, level: int) -> Heading:
    return Heading(label.zh, 1 if level == 1 else 2, numbered=not _NUMBERED.match(label.zh))


def _table(field: Field, rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Table:
    columns = [each for each in field.fields if any(answered(row.get(each.id)) for row in rows)]
    head = (
        Column("序号", "number"),
        *(_column(each, [row.get(each.id) for row in rows]) for each in columns),
    )
    body: list[tuple[Value, ...]] = [
        (number, *(_cell(each, row.get(each.id), names) for each in columns))
        for number, row in enumerate(rows, 1)
    ]
    return Table(head, tuple(body))


def _column(field: Field, values: Sequence[Any]) -> Column:
    decimals = (str(each).partition(".")[2] for each in values if isinstance(each, float))
    return Column(field.label.zh, _KINDS.get(field.type, "text"), max(map(len, decimals), default=0))


def _cell(field: Field, value: Any, names: Mapping[str, str]) -> Value:
    """The answer as a number or date, where it is one."""
    if field.type == "date" and answered(value):
        return date.fromisoformat(value)
    return value if field.type in _KINDS else words(field, value, names)


@handlers.outside
@takes(
    {"flow.record": anything},
    {"flow.questionnaire": anything, "flow.edition": edition, "flow.note": anything, **MADE},
)
def questionnaire(call: Call) -> Values:
    """Sets the questionnaire as a blank form to be printed, sent or read out.

    Properties: `flow.questionnaire`, which one, or the variable that names it; `flow.edition`, `published` for its
    latest published version instead of the instance's own; `flow.note`, variables of task forms printed at its head
    under their labels (how and when it is collected); and those of every paper. Sets `questionnaire_version`.
    """
    here = setting(call)
    note = answered_blocks(call, asked_for(call, here, "flow.note"), level=2)
    latest = "flow.edition" in call.properties
    definition = published(call.conn, call.procedure) if latest else here.definition
    form = questionnaire_of(call.conn, definition, asked(call))
    return {"questionnaire_version": form.version, "$record": files(call, here, _blank(form, note))}


@handlers.outside
@takes({"flow.record": anything}, {"flow.part": anything})
def answers(call: Call) -> Values:
    """Files the questionnaires that came back, one line each, as a table; with the customers where the round is named.

    Property: `flow.part`, which round. Answers marked as personal are left out: they could not be erased from a file.
    """
    found = rounds.round_of(call.conn, call.root, part_of(call))
    form = rounds.questionnaire(call.conn, found)
    columns = {name: path for name, path in columns_of(form).items() if path not in form.personal}
    labels = {row.id: row.label.zh for field in form.questions for row in field.rows}
    labels |= {field.id: field.label.zh for field in form.questions if not field.rows}
    if not found.named:
        lines = sorted(
            [str(given.get(name) or "") for name in columns]
            for given in (flat(each) for each, _ in rounds.answers_of(call.conn, [found]))
        )
        if rounds.few(call.conn, [found]):
            lines = [[TOO_FEW]]
        head = [labels.get(name, name) for name in columns]
    else:
        there = stored(call.conn, found)
        members = [each for each in rounds.roster(call.conn, found.id) if each.id in there]
        lines = [
            [each.code, *(str(flat(there[each.id].answers).get(name) or "") for name in columns)]
            for each in members
        ]
        head = ["客户", *(labels.get(name, name) for name in columns)]
    return {"$record": {f"{form.title.zh}-答卷.csv": csv_text(head, lines)}}


def _blank(asked: Form, note: Iterable[Block] = ()) -> Iterator[Block]:
    own = () if asked.anonymity == "anonymous" else (("客户编号", ""),)  # nobody is to know whose it is
    yield Fields((*own, ("填写日期", ""), ("问卷版本", asked.version), ("调查人员", "")))
    if asked.intro is not None:
        yield Paragraph(asked.intro.zh)
    yield from note
    for each in asked.fields:
        yield Heading(each.label.zh)
        if each.help is not None:
            yield Paragraph(each.help.zh)
        if each.type == "matrix":
            head = (Column("项目", width=14), *(Column(point.label.zh) for point in each.options))
            yield Table(head, tuple((row.label.zh, *(_BOX for _ in each.options)) for row in each.rows))
        elif each.options:
            yield Paragraph("　".join(f"{_BOX} {option.label.zh}" for option in each.options))
        elif each.type == "boolean":
            yield Paragraph(f"{_BOX} 是　{_BOX} 否")
        elif each.type == "table":
            yield Table(
                tuple(Column(column.label.zh) for column in each.fields), (("",) * len(each.fields),) * 3
            )
        elif each.type != "info":
            yield Paragraph("\n".join(["＿" * 30] * (3 if each.type == "long_text" else 1)))
