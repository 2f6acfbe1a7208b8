"""Rounds: opened for an instance, their members, how far they are, closed; and the figures of their answers.

A round belongs to one instance, of whose rounds each is a `part` (one without a name, as a rule). Every function
works in the caller's transaction; `now` is an aware datetime.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Text, func, insert, select, type_coerce, update

from engine.characters import identity
from engine.errors import Conflict, Invalid, NotFound, Problem
from engine.forms import Form
from engine.model import label
from engine.ports import Connection
from engine.store import tables as engine_tables
from survey.figures import LEAST, Counting, Counts, Figures, Method, figures
from survey.figures import method as method_called
from survey.questionnaires import questionnaire_of
from survey.tables import DISPOSITIONS, answers, draw, member, respondent, survey_round

PORTION = 2_000
"""Answer sets read at a time."""
ANONYMOUS = "anonymous"
NAMELESS = '""'
"""How an instance's round without a name is called where it has others, too: `--part ""` chooses it."""
HANDED_OUT, COLLECTED = "handed_out", "collected"
"""What is counted where questionnaires go to whoever comes, and no roster says who that is."""
LINKED_GROUPS = ("project", "segment")
"""By what answers are grouped, unless the round says otherwise, where it is known whose they are."""


@dataclass(frozen=True, slots=True)
class Round:
    """One survey wave."""

    id: int
    instance: int
    part: str
    unit: str
    procedure: str
    period: str | None
    definition: str
    questionnaire: str
    version: str
    anonymity: str
    """named | confidential | anonymous"""
    groups: tuple[str, ...]
    """By what answers are grouped: project, segment, attributes."""
    method: str | None
    """Of the satisfaction rate; None: the questionnaire's own."""
    status: str
    opened_at: datetime
    closed_at: datetime | None
    redraw: str | None = None
    """The role that alone may draw the sample again; None: whoever may work on the round."""

    @property
    def anonymous(self) -> bool:
        """Whether nobody is to know whose answers they are."""
        return self.anonymity == ANONYMOUS

    @property
    def named(self) -> bool:
        """Whether lists of answers say whose they are; of a confidential round only who works on it knows."""
        return self.anonymity == "named"

    @property
    def name(self) -> str:
        """`SV-12`, or `SV-12 inpatients`."""
        return f"{label(self.instance)} {self.part}".rstrip()


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a round's sample; project, segment and attributes as they were when it was drawn."""

    id: int
    number: int
    code: str
    respondent: int
    project: str | None
    segment: str | None
    attributes: Mapping[str, Any]
    surveyor: str | None
    channel: str | None
    disposition: str
    issued_on: str | None
    returned_on: str | None

    def value(self, name: str) -> str:
        """What the member has under a group's name."""
        known = {"project": self.project, "segment": self.segment}
        return str((known[name] if name in known else self.attributes.get(name)) or "")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a round is. In an anonymous one, only the answers that are in say how many came back."""

    members: int
    issued: int
    returned: int
    abstained: int
    dispositions: Mapping[str, int]


def open_round(
    conn: Connection,
    *,
    instance: int,
    questionnaire: str,
    now: datetime,
    part: str = "",
    groups: Sequence[str] | None = None,
    method: str | None = None,
    definition: str | None = None,
    redraw: str | None = None,
) -> Round:
    """Open a round of the instance, without members yet; one that is there already is returned as it stands.

    `groups`: by what its answers are grouped; of an anonymous round none, unless named here. `definition`: the one
    whose questionnaire is asked, if it is not the instance's own. `redraw`: the role that alone may draw again.
    Raises `NotFound` for a questionnaire that the procedure does not have.
    """
    row = _instance(conn, instance)
    there = conn.execute(_ROUND.where(survey_round.c.instance_id == instance, survey_round.c.part == part))
    if (found := there.one_or_none()) is not None:
        return _round(found)
    definition = definition or str(row.definition)
    form = questionnaire_of(conn, definition, questionnaire)
    anonymity = form.anonymity or "confidential"
    if method is not None:
        method_called(method)
    if groups is None:
        groups = () if anonymity == ANONYMOUS else LINKED_GROUPS
    conn.execute(
        insert(survey_round).values(
            instance_id=instance,
            part=part,
            unit=row.unit,
            procedure=row.procedure,
            period=row.period,
            definition=definition,
            questionnaire=form.id,
            version=form.version,
            anonymity=anonymity,
            design={"groups": list(groups)} | ({"redraw": redraw} if redraw else {}),
            method=method,
            status="open",
            opened_at=now,
        )
    )
    return round_of(conn, instance, part)


_ROUND = select(survey_round)


def rounds_of(conn: Connection, instance: int) -> tuple[Round, ...]:
    """The rounds of an instance, or of the one at the top of its calls, by part."""
    row = _instance(conn, instance)
    found = conn.execute(
        _ROUND.where(survey_round.c.instance_id == (row.root_id or row.id)).order_by(survey_round.c.part)
    )
    return tuple(map(_round, found))


def round_of(conn: Connection, instance: int, part: str | None = None) -> Round:
    """The round of an instance, or of the one at the top of its calls; `part` says which where there are several.

    Raises `NotFound`, and `Conflict` when it is not said which.
    """
    found = rounds_of(conn, instance)
    chosen = [each for each in found if part is None or each.part == part]
    parts = ", ".join(each.part or NAMELESS for each in found)
    if not found:
        raise NotFound("{label} has opened no survey round yet", label=label(instance))
    if not chosen:
        template = "{label} has no round {part}, but these: {parts}"
        raise NotFound(template, label=label(instance), part=part or NAMELESS, parts=parts)
    if len(chosen) > 1:
        template = "{label} has several rounds: {parts}. Say which one with --part"
        raise Conflict(template, label=label(instance), parts=parts)
    return chosen[0]


def by_number(conn: Connection, round_id: int) -> Round:
    """The round of that number in the database."""
    return _round(conn.execute(_ROUND.where(survey_round.c.id == round_id)).one())


def roster(conn: Connection, round_id: int) -> tuple[Member, ...]:
    """The round's members in the order of their numbers."""
    rows = conn.execute(_MEMBERS.where(member.c.round_id == round_id).order_by(member.c.number))
    return tuple(map(_member, rows))


