"""Rosters: who can be asked, unit by unit, and what becomes of them.

What a roster's file says is read into `Entry` values, compared with what is there, and written down as a
difference. Names, telephone numbers and addresses go into `contact` and nowhere else. Functions work in the
caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, bindparam, delete, func, insert, select, type_coerce, update
from sqlalchemy import Connection as Database

from engine.characters import identity
from engine.errors import Conflict, Invalid, NotFound, Problem
from engine.forms import Field
from engine.forms.form import Text as Words
from engine.forms.reading import RefusedError, read
from engine.ports import Connection
from engine.store.columns import Json
from engine.store.many import execute_many
from engine.store.private import erase as erase_values
from engine.store.private import overwriting
from survey.numbering import natural
from survey.sheets import Row, Sheet, aliases
from survey.tables import KINDS, contact, respondent

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "customer": ("code", "respondent", "客户编号", "客户", "编号", "业主编号", "户号", "房号", "患者编号"),
    "unit": ("单位", "管理处", "机构"),
    "name": ("姓名", "名称", "客户名称", "联系人"),
    "phone": ("telephone", "mobile", "电话", "手机", "联系电话"),
    "email": ("e-mail", "mail", "邮箱", "电子邮箱", "电子邮件"),
    "address": ("地址", "通讯地址"),
    "kind": ("类别", "客户类别"),
    "project": ("项目", "项目名称"),
    "segment": ("分类", "客户分类", "客户类型"),
    "since": ("入住日期", "建档日期", "合作日期", "成为客户日期"),
    "left_on": ("left", "迁出日期", "离开日期", "终止日期"),
    "key_account": ("key", "重点客户", "大客户"),
    "excluded": ("不调查原因", "排除原因"),
}
"""The columns of a roster and what else they may be called."""
FREE = "attr:"
"""Any other column is kept under this prefix (or 属性:)."""
PERSONAL = ("name", "phone", "email", "address")
_KIND_WORDS = dict(zip(("客户", "业主", "住户", "患者", "其他"), KINDS, strict=True))
_DAY = Field("", "date", Words(""))
_YES = Field("", "boolean", Words(""))
_MOST_ATTRIBUTE = 200
_PLAIN = ("kind", "project", "segment", "attributes", "status", "since", "left_on", "key_account", "excluded")


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a roster's file: the values its columns give, and no others."""

    row: int
    unit: str
    code: str
    facts: Mapping[str, Any]
    """Columns of `respondent`."""
    contact: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a row, or of somebody whom the file leaves out (no row)."""

    row: int | None
    unit: str
    code: str
    outcome: str
    """added, changed, unchanged, left, refused"""
    what: tuple[str, ...] = ()
    """The columns that changed."""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Respondent:
    """Somebody who can be asked. `contact` is personal."""

    id: int
    unit: str
    code: str
    kind: str
    project: str | None
    segment: str | None
    attributes: Mapping[str, Any]
    status: str
    since: str | None
    left_on: str | None
    key_account: bool
    excluded: str | None
    contact: Mapping[str, str | None] = field(default_factory=dict)


_called = aliases(COLUMNS)


def called(heading: str) -> str:
    """The column of a roster that a heading means."""
    known = _called(heading)
    start, colon, name = identity(heading).partition(":")
    return f"{FREE}{name.strip()}" if colon and start.strip().casefold() in ("attr", "属性") else known


def entries(sheet: Sheet, units: Mapping[str, str]) -> tuple[list[Entry], list[Change]]:
    """The rows that can be taken, and the others with their problems. `units`: names and ids to ids."""
    found: list[Entry] = []
    refused: list[Change] = []
    seen: dict[tuple[str, str], int] = {}
    for row in sheet.rows:
        problems: list[Problem] = []
        unit, code = identity(row.cells["unit"]), identity(row.cells["customer"])
        if not code:
            problems.append(Problem("", "The customer's code is missing"))
        if unit not in units:
            template = "There is no unit {unit}; see `flow org show`"
            problems.append(Problem("", template, {"unit": unit or "…"}))
        unit = units.get(unit, unit)
        first = seen.setdefault((unit, code), row.number)
        if first != row.number:
            params = {"code": code, "first": first}
            problems.append(Problem("", "Customer {code} stands already in row {first}", params))
        facts = _facts(row, problems)
        if problems:
            placed = tuple(_placed(row, each) for each in problems)
            refused.append(Change(row.number, unit, code, "refused", problems=placed))
        else:
            private = {name: row.cells[name] or None for name in PERSONAL if name in row.cells}
            found.append(Entry(row.number, unit, code, facts, private))
    return found, refused


def _placed(row: Row, problem: Problem) -> Problem:
    place = f"row {row.number}, {problem.field}" if problem.field else f"row {row.number}"
    return Problem(place, problem.template, problem.params)


def _facts(row: Row, problems: list[Problem]) -> dict[str, Any]:
    cells, facts = row.cells, dict[str, Any]()
    for name in ("project", "segment", "excluded"):
        if name in cells:
            facts[name] = cells[name] or None
    if "kind" in cells:
        kind = _KIND_WORDS.get(cells["kind"], cells["kind"].casefold() or KINDS[0])
        facts["kind"] = kind
        if kind not in KINDS:
            params = {"found": cells["kind"][:40], "known": ", ".join((*KINDS, *_KIND_WORDS))}
            problems.append(Problem("kind", "{found} is no kind; there are: {known}", params))
    for name, reader in (("since", _DAY), ("left_on", _DAY), ("key_account", _YES)):
        if name in cells:
            try:
                facts[name] = read(reader, cells[name])
            except RefusedError as refusal:
                problems += [Problem(name, each.template, each.params) for each in refusal.problems]
    if "key_account" in facts:
        facts["key_account"] = bool(facts["key_account"])
    free = {name.removeprefix(FREE): value for name, value in cells.items() if name.startswith(FREE)}
    for name, value in free.items():
        if len(value) > _MOST_ATTRIBUTE:
            length = {"count": len(value), "limit": _MOST_ATTRIBUTE}
            template = "The cell has {count} characters; at most {limit} may be"
            problems.append(Problem(f"{FREE}{name}", template, length))
    if free:
        facts["attributes"] = {name: value for name, value in free.items() if value}
    return facts


@dataclass(frozen=True, slots=True)
class Merging:
    """What a file changes of the rosters, not written yet."""

    changes: list[Change] = field(default_factory=list)
    new: list[tuple[Any, ...]] = field(default_factory=list)
    """The columns `_NEW` as they will be kept."""
    private: dict[tuple[str, str], tuple[Any, ...]] = field(default_factory=dict)
    """Of those who are new, by unit and code, the columns `PERSONAL`."""
    updates: list[tuple[Any, ...]] = field(default_factory=list)
    """The columns `_PLAIN` as they will be kept, then the respondent's number."""
    contacts: list[tuple[Any, ...]] = field(default_factory=list)
    """The respondent's number, then the columns `PERSONAL`."""


