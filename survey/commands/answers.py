"""Commands on answers: taken in from files, corrected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from engine.commands.core import Command, Context
from engine.commands.prepared import Prepared
from engine.errors import Invalid, Problem
from engine.forms import Form, asked_when, clean
from engine.store.private import set_aside
from survey import reading, returns, rosters, rounds
from survey.commands import late_opinions
from survey.commands.rights import check_own
from survey.commands.rounds import note, running
from survey.figures import LEAST
from survey.matching import Matcher, Return, Standing, standing
from survey.reading import ABSTAINED, CUSTOMER, Judged, Layout, Unasked
from survey.returns import Comparison, Difference
from survey.rounds import Round
from survey.sheets import Row, Sheet, as_bytes, read_sheet


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
    """Why: asked for where answers that are in change, and where an anonymous round has all of the file's already."""
    second: bool = False
    """The same questionnaires, typed in again, to be compared with the first time."""
    take_back: bool = False
    """Strike out of an anonymous round what this file brought in: all of it, by who may `admin`, with a reason."""


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
    unasked: tuple[Unasked, ...] = ()
    """Answers that were not taken in."""
    taken_back: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectAnswers(Command):
    """Correct answers of one respondent; blank text takes an answer away."""

    instance: int
    part: str | None = None
    code: str
    values: Mapping[str, str]
    """By column."""
    reason: str


@dataclass(frozen=True, slots=True)
class _Ready:
    """A file read and judged, before the transaction begins."""

    encoding: str
    left_out: int
    sha256: str
    rows: Sequence[Judged]
    unasked: tuple[Unasked, ...]
    standing: Standing
    back: Sequence[Return]
    """The rows matched with the round as it stood then."""


def read_returns(cmd: ImportReturns, ctx: Context) -> _Ready:
    """Read the file and judge every row: nearly all of the work, done while others write.

    Raises `Invalid` with every problem by row, `Conflict` when the round is closed, `Denied` to whoever has no role
    in the unit.
    """
    found = running(ctx, cmd.instance, cmd.part)
    rounds.open_for_returns(found)
    form = rounds.questionnaire(ctx.conn, found)
    if found.anonymous and (cmd.replace or cmd.second):
        template = (
            "Nobody knows which answers of an anonymous round those are: they cannot be replaced or compared"
        )
        raise Invalid([Problem("replace" if cmd.replace else "second", template)])
    reader = reading.Reader(found, form, today=ctx.today)
    sheet, chosen, left_out = _chosen(cmd, found, reader.layout)
    rows = [reader.judged(row) for row in chosen]
    stands = standing(ctx.conn, found)
    back = _matched(cmd, ctx, found, reader.layout, stands, rows)
    digest = sha256(as_bytes(cmd.data)).hexdigest()
    return _Ready(sheet.encoding, left_out, digest, rows, tuple(reader.unasked), stands, back)


def _matched(
    cmd: ImportReturns, ctx: Context, found: Round, layout: Layout, stands: Standing, rows: Sequence[Judged]
) -> list[Return]:
    entry = 2 if cmd.second else 1
    return Matcher(ctx.conn, found, layout, stands, entry=entry, replace=cmd.replace).matched(rows)


