"""Who may do what. Pure: takes values, returns or raises.

A person holds roles per unit; holding one in a unit is holding it in the units below. A substitute has the
rights of the person they stand in for, on the days given; who stands in for a substitute has them too, as
far as the chain goes, and a chain that comes back to its beginning ends there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from engine.errors import Conflict, Denied


@dataclass(frozen=True, slots=True)
class Substitution:
    """Who stands in for whom, from the first day to the last, both included."""

    person: str
    substitute: str
    starts: date
    ends: date


@dataclass(frozen=True, slots=True)
class Rights:
    """What a person may do today, and by whose right."""

    person: str
    stands_in_for: Mapping[str, tuple[str, ...]]
    """Everyone represented, with the chain of people between (empty: directly)."""
    holdings: Mapping[str, frozenset[tuple[str, str]]]
    """(role, unit) held, by holder: the person and everyone represented."""
    account: str | None = None
    """Who in fact sits there, when they act as the person: four eyes are counted by all these names."""

    def barred(self, excluded: Collection[str]) -> str | None:
        """Which of the two who would do it, the person or who acts as them, is excluded."""
        return next((each for each in (self.person, self.account) if each in excluded), None)

    def holder(self, role: str | None, units: Collection[str], excluded: Collection[str] = ()) -> str | None:
        """Whose right allows the role in one of the units (a unit and those above it); the person's own first.

        Nobody excluded counts; a task without a role is anybody's.
        """
        for holder in (self.person, *self.stands_in_for):
            if holder in excluded:
                continue
            if role is None or any((role, unit) in self.holdings.get(holder, ()) for unit in units):
                return holder
        return None

    def lender(self, role: str | None, units: Collection[str], excluded: Collection[str] = ()) -> str | None:
        """Whose right that is when it is not the person's own; None: their own, or nobody's."""
        holder = self.holder(role, units, excluded)
        return None if holder == self.person else holder

    def represents(self, person: str | None) -> bool:
        """Whether this is the person or somebody they stand in for."""
        return person is not None and (person == self.person or person in self.stands_in_for)


def represented(person: str, day: date, substitutions: Iterable[Substitution]) -> dict[str, tuple[str, ...]]:
    """Everyone the person stands in for on a day, nearest first, each with the chain between them."""
    by_substitute: dict[str, list[str]] = {}
    for each in substitutions:
        if each.starts <= day <= each.ends:
            by_substitute.setdefault(each.substitute, []).append(each.person)
    found: dict[str, tuple[str, ...]] = {}
    pending: list[tuple[str, tuple[str, ...]]] = [(person, ())]
    while pending:
        current, chain = pending.pop(0)
        for absent in sorted(by_substitute.get(current, ())):
            if absent != person and absent not in found:
                found[absent] = chain
                pending.append((absent, (*chain, absent)))
    return found


@dataclass(frozen=True, slots=True)
class Work:
    """What of a user task decides who may do it."""

    id: str
    status: str
    role: str | None
    role_name: str
    units: tuple[str, ...]
    """The task's unit and those above it."""
    assignee: str | None
    excluded: tuple[str, ...] = ()
    """Four eyes: who completed the other step may not do this one."""
    excluded_because: Mapping[str, str] = field(default_factory=dict)
    """Of each of these, the names of the steps they did."""
    closed_by: str | None = None
    delegated: bool = False
    """Whoever had it gave it to the assignee, whatever roles these hold."""
    called_off: str | None = None
    """The instance it belonged to, when that was cancelled as a whole."""


def lapsed(work: Work, rights: Rights) -> bool:
    """Whether the assignee, whose rights these are, may no longer do what they took or were given.

    The role was taken from them, or their time as a substitute is over. A delegation lasts.
    """
    return not work.delegated and rights.holder(work.role, work.units) is None


def may_see(work: Work, rights: Rights) -> bool:
    """Whether the task is on the person's worklist or may be looked at by them."""
    return (rights.represents(work.assignee) and work.delegated) or rights.holder(
        work.role, work.units
    ) is not None