def merge(
    there: Iterable[Respondent],
    given: Sequence[Entry],
    *,
    today: date,
    kept: Iterable[tuple[str, str]] = (),
    partial: bool,
) -> Merging:
    """What the entries change of those that stand there, in the units they name.

    Those of a unit in the file that it leaves out are marked as left, unless `partial`, or among `kept` (their rows
    were refused). Who comes back is active again.
    """
    known = {(each.unit, identity(each.code)): each for each in there}
    found = Merging()
    for each in given:
        old = known.get((each.unit, each.code))
        if old is None:
            found.new.append(_new(each, today))
            if any(each.contact.values()):
                found.private[each.unit, each.code] = tuple(map(each.contact.get, PERSONAL))
            found.changes.append(Change(each.row, each.unit, each.code, "added"))
            continue
        facts = _wanted(each, old, today)
        what = [name for name in _PLAIN if facts[name] != getattr(old, name)]
        if what:
            found.updates.append(_kept(facts, old))
        private = [name for name, value in each.contact.items() if value != old.contact.get(name)]
        if private:
            values = {**old.contact, **each.contact}
            found.contacts.append((old.id, *(values.get(name) for name in PERSONAL)))
        outcome = "changed" if what or private else "unchanged"
        found.changes.append(Change(each.row, each.unit, old.code, outcome, (*what, *private)))
    if not partial:
        named = {(each.unit, each.code) for each in given} | set(kept)
        for place, old in known.items():
            if old.status == "active" and place not in named:
                left_on = old.left_on or today.isoformat()
                left = {name: getattr(old, name) for name in _PLAIN} | {"status": "left", "left_on": left_on}
                found.updates.append(_kept(left, old))
                found.changes.append(Change(None, old.unit, old.code, "left"))
    return found