def import_returns(cmd: ImportReturns, ctx: Context) -> ReturnsTaken:
    """Take returns in, whole or not at all.

    Raises what `read_returns` raises, since others may have changed the round meanwhile, and `Denied` to a surveyor
    for customers given to somebody else.
    """
    found = running(ctx, cmd.instance, cmd.part)
    rounds.open_for_returns(found)
    form = rounds.questionnaire(ctx.conn, found)
    ready: _Ready = ctx.prepared
    stands, back = standing(ctx.conn, found), ready.back
    if stands != ready.standing:
        back = _matched(cmd, ctx, found, reading.layout(found, form), stands, ready.rows)
    if cmd.take_back:
        return _take_back(cmd, ctx, found, back, ready.encoding)
    check_own(ctx, found.unit, [each.member for each in back if each.member is not None])
    if found.anonymous:
        _check_anonymous(cmd, ctx, found, back)
    entry = 2 if cmd.second else 1
    answered = {who for who, number in stands.entered if number == entry}
    old = [each for each in back if each.member is not None and each.member.id in answered]
    new = [each for each in back if each.member is None or each.member.id not in answered]
    by = ctx.actor.person
    entered = returns.take(
        ctx.conn, found, new, source=cmd.source, by=by, now=ctx.now, today=ctx.today, entry=entry
    )
    changes = returns.replace(ctx.conn, found, old, ctx.today, entry) if old else []
    if changes and not (cmd.reason or "").strip():
        template = "{count} answers that are in would change: say why"
        raise Invalid([Problem("reason", template, {"count": len(changes)})])
    counts = rounds.progress(ctx.conn, found)
    facts: dict[str, object] = {"taken": len(new), "returned": counts.returned}
    if entered:
        facts |= {"day": ctx.today.isoformat(), "entered": sorted(entered.items(), key=str)}
    if old:
        facts |= {"replaced": len(old), "changed": [_kept(ctx, found, form, each) for each in changes]}
        facts |= {"reason": cmd.reason} if changes else {}
    if not found.anonymous:
        facts |= _came_from(cmd, ready)
    elif cmd.reason:
        facts |= {"reason": cmd.reason}
    note(ctx, "round.returns", found, facts)
    late_opinions.take_up(ctx, found)
    return ReturnsTaken(
        encoding=ready.encoding,
        taken=len(new),
        replaced=len(old),
        left_out=ready.left_out,
        issued=counts.issued,
        returned=counts.returned,
        groups=_by_group(back) if found.anonymous else {},
        comparison=returns.compare(ctx.conn, found, form) if cmd.second else None,
        unasked=ready.unasked,
    )


def _check_anonymous(cmd: ImportReturns, ctx: Context, found: Round, back: Sequence[Return]) -> None:
    """Raise `Invalid` for more than were given out, and, without a reason, for a file all of whose answers are in.

    Of fewer than `LEAST` nothing is said: equal answers are too common, and one might try until one is found.
    """
    returns.check_given_out(ctx.conn, found, len(back))
    known = len(back) >= LEAST and not (cmd.reason or "").strip()
    if known and returns.already_in(ctx.conn, found, back):
        template = (
            "All {count} answer sets of this file are in already, word for word: it was probably taken in before. If "
            "these are others that say the same, give the reason with --reason"
        )
        raise Invalid([Problem("file", template, {"count": len(back)})])


def _take_back(
    cmd: ImportReturns, ctx: Context, found: Round, back: Sequence[Return], encoding: str
) -> ReturnsTaken:
    """Strike out of an anonymous round what a file brought in. Raises `Denied`; `Invalid` unless all of it is in."""
    ctx.require("admin")
    problems = []
    if not (cmd.reason or "").strip():
        problems.append(Problem("reason", "Say why, so that somebody else understands it"))
    if not found.anonymous:
        template = "It is known whose answers those of {round} are: correct them, or replace them"
        problems.append(Problem("take-back", template, {"round": found.name}))
    elif len(back) < LEAST:
        template = "Of an anonymous round {least} answer sets or more are taken back at a time"
        problems.append(Problem("file", template, {"least": LEAST}))
    if problems:
        raise Invalid(problems)
    ids = returns.already_in(ctx.conn, found, back)
    if not ids:
        raise Invalid([Problem("file", "Not all answer sets of this file are in: none is taken back")])
    returns.take_back(ctx.conn, ids)
    counts = rounds.progress(ctx.conn, found)
    facts = {"taken_back": len(ids), "returned": counts.returned, "reason": cmd.reason}
    note(ctx, "round.returns_taken_back", found, facts)
    return ReturnsTaken(
        encoding=encoding, taken=0, replaced=0, left_out=0, issued=counts.issued, returned=counts.returned,
        groups=_by_group(back), taken_back=len(ids),
    )  # fmt: skip


