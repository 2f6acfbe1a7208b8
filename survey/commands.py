"""What changes the survey domain from outside an instance: a roster comes in, returns come in.

Both go through `app.do` like everything else, so each is one transaction and one entry of the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from engine.commands.core import Command, Context
from engine.errors import Denied, Invalid, Problem
from engine.forms import Form, clean
from engine.model import SYSTEM, label
from engine.store import tables as engine_tables
from survey import rounds
from survey.questionnaires import columns_of
from survey.sheets import Row, Sheet, read_sheet, refuse
from survey.tables import answers, household, member

CUSTOMER = "respondent"
"""The column that says whose answers a row has: the customer's code on the roster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRoster(Command):
    """Bring customers in from a CSV file: columns `customer` and `unit`, and `name` where it is wanted.

    Customers already known are updated; those of a named unit that the file leaves out become inactive.
    """

    data: bytes | str
    source: str = "roster.csv"
    """The file's name, for the history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterTaken:
    """What a roster file changed."""

    encoding: str
    units: Mapping[str, int]
    """Active customers of each unit named in the file."""
    added: int
    retired: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReturns(Command):
    """Bring answers in from a CSV file: a column `respondent` and one for each item of the questionnaire."""

    instance: int
    data: bytes | str
    source: str = "returns.csv"
    only: Mapping[str, str] = field(default_factory=dict)
    """Take only the rows whose columns have these values (`{"district": "3"}`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnsTaken:
    """What a returns file brought."""

    encoding: str
    taken: int
    left_out: int
    """Rows that `only` did not choose."""
    issued: int
    returned: int
    """Of the whole round, so far."""


def import_roster(cmd: ImportRoster, ctx: Context) -> RosterTaken:
    """Take a roster in, whole or not at all. Raises `Invalid` with every row's problem."""
    data = _bytes(cmd.data)
    sheet = read_sheet(data, required=("customer", "unit"), known=("name",))
    known_units = set(ctx.conn.execute(select(engine_tables.unit.c.id)).scalars())
    problems: list[Problem] = []
    seen: dict[tuple[str, str], int] = {}
    for row in sheet.rows:
        unit, code = row.cells["unit"], row.cells["customer"]
        if not code:
            problems.append(Problem(f"row {row.number}", "The customer's code is missing"))
        if unit not in known_units:
            template = "There is no unit {unit}; see `flow org show`"
            problems.append(Problem(f"row {row.number}", template, {"unit": unit or "…"}))
        first = seen.setdefault((unit, code), row.number)
        if first != row.number:
            params = {"code": code, "first": first}
            problems.append(
                Problem(f"row {row.number}", "Customer {code} stands already in row {first}", params)
            )
    refuse(problems)
    for unit in sorted({unit for unit, _ in seen}):
        _check_right(ctx, unit)
    added, retired = _merge(ctx, sheet)
    units: dict[str, int] = {}
    for unit, _ in seen:
        units[unit] = units.get(unit, 0) + 1
    facts = {
        "source": cmd.source,
        "sha256": sha256(data).hexdigest(),
        "encoding": sheet.encoding,
        "units": units,
        "added": added,
        "retired": retired,
    }
    ctx.note("roster.imported", facts)
    return RosterTaken(encoding=sheet.encoding, units=units, added=added, retired=retired)


def _merge(ctx: Context, sheet: Sheet) -> tuple[int, int]:
    """Write the customers down. Returns how many are new and how many left."""
    units = {row.cells["unit"] for row in sheet.rows}
    rows = ctx.conn.execute(
        select(household.c.id, household.c.unit, household.c.code, household.c.active).where(
            household.c.unit.in_(units)
        )
    ).all()
    there = {(row.unit, row.code): row for row in rows}
    given = {(row.cells["unit"], row.cells["customer"]): row.cells.get("name") or None for row in sheet.rows}
    new = [
        {"unit": unit, "code": code, "name": name, "active": True}
        for (unit, code), name in given.items()
        if (unit, code) not in there
    ]
    if new:
        ctx.conn.execute(insert(household), new)
    changed = [
        {"number": row.id, "called": given.get(place), "listed": place in given}
        for place, row in there.items()
    ]
    if changed:
        ctx.conn.execute(
            update(household)
            .where(household.c.id == bindparam("number"))
            .values(name=bindparam("called"), active=bindparam("listed")),
            changed,
        )
    return len(new), sum(row.active and place not in given for place, row in there.items())


def import_returns(cmd: ImportReturns, ctx: Context) -> ReturnsTaken:
    """Take returns in, whole or not at all.

    Raises `Invalid` with every problem by row, `Conflict` when the round is closed, `Denied` to whoever has
    no role in the unit.
    """
    instance = ctx.running(cmd.instance)
    found = rounds.round_of(ctx.conn, cmd.instance)
    rounds.open_for_returns(found)
    _check_right(ctx, found.unit)
    form = rounds.questionnaire(ctx.conn, found)
    columns = columns_of(form)
    unknown = [name for name in cmd.only if name not in columns]
    if unknown:
        raise Invalid(Problem("only", "There is no column {name}", {"name": name}) for name in unknown)
    data = _bytes(cmd.data)
    sheet = read_sheet(data, required=(CUSTOMER, *_items(form)), known=tuple(columns))
    chosen = [row for row in sheet.rows if all(row.cells.get(k) == v for k, v in cmd.only.items())]
    if not chosen:
        raise Invalid(
            [Problem("file", "No row of the file is chosen; it has {count}", {"count": len(sheet.rows)})]
        )
    returned = _Returns(ctx, found, form, columns).read(chosen)
    taken = rounds.take_back(ctx.conn, returned, source=cmd.source, by=ctx.actor.person, now=ctx.now)
    counts = rounds.dispositions(ctx.conn, found.id)
    result = ReturnsTaken(
        encoding=sheet.encoding,
        taken=taken,
        left_out=len(sheet.rows) - len(chosen),
        issued=counts["issued"] + counts["returned"],
        returned=counts["returned"],
    )
    facts = {
        "source": cmd.source,
        "sha256": sha256(data).hexdigest(),
        "encoding": sheet.encoding,
        "only": dict(cmd.only),
        "taken": taken,
        "returned": result.returned,
    }
    ctx.note("round.returns", facts, instance=instance.id, subject=label(instance.id))
    return result


class _Returns:
    """Judges the rows of a returns file against the round's roster and questionnaire."""

    def __init__(self, ctx: Context, found: rounds.Round, form: Form, columns: Mapping[str, str]) -> None:
        self.ctx = ctx
        self.form = form
        self.columns = columns
        self.members = {each.code: each for each in rounds.roster(ctx.conn, found.id)}
        answered = select(answers.c.member_id).join(member, member.c.id == answers.c.member_id)
        self.answered = set(ctx.conn.execute(answered.where(member.c.round_id == found.id)).scalars())
        self.seen: dict[str, int] = {}

    def read(self, rows: list[Row]) -> list[tuple[rounds.Member, Mapping[str, object]]]:
        """The members with their answers. Raises `Invalid` naming every row that does not fit."""
        problems: list[Problem] = []
        returned = []
        for row in rows:
            try:
                returned.append((self._member(row), self._answers(row)))
            except Invalid as error:
                problems += [_placed(row, problem) for problem in error.problems]
        refuse(problems)
        return returned

    def _member(self, row: Row) -> rounds.Member:
        code = row.cells[CUSTOMER]
        found = self.members.get(code)
        first = self.seen.setdefault(code, row.number)
        if found is None:
            template = "Customer {code} is not on the round's roster"
        elif first != row.number:
            template = "Customer {code} stands already in row {first}"
        elif found.id in self.answered:
            template = "The answers of customer {code} are already in"
        elif found.disposition != "issued":
            template = "Customer {code} was given no questionnaire: {disposition}"
        else:
            return found
        disposition = found.disposition if found else ""
        params = {"code": code or "…", "first": first, "disposition": disposition}
        raise Invalid([Problem(CUSTOMER, template, params)])

    def _answers(self, row: Row) -> Mapping[str, object]:
        given = {place: row.cells[column] for column, place in self.columns.items() if row.cells.get(column)}
        return clean(self.form, given, today=self.ctx.today, variables={})


def _placed(row: Row, problem: Problem) -> Problem:
    column = problem.field.rpartition(".")[2]
    return Problem(f"row {row.number}, {column}", problem.template, problem.params)


def _items(form: Form) -> tuple[str, ...]:
    """The columns that no returns file may leave out: everything rated, and what the form requires."""
    return tuple(
        name
        for each in form.questions
        if each.scale is not None or each.required
        for name in ([row.id for row in each.rows] or [each.id])
    )


def _check_right(ctx: Context, unit: str) -> None:
    if ctx.actor == SYSTEM:
        return
    rights = ctx.rights(ctx.who)
    units = ctx.units(unit)
    if not any(place in units for held in rights.holdings.values() for _, place in held):
        raise Denied("{person} holds no role in unit {unit}", person=rights.person, unit=unit)


def _bytes(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data


COMMANDS: Mapping[type[Command], Callable[[Any, Context], Any]] = {
    ImportRoster: import_roster,
    ImportReturns: import_returns,
}