def member_of(conn: Connection, found: Round, *, number: int | None = None, code: str = "") -> Member | None:
    """One member, by number or else by code, without reading the others; None where there is none."""
    wanted = _MEMBERS.where(member.c.round_id == found.id)
    if number is not None:
        rows = conn.execute(wanted.where(member.c.number == number))
        return next(map(_member, rows), None)
    plain = identity(code)
    rows = conn.execute(wanted.where(respondent.c.code.in_((plain, plain.rpartition("/")[2]))))
    return next((each for each in map(_member, rows) if each.code == plain), None)


def called(conn: Connection, found: Round, code: str) -> tuple[Member, ...]:
    """Who is meant by a code as people type it: with the unit before it, or without where that is not needed.

    A code of the round's own unit means its customer alone, in the sample or not; otherwise all who have it.
    """
    unit, _, rest = code.partition("/")
    table = respondent.c
    wanted = (table.code == code) | ((table.unit == unit) & (table.code == rest))
    there = tuple(map(_member, conn.execute(_MEMBERS.where(member.c.round_id == found.id, wanted))))
    if exact := tuple(each for each in there if each.code == code):
        return exact
    own = select(table.id).where(table.unit == found.unit, table.code == code)
    return () if conn.execute(own).first() else there


_MEMBERS = (
    select(member, respondent.c.code, respondent.c.unit, survey_round.c.unit.label("own"))
    .join(respondent, respondent.c.id == member.c.respondent_id)
    .join(survey_round, survey_round.c.id == member.c.round_id)
)


def _member(r: Any) -> Member:
    return Member(
        *(r.id, r.number, code_of(r.unit, r.code, r.own), r.respondent_id),
        *(r.project, r.segment, r.attributes),
        *(r.surveyor, r.channel, r.disposition, r.issued_on, r.returned_on),
    )


def code_of(unit: str, code: str, own: str) -> str:
    """How a round calls a respondent: by code, with the unit before it where it is not the round's own."""
    return code if unit == own else f"{unit}/{code}"


def progress(conn: Connection, found: Round) -> Progress:
    """How far the round is."""
    counted = dispositions(conn, found.id)
    returns = conn.execute(
        select(func.count(), func.count().filter(answers.c.abstained)).where(
            answers.c.round_id == found.id, answers.c.entry == 1
        )
    ).one()
    return Progress(sum(counted.values()), issued_of(conn, [found]), returns[0], returns[1], counted)


def dispositions(conn: Connection, round_id: int) -> dict[str, int]:
    """How many members there are of each disposition, all of them named."""
    rows = conn.execute(
        select(member.c.disposition, func.count())
        .where(member.c.round_id == round_id)
        .group_by(member.c.disposition)
    )
    counted = {row[0]: row[1] for row in rows}
    return {name: counted.get(name, 0) for name in DISPOSITIONS}


def close(conn: Connection, round_id: int, now: datetime) -> bool:
    """No more returns are taken. Returns whether that is new."""
    which = update(survey_round).where(survey_round.c.id == round_id, survey_round.c.status == "open")
    return bool(conn.execute(which.values(status="closed", closed_at=now)).rowcount)


def open_for_returns(found: Round) -> None:
    """Raises `Conflict` when the round takes no more returns."""
    if found.status != "open":
        raise Conflict(
            "The round of {label} is closed: its figures are made, and no more returns are taken",
            label=label(found.instance),
        )


def questionnaire(conn: Connection, found: Round) -> Form:
    """The questionnaire the round was opened with."""
    return questionnaire_of(conn, found.definition, found.questionnaire)


