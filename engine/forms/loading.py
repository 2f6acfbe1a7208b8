"""Loading a form from YAML (`form: flow/1`), with every fault named by line."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Literal, cast

from engine.errors import Problem
from engine.forms.cleaning import Setting, check
from engine.forms.conditions import load_condition
from engine.forms.form import FIELD_TYPES, Field, Form, Option, OptionValue, Row, Scale, Score, Text
from engine.forms.patterns import compiled
from engine.forms.reading import RefusedError, read
from engine.strict_yaml import Reader, Value, load, nearest, shown

_FIELD_ID = re.compile(r"[a-z][a-z0-9_]*")
_FORM_ID = re.compile(r"[a-z][a-z0-9_-]*")
_RESERVED = {"any", "all", "not", "today", *keyword.kwlist}
LENGTHS = {"text": 1000, "long_text": 20_000, "person": 200}
"""How many characters a value may have at most, by the type of its field."""
_COLUMN_TYPES = tuple(kind for kind in FIELD_TYPES if kind not in ("table", "matrix", "info"))


def load_form(text: bytes, name: str) -> Form:
    """The form in the YAML file `text`, which findings call `name`. Raises `Misbuilt`."""
    reader = load(text, name).reader()
    reader.choice("form", ("flow/1",))
    form_id = _id(reader, _FORM_ID, ())
    kind = cast(Literal["task", "questionnaire"], reader.choice("kind", ("task", "questionnaire"), "task"))
    anonymity: Any = None
    if kind == "questionnaire":
        anonymity = reader.choice("anonymity", ("named", "confidential", "anonymous"))
    scales = _scales(reader)
    fields: list[Field] = []
    for entry in reader.mappings("fields"):
        field = _Loader(entry, scales, fields, FIELD_TYPES).field()
        if field.personal and anonymity == "anonymous":
            remedy = "Delete personal, or the field"
            entry.fault("An anonymous form asks for personal values", remedy, at=("personal",))
        fields.append(field)
    _check_dates(reader, fields)
    form = Form(
        id=form_id,
        version=reader.text("version", '"1"'),
        kind=kind,
        title=read_text(reader, "title"),
        fields=tuple(fields),
        intro=optional_read_text(reader, "intro"),
        anonymity=anonymity,
        scales=tuple(scales.values()),
        score=_score(reader, scales, fields),
    )
    reader.done()
    reader.raise_faults()
    return form


def read_text(reader: Reader, key: str) -> Text:
    """The text under `key`, which has to be there: Chinese, or `{zh: …, en: …}`."""
    if not isinstance(reader.value(key), dict):
        return Text(reader.text(key))
    both = reader.mapping(key)
    text = Text(both.text("zh"), both.optional_text("en") or "")
    both.done()
    return text


def optional_read_text(reader: Reader, key: str) -> Text | None:
    """The text under `key`, or None."""
    return read_text(reader, key) if reader.has(key) else None


def _id(reader: Reader, pattern: re.Pattern[str], taken: Collection[str]) -> str:
    found = reader.text("id")
    if found and not pattern.fullmatch(found):
        remedy = "Begin with a letter a-z, go on with a-z, 0-9 and _" + (
            " or -" if pattern is _FORM_ID else ""
        )
        reader.fault("{id} cannot be an id", remedy, at=("id",), id=found)
    elif found in _RESERVED:
        remedy = "Choose another id"
        reader.fault("{id} is a word of conditions and expressions", remedy, at=("id",), id=found)
    elif found in taken:
        reader.fault("The id {id} is given twice", "Choose another id", at=("id",), id=found)
    return found


def _weight(reader: Reader) -> float | None:
    weight = reader.optional_number("weight")
    if weight is not None and weight < 0:
        reader.fault("A weight lies below 0", "Write 0 or more", at=("weight",))
    return None if weight is None else float(weight)


def _score(reader: Reader, scales: Mapping[str, Scale], fields: Sequence[Field]) -> Score | None:
    entry = reader.optional_mapping("score")
    if entry is None:
        return None
    score = Score(
        method=entry.text("method"),
        na=entry.optional_text("na"),
        to=entry.optional_number("to"),
        overall=entry.optional_text("overall"),
        scale=entry.optional_text("scale"),
    )
    rated = [field for field in fields if field.scale is not None]
    items = [name for field in rated for name in ([row.id for row in field.rows] or [field.id])]
    for key, name, known in (("overall", score.overall, items), ("scale", score.scale, list(scales))):
        if name is not None and name not in known:
            meant = nearest(name, known)
            remedy = "Did you mean {meant}?" if meant else "Name one of the form's own, on a scale"
            entry.fault("There is no {key} {name}", remedy, at=(key,), key=key, name=name, meant=meant)
    entry.done()
    return score


def _scales(reader: Reader) -> dict[str, Scale]:
    scales: dict[str, Scale] = {}
    block = reader.optional_mapping("scales")
    if block is None:
        return scales
    for name in list(block.keys()):
        entry = block.mapping(name)
        if not _FIELD_ID.fullmatch(name):
            remedy = "Begin with a letter a-z, go on with a-z, 0-9 and _"
            block.fault("{id} cannot be an id", remedy, at=(name,), id=name)
        taken: dict[str, OptionValue] = {}
        points = _options(entry, "points", taken)
        na = entry.optional_mapping("na")
        satisfied = entry.integer("satisfied", 0)
        if entry.has("satisfied") and not 0 < satisfied < len(points):
            remedy = "Write how many of the best points count as satisfied: 1 to {most}"
            most = len(points) - 1
            entry.fault("The scale cannot be told apart so", remedy, at=("satisfied",), most=most)
        scales[name] = Scale(name, points, _option(na, taken) if na else None, satisfied or None)
        entry.done()
    return scales


def _options(reader: Reader, key: str, taken: dict[str, OptionValue]) -> tuple[Option, ...]:
    return tuple(_option(entry, taken) for entry in reader.mappings(key))


def _option(entry: Reader, taken: dict[str, OptionValue]) -> Option:
    """`taken` are the writings of the options so far: each has to mean one option."""
    value = entry.value("value")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or str(value).strip() == "":
        remedy = "Write `value: ` with text or a number"
        entry.fault("An option needs a value, found {found}", remedy, at=("value",), found=shown(value))
        value = ""
    option = Option(value, read_text(entry, "label"), _weight(entry))
    entry.done()
    for name in sorted(set(option.writings) - {""}):
        if name in taken:
            remedy = "Write another value or label"
            template = "{name} already stands for the option {other}"
            entry.fault(template, remedy, name=name, other=taken[name])
        taken.setdefault(name, value)
    return option


def _check_dates(reader: Reader, fields: list[Field]) -> None:
    """A date may be compared with an earlier date of the form, not with a later one or another type."""
    for index, field in enumerate(fields):
        columns = [(("fields", number), column) for number, column in enumerate(field.fields)]
        for path, part in [((), field), *columns]:
            for key, name in (("not_before", part.not_before), ("not_after", part.not_after)):
                at = ("fields", index, *path, key)
                if name in {later.id for later in fields[index:]}:
                    reader.fault(
                        "{name} comes later", "Name an earlier field or a variable", at=at, name=name
                    )
                elif name in {other.id for other in fields[:index] if other.type not in ("date", "datetime")}:
                    reader.fault("{name} is no date", "Name a date field or a variable", at=at, name=name)


class _Loader:
    """Reads one field; which attributes it may have depends on its type."""

    def __init__(
        self,
        reader: Reader,
        scales: Mapping[str, Scale],
        earlier: Sequence[Field],
        types: Collection[str],
    ) -> None:
        self.reader = reader
        self.scales = scales
        self.earlier = {field.id: field for field in earlier if field.id}
        self.types = types

    def field(self) -> Field:
        reader = self.reader
        name = _id(reader, _FIELD_ID, self.earlier)
        kind = reader.choice("type", self.types)
        attributes: dict[str, Any] = {"help": optional_read_text(reader, "help")}
        column = self.types is _COLUMN_TYPES
        if not column:
            entry = reader.optional_mapping("show_if")
            attributes["show_if"] = load_condition(entry, self.earlier) if entry else None
        if kind != "info":
            attributes["required"] = reader.boolean("required")
        if kind != "info" and not column:
            attributes["personal"] = reader.boolean("personal")
            attributes["read_only"] = reader.boolean("read_only")
            attributes["variable"] = self._variable()
        attributes |= self._of_type(kind)
        field = Field(name, kind, read_text(reader, "label"), **attributes)
        if kind != "info" and not column:
            field = self._with_default(field, reader.value("default"))
        if reader.value("type") == kind:  # else which keys belong here is not known
            reader.done()
        return field

    def _variable(self) -> str | None:
        entry = self.reader.optional_mapping("value")
        if entry is None:
            if self.reader.boolean("read_only") and not self.reader.has("default"):
                remedy = "Add `value:` with the variable's name as `var`, or a default"
                self.reader.fault("Nothing fills in this read-only field", remedy, at=("read_only",))
            return None
        name = entry.text("var")
        entry.done()
        return name

    def _of_type(self, kind: str) -> dict[str, Any]:
        reader = self.reader
        if kind in ("text", "long_text", "person"):
            return self._text(kind)
        if kind in ("integer", "number", "date", "datetime"):
            return self._range(kind)
        if kind == "choice" and reader.has("scale"):
            return {"weight": _weight(reader), **self._scale()}
        if kind in ("choice", "choices"):
            counts = self._counts() if kind == "choices" else {}
            return {"options": _options(reader, "options", {}), **counts}
        if kind == "matrix":
            return {"weight": _weight(reader), "rows": self._rows(), **self._scale()}
        if kind == "table":
            columns: list[Field] = []
            for entry in reader.mappings("fields"):
                field = _Loader(entry, self.scales, columns, _COLUMN_TYPES).field()
                columns.append(field)
            return {"fields": tuple(columns), **self._counts()}
        return {}

    def _text(self, kind: str) -> dict[str, Any]:
        reader = self.reader
        limits = {"max_length": reader.integer("max_length", LENGTHS[kind])}
        if kind == "person":
            return limits
        limits["min_length"] = reader.integer("min_length", 0)
        if not 0 <= limits["min_length"] <= limits["max_length"] <= LENGTHS["long_text"]:
            remedy = "Write 0 <= min_length <= max_length <= {limit}"
            limit = LENGTHS["long_text"]
            reader.fault("The lengths fit no text", remedy, at=("max_length",), limit=limit)
        if kind == "long_text":
            return limits
        pattern = reader.optional_text("pattern")
        try:
            compiled(pattern or "")
        except ValueError as error:
            remedy = "Write a regular expression that RE2 reads: without look-around, without references back"
            reader.fault("The pattern cannot be read: {error}", remedy, at=("pattern",), error=error)
            pattern = None
        return {**limits, "pattern": pattern}

    def _range(self, kind: str) -> dict[str, Any]:
        reader, bare = self.reader, Field("", kind, Text(""))
        limits: dict[str, Any] = {key: self._constant(bare, key, reader.value(key)) for key in ("min", "max")}
        if None not in limits.values() and limits["min"] > limits["max"]:
            reader.fault("min lies above max", "Exchange them", at=("min",))
        if kind in ("date", "datetime"):
            limits |= {key: reader.optional_text(key) for key in ("not_before", "not_after")}
        return limits

    def _counts(self) -> dict[str, Any]:
        reader = self.reader
        low, high = reader.integer("min", 0), reader.integer("max", 0)
        if low < 0 or (reader.has("max") and high < max(low, 1)):
            reader.fault("min and max fit no count", "Write 0 <= min <= max, max 1 or more", at=("min",))
        return {"min": low or None, "max": high or None}

    def _scale(self) -> dict[str, Any]:
        name = self.reader.text("scale")
        scale = self.scales.get(name)
        if name and scale is None:
            meant = nearest(name, self.scales)
            remedy = "Did you mean {meant}?" if meant else "Add it under scales"
            self.reader.fault("There is no scale {name}", remedy, at=("scale",), name=name, meant=meant)
        return {"scale": scale, "options": scale.options if scale else ()}

    def _rows(self) -> tuple[Row, ...]:
        rows: list[Row] = []
        for entry in self.reader.mappings("rows"):
            name = _id(entry, _FIELD_ID, [row.id for row in rows])
            rows.append(Row(name, read_text(entry, "label"), _weight(entry)))
            entry.done()
        weights = [row.weight for row in rows if row.weight is not None]
        if weights and (len(weights) < len(rows) or not sum(weights)):
            remedy = "Give every row a weight, at least one above 0, or none"
            self.reader.fault("The weights of the rows are incomplete", remedy, at=("rows",))
        return tuple(rows)

    def _constant(self, field: Field, key: str, written: Value) -> object:
        """A value of the field's own type, as written in the form."""
        try:
            return read(field, written)
        except RefusedError as refusal:
            self._refuse(key, refusal.problems)
            return None

    def _refuse(self, key: str, problems: Collection[Problem]) -> None:
        for problem in problems:
            remedy = "Write a value of the field's own type, within its limits"
            params = {"key": key, "problem": str(problem)}
            self.reader.fault("{key} does not fit: {problem}", remedy, at=(key,), **params)

    def _with_default(self, field: Field, default: Value) -> Field:
        if default is None:
            return field
        if not (field.type == "date" and default == "today"):
            value = self._constant(field, "default", default)
            if value is not None and field.type != "table":
                anytime = replace(field, not_before=None, not_after=None)
                self._refuse("default", check(anytime, value, Setting(date.min, {}, {})))
            default = cast(Value, value)
        return replace(field, default=default)
