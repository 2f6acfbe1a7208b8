"""What tables are made of: the types of columns, the naming of constraints, short ways to say a column.

Instants are microseconds since 1970-01-01T00:00Z, structured values are JSON text: the same bytes on both
databases, ordered and compared without conversion.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Constraint,
    Dialect,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    event,
    literal_column,
)
from sqlalchemy.types import TypeEngine

from engine.errors import EngineError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(at: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z. Raises ValueError for a datetime without time zone."""
    if at.tzinfo is None:
        raise ValueError(f"{at!r} has no time zone: an instant must be an aware datetime")
    return (at - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime of so many microseconds since 1970-01-01T00:00Z."""
    return _EPOCH + timedelta(microseconds=micros)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as microseconds since 1970-01-01T00:00Z, read back in UTC; naive is refused."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """To the database."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        return None if value is None else from_micros(value)


class Json(TypeDecorator[Any]):
    """A structured value as JSON text; None is NULL. What JSON cannot hold is refused with TypeError."""

    impl = Text
    cache_ok = True
    table = column = "?"
    """Where it stands, for messages."""

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> str | None:
        """To the database."""
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any | None:
        """From the database. Raises EngineError, naming the column, for what was damaged there."""
        try:
            return None if value is None else orjson.loads(value)
        except ValueError:
            template = (
                "The column {column} of the table {table} was altered: nobody can read {found}. Stop every program "
                "that uses the database and restore the last backup"
            )
            place = {"table": self.table, "column": self.column}
            raise EngineError(template, **place, found=repr(value)[:60]) from None


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only when the type is spelled INTEGER.
Id = BigInteger().with_variant(Integer(), "sqlite")
Kind = TypeEngine[Any] | type[TypeEngine[Any]]


def must(name: str, kind: Kind, *args: Any, **options: Any) -> Column[Any]:
    """A column that always has a value."""
    return _placed(Column(name, kind, *args, nullable=False, **options))


def may(name: str, kind: Kind, *args: Any, **options: Any) -> Column[Any]:
    """A column that may be empty."""
    return _placed(Column(name, kind, *args, nullable=True, **options))


def _placed(column: Column[Any]) -> Column[Any]:
    """The column, its type told where it stands once it stands there."""
    if isinstance(kind := column.type, Json):

        def attached(_: Column[Any], table: Table) -> None:
            kind.table, kind.column = table.name, column.name

        event.listen(column, "after_parent_attach", attached)
    return column


def key(name: str, kind: Kind = Text, *args: Any, **options: Any) -> Column[Any]:
    """A column of the primary key."""
    return Column(name, kind, *args, primary_key=True, **options)


def numbered(name: str, *columns: Column[Any] | Constraint) -> Table:
    """A table whose `id` counts up and is never used twice: ids are quoted in keys, papers and journal."""
    number = Column("id", Id, Identity(), primary_key=True)
    return Table(name, metadata, number, *columns, sqlite_autoincrement=True)


def partial(name: str, where: ColumnElement[bool], *columns: Column[Any]) -> None:
    """An index of the rows where `where` holds; it serves queries that repeat it with the same literals."""
    Index(name, *columns, sqlite_where=where, postgresql_where=where)


def matches(column: Column[Any], *values: str) -> ColumnElement[bool]:
    """`column` has one of `values`, written as literals, so that a partial index can be recognised."""
    literals: list[ColumnElement[Any]] = [literal_column(f"'{value}'") for value in values]
    return column == literals[0] if len(literals) == 1 else column.in_(literals)
