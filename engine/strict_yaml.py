"""Strict reading of the YAML files people write here: procedures, forms, organisations, scenarios, clauses.

The grammar is YAML 1.2's core schema, narrowed to what reads the same to every eye and every tool: values
that other readers would turn into something else (`no`, `2026-01-01`, `12:30`, `1_000`) must be quoted or
spelled out, and keys may not repeat. `load` checks the file, a `Reader` checks what stands in it; both
collect every fault and raise one `Misbuilt` whose findings name the file and the line.

    reader = load(path.read_bytes(), "procedure.yaml").reader()
    title = reader.text("title")
    kind = reader.choice("kind", ("task", "questionnaire"), default="task")
    for step in reader.mappings("steps"):
        step.text("id")
        step.done()
    reader.done()
    reader.raise_faults()
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import TypeAlias

import yaml

from engine.characters import blank, unstorable
from engine.errors import Finding, Misbuilt

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Path: TypeAlias = tuple[str | int, ...]

MAX_BYTES, MAX_DEPTH = 1_000_000, 50
MAX_WORD, MAX_KNOWN, MAX_MEANT = 80, 1_000, 50
"""A slip of the pen is looked for in words so long, among so many of them, for so many keys of a mapping."""

_WORDS: dict[str, Value] = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
# What some reader of YAML, of either version, takes for something else than text.
_SWITCH = re.compile(r"true|false|yes|no|on|off|null", re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ]+[0-9].*)?")
_ODD_NUMBER = re.compile(
    r"(?i:[-+]?(\.[0-9][0-9_]*|[0-9][0-9_]*(\.[0-9_]*)?)(e[-+]?[0-9]+)?|0[xob][0-9a-f_]+|[-+]?\.(inf|nan))"
    r"|[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
)
_EXPECTED: dict[type, tuple[str, str]] = {
    str: ("{key} expects text, found {found}", "Write text, numbers in quotes"),
    int: ("{key} expects a whole number, found {found}", "Write digits without quotes"),
    float: ("{key} expects a number, found {found}", "Write digits without quotes"),
    bool: ("{key} expects true or false, found {found}", "Write true or false"),
    list: ("{key} expects a list, found {found}", "Write each entry after `- `"),
    dict: ("{key} expects keys with values, found {found}", "Write each as `key: value`"),
}


@dataclass(frozen=True, slots=True)
class Document:
    """A file as plain values; `lines` says where each stands, for the checks that come later."""

    name: str
    value: Value
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """The line (from 1) of the value at `path`, or of the nearest value around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def finding(self, path: Path, template: str, remedy: str, /, **params: object) -> Finding:
        """An `error` at the line of `path`."""
        return _fault(self.name, self.line(path), template, remedy, **params)

    def reader(self) -> Reader:
        """A reader of the whole file, which has to be a mapping."""
        return Reader(self, (), self.value, [])


