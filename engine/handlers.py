"""The registry in which a diagram's names of Python functions are looked up.

Four kinds: `inside` (what a service task does within the step's transaction: short, our database only),
`outside` (a job after the commit: may take long or touch the world, called again until it is known to have
worked), `collection` (where a multi-instance activity's items come from) and `verify` (what must hold before
a person's task counts as done). A name is `<subject>.<function>`, unique across the program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from engine.errors import Finding, Misbuilt, NotFound
from engine.ports import Connection

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
    note: Callable[[str, Values], None] = lambda _kind, _facts: None
    """Adds an entry to the instance's journal."""


Function = Callable[[Call], Any]
F = TypeVar("F", bound=Function)


@dataclass(frozen=True, slots=True)
class Handler:
    """One registered function."""

    name: str
    kind: Kind
    function: Function
    summary: str
    """The first line of its docstring, shown by `flow doctor --handlers`."""


@dataclass
class Handlers:
    """One subject's handlers; `include` joins several into the program's registry."""

    subject: str = ""
    known: dict[str, Handler] = field(default_factory=dict)

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

    def find(self, name: str, kind: Kind | None = None) -> Handler:
        """The handler of that name (and kind). Raises NotFound."""
        handler = self.known.get(name)
        if handler is None or (kind is not None and handler.kind is not kind):
            raise NotFound("No {kind} handler is called {name!r}", kind=kind or "", name=name)
        return handler

    def _add(self, kind: Kind, function: F) -> F:
        summary = (function.__doc__ or "").strip().partition("\n")[0]
        self._put(Handler(f"{self.subject}.{function.__name__}", kind, function, summary))
        return function

    def _put(self, handler: Handler) -> None:
        if handler.name in self.known:
            raise Misbuilt(
                [Finding("error", "", handler.name, "Two handlers have this name", "Rename one of them")]
            )
        self.known[handler.name] = handler
