"""An office with a mail server of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store import Store, open_store
from tests.notices.office import Office, PostOffice, Robots, by_mail, open_office, post_office, robots


@pytest.fixture
def server() -> Iterator[PostOffice]:
    with post_office() as found:
        yield found


@pytest.fixture
def web() -> Iterator[Robots]:
    with robots() as found:
        yield found


@pytest.fixture
def memory() -> Iterator[Store]:
    with open_store("sqlite://") as store:
        yield store


@pytest.fixture
def office(memory: Store, tmp_path: Path, server: PostOffice) -> Iterator[Office]:
    """In memory, for what does not depend on the database; afterwards the journal must agree with itself."""
    found = open_office(memory, tmp_path, by_mail(server))
    yield found
    found.check()