def figures_of(conn: Connection, rounds: Sequence[Round], method: Method | None = None) -> Figures:
    """The figures of one round, or of several together. Raises `Invalid` when their questionnaires differ.

    `method` instead of the round's, which stands instead of the questionnaire's own.
    """
    counts = counts_of(conn, rounds)
    if method is None and rounds[0].method is not None:
        method = method_called(rounds[0].method)
    issued, population = issued_of(conn, rounds), population_of(conn, rounds)
    return figures(counts, issued=issued, method=method, population=population)


def issued_of(conn: Connection, rounds: Sequence[Round]) -> int:
    """How many questionnaires were given out in the rounds."""
    numbers = [each.id for each in rounds]
    statement = select(func.count()).where(member.c.round_id.in_(numbers), member.c.issued_on.is_not(None))
    given = int(conn.execute(statement.select_from(member)).scalar_one())
    return given + sum(sum(counted(conn, each, HANDED_OUT).values()) for each in rounds if each.anonymous)


def counted(conn: Connection, found: Round, what: str) -> dict[str, int]:
    """Questionnaires handed out to whoever came, or collected from them, by the first of the round's groups."""
    design = conn.execute(select(survey_round.c.design).where(survey_round.c.id == found.id)).scalar_one()
    return dict(design.get(what, {}))


def population_of(conn: Connection, rounds: Sequence[Round]) -> int:
    """How many could have been asked: the frames drawn from, without those who turned out not to belong there."""
    numbers = [each.id for each in rounds]
    members = select(func.count()).select_from(member).where(member.c.round_id.in_(numbers))
    framed = select(func.coalesce(func.sum(draw.c.population), 0)).where(draw.c.round_id.in_(numbers))
    unframed = members.where(member.c.round_id.not_in(select(draw.c.round_id)))
    strange = members.where(member.c.disposition == "ineligible")
    counted = [conn.execute(each).scalar_one() for each in (framed, unframed, strange)]
    return int(counted[0] + counted[1] - counted[2])


def counts_of(conn: Connection, rounds: Sequence[Round], by: Sequence[str] = ()) -> Counts:
    """The answers of the rounds, counted apart by groups of the rounds or items of the questionnaire (`by`).

    Answers are read in portions, so that a million of them take no more memory than a few thousand. Raises
    `Invalid` when the questionnaires differ.
    """
    if len({(each.questionnaire, each.version) for each in rounds}) != 1:
        raise Invalid([Problem("rounds", "Rounds with different questionnaires cannot be put together")])
    grouped = [name for name in by if all(name in each.groups for each in rounds)]
    items = [name for name in by if name not in grouped]
    counting = Counting(questionnaire(conn, rounds[0]), items, groups=grouped)
    for given, groups in answers_of(conn, rounds):
        counting.add(given, groups)
    return replace(counting.counts(), withheld=sum(few(conn, rounds).values()))


def answers_of(
    conn: Connection, rounds: Sequence[Round]
) -> Iterator[tuple[Mapping[str, object], Mapping[str, str]]]:
    """The answer sets of the rounds as first entered, each with its groups; in no order that says anything.

    Of an anonymous round with fewer than `LEAST` there are none: so all that is made of answers leaves them out.
    """
    unseen = few(conn, rounds)
    rows = conn.execute(
        select(type_coerce(answers.c.answers, Text), type_coerce(answers.c.groups, Text))
        .where(
            answers.c.round_id.in_([each.id for each in rounds if each.id not in unseen]),
            answers.c.entry == 1,
        )
        .execution_options(yield_per=PORTION)
    )
    for given, groups in rows:
        yield orjson.loads(given), orjson.loads(groups) if groups != "{}" else {}


def few(conn: Connection, rounds: Sequence[Round]) -> dict[int, int]:
    """The answer sets of the anonymous rounds that have so few of them that nothing may be shown, by round."""
    secret = answers.c.round_id.in_([each.id for each in rounds if each.anonymous])
    counted = select(answers.c.round_id, func.count()).where(secret).group_by(answers.c.round_id)
    return {row[0]: row[1] for row in conn.execute(counted.having(func.count() < LEAST))}


def _instance(conn: Connection, number: int) -> Any:
    table = engine_tables.instance
    known = (table.c[name] for name in ("id", "root_id", "unit", "procedure", "period", "definition"))
    row = conn.execute(select(*known).where(table.c.id == number)).one_or_none()
    if row is None:
        raise NotFound("There is no instance {label}", label=label(number))
    return row


def _round(row: Any) -> Round:
    return Round(
        id=row.id,
        instance=row.instance_id,
        part=row.part,
        unit=row.unit,
        procedure=row.procedure,
        period=row.period,
        definition=row.definition,
        questionnaire=row.questionnaire,
        version=row.version,
        anonymity=row.anonymity,
        groups=tuple(row.design.get("groups", ())),
        method=row.method,
        status=row.status,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        redraw=row.design.get("redraw"),
    )
