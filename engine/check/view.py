"""What the checks of a procedure look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.bpmn.diagram import Diagram, Node, Process
from engine.bpmn.rules.chart import Chart
from engine.errors import Finding
from engine.expressions import Texts
from engine.procedures import Procedure
from engine.strict_yaml import Path, nearest


@dataclass(frozen=True, slots=True)
class View:
    """A procedure with its diagram read."""

    procedure: Procedure
    diagram: Diagram
    texts: Texts

    @property
    def main(self) -> Process | None:
        """The process that a start begins with."""
        return self.diagram.processes.get(self.procedure.process)

    @property
    def processes(self) -> list[Process]:
        """The processes that are run; one not executable shows another participant."""
        return [process for process in self.diagram.processes.values() if process.executable]

    @property
    def nodes(self) -> Iterator[Node]:
        """The nodes of all of them."""
        for process in self.processes:
            yield from process.nodes.values()

    @property
    def charts(self) -> list[Chart]:
        """Each process laid out for judging."""
        return [Chart(self.diagram, process, self.texts) for process in self.processes]

    def incomplete(self, element: str, template: str, remedy: str, /, **params: object) -> Finding:
        """Something is missing in the diagram, or for it."""
        return Finding("incomplete", self.procedure.diagram_name, element, template, remedy, params)

    def missing(self, path: Path, template: str, remedy: str, /, **params: object) -> Finding:
        """Something in procedure.yaml has no counterpart."""
        document = self.procedure.document
        return Finding("incomplete", document.name, f"line {document.line(path)}", template, remedy, params)


def meant(word: str, known: Iterable[str], otherwise: str) -> tuple[str, str | None]:
    """The remedy for an unknown name, and the known one that it resembles."""
    close = nearest(word, known)
    return ("Did you mean {meant}?" if close else otherwise), close
