"""What a procedure is: frozen values, as its files have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.calendar.due_grammar import COUNTINGS, Counting
from engine.calendar.rules import Rule
from engine.decisions import Decision
from engine.expressions import Expression
from engine.forms.form import Form, Text
from engine.strict_yaml import Document, Value


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a timer start event of the diagram starts instances."""

    start: str
    """The start event's id, which is the schedule's name."""
    rule: Rule
    written: Value
    """The rule as procedure.yaml has it: plain values."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that the procedure leaves open, seen by every expression under its name."""

    name: str
    value: Value
    title: Text
    options: tuple[Value, ...] = ()
    reading: str | None = None
    """The ambiguity of the source document that it settles."""


FILES = ("word", "pdf", "excel")
"""The kinds of files that a record may be kept as."""


@dataclass(frozen=True, slots=True)
class Record:
    """A controlled document that a step produces."""

    id: str
    title: Text
    code: str | None = None
    retention: str | None = None
    """An ISO 8601 duration, or `permanent`; None where the source says nothing."""
    files: tuple[str, ...] = ()
    """As which files it is kept, of `FILES`; none where the step that makes it decides (a task form's: plain text)."""


@dataclass(frozen=True, slots=True)
class Source:
    """The document that the procedure follows."""

    document: str
    revision: str | None = None
    section: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One part of the procedure otherwise than it is: what a mutant of a clause is made of."""

    kind: str
    """What kind of part: see `clauses.PARTS`."""
    id: str
    without: str | None = None
    """Its key, or property, that is left out; the part itself when there is neither this nor `put`."""
    put: Mapping[str, Value] | None = None
    """Keys, or properties, with the values that they get."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one part of the procedure is: the proof of a clause that only says what something means."""

    kind: str
    id: str
    holds: Mapping[str, Value]
    """Keys, or properties, with the values that they have."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One numbered requirement of the source document, in our own words."""

    id: str
    level: str
    statement: Text
    elements: tuple[str, ...]
    """Ids of the diagram's elements that fulfil it."""
    rules: tuple[str, ...]
    """What else fulfils it: schedules, parameters, records, decisions, handlers, or form fields as in `plan.budget`."""
    scenarios: tuple[str, ...]
    line: int
    mutants: tuple[tuple[Change, ...], ...] = ()
    """Each a procedure that breaks the clause: a named scenario has to notice it."""
    claims: tuple[Claim, ...] = ()
    fulfilled: Expression | None = None
    """What is true of an instance's variables once the clause is fulfilled: a quota that was met."""


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure, each file read by itself."""

    id: str
    code: str | None
    title: Text
    source: Source | None
    process: str
    """The id of the diagram's process that a start begins with."""
    called: bool
    """Made to be called by others, who say who does it: the organisation need not have its roles."""
    schedules: Mapping[str, Schedule]
    parameters: Mapping[str, Parameter]
    records: Mapping[str, Record]
    forms: Mapping[str, Form]
    decisions: Mapping[str, Decision]
    """Those of all its .dmn files, by id."""
    clauses: tuple[Clause, ...]
    scenarios: Document | None
    document: Document
    """procedure.yaml itself, to name its lines."""
    files: Mapping[str, bytes]
    """The bundle."""

    @property
    def diagram(self) -> bytes:
        """The diagram's XML."""
        return self.files[self.diagram_name]

    @property
    def diagram_name(self) -> str:
        """The diagram's file name."""
        return f"{self.id}.bpmn"

    @property
    def values(self) -> dict[str, Value]:
        """The parameters' values, by name."""
        return {name: parameter.value for name, parameter in self.parameters.items()}

    @property
    def counting(self) -> Counting | None:
        """How `counted` counts in its due dates; None when it has no such parameter."""
        return counting_of(self.parameters)


def counting_of(parameters: Mapping[str, Parameter]) -> Counting | None:
    """How the parameter `counting` counts; None when there is none."""
    found = parameters["counting"].value if "counting" in parameters else None
    return next((each for each in COUNTINGS if each == found), None)