def _chosen(cmd: ImportReturns, found: Round, layout: Layout) -> tuple[Sheet, list[Row], int]:
    """The file, its rows that `only` chooses, and how many it does not."""
    unknown = [name for name in cmd.only if name not in layout.known]
    if unknown:
        raise Invalid(Problem("only", "There is no column {name}", {"name": name}) for name in unknown)
    sheet = _sheet(cmd, found, layout)
    there = reading.filled(sheet.rows, layout)
    chosen = [row for row in there if all(row.cells.get(k) == v for k, v in cmd.only.items())]
    if not chosen:
        template = "No row of the file is chosen; it has {count}"
        if not there:
            template = "No row of the file has answers yet; it has {count} rows"
        raise Invalid([Problem("file", template, {"count": len(sheet.rows)})])
    return sheet, chosen, len(there) - len(chosen)


def _sheet(cmd: ImportReturns, found: Round, layout: Layout) -> Sheet:
    """The file; of an anonymous round without a column of customers."""
    sheet = _read(as_bytes(cmd.data), layout)
    if found.anonymous and CUSTOMER in sheet.columns and CUSTOMER not in layout.answers:
        template = "The round is anonymous: delete this column, nobody is to know whose answers they are"
        raise Invalid([Problem(f"column {CUSTOMER}", template)])
    return sheet


def _read(data: bytes, layout: Layout) -> Sheet:
    """The table; one of those who rated nothing at all needs no column of an item."""
    try:
        return read_sheet(data, required=layout.required, known=layout.known, called=layout.called)
    except Invalid:
        required = (*layout.who, ABSTAINED)
        with suppress(Invalid):
            sheet = read_sheet(data, required=required, known=layout.known, called=layout.called)
            if all(map(layout.abstains, sheet.rows)):
                return sheet
        raise


def _came_from(cmd: ImportReturns, ready: _Ready) -> dict[str, object]:
    """What the journal says of a file.

    Of an anonymous round's it says nothing: the name may be a person's, what was chosen may be an answer, and a
    digest of few rows could be tried out until it tells what they say.
    """
    facts: dict[str, object] = {"source": cmd.source, "only": dict(cmd.only), "sha256": ready.sha256}
    facts |= {"entry": 2} if cmd.second else {}
    facts |= {"encoding": ready.encoding}
    return facts | ({"unasked": len(ready.unasked)} if ready.unasked else {})


def correct(cmd: CorrectAnswers, ctx: Context) -> tuple[Difference, ...]:
    """Correct answers that are in. Raises `Invalid`, `NotFound`, and `Conflict` when the round is closed."""
    found = running(ctx, cmd.instance, cmd.part)
    rounds.open_for_returns(found)
    form = rounds.questionnaire(ctx.conn, found)
    reader = reading.Reader(found, form, today=ctx.today)
    columns = reader.layout.answers
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
    said = {name: reader.said(name, value) for name, value in cmd.values.items()}
    given |= {columns[name]: value or None for name, value in said.items()}
    after = clean(form, given, today=ctx.today, variables={})
    hidden = reader.layout.unasked([name for name, value in said.items() if value], after)
    if hidden:
        template = "It is not asked after these answers, only where {when}: correct that answer as well, if it is wrong"
        raise Invalid(
            Problem(name, template, {"when": asked_when(form, columns[name].partition(".")[0])})
            for name in hidden
        )
    changes = returns.replace(ctx.conn, found, [Return(who, {}, reader.given(after))], ctx.today)
    facts = {"reason": cmd.reason, "changed": [_kept(ctx, found, form, each) for each in changes]}
    note(ctx, "round.corrected", found, facts)
    late_opinions.take_up(ctx, found)
    return tuple(changes)


def _kept(ctx: Context, found: Round, form: Form, each: Difference) -> dict[str, object]:
    """A changed answer as the journal keeps it: a personal one can be erased."""
    values: dict[str, object] = {"first": each.first, "second": each.second}
    if each.item in form.personal:
        owner = rosters.owner(found.unit, each.code)
        values = {name: set_aside(ctx.conn, owner, value) for name, value in values.items()}
    return {"respondent": each.code, "item": each.item, **values}


def _by_group(back: Sequence[Return]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in back:
        name = " / ".join(each.groups.values())
        counts[name] = counts.get(name, 0) + 1
    return counts


COMMANDS: Mapping[type[Command], Callable[[Any, Context], Any]] = {
    ImportReturns: Prepared(read_returns, import_returns),
    CorrectAnswers: correct,
}
