"""Fixtures that every area may use: a database of either kind, empty or with its tables."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from console import language
from engine.store import Store, open_store
from tests.databases import MISSING, PostgreSQL, postgresql_binaries

# A build is green or red for what was changed, not for what chance found; people get new examples every time.
settings.register_profile("build", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("person", deadline=None)
settings.load_profile("build" if os.environ.get("CI") else "person")

_BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


def pytest_collection_finish() -> None:
    """What the program is made of is no garbage: looking through it time and again took a fifth of a run."""
    gc.freeze()
    gc.set_threshold(50_000)


@pytest.fixture(autouse=True)
def _speech(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The language that one test speaks is not that of the next, nor that of whoever runs them."""
    for name in ("FLOW_LANG", "FLOW_HOME", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    language.use("en")
    yield
    language.use("en")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server for this test run (each pytest-xdist worker has its own)."""
    binaries = postgresql_binaries()
    if binaries is None:
        pytest.skip(MISSING)
    server = PostgreSQL(binaries)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with its tables, to be copied: quicker than migrating for every test."""
    file = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    open_store(f"sqlite:///{file}", upgrade=True).close()
    return file


@pytest.fixture(params=_BOTH)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh database with its tables, once for each kind of database."""
    if request.param == "sqlite":
        file = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "satisflow.db")
        yield f"sqlite:///{file}"
    else:
        with request.getfixturevalue("postgresql").database() as url:
            yield url


@pytest.fixture(params=_BOTH)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables (on SQLite: of a file yet to be made)."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        with request.getfixturevalue("postgresql").database(migrated=False) as url:
            yield url


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """A fresh, open store, once for each kind of database."""
    with open_store(database, durable=False) as opened:
        yield opened


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud when half of the tests could not run."""
    skipped = terminalreporter.stats.get("skipped", [])
    if any(MISSING in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(MISSING, yellow=True, bold=True)
