"""Compares rounds, samples, returns and checks with what the journal says of them, one survey after the other.

An entry stands in the chain of the survey, or of an instance that it called. What single members and answers say no
entry repeats: of them the numbers are compared.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import BigInteger, Connection, Row, Select, Text, case, cast, func, select, type_coerce

from engine.model import label
from engine.store.columns import Id
from engine.store.contradictions import UNREADABLE
from engine.store.groundwork import judge
from engine.store.journal import instance_chain
from engine.store.tables import instance, journal
from engine.store.told import facts_of
from engine.store.verify import MISSING, UNKNOWN, Fault
from survey.rounds import COLLECTED, HANDED_OUT, Round
from survey.tables import answers, attempt, draw, member, spot_check, spot_verdict, survey_round

_KINDS = (
    *(
        "round.opened",
        "round.closed",
        "round.drawn",
        "round.draw_taken_back",
        "round.ledger",
        "round.ledger_corrected",
        "round.issued",
        "round.handed_out",
    ),
    *("round.returns", "round.returns_taken_back", "check.drawn", "check.set_aside"),
)
_NUMBER = case((journal.c.chain.like("SV-%"), cast(func.substr(journal.c.chain, 4), Id)))
_ROOT = func.coalesce(instance.c.root_id, instance.c.id)
_ENTRIES = (
    select(
        _ROOT.label("root"), journal.c.chain, journal.c.seq, type_coerce(journal.c.at, BigInteger).label("at"),
        journal.c.by, journal.c.kind, journal.c.facts,
    )
    .join_from(journal, instance, instance.c.id == _NUMBER)
    .where(journal.c.kind.in_(_KINDS))
    .order_by(_ROOT, journal.c.at, journal.c.chain, journal.c.seq)
    .execution_options(yield_per=1000)
)  # fmt: skip
_ROUNDS: Select[Any] = select(
    survey_round.c.id, survey_round.c.part, survey_round.c.unit, survey_round.c.procedure, survey_round.c.period,
    survey_round.c.definition, survey_round.c.questionnaire, survey_round.c.version, survey_round.c.anonymity,
    survey_round.c.method, survey_round.c.status, type_coerce(survey_round.c.design, Text).label("design"),
    type_coerce(survey_round.c.opened_at, BigInteger).label("opened_at"),
    type_coerce(survey_round.c.closed_at, BigInteger).label("closed_at"),
    instance.c.unit.label("own_unit"), instance.c.procedure.label("own_procedure"),
    instance.c.period.label("own_period"),
).join_from(survey_round, instance, instance.c.id == survey_round.c.instance_id)  # fmt: skip
_DRAWS = select(
    draw.c.round_id, draw.c.method, draw.c.seed, draw.c.population, draw.c.size, draw.c.frame, draw.c.frame_sha256,
    type_coerce(draw.c.parameters, Text).label("parameters"), draw.c.drawn_by,
    type_coerce(draw.c.drawn_at, BigInteger).label("drawn_at"),
)  # fmt: skip
_CHECKS = select(
    spot_check.c.id, spot_check.c.instance_id, spot_check.c.round_id, spot_check.c.kind, spot_check.c.seed,
    spot_check.c.frame, spot_check.c.frame_sha256, spot_check.c.population, spot_check.c.size, spot_check.c.drawn_by,
    type_coerce(spot_check.c.drawn_at, BigInteger).label("drawn_at"),
)  # fmt: skip


LEDGER_TOLD = "ledger_told"
"""Says of a round that entries tell of all that its ledger gets; of older ones they told of some."""
_OPENED = ("definition", "anonymity", "groups", "method", "redraw")


def opening(found: Round) -> dict[str, object]:
    """What the journal keeps of a round that is opened."""
    asked = {"questionnaire": f"{found.questionnaire} {found.version}", "part": found.part}
    told = {name: getattr(found, name) for name in _OPENED}
    return {**told, **asked, "groups": list(found.groups), LEDGER_TOLD: True}


def contradicted(conn: Connection) -> Iterator[Fault]:
    """Every row of a survey that the journal contradicts, misses or does not know."""
    check = _Comparison(conn)
    try:
        check.surveys()
        check.strays()
    except UNREADABLE as error:
        check.fault("journal", None, "cannot be read to its end: {reason}", reason=str(error)[:200])
    yield from check.faults


@dataclass(slots=True)
class _Wave:
    """What the entries of one survey say of one of its rounds, by part."""

    opened: Row[Any] | None = None
    closed: Row[Any] | None = None
    returned: int = 0
    last: Row[Any] | None = None
    """The entry that said so."""
    given: dict[str, Counter[str]] = field(default_factory=dict)
    handed: Row[Any] | None = None
    counted: bool = True
    """Whether all entries of questionnaires handed out said to whom."""
    ledger: Counter[tuple[object, ...]] = field(default_factory=Counter)


class _Comparison:
    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.faults: list[Fault] = []
        self.left = set(conn.execute(select(survey_round.c.id)).scalars())
        self.checks = set(conn.execute(select(spot_check.c.id)).scalars())

    def fault(self, name: str, seq: int | None, template: str, /, **params: object) -> None:
        self.faults.append(Fault(name, seq, template, params))

    def surveys(self) -> None:
        """Every survey that has entries."""
        for root, rows in groupby(self.conn.execute(_ENTRIES), key=lambda row: row.root):
            self._survey(root, list(rows))

    def _survey(self, root: int, entries: Sequence[Row[Any]]) -> None:
        there = self.conn.execute(_ROUNDS.where(survey_round.c.instance_id == root)).all()
        waves, drawn = self._told(root, entries, [row.part for row in there])
        for row in there:
            self.left.discard(row.id)
            wave = waves.pop(row.part, None) or _Wave()
            name = f"{label(root)} {row.part}".rstrip()
            self._draw(root, name, row, wave, drawn)
            self._round(root, name, row, wave)
        for part, wave in waves.items():
            if wave.opened is not None:
                name = f"{label(root)} {part}".rstrip()
                self.fault(wave.opened.chain, wave.opened.seq, MISSING, table="round", name=name)
        for entry, facts in drawn:
            name = f"{label(root)} ({facts.get('seed')})"
            self.fault(entry.chain, entry.seq, MISSING, table="draw", name=name)

    def _told(
        self, root: int, entries: Sequence[Row[Any]], parts: Sequence[str]
    ) -> tuple[dict[str, _Wave], list[tuple[Row[Any], Mapping[str, Any]]]]:
        """What the entries come to: by part, and the draws that stand."""
        waves: dict[str, _Wave] = {}
        drawn: list[tuple[Row[Any], Mapping[str, Any]]] = []
        for entry in entries:
            facts = facts_of(entry.facts)
            if entry.kind == "round.drawn":
                drawn.append((entry, facts))
            elif entry.kind == "round.draw_taken_back":
                drawn = [each for each in drawn if each[1].get("seed") != facts.get("seed")]
            elif entry.kind == "check.drawn":
                self._check(entry, facts)
            else:
                part = _part(facts, root, parts)
                if part is not None:
                    _tell(waves.setdefault(part, _Wave()), entry, facts)
        return waves, drawn

    def _round(self, root: int, name: str, row: Row[Any], wave: _Wave) -> None:
        own = {"unit": row.own_unit, "procedure": row.own_procedure, "period": row.own_period}
        judge(self.fault, instance_chain(root), None, "round", name, own, row._mapping)
        design = _read(row.design)
        if (entry := wave.opened) is not None:
            facts = facts_of(entry.facts)
            found = {**row._mapping, "questionnaire": f"{row.questionnaire} {row.version}",
                     **{each: design.get(each) for each in ("groups", "redraw")}}  # fmt: skip
            told: dict[str, object] = {"opened_at": entry.at, "questionnaire": facts.get("questionnaire")}
            if "definition" in facts:  # what older entries do not say
                told |= {each: facts.get(each) for each in _OPENED}
                told |= {"status": "open", "closed_at": None}
            if wave.closed is not None:
                told |= {"status": "closed", "closed_at": wave.closed.at}
            judge(self.fault, entry.chain, entry.seq, "round", name, told, found)
        if wave.counted and (entry := wave.handed or wave.opened) is not None:
            told = {what: dict(wave.given.get(what, {})) for what in (HANDED_OUT, COLLECTED)}
            found = {what: design.get(what, {}) for what in (HANDED_OUT, COLLECTED)}
            judge(self.fault, entry.chain, entry.seq, "round", name, told, found)
        self._numbers(root, name, row.id, wave)

    def _numbers(self, root: int, name: str, round_id: int, wave: _Wave) -> None:
        """How many answers are in, and whether the ledger has what the journal says of it."""
        count = select(func.count()).where(answers.c.round_id == round_id, answers.c.entry == 1)
        chain, seq = (instance_chain(root), None) if wave.last is None else (wave.last.chain, wave.last.seq)
        found = {"count": self.conn.execute(count).scalar_one()}
        judge(self.fault, chain, seq, "answer_set", name, {"count": wave.returned}, found)
        columns = (attempt.c.kind, attempt.c.channel, attempt.c.day)
        entered = {tuple(row[:3]): row[3] for row in self.conn.execute(
            select(*columns, func.count()).where(attempt.c.round_id == round_id).group_by(*columns)
        )}  # fmt: skip
        whole = wave.opened is not None and facts_of(wave.opened.facts).get(LEDGER_TOLD)
        for key in {**wave.ledger, **entered} if whole else wave.ledger:
            there, number = entered.get(key, 0), wave.ledger[key]
            if there < number or (whole and there > number):
                of = f"{name} ({' '.join(str(each) for each in key if each is not None)})"
                judge(self.fault, instance_chain(root), None, "contact_attempt", of, {"count": number},
                      {"count": there})  # fmt: skip

    def _draw(
        self,
        root: int,
        name: str,
        row: Row[Any],
        wave: _Wave,
        drawn: list[tuple[Row[Any], Mapping[str, Any]]],
    ) -> None:
        """A round's sample against the draw of that seed; takes it from the draws that stand."""
        found = self.conn.execute(_DRAWS.where(draw.c.round_id == row.id)).one_or_none()
        members = select(func.count()).where(member.c.round_id == row.id)
        listed = self.conn.execute(members).scalar_one()
        if found is None:
            if listed or wave.opened is None:
                self.fault(
                    instance_chain(root),
                    None,
                    UNKNOWN,
                    table="round_member" if listed else "round",
                    name=name,
                )
            return
        same = [each for each in drawn if each[1].get("seed") == found.seed]
        same.sort(key=lambda each: each[1].get("part", row.part) != row.part)
        if not same:
            self.fault(instance_chain(root), None, UNKNOWN, table="draw", name=name)
            return
        entry, facts = same[0]
        drawn.remove(same[0])
        told = _drawn(entry, facts, ("method", "seed", "population", "size", "frame_sha256", "design"))
        design = _read(found.parameters).get("design")
        judge(self.fault, entry.chain, entry.seq, "draw", name, told,
              {**found._mapping, "design": design, "frame": _sum(found.frame)})  # fmt: skip
        judge(self.fault, entry.chain, entry.seq, "round_member", name, {"count": facts.get("size")},
              {"count": listed})  # fmt: skip

    def _check(self, entry: Row[Any], facts: Mapping[str, Any]) -> None:
        """A check against the entry of its draw, in the chain of the check's own instance."""
        query = _CHECKS.where(spot_check.c.kind == str(facts.get("kind")))
        number = int(entry.chain.partition("-")[2])
        row = self.conn.execute(query.where(spot_check.c.instance_id == number)).one_or_none()
        name = f"{entry.chain} {facts.get('kind')}"
        if row is None:
            self.fault(entry.chain, entry.seq, MISSING, table="spot_check", name=name)
            return
        self.checks.discard(row.id)
        told = _drawn(entry, facts, ("seed", "population", "size", "frame_sha256")) | {"round_id": entry.root}
        survey = select(survey_round.c.instance_id).where(survey_round.c.id == row.round_id)
        root = self.conn.execute(survey).scalar_one_or_none()
        judge(self.fault, entry.chain, entry.seq, "spot_check", name, told,
              {**row._mapping, "round_id": root, "frame": _sum(row.frame)})  # fmt: skip
        count = select(func.count()).where(spot_verdict.c.check_id == row.id)
        judge(self.fault, entry.chain, entry.seq, "spot_verdict", name, {"count": facts.get("size")},
              {"count": self.conn.execute(count).scalar_one()})  # fmt: skip

    def strays(self) -> None:
        """Rounds and checks of which no entry speaks."""
        for table, numbers in ((survey_round, self.left), (spot_check, self.checks)):
            for number in sorted(numbers):
                of = self.conn.execute(select(table.c.instance_id).where(table.c.id == number)).scalar_one()
                self.fault(instance_chain(of), None, UNKNOWN, table=table.name, name=label(of))


