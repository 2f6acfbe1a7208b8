"""org.yaml read and checked: units, roles, people, who holds what, who stands in for whom.

org.yaml:

    organisation: flow/1
    units:   [{id: head, name: 总部}, {id: office-1, name: 第一管理处, parent: head}]
    roles:   [{id: cs_supervisor, name: 客服主管}]
    people:
      - {id: wang.fang, name: 王芳, system_user: wang, roles: [{role: cs_supervisor, unit: office-1}], may: [act-for]}
    substitutes: [{person: wang.fang, substitute: li.lei, from: "2026-09-14", to: "2026-09-18"}]
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from engine.characters import identity
from engine.model import ENGINE
from engine.strict_yaml import Document, Reader, nearest

PERMISSIONS = ("act-for", "assign", "audit", "admin")


@dataclass(frozen=True, slots=True)
class Person:
    """A person as org.yaml has them."""

    id: str
    name: str
    system_user: str | None
    roles: tuple[tuple[str, str], ...]
    may: tuple[str, ...]
    email: str | None = None
    channel: str | None = None
    """How notices reach them: `mail`, `none`, or the name of a group chat; by mail when they have an address."""
    language: str | None = None
    """Of the notices: zh or en; by default the workspace's."""


@dataclass(frozen=True, slots=True)
class Organisation:
    """org.yaml, read and checked."""

    units: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    substitutes: tuple[tuple[str, str, str, str], ...] = ()


def read_organisation(document: Document) -> Organisation:
    """Check org.yaml. Raises Misbuilt naming every fault with its line."""
    reader = document.reader()
    reader.choice("organisation", ["flow/1"])
    found = Organisation()
    for entry in reader.mappings("units"):
        found.units[_id(entry, found.units)] = (entry.text("name"), entry.optional_text("parent"))
        entry.done()
    for entry in reader.mappings("roles"):
        found.roles[_id(entry, found.roles)] = entry.text("name")
        entry.done()
    users: dict[str, str] = {}
    for entry in reader.mappings("people"):
        name = _id(entry, found.people)
        if name.casefold() == ENGINE:
            remedy = "Give them another id: this is how the history names the program"
            entry.fault("Nobody can be called {id}", remedy, at=("id",), id=name)
        found.people[name] = _person(entry, name, found)
        _own_user(entry, found.people[name], users)
    substitutes = []
    for entry in reader.mappings("substitutes", required=False):
        row = tuple(_known(entry, key, found.people) for key in ("person", "substitute"))
        days = tuple(_day(entry, key) for key in ("from", "to"))
        if days[0] and days[1] and days[0] > days[1]:
            entry.fault("The substitution ends before it begins", "Exchange `from` and `to`")
        if row[0] and row[0] == row[1]:
            entry.fault(
                "{person} cannot stand in for themselves",
                "Name somebody else",
                at=("substitute",),
                person=row[0],
            )
        substitutes.append((row[0], row[1], days[0], days[1]))
        entry.done()
    for unit, (_, parent) in found.units.items():
        if parent is not None and parent not in found.units:
            reader.fault(
                "Unit {unit} lies in {parent}, which is not there", "Add that unit, or correct its name",
                at=("units",), unit=unit, parent=parent,
            )  # fmt: skip
    _no_circle(reader, found)
    reader.done()
    reader.raise_faults()
    return Organisation(found.units, found.roles, found.people, tuple(substitutes))


def _own_user(entry: Reader, person: Person, users: dict[str, str]) -> None:
    """Nobody could tell which of two people with one system user acts."""
    if person.system_user is None:
        return
    other = users.setdefault(person.system_user, person.id)
    if other != person.id:
        entry.fault(
            "The system user {user} is already that of {other}", "Give each person their own, or none",
            at=("system_user",), user=person.system_user, other=other,
        )  # fmt: skip


def _person(entry: Reader, name: str, found: Organisation) -> Person:
    held = []
    for holding in entry.mappings("roles", required=False):
        held.append((_known(holding, "role", found.roles), _known(holding, "unit", found.units)))
        holding.done()
    may = entry.texts("may", required=False)
    for each in may:
        if each not in PERMISSIONS:
            entry.fault(
                "There is no permission {name}", "Write one of {known}", at=("may",), name=each,
                known=", ".join(PERMISSIONS),
            )  # fmt: skip
    person = Person(
        name, entry.text("name"), entry.optional_text("system_user"), tuple(held), may,
        entry.optional_text("email"), entry.optional_text("channel"), entry.optional_text("language"),
    )  # fmt: skip
    _reachable(entry, person)
    entry.done()
    return person


_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?"
)


def _reachable(entry: Reader, person: Person) -> None:
    """How notices reach a person has to make sense; whether a chat of that name is set up is not known here."""
    if person.email is not None and not _ADDRESS.fullmatch(person.email):
        remedy = "Write it as in zhao.min@example.com"
        entry.fault("{email} is no mail address", remedy, at=("email",), email=person.email)
    if person.channel == "mail" and person.email is None:
        entry.fault(
            "{person} has no mail address", "Add `email`", at=("channel",), person=person.id
        )  # fmt: skip
    if person.language not in (None, "zh", "en"):
        entry.fault("{language} is not zh or en", "Correct it, or take the line out", at=("language",),
                    language=person.language)  # fmt: skip


_ID = re.compile(r"[A-Za-z0-9][\w.-]*")


def _id(entry: Reader, taken: Collection[str]) -> str:
    name = entry.text("id")
    if name and (not _ID.fullmatch(name) or identity(name) != name):
        remedy = "Use letters, digits, dots, hyphens and underscores, none of them full-width"
        entry.fault("{id} is no id", remedy, at=("id",), id=name)
    if name in taken:
        entry.fault("{id} stands twice", "Take one of them out", at=("id",), id=name)
    return name


def _known(entry: Reader, key: str, known: Collection[str]) -> str:
    name = entry.text(key)
    if name and name not in known:
        near = nearest(name, known)
        remedy = (
            "Did you mean {near}? Otherwise add it above" if near else "Correct the name, or add it above"
        )
        entry.fault("There is no {kind} {name}", remedy, at=(key,), kind=key, name=name, near=near)
    return name


def _day(entry: Reader, key: str) -> str:
    text = entry.text(key)
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        entry.fault("{text} is no date", 'Write it as in "2026-09-14"', at=(key,), text=text)
        return ""


def _no_circle(reader: Reader, found: Organisation) -> None:
    for unit in found.units:
        seen, current = {unit}, found.units[unit][1]
        while current is not None and current in found.units:
            if current in seen:
                reader.fault("Unit {unit} lies within itself", "Correct a parent", at=("units",), unit=unit)
                return
            seen.add(current)
            current = found.units[current][1]
