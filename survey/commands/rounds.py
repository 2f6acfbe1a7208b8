"""Commands on rounds: opened, drawn, worked on in the field, answers taken in and corrected, closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any

from engine.commands.core import Command, Context
from engine.errors import Denied, Invalid, Problem
from engine.forms import Form, clean
from engine.model import label
from engine.store.private import set_aside
from survey import draws, ledger, reading, returns, rosters, rounds
from survey.commands.rights import check_own, check_right, check_role
from survey.numbering import ranges
from survey.reading import CUSTOMER
from survey.returns import Comparison, Difference
from survey.rounds import Round
from survey.sampling import Design, design_of
from survey.sheets import Sheet, as_bytes, read_sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRound(Command):
    """Open a round of a running instance; its sample is drawn afterwards."""

    instance: int
    questionnaire: str = "questionnaire"
    part: str = ""
    groups: tuple[str, ...] | None = None
    method: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawSample(Command):
    """Draw a round's sample. `again`, a reason, takes an earlier draw back that nobody has acted on.

    Without a design it is a census, and `again` what it was before; another design then takes `admin`.
    """

    instance: int
    part: str | None = None
    design: Mapping[str, object]
    seed: str | None = None
    again: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Command):
    """Enter in the ledger what was done for members, and what became of them."""

    instance: int
    part: str | None = None
    codes: tuple[str, ...]
    kind: str
    channel: str | None = None
    day: str | None = None
    """ISO date; today where nothing is said."""
    disposition: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReturns(Command):
    """Bring answers in from a CSV file or a workbook: `respondent`, and a column for each item."""

    instance: int
    part: str | None = None
    data: bytes | str
    source: str = "returns.csv"
    only: Mapping[str, str] = field(default_factory=dict)
    """Take only the rows whose columns have these values (`{"district": "3"}`)."""
    replace: bool = False
    """Answers that are in already are replaced; the history keeps the old ones."""
    reason: str | None = None
    """Why: asked for where answers that are in change."""
    second: bool = False
    """The same questionnaires, typed in again, to be compared with the first time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnsTaken:
    """What a returns file brought."""

    encoding: str
    taken: int
    replaced: int
    left_out: int
    """Rows that `only` did not choose."""
    issued: int
    returned: int
    """Of the whole round, so far."""
    groups: Mapping[str, int]
    """Of an anonymous round: how many came back now, by their groups."""
    comparison: Comparison | None = None
    """Of a second entry: all that were entered twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correct(Command):
    """Correct answers of one respondent; blank text takes an answer away."""

    instance: int
    part: str | None = None
    code: str
    values: Mapping[str, str]
    """By column."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRound(Command):
    """Take no more returns."""

    instance: int
    part: str | None = None


def open_round(cmd: OpenRound, ctx: Context) -> Round:
    """Open a round. Raises `NotFound` without such a questionnaire."""
    instance = ctx.running(cmd.instance)
    check_right(ctx, str(instance.row["unit"]))
    found = rounds.open_round(
        ctx.conn,
        instance=cmd.instance,
        questionnaire=cmd.questionnaire,
        now=ctx.now,
        part=cmd.part,
        groups=cmd.groups,
        method=cmd.method,
    )
    _note(ctx, "round.opened", found, {"questionnaire": f"{found.questionnaire} {found.version}"})
    return found


def draw_sample(cmd: DrawSample, ctx: Context) -> draws.Drawn:
    """Draw, list the members, keep everything needed to draw again."""
    found = _open(ctx, cmd.instance, cmd.part)
    design = design_of(cmd.design)
    if cmd.again is not None:
        design = _design_again(ctx, found, design if cmd.design else None)
        if not cmd.again.strip():
            raise Invalid([Problem("again", "Say why, so that somebody else understands it")])
        if found.redraw is not None:
            check_role(ctx, found.unit, found.redraw)
        before = draws.drawn(ctx.conn, found)
        draws.undo(ctx.conn, found)
        taken_back = {"reason": cmd.again, "seed": before.seed, "frame_sha256": before.frame_sha256}
        _note(ctx, "round.draw_taken_back", found, taken_back)
    by = ctx.actor.person
    made = draws.draw_sample(ctx.conn, found, design, seed=cmd.seed, by=by, now=ctx.now, today=ctx.today)
    _note(ctx, "round.drawn", found, made.facts())
    return made


def _design_again(ctx: Context, found: Round, wanted: Design | None) -> Design:
    """How a sample is drawn again: as before; in another way, which gives up what the document asks, by an admin."""
    before = draws.drawn(ctx.conn, found)
    if wanted is None or wanted == before.design:
        return before.design
    if not ctx.may("admin"):
        template = (
            "The sample of {name} was drawn by {method}, as its procedure says: leave the options out to draw it that "
            "way again; only who may: admin draws it otherwise"
        )
        raise Denied(template, name=found.name, method=before.method)
    return wanted