def _told(work: Work, rights: Rights) -> None:
    """Raises Denied for whom a task is none of: who has it or did it is not theirs to know either."""
    if not (may_see(work, rights) or rights.represents(work.assignee) or rights.represents(work.closed_by)):
        if work.status == "open":
            raise Denied(
                "Task {task} waits for {role}; {person} does not hold that role there",
                task=work.id, role=work.role_name, person=rights.person,
            )  # fmt: skip
        raise Denied("Task {task} is not for {person} to see", task=work.id, person=rights.person)


def still_open(work: Work, verb: str) -> None:
    """Raises Conflict when the task is done or gone, naming who did it."""
    if work.status == "done":
        raise Conflict(
            "Task {task} is already done, by {person}", task=work.id, person=work.closed_by, verb=verb
        )
    if work.status == "cancelled" and work.called_off is not None:
        raise Conflict(
            "Task {task} is no longer needed: {instance} was cancelled",
            task=work.id, instance=work.called_off, verb=verb,
        )  # fmt: skip
    if work.status == "cancelled":
        raise Conflict(
            "Task {task} is no longer needed: the procedure went another way", task=work.id, verb=verb
        )


def may_claim(work: Work, rights: Rights) -> str | None:
    """Whose right the person uses to take an open task (None: their own). Raises Denied or Conflict."""
    _told(work, rights)
    still_open(work, "claim")
    if work.status == "claimed" and work.assignee != rights.person:
        raise Conflict("Task {task} was already claimed by {person}", task=work.id, person=work.assignee)
    return _right(work, rights)


def may_work(work: Work, rights: Rights) -> str | None:
    """Whose right the person uses to work on a task: its assignee's, or their role's when nobody has it."""
    _told(work, rights)
    still_open(work, "complete")
    if work.assignee is None:
        return _right(work, rights)
    if not rights.represents(work.assignee):
        raise Conflict("Task {task} was already claimed by {person}", task=work.id, person=work.assignee)
    if lapsed(work, rights):
        raise Denied(
            "Task {task} waits for {role}, which {person} no longer holds there: give it back with "
            "`flow task release {task}`",
            task=work.id,
            role=work.role_name,
            person=rights.person,
        )
    _four_eyes(work, rights, work.assignee)
    if work.assignee != rights.person:
        return work.assignee
    return None if work.delegated else rights.lender(work.role, work.units, work.excluded)


def may_assign(work: Work, rights: Rights, leaders: frozenset[str]) -> str | None:
    """Who may give a task to somebody: whoever has it, and who holds the permission `assign`."""
    if rights.person not in leaders:
        _told(work, rights)
    still_open(work, "assign")
    if rights.represents(work.assignee):
        return None if work.assignee == rights.person else work.assignee
    if rights.person in leaders:
        return None
    if work.assignee is None:
        return _right(work, rights)
    raise Denied(
        "Task {task} is with {person}; only they, or who holds the permission `assign`, can give it to another",
        task=work.id,
        person=work.assignee,
    )


def may_release(work: Work, rights: Rights, leaders: frozenset[str]) -> str | None:
    """Who may give a task back: whoever has it, and who holds the permission `assign`. Whose right that is."""
    if rights.person not in leaders:
        _told(work, rights)
    still_open(work, "release")
    if work.assignee is None:
        raise Conflict("Task {task} is not claimed", task=work.id)
    if rights.represents(work.assignee):
        return None if work.assignee == rights.person else work.assignee
    if rights.person in leaders:
        return None
    raise Denied("Task {task} is with {person}; only they can release it", task=work.id, person=work.assignee)


def _right(work: Work, rights: Rights) -> str | None:
    _four_eyes(work, rights, rights.person)
    holder = rights.holder(work.role, work.units, work.excluded)
    if holder is None:
        _four_eyes(work, rights, rights.holder(work.role, work.units) or rights.person)
    return None if holder in (rights.person, None) else holder


def _four_eyes(work: Work, rights: Rights, holder: str) -> None:
    for person in (rights.person, rights.account, holder):
        if person in work.excluded:
            raise Denied(
                "Task {task} asks for a second pair of eyes: {person} already did {other}",
                task=work.id,
                person=person,
                other=work.excluded_because.get(person, ""),
            )
