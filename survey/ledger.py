"""The ledger of fieldwork: what was given out to whom by which channel, who was called, reminded, refused.

Each entry stands in `contact_attempt`; the member carries what came of it. In an anonymous round entries have a day
and no time, and none says that somebody's questionnaire came back. Functions work in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, func, insert, literal, select, update

from engine.errors import Conflict, Invalid, Problem
from engine.ports import Connection
from engine.store.columns import Instant
from survey.numbering import some
from survey.rounds import COLLECTED, HANDED_OUT, Member, Round, open_for_returns, roster
from survey.tables import attempt, member, survey_round

CORRECTION = "correction"
KINDS = ("issue", "reminder", "attempt", "refusal", "recheck", CORRECTION)
"""What a person enters; a return is entered with its answers. A correction says that a disposition was wrong."""
CHANNELS: Mapping[str, str] = {
    "paper": "纸质",
    "phone": "电话",
    "visit": "走访",
    "email": "邮件",
    "link": "链接",
    "post": "邮寄",
    "fax": "传真",
    "sms": "短信",
    "chat": "即时通讯",
}
"""The ways by which questionnaires go and come, with what papers and files call them."""
FINAL = ("refusal", "non-contact", "other", "unknown-eligibility", "ineligible")
"""Dispositions that a person may enter (AAPOR)."""
WITHOUT = ("refusal", "ineligible")
"""Of whom no questionnaire can come back: what the ledger says of them has to be corrected first."""
PENDING = ("issued", "listed")
"""What a correction may besides go back to: nothing is known of who has a questionnaire, or has none."""
RETURNED = ("complete", "partial", "blank")
"""Of whom a questionnaire is back."""
_MOST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One entry."""

    number: int
    code: str
    kind: str
    channel: str | None
    day: str
    at: datetime | None
    recorded_by: str
    note: str | None


def issue(
    conn: Connection,
    found: Round,
    not_issued: Mapping[int, str],
    *,
    by: str,
    today: date,
    now: datetime,
    channel: str = "paper",
    rest: bool = True,
) -> int:
    """Everybody listed got a questionnaire, but the numbers given with their disposition. Returns how many did.

    Without the `rest` only those numbers change: who got one is entered by itself (`record`).
    """
    at = None if found.anonymous else now
    here = (member.c.round_id == found.id, member.c.disposition == "listed")
    if not_issued:
        conn.execute(
            update(member)
            .where(*here, member.c.number == bindparam("place"))
            .values(disposition=bindparam("code")),
            [{"place": number, "code": disposition} for number, disposition in not_issued.items()],
        )
    if not rest:
        return 0
    columns = ["round_id", "anonymity", "member_id", "kind", "channel", "day", "at", "recorded_by"]
    values = (
        literal("issue"),
        literal(channel),
        literal(today.isoformat()),
        literal(at, Instant),
        literal(by),
    )
    listed = select(member.c.round_id, member.c.anonymity, member.c.id, *values).where(*here)
    conn.execute(insert(attempt).from_select(columns, listed.order_by(member.c.number)))
    issued = update(member).where(*here)
    became = issued.values(disposition="issued", issued_on=today.isoformat(), channel=channel)
    return int(conn.execute(became).rowcount)


def try_again(conn: Connection, found: Round) -> int:
    """Who was not met and has no questionnaire yet is listed again, to be tried once more. Returns how many."""
    not_met = (member.c.disposition == "non-contact", member.c.issued_on.is_(None))
    again = update(member).where(member.c.round_id == found.id, *not_met).values(disposition="listed")
    return int(conn.execute(again).rowcount)


def record(
    conn: Connection,
    found: Round,
    members: Sequence[Member],
    kind: str,
    *,
    by: str,
    day: date,
    now: datetime,
    channel: str | None = None,
    disposition: str | None = None,
    note: str | None = None,
) -> None:
    """Enter what was done for the members on a day, and what came of it.

    After the round is closed nothing comes of it: the members stay as its figures counted them, unless it is a
    correction, with a reason (`note`). Raises `Invalid` for words that there are not, `Conflict` for a disposition of
    somebody whose answers are in, and for what would change the figures of a closed round.
    """
    _check(found, kind, channel, disposition, note, day, now)
    final = disposition or ("refusal" if kind == "refusal" else None)
    closed = found.status != "open" and kind != CORRECTION
    if closed and (final or kind == "issue"):
        template = (
            "{round} is closed: what became of everybody stands in its figures. If that was wrong, correct it: "
            "--kind correction --result … --note …; otherwise enter a remark: --kind attempt --note …"
        )
        raise Conflict(template, round=found.name)
    back = [each.code for each in members if each.disposition in RETURNED]
    if final and back:
        template = "The answers of {codes} are in: what became of them is known"
        raise Conflict(template, codes=some(back))
    if disposition in PENDING:
        _check_pending(members, disposition)
    _enter(conn, found, members, kind=kind, channel=channel, day=day, now=now, by=by, note=note)
    if closed or not members:
        return
    changes = [_became(each, kind, final, channel, day) for each in members]
    conn.execute(
        update(member)
        .where(member.c.id == bindparam("which"))
        .values(disposition=bindparam("became"), issued_on=bindparam("given"), channel=bindparam("by_way")),
        changes,
    )


def _check_pending(members: Sequence[Member], disposition: str) -> None:
    """A correction back to issued is for who has a questionnaire, one back to listed for who has none."""
    strange = [each.code for each in members if (each.issued_on is not None) != (disposition == "issued")]
    if strange:
        template = "Of {codes} the ledger says otherwise: issued is who was given a questionnaire, listed who was not"
        raise Conflict(template, codes=some(strange))


