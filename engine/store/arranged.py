"""Compares schedules and the organisation with what the journal says of them.

Of the organisation as it was imported the journal keeps a sum; entries written before it did are compared without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import BigInteger, Connection, Text, select, type_coerce

from engine.store import fingerprints
from engine.store.groundwork import Say, judge
from engine.store.settings import unreadable
from engine.store.tables import journal, kickoff, schedule, setting
from engine.store.told import facts_of
from engine.store.verify import DIFFERS, MISSING, UNKNOWN

ORG_HASH = "org_hash"
"""The setting that has the sum of the file that was imported last."""
_CHAIN = "org"
_KINDS = ("made", "changed", "ended", "paused", "active", "failed")
_ENTRIES = (
    select(journal.c.seq, type_coerce(journal.c.at, BigInteger).label("at"), journal.c.kind, journal.c.subject,
           journal.c.facts)
    .where(
        journal.c.chain == _CHAIN,
        journal.c.kind.in_((*(f"schedule.{kind}" for kind in _KINDS), "organisation.imported", "clock.accepted")),
    )
    .order_by(journal.c.seq)
    .execution_options(yield_per=1000)
)  # fmt: skip
_SCHEDULES = select(
    schedule.c.procedure, schedule.c.unit, schedule.c.element, schedule.c.status,
    type_coerce(schedule.c.created_at, BigInteger).label("created_at"),
    type_coerce(schedule.c.rule, Text).label("rule"),
)  # fmt: skip
_MISSED = select(schedule.c.procedure, schedule.c.unit, kickoff.c.period).join_from(kickoff, schedule)
_PLACE = tuple[object, object, object]


@dataclass(slots=True)
class _Told:
    """What the entries come to."""

    schedules: dict[_PLACE, tuple[int, dict[str, object]]] = field(default_factory=dict)
    failed: dict[_PLACE, int] = field(default_factory=dict)
    organisation: tuple[int, Mapping[str, Any]] | None = None


def compare(conn: Connection, say: Say) -> None:
    """Every schedule, and the organisation, where the journal says otherwise."""
    told = _Told()
    for entry in conn.execute(_ENTRIES):
        _tell(told, entry)
    for row in conn.execute(_SCHEDULES):
        place = (row.procedure, row.unit, row.element)
        known = told.schedules.pop(place, None)
        if known is None:
            say(_CHAIN, None, UNKNOWN, table="schedule", name=_named(place))
            continue
        seq, values = known
        judge(say, _CHAIN, seq, "schedule", _named(place), values, {**row._mapping, "rule": _rule(row.rule)})
    for place, (seq, _) in told.schedules.items():
        say(_CHAIN, seq, MISSING, table="schedule", name=_named(place))
    if told.failed:
        there = {tuple(row) for row in conn.execute(_MISSED)}
        for place, seq in told.failed.items():
            if place not in there:
                say(_CHAIN, seq, MISSING, table="kickoff", name=f"{place[1]} {place[2]}")
    for damage in unreadable(conn):
        say(_CHAIN, None, damage.template, **damage.params)
    if told.organisation is not None:
        _organisation(conn, say, *told.organisation)


def _tell(told: _Told, entry: Any) -> None:
    facts = facts_of(entry.facts)
    if entry.kind == "organisation.imported":
        told.organisation = (entry.seq, facts)
        return
    if entry.kind == "clock.accepted":  # kick-offs planned for later were forgotten
        told.failed.clear()
        return
    kind = entry.kind.partition(".")[2]
    if kind == "failed":
        told.failed[entry.subject, facts.get("unit"), facts.get("period")] = entry.seq
        return
    place = (entry.subject, facts.get("unit"), facts.get("start"))
    if kind == "made":
        values: dict[str, object] = {"status": "active", "created_at": entry.at, "rule": _told_rule(facts)}
        told.schedules[place] = (entry.seq, values)
        return
    # Without a start it is of all that started there: the unit was closed.
    meant = [each for each in told.schedules if each == place or (place[2] is None and each[:2] == place[:2])]
    for each in meant:
        values = told.schedules[each][1]
        if kind == "changed":
            values.pop("rule", None)  # of entries that do not say it, it is not known any more
            values |= {"rule": _told_rule(facts)} if "rule" in facts else {}
        else:
            values["status"] = "active" if kind == "active" else "paused"
        told.schedules[each] = (entry.seq, values)


def _told_rule(facts: Mapping[str, Any]) -> object:
    return _rule(orjson.dumps(facts.get("rule")))


def _rule(text: object) -> object:
    """A rule as it can be compared: how days are counted may stand in the procedure alone, or in the rule as well."""
    try:
        rule = orjson.loads(text if isinstance(text, str | bytes) else "")
    except ValueError:
        return None
    start = rule.get("start") if isinstance(rule, dict) else None
    fit = start.get("latest_fit") if isinstance(start, dict) else None
    if isinstance(fit, dict):
        fit.pop("counting", None)
    return rule


def _organisation(conn: Connection, say: Say, seq: int, facts: Mapping[str, Any]) -> None:
    if "tables" in facts and fingerprints.of_organisation(conn) != facts["tables"]:
        say(_CHAIN, seq, "What the tables say of the organisation is not what was imported from org.yaml")
    query = select(type_coerce(setting.c.value, Text)).where(setting.c.name == ORG_HASH)
    found = conn.execute(query).scalar_one_or_none()
    expected = orjson.dumps(facts.get("file")).decode()
    if found != expected:
        say(_CHAIN, seq, DIFFERS, table="setting", name=ORG_HASH, column="value", found=str(found)[:60],
            expected=expected)  # fmt: skip


def _named(place: _PLACE) -> str:
    return " ".join(str(each) for each in place)
