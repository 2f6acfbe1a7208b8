"""Returns written down, entered twice, replaced, corrected.

What is stored of an anonymous round has no time, no order, no file and no name (`survey.tables`). Functions work in the
caller's transaction.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection as Database
from sqlalchemy import Text, bindparam, delete, func, insert, select, type_coerce, update

from engine.characters import identity
from engine.errors import Conflict, Invalid, NotFound, Problem
from engine.forms import Form
from engine.ports import Connection
from engine.store.columns import Json, to_micros
from engine.store.many import execute_many
from survey.matching import Return
from survey.questionnaires import columns_of
from survey.rounds import PORTION, Member, Round, called, member_of, progress, roster
from survey.tables import answers, attempt, member

MIXED = 1_000
"""Answer sets of an anonymous round that change their places when others come in."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer set as it stands in the database."""

    id: str
    answers: Mapping[str, object]
    abstained: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """An item that was typed in differently the second time, or corrected."""

    number: int
    code: str
    item: str
    first: object
    second: object


@dataclass(frozen=True, slots=True)
class Comparison:
    """First and second entry side by side."""

    sets: int
    items: int
    differences: tuple[Difference, ...] = ()

    @property
    def agreed(self) -> int:
        """Items typed in alike."""
        return self.items - len(self.differences)


def take(
    conn: Database,
    found: Round,
    returned: Sequence[Return],
    *,
    source: str | None,
    by: str,
    now: datetime,
    today: date,
    entry: int = 1,
) -> Counter[str | None]:
    """Write returns down that are not in yet. Returns how many entries the ledger got, by channel."""
    if not returned:
        return Counter()
    at, day = None if found.anonymous else to_micros(now), today.isoformat()
    origin = None if found.anonymous else source
    ids = secrets.token_hex(16 * len(returned))
    rows = [
        (
            *(ids[32 * place : 32 * place + 32], found.id, found.anonymity, each.member and each.member.id),
            *(entry, _json(each.groups), each.given.answers, each.given.abstained, origin, day, at, by),
        )
        for place, each in enumerate(returned)
    ]
    if found.anonymous:
        rows += _taken_out(conn, found, today)
    rows.sort()  # by the id, not in the order of the file
    execute_many(conn, insert(answers), _COLUMNS, rows)
    known = [(each, each.member) for each in returned if each.member is not None]
    if entry == 1 and known:
        _mark(conn, known, today)
        names = ("round_id", "anonymity", "member_id", "kind", "channel", "day", "at", "recorded_by")
        execute_many(
            conn,
            insert(attempt),
            names,
            [
                (found.id, found.anonymity, who.id, "return", each.channel or who.channel, day, at, by)
                for each, who in known
            ],
        )
        return Counter(each.channel or who.channel for each, who in known)
    return Counter()


_COLUMNS = [each.name for each in answers.c]


def _json(value: Mapping[str, object]) -> str:
    return orjson.dumps(value).decode()


def already_in(conn: Connection, found: Round, returned: Sequence[Return]) -> list[str]:
    """The ids of as many answer sets that say the very same; none where one of the returns is not in.

    By this a file taken in twice is known, though nothing is kept of it: neither its name nor its sum.
    """
    wanted = Counter((_json(each.groups), each.given.answers, each.given.abstained) for each in returned)
    rows = conn.execute(
        select(
            answers.c.id, type_coerce(answers.c.groups, Text), type_coerce(answers.c.answers, Text),
            answers.c.abstained,
        )
        .where(answers.c.round_id == found.id)
        .execution_options(yield_per=PORTION)
    )  # fmt: skip
    ids = []
    for id_, *said in rows:
        if wanted[key := tuple(said)] > 0:
            wanted[key] -= 1
            ids.append(id_)
    return [] if wanted.total() else ids


def take_back(conn: Connection, ids: Sequence[str]) -> None:
    """Strike answer sets out."""
    conn.execute(delete(answers).where(answers.c.id == bindparam("which")), [{"which": id_} for id_ in ids])


def _taken_out(conn: Connection, found: Round, today: date) -> list[tuple[Any, ...]]:
    """Answer sets that came the same day, to be put back with others beside them, under new ids.

    A database keeps rows where it put them, and PostgreSQL also which transaction did (`ctid`, `xmin`): without this
    it would tell in which order answers typed in one by one came. Of many, some are enough to hide among.
    """
    same = select(answers.c.id).where(
        answers.c.round_id == found.id, answers.c.recorded_on == today.isoformat()
    )
    some = same.order_by(func.random()).limit(MIXED)
    stored = [type_coerce(each, Text) if isinstance(each.type, Json) else each for each in answers.c]
    there = conn.execute(delete(answers).where(answers.c.id.in_(some)).returning(*stored))
    return [(secrets.token_hex(16), *row[1:]) for row in there]


