"""A procedure's folder as values: its diagram's bytes, procedure.yaml, forms, clauses and scenarios.

    processes/<id>/procedure.yaml   what BPMN has no place for: schedules, parameters, records, the source
    processes/<id>/<id>.bpmn        the diagram
    processes/<id>/clauses.yaml     the source document's requirements, and what fulfils each (optional)
    processes/<id>/scenarios.yaml   courses it has to be able to take (optional)
    processes/<id>/*.dmn            decision tables behind its business rule tasks (optional)
    processes/<id>/templates/…      files that handlers fill in (optional)
    forms/<id>/<form>.yaml          its forms

Together these files are the bundle: a mapping of names to bytes (forms as `forms/<form>.yaml`), stored whole
when the procedure is published. `load` reads it from the disk and `from_files` from wherever it was kept,
both by the same code. Here each file is judged by itself; `engine.check` holds them against one another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TypeVar

from engine import strict_yaml
from engine.decisions import Decision, read_decisions
from engine.errors import Finding, Misbuilt, NotFound
from engine.files import read_file
from engine.procedures.clauses import read_clauses
from engine.procedures.procedure import (
    FILES,
    Change,
    Claim,
    Clause,
    Parameter,
    Procedure,
    Record,
    Schedule,
    Source,
)
from engine.procedures.reading import CLAUSES, PROCEDURE, SCENARIOS, read_form, read_main

__all__ = [
    "FILES",
    "PROCEDURE",
    "Change",
    "Claim",
    "Clause",
    "Parameter",
    "Procedure",
    "Record",
    "Schedule",
    "Source",
    "bundle",
    "bundle_hash",
    "from_files",
    "load",
]

MAX_BYTES = 20_000_000
"""Of a whole bundle."""

KEPT = 128
"""So many forms, and a quarter of it of other files, stay read: most of a bundle is the same the next time."""

T = TypeVar("T")


def load(folder: Path, forms: Path) -> Procedure:
    """The procedure in `folder`, its forms in the folder of the same name under `forms`.

    Raises `NotFound` when it is no procedure's folder, `Misbuilt` with the faults of all its files.
    """
    if not (folder / PROCEDURE).is_file():
        raise NotFound(
            "{folder} holds no procedure.yaml: name a procedure, or the folder of one", folder=str(folder)
        )
    files = bundle(folder, forms / folder.name)
    faults = [] if _id_of(files) in (None, folder.name) else [_misplaced(folder)]
    procedure, more = _read(files)
    if procedure is None or faults or more:
        raise Misbuilt([*faults, *more])
    return procedure


def from_files(files: Mapping[str, bytes]) -> Procedure:
    """The procedure in a bundle. Raises `Misbuilt` with the faults of all its files."""
    procedure, faults = _read(files)
    if procedure is None or faults:
        raise Misbuilt(faults)
    return procedure


def bundle(folder: Path, forms: Path) -> dict[str, bytes]:
    """The files that make up a procedure, by name.

    READMEs, pictures and the like may lie beside them and are no part of it; a YAML, BPMN or DMN file
    with a name of its own is taken in, and refused when the bundle is read.
    """
    paths = [each for each in folder.iterdir() if each.suffix in (".yaml", ".yml", ".bpmn", ".dmn")]
    paths += (folder / "templates").rglob("*")
    found = {each.relative_to(folder).as_posix(): each for each in paths}
    if forms.is_dir():
        found |= {f"forms/{each.name}": each for each in forms.iterdir() if each.suffix in (".yaml", ".yml")}
    found = {
        name: path
        for name, path in found.items()
        if path.is_file() and not any(part.startswith(".") for part in PurePosixPath(name).parts)
    }
    if sum(path.stat().st_size for path in found.values()) > MAX_BYTES:
        template, remedy = (
            "The files are larger than {limit} bytes",
            "Remove what is not needed from templates",
        )
        raise Misbuilt([Finding("error", "templates", "", template, remedy, {"limit": MAX_BYTES})])
    return {name: read_file(found[name], MAX_BYTES) for name in sorted(found)}


def bundle_hash(files: Mapping[str, bytes], callees: Iterable[str] = ()) -> str:
    """The SHA-256 of a bundle and of the definitions it calls (their hashes), in hexadecimal.

    Every part is preceded by its length, so that no two bundles run together to the same bytes.
    """
    digest = hashlib.sha256()
    for group in (
        [part for name in sorted(files) for part in (name.encode(), files[name])],
        [callee.encode() for callee in sorted(set(callees))],
    ):
        digest.update(len(group).to_bytes(8, "big"))
        for part in group:
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _id_of(files: Mapping[str, bytes]) -> str | None:
    try:
        value = strict_yaml.load(files.get(PROCEDURE, b""), PROCEDURE).value
    except Misbuilt:
        return None
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def _misplaced(folder: Path) -> Finding:
    remedy = "Give the folder and the procedure the same name"
    return Finding(
        "error", PROCEDURE, "id", "The id differs from the folder {folder}", remedy, {"folder": folder.name}
    )


def _read(files: Mapping[str, bytes]) -> tuple[Procedure | None, list[Finding]]:
    faults: list[Finding] = []

    def read(reading: Callable[[str, bytes], T], name: str) -> T | None:
        try:
            return reading(name, files[name]) if name in files else None
        except Misbuilt as error:
            faults.extend(error.findings)
            return None

    main = read(_main, PROCEDURE)
    forms = [read(_form, name) for name in sorted(files) if name.startswith("forms/")]
    clauses = read(_clauses, CLAUSES)
    scenarios = read(_scenarios, SCENARIOS)
    decisions: dict[str, Decision] = {}
    try:
        decisions = read_decisions({name: files[name] for name in files if _is_table(name)})
    except Misbuilt as error:
        faults.extend(error.findings)
    faults.extend(_strangers(files, None if main is None else f"{main.id}.bpmn"))
    if main is None or faults:
        return None, faults
    return (
        Procedure(
            id=main.id,
            code=main.code,
            title=main.title,
            source=main.source,
            process=main.process,
            called=main.called,
            schedules=main.schedules,
            parameters=main.parameters,
            records=main.records,
            forms={form.id: form for form in forms if form},
            decisions=decisions,
            clauses=clauses or (),
            scenarios=scenarios,
            document=main.document,
            files=dict(files),
        ),
        [],
    )


_main = lru_cache(KEPT // 4)(read_main)
_form = lru_cache(KEPT)(read_form)
_clauses = lru_cache(KEPT // 4)(read_clauses)


@lru_cache(KEPT // 4)
def _scenarios(name: str, text: bytes) -> strict_yaml.Document:
    return strict_yaml.load(text, name)


def _is_table(name: str) -> bool:
    """Whether the file holds decision tables; one among the templates is a template."""
    return name.endswith(".dmn") and "/" not in name


def _strangers(files: Mapping[str, bytes], diagram: str | None) -> Iterable[Finding]:
    parts = [PROCEDURE, CLAUSES, SCENARIOS, *([diagram] if diagram else [])]
    for name in (PROCEDURE, diagram):
        if name is not None and name not in files:
            yield Finding("error", name, "", "The file is missing", "Add it under this name")
    for name in sorted(files):
        path = PurePosixPath(name)
        known = name in parts or _is_table(name) or path.parts[0] == "templates"
        if known or (len(path.parts) == 2 and path.parts[0] == "forms"):
            continue
        if path.suffix == ".bpmn" and diagram is None:
            continue  # its name cannot be judged while procedure.yaml cannot be read
        meant = strict_yaml.nearest(name, [part for part in parts if part not in files])
        remedy = "Did you mean {meant}?" if meant else "Delete it, or move it to templates"
        yield Finding("error", name, "", "A procedure has no file of this name", remedy, {"meant": meant})
