"""Procedures as folders: in the workspace, where they are edited, and those shipped with the program."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine import config, strict_yaml
from engine.bpmn.reader import read
from engine.errors import Conflict, EngineError, NotFound
from engine.procedures import Procedure, load

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
            value = strict_yaml.load((self.folder / PROCEDURE).read_bytes(), PROCEDURE).value
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


def _folders(processes: Path, forms: Path) -> Iterator[Folder]:
    for file in sorted(processes.glob(f"**/{PROCEDURE}")):
        yield Folder(file.parent, forms)


def named(name: str, known: list[Folder]) -> Folder | None:
    """The one of that id or code."""
    wanted = name.casefold()
    return next(
        (each for each in known if wanted in (each.id, str(each.about().get("code", "")).casefold())), None
    )


def find(workspace: config.Workspace, name: str) -> Folder:
    """A procedure of the workspace by id or code, or any by its path. Raises NotFound."""
    found = named(name, of_workspace(workspace))
    if found is not None:
        return found
    folder = Path(name)
    if (folder / PROCEDURE).is_file():
        folder = folder.resolve()
        home = next((each for each in folder.parents if each.name == "processes"), folder.parent)
        return Folder(folder, home.parent / "forms")
    for each in of_workspace(workspace):  # one whose file cannot be read may be the one that is meant
        strict_yaml.load((each.folder / PROCEDURE).read_bytes(), f"{each.id}/{PROCEDURE}")
    raise NotFound(
        "The workspace has no procedure {name}: see `flow procedure list`, or copy a shipped one with "
        "`flow procedure add {name}`",
        name=name,
    )


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
    for each in [*_called(source, known), source]:
        target = _target(workspace, each)
        if not target.exists():
            if (each.forms / each.id).is_dir() and not (workspace.forms / each.id).exists():
                _copy(each.forms / each.id, workspace.forms / each.id)
            _copy(each.folder, target)
            copies.append(Folder(target, workspace.forms))
    return copies


def _target(workspace: config.Workspace, source: Folder) -> Path:
    return workspace.processes / source.folder.relative_to(config.shipped() / "processes")


def _called(source: Folder, known: list[Folder]) -> list[Folder]:
    """The shipped procedures that a procedure calls, those called first before their callers."""
    by_process = {str(each.about().get("process")): each for each in known}
    found: list[Folder] = []

    def visit(folder: Folder) -> None:
        diagram = read(folder.load().diagram)
        called = {node.called for process in diagram.processes.values() for node in process.nodes.values()}
        for process in sorted(each for each in called if each):
            callee = by_process.get(process)
            if callee is not None and callee not in (*found, source):
                visit(callee)
                found.append(callee)

    visit(source)
    return found


def _copy(source: Path, target: Path) -> None:
    """Whole or not at all, leaving out caches and hidden files; read-only sources become files to be edited."""
    beside = target.with_name(f".{target.name}.copying")
    shutil.rmtree(beside, ignore_errors=True)
    for file in sorted(source.rglob("*")):
        parts = file.relative_to(source).parts
        if file.is_file() and not any(part.startswith((".", "__")) for part in parts):
            place = beside.joinpath(*parts)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())
    target.parent.mkdir(parents=True, exist_ok=True)
    beside.rename(target)
