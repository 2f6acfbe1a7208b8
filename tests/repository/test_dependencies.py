"""The lock file fixes every version by hash, and NOTICE names everything that is installed with satisflow."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from .tree import ROOT

LICENCE_FAMILY = re.compile(r"\b(?:[AL]?GPL|MPL|OFL|Apache|BSD|PSF|MIT)", re.IGNORECASE)
NOTICE_LINE = re.compile(r"^(?P<name>\S+) {2,}(?P<licence>\S.*?) {2,}https://\S+$", re.MULTILINE)


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def lock() -> str:
    return (ROOT / "requirements.lock").read_text(encoding="utf-8")


def run_time_requirements() -> list[Requirement]:
    described = project()["project"]
    optional = [line for lines in described.get("optional-dependencies", {}).values() for line in lines]
    return [Requirement(line) for line in [*described["dependencies"], *optional]]


def run_time_closure() -> dict[NormalizedName, metadata.Distribution]:
    """Canonical name to distribution of all that `pip install satisflow[…]` brings on this machine."""
    found: dict[NormalizedName, metadata.Distribution] = {}
    waiting = [(requirement, "") for requirement in run_time_requirements()]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        if (key := (name, frozenset(requirement.extras))) in seen:
            continue
        seen.add(key)
        found[name] = metadata.distribution(requirement.name)
        needs = [Requirement(line) for line in found[name].requires or ()]
        waiting += [(need, extra) for need in needs for extra in ("", *requirement.extras)]
    return found


def families(text: str) -> set[str]:
    return {family.upper() for family in LICENCE_FAMILY.findall(text)}


def declared_licence(distribution: metadata.Distribution) -> str:
    about = distribution.metadata
    classifiers = [line for line in about.get_all("Classifier") or () if line.startswith("License ::")]
    return " ".join([*(about.get_all("License-Expression") or about.get_all("License") or ()), *classifiers])


def test_the_lock_names_no_address() -> None:
    assert "://" not in lock()
    assert not re.search(
        r"^\s*(-i|-f|--(extra-)?index-url|--find-links|--trusted-host)\b", lock(), re.MULTILINE
    )


def test_every_package_of_the_lock_has_a_hash() -> None:
    entries = re.split(r"\n(?=\S)", lock())
    assert len(entries) > 20
    assert not [entry.splitlines()[0] for entry in entries if "==" in entry and "--hash=sha256:" not in entry]


def test_the_lock_satisfies_what_the_project_asks_for() -> None:
    pinned = {
        canonicalize_name(name): version
        for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", lock(), re.MULTILINE)
    }
    asked = [*run_time_requirements(), *(Requirement(line) for line in project()["dependency-groups"]["dev"])]
    assert not [
        str(requirement)
        for requirement in asked
        if pinned.get(canonicalize_name(requirement.name), "none") not in requirement.specifier
    ], "run `make lock`"


def test_notice_names_every_library_with_its_licence() -> None:
    text = (ROOT / "NOTICE").read_text(encoding="utf-8")
    noticed = {canonicalize_name(line["name"]): line["licence"] for line in NOTICE_LINE.finditer(text)}
    closure = run_time_closure()
    assert closure.keys() == noticed.keys()
    wrong = {
        name: declared_licence(distribution)
        for name, distribution in closure.items()
        if families(declared_licence(distribution)) != families(noticed[name])
    }
    assert not wrong


def test_no_library_forces_its_licence_on_satisflow() -> None:
    strong = {
        name for name, d in run_time_closure().items() if families(declared_licence(d)) & {"GPL", "AGPL"}
    }
    assert not strong


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("lGPLv3", {"LGPL"}),
        ("GPL-3.0-only", {"GPL"}),
        ("AGPL-3.0", {"AGPL"}),
        ("OFL-1.1", {"OFL"}),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", {"MPL", "APACHE", "MIT"}),
    ],
)
def test_licence_families_are_told_apart(text: str, found: set[str]) -> None:
    assert families(text) == found