def record(cmd: Record, ctx: Context) -> int:
    """Enter something in the ledger. Returns for how many members."""
    found = _open(ctx, cmd.instance, cmd.part)
    try:
        day = ctx.today if cmd.day is None else date.fromisoformat(cmd.day)
    except ValueError:
        template = "Expected a date such as 2026-09-14, found {found}"
        raise Invalid([Problem("day", template, {"found": cmd.day})]) from None
    opened = found.opened_at.astimezone(ctx.services.zone).date()
    if day < opened:
        template = "{day} is before {opened}, when the round was opened"
        raise Invalid([Problem("day", template, {"day": day.isoformat(), "opened": opened.isoformat()})])
    if "*" in cmd.codes:
        there = rounds.roster(ctx.conn, found.id)
    else:
        named = [returns.member_called(ctx.conn, found, code) for code in cmd.codes]
        there = tuple({each.id: each for each in named}.values())
    check_own(ctx, found.unit, there)
    ledger.record(
        ctx.conn,
        found,
        there,
        cmd.kind,
        by=ctx.actor.person,
        day=day,
        now=ctx.now,
        channel=cmd.channel,
        disposition=cmd.disposition,
        note=cmd.note,
    )
    facts = {
        "kind": cmd.kind,
        "members": ranges(sorted(each.number for each in there)),
        "count": len(there),
        "day": day.isoformat(),
        "channel": cmd.channel,
        "disposition": cmd.disposition,
    }
    _note(ctx, "round.ledger", found, facts)
    return len(there)


def import_returns(cmd: ImportReturns, ctx: Context) -> ReturnsTaken:
    """Take returns in, whole or not at all.

    Raises `Invalid` with every problem by row, `Conflict` when the round is closed, `Denied` to whoever has
    no role in the unit, and to a surveyor for customers given to somebody else.
    """
    found = _open(ctx, cmd.instance, cmd.part)
    rounds.open_for_returns(found)
    form = rounds.questionnaire(ctx.conn, found)
    if found.anonymous and (cmd.replace or cmd.second):
        template = (
            "Nobody knows which answers of an anonymous round those are: they cannot be replaced or compared"
        )
        raise Invalid([Problem("replace" if cmd.replace else "second", template)])
    layout = reading.layout(found, form)
    unknown = [name for name in cmd.only if name not in layout.known]
    if unknown:
        raise Invalid(Problem("only", "There is no column {name}", {"name": name}) for name in unknown)
    sheet = _sheet(cmd, found, layout)
    there = reading.filled(sheet.rows, layout)
    chosen = [row for row in there if all(row.cells.get(k) == v for k, v in cmd.only.items())]
    if not chosen:
        raise Invalid(
            [Problem("file", "No row of the file is chosen; it has {count}", {"count": len(sheet.rows)})]
        )
    entry = 2 if cmd.second else 1
    reader = reading.Reader(ctx.conn, found, form, today=ctx.today, entry=entry, replace=cmd.replace)
    back = reader.read(chosen)
    check_own(ctx, found.unit, [each.member for each in back if each.member is not None])
    old = [each for each in back if each.member is not None and each.member.id in reader.answered]
    new = [each for each in back if each.member is None or each.member.id not in reader.answered]
    by = ctx.actor.person
    returns.take(ctx.conn, found, new, source=cmd.source, by=by, now=ctx.now, today=ctx.today, entry=entry)
    changes = returns.replace(ctx.conn, found, old, ctx.today, entry) if old else []
    if changes and not (cmd.reason or "").strip():
        template = "{count} answers that are in would change: say why"
        raise Invalid([Problem("reason", template, {"count": len(changes)})])
    counts = rounds.progress(ctx.conn, found)
    if found.anonymous and counts.returned > counts.issued:
        template = "More came back than were given out: {returned} of {issued}"
        params = {"returned": counts.returned, "issued": counts.issued}
        raise Invalid([Problem("file", template, params)])
    result = ReturnsTaken(
        encoding=sheet.encoding,
        taken=len(new),
        replaced=len(old),
        left_out=len(there) - len(chosen),
        issued=counts.issued,
        returned=counts.returned,
        groups=_by_group(back) if found.anonymous else {},
        comparison=returns.compare(ctx.conn, found, form) if cmd.second else None,
    )
    facts: dict[str, object] = {"taken": len(new), "returned": counts.returned}
    if old:
        facts |= {"replaced": len(old), "changed": [_kept(ctx, found, form, each) for each in changes]}
        facts |= {"reason": cmd.reason} if changes else {}
    if not found.anonymous:
        facts |= _came_from(cmd) | {"encoding": sheet.encoding}
    _note(ctx, "round.returns", found, facts)
    return result


