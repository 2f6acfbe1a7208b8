"""The journal in sentences: one for each kind of entry."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from console.dates import moment_text
from console.language import Messages, both, tr
from engine.queries.history import Line

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from console.session import Session
    from engine.queries.instances import Instance

_SENTENCES: Messages = {
    "answers.doubted": "{count} of {of} questionnaires look doubtful",
    "archive.sealed": "archived: {files} files, with {custodian}, kept until {keep_until}",
    "batch.done": "{subject}: {done} of {total} items done",
    "batch.opened": "{subject}: {items} items opened",
    "calendar.imported": "working-day table {subject} imported ({status}), {deadlines_moved} due dates moved",
    "check.drawn": "drawn to be checked, seed {seed}: {members}",
    "check.set_aside": "{count} questionnaires set aside as not genuine: {members}",
    "check.skipped": "left out of the check: {reason}",
    "clock.accepted": "the clock was accepted: history reached {reached} and goes on from {clock} ({reason})",
    "coverage.missed": "coverage of {year}: {done} of {needed} customers asked, {overdue} not asked for too long",
    "coverage.warned": "fewer than {least} came back of: {rounds}",
    "dates.warned": "the dates need a look: {reason}",
    "deadline.armed": "due on {due}: {name}",
    "deadline.cancelled": "due date dropped: {name}",
    "deadline.met": "in time: {name} (due on {due})",
    "deadline.missed": "LATE: {name} was due on {due}",
    "deadline.moved": "due date moved from {from} to {to}: {name}",
    "deadline.recounted": "due date counted anew by another working-day table, it stays {to}: {name}",
    "deadline.waits": "due date waits for what it is measured from: {rule}",
    "decision.made": "{subject}: {name} ({inputs}): rule {rules} applies: {result}",
    "decision.made none": "{subject}: {name} ({inputs}): no rule applies: {result}",
    "contacts.read": "personal data of {count} customers of {unit} read ({way})",
    "element.failed": "{subject} failed: {reason}",
    "error.thrown": "error {name}",
    "escalation.thrown": "escalation {name}",
    "instance.cancelled": "cancelled",
    "instance.cancelling": "to be cancelled: {reason}",
    "instance.completed": "completed",
    "instance.failed": "ended by an error ({outcome})",
    "instance.moved": "went on: {path}",
    "instance.resumed": "resumed",
    "instance.resumed why": "resumed: {reason}",
    "instance.started": "{procedure} version {version} started for {unit}",
    "instance.suspended": "suspended: {reason}",
    "job.failed": "job {job} ({kind}) failed after {attempts} attempts: {reason}",
    "job.moot": "job {job} ({kind}) is needed no more: {reason}",
    "job.retried": "job {job} is tried again",
    "job.skipped": "job {job} is left out: {reason}",
    "link.published": "link to the questionnaire: {link}",
    "message.received": "message {name} received",
    "message.thrown": "message {name} sent",
    "message.unreceived": "message {name} found nobody who waits for it",
    "notice.given": "told {to}: {text}",
    "notice.overdue": "overdue notice to {to}: {name} was due on {due}",
    "notice.reminder": "reminder to {to}: {name} is due on {due}",
    "notice.retried": "notice {notice} is tried again",
    "notice.skipped": "notice {notice} is given up: {reason}",
    "notice.undelivered": "notice {notice} to {subject} by {channel} could not be delivered, {attempts} attempts",
    "organisation.imported": "organisation imported: {people} people, {units} units, {roles} roles",
    "person.erased": "{values} personal values of {subject} erased: {reason}",
    "procedure.published": "{subject} published as version {version}",
    "questionnaire.private": "the questionnaire asks for something private: {questions}",
    "quota.issue_missed": "fewer questionnaires given out than wanted: {count} of {wanted}",
    "quota.return_missed": "fewer questionnaires came back than wanted: {count} of {wanted}",
    "quota.set": "quota: of {base}, {issue} to be given out, {back} to come back",
    "record.made": "record {name}: {path}",
    "roster.erased": "{values} personal values of customer {subject} erased: {reason}",
    "roster.excluded": "customer {subject} is asked no more: {reason}",
    "roster.imported": "roster {source} taken in: {added} customers are new, {retired} left ({units})",
    "roster.included": "customer {subject} is asked again",
    "round.closed": "the survey round is closed",
    "round.corrected": "answers corrected: {changed} ({reason})",
    "round.draw_taken_back": "the draw with seed {seed} was taken back: {reason}",
    "round.drawn": "{size} of {population} customers drawn ({method}, seed {seed})",
    "round.handed_out": "questionnaires of {part}: {issued} handed out, {collected} collected",
    "round.issued": "{count} customers got a questionnaire on {day} ({channel})",
    "round.ledger": "ledger: {kind} of {count} customers ({members}) on {day}",
    "round.ledger_corrected": "ledger corrected: {count} customers ({members}) are {disposition} ({reason})",
    "round.opened": "survey round opened with the questionnaire {questionnaire}",
    "round.reminded": "everybody who has a questionnaire was reminded on {day} ({channel})",
    "round.returns": "answers of {taken} customers taken in from {source}, {returned} are back by now",
    "round.returns anonymous": "answers of {taken} customers taken in, {returned} are back by now",
    "round.returns again": "answers of {taken} customers taken in, {returned} are back by now ({reason})",
    "round.returns unasked": "answers of {taken} customers taken in from {source}, {returned} are back by now; "
    "{unasked} answers to questions that were not asked were left out",
    "round.returns_taken_back": "{taken_back} answer sets taken back, {returned} are back by now ({reason})",
    "round.tried_again": "{count} customers not met are tried once more",
    "round.uncalled": "NOBODY IS CALLED BACK for opinions that came after the call-backs were listed: {members}",
    "schedule.active": "{subject} starts by the calendar again for {unit}: {reason}",
    "schedule.active start": "{subject} ({start}) starts by the calendar again for {unit}: {reason}",
    "schedule.changed": "the schedule of {subject} for {unit} changed",
    "schedule.changed moved": "the schedule of {subject} for {unit} changed: {period} on {due}",
    "schedule.ended": "the schedule of {subject} for {unit} ended",
    "schedule.failed": "{subject} was not started by the calendar for {unit}, {period}: {reason}",
    "schedule.fired": "started by the calendar for {period}",
    "schedule.fired by_hand": "started by hand for {period}",
    "schedule.made": "{subject} starts by the calendar for {unit} from now on",
    "schedule.paused": "{subject} no longer starts by the calendar for {unit}: {reason}",
    "schedule.paused start": "{subject} ({start}) no longer starts by the calendar for {unit}: {reason}",
    "schedule.paused closed": "{subject} no longer starts by the calendar for {unit}, which org.yaml no longer names",
    "schedule.waits": "the next start for {unit} cannot be told yet: {reason}",
    "signal.thrown": "signal {name} sent",
    "standard.missed": "below the standard: {missed}; the whole came to {overall}",
    "task.assigned": "{subject} given to {to}",
    "task.claimed": "{subject} taken",
    "task.commented": "{subject}: {text}",
    "task.completed": "{subject} {name} done",
    "task.delegated": "{subject} delegated to {to}",
    "task.drafted": "{subject}: draft kept",
    "task.opened": "{subject} {name} opened for {role}",
    "task.released": "{subject} given back",
    "task.released lapsed": "{subject} taken from {from}, who may no longer do it",
    "task.withdrawn": "{subject} is no longer needed",
    "timer.armed": "timer {rule} set for {due}",
    "timer.fired": "timer {rule} fired",
    "timer.moved": "timer {rule} moved from {from} to {to}",
    "timer.stayed": "timer {rule} stays set for {due}: {reason}",
    "timetable.warned": "the survey does not fit its quarter: it has to begin by {latest}",
    "timetable.warned late": "the plan came late: it was due on {due}",
    "variables.corrected": "corrected from {before} to {values}: {reason}",
    "variables.recounted": "{subject} counted anew: {values}",
    "variables.recounted given": "the caller's dates were counted anew: {values}",
    "variables.set": "{subject} set {values}",
    "variables.stayed": "{subject} was not counted anew: {reason}",
}

_SHOWN = 10
"""Of a list, so many are told."""

_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+\+[0-9]{2}:[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called, kind by kind: a person, a role and a unit may have the same id."""

    people: Mapping[str, str]
    roles: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    """Of instances, by their numbers and by what they were called when they began."""

    def of(self, id_: str, fact: str = "") -> str | None:
        """The name of that id; `fact`, what the entry calls it, says whether a unit, a role or a person is meant."""
        kinds = (self.people, self.roles, self.units, self.titles)
        meant = {"unit": self.units, "role": self.roles}.get(fact, self.people)
        return next((known[id_] for known in (meant, *kinds) if id_ in known), None)


