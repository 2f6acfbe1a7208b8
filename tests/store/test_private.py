"""Personal values stand in the journal by their digests only, and what was erased is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, update

from engine.store import Store, open_store
from engine.store.journal import (
    Entry,
    append_shared,
)
from engine.store.private import erase, reveal, set_aside
from engine.store.tables import journal, private
from engine.store.verify import verify
from tests.store.histories import (
    NOW,
    PHONE,
    newest_seal,
    places,
    tampering,
)


def facts_of(conn: Connection, name: str) -> list[Any]:
    import orjson

    stored = select(journal.c.facts).where(journal.c.chain == name).order_by(journal.c.seq)
    return [orjson.loads(facts) for facts in conn.execute(stored).scalars()]


def test_personal_values_are_shown_in_their_places(history: Store) -> None:
    with history.read() as conn:
        shown = reveal(conn, facts_of(conn, "SV-1"))
    assert shown[0] == {"score": 0, "phone": f"{PHONE}01"}
    assert shown[1] == {"opened": "回访"}


def test_the_journal_itself_holds_no_personal_value(history: Store) -> None:
    with history.read() as conn:
        assert PHONE not in str(facts_of(conn, "SV-1"))


def test_erased_values_are_gone_and_the_history_still_agrees(history: Store) -> None:
    with history.write() as conn:
        set_aside(conn, "owner-8", "stays")
        assert erase(conn, "owner-7", NOW) == 9
        assert erase(conn, "owner-7", NOW) == 0
    with history.read() as conn:
        verdict = verify(conn, newest_seal(conn))
        assert (verdict.faults, verdict.values, verdict.erased) == ((), 0, 9)
        assert reveal(conn, facts_of(conn, "SV-1"))[0] == {"score": 0, "phone": {"$erased": "2026-03-02"}}
        assert [row.value for row in conn.execute(select(private).where(private.c.salt.is_not(None)))] == [
            '"stays"'
        ]


def test_the_bytes_of_an_erased_value_are_gone_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "satisflow.db"
    long = "乙方联系人" * 2000  # fills pages of its own
    with open_store(f"sqlite:///{file}", upgrade=True) as store:
        with store.write() as conn:
            set_aside(conn, "owner", long)
            set_aside(conn, "owner", PHONE)
        with store.write() as conn:
            erase(conn, "owner", NOW)
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert PHONE.encode() not in left
    assert "乙方联系人".encode() not in left


@pytest.mark.parametrize("change", [{"value": '"13900139000"'}, {"salt": bytes(32)}, {"value": None}])
def test_an_altered_personal_value_is_found_where_it_is_referred_to(
    history: Store, change: dict[str, Any]
) -> None:
    with tampering(history) as conn:
        mine = private.c.digest == facts_of(conn, "SV-2")[2]["phone"]["$private"]
        conn.execute(update(private).where(mine).values(**change))
        assert places(verify(conn)) == {("SV-2", 3)}


def test_a_personal_value_dropped_instead_of_erased_is_found(history: Store) -> None:
    with tampering(history) as conn:
        conn.execute(
            delete(private).where(private.c.digest == facts_of(conn, "SV-2")[2]["phone"]["$private"])
        )
        assert places(verify(conn)) == {("SV-2", 3)}


def test_text_that_looks_like_a_marker_is_not_taken_for_one(store: Store) -> None:
    text = '{"$private":"' + "0" * 64 + '"}'
    with store.write() as conn:
        append_shared(conn, "organisation", [Entry(NOW, "x", "k", {"remark": text})])
    with store.read() as conn:
        assert verify(conn).faults == ()
        assert reveal(conn, {"remark": text}) == {"remark": text}
