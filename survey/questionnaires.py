"""The questionnaire of a round: a form of the procedure's bundle, in the version the instance runs with."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import select

from engine.errors import NotFound
from engine.forms import Form, load_form
from engine.ports import Connection
from engine.procedures.packing import unpack
from engine.store import tables


def questionnaire_of(conn: Connection, definition: str, name: str) -> Form:
    """The questionnaire `name` in the definition of that hash. Raises `NotFound`."""
    table = tables.definition
    bundle = conn.execute(select(table.c.bundle).where(table.c.hash == definition)).scalar_one_or_none()
    text = None if bundle is None else unpack(bundle).get(f"forms/{name}.yaml")
    if text is None:
        raise NotFound(
            "The procedure has no questionnaire {name}: add forms/{name}.yaml and publish it", name=name
        )
    return _parsed(text, f"forms/{name}.yaml")


def published(conn: Connection, procedure: str) -> str:
    """The hash of the procedure's latest published definition. Raises `NotFound`."""
    table = tables.definition
    found = conn.execute(
        select(table.c.hash).where(table.c.procedure == procedure).order_by(table.c.version.desc()).limit(1)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("The procedure {procedure} is not published", procedure=procedure)
    return str(found)


def columns_of(questionnaire: Form) -> dict[str, str]:
    """What a column of a returns file is called, and the answer it holds (`field` or `matrix.row`).

    A matrix has a column for each row, under the row's id alone.
    """
    found: dict[str, str] = {}
    for field in questionnaire.questions:
        found |= {row.id: f"{field.id}.{row.id}" for row in field.rows} or {field.id: field.id}
    return found


@lru_cache(maxsize=64)
def _parsed(text: bytes, name: str) -> Form:
    return load_form(text, name)
