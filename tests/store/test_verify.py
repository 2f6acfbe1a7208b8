"""Whoever touches the history is found, and the place is named."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from engine.store import Store
from engine.store.journal import (
    START,
    Entry,
    Head,
    append,
)
from engine.store.seal import seal
from engine.store.tables import instance, journal
from engine.store.tables import seal as seals
from engine.store.verify import verify
from tests.store.histories import (
    NOW,
    at,
    newest_seal,
    places,
    rewrite,
    rewrite_seals,
    set_head,
    tampering,
)

ROWS = [(f"SV-{number}", seq) for number in (1, 2, 3) for seq in range(1, 7)] + [
    ("organisation", n) for n in (1, 2, 3)
]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
EDITS = st.one_of(
    st.tuples(st.sampled_from(["by", "kind", "facts"]), TEXT),
    st.tuples(st.sampled_from(["acting_for", "subject"]), st.none() | TEXT),
    st.tuples(st.just("at"), st.integers(0, 10**6).map(lambda micros: NOW + timedelta(microseconds=micros))),
    st.tuples(st.sampled_from(["prev", "hash"]), st.binary(min_size=0, max_size=33)),
)
many = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)


@many
@given(place=st.sampled_from(ROWS), edit=EDITS)
def test_an_altered_row_is_found_and_named(
    history: Store, place: tuple[str, int], edit: tuple[str, Any]
) -> None:
    column, value = edit
    with tampering(history) as conn:
        before = conn.execute(select(journal.c[column]).where(at(*place))).scalar_one()
        assume(value != before)
        conn.execute(update(journal).where(at(*place)).values({column: value}))
        assert place in places(verify(conn))


@many
@given(place=st.sampled_from(ROWS))
def test_a_dropped_row_is_found_and_named(history: Store, place: tuple[str, int]) -> None:
    with tampering(history) as conn:
        conn.execute(delete(journal).where(at(*place)))
        assert place in places(verify(conn))


@many
@given(
    name=st.sampled_from(["SV-1", "SV-2", "SV-3"]), pair=st.sets(st.integers(1, 6), min_size=2, max_size=2)
)
def test_rows_that_changed_places_are_found_and_named(history: Store, name: str, pair: set[int]) -> None:
    one, other = pair
    with tampering(history) as conn:
        conn.execute(update(journal).where(at(name, one)).values(seq=99))
        conn.execute(update(journal).where(at(name, other)).values(seq=one))
        conn.execute(update(journal).where(at(name, 99)).values(seq=other))
        assert {(name, one), (name, other)} <= places(verify(conn))


@pytest.mark.parametrize("seq", [0, 7])
def test_a_row_slipped_in_is_found_and_named(history: Store, seq: int) -> None:
    with tampering(history) as conn:
        last = conn.execute(select(journal.c.hash).where(at("SV-1", 6))).scalar_one()
        before = Head(seq - 1, last if seq else START.hash)
        append(conn, "SV-1", before, [Entry(NOW, "zhang", "task.completed", {"score": 5})])
        assert ("SV-1", seq) in places(verify(conn))


@many
@given(place=st.sampled_from(ROWS), data=st.data())
def test_a_chain_cut_short_with_its_head_is_found_by_the_seals(
    history: Store, place: tuple[str, int], data: st.DataObject
) -> None:
    name, last = place
    sealed = 2 if name == "organisation" else 4
    assume(last < sealed)
    with tampering(history) as conn:
        conn.execute(delete(journal).where(journal.c.chain == name, journal.c.seq > last))
        head = conn.execute(select(journal.c.hash).where(at(name, last))).scalar_one()
        set_head(conn, name, Head(last, head))
        assert (name, sealed) in places(verify(conn))


def test_a_chain_that_vanished_with_its_instance_is_found_by_the_seals(history: Store) -> None:
    with tampering(history) as conn:
        conn.execute(delete(journal).where(journal.c.chain == "SV-2"))
        assert places(verify(conn)) == {("SV-2", 1), ("SV-2", 2), ("SV-2", 4)}
        conn.execute(delete(instance).where(instance.c.id == 2))
        assert places(verify(conn)) == {("SV-2", 2), ("SV-2", 4)}


def test_a_chain_whose_instance_vanished_is_found(history: Store) -> None:
    with tampering(history) as conn:
        conn.execute(delete(instance).where(instance.c.id == 2))
        assert places(verify(conn)) == {("SV-2", 6)}


@many
@given(place=st.sampled_from(ROWS))
def test_a_consistent_rewrite_is_found_up_to_the_last_seal_and_no_further(
    history: Store, place: tuple[str, int]
) -> None:
    name, first = place
    sealed = 2 if name == "organisation" else 4
    with tampering(history) as conn:
        rewrite(conn, name, first)
        found = places(verify(conn, newest_seal(conn)))
        assert ((name, sealed) in found) == (first <= sealed)
        assert bool(found) == (first <= sealed)


@many
@given(place=st.sampled_from(ROWS))
def test_a_rewrite_of_rows_and_seals_together_is_found_by_the_seal_kept_outside(
    history: Store, place: tuple[str, int]
) -> None:
    name, first = place
    assume(first <= (2 if name == "organisation" else 4))
    with tampering(history) as conn:
        outside = newest_seal(conn)
        rewrite(conn, name, first)
        rewrite_seals(conn)
        assert verify(conn).faults == ()
        assert places(verify(conn, outside)) == {("seal", outside.number)}


def test_history_cut_off_with_its_seals_is_found_by_the_seal_kept_outside(history: Store) -> None:
    with tampering(history) as conn:
        outside = newest_seal(conn)
        conn.execute(delete(seals).where(seals.c.number == 2))
        assert verify(conn).faults == ()
        (fault,) = verify(conn, outside).faults
        assert str(fault) == "seal row 2: was kept outside but is missing here: history was cut off"


@pytest.mark.parametrize(
    ("column", "value"), [("at", NOW), ("heads", "[]"), ("heads", "{"), ("prev", b"x"), ("hash", b"x")]
)
def test_an_altered_seal_is_found_and_named(history: Store, column: str, value: Any) -> None:
    with tampering(history) as conn:
        conn.execute(update(seals).where(seals.c.number == 2).values({column: value}))
        assert ("seal", 2) in places(verify(conn))


def test_a_dropped_seal_is_found_and_named(history: Store) -> None:
    with tampering(history) as conn:
        conn.execute(delete(seals).where(seals.c.number == 1))
        assert places(verify(conn)) == {("seal", 1)}


def test_the_newest_seal_dropped_is_found_while_chains_are_marked_as_sealed(history: Store) -> None:
    with tampering(history) as conn:
        assert seal(conn, NOW + timedelta(hours=3)) is not None
        assert verify(conn).faults == ()
        conn.execute(delete(seals).where(seals.c.number == 3))
        verdict = verify(conn)
        assert places(verdict) == {("SV-1", 6), ("SV-2", 6), ("SV-3", 6), ("organisation", 3)}
        assert "no seal names it: seal 3 or a later one was deleted" in str(verdict.faults[0])
        conn.execute(delete(seals))
        assert places(verify(conn)) == {("seal", 1)}


def test_every_fault_reads_as_a_sentence_with_its_place(history: Store) -> None:
    with tampering(history) as conn:
        conn.execute(delete(journal).where(at("SV-1", 5)))
        assert [str(fault) for fault in verify(conn).faults] == [
            "SV-1 row 5: is missing, with all rows before row 6",
        ]