def _part(facts: Mapping[str, Any], root: int, parts: Sequence[str]) -> str | None:
    """Which round an entry is of; None where an older one does not say which of several."""
    if "part" in facts:
        part = str(facts["part"])
        return "" if part == label(root) else part
    return "" if not parts or "" in parts else parts[0] if len(parts) == 1 else None


def _tell(wave: _Wave, entry: Row[Any], facts: Mapping[str, Any]) -> None:
    """Take one entry of a round in."""
    match entry.kind:
        case "round.opened":
            wave.opened = wave.opened or entry
        case "round.closed":
            wave.closed = wave.closed or entry
        case "round.returns" | "round.returns_taken_back":
            wave.returned, wave.last = facts.get("returned", 0), entry
            for channel, count in facts.get("entered", ()):
                wave.ledger["return", channel, facts.get("day")] += count
        case "check.set_aside":
            wave.returned, wave.last = wave.returned - facts.get("count", 0), entry
        case "round.ledger" | "round.ledger_corrected" | "round.issued":
            wave.ledger[facts.get("kind", "issue"), facts.get("channel"), facts.get("day")] += facts.get(
                "count", 0
            )
        case "round.handed_out":
            wave.handed = entry
            wave.counted = wave.counted and "handed_out" in facts
            for what, name in ((HANDED_OUT, "handed_out"), (COLLECTED, "back")):
                wave.given.setdefault(what, Counter()).update(facts.get(name, {}))


def _drawn(entry: Row[Any], facts: Mapping[str, Any], names: Sequence[str]) -> dict[str, object]:
    told = {name: facts.get(name) for name in names}
    return told | {"drawn_at": entry.at, "drawn_by": entry.by, "frame": facts.get("frame_sha256")}


def _sum(frame: object) -> str | None:
    """The SHA-256 of a frame; None where somebody left what is none."""
    try:
        return sha256(zlib.decompress(frame if isinstance(frame, bytes | memoryview) else b"")).hexdigest()
    except zlib.error:
        return None


def _read(text: object) -> Mapping[str, Any]:
    """A stored object; an empty one where somebody left what is none."""
    try:
        found = orjson.loads(text if isinstance(text, str | bytes) else "")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