def sentence(line: Line, names: Names, zone: ZoneInfo, steps: Mapping[str, str] | None = None) -> str:
    """An entry in words; a kind without sentence shows its facts.

    `names` puts names in the place of ids; `steps` has the names of the diagram's elements.
    """
    words = _Words(names, zone, steps or {})
    late_plan = line.kind == "timetable.warned" and "latest" not in line.facts
    how = (
        "late"
        if late_plan
        else next((each for each in ("lapsed", "closed", "by_hand") if line.facts.get(each)), "")
    )
    if line.kind == "schedule.changed" and line.facts.get("due"):
        how = "moved"
    if line.kind in ("schedule.active", "schedule.paused") and line.facts.get("start"):
        how = "start"
    if line.kind == "round.returns" and "source" not in line.facts:
        how = "again" if line.facts.get("reason") else "anonymous"
    if line.kind == "round.returns" and line.facts.get("unasked"):
        how = "unasked"
    if line.kind == "decision.made" and not line.facts["rules"]:
        how = "none"
    if line.kind == "instance.resumed" and line.facts.get("reason"):
        how = "why"
    if line.kind == "variables.recounted" and line.subject is None:
        how = "given"
    template = _SENTENCES.get(f"{line.kind} {how}".strip())
    facts = {name: words.of(value, name) for name, value in line.facts.items() if value is not None}
    if line.kind == "variables.set":
        facts = {"values": both("；", "; ").join(f"{name} = {value or '–'}" for name, value in facts.items())}
    elif line.kind == "variables.recounted":
        before = line.facts["before"]
        facts["values"] = both("；", "; ").join(
            f"{name} {words.of(before.get(name), name) or '–'} → {words.of(value, name) or '–'}"
            for name, value in line.facts["values"].items()
        )
    elif line.kind == "instance.moved":
        facts["path"] = words.listed([words.step(each) for each in line.facts["path"]])
    elif line.kind == "instance.started":
        facts["procedure"] = names.titles.get(line.chain) or facts["procedure"]
    elif line.kind == "roster.imported":
        facts["units"] = words.pairs(
            {names.units.get(unit, unit): each for unit, each in line.facts["units"].items()}
        )
    elif line.kind == "decision.made":
        facts["inputs"] = both("；", "; ").join(map(words.pairs, line.facts["inputs"])) or "–"
    elif line.kind == "record.made":
        facts.setdefault("name", facts["record"])
    if template is None:
        parts = [line.kind, line.subject or "", *(f"{name}={value}" for name, value in facts.items())]
        return " ".join(part for part in parts if part)
    text = tr(template).format_map(_Facts(facts | {"subject": words.step(line.subject or "")}))
    late = _aside(tr("late")) if line.facts.get("late") is True else ""
    reason = line.facts.get("doubt")
    return f"{text}{late}" + (_aside(str(reason)) if reason else "")


