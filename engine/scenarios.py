"""Scenarios: courses that a procedure has to be able to take, read from its scenarios.yaml (`rehearsal: flow/1`).

Pure values; `engine.rehearsal` plays them on a private database and a virtual clock. The format, key by key, is
described in processes/README.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from engine.forms.form import Text
from engine.forms.loading import read_text
from engine.strict_yaml import Document, Reader, Value, shown

WHOLE = "whole"
"""Where an element is expected: the promise of the instance as a whole."""
INSTANCE = "$instance"
"""In an order's values: the number of the instance that the scenario plays."""

Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Answer:
    """Who does a step, and with which values, unless a scenario says otherwise."""

    by: str
    values: Values


@dataclass(frozen=True, slots=True)
class Order:
    """A command that is no task: `command` is the name of its class, `values` its other fields."""

    command: str
    by: str
    values: Values


@dataclass(frozen=True, slots=True)
class Stage:
    """The made-up organisation in which every scenario of a file plays."""

    unit: str
    unit_name: str
    people: Mapping[str, tuple[str, ...]]
    """Roles held in the unit, by person."""
    answers: Mapping[str, Answer]
    """By element."""
    orders: Mapping[str, Order]
    before: tuple[str, ...]
    """Orders carried out before the start."""


@dataclass(frozen=True, slots=True)
class Begin:
    """How the instance starts."""

    at: datetime
    """Local time, without zone."""
    event: str | None
    """The start event; None for the plain one."""
    variables: Values
    parameters: Values
    """Parameters of the procedure that are set otherwise."""
    by_calendar: bool = False
    """Whether the procedure's own schedule has to start it at that time, and gives its dates."""
    before: tuple[str, ...] = ()
    """Orders carried out before this start, after those of the stage."""


@dataclass(frozen=True, slots=True)
class Act:
    """A task is handed in, or an order carried out: everything filled in from the stage."""

    at: datetime
    by: str
    values: Values
    element: str | None = None
    """The task's element; None for an order."""
    item: int | None = None
    """Which item of a batch the task belongs to, from 1; None where one task of the element is open."""
    order: Order | None = None
    late: bool = False
    """Whether the task's due date has passed by then."""
    refused: tuple[str, ...] = ()
    """Fields whose problems are expected; nothing changes then."""
    denied: bool = False
    """Whether it is expected that this person may not do it, or not now; nothing changes then."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is expected at a time: the elements of all open tasks, sorted."""

    at: datetime
    open: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is expected after the last step."""

    status: str
    missed: tuple[str, ...]
    """Elements with a missed deadline, sorted; all others were kept."""
    overdue: Mapping[str, tuple[str, ...]]
    """Roles that were told so, by element; elements not named are not judged."""
    variables: Values
    records: Values
    """Codes (None where it has none) of the records that steps filed, by element; others are not judged."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One course."""

    id: str
    title: Text
    begin: Begin
    dues: Mapping[str, str]
    """Expected due days (ISO), by element."""
    steps: tuple[Act | Look, ...]
    end: Outcome
    line: int


@dataclass(frozen=True, slots=True)
class Scenarios:
    """A file of scenarios."""

    stage: Stage
    scenarios: Mapping[str, Scenario] = field(default_factory=dict)


def read_scenarios(document: Document) -> Scenarios:
    """The scenarios in a file. Raises `Misbuilt` with every fault."""
    reader = document.reader()
    reader.choice("rehearsal", ("flow/1",))
    stage = _stage(reader.mapping("stage"))
    if not reader.has("scenarios"):
        reader.fault("scenarios is missing", "Add the courses that the procedure has to take")
    found = {
        name: _scenario(document, entry, name, stage)
        for name, entry in _entries(reader.optional_mapping("scenarios"))
    }
    reader.done()
    reader.raise_faults()
    return Scenarios(stage, found)


def _stage(reader: Reader) -> Stage:
    unit = reader.mapping("unit")
    identity, name = unit.text("id"), unit.text("name")
    unit.done()
    roles = _lists(reader.mapping("people"))
    answers = {name: _answer(entry, roles) for name, entry in _entries(reader.optional_mapping("answers"))}
    orders = {name: _order(entry, roles) for name, entry in _entries(reader.optional_mapping("orders"))}
    stage = Stage(identity, name, roles, answers, orders, _orders(reader, orders))
    reader.done()
    return stage


def _answer(entry: Reader, people: Mapping[str, object]) -> Answer:
    answer = Answer(_person(entry, people), _values(entry, "with"))
    entry.done()
    return answer


def _order(entry: Reader, people: Mapping[str, object]) -> Order:
    order = Order(entry.text("command"), _person(entry, people), _values(entry, "with"))
    entry.done()
    return order


def _scenario(document: Document, entry: Reader, name: str, stage: Stage) -> Scenario:
    title = read_text(entry, "title")
    begin = _begin(entry.mapping("start"), stage)
    due = entry.optional_mapping("dues")
    elements = due.keys() if due else ()
    dues = {element: _day(due, element) for element in elements if due}
    steps: list[Act | Look] = []
    at = begin.at
    for each in entry.mappings("steps"):
        step = _step(each, stage, at)
        if step.at < at:
            each.fault("The step lies before the one above it", "Put the steps in order of time", at=("at",))
        at = max(at, step.at)
        steps.append(step)
    scenario = Scenario(
        name, title, begin, dues, tuple(steps), _outcome(entry.mapping("end")), document.line(entry.path)
    )
    entry.done()
    return scenario


