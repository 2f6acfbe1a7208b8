"""The catalogue of messages: which texts of the code people are shown, and the Chinese for each.

`python -m tests.console.catalogue` writes the texts of the code into the catalogue, keeping the translations,
and compiles it. The tests hold the catalogue against the code.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
PO = ROOT / "console" / "locale" / "zh_CN" / "LC_MESSAGES" / "flow.po"
MO = PO.with_suffix(".mo")

SAYING = {"tr", "say", "note", "warn", "_ok", "_warning", "working"}
"""Functions of the console whose first argument is a message."""
BUGS = {"ValueError", "TypeError", "RuntimeError", "AssertionError", "KeyError"}
LOGGING = {"debug", "info", "warning", "error", "exception", "critical"}
SENTENCE = re.compile(r"(?=.*[a-z]{2})(?=.* )[A-Z{'\"*&][^\n]*")
CODE = re.compile(
    r"(SELECT|SET|PRAGMA|VACUUM|BEGIN|LOCK|CREATE|INSERT|UPDATE|DELETE)\b|[{(]?['\"]?[\w.$]+['\"]?:|\(\?|\{\{"
)
CLICK = (
    "Usage:",
    "Error: {message}",
    "Try '{command} {option}' for help.",
    "No such command {name!r}.",
    "No such option: {name}",
    "Missing command.",
    "Missing argument",
    "Missing option",
    "Missing parameter",
    "Invalid value: {message}",
    "Invalid value for {param_hint}: {message}",
    "Option {name!r} requires an argument.",
    "Show the version and exit.",
    "default: {default}",
    "required",
    "{value!r} is not {choice}.",
    "{value!r} is not one of {choices}.",
    "{value!r} is not a valid {number_type}.",
    "{value} is not in the range {range}.",
    "{name} {filename!r} does not exist.",
    "{name} {filename!r} is a directory.",
    "{name} {filename!r} is a file.",
    "File",
    "Directory",
    "file",
    "directory",
    "Error: invalid input",
)
"""Words of click itself that our users see most."""


@cache
def messages() -> dict[str, str]:
    """Every text that the code shows to people, to the first file that has it."""
    found: dict[str, str] = dict.fromkeys(CLICK, "click")
    for file in files():
        name = file.relative_to(ROOT).as_posix()
        module = ast.parse(file.read_bytes(), name)
        texts = of_console(module) if name.startswith(("console/", "cli.py")) else of_engine(module)
        for text in texts:
            found.setdefault(text, name)
        for text in of_engine(module) if name.startswith("console/") else ():
            found.setdefault(text, name)
    return found


def files() -> Iterator[Path]:
    """What is shipped and speaks."""
    for package in ("console", "documents", "engine", "survey", "notices", "tasks"):
        for file in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in file.parts and file.name != "word_style.py":  # names of Word's styles
                yield file
    yield ROOT / "cli.py"


def of_console(module: ast.Module) -> Iterator[str]:
    """Arguments of `tr` and its like, heads of tables, help texts, and tables annotated as Messages."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            name = _called(node)
            if name in SAYING and node.args:
                yield from _literals(node.args[0])
            if name == "table" and node.args and isinstance(node.args[0], ast.Tuple):
                yield from (text for head in node.args[0].elts for text in _literals(head) if text)
            yield from (
                text for each in node.keywords if each.arg == "help" for text in _literals(each.value)
            )
        elif isinstance(node, ast.FunctionDef) and any(
            _called(each) in ("command", "group") for each in node.decorator_list
        ):
            docstring = ast.get_docstring(node, clean=False)
            if docstring:
                yield inspect.cleandoc(docstring)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.annotation, ast.Name):
            if node.annotation.id == "Messages" and isinstance(node.value, ast.Dict):
                yield from (text for each in node.value.values for text in _literals(each))
            if node.annotation.id == "Words" and node.value is not None:
                yield from (each.value for each in ast.walk(node.value) if isinstance(each, ast.Constant))
            if node.annotation.id == "Sections" and isinstance(node.value, ast.Dict):
                yield from _sections(node.value)


def _sections(sections: ast.Dict) -> Iterator[str]:
    for title, part in zip(sections.keys, sections.values, strict=True):
        assert title is not None
        yield from _literals(title)
        assert isinstance(part, ast.Dict)
        for entry in part.values:
            assert isinstance(entry, ast.Tuple)
            yield from _literals(entry.elts[1])


def of_engine(module: ast.Module) -> Iterator[str]:
    """Every sentence that is no docstring, no part of another text, and not meant for whoever mends a bug."""
    passed_over: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed_over.add(id(node.value))
        elif isinstance(node, ast.Tuple) and any(
            isinstance(each, ast.Constant) and re.search("[一-鿿]", str(each.value)) for each in node.elts
        ):
            passed_over |= {id(each) for each in node.elts}  # both languages stand there already
        elif isinstance(node, ast.JoinedStr | ast.Assert):
            passed_over |= {
                id(each) for each in ast.walk(node.msg if isinstance(node, ast.Assert) and node.msg else node)
            }
        elif isinstance(node, ast.Call) and (
            _called(node) in BUGS or (_called(node) in LOGGING and isinstance(node.func, ast.Attribute))
        ):
            passed_over |= {id(each) for each in ast.walk(node)}
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and _called(node) == "fault":
            yield from (text for each in node.args for text in _literals(each) if " " in text)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed_over:
            text = node.value
            if (
                SENTENCE.fullmatch(text)
                and "','" not in text
                and not CODE.match(text)
                and not re.search("[一-鿿]", text)
            ):
                yield text


def _called(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        return _called(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _literals(node: ast.AST) -> Iterator[str]:
    """The texts a message may be: a literal, either branch of a condition."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)


def read() -> Catalog:
    """The catalogue as it is.

    What lacks a translation is passed over: of two entries babel takes the first, even when only the second,
    added at the end, has one.
    """
    entries = PO.read_text("utf-8").split("\n\n")
    translated = "\n\n".join(each for each in entries if not each.rstrip().endswith('\nmsgstr ""'))
    return read_po(io.BytesIO(translated.encode()), locale="zh_CN", domain="flow")


class Plain(Catalog):
    """A catalogue whose compiled form depends on its messages only: no dates, no version of the compiler."""

    mime_headers = (("Content-Type", "text/plain; charset=utf-8"), ("Language", "zh_CN"))


def compiled(catalog: Catalog) -> bytes:
    """What the program reads."""
    plain = Plain(locale="zh_CN", domain="flow")
    for message in catalog:
        if message.id:
            plain.add(message.id, message.string)
    buffer = io.BytesIO()
    write_mo(buffer, plain)
    return buffer.getvalue()


def main() -> int:
    """Bring the catalogue up to date and compile it; say what lacks a translation."""
    known = read() if PO.exists() else Catalog()
    fresh = Catalog(locale="zh_CN", domain="flow", project="satisflow", fuzzy=False)
    for text, place in sorted(messages().items(), key=lambda each: (each[1], each[0])):
        before = known.get(text)
        fresh.add(text, "" if before is None else before.string, [(place, 0)] if place != "click" else [])
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(file, fresh, width=110, omit_header=True, include_lineno=False)
    MO.write_bytes(compiled(read()))
    missing = [message.id for message in fresh if message.id and not message.string]
    for text in missing:
        sys.stdout.write(f"{text!r}\n")
    return len(missing)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