def _sheet(cmd: ImportReturns, found: Round, layout: reading.Layout) -> Sheet:
    """The file; of an anonymous round without a column of customers."""
    data = as_bytes(cmd.data)
    sheet = read_sheet(data, required=layout.required, known=layout.known, called=layout.called)
    if found.anonymous and CUSTOMER in sheet.columns and CUSTOMER not in layout.answers:
        template = "The round is anonymous: delete this column, nobody is to know whose answers they are"
        raise Invalid([Problem(f"column {CUSTOMER}", template)])
    return sheet


def _came_from(cmd: ImportReturns) -> dict[str, object]:
    """What the journal says of a file.

    Of an anonymous round's it says nothing: the name may be a person's, what was chosen may be an answer, and a
    digest of few rows could be tried out until it tells what they say.
    """
    facts: dict[str, object] = {"source": cmd.source, "only": dict(cmd.only)}
    facts["sha256"] = sha256(as_bytes(cmd.data)).hexdigest()
    return facts | ({"entry": 2} if cmd.second else {})


def correct(cmd: Correct, ctx: Context) -> tuple[Difference, ...]:
    """Correct answers that are in. Raises `Invalid`, `NotFound`, and `Conflict` when the round is closed."""
    found = _open(ctx, cmd.instance, cmd.part)
    rounds.open_for_returns(found)
    form = rounds.questionnaire(ctx.conn, found)
    columns = reading.layout(found, form).answers
    problems = [Problem(name, "There is no such column") for name in cmd.values if name not in columns]
    if problems:
        params = {"expected": ", ".join(columns)}
        problems.insert(0, Problem("set", "Expected are the columns: {expected}", params))
    if not cmd.reason.strip():
        problems.append(Problem("reason", "Say why, so that somebody else understands it"))
    if problems:
        raise Invalid(problems)
    who = returns.member_called(ctx.conn, found, cmd.code)
    check_own(ctx, found.unit, [who])
    before = returns.answers_of(ctx.conn, who)
    given = {columns[name]: value for name, value in returns.flat(before.answers).items() if name in columns}
    given |= {columns[name]: value or None for name, value in cmd.values.items()}
    after = clean(form, given, today=ctx.today, variables={})
    reader = reading.Reader(ctx.conn, found, form, today=ctx.today, replace=True)
    changes = returns.replace(ctx.conn, found, [reader.judged(who, after)], ctx.today)
    facts = {"reason": cmd.reason, "changed": [_kept(ctx, found, form, each) for each in changes]}
    _note(ctx, "round.corrected", found, facts)
    return tuple(changes)


def close_round(cmd: CloseRound, ctx: Context) -> Round:
    """Close a round. Raises `Conflict` when it is closed."""
    found = _open(ctx, cmd.instance, cmd.part)
    rounds.open_for_returns(found)
    rounds.close(ctx.conn, found.id, ctx.now)
    _note(ctx, "round.closed", found, {})
    return rounds.round_of(ctx.conn, found.instance, found.part)


def _open(ctx: Context, instance: int, part: str | None) -> Round:
    """The round of a running instance, for who has a role in its unit."""
    ctx.running(instance)
    found = rounds.round_of(ctx.conn, instance, part)
    check_right(ctx, found.unit)
    return found


def _note(ctx: Context, kind: str, found: Round, facts: Mapping[str, object]) -> None:
    part = {"part": found.part} if found.part else {}
    ctx.note(kind, {**facts, **part}, instance=found.instance, subject=label(found.instance))


def _kept(ctx: Context, found: Round, form: Form, each: Difference) -> dict[str, object]:
    """A changed answer as the journal keeps it: a personal one can be erased."""
    values: dict[str, object] = {"first": each.first, "second": each.second}
    if each.item in form.personal:
        owner = rosters.owner(found.unit, each.code)
        values = {name: set_aside(ctx.conn, owner, value) for name, value in values.items()}
    return {"respondent": each.code, "item": each.item, **values}


def _by_group(back: Sequence[reading.Return]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in back:
        name = " / ".join(each.groups.values())
        counts[name] = counts.get(name, 0) + 1
    return counts


COMMANDS: Mapping[type[Command], Callable[[Any, Context], Any]] = {
    OpenRound: open_round,
    DrawSample: draw_sample,
    Record: record,
    ImportReturns: import_returns,
    Correct: correct,
    CloseRound: close_round,
}
