"""What can go wrong, in the words of whoever asked.

    EngineError
      NotFound      nothing by that name
      Denied        this person may not
      Conflict      true a moment ago, no longer
      Invalid       the values do not fit the form (problems by field)
      Misbuilt      a procedure or diagram contradicts itself (every fault listed)

Two tables, one in `console` and one in `web`, turn a kind into an exit code and an HTTP status.
Nothing else is caught there: a bug stays a traceback.

A message is a template with named parameters, so that it can be shown in another language:
`str(error)` is the English text, `error.template` and `error.params` are what a catalogue needs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping


class EngineError(Exception):
    """Base of every error a person may be shown."""

    def __init__(self, template: str, /, **params: object) -> None:
        super().__init__(template, params)
        self.template = template
        self.params = params

    def __str__(self) -> str:
        return self.template.format(**self.params) if self.params else self.template


class NotFound(EngineError):
    """Nothing by that name."""


class Denied(EngineError):
    """This person may not do that."""


class Conflict(EngineError):
    """The thing changed, or moved on, since it was read."""


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one field: where (`quality.q1`, a row, a line) and what, with the remedy."""

    field: str
    template: str
    params: Mapping[str, object] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        text = self.template.format(**self.params) if self.params else self.template
        return f"{self.field}: {text}" if self.field else text


class Invalid(EngineError):
    """The submitted values do not fit; `problems` names every field."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("The values do not fit")

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.problems)


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One fault of a procedure or diagram.

    `level` is `error` (cannot run faithfully: refused by publish and by rehearsal) or `incomplete`
    (drawing, role, form, handler or schedule missing: refused by publish only).
    """

    level: str
    file: str
    """The file inside the procedure's folder, or empty for a bare diagram."""
    element: str
    """The BPMN element's id, the YAML path, or `line N`."""
    template: str
    """The reason."""
    remedy_template: str
    params: Mapping[str, object] = dataclasses.field(default_factory=dict)
    line: int | None = None
    """The line of the file, from 1, where it is known."""

    @property
    def reason(self) -> str:
        """The reason in English, its parameters filled in."""
        return self.template.format(**self.params) if self.params else self.template

    @property
    def remedy(self) -> str:
        """What is to be done about it, in English, its parameters filled in."""
        return self.remedy_template.format(**self.params) if self.params else self.remedy_template

    def __str__(self) -> str:
        place = " ".join(part for part in (self.file, self.element) if part)
        return f"{place}: {self.reason}. {self.remedy}".strip()


class Misbuilt(EngineError):
    """A procedure or diagram cannot be accepted; `findings` lists every fault, not only the first."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("The procedure cannot be accepted")

    def __str__(self) -> str:
        return "\n".join(str(finding) for finding in self.findings)
