"""The registry in which a diagram's names of Python functions are looked up.

Four kinds: `inside` (what a service task does within the step's transaction: short, our database only),
`outside` (a job after the commit: may take long or touch the world, called again until it is known to have
worked), `collection` (where a multi-instance activity's items come from) and `verify` (what must hold before
a person's task counts as done). A name is `<subject>.<function>`, unique across the program.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import EngineError, Finding, Misbuilt, NotFound
from engine.ports import Connection

if TYPE_CHECKING:
    from engine.forms import Form

Values = Mapping[str, object]


class Kind(StrEnum):
    """What a handler is called for."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    COLLECTION = "collection"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Everything a handler is told. What it changes it changes through `conn` and by what it returns."""

    instance: int
    label: str
    """`SV-12`."""
    root: int
    """The instance at the top of the calls; itself when it was not called."""
    unit: str
    procedure: str
    element: str
    name: str
    """The element's label in the diagram."""
    properties: Mapping[str, str]
    """The element's `flow.` properties."""
    variables: Mapping[str, Any]
    parameters: Mapping[str, Any]
    by: str
    now: datetime
    today: str
    """The date in the organisation's zone, ISO 8601."""
    conn: Connection
    """The step's transaction; for an outside handler a reading connection only."""
    folder: Path
    """The workspace, for files a handler writes (outside handlers) or reads."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """For `verify`: what the person entered."""
    item: Any = None
    """For a batch's item: the item."""
    key: str = ""
    """For `outside`: the idempotency key, the same when the call is repeated."""
    who: str = ""
    """Whose rights count: `by`, or the person they act for (`--as`)."""
    zone: tzinfo = UTC
    """In which days begin and end."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """The roles that the caller of the process has others for: see `role`."""
    filed: tuple[str, str] | None = None
    """As what the step's record is filed: the hash of the definition that knows it (a caller's, where that says so),
    and its id there."""
    kept: Mapping[str, Any] = field(default_factory=dict)
    """When it counts anew (see `counts`): of the values it set those that people have put right since, which stay."""
    note: Callable[[str, Values], None] = lambda _kind, _facts: None
    """Adds an entry to the instance's journal."""

    def role(self, own: str) -> str:
        """The role to look for in the organisation: the caller's, where it has another for this one."""
        return self.roles.get(own, own)


Function = Callable[[Call], Any]
F = TypeVar("F", bound=Function)


Judge = Callable[[Any], object]
"""Reads what somebody wrote; raises EngineError that says what is wrong with it."""


FileJudge = Callable[[str, bytes, Sequence[Mapping[str, str]]], object]
"""Reads a file of a procedure, given its name, content and the properties of all steps; raises Misbuilt."""


FormSetter = Callable[["Call", "Form", str, str], Mapping[str, bytes]]
"""Makes files of a form that was filled in (`Call.values`), given its task's id and, in words, who filled it in."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The properties and parameters of a function, by name, with who judges their values."""

    properties: Mapping[str, Judge]
    parameters: Mapping[str, Judge]
    needed: frozenset[str]
    """The properties that may not be missing."""


@dataclass(frozen=True, slots=True)
class Handler:
    """One registered function."""

    name: str
    kind: Kind
    function: Function
    summary: str
    """The first line of its docstring, shown by `flow doctor --handlers`."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """The roles it asks for, by id, with what people call them: see `asks_for`."""
    settings: Settings | None = None
    """What it takes from the diagram and the procedure: see `takes`."""
    first: Function | None = None
    """What an outside function does before, in the step's transaction: see `after`."""
    recount: Function | None = None
    """What it counts by the working-day calendar, counted anew: see `counts`."""


def asks_for(roles: Mapping[str, str]) -> Callable[[F], F]:
    """Say which roles (id: what people call it) a function looks for in the organisation.

    Stands beneath the registration; `flow procedure add` and `check` name those that org.yaml lacks.
    """

    def mark(function: F) -> F:
        vars(function)[_ROLES] = dict(roles)
        return function

    return mark


def after(first: Callable[[Call], None]) -> Callable[[F], F]:
    """Say what an outside function needs done before it, in the step's own transaction and once.

    Stands beneath the registration. For what must not wait for a job, as a round that takes no more returns from
    the moment its figures are asked for.
    """

    def mark(function: F) -> F:
        vars(function)[_FIRST] = first
        return function

    return mark


def counts(recount: Callable[[Call], Values] | None = None) -> Callable[[F], F]:
    """Say that an inside function sets dates which it counts by the working-day calendar.

    Stands beneath the registration. When a working-day table is imported, or a date put right that it counted from,
    `recount` is asked for them again, told what the step knew and when; without one the function itself is, which then
    does nothing but count. What others have set since stays.
    """

    def mark(function: F) -> F:
        vars(function)[_RECOUNT] = recount or function
        return function

    return mark