def _kept(facts: Mapping[str, Any], old: Respondent) -> tuple[Any, ...]:
    return (*(_as_kept(facts[name]) for name in _PLAIN), old.id)


def _as_kept(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict) else value


def write(conn: Database, found: Merging) -> None:
    """Write down what a file changes."""
    names = [f"new_{name}" for name in _PLAIN]
    values = {name: bindparam(f"new_{name}", type_=_plain_type(name)) for name in _PLAIN}
    changed = update(respondent).where(respondent.c.id == bindparam("number")).values(values)
    execute_many(conn, changed, (*names, "number"), found.updates)
    if found.contacts:
        gone = delete(contact).where(contact.c.respondent_id == bindparam("number"))
        with overwriting(conn):
            execute_many(conn, gone, ("number",), [row[:1] for row in found.contacts])
            _write_contacts(conn, found.contacts)
    execute_many(conn, insert(respondent), _NEW, found.new)
    if found.private:
        units = {unit for unit, _ in found.private}
        ids = select(respondent.c.unit, respondent.c.code, respondent.c.id)
        rows = conn.execute(ids.where(respondent.c.unit.in_(units)))
        numbers = {(unit, code): number for unit, code, number in rows}
        _write_contacts(conn, [(numbers[place], *values) for place, values in found.private.items()])


def _plain_type(name: str) -> Any:
    """The type as which a value that is kept already is sent."""
    kind = respondent.c[name].type
    return Text() if isinstance(kind, Json) else kind


def _write_contacts(conn: Database, rows: Sequence[tuple[Any, ...]]) -> None:
    execute_many(conn, insert(contact), ("respondent_id", *PERSONAL), [row for row in rows if any(row[1:])])


def _status(left_on: str | None, today: date) -> str:
    return "left" if left_on and left_on <= today.isoformat() else "active"


def _wanted(each: Entry, old: Respondent, today: date) -> dict[str, Any]:
    facts = {name: each.facts.get(name, getattr(old, name)) for name in _PLAIN}
    if "attributes" in each.facts:
        facts["attributes"] = {**old.attributes, **each.facts["attributes"]}
    if "left_on" not in each.facts and old.status == "left":
        facts["left_on"] = None  # who stands in the file again has come back
    facts["status"] = _status(facts["left_on"], today)
    return facts


_AT_FIRST: Mapping[str, Any] = {
    **{"kind": KINDS[0], "project": None, "segment": None, "attributes": {}, "since": None, "left_on": None},
    **{"key_account": False, "excluded": None},
}
"""What a file does not say of somebody new."""
_NEW = ("unit", "code", "status", *_AT_FIRST)


def _new(each: Entry, today: date) -> tuple[Any, ...]:
    facts = {**_AT_FIRST, **each.facts}
    return (
        each.unit,
        each.code,
        _status(facts["left_on"], today),
        *(_as_kept(facts[name]) for name in _AT_FIRST),
    )


