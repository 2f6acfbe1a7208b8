"""Representatives: who of ours looks after which customer, as a column of the roster says by the person's id."""

from __future__ import annotations

from datetime import date
from typing import cast

from sqlalchemy import Connection

from engine.characters import identity
from engine.handlers import Call, Handlers, Values, a_role, anything, takes
from engine.store.organisation import person_names
from survey import draws
from survey.rosters import Respondent
from survey.sampling import Design
from tasks.appointments import holds

handlers = Handlers("representatives")

MOST_NAMED = 50
"""Customers without a representative that a form names; there may be more."""
_TAKES = {"flow.attribute": anything, "flow.role": a_role}


@handlers.inside
@takes(_TAKES, {"flow.sets": anything})
def listed(call: Call) -> Values:
    """The representatives of the unit's customers, and the customers who have none.

    Properties: `flow.attribute`, the roster's column (`attr:` and this name) with a person's id; `flow.role`, which
    the person has to hold. Sets `representatives` (rows with `representative`, `name` and `customers`, how many),
    `unrepresented`, how many customers have nobody, and `unrepresented_text`, who they are.
    """
    theirs: dict[str, int] = {}
    without: list[str] = []
    for code, each in _customers(call).items():
        person = _of(call, each)
        if person is None:
            without.append(code)
        else:
            theirs[person] = theirs.get(person, 0) + 1
    names = person_names(cast("Connection", call.conn), theirs)
    rows = [
        {"representative": person, "name": names.get(person, person), "customers": theirs[person]}
        for person in sorted(theirs)
    ]
    more = f"等{len(without)}家" if len(without) > MOST_NAMED else ""
    return {
        "representatives": rows,
        "unrepresented": len(without),
        "unrepresented_text": "、".join(without[:MOST_NAMED]) + more,
    }


@handlers.inside
@takes({"flow.table": anything, **_TAKES}, {"flow.sets": anything})
def look_up(call: Call) -> Values:
    """Writes beside each row of a table with the column `customer` who represents that customer.

    Properties: `flow.table`, the variable with the rows, and those of `listed`. Sets that variable: its rows have
    `representative` besides, a person's id, or null where nobody does.
    """
    table, known = call.properties["flow.table"].strip(), _customers(call)
    rows = [
        {
            **row,
            "representative": _of(call, who) if (who := known.get(identity(row["customer"]))) else None,
        }
        for row in call.variables.get(table) or []
    ]
    return {table: rows}


def _customers(call: Call) -> dict[str, Respondent]:
    there, _ = draws.candidates(call.conn, call.unit, Design(), date.fromisoformat(call.today))
    return there


def _of(call: Call, customer: Respondent) -> str | None:
    """The person whom the roster names, who has to hold the role."""
    person = identity(str(customer.attributes.get(call.properties["flow.attribute"].strip()) or ""))
    return person if person and not holds(call, "", person, call.properties["flow.role"].strip()) else None
