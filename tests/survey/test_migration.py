"""A database of before the survey's tables grew: households become respondents, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from engine.store import open_store, schema
from engine.store.columns import to_micros
from survey import ledger, returns, rosters
from survey.rounds import progress, roster, rounds_of
from survey.tables import answers
from tests.databases import PostgreSQL

BEFORE = "0004"
ISSUED, RETURNED = "2026-09-14T02:00:00+00:00", "2026-09-18T06:30:00+00:00"

ROWS = (
    "INSERT INTO unit (id, name, active) VALUES ('tower', '一号楼', {true})",
    "INSERT INTO definition (hash, procedure, version, code, title, published_at, published_by, bundle, facts) "
    "VALUES ('h', 'p', 1, 'P', 'P', 0, 'x', '', '{{}}')",
    "INSERT INTO instance (id, definition, process, procedure, unit, title, status, state, state_format, version, "
    "next_task, head_seq, head_hash, sealed, started_at, started_by) VALUES (7, 'h', 'p', 'p', 'tower', 'P', "
    "'running', '', 1, 1, 1, 0, '', {true}, 0, 'x')",
    "INSERT INTO household (id, unit, code, name, active) VALUES (3, 'tower', 'A-1', '张三', {true}), "
    "(4, 'tower', 'A-2', NULL, {true}), (9, 'tower', 'A-3', NULL, {false})",
    "INSERT INTO round (id, instance_id, unit, procedure, period, definition, questionnaire, version, status, "
    "opened_at) VALUES (5, 7, 'tower', 'p', '2026-Q3', 'h', 'questionnaire', '1', 'open', 0)",
    "INSERT INTO round_member (id, round_id, number, household_id, surveyor, disposition, issued_at, returned_at) "
    "VALUES (11, 5, 1, 3, 'clerk', 'returned', {issued}, {returned}), (12, 5, 2, 4, NULL, 'unreachable', NULL, NULL), "
    "(13, 5, 3, 9, NULL, 'refused', NULL, NULL)",
    "INSERT INTO answer_set (member_id, answers, source, recorded_at, recorded_by) VALUES "
    "(11, '{{\"q2\":{{\"q2_01\":5}}}}', 'returns.csv', {returned}, 'clerk')",
)


def old_database(
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    before: str = BEFORE,
    rows: tuple[str, ...] = ROWS,
) -> None:
    """A database as the program made it before, with a round in it."""
    import shutil

    folder = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (folder / "versions").glob("[0-9]*.py"):
        if file.name[:4] > before:
            file.unlink()
    with monkeypatch.context() as then:
        then.setattr(schema, "MIGRATIONS", folder)
        then.setattr(schema, "NEWEST", before)
        then.setattr("engine.store.connect.NEWEST", before)
        with open_store(url, upgrade=True) as store, store.write() as conn:
            sqlite = conn.dialect.name == "sqlite"
            known = {
                "true": "1" if sqlite else "true",
                "false": "0" if sqlite else "false",
                "issued": _micros(ISSUED),
                "returned": _micros(RETURNED),
            }
            for row in rows:
                conn.execute(text(row.format(**known).replace(":", r"\:")))


def _micros(moment: str) -> int:
    from datetime import datetime

    return to_micros(datetime.fromisoformat(moment))


def check(url: str) -> None:
    with open_store(url, upgrade=True) as store, store.read() as conn:
        (found,) = rounds_of(conn, 7)
        assert (found.id, found.anonymity, found.part, found.period) == (5, "confidential", "", "2026-Q3")
        one, other, third = roster(conn, 5)
        assert (one.id, one.code, one.surveyor, one.disposition) == (11, "A-1", "clerk", "complete")
        assert (one.issued_on, one.returned_on) == ("2026-09-14", "2026-09-18")
        assert (other.disposition, third.disposition) == ("non-contact", "refusal")
        counts = progress(conn, found)
        assert (counts.members, counts.issued, counts.returned) == (3, 1, 1)
        kept = returns.stored(conn, found)[11]
        assert kept.answers == {"q2": {"q2_01": 5}}
        assert conn.execute(select(answers.c.source, answers.c.recorded_by)).one() == ("returns.csv", "clerk")
        moments = [each.at.isoformat() for each in ledger.lines(conn, found) if each.at]
        assert moments == [ISSUED, RETURNED]
        people = rosters.listed(conn, units=["tower"])
        assert [(each.id, each.code, each.kind, each.status) for each in people] == [
            (3, "A-1", "household", "active"),
            (4, "A-2", "household", "active"),
            (9, "A-3", "household", "left"),
        ]
        assert [each.contact for each in people] == [{"name": "张三"}, {}, {}]
    with open_store(url) as store, store.write() as conn:
        conn.execute(text("INSERT INTO respondent (unit, code, kind, attributes, status, key_account) VALUES "
                          "('tower', 'B', 'customer', '{}', 'active', '0')"))  # fmt: skip
        assert rosters.find(conn, "B").id == 10


def test_an_sqlite_database_keeps_its_rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'flow.db'}"
    old_database(url, monkeypatch, tmp_path)
    check(url)


@pytest.mark.postgres
def test_a_postgresql_database_keeps_its_rounds(
    postgresql: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgresql.database(migrated=False) as url:
        old_database(url, monkeypatch, tmp_path)
        check(url)


TWELVE = "id, round_id, anonymity, entry, groups, answers, abstained, source, recorded_on, recorded_by"
PROMISED = (
    "INSERT INTO unit (id, name, active) VALUES ('tower', '一号楼', {true})",
    ROWS[1],
    ROWS[2],
    *(
        "INSERT INTO round (id, instance_id, part, unit, procedure, definition, questionnaire, version, anonymity, "
        f"design, status, opened_at) VALUES ({number}, 7, '{promise}', 'tower', 'p', 'h', 'questionnaire', '1', "
        f"'{promise}', '{{{{}}}}', 'open', 0)"
        for number, promise in ((5, "anonymous"), (6, "confidential"))
    ),
    f"INSERT INTO answer_set ({TWELVE}) VALUES ('aa', 5, 'anonymous', 1, '{{{{\"project\":\"一期\"}}}}', "
    "'{{\"q1\":4}}', {false}, '张三的答卷.csv', '2026-09-18', 'clerk'), "
    "('bb', 6, 'confidential', 1, '{{}}', '{{\"q1\":2}}', {true}, 'returns.csv', '2026-09-18', 'clerk')",
)


def check_nameless(url: str) -> None:
    with open_store(url, upgrade=True) as store:
        with store.read() as conn:
            a, b = conn.execute(select(answers).order_by(answers.c.id)).all()
        assert (a.id, a.round_id, a.groups, a.answers, a.abstained) == (
            "aa",
            5,
            {"project": "一期"},
            {"q1": 4},
            False,
        )
        assert (a.source, a.recorded_on, a.recorded_by) == (None, "2026-09-18", "clerk")
        assert (b.id, b.source, b.answers, b.abstained) == ("bb", "returns.csv", {"q1": 2}, True)
        with pytest.raises(IntegrityError), store.write() as conn:
            conn.execute(update(answers).where(answers.c.id == "aa").values(source="张三的答卷.csv"))


def test_an_sqlite_database_forgets_the_files_of_anonymous_rounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'flow.db'}"
    old_database(url, monkeypatch, tmp_path, "0007", PROMISED)
    check_nameless(url)


@pytest.mark.postgres
def test_a_postgresql_database_forgets_the_files_of_anonymous_rounds(
    postgresql: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgresql.database(migrated=False) as url:
        old_database(url, monkeypatch, tmp_path, "0007", PROMISED)
        check_nameless(url)