def _orders(entry: Reader, known: Mapping[str, Order]) -> tuple[str, ...]:
    """The orders named under `before`."""
    before = entry.texts("before", required=False)
    for index, each in enumerate(before):
        _known(entry, each, known, "order", ("before", index))
    return before


def _begin(entry: Reader, stage: Stage) -> Begin:
    begin = Begin(
        _moment(entry, "at"),
        entry.optional_text("event"),
        _values(entry, "variables"),
        _values(entry, "parameters"),
        entry.boolean("by_calendar"),
        _orders(entry, stage.orders),
    )
    if begin.by_calendar and (begin.event is None or begin.variables or begin.parameters):
        remedy = "Name the event, and delete variables and parameters: the schedule gives the dates"
        entry.fault("What starts by the calendar is given nothing else", remedy, at=("by_calendar",))
    entry.done()
    return begin


def _step(entry: Reader, stage: Stage, before: datetime) -> Act | Look:
    at = _moment(entry, "at") if entry.has("at") else before
    kinds = [kind for kind in ("do", "order", "open") if entry.value(kind) is not None]
    if len(kinds) != 1:
        entry.fault("A step needs exactly one of do, order, open", "Keep one of them")
    if kinds[:1] == ["open"]:
        look = Look(at, tuple(sorted(entry.texts("open", required=False))))
        entry.done()
        return look
    if kinds[:1] == ["order"]:
        name = entry.text("order")
        _known(entry, name, stage.orders, "order", ("order",))
        given: Answer | Order = stage.orders.get(name, Order("", "", {}))
        element = None
    else:
        element = entry.text("do") if kinds else ""
        given = stage.answers.get(element, Answer("", {}))
    act = Act(
        at=at,
        by=_person(entry, stage.people, given.by),
        values=_merged(given.values, _values(entry, "with")),
        element=element,
        item=entry.integer("item", 1) if entry.has("item") else None,
        order=given if isinstance(given, Order) else None,
        late=entry.boolean("late"),
        refused=entry.texts("refused", required=False),
        denied=entry.boolean("denied"),
    )
    if act.denied and act.refused:
        remedy = "Keep one of them: who may not do it is told no more"
        entry.fault("A step is both denied and refused", remedy, at=("denied",))
    entry.done()
    return act


def _outcome(entry: Reader) -> Outcome:
    overdue = entry.optional_mapping("overdue")
    outcome = Outcome(
        status=entry.choice("status", ("completed", "running", "cancelled", "failed")),
        missed=tuple(sorted(entry.texts("missed", required=False))),
        overdue=_lists(overdue) if overdue else {},
        variables=_values(entry, "variables"),
        records=_values(entry, "records"),
    )
    entry.done()
    return outcome


def _entries(block: Reader | None) -> Iterator[tuple[str, Reader]]:
    names = block.keys() if block else ()
    for name in names:
        if block is not None:
            yield name, block.mapping(name)


def _lists(block: Reader) -> dict[str, tuple[str, ...]]:
    names = block.keys()
    return {name: block.texts(name) for name in names}


def _person(entry: Reader, people: Mapping[str, object], default: str = "") -> str:
    person = (entry.optional_text("by") or default) if default else entry.text("by")
    if person:
        _known(entry, person, people, "person", ("by",))
    return person


def _known(
    entry: Reader, name: str, known: Mapping[str, object], kind: str, at: tuple[str | int, ...]
) -> None:
    if name and name not in known:
        remedy = "Name one of {known}, or add it to the stage"
        params = {"kind": kind, "name": name, "known": ", ".join(known)}
        entry.fault("The stage has no {kind} {name}", remedy, at=at, **params)


def _values(entry: Reader, key: str) -> Values:
    found = entry.value(key)
    if found is None or isinstance(found, dict):
        return found or {}
    remedy = "Write names with values, as in {{d0: …}}"
    entry.fault("{key} expects a mapping, found {found}", remedy, at=(key,), key=key, found=shown(found))
    return {}


def _merged(standing: Values, given: Values) -> Values:
    """The standing values with those given in their place; null takes one away."""
    both = {**standing, **given}
    return {name: value for name, value in both.items() if value is not None}


def _moment(entry: Reader, key: str) -> datetime:
    text = entry.text(key)
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M")  # noqa: DTZ007 - local time, as people write it
    except ValueError:
        if text:
            entry.fault("{text} is no time", 'Write it as in "2026-09-14 09:00"', at=(key,), text=text)
        return datetime.min  # noqa: DTZ901


def _day(entry: Reader, key: str) -> str:
    text = entry.text(key)
    try:
        datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007
    except ValueError:
        if text:
            entry.fault("{text} is no day", 'Write it as in "2026-09-14"', at=(key,), text=text)
    return text