def standing(conn: Connection, units: Iterable[str]) -> list[tuple[Any, ...]]:
    """How these units' rosters stand now: equal as long as nobody changes any of it."""
    kept = [type_coerce(each, Text) if isinstance(each.type, Json) else each for each in respondent.c]
    private = [contact.c[name] for name in PERSONAL]
    rows = select(*kept, *private).outerjoin_from(respondent, contact).order_by(respondent.c.id)
    return [tuple(row) for row in conn.execute(rows.where(respondent.c.unit.in_(sorted(units))))]


def listed(
    conn: Connection,
    *,
    units: Sequence[str] | None = None,
    code: str | None = None,
    active: bool | None = None,
) -> list[Respondent]:
    """Respondents with their contacts, by unit and code in natural order."""
    wanted: list[ColumnElement[bool]] = []
    if units is not None:
        wanted.append(respondent.c.unit.in_(units))
    if code is not None:
        wanted.append(respondent.c.code == code)
    if active is not None:
        wanted.append(respondent.c.status == ("active" if active else "left"))
    private = [contact.c[name] for name in PERSONAL]
    rows = conn.execute(select(respondent).add_columns(*private).outerjoin(contact).where(*wanted)).all()
    found = [
        Respondent(
            *(row.id, row.unit, row.code, row.kind, row.project, row.segment, row.attributes, row.status),
            *(row.since, row.left_on, row.key_account, row.excluded),
            {name: getattr(row, name) for name in PERSONAL if getattr(row, name) is not None},
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: (each.unit, natural(each.code), each.code))


def find(conn: Connection, code: str, unit: str | None = None) -> Respondent:
    """The respondent of that code, before which its unit may stand as rounds list it (`office-3/B-1203`).

    Raises `NotFound`, and `Conflict` when several units know the code.
    """
    plain = identity(code)
    found = listed(conn, units=None if unit is None else [unit], code=plain)
    if not found and unit is None and "/" in plain:
        place, _, rest = plain.partition("/")
        found = listed(conn, units=[place], code=rest)
    if not found:
        raise NotFound("No customer {code} stands on a roster; see `flow roster list`", code=code)
    if len(found) > 1:
        units = ", ".join(each.unit for each in found)
        raise Conflict(
            "Several units have a customer {code}: {units}. Say which with --unit", code=code, units=units
        )
    return found[0]


def exclude(conn: Connection, found: Respondent, reason: str | None) -> None:
    """Ask them no more, for a reason; with None, ask them again."""
    if reason is not None and not reason.strip():
        raise Invalid([Problem("reason", "Say why, so that somebody else understands it")])
    conn.execute(update(respondent).where(respondent.c.id == found.id).values(excluded=reason))


def owner(unit: str, code: str) -> str:
    """Under which name the journal keeps a respondent's personal values."""
    return f"{unit}/{code}"


def erase(conn: Database, found: Respondent, now: datetime) -> int:
    """Erase what is personal of a respondent: the contact, and what the history keeps. Returns how many values.

    The code stays, without which earlier rounds would be left with answers of nobody.
    """
    with overwriting(conn):
        conn.execute(delete(contact).where(contact.c.respondent_id == found.id))
    return len(found.contact) + erase_values(conn, owner(found.unit, found.code), now)


def sizes(conn: Connection) -> dict[str, dict[str, int]]:
    """Of each unit: how many are active, left, excluded."""
    rows = conn.execute(
        select(
            respondent.c.unit, respondent.c.status, respondent.c.excluded.is_not(None), func.count()
        ).group_by(respondent.c.unit, respondent.c.status, respondent.c.excluded.is_not(None))
    )
    found: dict[str, dict[str, int]] = {}
    for unit, status, excluded, count in rows:
        counts = found.setdefault(unit, {"active": 0, "left": 0, "excluded": 0})
        counts["excluded" if excluded and status == "active" else status] += count
    return found
