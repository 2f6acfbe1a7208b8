"""Reading the YAML files of a procedure, with every fault named by line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar

from engine.calendar.due_grammar import COUNTINGS, Counting
from engine.calendar.durations import parse_duration
from engine.calendar.rules import read_rule
from engine.errors import Finding, Invalid, Misbuilt
from engine.forms.form import Form, Text
from engine.forms.loading import load_form, read_text
from engine.procedures.procedure import FILES, Parameter, Record, Schedule, Source, counting_of
from engine.strict_yaml import Document, Reader, Value, load, shown

PROCEDURE, CLAUSES, SCENARIOS = "procedure.yaml", "clauses.yaml", "scenarios.yaml"

ID = re.compile(r"[a-z][a-z0-9_-]*")
"""What a procedure may be called; its folder and diagram are named after it."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Main:
    """What procedure.yaml says."""

    id: str
    code: str | None
    title: Text
    source: Source | None
    process: str
    called: bool
    schedules: Mapping[str, Schedule]
    parameters: Mapping[str, Parameter]
    records: Mapping[str, Record]
    document: Document


def read_main(name: str, text: bytes) -> Main:
    """What procedure.yaml says. Raises `Misbuilt`."""
    document = load(text, name)
    reader = document.reader()
    reader.choice("procedure", ("flow/1",))
    identity = reader.text("id")
    if identity and not ID.fullmatch(identity):
        remedy = "Begin with a letter a-z, go on with a-z, 0-9, - and _"
        reader.fault("{id} cannot be an id", remedy, at=("id",), id=identity)
    parameters = _entries(reader, "parameters", _parameter)
    counting = counting_of(parameters)
    main = Main(
        id=identity,
        code=reader.optional_text("code"),
        title=read_text(reader, "title"),
        source=_source(reader),
        process=reader.text("process"),
        called=reader.boolean("called"),
        schedules=_schedules(reader, counting),
        parameters=parameters,
        records=_entries(reader, "records", _record),
        document=document,
    )
    reader.done()
    reader.raise_faults()
    return main


def _source(reader: Reader) -> Source | None:
    entry = reader.optional_mapping("source")
    if entry is None:
        return None
    source = Source(entry.text("document"), entry.optional_text("revision"), entry.optional_text("section"))
    entry.done()
    return source


def _schedules(reader: Reader, counting: Counting | None) -> dict[str, Schedule]:
    block = reader.optional_mapping("schedules")
    if block is None:
        return {}
    names = block.keys()
    return {name: Schedule(name, read_rule(block, name, counting), block.value(name)) for name in names}


def _entries(reader: Reader, key: str, read: Callable[[str, Reader], T]) -> dict[str, T]:
    """A mapping of names to entries, each name fit for an expression."""
    block = reader.optional_mapping(key)
    found: dict[str, T] = {}
    for name in block.keys() if block else ():
        assert block is not None
        if not _NAME.fullmatch(name):
            remedy = "Begin with a letter a-z, go on with a-z, 0-9 and _"
            block.fault("{name} cannot be a name", remedy, at=(name,), name=name)
        entry = block.mapping(name)
        found[name] = read(name, entry)
        entry.done()
    return found


def _parameter(name: str, entry: Reader) -> Parameter:
    value, options = entry.value("value"), entry.value("options")
    if not entry.has("value"):
        entry.fault("value is missing", "Add `value: …` here")
    if options is not None and (not isinstance(options, list) or not options):
        remedy = "Write the choices as in [from, after]"
        entry.fault("options expects a list, found {found}", remedy, at=("options",), found=shown(options))
        options = None
    choices: tuple[Value, ...] = tuple(options) if isinstance(options, list) else ()
    if name == "counting" and not set(map(str, choices)) <= set(COUNTINGS):
        entry.fault("counting has other options than from and after", "Delete them", at=("options",))
    known = COUNTINGS if name == "counting" else choices
    if known and value not in known:
        remedy = "Write one of: {known}"
        names = ", ".join(shown(choice) for choice in known)
        entry.fault("value cannot be {found}", remedy, at=("value",), found=shown(value), known=names)
    return Parameter(name, value, read_text(entry, "title"), choices, entry.optional_text("reading"))


def _record(name: str, entry: Reader) -> Record:
    record = Record(
        name,
        read_text(entry, "title"),
        entry.optional_text("code"),
        entry.optional_text("retention"),
        entry.texts("files", required=False),
    )
    for each in record.files:
        if each not in FILES:
            template, remedy = "{name} is no kind of file", "Write some of: {known}"
            entry.fault(template, remedy, at=("files",), name=each, known=", ".join(FILES))
    if record.retention not in (None, "permanent"):
        try:
            parse_duration(record.retention)
        except Invalid as error:
            remedy = "Write a duration such as P3Y, or permanent"
            entry.fault("{reason}", remedy, at=("retention",), reason=str(error))
    return record


def read_form(name: str, text: bytes) -> Form:
    """One form, whose id is its file's name. Raises `Misbuilt`."""
    form = load_form(text, name)
    if form.id != PurePosixPath(name).stem or not name.endswith(".yaml"):
        template, remedy = "The form's id is {id}", "Name the file {id}.yaml"
        raise Misbuilt([Finding("error", name, "id", template, remedy, {"id": form.id})])
    return form
