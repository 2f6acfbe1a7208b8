"""Values from the command line: `--set name=value`, files of values, an editor; questions at a terminal."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import click
import orjson

from console import output
from console.failures import problem_text
from console.language import chosen, tr
from engine import strict_yaml
from engine.errors import Finding, Invalid, Misbuilt, Problem
from engine.files import read_file
from engine.forms import Form, Prompt, clean, outline


def pairs(texts: Iterable[str]) -> dict[str, object]:
    """`name=value` each; values stay text, which forms read by the field's type, but for those of `name:=JSON`.

    Raises click.UsageError.
    """
    found: dict[str, object] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        typed = name.endswith(":")
        name = name.removesuffix(":").strip()
        if not equals or not name:
            raise click.UsageError(tr("--set expects name=value, found {text!r}", text=text))
        if name in found:
            raise click.UsageError(tr("--set gives {name} twice: keep one of them", name=name))
        found[name] = _json(name, value) if typed else value
    return found


_WRITTEN: Mapping[str, str] = {
    "Expected a list of rows, found {found}": '[{"COLUMN": "VALUE"}]',
    "Expected a row of fields with values, found {found}": '[{"COLUMN": "VALUE"}]',
    "Expected an answer for each row, found {found}": '{"ROW": "VALUE"}',
    "Expected JSON, found {found}": '[{"COLUMN": "VALUE"}]',
}
"""How a value would have to look that was refused so."""


@contextmanager
def syntax_told() -> Iterator[None]:
    """Of a table or matrix that is none, say how one is written here. Raises Invalid again, with that added."""
    try:
        yield
    except Invalid as error:
        raise Invalid([_with_syntax(each) for each in error.problems]) from None


def _with_syntax(problem: Problem) -> Problem:
    if problem.template not in _WRITTEN:
        return problem
    name, example = problem.field.partition(".")[0], _WRITTEN[problem.template]
    template = "{problem}; it is written as --set {name}:='{example}', or in a file for --form"
    return Problem(problem.field, template, {"problem": problem, "name": name, "example": example})


def _json(name: str, value: str) -> object:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        raise click.UsageError(
            tr("{name}:= expects a number, true, false or other JSON, found {value!r}; text goes as {name}=…",
               name=name, value=value)
        ) from None  # fmt: skip


def from_file(file: Path) -> dict[str, object]:
    """The values of a YAML or JSON file. Raises Misbuilt naming the line, Invalid for no mapping."""
    text = read_file(file, strict_yaml.MAX_BYTES)
    return from_text(text, file.name, as_json=file.suffix.lower() == ".json")


def from_text(text: bytes, name: str, *, as_json: bool = False) -> dict[str, object]:
    """The same from text; an empty one has no values."""
    value: object
    if as_json:
        if len(text) > strict_yaml.MAX_BYTES:
            template, params = "The file is larger than {limit} bytes", {"limit": strict_yaml.MAX_BYTES}
            raise Misbuilt([Finding("error", name, "", template, "Split it", params)])
        text = text.removeprefix(codecs.BOM_UTF8)  # as editors on Windows begin a file
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            place = f"line {error.lineno}"
            template, remedy = "It is no JSON: {reason}", "Correct the line"
            raise Misbuilt([Finding("error", name, place, template, remedy, {"reason": error.msg})]) from None
        if twice := _twice(text.decode(), name):
            raise Misbuilt(twice)
    else:
        value = strict_yaml.load(text, name).value
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Invalid([Problem("", "{file} holds no names with values", {"file": name})])
    return dict(value)


_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:\n]')


def _twice(text: str, name: str) -> list[Finding]:
    """The keys of sound JSON that stand twice in one object, with their lines: readers keep the last in silence."""
    found: list[Finding] = []
    objects: list[dict[str, int]] = []
    line, last = 1, ""
    for sign in _JSON.findall(text):
        if sign == "\n":
            line += 1
            continue
        if sign in "{[":
            objects.append({})
        elif sign in "}]":
            objects.pop()
        elif sign == ":":
            key = orjson.loads(last)
            if key in objects[-1]:
                params = {"key": strict_yaml.shown(key), "first": objects[-1][key]}
                template, remedy = "The key {key} stands here and in line {first}", "Keep one of them"
                found.append(Finding("error", name, f"line {line}", template, remedy, params))
            objects[-1].setdefault(key, line)
        last = sign
    return found


def edited(form: Form, values: Mapping[str, object]) -> dict[str, object]:
    """What a person makes of the form in their editor (EDITOR); Abort when they leave it as it was."""
    text = click.edit(_sheet(form, values), extension=".yaml")
    if text is None:
        raise click.Abort
    return from_text(text.encode(), "form.yaml")


def asked(
    form: Form, values: Mapping[str, object], *, today: date, variables: Mapping[str, object]
) -> dict[str, object]:
    """Ask at the terminal for what is missing, and again for what does not fit, until the form is clean."""
    answers = dict(values)
    missing: Callable[[Prompt], bool] = lambda prompt: prompt.name not in _given(answers)  # noqa: E731
    while True:
        _ask(form, answers, missing)
        try:
            clean(form, answers, today=today, variables=variables)
        except Invalid as error:
            for problem in error.problems:
                output.warn("{field}: {problem}", field=problem.field, problem=problem_text(problem))
            wrong = {problem.field for problem in error.problems} | {
                problem.field.partition(".")[0] for problem in error.problems
            }
            again = [
                prompt
                for prompt in outline(form, chosen(), answers)
                if prompt.name in wrong and _askable(prompt)
            ]
            if not again:
                raise
            for prompt in again:
                answers[prompt.name] = _answer(prompt)
        else:
            return answers


def _ask(form: Form, answers: dict[str, object], missing: Callable[[Prompt], bool]) -> None:
    """Ask one after the other; an answer may bring further questions to light."""
    shown: set[str] = set()
    while True:
        prompts = [each for each in outline(form, chosen(), answers) if each.name not in shown]
        waiting = next(
            (each for each in prompts if each.type == "info" or (_askable(each) and missing(each))), None
        )
        if waiting is None:
            return
        shown.add(waiting.name)
        if waiting.type == "info":
            output.heading(waiting.label)
        else:
            answers[waiting.name] = _answer(waiting)


def _askable(prompt: Prompt) -> bool:
    return prompt.type != "info" and not prompt.read_only


def _given(answers: Mapping[str, object]) -> set[str]:
    rows = {f"{name}.{row}" for name, value in answers.items() if isinstance(value, Mapping) for row in value}
    return rows | set(answers)


def _answer(prompt: Prompt) -> object:
    label = prompt.label + ("" if prompt.required else f" ({tr('optional')})")
    for text in (prompt.help, prompt.hint):
        if text:
            output.echo(f"  {click.style(text, dim=True)}")
    for position, (value, words) in enumerate(prompt.choices, 1):
        output.echo(
            f"  {position}. {words}" + ("" if str(value) == words else click.style(f"  {value}", dim=True))
        )
    if prompt.type == "table":
        return _rows(prompt)
    answer: str = click.prompt(label, default="", show_default=False)
    return _chosen(prompt, answer)


def _chosen(prompt: Prompt, text: str) -> object:
    """An option may be given by its position, unless positions are values themselves."""
    values = [value for value, _ in prompt.choices]
    if (
        prompt.type == "choice"
        and text.isdigit()
        and text not in map(str, values)
        and 0 < int(text) <= len(values)
    ):
        return values[int(text) - 1]
    return text


def _rows(prompt: Prompt) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    while click.confirm(
        tr("{label}: row {number}?", label=prompt.label, number=len(rows) + 1), default=not rows
    ):
        rows.append({column.name: _answer(column) for column in prompt.columns})
    return rows


def _sheet(form: Form, values: Mapping[str, object]) -> str:
    """A YAML file to fill in: each field under its label and hint."""
    lines = [f"# {form.title.of(chosen())}"]
    for prompt in outline(form, chosen()):
        words = "; ".join(part for part in (prompt.label, prompt.hint, prompt.when) if part)
        lines.append(f"# {words}" + ("" if not prompt.required else f" ({tr('required')})"))
        lines += [f"#   {value}  {label}" for value, label in prompt.choices]
        if prompt.type == "info" or prompt.read_only:
            continue
        given = values.get(prompt.name)
        if prompt.type == "table" and given is None:
            lines += [f"# {prompt.name}:", *_columns(prompt)]
        elif "." not in prompt.name or given is not None:
            lines.append(f"{prompt.name}: {'' if given is None else _yaml(given)}".rstrip())
        else:
            lines.append(f"{_yaml(prompt.name)}: ".rstrip())
    return "\n".join(lines) + "\n"


def _columns(prompt: Prompt) -> list[str]:
    return [
        f"#   {'-' if position == 0 else ' '} {column.name}:   # {column.label}"
        for position, column in enumerate(prompt.columns)
    ]


def _yaml(value: object) -> str:
    """A value on one line: JSON, which is YAML."""
    return orjson.dumps(value).decode()
