"""Commands on rosters: a file comes in, somebody is asked no more, or is erased."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import select, update

from engine.characters import identity
from engine.commands.core import Command, Context, administrative
from engine.commands.prepared import Prepared
from engine.errors import Conflict, Invalid, Problem
from engine.store import tables as engine_tables
from engine.store.private import overwriting
from survey import rosters
from survey.commands.rights import check_roster
from survey.questionnaires import questionnaire_of
from survey.rosters import Change, Entry, Merging
from survey.sheets import as_bytes, read_sheet, refuse
from survey.tables import answers, member, survey_round

MANY = 20
"""Of a roster of so many, more than half do not leave unless somebody says so: the file is probably not all of it."""


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
    yes: bool = False
    """It is right that most customers of a unit have left."""


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


@dataclass(frozen=True, slots=True)
class _Ready:
    """A file read and compared with the rosters, before the transaction begins."""

    encoding: str
    sha256: str
    lines: int
    units: Mapping[str, str]
    """Names and ids to ids, as they were."""
    given: list[Entry]
    refused: list[Change]
    standing: list[tuple[Any, ...]]
    merging: Merging


def read_roster(cmd: ImportRoster, ctx: Context) -> _Ready:
    """Read the file and compare it. Raises `Invalid` with every row's problem (unless rows may be skipped)."""
    data = as_bytes(cmd.data)
    known = [name for name in rosters.COLUMNS if name not in ("customer", "unit")]
    sheet = read_sheet(
        data, required=("customer", "unit"), known=known, called=rosters.called, free=rosters.FREE
    )
    units = _units(ctx)
    given, refused = rosters.entries(sheet, units)
    if not cmd.skip or not given:
        refuse(problem for each in refused for problem in each.problems)
    for unit in sorted({each.unit for each in given}):
        check_roster(ctx, unit)
    stands = rosters.standing(ctx.conn, _named(given, refused))
    digest, count = sha256(data).hexdigest(), len(sheet.rows)
    merging = _merging(cmd, ctx, given, refused)
    return _Ready(sheet.encoding, digest, count, units, given, refused, stands, merging)


def _units(ctx: Context) -> dict[str, str]:
    units = engine_tables.unit.c
    rows = ctx.conn.execute(select(units.id, units.name).where(units.active)).all()
    return {identity(row.name): row.id for row in rows} | {row.id: row.id for row in rows}


def _named(given: Sequence[Entry], refused: Sequence[Change]) -> list[str]:
    return sorted({each.unit for each in given} | {each.unit for each in refused})


def _merging(cmd: ImportRoster, ctx: Context, given: list[Entry], refused: list[Change]) -> Merging:
    there = rosters.listed(ctx.conn, units=_named(given, refused))
    kept = [(each.unit, each.code) for each in refused]
    return rosters.merge(there, given, today=ctx.today, kept=kept, partial=cmd.partial)


def import_roster(cmd: ImportRoster, ctx: Context) -> RosterTaken:
    """Take a roster in.

    Raises `Denied` to who may not change it, `Conflict` when the units changed meanwhile, `Invalid` where most of a
    unit would leave and nobody said that they do.
    """
    ready: _Ready = ctx.prepared
    given, refused, merging = ready.given, ready.refused, ready.merging
    if _units(ctx) != ready.units:
        raise Conflict("The organisation's units changed while the file was read: try again")
    for unit in sorted({each.unit for each in given}):
        check_roster(ctx, unit)
    if rosters.standing(ctx.conn, _named(given, refused)) != ready.standing:
        merging = _merging(cmd, ctx, given, refused)
    if not cmd.yes:
        _check_leaving(ctx, merging)
    rosters.write(ctx.conn, merging)
    everybody = (*merging.changes, *refused)
    units = Counter(each.unit for each in given)
    counts = dict.fromkeys(("added", "changed", "unchanged", "left", "refused"), 0)
    counts |= Counter(change.outcome for change in everybody)
    facts = {
        "source": cmd.source,
        "sha256": ready.sha256,
        "encoding": ready.encoding,
        "units": units,
        "partial": cmd.partial,
        "retired": counts["left"],
        **counts,
    }
    ctx.note("roster.imported", facts)
    listed = tuple(sorted(everybody, key=lambda each: each.row or ready.lines + 2))
    return RosterTaken(encoding=ready.encoding, units=units, rows=listed, **counts)


def _check_leaving(ctx: Context, merging: Merging) -> None:
    """Raise `Invalid`, with the field `yes`, where more than half of a roster of some size would leave."""
    leaving = Counter(each.unit for each in merging.changes if each.outcome == "left")
    there = rosters.sizes(ctx.conn) if leaving else {}
    template = (
        "{count} of the {all} customers of {unit} are not in the file and would be marked as left: add --partial if "
        "the file does not have all of them, --yes if they have left"
    )
    many = [
        Problem("yes", template, {"count": count, "all": size, "unit": unit})
        for unit, count in sorted(leaving.items())
        if (size := there[unit]["active"] + there[unit]["excluded"]) >= MANY and 2 * count > size
    ]
    if many:
        raise Invalid(many)


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
    ImportRoster: Prepared(read_roster, import_roster),
    Exclude: exclude,
    EraseRespondent: administrative(erase),
    NoteReading: note_reading,
}