def who(line: Line, names: Names) -> str:
    """Who acted, as whom, and for whom."""
    return acted(names.people, line.by, line.acting_for, line.facts.get("right_of"))


def names_in(session: Session, conn: Connection, titles: Mapping[str, str] | None = None) -> Names:
    """What the organisation calls its people, roles and units, those given up included."""
    from engine.queries import organisation

    return Names(
        session.names(conn), organisation.role_names(conn), organisation.unit_names(conn), titles or {}
    )


def names_of(
    session: Session, conn: Connection, family: Sequence[Instance]
) -> tuple[Names, Callable[[str], Mapping[str, str]]]:
    """The names for entries of an instance and what it called, and by whose entry it is those of its steps.

    An entry may name steps of the others, too: its own come first.
    """
    titles = {key: session.title(each.title) for each in family for key in (each.id, each.title)}
    definitions = {each.id: each.definition for each in family}
    known = {each: session.steps(conn, each) for each in set(definitions.values())}
    every = {step: name for steps in known.values() for step, name in steps.items()}
    named = {chain: every | known[definition] for chain, definition in definitions.items()}
    return names_in(session, conn, titles), lambda chain: named.get(chain, every)


def acted(names: Mapping[str, str], by: str, acting_for: str | None, right_of: str | None) -> str:
    """The same by ids: who acted, as whom, and for whom that one stood in."""
    person = names.get(by, by)
    if not acting_for or acting_for == by:
        return person
    other = names.get(acting_for, acting_for)
    if right_of is None:
        return tr("{person} for {absent}", person=person, absent=other)
    return tr(
        "{person} as {other}, for {absent}", person=person, other=other, absent=names.get(right_of, right_of)
    )


