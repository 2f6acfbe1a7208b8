"""What the shipped code may reach for, and how large and how named a module may be."""

from __future__ import annotations

import ast
import configparser
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .tree import ROOT, imports, packages, parse, python_files, shipped, uses

CLOCK = Path("engine/clock.py")
STORE = Path("engine/store")
MIGRATIONS = STORE / "migrations" / "versions"

READS_THE_TIME = {
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
}
OPENS_A_DATABASE = {
    "sqlalchemy.create_engine",
    "sqlalchemy.engine.create_engine",
    "sqlite3.connect",
    "psycopg.connect",
}
# Without arguments, as SQLAlchemy has them; `process.begin(scope)` of another subject is none of these.
STEERS_A_TRANSACTION = {"begin", "begin_nested", "commit", "rollback"}
KEPT_FROM_THE_COMMAND_LINE = {"SpiffWorkflow", "sqlalchemy", "alembic", "sqlite3", "psycopg", "apscheduler"}
SAYS_NOTHING = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "base"}

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
# Path (and `:function`) to the reason it may be longer. Migrations may: each is one list of statements.
LONG_WITH_REASON: dict[str, str] = {
    "tests/bpmn/test_standard.py": "one table: the constraints of the standard, each with a model that breaks it",
}


def readings_of_time(module: ast.AST) -> Iterator[int]:
    return (line for line, name in uses(module) if name in READS_THE_TIME)


def transactions(module: ast.AST) -> Iterator[int]:
    yield from (line for line, name in uses(module) if name in OPENS_A_DATABASE)
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Attribute(attr=method), args=[], keywords=[]) if (
                method in STEERS_A_TRANSACTION
            ):
                yield node.lineno


def test_time_is_read_in_the_clock_only() -> None:
    found = [
        f"{file}:{line}" for file, module in shipped() if file != CLOCK for line in readings_of_time(module)
    ]
    assert not found, "take the time as an argument"


def test_a_transaction_is_opened_and_ended_in_the_store_only() -> None:
    found = [
        f"{file}:{line}"
        for file, module in shipped()
        if not file.is_relative_to(STORE)
        for line in transactions(module)
    ]
    assert not found, "use Store.write() and Store.read()"


@pytest.mark.parametrize(
    "code",
    [
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime as dt\nx = field(default_factory=dt.now)",
        "def f():\n    from datetime import date\n    return date.today()",
        "import time as t\nt.time()",
        "from time import time\ntime()",
    ],
)
def test_a_reading_of_the_time_is_seen_however_it_is_spelled(code: str) -> None:
    assert list(readings_of_time(ast.parse(code)))


@pytest.mark.parametrize(
    "code", ["now.time()", "from datetime import date\ndate(2026, 1, 1)", "import time\ntime.monotonic()"]
)
def test_what_reads_no_time_of_day_is_left_alone(code: str) -> None:
    assert not list(readings_of_time(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "with engine.begin() as connection: ...",
        "store.connection.commit()",
        "import sqlalchemy as sa\nsa.create_engine('sqlite://')",
        "from sqlite3 import connect\nconnect(':memory:')",
    ],
)
def test_a_transaction_is_seen_however_it_is_opened(code: str) -> None:
    assert list(transactions(ast.parse(code)))


def test_the_command_line_assembles_commands_and_reaches_no_database() -> None:
    tops = {source.split(".")[0] for _, source in imports(parse(Path("cli.py")))}
    assert not tops & KEPT_FROM_THE_COMMAND_LINE
    assert tops <= packages() | {"click"} | sys.stdlib_module_names | {"__future__"}


def test_nothing_imports_the_command_line() -> None:
    found = [
        str(file)
        for file, module in shipped()
        for _, source in imports(module)
        if source.split(".")[0] == "cli"
    ]
    assert not found


def test_every_shipped_package_is_under_the_import_contracts() -> None:
    contracts = configparser.ConfigParser()
    contracts.read_string((ROOT / ".importlinter").read_text(encoding="utf-8"))
    assert set(contracts["importlinter"]["root_packages"].split()) == packages()


def test_every_folder_of_shipped_modules_is_a_package() -> None:
    folders = {file.parent for file, _ in shipped()} - {Path()}
    missing = [str(folder) for folder in folders if not (ROOT / folder / "__init__.py").exists()]
    assert not missing, "import-linter passes over a folder without __init__.py"


def lengths() -> Iterator[tuple[str, int, int]]:
    """Each Python file and function: its name, its lines, the most it may have."""
    for file in python_files():
        if file.is_relative_to(MIGRATIONS):
            continue
        yield str(file), len((ROOT / file).read_bytes().splitlines()), LONGEST_FILE
        for node in ast.walk(parse(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield (
                    f"{file}:{node.name}",
                    (node.end_lineno or node.lineno) - node.lineno + 1,
                    LONGEST_FUNCTION,
                )


def test_what_is_long_has_a_reason() -> None:
    long = {name: lines for name, lines, most in lengths() if lines > most}
    assert not {name: lines for name, lines in long.items() if name not in LONG_WITH_REASON}
    assert not LONG_WITH_REASON.keys() - long.keys(), "no longer long: take the reason out"


def test_every_module_is_named_for_its_subject() -> None:
    found = [
        str(file)
        for file in python_files()
        if {part.removesuffix(".py") for part in file.parts} & SAYS_NOTHING
    ]
    assert not found
