"""`flow procedure trace`: for every clause of the source documents, what fulfils it and which scenarios prove it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from console import folders, output
from console.completions import procedures
from console.language import Messages, chosen, tr
from console.session import Session
from console.shape import Command
from engine.errors import NotFound

if TYPE_CHECKING:
    from console.folders import Folder
    from engine.procedures import Clause, Procedure

_LEVELS: Messages = {"must": "must", "should": "should", "may": "may"}


@click.command("trace", cls=Command, example="flow procedure trace 003G\nflow procedure trace --json")
@click.argument("name", metavar="[PROCEDURE]", required=False, shell_complete=procedures)
@click.pass_obj
def trace(session: Session, name: str | None) -> None:
    """Show for every clause of the source documents what fulfils it and which scenarios prove it.

    Without PROCEDURE, those of every procedure: the workspace's own, where it has copies, else as shipped. No workspace
    is needed.
    """
    known = folders.at_hand(session)
    wanted = _wanted(known, name)
    found = [(each, clause) for each in wanted for clause in each.clauses]
    if session.json:
        output.dump([_plain(each, clause) for each, clause in found])
        return
    if name is not None and wanted[0].called and not found:
        output.say(
            "{name} is a shared block, without clauses of its own: they are traced with the procedures that call it: "
            "{callers}",
            name=name, callers=", ".join(_callers(wanted[0], known)) or "—",
        )  # fmt: skip
        return
    for each in dict.fromkeys(procedure.id for procedure, _ in found):
        _show([(procedure, clause) for procedure, clause in found if procedure.id == each])
    loose = [
        clause.id for _, clause in found
        if clause.level == "must" and not ((clause.elements or clause.rules) and clause.scenarios)
    ]  # fmt: skip
    output.say("{count} clauses of {procedures} procedures", count=len(found),
               procedures=len({each.id for each, _ in found}))  # fmt: skip
    if loose:
        output.warn("No scenario proves: {clauses}", clauses=", ".join(loose))


def _callers(block: Procedure, known: list[Folder]) -> list[str]:
    """The codes of those that call a shared block and are called by nobody themselves."""
    calling = (
        each
        for each in known
        if not each.about().get("called") and any(it.id == block.id for it in folders.called(each, known))
    )
    return sorted({str(each.about().get("code", each.id)) for each in calling})


def _wanted(known: list[Folder], name: str | None) -> list[Procedure]:
    if name is None:
        return [
            each.load()
            for each in sorted(known, key=lambda each: (str(each.about().get("code", "~")), each.id))
        ]
    found = folders.named(name, known)
    if found is None:
        raise NotFound("No procedure {name} is shipped; see `flow procedure list --shipped`", name=name)
    return [found.load()]


def _plain(procedure: Procedure, clause: Clause) -> dict[str, object]:
    return {
        "procedure": procedure.id,
        "clause": clause.id,
        "level": clause.level,
        "statement": clause.statement.of(chosen()),
        "elements": clause.elements,
        "rules": clause.rules,
        "scenarios": clause.scenarios,
    }


def _show(found: list[tuple[Procedure, Clause]]) -> None:
    """Print the clauses of a procedure: what each says, the names of its elements and scenarios."""
    from engine.bpmn.reader import read
    from engine.scenarios import read_scenarios

    procedure = found[0][0]
    names: dict[str, str] = {}
    for each in read(procedure.diagram).processes.values():
        names |= {each.id: each.name, **{lane.id: lane.name for lane in each.lanes}}
        names |= {node.id: node.name for node in each.nodes.values()}
        names |= {flow.id: flow.name or "" for flow in each.flows.values()}
    document = procedure.scenarios
    courses = {} if document is None else read_scenarios(document).scenarios
    titles = {name: course.title.of(chosen()) for name, course in courses.items()}
    output.heading(f"{procedure.code or procedure.id}  {procedure.title.of(chosen())}")
    for _, clause in found:
        output.echo(f"{clause.id}  {tr(_LEVELS[clause.level])}  {clause.statement.of(chosen())}")
        output.fields(
            (
                (tr("fulfilled by"), ", ".join(_named(each, names) for each in clause.elements)),
                (tr("rules"), ", ".join(clause.rules)),
                (tr("proven by"), ", ".join(_named(each, titles) for each in clause.scenarios)),
            ),
            indent=4,
        )


def _named(id_: str, names: Mapping[str, str]) -> str:
    return f"{names[id_]} ({id_})" if names.get(id_) else id_
