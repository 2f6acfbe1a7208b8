"""How the variables of an instance came to their values, told from its journal: who set each, and knowing what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from engine.store.journal import instance_chain
from engine.store.private import MARKER, reveal
from engine.store.tables import journal
from engine.store.told import facts_of

_KINDS = ("instance.started", "variables.set", "task.completed", "variables.corrected", "variables.recounted")
_CHUNK = 400
"""Instances read at a time."""


@dataclass(slots=True, eq=False)
class Setting:
    """A value that a variable got. One that is put right, or counted anew, is the same setting with another value."""

    value: Any
    corrected: bool = False
    """Whether a person put it right."""
    read: Any = None
    moved: bool = False
    """Whether it was given another value since the journal was read; it was `read` then."""


Settings = Mapping[str, Setting]


def values_of(settings: Settings, *, read: bool = False) -> dict[str, Any]:
    """The values of settings, now or as they were read."""
    return {name: each.read if read and each.moved else each.value for name, each in settings.items()}


@dataclass(frozen=True, slots=True)
class Step:
    """Once that a step of the program set variables: when, for whom, knowing what."""

    seq: int
    """The number of its entry in the journal."""
    element: str
    at: datetime
    by: str
    known: Settings
    """The variables as the step found them."""
    set: Settings

    def stands(self, now: Settings) -> bool:
        """Whether something that it set has been set by nobody else since."""
        return any(now.get(name) is each for name, each in self.set.items())

    def corrected(self) -> dict[str, Any]:
        """Of the values it set those that people have put right, as they are now."""
        return {name: each.value for name, each in self.set.items() if each.corrected}

    def touched(self) -> bool:
        """Whether something it found, or has set, was given another value since the journal was read."""
        return any(each.moved for each in (*self.known.values(), *self.set.values()))


@dataclass(slots=True)
class Variables:
    """The variables of one instance, as it began, as steps found and set them, and now."""

    counting: Collection[str] = ()
    """The elements whose steps are kept: what they set, they set, though it be what it was."""
    moments: Collection[int] = ()
    """Entries after which all variables are kept: see `at`."""
    given: dict[str, Setting] = field(default_factory=dict)
    """What the instance began with."""
    now: dict[str, Setting] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    """In order: of each element its last, and those before of which something stands."""
    at: dict[int, Settings] = field(default_factory=dict)
    """The variables after each of the entries asked for."""
    _set: dict[int | None, Settings] = field(default_factory=dict)
    """What each entry set; None: the start."""
    _last: int = 0
    _moved: list[Setting] = field(default_factory=list)

    def take(
        self, seq: int, kind: str, subject: str | None, facts: Mapping[str, Any], at: datetime, by: str
    ) -> None:
        """Take the next entry of the journal in; one of another kind changes nothing."""
        self._reach(seq - 1)
        match kind:
            case "instance.started":
                self.given = self._set[None] = self._taken(facts.get("variables"))
            case "task.completed":
                apart = facts.get("apart") or ()
                values = {
                    name: each for name, each in _mapping(facts.get("values")).items() if name not in apart
                }
                self._taken(values)
            case "variables.set" if subject in self.counting:
                made = {name: Setting(value) for name, value in facts.items()}
                self.steps = [each for each in self.steps if each.element != subject or each.stands(self.now)]
                self.steps.append(Step(seq, str(subject), at, by, dict(self.now), made))
                self._set[seq] = made
                self.now |= made
            case "variables.set":
                self._set[seq] = self._taken(facts)
            case "variables.corrected":
                self.correct(_mapping(facts.get("values")))
            case "variables.recounted":
                self.recount(self._set.get(facts.get("of"), {}), _mapping(facts.get("values")))

    def rest(self) -> None:
        """The journal is read: what moves from here on has `moved`."""
        self._reach(1 << 62)
        for each in self._moved:
            each.moved = False
        self._moved.clear()

    def correct(self, values: Mapping[str, Any]) -> None:
        """A person puts variables right."""
        for name, value in values.items():
            setting = self.now.setdefault(name, Setting(None))
            setting.corrected = True
            self._move(setting, value)

    def recount(self, settings: Settings, values: Mapping[str, Any]) -> None:
        """Of what was set once, other values come out."""
        for name in values.keys() & settings.keys():
            self._move(settings[name], values[name])

    def _move(self, setting: Setting, value: Any) -> None:
        if setting.value != value:
            if not setting.moved:
                setting.moved, setting.read = True, setting.value
                self._moved.append(setting)
            setting.value = value

    def _reach(self, seq: int) -> None:
        """Nothing more comes up to this entry."""
        for moment in self.moments:
            if self._last <= moment <= seq:
                self.at[moment] = dict(self.now)
        self._last = seq + 1

    def _taken(self, values: object) -> dict[str, Setting]:
        """Set values; one confirmed, or handed on as it is, stays whose it was."""
        made = {}
        for name, value in _mapping(values).items():
            known = self.now.get(name)
            made[name] = known if known is not None and known.value == value else Setting(value)
        self.now |= made
        return made


def variables_of(
    conn: Connection, instance: int, counting: Collection[str] = (), moments: Collection[int] = ()
) -> Variables:
    """The variables of an instance, with the steps of elements that are `counting`, and after some entries."""
    return next(iter(variables_of_many(conn, {instance: counting}, moments)))[1]


def variables_of_many(
    conn: Connection, counting: Mapping[int, Collection[str]], moments: Collection[int] = ()
) -> Iterator[tuple[int, Variables]]:
    """The variables of many instances, in the order of their numbers, read in pieces."""
    numbers = sorted(counting)
    for start in range(0, len(numbers), _CHUNK):
        part = {instance_chain(number): number for number in numbers[start : start + _CHUNK]}
        found = {number: Variables(counting[number], moments) for number in part.values()}
        rows = conn.execute(_ENTRIES.where(journal.c.chain.in_(part))).all()
        for row, facts in zip(rows, _facts(conn, rows), strict=True):
            found[part[row.chain]].take(row.seq, row.kind, row.subject, facts, row.at, row.by)
        for number, known in found.items():
            known.rest()
            yield number, known


_ENTRIES = (
    select(
        *(journal.c.chain, journal.c.seq, journal.c.kind, journal.c.subject),
        *(journal.c.facts, journal.c.at, journal.c.by),
    )
    .where(journal.c.kind.in_(_KINDS))
    .order_by(journal.c.chain, journal.c.seq)
)


def _facts(conn: Connection, rows: Sequence[Any]) -> Iterable[Any]:
    facts = [facts_of(row.facts) for row in rows]
    return reveal(conn, facts) if any(MARKER.search(row.facts) for row in rows) else facts


def _mapping(values: object) -> Mapping[str, Any]:
    return values if isinstance(values, Mapping) else {}
