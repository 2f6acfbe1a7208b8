"""Rounds: opened on a unit's customers, allocated to surveyors, issued, returned, closed.

One round belongs to one instance. Every function works in the caller's transaction; `now` is an aware datetime.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from engine.errors import Conflict, Invalid, NotFound, Problem
from engine.forms import Form
from engine.model import label
from engine.ports import Connection
from engine.store import tables as engine_tables
from survey.figures import Figures, summarise
from survey.questionnaires import questionnaire_of
from survey.tables import DISPOSITIONS, answers, household, member, survey_round

ISSUED = ("issued", "returned")
"""Dispositions of those who got a questionnaire: the return rate's denominator."""


@dataclass(frozen=True, slots=True)
class Round:
    """One survey wave."""

    id: int
    instance: int
    unit: str
    procedure: str
    period: str | None
    definition: str
    questionnaire: str
    version: str
    status: str
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Member:
    """A household on a round's roster."""

    id: int
    number: int
    code: str
    surveyor: str | None
    disposition: str
    issued_at: datetime | None
    returned_at: datetime | None


def open_round(conn: Connection, *, instance: int, questionnaire: str, now: datetime) -> Round:
    """Open the instance's round: every active household of its unit, numbered from 1 in the order of codes.

    A round that is there already is returned as it stands. Raises `NotFound` for a questionnaire that the
    procedure does not have, `Conflict` when the unit has no customers.
    """
    there = conn.execute(select(survey_round).where(survey_round.c.instance_id == instance)).one_or_none()
    if there is not None:
        return _round(there)
    row = _instance(conn, instance)
    form = questionnaire_of(conn, row.definition, questionnaire)
    households = conn.execute(
        select(household.c.id, household.c.code).where(household.c.unit == row.unit, household.c.active)
    ).all()
    if not households:
        raise Conflict(
            "Unit {unit} has no customers on its roster: bring them in with `flow round roster FILE`",
            unit=row.unit,
        )
    number = conn.execute(
        insert(survey_round).values(
            instance_id=instance,
            unit=row.unit,
            procedure=row.procedure,
            period=row.period,
            definition=row.definition,
            questionnaire=form.id,
            version=form.version,
            status="open",
            opened_at=now,
        )
    ).inserted_primary_key[0]
    conn.execute(
        insert(member),
        [
            {"round_id": number, "number": place, "household_id": each.id, "disposition": "listed"}
            for place, each in enumerate(
                sorted(households, key=lambda each: (natural(each.code), each.code)), 1
            )
        ],
    )
    return round_of(conn, instance)


def round_of(conn: Connection, instance: int) -> Round:
    """The round of an instance, or of the one at the top of its calls. Raises `NotFound`."""
    row = _instance(conn, instance)
    found = conn.execute(
        select(survey_round).where(survey_round.c.instance_id == (row.root_id or row.id))
    ).one_or_none()
    if found is None:
        raise NotFound("{label} has opened no survey round yet", label=label(instance))
    return _round(found)


def roster(conn: Connection, round_id: int) -> tuple[Member, ...]:
    """The round's households in the order of their numbers."""
    rows = conn.execute(
        select(member, household.c.code)
        .join(household, household.c.id == member.c.household_id)
        .where(member.c.round_id == round_id)
        .order_by(member.c.number)
    )
    return tuple(
        Member(r.id, r.number, r.code, r.surveyor, r.disposition, r.issued_at, r.returned_at) for r in rows
    )


def dispositions(conn: Connection, round_id: int) -> dict[str, int]:
    """How many households there are of each disposition, all of them named."""
    rows = conn.execute(
        select(member.c.disposition, func.count())
        .where(member.c.round_id == round_id)
        .group_by(member.c.disposition)
    )
    counted = {row[0]: row[1] for row in rows}
    return {name: counted.get(name, 0) for name in DISPOSITIONS}


