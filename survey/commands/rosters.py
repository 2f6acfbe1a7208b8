"""Commands on rosters: a file comes in, somebody is asked no more, or is erased."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import select, update

from engine.characters import identity
from engine.commands.core import Command, Context, administrative
from engine.errors import Invalid, Problem
from engine.store import tables as engine_tables
from engine.store.private import overwriting
from survey import rosters
from survey.commands.rights import check_roster
from survey.questionnaires import questionnaire_of
from survey.rosters import Change
from survey.sheets import as_bytes, read_sheet, refuse
from survey.tables import answers, member, survey_round


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRoster(Command):
    """Bring respondents in from a CSV file or a workbook: `customer` and `unit`, and what else `rosters` knows.

    Those already known are updated by the columns the file has; those of a named unit that it leaves out have left.
    """

    data: bytes | str
    source: str = "roster.csv"
    """The file's name, for the history."""
    partial: bool = False
    """Those that the file leaves out stay as they are."""
    skip: bool = False
    """Rows that do not fit are left out and reported, instead of the whole file being refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterTaken:
    """What a roster file changed."""

    encoding: str
    units: Mapping[str, int]
    """Rows taken, by unit."""
    added: int
    changed: int
    unchanged: int
    left: int
    refused: int
    rows: tuple[Change, ...]
    """Row by row, in the order of the file; then those who left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclude(Command):
    """Ask a respondent no more, for a reason; `reason` None: ask them again."""

    code: str
    unit: str | None = None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseRespondent(Command):
    """Erase what is personal of a respondent, wherever it stands."""

    code: str
    unit: str | None = None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteReading(Command):
    """Enter in the history that somebody read names, telephone numbers or addresses: before they are shown."""

    way: str
    """How: the command, as `roster show`."""
    found: tuple[tuple[str, str], ...]
    """Unit and code of each whose contact is read."""


def note_reading(cmd: NoteReading, ctx: Context) -> None:
    """An entry a unit: who read when is what every entry has."""
    units: dict[str, list[str]] = {}
    for unit, code in cmd.found:
        units.setdefault(unit, []).append(code)
    for unit, codes in units.items():
        subject = rosters.owner(unit, codes[0]) if len(codes) == 1 else unit
        ctx.note("contacts.read", {"unit": unit, "count": len(codes), "way": cmd.way}, subject=subject)


def import_roster(cmd: ImportRoster, ctx: Context) -> RosterTaken:
    """Take a roster in. Raises `Invalid` with every row's problem (unless rows may be skipped)."""
    data = as_bytes(cmd.data)
    known = [name for name in rosters.COLUMNS if name not in ("customer", "unit")]
    sheet = read_sheet(
        data, required=("customer", "unit"), known=known, called=rosters.called, free=rosters.FREE
    )
    units_ = engine_tables.unit.c
    rows = ctx.conn.execute(select(units_.id, units_.name).where(units_.active)).all()
    named = {identity(row.name): row.id for row in rows} | {row.id: row.id for row in rows}
    given, refused = rosters.entries(sheet, named)
    if not cmd.skip or not given:
        refuse(problem for each in refused for problem in each.problems)
    for unit in sorted({each.unit for each in given}):
        check_roster(ctx, unit)
    kept = [(each.unit, each.code) for each in refused]
    changes = rosters.merge(ctx.conn, given, today=ctx.today, kept=kept, partial=cmd.partial)
    units: dict[str, int] = {}
    for each in given:
        units[each.unit] = units.get(each.unit, 0) + 1
    counts = dict.fromkeys(("added", "changed", "unchanged", "left", "refused"), 0)
    for change in (*changes, *refused):
        counts[change.outcome] += 1
    facts = {
        "source": cmd.source,
        "sha256": sha256(data).hexdigest(),
        "encoding": sheet.encoding,
        "units": units,
        "partial": cmd.partial,
        "retired": counts["left"],
        **counts,
    }
    ctx.note("roster.imported", facts)
    listed = tuple(sorted((*changes, *refused), key=lambda each: each.row or len(sheet.rows) + 2))
    return RosterTaken(encoding=sheet.encoding, units=units, rows=listed, **counts)


def exclude(cmd: Exclude, ctx: Context) -> None:
    """Raises `NotFound`, `Invalid` without a reason, `Denied` to who may not change the roster."""
    found = rosters.find(ctx.conn, cmd.code, cmd.unit)
    check_roster(ctx, found.unit)
    rosters.exclude(ctx.conn, found, cmd.reason)
    kind = "roster.included" if cmd.reason is None else "roster.excluded"
    ctx.note(kind, {"reason": cmd.reason or ""}, subject=rosters.owner(found.unit, found.code))


def erase(cmd: EraseRespondent, ctx: Context) -> int:
    """Erase contact, personal answers and what the history keeps. Returns how many values; raises `NotFound`."""
    if not cmd.reason.strip():
        raise Invalid([Problem("reason", "Say why, so that somebody else understands it")])
    found = rosters.find(ctx.conn, cmd.code, cmd.unit)
    number = rosters.erase(ctx.conn, found, ctx.now) + _erase_answers(ctx, found.id)
    facts = {"values": number, "reason": cmd.reason}
    ctx.note("roster.erased", facts, subject=rosters.owner(found.unit, found.code))
    return number


def _erase_answers(ctx: Context, respondent: int) -> int:
    """Blank the answers to questions marked as personal."""
    rows = ctx.conn.execute(
        select(answers.c.id, answers.c.answers, survey_round.c.definition, survey_round.c.questionnaire)
        .join(member, member.c.id == answers.c.member_id)
        .join(survey_round, survey_round.c.id == answers.c.round_id)
        .where(member.c.respondent_id == respondent)
    ).all()
    number = 0
    for row in rows:
        form = questionnaire_of(ctx.conn, row.definition, row.questionnaire)
        there = [name for name in form.personal if row.answers.get(name) is not None]
        if there:
            number += len(there)
            blanked = {**row.answers, **dict.fromkeys(there)}
            with overwriting(ctx.conn):
                ctx.conn.execute(update(answers).where(answers.c.id == row.id).values(answers=blanked))
    return number


COMMANDS: Mapping[type[Command], Callable[[Any, Context], Any]] = {
    ImportRoster: import_roster,
    Exclude: exclude,
    EraseRespondent: administrative(erase),
    NoteReading: note_reading,
}
