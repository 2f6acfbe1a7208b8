"""The stage: an App on a fresh database of each kind, a small organisation, working days, a virtual clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.handlers import Handlers
from engine.store import Store, open_store
from tasks import dates
from tests.engine.stage import Stage, open_stage


@pytest.fixture
def handlers() -> Handlers:
    """The handlers that diagrams may name: those of dates, and what tests add before the stage is used."""
    found = Handlers("t")
    found.include(dates.handlers)
    return found


@pytest.fixture
def stage(store: Store, tmp_path: Path, handlers: Handlers) -> Iterator[Stage]:
    """A stage on each kind of database; afterwards the journal must agree with itself."""
    yield from _prepared(store, tmp_path, handlers)


@pytest.fixture
def quick(tmp_path: Path, handlers: Handlers) -> Iterator[Stage]:
    """A stage in memory, for what does not depend on the database."""
    with open_store("sqlite://") as store:
        yield from _prepared(store, tmp_path, handlers)


def _prepared(store: Store, folder: Path, handlers: Handlers) -> Iterator[Stage]:
    stage = open_stage(store, folder, handlers)
    # The handlers are looked up when they are called, so that a test may add some to the registry it was given.
    stage.app.registry.known = handlers.known
    stage.organise()
    stage.calendars(2026, 2027)
    yield stage
    stage.check()
