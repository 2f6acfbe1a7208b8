"""Procedures as folders: in the workspace, where they are edited, and those shipped with the program."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine import config, strict_yaml
from engine.bpmn.reader import read
from engine.errors import Conflict, EngineError, NotFound
from engine.files import is_there, read_file
from engine.procedures import Procedure, load

if TYPE_CHECKING:
    from console.session import Session

PROCEDURE = "procedure.yaml"


@dataclass(frozen=True, slots=True)
class Folder:
    """A procedure's folder and the folder in which its forms have theirs."""

    folder: Path
    forms: Path

    @property
    def id(self) -> str:
        """The procedure's id, which is the folder's name."""
        return self.folder.name

    def load(self) -> Procedure:
        """The procedure. Raises Misbuilt with every fault."""
        return load(self.folder, self.forms)

    def about(self) -> dict[str, object]:
        """What procedure.yaml says, as far as it can be read."""
        try:
            value = strict_yaml.load(_main(self.folder), PROCEDURE).value
        except EngineError:
            return {}
        return dict(value) if isinstance(value, dict) else {}


def of_workspace(workspace: config.Workspace) -> list[Folder]:
    """The procedures that are edited here."""
    return list(_folders(workspace.processes, workspace.forms))


def shipped() -> list[Folder]:
    """The procedures that come with the program."""
    home = config.shipped()
    return list(_folders(home / "processes", home / "forms"))


def at_hand(session: Session) -> list[Folder]:
    """The workspace's own procedures, and those shipped that it has no copy of; no workspace is needed."""
    own: list[Folder] = []
    with suppress(NotFound):
        own = of_workspace(session.workspace)
    there = {each.id for each in own}
    return own + [each for each in shipped() if each.id not in there]


def _folders(processes: Path, forms: Path) -> Iterator[Folder]:
    found = []
    for each, inner, files in os.walk(processes, onerror=_tell):
        inner[:] = [name for name in inner if not name.startswith(".")]  # a copy under way, or broken off
        if PROCEDURE in files:
            found.append(Path(each))
    yield from (Folder(each, forms) for each in sorted(found))


def _tell(fault: OSError) -> None:
    """A folder that may not be read is not the same as one without procedures."""
    if not isinstance(fault, FileNotFoundError):
        raise fault


def named(name: str, known: list[Folder]) -> Folder | None:
    """The one of that id or code."""
    wanted = name.casefold()
    return next(
        (each for each in known if wanted in (each.id, str(each.about().get("code", "")).casefold())), None
    )


def is_diagram(file: Path) -> bool:
    """Whether a file is meant, be it there or not, and not a procedure by its name."""
    return is_there(file) or file.suffix.lower() in (".bpmn", ".xml")


def find(workspace: config.Workspace, name: str) -> Folder:
    """A procedure of the workspace by id or code, or any by its path. Raises NotFound."""
    found = named(name, of_workspace(workspace))
    if found is not None:
        return found
    if (Path(name) / PROCEDURE).is_file():
        return at(Path(name))
    for each in of_workspace(workspace):  # one whose file cannot be read may be the one that is meant
        strict_yaml.load(_main(each.folder), f"{each.id}/{PROCEDURE}")
    if (workspace.processes / name).is_dir():
        template = "{folder} has no procedure.yaml: write one there as docs/formats.md says"
        raise NotFound(template, folder=workspace.processes / name)
    raise NotFound(
        "The workspace has no procedure {name}: see `flow procedure list`, or copy a shipped one with "
        "`flow procedure add {name}`",
        name=name,
    )


def _main(folder: Path) -> bytes:
    return read_file(folder / PROCEDURE, strict_yaml.MAX_BYTES)


def at(path: Path) -> Folder:
    """A procedure by its path; its forms are looked for where a workspace has them."""
    folder = path.resolve()
    home = next((each for each in folder.parents if each.name == "processes"), folder.parent)
    return Folder(folder, home.parent / "forms")


def of_diagram(file: Path) -> Folder | None:
    """The procedure whose diagram a file is, by where it lies and what it is called."""
    found = at(file.parent) if (file.parent / PROCEDURE).is_file() else None
    return found if found is not None and file.name == f"{found.id}.bpmn" else None


def copy(workspace: config.Workspace, name: str) -> list[Folder]:
    """Copy a shipped procedure, and the shared ones it calls, into the workspace. Returns the copies.

    Raises NotFound for one that is not shipped, Conflict when it is there already.
    """
    known = shipped()
    source = named(name, known)
    if source is None:
        raise NotFound("No procedure {name} is shipped; see `flow procedure list --shipped`", name=name)
    target = _target(workspace, source)
    if target.exists():
        raise Conflict("{folder} is there already", folder=target)
    copies = []
    for each in [*called(source, known), source]:
        target = _target(workspace, each)
        if not target.exists():
            if (each.forms / each.id).is_dir() and not (workspace.forms / each.id).exists():
                _copy(each.forms / each.id, workspace.forms / each.id)
            _copy(each.folder, target)
            copies.append(Folder(target, workspace.forms))
    return copies


def _target(workspace: config.Workspace, source: Folder) -> Path:
    return workspace.processes / source.folder.relative_to(config.shipped() / "processes")


def called(source: Folder, known: list[Folder]) -> list[Folder]:
    """Those of the known procedures that a procedure calls, itself or through others, callees before callers."""
    by_process = {str(each.about().get("process")): each for each in reversed(known)}  # the first counts
    found: list[Folder] = []

    def visit(folder: Folder) -> None:
        diagram = read(folder.load().diagram)
        named = {node.called for process in diagram.processes.values() for node in process.nodes.values()}
        for process in sorted(each for each in named if each):
            callee = by_process.get(process)
            if callee is not None and callee not in (*found, source):
                visit(callee)
                found.append(callee)

    visit(source)
    return found


def _copy(source: Path, target: Path) -> None:
    """Leaving out caches and hidden files; read-only sources become files to be edited."""
    files = {}
    for file in sorted(source.rglob("*")):
        parts = file.relative_to(source).parts
        if file.is_file() and not any(part.startswith((".", "__")) for part in parts):
            files["/".join(parts)] = file.read_bytes()
    write(target, files)


def write(target: Path, files: Mapping[str, bytes]) -> None:
    """Make a folder of these files (name to content), whole or not at all; without files, none.

    Raises Conflict when another made it meanwhile.
    """
    if not files:
        return
    beside = target.with_name(f".{target.name}.{os.getpid()}.copying")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        for name, content in files.items():
            place = beside / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        beside.rename(target)
    except OSError:
        if target.exists():
            raise Conflict("{folder} is there already: it was made at the same time", folder=target) from None
        raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def free(workspace: config.Workspace, name: str) -> Folder:
    """Where a new procedure of that id is to lie. Raises Conflict when there is one, or forms for one."""
    known = next((each.folder for each in of_workspace(workspace) if each.id == name), None)
    places = (workspace.processes / name, workspace.forms / name)
    taken = known or next((each for each in places if each.exists()), None)
    if taken is not None:
        raise Conflict("{folder} is there already; --name gives the procedure another id", folder=taken)
    return Folder(workspace.processes / name, workspace.forms)
