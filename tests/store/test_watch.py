"""How far time has come, as the database knows."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert

from engine.store import Store, tables, watch
from engine.store.journal import Entry, append_shared
from tests.store.histories import NOW, happen, new_instance

DAY = timedelta(days=1)


def entry(store: Store, days: int) -> None:
    with store.write() as conn:
        append_shared(conn, "org", [Entry(NOW + days * DAY, "wang", "person.added")])


def keep(store: Store, name: str, value: object) -> None:
    with store.write() as conn:
        conn.execute(insert(tables.setting).values(name=name, value=value))


def test_nothing_is_known_of_an_empty_database(store: Store) -> None:
    with store.read() as conn:
        assert watch.reach(conn) == watch.UNKNOWN
        assert not watch.scheduler(conn).running(NOW)
    assert not watch.UNKNOWN.contradicts(NOW)


def test_entries_of_a_false_time_count_until_somebody_vouched_for_the_clock(store: Store) -> None:
    with store.write() as conn:
        number = new_instance(conn)
        happen(conn, number, {"score": 1})
    entry(store, 1)
    entry(store, 90)
    entry(store, 91)
    with store.read() as conn:
        assert watch.latest(conn) == NOW + 91 * DAY
        assert watch.beyond(conn, NOW + 2 * DAY) == {"org": (2, 3)}
    keep(store, watch.ACCEPTED, {"org": 3})
    with store.read() as conn:
        assert watch.latest(conn) == NOW
        assert watch.beyond(conn, NOW + 2 * DAY) == {}
    entry(store, 3)
    with store.read() as conn:
        assert watch.latest(conn) == NOW + 3 * DAY


def test_a_clock_is_doubted_behind_the_history_and_far_beyond_all_that_was_seen(store: Store) -> None:
    entry(store, 0)
    keep(store, watch.TICKED, (NOW + 30 * DAY).isoformat())
    with store.read() as conn:
        reach = watch.reach(conn)
    doubts = {days: reach.contradicts(NOW + days * DAY) for days in (-1, 0, 29, 430, 431)}
    assert doubts == {-1: "behind", 0: "", 29: "", 430: "", 431: "ahead"}
