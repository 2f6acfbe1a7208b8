"""A database of before comes along: its people stay, and nobody is flooded with what happened long ago."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, select, text

from engine.store import open_store, schema, tables


def test_what_happened_before_there_were_notices_is_told_to_nobody(empty_database: str) -> None:
    engine = create_engine(empty_database.replace("postgresql:", "postgresql+psycopg:"))
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0003")
        conn.execute(text("INSERT INTO person (id, name, active) VALUES ('ann', '安', true)"))
        conn.execute(
            text(
                "INSERT INTO journal (chain, seq, at, by, kind, facts, prev, hash)"
                " VALUES ('org', 1, 5, 'ann', 'task.opened', '{}', :prev, :hash)"
            ),
            {"prev": bytes(32), "hash": bytes(32)},
        )
    engine.dispose()
    with open_store(empty_database, upgrade=True) as store, store.read() as conn:
        person = conn.execute(select(tables.person)).one()
        assert (person.name, person.email, person.channel, person.language) == ("安", None, None, None)
        assert not conn.execute(select(tables.journal).where(tables.UNDELIVERED)).all()