def takes(
    needed: Mapping[str, Judge] | None = None,
    optional: Mapping[str, Judge] | None = None,
    parameters: Mapping[str, Judge] | None = None,
) -> Callable[[F], F]:
    """Say which `flow.` properties a function takes, and which of the procedure's parameters.

    Stands beneath the registration. The check refuses values that a judge refuses, needed properties that are
    missing, and any other property of the element, so that a slip of the pen is found before anything runs.
    """
    needed, optional = needed or {}, optional or {}
    settings = Settings({**needed, **optional}, parameters or {}, frozenset(needed))

    def mark(function: F) -> F:
        vars(function)[_SETTINGS] = settings
        return function

    return mark


def number(least: float, most: float | None = None, *, whole: bool = False) -> Judge:
    """A judge of numbers, written as such or as text: from `least` to `most`."""

    def judge(value: Any) -> None:
        text = str(value).strip()
        fits = re.fullmatch(r"-?[0-9]{1,15}" if whole else r"-?[0-9]{1,15}(\.[0-9]{1,15})?", text)
        if (
            fits
            and not isinstance(value, bool)
            and least <= float(text) <= (math.inf if most is None else most)
        ):
            return
        if most is None:
            template = (
                "{value} is no whole number from {least}" if whole else "{value} is no number from {least}"
            )
        elif whole:
            template = "{value} is no whole number from {least} to {most}"
        else:
            template = "{value} is no number from {least} to {most}"
        raise EngineError(template, value=text[:40] or "''", least=least, most=most)

    return judge


def anything(value: Any) -> None:
    """The judge who takes any value."""


def a_role(value: Any) -> None:
    """The judge of properties that name a role: the organisation has to have it."""
    if not re.fullmatch(r"[\w.-]+", str(value).strip()):
        raise EngineError("{value} is not one role", value=value)


_ROLES = "asks_for_roles"
_SETTINGS = "takes_settings"
_FIRST = "done_first"
_RECOUNT = "counted_anew"


@dataclass
class Handlers:
    """One subject's handlers; `include` joins several into the program's registry."""

    subject: str = ""
    known: dict[str, Handler] = field(default_factory=dict)
    files: dict[str, FileJudge] = field(default_factory=dict)
    """Who judges the files of a procedure that only functions read, by pattern (`templates/*.docx`)."""
    form_setter: FormSetter | None = None
    """Who makes the documents of forms that a procedure keeps as such (`files` of a record)."""

    def judges(self, pattern: str) -> Callable[[FileJudge], FileJudge]:
        """Register who judges such files of a procedure before it is published."""

        def mark(judge: FileJudge) -> FileJudge:
            self.files[pattern] = judge
            return judge

        return mark

    def sets_forms(self, function: FormSetter) -> FormSetter:
        """Register who makes the documents of forms."""
        self.form_setter = function
        return function

    def inside(self, function: Callable[[Call], Values]) -> Callable[[Call], Values]:
        """Register what a service task does in the step's transaction; it returns the variables it sets."""
        return self._add(Kind.INSIDE, function)

    def outside(self, function: Callable[[Call], Values]) -> Callable[[Call], Values]:
        """Register what a service task does after the commit; it returns the variables it sets."""
        return self._add(Kind.OUTSIDE, function)

    def collection(self, function: Callable[[Call], Iterable[object]]) -> Callable[[Call], Iterable[object]]:
        """Register where a multi-instance activity's items come from."""
        return self._add(Kind.COLLECTION, function)

    def verify(self, function: Callable[[Call], None]) -> Callable[[Call], None]:
        """Register what must hold before a task is done; it raises Invalid with the problems by field."""
        return self._add(Kind.VERIFY, function)

    def include(self, other: Handlers) -> None:
        """Add another subject's handlers. Raises Misbuilt when a name is taken."""
        for handler in other.known.values():
            self._put(handler)
        self.files |= other.files
        self.form_setter = other.form_setter or self.form_setter

    def find(self, name: str, kind: Kind | None = None) -> Handler:
        """The handler of that name (and kind). Raises NotFound."""
        handler = self.known.get(name)
        if handler is None or (kind is not None and handler.kind is not kind):
            if kind is None:
                raise NotFound("No function is called {name}", name=name)
            raise NotFound("No function of the kind {kind} is called {name}", kind=kind.value, name=name)
        return handler

    def _add(self, kind: Kind, function: F) -> F:
        summary = (function.__doc__ or "").strip().partition("\n")[0]
        name = f"{self.subject}.{function.__name__}"
        marks = vars(function)
        roles, settings = marks.get(_ROLES, {}), marks.get(_SETTINGS)
        first, recount = marks.get(_FIRST), marks.get(_RECOUNT)
        self._put(Handler(name, kind, function, summary, roles, settings, first, recount))
        return function

    def _put(self, handler: Handler) -> None:
        if handler.name in self.known:
            raise Misbuilt(
                [Finding("error", "", handler.name, "Two handlers have this name", "Rename one of them")]
            )
        self.known[handler.name] = handler
