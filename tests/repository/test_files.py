"""What no committed file may say: where somebody's machine keeps things, or whose registry it asks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .tree import ROOT, files, text_of

# A home or work folder at the start of a path. In a web address the same letters follow a host's name.
FOLDER = re.compile(r"(?<![\w.~/-])(?:/(?:home|Users|root|work)/[\w.]|[A-Z]:\\Users\\\w)")
PUBLIC_REGISTRIES = r"pypi\.org|pythonhosted\.org|registry\.npmjs\.org|registry\.yarnpkg\.com|npmmirror\.com"


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{file}:{number}: {line.strip()[:100]}"
        for file in files()
        for number, line in enumerate((text_of(file) or "").splitlines(), 1)
        if pattern.search(line)
    ]


def configured_registries() -> set[str]:
    """The hosts this machine's pip is set to ask, from its configuration and environment."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"://(?:[^@/\s']*@)?([^/:\s']+)", said))


def test_no_file_names_a_folder_of_one_machine() -> None:
    assert not lines_with(FOLDER)
    here = re.compile(
        "|".join(re.escape(f"{folder}/") for folder in {Path.home(), ROOT} if len(folder.parts) > 1)
    )
    assert not lines_with(here)


def test_no_file_names_a_package_registry() -> None:
    hosts = "|".join([PUBLIC_REGISTRIES, *(re.escape(host) for host in configured_registries())])
    assert not lines_with(re.compile(hosts))


@pytest.mark.parametrize(
    "path", ["/".join(["", top, "ann", "x.py"]) for top in ("home", "Users", "root", "work")]
)
def test_a_folder_of_one_machine_is_seen(path: str) -> None:
    assert FOLDER.search(f'open("{path}")')
    assert not FOLDER.search(f"https://example.org{path}")