def _mark(conn: Database, returned: Sequence[tuple[Return, Member]], today: date) -> None:
    day = today.isoformat()
    execute_many(
        conn,
        update(member)
        .where(member.c.id == bindparam("which"))
        .values(disposition=bindparam("became"), returned_on=bindparam("back"), channel=bindparam("by_way")),
        ("became", "back", "by_way", "which"),
        [
            (each.given.disposition, who.returned_on or day, each.channel or who.channel, who.id)
            for each, who in returned
        ],
    )


def replace(
    conn: Database, found: Round, returned: Sequence[Return], today: date, entry: int = 1
) -> list[Difference]:
    """Put other answers in the place of those that are in. Returns what changed, old value first."""
    there = {
        row[0]: row[1:]
        for row in conn.execute(
            select(
                answers.c.member_id, answers.c.id, type_coerce(answers.c.answers, Text), answers.c.abstained
            ).where(answers.c.round_id == found.id, answers.c.entry == entry)
        )
    }
    changes: list[Difference] = []
    rows: list[tuple[Any, ...]] = []
    for each in returned:
        assert each.member is not None
        id_, old, abstained = there[each.member.id]
        if old != each.given.answers:
            changes += differences(each.member, orjson.loads(old), orjson.loads(each.given.answers))
        if (old, abstained) != (each.given.answers, each.given.abstained):
            rows.append((each.given.answers, each.given.abstained, id_))
    given = bindparam("given", type_=Text())  # JSON already
    changed = update(answers).where(answers.c.id == bindparam("which"))
    execute_many(
        conn, changed.values(answers=given, abstained=bindparam("none")), ("given", "none", "which"), rows
    )
    if entry == 1:
        _mark(conn, [(each, each.member) for each in returned if each.member is not None], today)
    return changes


def check_given_out(conn: Connection, found: Round, more: int) -> None:
    """Raise `Invalid` where with so many more of an anonymous round more would be back than were given out."""
    counts = progress(conn, found)
    returned = counts.returned + more
    if not counts.issued:
        template = (
            "No questionnaire of {round} is given out yet: that step comes first (flow task list), or its entry in the "
            "ledger, with flow round log … --kind issue"
        )
        raise Invalid([Problem("file", template, {"round": found.name})])
    if returned > counts.issued:
        template = "More came back than were given out: {returned} of {issued}"
        raise Invalid([Problem("file", template, {"returned": returned, "issued": counts.issued})])


def answers_of(conn: Connection, who: Member) -> Stored:
    """A member's answers as first entered. Raises `NotFound`."""
    row = conn.execute(
        select(answers).where(answers.c.member_id == who.id, answers.c.entry == 1)
    ).one_or_none()
    if row is None:
        raise NotFound("The answers of customer {code} are not in yet", code=who.code)
    return Stored(row.id, row.answers, row.abstained)


def stored(conn: Connection, found: Round, entry: int = 1) -> dict[int, Stored]:
    """The answer sets of a round that is not anonymous, by member."""
    rows = conn.execute(
        select(answers.c.id, answers.c.member_id, answers.c.answers, answers.c.abstained).where(
            answers.c.round_id == found.id, answers.c.entry == entry, answers.c.member_id.is_not(None)
        )
    )
    return {row.member_id: Stored(row.id, row.answers, row.abstained) for row in rows}


def differences(who: Member, first: Mapping[str, object], second: Mapping[str, object]) -> list[Difference]:
    """The items in which two answer sets of a member differ."""
    one, other = flat(first), flat(second)
    return [
        Difference(who.number, who.code, item, one.get(item), other.get(item))
        for item in dict.fromkeys((*one, *other))
        if one.get(item) != other.get(item)
    ]


def flat(given: Mapping[str, object]) -> dict[str, object]:
    """Answers by column: a matrix's rows each for itself."""
    found: dict[str, object] = {}
    for name, value in given.items():
        found |= value if isinstance(value, Mapping) else {name: value}
    return found


def compare(conn: Connection, found: Round, form: Form) -> Comparison:
    """First and second entry of all that were entered twice."""
    if found.anonymous:
        raise Conflict("Nobody knows which answers of an anonymous round to enter a second time")
    second = stored(conn, found, entry=2)
    first = stored(conn, found) if second else {}
    both = [each for each in roster(conn, found.id) if each.id in second and each.id in first]
    width = len(columns_of(form))
    unlike = [
        each for who in both for each in differences(who, first[who.id].answers, second[who.id].answers)
    ]
    return Comparison(len(both), len(both) * width, tuple(unlike))


def member_called(conn: Connection, found: Round, code: str) -> Member:
    """The member of that code, with its unit before it (`office-3/B-1203`) or without, or of that number (`#12`).

    Raises `NotFound`, and `Conflict` where several units have the code.
    """
    wanted = identity(code)
    there = called(conn, found, wanted)
    if not there and wanted.startswith("#") and wanted[1:].isdecimal():
        who = member_of(conn, found, number=int(wanted[1:]))
        there = () if who is None else (who,)
    if not there:
        raise NotFound("Customer {code} is not on the round's roster", code=code)
    if len(there) > 1:
        codes = ", ".join(each.code for each in there)
        raise Conflict("Several customers of the round have the code {code}: {codes}", code=code, codes=codes)
    return there[0]
