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


@dataclass(slots=True)
class Setting:
    """A value that a variable got. One that is put right, or counted anew, is the same setting with another value."""

    value: Any
    step: str | None
    """The element of a step of the program; None for the start, and for people."""
    corrected: bool = False
    """Whether a person put it right."""


@dataclass(frozen=True, slots=True)
class Step:
    """Once that a step of the program set variables: when, for whom, knowing what."""

    element: str
    at: datetime
    by: str
    known: Mapping[str, Setting]
    """The variables as the step found them."""
    set: Mapping[str, Setting]

    def standing(self, now: Mapping[str, Setting]) -> dict[str, Setting]:
        """What is left of the values it set: nobody has set them since, nor put them right."""
        return {n: each for n, each in self.set.items() if now.get(n) is each and not each.corrected}

    def found(self) -> dict[str, Any]:
        """The variables as the step found them, with what has been put right in these since."""
        return {name: each.value for name, each in self.known.items()}

    def result(self) -> dict[str, Any]:
        """The values it set, as they are now."""
        return {name: each.value for name, each in self.set.items()}

    def corrected(self) -> dict[str, Any]:
        """Of the values it set those that people have put right, as they are now."""
        return {name: each.value for name, each in self.set.items() if each.corrected}


@dataclass(slots=True)
class Variables:
    """The variables of one instance, now and as it was given them."""

    asked: Collection[str] = ()
    """The elements whose steps are kept."""
    given: dict[str, Setting] = field(default_factory=dict)
    """What the instance began with."""
    now: dict[str, Setting] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    """In order: of each element asked for its last, and those before of which something still stands."""

    def take(
        self, kind: str, subject: str | None, facts: Mapping[str, Any], at: datetime | None = None, by: str = ""
    ) -> None:  # fmt: skip
        """Take the next entry of the journal in; one of another kind changes nothing."""
        match kind:
            case "instance.started":
                self._set(facts.get("variables"), None)
                self.given = dict(self.now)
            case "task.completed":
                self._set(facts.get("values"), None)
            case "variables.set" if subject in self.asked and at is not None:
                made = {name: Setting(value, subject) for name, value in facts.items()}
                self.steps = [
                    each for each in self.steps if each.element != subject or each.standing(self.now)
                ]
                self.steps.append(Step(str(subject), at, by, dict(self.now), made))
                self.now |= made
            case "variables.set":
                self._set(facts, subject)
            case "variables.corrected":
                for name, value in _mapping(facts.get("values")).items():
                    setting = self.now.setdefault(name, Setting(value, None))
                    setting.value, setting.corrected = value, True
            case "variables.recounted":
                meant = self.given if subject is None else self._made_last(subject)
                for name, value in _mapping(facts.get("values")).items():
                    if name in meant:
                        meant[name].value = value

    def _made_last(self, element: str) -> Mapping[str, Setting]:
        """What an element set last."""
        standing = {name: each for name, each in self.now.items() if each.step == element}
        last = [each.set for each in self.steps if each.element == element][-1:]
        return {**standing, **last[0]} if last else standing

    def _set(self, values: object, step: str | None) -> None:
        """A value confirmed, or handed on as it is, leaves it at who found it."""
        for name, value in _mapping(values).items():
            known = self.now.get(name)
            if known is None or known.value != value:
                self.now[name] = Setting(value, step)


def variables_of(conn: Connection, instance: int, asked: Collection[str] = ()) -> Variables:
    """The variables of an instance, and its steps at the elements `asked` for."""
    return next(iter(variables_of_many(conn, {instance: asked})))[1]


def variables_of_many(
    conn: Connection, asked: Mapping[int, Collection[str]]
) -> Iterator[tuple[int, Variables]]:
    """The variables of many instances, in the order of their numbers, read in pieces."""
    numbers = sorted(asked)
    for start in range(0, len(numbers), _CHUNK):
        part = {instance_chain(number): number for number in numbers[start : start + _CHUNK]}
        found = {number: Variables(asked[number]) for number in part.values()}
        rows = conn.execute(_ENTRIES.where(journal.c.chain.in_(part))).all()
        for row, facts in zip(rows, _facts(conn, rows), strict=True):
            found[part[row.chain]].take(row.kind, row.subject, facts, row.at, row.by)
        yield from found.items()


_ENTRIES = (
    select(journal.c.chain, journal.c.kind, journal.c.subject, journal.c.facts, journal.c.at, journal.c.by)
    .where(journal.c.kind.in_(_KINDS))
    .order_by(journal.c.chain, journal.c.seq)
)


def _facts(conn: Connection, rows: Sequence[Any]) -> Iterable[Any]:
    facts = [facts_of(row.facts) for row in rows]
    return reveal(conn, facts) if any(MARKER.search(row.facts) for row in rows) else facts


def _mapping(values: object) -> Mapping[str, Any]:
    return values if isinstance(values, Mapping) else {}
