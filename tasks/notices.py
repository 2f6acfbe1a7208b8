"""Notices that a diagram asks for: somebody is told something at a step, besides reminders and overdue notices."""

from __future__ import annotations

import re
from typing import Any, cast

from sqlalchemy import Connection, select

from engine.errors import EngineError
from engine.handlers import Call, Handlers, Values, a_role, takes
from engine.store import tables
from engine.store.organisation import units_above

handlers = Handlers("notices")

_NAME = re.compile(r"\{([A-Za-z_]\w*)\}")


def _text(value: Any) -> None:
    """The judge of a notice's text: names in braces, and nothing else in them."""
    if not str(value).strip() or set("{}") & set(_NAME.sub("", str(value))):
        raise EngineError("{value} is no text: variables stand in it as {name}", value=value, name="{name}")


def _variable(value: Any) -> None:
    """The judge of a variable's name."""
    if not re.fullmatch(r"[A-Za-z_]\w*", str(value).strip()):
        raise EngineError("{value} is no name of a variable", value=value)


@handlers.inside
@takes({"flow.to": a_role, "flow.text": _text}, {"flow.person": _variable})
def tell(call: Call) -> Values:
    """Tells everybody who holds a role there, as [notices] of flow.toml says; the journal has it either way.

    Properties: `flow.to`, the role; `flow.text`, what they are told, with variables in braces; `flow.person`, a
    variable that names one of them, who alone is told (everybody, where it names nobody who holds the role).
    Sets nothing.
    """
    role = call.role(call.properties["flow.to"].strip())
    holding = tables.holding
    units = units_above(cast("Connection", call.conn), call.unit)
    rows = call.conn.execute(
        select(holding.c.person).where(holding.c.role == role, holding.c.unit.in_(units)).distinct()
    )
    known = {**call.parameters, **call.variables}
    holders = sorted(row.person for row in rows)
    meant = known.get(call.properties.get("flow.person", "").strip())
    facts = {
        "name": call.name,
        "to": [meant] if meant in holders else holders,
        "role": role,
        "text": _NAME.sub(lambda found: _shown(known.get(found[1])), call.properties["flow.text"]),
    }
    call.note("notice.given", facts)
    return {}


def _shown(value: Any) -> str:
    """A variable in a sentence; one that has no value yet is a dash."""
    if isinstance(value, list | tuple):
        return "、".join(_shown(each) for each in value)
    return "–" if value is None or isinstance(value, dict) else str(value)
