"""Draws: the frame as the roster has it, the sample drawn from it, and everything needed to draw it again.

What is stored of a draw (frame, design, seed) gives the same sample whenever it is drawn anew: `survey.sampling`
says how. Functions work in the caller's transaction.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from engine.calendar.durations import Duration
from engine.errors import Conflict, Invalid, NotFound, Problem
from engine.ports import Connection
from engine.store import tables as engine_tables
from survey import rosters
from survey.numbering import natural, some
from survey.rosters import Respondent
from survey.rounds import Round, code_of, roster
from survey.sampling import Design, Listed, Sample, design_of
from survey.sampling import draw as sample_of
from survey.tables import attempt, draw, member, survey_round

NOT_ASKED = ("ineligible", "non-contact", "unknown-eligibility", "listed")
"""Who ends a round so was not surveyed: the next draw may take them as if they had not been drawn."""
_COLUMNS = ("project", "segment", "kind", "key_account", "unit")


@dataclass(frozen=True, slots=True)
class Frame:
    """Who could be drawn, and why others could not."""

    there: Mapping[str, Respondent]
    """By code; of a unit below the round's own, the code is `unit/code`."""
    listed: tuple[Listed, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many, by reason."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A draw as it is stored."""

    method: str
    design: Design
    seed: str
    day: str
    population: int
    size: int
    strata: Mapping[str, int]
    left_out: Mapping[str, int]
    remark: Problem | None
    frame_sha256: str
    drawn_at: datetime
    drawn_by: str

    def facts(self) -> dict[str, object]:
        """What the journal says of it: enough to draw again with the frame of that digest."""
        known = {"method": self.method, "seed": self.seed, "population": self.population, "size": self.size}
        return {**known, "design": self.design.plain(), "frame_sha256": self.frame_sha256}


@dataclass(frozen=True, slots=True)
class Drift:
    """What became of the roster since a draw; it changes nothing in the round."""

    joined: int
    left: int


def frame_of(conn: Connection, found: Round, design: Design, day: date) -> Frame:
    """The active respondents of the round's unit and those below, without whom the design leaves out."""
    there, left_out = candidates(conn, found.unit, design, day)
    asked = _asked(conn, found)[1] if design.no_repeat else frozenset()
    known = last_asked(conn, found.unit) if design.new_share else None
    listed = tuple(
        Listed(
            code,
            _value(each, design.stratify) if design.stratify else "",
            int(each.id in asked),
            known is not None and each.id not in known,
        )
        for code, each in there.items()
    )
    return Frame(there, listed, left_out)


def candidates(
    conn: Connection, unit: str, design: Design, day: date
) -> tuple[dict[str, Respondent], dict[str, int]]:
    """Who of a unit and those below may be asked on the day, by code; and how many may not, by reason.

    Raises `Invalid` when the design names a column that the roster does not have.
    """
    there: dict[str, Respondent] = {}
    left_out: Counter[str] = Counter()
    attributes: set[str] = set()
    for each in rosters.listed(conn, units=units_below(conn, unit), active=True):
        attributes |= each.attributes.keys()
        if reason := _reason(each, design, day):
            left_out[reason] += 1
        else:
            there[code_of(each.unit, each.code, unit)] = each
    for field_, name in (
        *(("where", name) for name in design.where),
        ("stratify", design.stratify),
        ("dated", None if design.dated == "since" else design.dated),
    ):
        if name is not None and name not in _COLUMNS and name not in attributes:
            known = ", ".join((*_COLUMNS, *sorted(attributes)))
            template = "The roster has no column {name}; it has {known}"
            raise Invalid([Problem(field_, template, {"name": name, "known": known})])
    return there, dict(left_out)


def _reason(each: Respondent, design: Design, day: date) -> str | None:
    """Why somebody may not be asked on the day."""
    since, today = each.since or "", day.isoformat()
    if each.excluded is not None:
        return "excluded"
    if each.left_on and each.left_on <= today:
        return "left"
    if any(_value(each, name) != value for name, value in design.where.items()):
        return "where"
    if design.moved_in and not "" < since <= today:
        return "moved_in"
    if design.months and not _long_enough(since, design, day):
        return "months"
    if design.until is not None and since > design.until:
        return "until"
    if design.dated is not None and not _in_period(each, design):
        return "dated"
    return None


def _long_enough(since: str, design: Design, day: date) -> bool:
    """Whether the months have passed, and where there is a window, not before it."""
    if not since:
        return False
    reached = Duration(months=design.months).move(date.fromisoformat(since))
    return reached <= day and (not design.window or (day - reached).days <= design.window)


def _in_period(each: Respondent, design: Design) -> bool:
    assert design.dated is not None
    found = each.since if design.dated == "since" else each.attributes.get(design.dated)
    return bool(found) and (design.first_day or "") <= str(found) <= (design.last_day or "9999")


def _value(each: Respondent, name: str) -> str:
    if name == "key_account":
        return "1" if each.key_account else "0"
    return str((getattr(each, name) if name in _COLUMNS else each.attributes.get(name)) or "")


def units_below(conn: Connection, unit: str) -> list[str]:
    """A unit and all below it."""
    table = engine_tables.unit
    parents = {row.id: row.parent for row in conn.execute(select(table.c.id, table.c.parent))}
    found = [unit]
    for above in found:
        found += [each for each, parent in parents.items() if parent == above and each not in found]
    return found


def draw_sample(
    conn: Connection, found: Round, design: Design, *, seed: str | None, by: str, now: datetime, today: date
) -> Drawn:
    """Draw the round's sample and list it.

    Without a `seed`, the head of the instance's history gives one, which nobody chose. Raises `Conflict` when the
    sample was drawn before or the roster is empty, `Invalid` for what cannot be drawn.
    """
    if conn.execute(select(member.c.id).where(member.c.round_id == found.id).limit(1)).first():
        raise Conflict("The sample of {name} is drawn already; see `flow round show {name}`", name=found.name)
    frame = frame_of(conn, found, design, today)
    if not frame.listed:
        if frame.left_out:
            template = (
                "Nobody in unit {unit} may be asked: {count} are excluded, too new or outside the choice"
            )
            raise Conflict(template, unit=found.unit, count=sum(frame.left_out.values()))
        raise Conflict(
            "Unit {unit} has no customers on its roster: bring them in with `flow roster import FILE`",
            unit=found.unit,
        )
    seed = seed or _seed(conn, found)
    sample = sample_of(frame.listed, design, seed)
    text = _frozen(frame.listed, fresh=design.new_share is not None)
    parameters = {
        "design": design.plain(),
        "day": today.isoformat(),
        "strata": dict(sample.strata) if design.stratify else {},
        "left_out": dict(frame.left_out),
        "remark": _remark(sample.remark),
    }
    conn.execute(
        insert(draw).values(
            round_id=found.id,
            method=design.method,
            parameters=parameters,
            seed=seed,
            frame=zlib.compress(text),
            frame_sha256=sha256(text).hexdigest(),
            population=len(frame.listed),
            size=len(sample.codes),
            drawn_at=now,
            drawn_by=by,
        )
    )
    _list(conn, found, design, frame, sample)
    return drawn(conn, found)


def _list(conn: Connection, found: Round, design: Design, frame: Frame, sample: Sample) -> None:
    cycle, asked = _asked(conn, found)
    rows = []
    for number, code in enumerate(sample.codes, 1):
        each = frame.there[code]
        rows.append(
            {
                "round_id": found.id,
                "anonymity": found.anonymity,
                "number": number,
                "respondent_id": each.id,
                "project": each.project,
                "segment": each.segment,
                "attributes": each.attributes,
                "cycle": cycle + 1 if design.no_repeat and each.id in asked else cycle,
                "disposition": "listed",
            }
        )
    if rows:
        conn.execute(insert(member), rows)


def undo(conn: Connection, found: Round) -> None:
    """Take a draw back, so that it can be drawn anew. Raises `Conflict` once something happened in the round."""
    moved = conn.execute(
        select(member.c.id)
        .outerjoin(attempt, attempt.c.member_id == member.c.id)
        .where(
            member.c.round_id == found.id, or_(member.c.disposition != "listed", attempt.c.id.is_not(None))
        )
        .limit(1)
    ).first()
    if moved:
        raise Conflict("Questionnaires of {name} are out: its sample stays as it was drawn", name=found.name)
    conn.execute(delete(member).where(member.c.round_id == found.id))
    conn.execute(delete(draw).where(draw.c.round_id == found.id))


def drawn(conn: Connection, found: Round) -> Drawn:
    """The round's draw. Raises `NotFound` where none is stored."""
    row = _stored(conn, found)
    remark = row.parameters["remark"]
    return Drawn(
        row.method,
        design_of(row.parameters["design"]),
        row.seed,
        row.parameters["day"],
        row.population,
        row.size,
        row.parameters["strata"],
        row.parameters["left_out"],
        Problem(remark["field"], remark["template"], remark["params"]) if remark else None,
        row.frame_sha256,
        row.drawn_at,
        row.drawn_by,
    )


def verify(conn: Connection, found: Round) -> tuple[Problem, ...]:
    """Draw again from what is stored and compare with the members: nothing, or what differs."""
    row = _stored(conn, found)
    try:
        text = zlib.decompress(row.frame)
        listed = [Listed(*each) for each in orjson.loads(text)]
    except (TypeError, ValueError, zlib.error):
        return (Problem("frame", "The frame cannot be read: it was changed in the database"),)
    problems = []
    if sha256(text).hexdigest() != row.frame_sha256:
        problems.append(Problem("frame", "The frame is not the one whose SHA-256 was stored"))
    again = dict.fromkeys(sample_of(listed, design_of(row.parameters["design"]), row.seed).codes)
    there = dict.fromkeys(each.code for each in roster(conn, found.id))
    for template, codes in (
        ("Drawn, but not in the sample: {codes}", [code for code in again if code not in there]),
        ("In the sample, but not drawn: {codes}", [code for code in there if code not in again]),
    ):
        if codes:
            problems.append(Problem("sample", template, {"codes": some(codes)}))
    return tuple(problems)


def drift(conn: Connection, found: Round) -> Drift:
    """Who could be drawn today and could not then, and the other way round. Raises `NotFound` without a draw."""
    row = _stored(conn, found)
    then = {code for code, *_ in orjson.loads(zlib.decompress(row.frame))}
    design = design_of(row.parameters["design"])
    day = date.fromisoformat(row.parameters["day"])
    now = {
        code_of(each.unit, each.code, found.unit)
        for each in rosters.listed(conn, units=units_below(conn, found.unit), active=True)
        if _reason(each, design, day) is None
    }
    return Drift(joined=len(now - then), left=len(then - now))


def last_asked(conn: Connection, unit: str) -> dict[int, str]:
    """The day of each respondent's last survey, whichever the procedure: when the questionnaire was issued."""
    rows = conn.execute(
        select(member.c.respondent_id, func.max(func.coalesce(member.c.returned_on, member.c.issued_on)))
        .join(survey_round, survey_round.c.id == member.c.round_id)
        .where(
            survey_round.c.unit.in_(units_below(conn, unit)),
            member.c.issued_on.is_not(None),
            member.c.disposition.not_in(NOT_ASKED),
        )
        .group_by(member.c.respondent_id)
    )
    return {row[0]: row[1] for row in rows}


def _asked(conn: Connection, found: Round) -> tuple[int, frozenset[int]]:
    """The present cycle of the procedure in the unit, and who was asked in it already."""
    same = (
        survey_round.c.unit == found.unit,
        survey_round.c.procedure == found.procedure,
        survey_round.c.part == found.part,
    )
    joined = member.join(survey_round, survey_round.c.id == member.c.round_id)
    cycle = conn.execute(select(func.max(member.c.cycle)).select_from(joined).where(*same)).scalar_one() or 1
    asked = conn.execute(
        select(member.c.respondent_id)
        .select_from(joined)
        .where(
            *same,
            member.c.cycle == cycle,
            or_(member.c.disposition.not_in(NOT_ASKED), survey_round.c.status == "open"),
        )
    ).scalars()
    return cycle, frozenset(asked)


def _seed(conn: Connection, found: Round) -> str:
    head = select(engine_tables.instance.c.head_hash).where(engine_tables.instance.c.id == found.instance)
    return sha256(conn.execute(head).scalar_one() + found.part.encode()).hexdigest()[:16]


def _stored(conn: Connection, found: Round) -> Any:
    row = conn.execute(select(draw).where(draw.c.round_id == found.id)).one_or_none()
    if row is None:
        if conn.execute(select(member.c.id).where(member.c.round_id == found.id).limit(1)).first() is None:
            raise NotFound(
                "No sample of {name} was drawn yet: `flow round draw {name}` does", name=found.name
            )
        raise NotFound(
            "No draw of {name} is stored: its sample was listed before draws were kept", name=found.name
        )
    return row


def _frozen(listed: Sequence[Listed], *, fresh: bool) -> bytes:
    """The frame as JSON, in natural order of codes; who is new stands in it only where the design looks at it."""
    ordered = sorted(listed, key=lambda each: (natural(each.code), each.code))
    return orjson.dumps(
        [[each.code, each.stratum, each.turn, *([each.fresh] if fresh else [])] for each in ordered]
    )


def _remark(remark: Problem | None) -> dict[str, Any] | None:
    return None if remark is None else {
        "field": remark.field, "template": remark.template, "params": dict(remark.params)
    }  # fmt: skip


def assign(conn: Connection, round_id: int, allocated: Mapping[int, str]) -> None:
    """Write down who surveys whom."""
    conn.execute(
        update(member)
        .where(member.c.round_id == round_id, member.c.number == bindparam("place"))
        .values(surveyor=bindparam("who")),
        [{"place": number, "who": surveyor} for number, surveyor in allocated.items()],
    )
