"""Compares the batches that single call activities make, of which no entry speaks, with who called and who was called.

What a step in several instances makes is entered in the journal: `engine.store.told`.
"""

from __future__ import annotations

from contextlib import suppress

from lxml import etree
from sqlalchemy import Connection, Text, and_, func, or_, select, type_coerce

from engine.errors import EngineError
from engine.model import label
from engine.procedures import from_files
from engine.procedures.packing import unpack
from engine.store.groundwork import Say, judge
from engine.store.tables import batch, batch_item, definition, instance
from engine.store.verify import DIFFERS

_STREAM = 2000
_ENDED = ("completed", "cancelled")
_CALLER = instance.alias("caller")
_ALONE = (
    select(instance.c.id, instance.c.batch_id)
    .outerjoin(batch, and_(batch.c.id == instance.c.batch_id, batch.c.instance_id == instance.c.parent_id))
    .where(or_(instance.c.batch_id.is_not(None), instance.c.parent_id.is_not(None)), batch.c.id.is_(None))
    .execution_options(yield_per=_STREAM)
)
_CHILDREN = select(func.count()).where(instance.c.batch_id == batch.c.id)
_SINGLE = type_coerce(batch.c.facts, Text).like('%"multi":false%')
_ROWS = (
    select(
        batch.c.id, batch.c.instance_id, batch.c.element, batch.c.total, batch.c.done, batch.c.status,
        _CALLER.c.definition, _CALLER.c.status.label("caller"), _SINGLE.label("single"),
        select(func.count()).where(batch_item.c.batch_id == batch.c.id).scalar_subquery().label("items"),
        _CHILDREN.scalar_subquery().label("children"),
        _CHILDREN.where(instance.c.status.not_in(("running", "suspended"))).scalar_subquery().label("ended"),
    )
    .join_from(batch, _CALLER, _CALLER.c.id == batch.c.instance_id)
    .where(or_(_SINGLE, and_(batch.c.status == "active", _CALLER.c.status.in_(_ENDED))))
    .execution_options(yield_per=_STREAM)
)  # fmt: skip


def compare(conn: Connection, say: Say) -> None:
    """Every called instance without its batch, and every batch that cannot be as it stands."""
    for row in conn.execute(_ALONE):
        template = "{name} was called, but its batch {batch} is missing in the table batch"
        say(label(row.id), None, template, name=label(row.id), batch=row.batch_id or "–")
    calling: dict[str, frozenset[str] | None] = {}
    for row in conn.execute(_ROWS):
        place, name = label(row.instance_id), str(row.id)
        if row.status == "active" and row.caller in _ENDED:
            judge(say, place, None, "batch", name, {"status": "cancelled"}, row._mapping)
        if not row.single:
            continue
        if row.definition not in calling:
            calling[row.definition] = _calling(conn, row.definition)
        known = calling[row.definition]
        if known is not None and row.element not in known:
            say(place, None, DIFFERS, table="batch", name=name, column="element", found=row.element,
                expected=", ".join(sorted(known)))  # fmt: skip
        done = row.status == "done"
        told: dict[str, object] = {"total": 1, "items": 1, "done": int(done)}
        told |= {"status": row.status if row.status in ("active", "done", "cancelled") else "active"}
        told |= {"children": 1, "ended": 1} if done else {}
        judge(say, place, None, "batch", name, told, row._mapping)


def _calling(conn: Connection, hash_: str) -> frozenset[str] | None:
    """The call activities of a published procedure; None where this program cannot read its files.

    That they were damaged `groundwork` says.
    """
    found = conn.execute(select(definition.c.bundle).where(definition.c.hash == hash_)).scalar_one_or_none()
    parser = etree.XMLParser(no_network=True, resolve_entities=False)
    with suppress(EngineError, etree.XMLSyntaxError):
        root = etree.fromstring(from_files(unpack(found or b"")).diagram, parser)
        return frozenset(str(each.get("id")) for each in root.iter("{*}callActivity"))
    return None
