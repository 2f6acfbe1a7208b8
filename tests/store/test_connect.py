"""Opening, reading and writing a database."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, StatementError

from engine.errors import Conflict, Denied
from engine.store import Store, connect, open_store, tables
from tests.store.rows import is_postgresql, names, new_setting, run

NOW = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)


@contextmanager
def somebody_else_writes(url: str) -> Iterator[None]:
    """Another program holds the rows of `setting` for as long as the block lasts."""
    with open_store(url) as other, other.write() as conn:
        conn.execute(update(tables.setting).values(value="theirs"))
        yield


# --- what goes in comes out


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    at=st.datetimes(
        min_value=datetime(1900, 1, 1),  # noqa: DTZ001
        max_value=datetime(9990, 1, 1),  # noqa: DTZ001
        timezones=st.sampled_from(
            [UTC, timezone(timedelta(hours=8)), timezone(-timedelta(hours=11, minutes=30))]
        ),
    ),
    body=st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
        ),
        max_leaves=8,
    ).filter(lambda value: value is not None),
)
def test_instants_and_structures_come_back_as_they_were(store: Store, at: datetime, body: Any) -> None:
    calendar = tables.calendar_table
    with store.write() as conn:
        row = conn.execute(
            insert(calendar).values(
                year=2026, status="published", body=body, imported_at=at, imported_by="张三"
            )
        )
        assert row.inserted_primary_key
        number = row.inserted_primary_key[0]
    with store.read() as conn:
        back = conn.execute(select(calendar).where(calendar.c.id == number)).one()
        earlier = conn.execute(
            select(func.count()).where(calendar.c.id == number, calendar.c.imported_at < at)
        ).scalar()
    assert (back.imported_at, back.body, back.imported_by) == (at, body, "张三")
    assert back.imported_at.utcoffset() == timedelta(0)
    assert earlier == 0


def test_an_instant_without_time_zone_is_refused(store: Store) -> None:
    job = insert(tables.job).values(kind="k", payload={}, idem_key="k", created_at=NOW.replace(tzinfo=None))
    with pytest.raises(StatementError, match="has no time zone"):
        run(store, insert(tables.chain).values(name="x"), job)
    with store.read() as conn:
        assert conn.execute(select(tables.chain)).all() == []


def test_bytes_and_truth_come_back_as_they_were(store: Store) -> None:
    raw = bytes(range(256))
    with store.write() as conn:
        conn.execute(insert(tables.chain).values(name="x", hash=raw, sealed=True))
    with store.read() as conn:
        assert conn.execute(select(tables.chain.c.hash, tables.chain.c.sealed)).one() == (raw, True)


def test_a_number_is_never_given_out_twice(store: Store) -> None:
    given_out = []
    for _ in range(2):
        with store.write() as conn:
            row = conn.execute(insert(tables.job).values(kind="k", payload={}, idem_key="k", created_at=NOW))
            assert row.inserted_primary_key
            given_out.append(row.inserted_primary_key[0])
            conn.execute(tables.job.delete())
    assert given_out[0] < given_out[1]


def test_a_unit_may_be_written_before_its_parent_but_not_without_it(store: Store) -> None:
    with store.write() as conn:
        conn.execute(
            insert(tables.unit),
            [{"id": "a", "name": "A", "parent": "b"}, {"id": "b", "name": "B", "parent": None}],
        )
    with pytest.raises(IntegrityError), store.write() as conn:
        conn.execute(insert(tables.unit).values(id="c", name="C", parent="nowhere"))
    with store.read() as conn:
        assert conn.execute(select(func.count()).select_from(tables.unit)).scalar() == 2


# --- all or nothing


def test_what_fails_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.write() as conn:
            conn.execute(insert(tables.setting).values(name="half", value=1))
            raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        fail()
    assert names(store) == []
    new_setting(store, "whole", 1)
    assert names(store) == ["whole"]


def test_what_dies_leaves_nothing(database: str) -> None:
    program = f"""
import os
from engine.store import open_store, tables
with open_store({database!r}).write() as conn:
    conn.execute(tables.setting.insert().values(name="half", value=1))
    os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 9
    with open_store(database) as store:
        assert names(store) == []


def test_reading_changes_nothing(database: str) -> None:
    with open_store(database) as store:
        try:
            with store.read() as conn:
                conn.execute(insert(tables.setting).values(name="slip", value=1))
        except Denied:
            assert is_postgresql(database)
        assert names(store) == []


def test_a_reader_sees_one_state_while_others_write(database: str) -> None:
    with open_store(database) as store, store.read() as conn:
        count = select(func.count()).select_from(tables.setting)
        assert conn.execute(count).scalar() == 0
        new_setting(store, "meanwhile", 1)
        assert conn.execute(count).scalar() == 0


# --- two writers


def test_of_two_writers_one_waits_for_the_other(store: Store) -> None:
    new_setting(store, "n", 0)
    everybody = threading.Barrier(4)

    def count_up() -> None:
        everybody.wait()
        for _ in range(5):
            with store.write() as conn:
                n = conn.execute(select(tables.setting.c.value).with_for_update()).scalar_one()
                conn.execute(update(tables.setting).values(value=n + 1))

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as conn:
        assert conn.execute(select(tables.setting.c.value)).scalar_one() == 20


def test_a_writer_that_waits_too_long_is_told_to_try_again(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "PATIENCE", 0.05)
    with open_store(database) as store:
        new_setting(store, "n", 0)
        hurry = [text("SET LOCAL lock_timeout = '50ms'")] if is_postgresql(database) else []
        with somebody_else_writes(database), pytest.raises(Conflict, match=r"is busy.*try again"):
            run(store, *hurry, update(tables.setting).values(value="mine"))
        new_setting(store, "afterwards", 1)
        assert names(store) == ["afterwards", "n"]


def test_an_in_memory_database_serves_several_threads_in_turn() -> None:
    with open_store("sqlite://") as store:
        threads = [threading.Thread(target=new_setting, args=(store, f"n{i}", i)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(names(store)) == 8


def test_each_in_memory_database_is_private() -> None:
    with open_store("sqlite://") as one, open_store("sqlite://") as other:
        new_setting(one, "mine", 1)
        assert names(other) == []


def test_without_durability_the_setting_reaches_the_database(database: str) -> None:
    seen = []
    for durable in (True, False):
        with open_store(database, durable=durable) as store, store.read() as conn:
            setting = "SHOW synchronous_commit" if is_postgresql(database) else "PRAGMA synchronous"
            seen.append(str(conn.execute(text(setting)).scalar_one()))
    assert seen == (["on", "off"] if is_postgresql(database) else ["2", "1"])


def test_partial_indexes_serve_the_worklist() -> None:
    task = tables.user_task
    mine = (
        select(task.c.id)
        .where(tables.OPEN_WORK, task.c.role == "planner")
        .order_by(task.c.unit, task.c.due_at)
    )
    with open_store("sqlite://") as store, store.read() as conn:
        query = str(mine.compile(dialect=conn.dialect, compile_kwargs={"literal_binds": True}))
        plan = conn.execute(text(f"EXPLAIN QUERY PLAN {query}")).all()
    assert re.search("USING (COVERING )?INDEX ix_user_task_worklist", str(plan))
    assert "TEMP B-TREE" not in str(plan)
