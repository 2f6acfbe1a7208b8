"""Seals bind what grew since the last one, and stand in nobody's way."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from engine.errors import Invalid
from engine.store import Store, open_store
from engine.store.seal import read_seal, seal
from engine.store.tables import seal as seals
from engine.store.verify import verify
from tests.store.histories import (
    NOW,
    happen,
    new_instance,
    newest_seal,
)


def test_nothing_new_makes_no_seal(history: Store) -> None:
    with history.write() as conn:
        assert seal(conn, NOW) is not None
        assert seal(conn, NOW) is None
        happen(conn, 1, {"score": 9})
        made = seal(conn, NOW)
        assert made is not None
        assert (
            conn.execute(select(seals.c.heads).where(seals.c.number == made.number)).scalar_one().count("SV-")
            == 1
        )


def test_many_heads_make_several_seals(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.store.seal._MOST_HEADS", 2)
    with store.write() as conn:
        for _ in range(5):
            happen(conn, new_instance(conn), {"score": 1})
        made = seal(conn, NOW)
        assert made is not None
        assert made.number == 3
        assert verify(conn, made).faults == ()


@pytest.mark.postgres
def test_the_sealer_waits_for_nobody(postgresql: Any) -> None:
    with postgresql.database() as url, open_store(url) as store:
        with store.write() as conn:
            for _ in range(2):
                happen(conn, new_instance(conn), {"score": 1})
        with store.write() as step:
            happen(step, 1, {"score": 2})
            with store.write() as conn:
                first = seal(conn, NOW)
        with store.write() as conn:
            second = seal(conn, NOW)
            heads = conn.execute(select(seals.c.heads).order_by(seals.c.number)).scalars().all()
    assert first is not None
    assert second is not None
    assert ["SV-1" in head for head in heads] == [False, True]


def test_a_printed_seal_can_be_read_back(history: Store) -> None:
    with history.read() as conn:
        printed = newest_seal(conn)
    assert read_seal(f" {printed}\n") == printed


@pytest.mark.parametrize(
    "line", ["", "1", f"1 2026-03-02T09:30:00 {'0' * 64}", "1 2026-03-02T09:30:00Z abcd", "x y z"]
)
def test_what_is_no_seal_is_refused(line: str) -> None:
    with pytest.raises(Invalid, match="is no seal"):
        read_seal(line)
