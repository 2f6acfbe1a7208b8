"""`flow procedure check`: procedures and bare diagrams judged, alone or by the folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import failures, folders, output
from console import session as surroundings
from console.completions import procedures
from console.language import tr
from console.session import Session
from console.shape import Command
from engine.errors import Finding, Misbuilt, NotFound
from engine.files import is_there, read_file

if TYPE_CHECKING:
    from engine.check import World
    from engine.handlers import Handlers
    from engine.procedures import Procedure

_LINE = re.compile(r"line ([0-9]+)")
FOUND = 1
"""The exit code when there is something to object to."""


@dataclass(frozen=True, slots=True)
class _Checked:
    """One procedure or diagram, and what is wrong with it."""

    name: str
    findings: list[Finding]
    path: Callable[[str], str]
    """From a file, as findings name it, to where it lies."""


@click.command(
    "check",
    cls=Command,
    example="flow procedure check 003G\nflow procedure check drafts/ order.bpmn --json",
)
@click.argument("names", metavar="PROCEDURE|FILE...", nargs=-1, required=True, shell_complete=procedures)
@click.pass_obj
def check(session: Session, names: tuple[str, ...]) -> None:
    """Check procedures whole, and bare diagrams: what publish or a rehearsal would refuse, with place and remedy.

    PROCEDURE is an id, a code or a folder; FILE is a diagram, a folder of diagrams and procedures, or a pattern
    such as 'drafts/*.bpmn', and needs no workspace. The diagram of a procedure's folder is judged as that procedure; of
    any other its functions, called processes and the decision tables beside it have to be there, and in a workspace its
    roles and forms too. Exit code 0 when there is nothing to object to, else 1.
    """
    found = [checked for name in names for checked in _checked(session, name)]
    if session.json:
        output.dump([_plain(each, checked.path(each.file)) for checked in found for each in checked.findings])
    else:
        for checked in found:
            if checked.findings:
                output.heading(checked.name)
                failures.show_findings(Misbuilt(checked.findings))
            else:
                said = tr("{name}: nothing to object to", name=checked.name)
                output.echo(click.style("✓ ", fg="green") + said)
    if any(checked.findings for checked in found):
        click.get_current_context().exit(FOUND)


def _checked(session: Session, name: str) -> Iterator[_Checked]:
    """What a name on the command line means, checked. Raises NotFound when it means nothing."""
    path = Path(name)
    if is_there(path):
        yield _diagram(session, path)
    elif path.is_dir() and not (path / folders.PROCEDURE).is_file():
        yield from _folder(session, path)
    elif any(sign in name for sign in "*?["):
        matching = sorted(Path(path.anchor or ".").glob(str(path.relative_to(path.anchor))))
        if not matching:
            raise NotFound("Nothing matches {pattern}", pattern=name)
        for each in matching:
            yield from _checked(session, str(each))
    elif path.is_dir():
        yield _procedure(session, folders.at(path))
    elif folders.is_diagram(path):
        raise NotFound("There is no file {file}", file=path)
    else:
        yield _procedure(session, folders.find(session.workspace, name))


def _folder(session: Session, path: Path) -> Iterator[_Checked]:
    """Everything in a folder: procedures, and diagrams that belong to none."""
    homes = [file.parent for file in _shown(path, folders.PROCEDURE)]
    for home in homes:
        yield _procedure(session, folders.at(home))
    diagrams = [each for each in _shown(path, "*.bpmn") if each.parent not in homes]
    if not homes and not diagrams:
        raise NotFound("{folder} holds neither a procedure nor a diagram", folder=path)
    for diagram in diagrams:
        yield _diagram(session, diagram)


def _shown(path: Path, pattern: str) -> list[Path]:
    """What matches in a folder, but for what is hidden: a copy that is being made, or was broken off."""
    found = sorted(path.rglob(pattern))
    return [
        each for each in found if not any(part.startswith(".") for part in each.relative_to(path).parts[:-1])
    ]


def _diagram(session: Session, path: Path) -> _Checked:
    """A diagram: as its procedure is judged, if it is the one of a folder's; else bare."""
    from engine.check import Around, check_bare
    from engine.decisions.document import MAX_BYTES as MOST_OF_TABLE
    from engine.queries import definitions, organisation
    from engine.xml_text import MAX_BYTES

    folder = folders.of_diagram(path)
    if folder is not None:
        return _procedure(session, folder)
    around = Around(
        registry=_registry(),
        tables=lambda: {
            each.name: read_file(each, MOST_OF_TABLE) for each in sorted(path.parent.glob("*.dmn"))
        },
    )
    if session.in_workspace:
        with session.read() as conn:
            around = replace(
                around,
                published=definitions.processes(conn),
                registry=session.app.services.registry,
                roles=organisation.roles(conn),
                forms={each.stem for each in session.workspace.forms.glob("*/*.yaml")},
                name=path.stem,
            )
    found = check_bare(read_file(path, MAX_BYTES), around)
    return _Checked(str(path), found, lambda file: str(path.parent / file) if file else str(path))


def _procedure(session: Session, folder: folders.Folder) -> _Checked:
    try:
        loaded = folder.load()
        found = _findings(session, loaded)
    except Misbuilt as error:
        found = list(error.findings)
    return _Checked(folder.id, found, lambda file: _path(folder, file))


def _findings(session: Session, loaded: Procedure) -> list[Finding]:
    from engine.check import check as findings_of

    return findings_of(loaded, _world(session, loaded))


def _world(session: Session, loaded: Procedure) -> World:
    """The organisation that a procedure has to fit; outside a workspace, one with the roles it needs."""
    from engine.check import World, called_in, needed_roles
    from engine.commands.published import described
    from engine.queries import definitions, organisation

    if not session.in_workspace:
        registry = _registry()
        return World(needed_roles(loaded, registry), registry)
    services = session.app.services
    with session.read() as conn:
        published = definitions.processes(conn)
        calls = {name: published[name] for name in called_in(loaded) if name in published}
        known = described(conn, services.library, services.registry, calls)
        return World(organisation.roles(conn), services.registry, published, known)


def _registry() -> Handlers:
    """The functions that the program has, without a workspace."""
    from engine.handlers import Handlers

    registry = Handlers()
    for subject in surroundings.subjects():
        registry.include(subject.handlers)
    return registry


def _path(folder: folders.Folder, file: str) -> str:
    """A file of a procedure's bundle as a path."""
    if file.startswith("forms/"):
        return str(folder.forms / folder.id / file.removeprefix("forms/"))
    return str(folder.folder / file) if file else str(folder.folder)


def _plain(finding: Finding, file: str) -> dict[str, object]:
    """A finding as a program reads it. The keys stay; `line` is null and `element` empty where none is known."""
    _, reason, remedy = failures.finding_texts(finding)
    line = _LINE.fullmatch(finding.element)
    return {
        "file": file,
        "line": int(line[1]) if line else finding.line,
        "element": "" if line else finding.element,
        "level": finding.level,
        "reason": reason,
        "remedy": remedy,
    }