def load(text: bytes | str, name: str) -> Document:
    """The one YAML document in `text`; `name` is the file as findings shall call it.

    Raises `Misbuilt` with every fault; after a fault of grammar the rest of the file cannot be read.
    """
    builder = _Builder(name)
    value = builder.read(text)
    _raise(builder.findings)
    return Document(name, value, builder.lines)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be."""
    words = [each for each in islice(known, MAX_KNOWN) if max(len(each), len(word)) <= MAX_WORD]
    return next(iter(get_close_matches(word, words, n=1)), None)


def _fault(name: str, line: int, template: str, remedy: str, /, **params: object) -> Finding:
    return Finding("error", name, f"line {line}", template, remedy, params)


def _raise(findings: list[Finding]) -> None:
    if findings:
        raise Misbuilt(sorted(findings, key=lambda finding: int(finding.element.removeprefix("line "))))


class _UnreadableError(Exception):
    """The file cannot be read past this point; its finding is already noted."""


class _Builder:
    """Builds values from the parser's events: lazily, so that a hostile file is given up early."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.findings: list[Finding] = []
        self.lines: dict[Path, int] = {}
        self.events: Iterator[yaml.Event] = iter(())
        self.line = 1
        """The line reached."""

    def read(self, source: bytes | str) -> Value:
        text = ""
        try:
            text = self._decode(source)
            self.events = yaml.parse(text, Loader=yaml.SafeLoader)
            return self._document()
        except yaml.reader.ReaderError as error:
            self.line = text.count("\n", 0, error.position) + 1
            self._note("A control character stands in the line", "Delete it")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.line = mark.line + 1 if mark else self.line
            self._note(*_GRAMMAR, problem=error.problem or error.context)
        except (ValueError, OverflowError):  # the parser's own, of an escape beyond Unicode
            self._note(*_GRAMMAR, problem="a number or escape out of range")
        except _UnreadableError:
            pass
        return None

    def _note(self, template: str, remedy: str, /, **params: object) -> None:
        self.findings.append(_fault(self.name, self.line, template, remedy, **params))

    def _decode(self, source: bytes | str) -> str:
        data = source.encode(errors="surrogatepass") if isinstance(source, str) else source
        if len(data) > MAX_BYTES:
            self._note("The file is larger than {limit} bytes", "Split it", limit=MAX_BYTES)
            raise _UnreadableError
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self.line = data.count(b"\n", 0, error.start) + 1
            remedy = "Save it as UTF-8 (editors may call its present encoding GBK, ANSI or UTF-16)"
            self._note("The file is not UTF-8", remedy)
            raise _UnreadableError from None
        for self.line, line in enumerate(text.split("\n"), 1):
            if "\t" in line:
                self._note("A tab stands in the line", "Use spaces, or write \\t inside double quotes")
        if self.findings:
            raise _UnreadableError
        return text

    def _next(self) -> yaml.Event:
        event = next(self.events)
        self.line = event.start_mark.line + 1 if event.start_mark else self.line
        return event

    def _document(self) -> Value:
        value: Value = None
        self._next()  # the stream starts
        if isinstance(self._next(), yaml.DocumentStartEvent):
            value = self._node(self._next(), ())
            self._next()  # the document ends
            if not isinstance(self._next(), yaml.StreamEndEvent):
                self._note("A second document begins", "Keep one document in a file")
        return value

    def _node(self, event: yaml.Event, path: Path) -> Value:
        self.lines.setdefault(path, self.line)
        if len(path) > MAX_DEPTH:
            self._note("More than {limit} levels are nested", "Flatten the file", limit=MAX_DEPTH)
            raise _UnreadableError
        if isinstance(event, yaml.AliasEvent):
            self._note("*{anchor} stands for a value elsewhere", "Write the value out", anchor=event.anchor)
            return None
        assert isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent))
        if event.anchor is not None:
            self._note("&{anchor} is an anchor", "Delete it", anchor=event.anchor)
        if event.tag is not None:
            self._note("{tag} is a tag", "Delete it", tag=event.tag)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        return self._mapping(path) if isinstance(event, yaml.MappingStartEvent) else self._list(path)

    def _list(self, path: Path) -> Value:
        items: list[Value] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items))))
        return items

    def _mapping(self, path: Path) -> Value:
        result: dict[str, Value] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            line, faults = self.line, len(self.findings)
            key = self._node(event, (*path, ""))
            del self.lines[(*path, "")]
            self.line = line
            if len(self.findings) > faults:
                key = ""
            elif not isinstance(key, str):
                self._note("The key {key} is not text", "Quote it", key=shown(key))
                key = ""
            elif key == "<<":
                self._note("<< merges a mapping", "Write the keys out")
            elif key in result:
                first = self.lines[(*path, key)]
                template = "The key {key} stands here and in line {first}"
                self._note(template, "Keep one of them", key=key, first=first)
            self.lines.setdefault((*path, str(key)), line)
            result[str(key)] = self._node(self._next(), (*path, str(key)))
        return result

    def _scalar(self, event: yaml.ScalarEvent) -> Value:
        text: str = event.value
        if unstorable(text):
            self._note("Half a character, or a control character, is escaped", "Write a whole one, or none")
        if not event.implicit[0]:  # quoted, or a block
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
            return float(text)
        if _DATE.fullmatch(text):
            self._note("{text} is a bare date", 'Quote it: "{text}"', text=text)
        elif _SWITCH.fullmatch(text):
            remedy = 'Write true or false, or quote it: "{text}"'
            self._note("Readers of YAML differ on the bare word {text}", remedy, text=text)
        elif _ODD_NUMBER.fullmatch(text):
            remedy = 'Quote it ("{text}"), or write a plain decimal number of at most 15 digits'
            self._note("Readers of YAML differ on the bare number {text}", remedy, text=text)
        return text


_GRAMMAR = ("This is not YAML: {problem}", "Compare indentation, quotes, colons and brackets here")


def shown(value: object) -> str:
    """A value as messages name it: in the file's own signs, cut to a readable length."""
    if isinstance(value, (dict, list)):
        return "{…}" if isinstance(value, dict) else "[…]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and abs(value) > 10**40:
        return "…"  # Python itself refuses to write out the longest
    text = "".join(sign if sign.isprintable() else "\ufffd" for sign in str(value)[:41])
    return text if len(text) <= 40 else f"{text[:40]}…"


