"""A history to look at."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.store import Store
from engine.store.journal import (
    Entry,
    append_shared,
)
from engine.store.private import set_aside
from engine.store.seal import seal
from tests.store.histories import (
    NOW,
    PHONE,
    happen,
    new_instance,
)


@pytest.fixture
def history(store: Store) -> Store:
    """Three instances and the organisation's chain, twice sealed, with something after the second seal."""
    with store.write() as conn:
        numbers = [new_instance(conn) for _ in range(3)]
        for step in range(3):
            for number in numbers:
                phone = set_aside(conn, "owner-7", f"{PHONE}{step}{number}")
                happen(conn, number, {"score": step, "phone": phone}, {"opened": "回访"})
            append_shared(conn, "organisation", [Entry(NOW, "wang", "person.added", {"n": step})])
            if step < 2:
                assert seal(conn, NOW + timedelta(hours=step)) is not None
    return store