def corrected_since(conn: Connection, found: Round, day: date) -> int:
    """How many dispositions were corrected on that day or later."""
    here = (attempt.c.round_id == found.id, attempt.c.kind == CORRECTION, attempt.c.day >= day.isoformat())
    return int(conn.execute(select(func.count()).select_from(attempt).where(*here)).scalar_one())


def _became(each: Member, kind: str, final: str | None, channel: str | None, day: date) -> dict[str, object]:
    """What a member's row becomes; a reminder by telephone does not make a paper questionnaire one by telephone."""
    became, given, way = final or each.disposition, each.issued_on, each.channel or channel
    if kind == "issue":
        way = channel or each.channel
        became = final or ("issued" if each.disposition == "listed" else each.disposition)
        given = given or day.isoformat()
    return {"which": each.id, "became": became, "given": given, "by_way": way}


def hand_out(conn: Connection, found: Round, given: Mapping[str, int], collected: Mapping[str, int]) -> None:
    """Count questionnaires handed out to whoever came, and collected, by the first of the round's groups.

    Raises `Conflict` for a round that knows whom it asks, or is closed, or has no groups.
    """
    if not found.anonymous or not found.groups:
        template = "{round} is not anonymous, or has no groups: its questionnaires go to people on its roster"
        raise Conflict(template, round=found.name)
    open_for_returns(found)
    design = dict(
        conn.execute(select(survey_round.c.design).where(survey_round.c.id == found.id)).scalar_one()
    )
    for what, more in ((HANDED_OUT, given), (COLLECTED, collected)):
        before = design.get(what, {})
        design[what] = {name: before.get(name, 0) + more.get(name, 0) for name in {**before, **more}}
    conn.execute(update(survey_round).where(survey_round.c.id == found.id).values(design=design))


def _check(
    found: Round,
    kind: str,
    channel: str | None,
    disposition: str | None,
    note: str | None,
    day: date,
    now: datetime,
) -> None:
    problems = []
    correction = kind == CORRECTION
    for name, value, known in (
        ("kind", kind, KINDS),
        ("channel", channel, CHANNELS),
        ("disposition", disposition, (*FINAL, *PENDING) if correction else FINAL),
    ):
        if value is not None and value not in known:
            params = {"found": str(value)[:40], "known": ", ".join(known)}
            problems.append(Problem(name, "There is no {found}; there are: {known}", params))
    if correction and disposition is None:
        problems.append(Problem("result", "Say what became of them, correctly"))
    if correction and not (note or "").strip():
        problems.append(Problem("note", "Say why, so that somebody else understands it"))
    if note and len(note) > _MOST_NOTE:
        length = {"count": len(note), "limit": _MOST_NOTE}
        problems.append(Problem("note", "The note has {count} characters; at most {limit} may be", length))
    if day > (now + timedelta(days=1)).date():
        problems.append(Problem("day", "{day} is yet to come", {"day": day.isoformat()}))
    if found.anonymous and kind == "recheck":
        problems.append(Problem("kind", "In an anonymous round nobody's answers can be checked with them"))
    if problems:
        raise Invalid(problems)


def lines(conn: Connection, found: Round, number: int | None = None) -> tuple[Line, ...]:
    """The entries in the order they were made, of one member or of all."""
    statement = (
        select(attempt, member.c.number)
        .join(member, member.c.id == attempt.c.member_id)
        .where(attempt.c.round_id == found.id)
        .order_by(attempt.c.id)
    )
    if number is not None:
        statement = statement.where(member.c.number == number)
    codes = {each.number: each.code for each in roster(conn, found.id)}
    return tuple(
        Line(row.number, codes[row.number], row.kind, row.channel, row.day, row.at, row.recorded_by, row.note)
        for row in conn.execute(statement)
    )


def attempts(conn: Connection, found: Round) -> dict[int, int]:
    """How often each member (by id) was called, visited or reminded."""
    rows = conn.execute(
        select(attempt.c.member_id, func.count())
        .where(attempt.c.round_id == found.id, attempt.c.kind.in_(("attempt", "reminder")))
        .group_by(attempt.c.member_id)
    )
    return {row[0]: row[1] for row in rows}


def to_remind(conn: Connection, found: Round, days: int, today: date) -> tuple[Member, ...]:
    """Who has had a questionnaire for so many days and has not sent it back, nor refused.

    In an anonymous round nobody knows who sent it back: all who have one are reminded, or none.
    """
    limit = (today - timedelta(days=days)).isoformat()
    return tuple(
        each
        for each in roster(conn, found.id)
        if each.disposition == "issued" and each.issued_on is not None and each.issued_on <= limit
    )


def follow_up(
    conn: Connection,
    found: Round,
    members: Sequence[Member],
    kind: str,
    *,
    by: str,
    day: date,
    now: datetime,
    channel: str | None,
    note: str,
) -> None:
    """Enter what happened after the fieldwork, a call-back or a check: how the answers came stays as it was."""
    _check(found, kind, channel, None, note, day, now)
    _enter(conn, found, members, kind=kind, channel=channel, day=day, now=now, by=by, note=note)


def _enter(
    conn: Connection,
    found: Round,
    members: Sequence[Member],
    *,
    kind: str,
    channel: str | None,
    day: date,
    now: datetime,
    by: str,
    note: str | None,
) -> None:
    entry = {
        "round_id": found.id,
        "anonymity": found.anonymity,
        "kind": kind,
        "channel": channel,
        "day": day.isoformat(),
        "at": None if found.anonymous else now,
        "recorded_by": by,
        "note": note or None,
    }
    if members:
        conn.execute(insert(attempt), [{**entry, "member_id": each.id} for each in members])