class Reader:
    """One mapping of a document, read key by key.

    A faulty value is noted and answered with a placeholder of the right type, so that reading goes on;
    call `raise_faults` before using what was read. A key with nothing after it counts as missing.
    """

    def __init__(self, document: Document, path: Path, value: Value, findings: list[Finding]) -> None:
        self.document = document
        self.path = path
        self._findings = findings  # shared by all readers of the document
        self._asked: dict[str, None] = {}
        self._values = value if isinstance(value, dict) else {}
        self._given = isinstance(value, dict)
        if not self._given:
            template, remedy = _EXPECTED[dict]
            key = path[-1] if path else document.name
            findings.append(document.finding(path, template, remedy, key=key, found=shown(value)))

    def fault(self, template: str, remedy: str, /, *, at: Path = (), **params: object) -> None:
        """Note a fault in the line of `at`, a path below this mapping.

        A mapping that is not there is one fault, noted already: nothing more is said about its inside.
        """
        if self._given:
            self._findings.append(self.document.finding((*self.path, *at), template, remedy, **params))

    def raise_faults(self) -> None:
        """Raise `Misbuilt` with all faults noted so far in the document, in the order of its lines."""
        _raise(self._findings)

    def done(self) -> None:
        """Note every key that nobody asked for."""
        for place, key in enumerate([key for key in self._values if key not in self._asked]):
            meant = nearest(key, self._asked) if place < MAX_MEANT else None
            remedy = "Did you mean {meant}?" if meant else "Known here: {known}"
            known = ", ".join(self._asked)
            self.fault("Unknown key {key}", remedy, at=(key,), key=key, meant=meant, known=known)

    def keys(self) -> list[str]:
        """The keys, all counted as known: for mappings whose keys are the author's own."""
        self._asked.update(dict.fromkeys(self._values))
        return list(self._values)

    def value(self, key: str) -> Value:
        """Whatever stands under `key`, or None."""
        self._asked[key] = None
        return self._values.get(key)

    def has(self, key: str) -> bool:
        """Whether something stands under `key`."""
        return self.value(key) is not None

    def text(self, key: str, example: str = "…") -> str:
        """Text that has to be there and not be blank; `example` shows how it is written."""
        found = self._scalar(key, (str,)) if self._present(key, True, example) else None
        if isinstance(found, str) and blank(found):
            self.fault("{key} is blank", "Write its text", at=(key,), key=key)
        return found if isinstance(found, str) else ""

    def optional_text(self, key: str) -> str | None:
        """Text, or None."""
        found = self._scalar(key, (str,))
        return found if isinstance(found, str) else None

    def integer(self, key: str, default: int | None = None) -> int:
        """A whole number; required unless there is a default."""
        found = self._scalar(key, (int,), required=default is None)
        return found if isinstance(found, int) else default or 0

    def optional_number(self, key: str) -> int | float | None:
        """A number, or None."""
        found = self._scalar(key, (float, int))
        return found if isinstance(found, (int, float)) else None

    def boolean(self, key: str, *, default: bool = False) -> bool:
        """True or false."""
        found = self._scalar(key, (bool,))
        return found if isinstance(found, bool) else default

    def choice(self, key: str, choices: Collection[str], default: str | None = None) -> str:
        """One of `choices`; required unless there is a default."""
        found = self._scalar(key, (str,), required=default is None)
        if isinstance(found, str) and found not in choices:
            meant = nearest(found, choices)
            remedy = "Did you mean {meant}?" if meant else "Write one of: {known}"
            known = ", ".join(choices)
            template = "{key} cannot be {found}"
            self.fault(template, remedy, at=(key,), key=key, found=shown(found), meant=meant, known=known)
        return found if isinstance(found, str) and found in choices else default or next(iter(choices))

    def mapping(self, key: str) -> Reader:
        """The mapping under `key`, which has to be there; read it and call its `done`."""
        if self._present(key, required=True):
            return Reader(self.document, (*self.path, key), self.value(key), self._findings)
        return Reader(self.document, (*self.path, key), None, [])

    def optional_mapping(self, key: str) -> Reader | None:
        """The mapping under `key`, or None."""
        return self.mapping(key) if self.has(key) else None

    def mappings(self, key: str, *, required: bool = True) -> Iterator[Reader]:
        """A reader for each entry of the list of mappings under `key`."""
        for index, item in enumerate(self._list(key, required)):
            yield Reader(self.document, (*self.path, key, index), item, self._findings)

    def texts(self, key: str, *, required: bool = True) -> tuple[str, ...]:
        """The list of texts under `key`."""
        items = self._list(key, required)
        for index, item in enumerate(items):
            if not isinstance(item, str):
                self._mistyped(key, item, str, (key, index))
        return tuple(item for item in items if isinstance(item, str))

    def _present(self, key: str, required: bool, example: str = "…") -> bool:
        if required and not self.has(key):
            self.fault("{key} is missing", "Add `{key}: {example}` here", key=key, example=example)
        return self.has(key)

    def _list(self, key: str, required: bool) -> list[Value]:
        found = self.value(key) if self._present(key, required) else []
        if not isinstance(found, list):
            self._mistyped(key, found, list, (key,))
            return []
        if required and not found and self.has(key):
            self.fault("{key} is empty", "Add an entry", at=(key,), key=key)
        return found

    def _scalar(self, key: str, kinds: tuple[type, ...], *, required: bool = False) -> Value:
        found = self.value(key)
        if not self._present(key, required) or type(found) in kinds:
            return found
        self._mistyped(key, found, kinds[0], (key,))
        return None

    def _mistyped(self, key: str, found: Value, wanted: type, at: Path) -> None:
        template, remedy = _EXPECTED[wanted]
        self.fault(template, remedy, at=at, key=key, found=shown(found))