def allocation(size: int, parts: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Which surveyor each number of a roster of `size` goes to.

    `parts` are rows of surveyor, first and last number; with no numbers at all the roster is split evenly, in
    the order of the rows. Raises `Invalid` unless every customer has exactly one surveyor.
    """
    if parts and all(part.get("first") is None and part.get("last") is None for part in parts):
        return _even(size, [str(part["surveyor"]) for part in parts])
    problems: list[Problem] = []
    found: dict[int, str] = {}
    twice: set[int] = set()
    for place, part in enumerate(parts, 1):
        first, last = part.get("first"), part.get("last")
        if first is None or last is None or not 1 <= first <= last <= size:
            params = {"first": first or "…", "last": last or "…", "size": size}
            template = "{first} to {last} is no part of the roster, which goes from 1 to {size}"
            problems.append(Problem(f"parts.{place}", template, params))
            continue
        for number in range(first, last + 1):
            if number in found:
                twice.add(number)
            found[number] = str(part["surveyor"])
    missing = [number for number in range(1, size + 1) if number not in found]
    if twice:
        template = "Customers {numbers} are given to more than one surveyor"
        problems.append(Problem("parts", template, {"numbers": ranges(sorted(twice))}))
    if missing and not problems:
        template = "Customers {numbers} have no surveyor"
        problems.append(Problem("parts", template, {"numbers": ranges(missing)}))
    if problems:
        raise Invalid(problems)
    return found


def assign(conn: Connection, round_id: int, allocated: Mapping[int, str]) -> None:
    """Write down who surveys whom."""
    conn.execute(
        update(member)
        .where(member.c.round_id == round_id, member.c.number == bindparam("place"))
        .values(surveyor=bindparam("who")),
        [{"place": number, "who": surveyor} for number, surveyor in allocated.items()],
    )


def issue(conn: Connection, round_id: int, not_issued: Mapping[int, str], now: datetime) -> int:
    """Everybody listed got a questionnaire, except the numbers given with their disposition. Returns how many did."""
    for number, disposition in not_issued.items():
        conn.execute(
            update(member)
            .where(member.c.round_id == round_id, member.c.number == number)
            .values(disposition=disposition)
        )
    return int(
        conn.execute(
            update(member)
            .where(member.c.round_id == round_id, member.c.disposition == "listed")
            .values(disposition="issued", issued_at=now)
        ).rowcount
    )


def take_back(
    conn: Connection,
    returned: Iterable[tuple[Member, Mapping[str, object]]],
    *,
    source: str,
    by: str,
    now: datetime,
) -> int:
    """Write down answers, one set for each member. Returns how many."""
    rows = [
        {
            "member_id": each.id,
            "answers": dict(given),
            "source": source,
            "recorded_at": now,
            "recorded_by": by,
        }
        for each, given in returned
    ]
    if rows:
        conn.execute(insert(answers), rows)
        conn.execute(
            update(member)
            .where(member.c.id == bindparam("which"))
            .values(disposition="returned", returned_at=now),
            [{"which": row["member_id"]} for row in rows],
        )
    return len(rows)


def close(conn: Connection, round_id: int, now: datetime) -> None:
    """No more returns are taken."""
    conn.execute(
        update(survey_round).where(survey_round.c.id == round_id).values(status="closed", closed_at=now)
    )


def questionnaire(conn: Connection, found: Round) -> Form:
    """The questionnaire the round was opened with."""
    return questionnaire_of(conn, found.definition, found.questionnaire)


def figures_of(conn: Connection, rounds: Sequence[Round]) -> Figures:
    """The figures of one round, or of several together. Raises `Invalid` when their questionnaires differ."""
    if len({(each.questionnaire, each.version) for each in rounds}) != 1:
        raise Invalid([Problem("rounds", "Rounds with different questionnaires cannot be put together")])
    numbers = [each.id for each in rounds]
    issued = conn.execute(
        select(func.count())
        .select_from(member)
        .where(member.c.round_id.in_(numbers), member.c.disposition.in_(ISSUED))
    ).scalar_one()
    return summarise(questionnaire(conn, rounds[0]), _answers(conn, numbers), int(issued))


def _answers(conn: Connection, rounds: Sequence[int]) -> Iterator[Mapping[str, object]]:
    rows = conn.execute(
        select(answers.c.answers)
        .join(member, member.c.id == answers.c.member_id)
        .where(member.c.round_id.in_(rounds))
        .order_by(member.c.id)
    )
    for row in rows:
        yield row.answers


def natural(code: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts 2 before 10, and 3-2 before 3-10."""
    parts = re.findall("[0-9]+|[^0-9]+", code)
    return tuple((0, len(p.lstrip("0")), p.lstrip("0")) if "0" <= p[0] <= "9" else (1, 0, p) for p in parts)


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers in short: 1-3, 7, 9-12; at most the first ten parts."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    shown = ", ".join("-".join(str(end) for end in part) for part in parts[:10])
    return f"{shown}, …" if len(parts) > 10 else shown


def _even(size: int, surveyors: Sequence[str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for place, surveyor in enumerate(surveyors):
        first, last = place * size // len(surveyors), (place + 1) * size // len(surveyors)
        found.update(dict.fromkeys(range(first + 1, last + 1), surveyor))
    return found


def _instance(conn: Connection, number: int) -> Any:
    table = engine_tables.instance
    row = conn.execute(
        select(
            table.c.id, table.c.root_id, table.c.unit, table.c.procedure, table.c.period, table.c.definition
        ).where(table.c.id == number)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no instance {label}", label=label(number))
    return row


def _round(row: Any) -> Round:
    return Round(
        id=row.id,
        instance=row.instance_id,
        unit=row.unit,
        procedure=row.procedure,
        period=row.period,
        definition=row.definition,
        questionnaire=row.questionnaire,
        version=row.version,
        status=row.status,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
    )


def open_for_returns(found: Round) -> None:
    """Raises `Conflict` when the round takes no more returns."""
    if found.status != "open":
        raise Conflict(
            "The round of {label} is closed: its figures are made, and no more returns are taken",
            label=label(found.instance),
        )
