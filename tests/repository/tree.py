"""The repository's files, as git knows them, and what a Python file reaches for."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_SHIPPED = {"tests", "benchmarks", "docs"}


@cache
def files() -> tuple[Path, ...]:
    """Every file git tracks, or would after `git add .`, relative to the root; skips without git."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("needs git and a clone: the tests are about what is committed")
    command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    return tuple(sorted(Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()))


def text_of(file: Path) -> str | None:
    """The file's text, or nothing when it is no UTF-8 text (a picture)."""
    try:
        return (ROOT / file).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def python_files() -> list[Path]:
    """Every Python file, tests and migrations included."""
    return [file for file in files() if file.suffix == ".py"]


def parse(file: Path) -> ast.Module:
    """The file's syntax tree; a syntax error names the file."""
    return ast.parse((ROOT / file).read_bytes(), str(file))


def packages() -> set[str]:
    """The top-level packages that are shipped."""
    return {
        file.parts[0] for file in files() if len(file.parts) == 2 and file.name == "__init__.py"
    } - NOT_SHIPPED


def shipped() -> Iterator[tuple[Path, ast.Module]]:
    """Each Python file that is shipped, parsed."""
    roots = packages() | {"cli.py"}
    for file in python_files():
        if file.parts[0] in roots:
            yield file, parse(file)


def imports(module: ast.AST) -> Iterator[tuple[str, str]]:
    """Local name and full dotted name of everything imported from elsewhere, wherever the import stands."""
    for node in ast.walk(module):
        match node:
            case ast.Import(names=names):
                for name in names:
                    yield (name.asname, name.name) if name.asname else (name.name.split(".")[0],) * 2
            case ast.ImportFrom(module=str(source), names=names, level=0):
                for name in names:
                    yield name.asname or name.name, f"{source}.{name.name}"


def uses(module: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of each use of an imported thing: `dt.now` is `datetime.datetime.now`."""
    origins = dict(imports(module))
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute | ast.Name):
            first, _, rest = ast.unparse(node).partition(".")
            if first in origins:
                yield node.lineno, f"{origins[first]}.{rest}" if rest else origins[first]
