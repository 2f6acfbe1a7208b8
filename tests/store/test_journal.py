"""The journal takes what happened, in order, and only what it can keep."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from engine.store import Store
from engine.store.journal import (
    Entry,
    append_shared,
    digest,
)
from engine.store.tables import chain
from engine.store.verify import Verdict, verify
from tests.store.histories import (
    NOW,
    newest_seal,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)


def test_an_untouched_history_agrees(history: Store) -> None:
    with history.read() as conn:
        verdict = verify(conn, newest_seal(conn))
    assert verdict == Verdict(faults=(), chains=4, rows=21, seals=2, values=9, erased=0)


def test_writers_of_one_shared_chain_wait_for_each_other(store: Store) -> None:
    def write(by: str) -> None:
        for _ in range(5):
            with store.write() as conn:
                append_shared(conn, "organisation", [Entry(NOW, by, "k"), Entry(NOW, by, "k")])

    threads = [threading.Thread(target=write, args=(by,)) for by in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as conn:
        assert verify(conn).faults == ()
        assert conn.execute(select(chain.c.seq)).scalar_one() == 30


def test_the_organisation_cannot_write_into_an_instances_chain(store: Store) -> None:
    with pytest.raises(ValueError, match="SV-1 is the chain of an instance"), store.write() as conn:
        append_shared(conn, "SV-1", [Entry(NOW, "x", "k")])


def test_facts_that_json_cannot_hold_are_refused(store: Store) -> None:
    with pytest.raises(TypeError), store.write() as conn:
        append_shared(conn, "organisation", [Entry(NOW, "x", "k", {"value": object()})])
    with store.read() as conn:
        assert verify(conn).rows == 0


PARTS = st.lists(st.none() | st.integers(-(2**63), 2**63) | TEXT | st.binary(max_size=4), max_size=4)


@given(PARTS, PARTS)
def test_different_rows_never_look_alike_to_the_hash(one: list[Any], other: list[Any]) -> None:
    alike = [(type(part), part) for part in one] == [(type(part), part) for part in other]
    assert (digest(*one) == digest(*other)) == alike
