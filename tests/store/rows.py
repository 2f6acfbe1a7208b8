"""A few rows to write and to find again, in the table of settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Executable, insert, select

from engine.store import Store, tables


def run(store: Store, *statements: Executable) -> None:
    """All of `statements` in one transaction."""
    with store.write() as conn:
        for statement in statements:
            conn.execute(statement)


def new_setting(store: Store, name: str, value: Any) -> None:
    run(store, insert(tables.setting).values(name=name, value=value))


def names(store: Store) -> list[str]:
    with store.read() as conn:
        return list(conn.execute(select(tables.setting.c.name).order_by(tables.setting.c.name)).scalars())


def is_postgresql(url: str) -> bool:
    return url.startswith("postgresql")


def sqlite_file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))
