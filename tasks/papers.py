"""Papers: the controlled documents that a procedure lists as records, as Word to be signed and PDF to be kept.

Title and code are those of the step's record in procedure.yaml; a Word template `templates/<record>.docx` of the
procedure, where there is one, gives the look (docs/documents.md). The same step repeated makes the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import or_, select

from documents.content import (
    Block,
    Column,
    Control,
    Document,
    Fields,
    Heading,
    Paragraph,
    Signature,
    Table,
    Value,
)
from documents.measure import breadth
from documents.pdf import pdf
from documents.word import word
from engine.errors import EngineError, NotFound
from engine.forms.conditions import answered
from engine.forms.form import Field, Form
from engine.forms.form import Text as FormText
from engine.forms.wording import option_words, people_in, words
from engine.handlers import Call, Handlers, Values, anything, takes
from engine.procedures import Procedure, from_files
from engine.procedures.packing import unpack
from engine.store import tables
from engine.store.organisation import person_names
from survey import rounds
from survey.questionnaires import columns_of, published, questionnaire_of
from survey.returns import flat, stored
from tasks.fieldwork import asked, edition, part_of, sheet

handlers = Handlers("papers")

KINDS = ("word", "pdf")
SHORT = 24.0
"""A value up to this breadth, in Chinese characters, stands beside its label; a longer one below it."""
_NUMBERED = re.compile(r"^[一二三四五六七八九十]+、")
_BOX = "□"


def _kinds(value: Any) -> None:
    """The judge of `flow.files`."""
    for name in listed(str(value)):
        if name not in KINDS:
            raise EngineError(
                "{name} is no kind of file; there are {known}", name=name, known=", ".join(KINDS)
            )


def _signed(value: Any) -> None:
    """The judge of `flow.signed`."""
    for part in listed(str(value)):
        if len(part.split()) > 2:
            template = "{part} cannot be read: write what is signed, and behind it the step that does it"
            raise EngineError(template, part=part)


MADE = {
    "flow.signed": _signed,
    "flow.files": _kinds,
    "flow.version": anything,
}
"""The properties that every paper takes: who signs (`编制 draft_plan, 审核 review, 批准`: what is done, and the step
that does it; without a step, by hand), which files (`word, pdf`), the version printed (the procedure's, if none)."""


def listed(value: str | None) -> list[str]:
    """What stands between the commas of a property."""
    return [part.strip() for part in (value or "").split(",") if part.strip()]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a paper needs to know of the instance it is made in."""

    procedure: Procedure
    definition: str
    filed: Procedure
    """The procedure that knows the step's record: its own, or the caller's that files it."""
    record: str
    """The record's id there; empty where the step has none."""
    version: int
    """Of the procedure that knows the record."""
    unit: str
    """Its name."""
    period: str


def setting(call: Call) -> Setting:
    """The instance's procedure as it was published, its unit and period."""
    instance, definition, unit = tables.instance, tables.definition, tables.unit
    row = call.conn.execute(
        select(
            instance.c.period, instance.c.definition, definition.c.bundle, definition.c.version, unit.c.name
        )
        .join(definition, definition.c.hash == instance.c.definition)
        .join(unit, unit.c.id == instance.c.unit)
        .where(instance.c.id == call.instance)
    ).one()
    own, version = _parsed(row.bundle), row.version
    filed, record = own, call.properties.get("flow.record", "")
    if record and call.filed is not None:
        digest, record = call.filed
        if digest != row.definition:
            other = call.conn.execute(select(definition).where(definition.c.hash == digest)).one()
            filed, version = _parsed(other.bundle), other.version
    return Setting(own, row.definition, filed, record, version, row.name, row.period or "")


@lru_cache(maxsize=16)
def _parsed(bundle: bytes) -> Procedure:
    return from_files(unpack(bundle))


def control(call: Call, here: Setting) -> Control:
    """What makes the document of the step's record a controlled one."""
    known = here.filed.records.get(here.record)
    return Control(
        title=call.name if known is None else known.title.zh,
        dated=date.fromisoformat(call.today),
        code="" if known is None else known.code or "",
        version=call.properties.get("flow.version", f"V{here.version}"),
        organisation=here.unit,
        signatures=tuple(_signatures(call)),
    )


def files(call: Call, here: Setting, blocks: Iterable[Block], *, landscape: bool = False) -> dict[str, bytes]:
    """The document of the step's record, in the files that the step asks for, by name."""
    about = control(call, here)
    document = Document(about, tuple(blocks), landscape)
    fonts = call.folder / "fonts"
    own = fonts if fonts.is_dir() else None
    wanted = listed(call.properties.get("flow.files")) or KINDS
    made: dict[str, bytes] = {}
    if "word" in wanted:
        name = f"templates/{here.record}.docx"
        made[f"{about.title}.docx"] = word(document, here.filed.files.get(name), name, own)
    if "pdf" in wanted:
        made[f"{about.title}.pdf"] = pdf(document, own)
    return made


def _signatures(call: Call) -> Iterator[Signature]:
    for part in listed(call.properties.get("flow.signed")):
        act, _, element = part.partition(" ")
        done = _done(call, element.strip()) if element else None
        if done is None:
            yield Signature(act)
        else:
            yield Signature(act, person_names(call.conn, [done[0]]).get(done[0], done[0]), done[1])


def _done(call: Call, element: str) -> tuple[str, date] | None:
    """Who did the step last, and when."""
    task, instance = tables.user_task, tables.instance
    row = call.conn.execute(
        select(task.c.closed_by, task.c.closed_at)
        .join(instance, instance.c.id == task.c.instance_id)
        .where(
            or_(instance.c.id == call.root, instance.c.root_id == call.root),
            task.c.element == element,
            task.c.status == "done",
        )
        .order_by(task.c.closed_at.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return row.closed_by, row.closed_at.astimezone(call.zone).date()


@handlers.outside
@takes({"flow.form": anything, "flow.record": anything}, MADE)
def form(call: Call) -> Values:
    """Sets what was filled in on task forms as a controlled document: a plan, a record, a list of measures.

    Properties: `flow.form`, the forms whose answers it holds, in this order (`plan, allocation`), and those of every
    paper. Answers kept as personal are left out: they could not be erased from a file. Sets nothing.
    """
    here = setting(call)
    about = (
        ("单位", here.unit),
        *((("期间", here.period),) if here.period else ()),
        ("流程编号", call.label),
    )
    blocks: list[Block] = [Fields(about)]
    for name in listed(call.properties["flow.form"]):
        there = here.procedure.forms.get(name)
        if there is None:
            raise NotFound("The procedure has no form {name} for {element}", name=name, element=call.element)
        blocks += answered_blocks(call, there.questions, level=1)
    return {"$record": files(call, here, blocks)}


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
    head = (Column("序号", "number"), *(Column(each.label.zh) for each in columns))
    body: list[tuple[Value, ...]] = [
        (number, *(words(each, row.get(each.id), names) for each in columns))
        for number, row in enumerate(rows, 1)
    ]
    return Table(head, tuple(body))


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
    """Files the questionnaires that came back, one line each, as a table; of an anonymous round without customers.

    Property: `flow.part`, which round. Answers marked as personal are left out: they could not be erased from a file.
    """
    found = rounds.round_of(call.conn, call.root, part_of(call))
    form = rounds.questionnaire(call.conn, found)
    columns = {name: path for name, path in columns_of(form).items() if path not in form.personal}
    labels = {row.id: row.label.zh for field in form.questions for row in field.rows}
    labels |= {field.id: field.label.zh for field in form.questions if not field.rows}
    if found.anonymous:
        lines = sorted(
            [str(given.get(name) or "") for name in columns]
            for given in (flat(each) for each, _ in rounds.answers_of(call.conn, [found]))
        )
        head = [labels.get(name, name) for name in columns]
    else:
        there = stored(call.conn, found)
        members = [each for each in rounds.roster(call.conn, found.id) if each.id in there]
        lines = [
            [each.code, *(str(flat(there[each.id].answers).get(name) or "") for name in columns)]
            for each in members
        ]
        head = ["客户", *(labels.get(name, name) for name in columns)]
    return {"$record": {f"{form.title.zh}-答卷.csv": sheet(head, lines)}}


def _blank(asked: Form, note: Iterable[Block] = ()) -> Iterator[Block]:
    yield Fields((("客户编号", ""), ("填写日期", ""), ("问卷版本", asked.version), ("调查人员", "")))
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