def _aside(text: str) -> str:
    return both(f"（{text}）", f" ({text})")


class _Facts(dict[str, str]):
    """Facts of an older version may lack a name: a dash stands for it."""

    def __missing__(self, key: str) -> str:
        return "–"


@dataclass(frozen=True, slots=True)
class _Words:
    """Puts facts into words: names for ids, local time for instants."""

    names: Names
    zone: ZoneInfo
    steps: Mapping[str, str]

    def of(self, value: Any, fact: str = "") -> str:
        if isinstance(value, bool):
            return tr("yes") if value else tr("no")
        if isinstance(value, str):
            return self.names.of(value, fact) or self.named_steps(value) or self.local(value)
        if isinstance(value, list):
            return self.listed(
                [self.row(each) if isinstance(each, Mapping) else self.of(each, fact) for each in value]
            )
        if isinstance(value, Mapping):
            return self.pairs(value)
        return "" if value is None else str(value)

    def listed(self, texts: list[str]) -> str:
        """Texts one after the other; of a long list the first, and how many there are."""
        shown = both("、", ", ").join(texts[:_SHOWN])
        return shown if len(texts) <= _SHOWN else tr("{some} … {count} in all", some=shown, count=len(texts))

    def row(self, value: Mapping[str, Any]) -> str:
        return both(f"（{self.pairs(value)}）", f"({self.pairs(value)})")

    def pairs(self, value: Mapping[str, Any]) -> str:
        between, colon = both("；", "; "), both("：", ": ")
        return between.join(f"{name}{colon}{self.of(each, name)}" for name, each in value.items())

    def step(self, element: str) -> str:
        """The name of the element, or of whatever else an entry is about."""
        return self.steps.get(element) or self.names.of(element) or element

    def named_steps(self, text: str) -> str:
        """Names of steps, where the text lists nothing but their ids, as a called process is given them."""
        names = [self.steps.get(part.strip()) for part in text.split(",")] if ", " in text else []
        return self.listed([name for name in names if name]) if names and all(names) else ""

    def local(self, text: str) -> str:
        if not _INSTANT.fullmatch(text):
            return text
        return moment_text(datetime.fromisoformat(text), self.zone)


def is_loud(line: Line) -> bool:
    """Whether an entry deserves attention."""
    return line.kind in (
        "deadline.missed",
        "element.failed",
        "job.failed",
        "instance.failed",
        "message.unreceived",
        "notice.undelivered",
        "round.uncalled",
    )
