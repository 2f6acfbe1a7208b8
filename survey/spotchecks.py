"""Checks of whether a round's questionnaires are genuine: whom chance picks, what was found, drawn again by anybody.

Some of those who sent nothing back are telephoned (`phone`), a share of those who did is compared with the paper
originals (`recheck`), and once one is not genuine all are (`full`). What is stored of a draw (the codes drawn from, the
seed) gives the same members whenever it is drawn anew, by the rule of `survey.sampling`. Functions work in the caller's
transaction.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import bindparam, func, insert, select, update

from engine.errors import Conflict, NotFound
from engine.ports import Connection
from engine.store import tables as engine_tables
from survey import ledger, returns, rounds
from survey.ledger import RETURNED
from survey.numbering import natural, ranges
from survey.returns import Difference
from survey.rounds import Member, Round
from survey.sampling import Listed, simple
from survey.tables import answers, spot_check, spot_verdict
from survey.wanted import named

PHONE, RECHECK, FULL = "phone", "recheck", "full"
CONFIRMED, CONTRADICTED, UNREACHABLE = "confirmed", "contradicted", "unreachable"
"""What a call finds: as recorded, not so, nobody there."""
GENUINE, ENTRY_ERROR, NOT_GENUINE = "genuine", "entry_error", "not_genuine"
"""What a comparison with the original finds; a slip in typing in is counted apart from what is not genuine."""
WORDS = {
    CONFIRMED: "核实一致",
    CONTRADICTED: "与记录不符",
    UNREACHABLE: "未联系上",
    GENUINE: "真实一致",
    ENTRY_ERROR: "录入差错",
    NOT_GENUINE: "不真实",
}
"""The verdicts as papers and the ledger have them."""
DOUBTED = (CONTRADICTED, NOT_GENUINE)
"""One of these is enough for all to be checked."""
SET_ASIDE = 0
"""The entry that answers become which are not to count."""


@dataclass(frozen=True, slots=True)
class Check:
    """One draw of members to be checked."""

    id: int
    round: int
    instance: int
    kind: str
    seed: str
    frame_sha256: str
    population: int
    size: int
    drawn_at: datetime
    drawn_by: str

    def facts(self) -> dict[str, object]:
        """What the journal says of it: enough to draw again with the frame of that digest."""
        known = {"kind": self.kind, "seed": self.seed, "population": self.population, "size": self.size}
        return {**known, "frame_sha256": self.frame_sha256}


@dataclass(frozen=True, slots=True)
class Judged:
    """A member drawn, and what was found."""

    member: Member
    verdict: str | None
    note: str | None
    on: str | None
    by: str | None


def outstanding(conn: Connection, found: Round) -> tuple[Member, ...]:
    """Who was given a questionnaire and sent none back. Raises `Conflict` for an anonymous round."""
    there = rounds.roster(conn, named(found).id)
    return tuple(each for each in there if each.issued_on is not None and each.disposition not in RETURNED)


def returned(conn: Connection, found: Round) -> tuple[Member, ...]:
    """Whose answers are in. Raises `Conflict` for an anonymous round."""
    back = returns.stored(conn, named(found))
    return tuple(each for each in rounds.roster(conn, found.id) if each.id in back)


def draw(
    conn: Connection, found: Round, kind: str, size: int, *, instance: int, by: str, now: datetime
) -> Check:
    """Draw `size` members for a check, or all where there are no more, and list them.

    Raises `Conflict` when the instance has drawn for this check already, or the round is anonymous.
    """
    if conn.execute(_of(instance, kind)).first():
        raise Conflict("The members of this check are drawn already")
    frame = outstanding(conn, found) if kind == PHONE else returned(conn, found)
    text = _frozen(frame)
    seed = _seed(conn, found, kind, instance)
    chosen = {each.code for each in _chosen(text, size, seed)}
    made = conn.execute(
        insert(spot_check)
        .values(
            round_id=found.id,
            instance_id=instance,
            kind=kind,
            seed=seed,
            frame=zlib.compress(text),
            frame_sha256=sha256(text).hexdigest(),
            population=len(frame),
            size=len(chosen),
            drawn_at=now,
            drawn_by=by,
        )
        .returning(spot_check.c.id)
    ).scalar_one()
    rows = [{"check_id": made, "member_id": each.id} for each in frame if each.code in chosen]
    if rows:
        conn.execute(insert(spot_verdict), rows)
    return check(conn, made)


def check(conn: Connection, number: int) -> Check:
    """The check of that number. Raises `NotFound`."""
    row = conn.execute(select(spot_check).where(spot_check.c.id == number)).one_or_none()
    if row is None:
        raise NotFound("There is no check {number}", number=number)
    return _check(row)


def checks_of(conn: Connection, instance: int) -> tuple[Check, ...]:
    """The checks of an instance, in the order in which they were drawn."""
    rows = conn.execute(
        select(spot_check).where(spot_check.c.instance_id == instance).order_by(spot_check.c.id)
    )
    return tuple(map(_check, rows))


def judged(conn: Connection, found: Check) -> tuple[Judged, ...]:
    """Everybody drawn, in the order of their numbers, with what was found so far."""
    rows = {
        row.member_id: row
        for row in conn.execute(select(spot_verdict).where(spot_verdict.c.check_id == found.id))
    }
    return tuple(
        Judged(each, row.verdict, row.note, row.judged_on, row.judged_by)
        for each in rounds.roster(conn, found.round)
        if (row := rows.get(each.id)) is not None
    )


def judge(
    conn: Connection,
    found: Check,
    verdicts: Mapping[int, tuple[str, str | None]],
    *,
    by: str,
    day: date,
    now: datetime,
) -> tuple[str, str | None]:
    """Write down what was found of members (verdict and note by number), with an entry in the ledger for each.

    Returns the kind and the channel of these entries.
    """
    there = {each.member.number: each.member for each in judged(conn, found)}
    strange = [number for number in verdicts if number not in there]
    if strange:
        raise NotFound("Not drawn for this check: {numbers}", numbers=ranges(sorted(strange)))
    conn.execute(
        update(spot_verdict)
        .where(spot_verdict.c.check_id == found.id, spot_verdict.c.member_id == bindparam("who"))
        .values(verdict=bindparam("said"), note=bindparam("why"), judged_on=day.isoformat(), judged_by=by),
        [{"who": there[number].id, "said": said, "why": why} for number, (said, why) in verdicts.items()],
    )
    asked = rounds.by_number(conn, found.round)
    kind, channel = ("attempt", "phone") if found.kind == PHONE else ("recheck", None)
    for verdict in sorted({said for said, _ in verdicts.values()}):
        members = [there[number] for number, (said, _) in verdicts.items() if said == verdict]
        note = f"真实性核对：{WORDS[verdict]}"
        ledger.follow_up(conn, asked, members, kind, by=by, day=day, now=now, channel=channel, note=note)
    return kind, channel


def set_aside(conn: Connection, found: Round) -> tuple[int, ...]:
    """Take the answers out of the figures that a check of the round found not to be genuine: the members' numbers.

    Where all were checked, that check counts. The answers are kept, as entry 0; their member's disposition and the
    ledger stay as they are.
    """
    drawn = conn.execute(
        select(spot_check.c.id, spot_check.c.kind).where(spot_check.c.round_id == found.id)
    ).all()
    kinds = (FULL,) if any(row.kind == FULL for row in drawn) else (RECHECK,)
    false = select(spot_verdict.c.member_id).where(
        spot_verdict.c.check_id.in_([row.id for row in drawn if row.kind in kinds]),
        spot_verdict.c.verdict == NOT_GENUINE,
    )
    chosen = (answers.c.round_id == found.id, answers.c.entry == 1, answers.c.member_id.in_(false))
    struck = set(conn.execute(select(answers.c.member_id).where(*chosen)).scalars())
    conn.execute(update(answers).where(*chosen).values(entry=SET_ASIDE))
    return tuple(each.number for each in rounds.roster(conn, found.id) if each.id in struck)


def counts(conn: Connection, found: Sequence[Check]) -> dict[str, int]:
    """How many members of the checks got each verdict."""
    rows = conn.execute(
        select(spot_verdict.c.verdict, func.count())
        .where(spot_verdict.c.check_id.in_([each.id for each in found]), spot_verdict.c.verdict.is_not(None))
        .group_by(spot_verdict.c.verdict)
    )
    return {row[0]: row[1] for row in rows}


def differing(conn: Connection, found: Round) -> dict[int, list[Difference]]:
    """In which items the second entry of a member's answers differs from the first, by number.

    Members whose answers were typed in once only are not in it.
    """
    first, second = returns.stored(conn, found), returns.stored(conn, found, entry=2)
    return {
        each.number: returns.differences(each, first[each.id].answers, second[each.id].answers)
        for each in rounds.roster(conn, found.id)
        if each.id in second and each.id in first
    }


def drawn_alike(conn: Connection, found: Check) -> bool:
    """Whether drawing again from what is stored gives the same members."""
    text = zlib.decompress(
        conn.execute(select(spot_check.c.frame).where(spot_check.c.id == found.id)).scalar_one()
    )
    again = {each.code for each in _chosen(text, found.size, found.seed)}
    there = {each.member.code for each in judged(conn, found)}
    return sha256(text).hexdigest() == found.frame_sha256 and again == there


def _chosen(frame: bytes, size: int, seed: str) -> list[Listed]:
    return simple([Listed(code) for code in orjson.loads(frame)], size, seed)


def _frozen(frame: Sequence[Member]) -> bytes:
    """The frame as JSON, in natural order of codes."""
    return orjson.dumps(sorted((each.code for each in frame), key=lambda code: (natural(code), code)))


def _seed(conn: Connection, found: Round, kind: str, instance: int) -> str:
    """What the head of the survey's history gives, which nobody chose."""
    table = engine_tables.instance
    head: bytes = conn.execute(select(table.c.head_hash).where(table.c.id == found.instance)).scalar_one()
    return sha256(head + f"{found.part}\n{kind}\n{instance}".encode()).hexdigest()[:16]


def _of(instance: int, kind: str) -> Any:
    return select(spot_check.c.id).where(spot_check.c.instance_id == instance, spot_check.c.kind == kind)


def _check(row: Any) -> Check:
    return Check(
        *(row.id, row.round_id, row.instance_id, row.kind, row.seed, row.frame_sha256),
        *(row.population, row.size, row.drawn_at, row.drawn_by),
    )
