"""Every procedure and shared block under processes/: found on the disk, so that a new one is tested as it comes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from console import folders
from engine.procedures import Procedure, load
from engine.scenarios import Scenarios, read_scenarios
from tests.procedures.playing import ROOT

HOME = ROOT / "processes"
ACCEPTANCE = ROOT.parent / "shared" / "procedures.yaml"
"""What the procedures have to fulfil; it is no part of the repository."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """A procedure as far as is known before it is read."""

    id: str
    """Its folder under processes/: `shared/call-back`."""
    name: str
    """What tests call it by: its code, or its folder's name where it has none."""
    courses: tuple[str, ...]
    """Its scenarios, in the order written."""

    @property
    def files(self) -> list[Path]:
        """All that was written for it."""
        places = (HOME / self.id, ROOT / "forms" / Path(self.id).name)
        return [file for place in places for file in sorted(place.rglob("*")) if file.is_file()]


@cache
def shipped() -> tuple[Shipped, ...]:
    """All there are."""
    found = []
    for each in folders.shipped():
        if each.folder.is_relative_to(HOME):  # the examples are not the source's
            courses = _read(each.folder / "scenarios.yaml").get("scenarios", {})
            name = str(_read(each.folder / "procedure.yaml").get("code", each.id))
            found.append(Shipped(each.folder.relative_to(HOME).as_posix(), name, tuple(courses)))
    return tuple(found)


def _read(file: Path) -> dict[str, dict[str, object]]:
    if not file.exists():
        return {}
    return dict(yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


@cache
def procedure_of(id_: str) -> Procedure:
    """The procedure in that folder under processes/, read once."""
    return load(HOME / id_, ROOT / "forms")


@cache
def scenarios_of(id_: str) -> Scenarios:
    """Its scenarios, read once."""
    source = procedure_of(id_).scenarios
    assert source is not None, f"{id_} has no scenarios.yaml"
    return read_scenarios(source)
