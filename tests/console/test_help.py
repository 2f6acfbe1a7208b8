"""Every command explains itself, with an example, in both languages, without opening anything."""

from __future__ import annotations

import ast
import inspect
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import cli
from console import output
from console.shape import Group

HEAVY = {"sqlalchemy", "SpiffWorkflow", "alembic", "lxml", "yaml", "apscheduler"}


def commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


TREE = list(commands(cli.flow))
IDS = [" ".join(path) for path, _ in TREE]


@pytest.mark.parametrize(("path", "command"), TREE, ids=IDS)
def test_every_command_has_help_with_an_example_that_can_be_parsed(
    path: tuple[str, ...], command: click.Command
) -> None:
    shown = CliRunner().invoke(cli.flow, [*path, "--help", "--lang", "en"]).output
    assert command.help
    assert "Example:" in shown
    examples = getattr(command, "example", "").split("\n")
    for example in examples:
        assert example.startswith("flow "), example
        words = shlex.split(example.partition(" > ")[0])[1:]
        with cli.flow.make_context("flow", words, resilient_parsing=True) as context:
            found, rest = cli.flow, words
            while isinstance(found, click.Group) and rest:
                while rest and rest[0].startswith("-"):
                    rest = rest[2:]
                if rest:
                    inner = found.get_command(context, rest[0])
                    assert inner is not None, example
                    found, rest = inner, rest[1:]  # type: ignore[assignment]
            assert_options_exist(found, rest)


def assert_options_exist(command: click.Command, words: list[str]) -> None:
    known = {name for param in command.params for name in param.opts}
    assert not [word for word in words if word.startswith("-") and word.partition("=")[0] not in known]


@pytest.mark.parametrize(("path", "command"), TREE, ids=IDS)
def test_help_in_chinese_keeps_within_the_width(path: tuple[str, ...], command: click.Command) -> None:
    shown = CliRunner().invoke(cli.flow, [*path, "--help", "--lang", "zh"], env={"COLUMNS": "80"}).output
    explained = shown.partition(getattr(command, "example", ""))[0]
    assert "示例" in shown
    assert not [line for line in explained.splitlines() if output.width(line) > 80]


@pytest.mark.parametrize(("path", "command"), TREE, ids=IDS)
def test_every_command_prints_json(path: tuple[str, ...], command: click.Command) -> None:
    if not isinstance(command, Group):
        assert "--json" in {name for param in command.params for name in param.opts}


WRITING = [
    pytest.param(command, option, id=" ".join(path))
    for path, command in TREE
    for option in command.params
    if isinstance(option, click.Option)
    and isinstance(option.type, click.Path)
    and option.type.file_okay
    and not option.type.exists
]


@pytest.mark.parametrize(("command", "option"), WRITING)
def test_no_command_writes_over_a_file_unless_it_is_told_to(
    command: click.Command, option: click.Option
) -> None:
    """An option that names a file which need not be there names one to be written."""
    assert any(each.name == "force" for each in command.params), option.name


def test_the_summaries_of_the_root_are_those_of_the_commands() -> None:
    for part in cli.SECTIONS.values():
        for place, summary in part.values():
            module, _, attribute = place.partition(":")
            help_text = inspect.cleandoc(getattr(import_module(module), attribute).help)
            assert help_text.split("\n\n")[0] == summary


def test_help_loads_nothing_heavy_and_comes_at_once() -> None:
    code = f"import sys, cli\ntry:\n cli.main()\nfinally:\n print(sorted({HEAVY!r} & set(sys.modules)))"
    root = Path(cli.__file__).parent
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        run = subprocess.run(
            [sys.executable, "-c", code, "--help"], cwd=root, capture_output=True, text=True, check=True
        )
        times.append(time.perf_counter() - begin)
        assert run.stdout.splitlines()[-1] == "[]"
    empty = []
    for _ in range(3):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        empty.append(time.perf_counter() - begin)
    assert min(times) < 0.3 + 10 * min(empty), "seconds; a busy machine is slower at everything"


def test_modules_of_commands_import_what_is_heavy_only_when_they_run() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import sys, console.task, console.instance, console.procedure\nprint(*sys.modules)"],
        cwd=Path(cli.__file__).parent, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "SpiffWorkflow" not in run.stdout.split()


def test_no_command_reads_the_clock_or_prints_by_itself() -> None:
    for file in Path(cli.__file__).parent.joinpath("console").glob("*.py"):
        calls = {
            ast.unparse(node.func)
            for node in ast.walk(ast.parse(file.read_text("utf-8")))
            if isinstance(node, ast.Call)
        }
        assert not calls & {"print", "datetime.now", "date.today"}, file.name
        if file.name != "output.py":
            assert "click.echo" not in calls, f"{file.name}: output.echo heeds NO_COLOR"


def test_the_entry_file_runs_as_a_program():
    shown = subprocess.run(
        [sys.executable, cli.__file__, "--version"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.startswith("flow")
