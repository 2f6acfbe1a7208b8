"""Visits: whom a row of a year's plan has visited, when, and whether what they said is in.

A visit is made along with other work at the customer's (an audit, an inspection), each at its own time; so the
questionnaire counts as given out on the day of the visit, and not when the list is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from engine.errors import EngineError, Invalid, Problem
from engine.handlers import Call, Handlers, Values, anything, takes
from survey import ledger, rounds
from survey.rounds import Member, Round
from tasks.meaning import addressed, current, note_ledger

handlers = Handlers("visits")

_PART = {"flow.part": anything}


@handlers.collection
def customers(call: Call) -> Iterable[object]:
    """Everybody in the round: number, customer."""
    return [
        {"number": each.number, "customer": each.code} for each in rounds.roster(call.conn, current(call).id)
    ]


@handlers.inside
@takes(optional=_PART)
def begin(call: Call) -> Values:
    """The visit of one customer (`visit_number`) has begun: the ledger says so, and nothing is set."""
    found, who = _visited(call)
    day = date.fromisoformat(call.today)
    ledger.record(call.conn, found, [who], "issue", by=call.by, day=day, now=call.now, channel="visit")
    note_ledger(call, found, "issue", [who.number], channel="visit")
    return {}


@handlers.verify
def recorded(call: Call) -> None:
    """The answers of the customer visited (`visit_number`) are in, or the ledger says why there are none."""
    found, who = _visited(call)
    if who.disposition in (*ledger.RETURNED, *ledger.FINAL):
        return
    template = (
        "The answers of {customer} are not in: enter them with `flow round import {label} FILE`, or who refused with "
        "`flow round log`"
    )
    params = {"customer": who.code, "label": addressed(found)}
    raise Invalid([Problem("recorded_on", template, params)])


def _visited(call: Call) -> tuple[Round, Member]:
    found, number = current(call), call.variables.get("visit_number")
    who = None if number is None else rounds.member_of(call.conn, found, number=int(number))
    if who is None:
        template = "{element} needs to know who is visited: there is no number {number} in {round}"
        raise EngineError(template, element=call.element, number=number, round=found.name)
    return found, who
