"""The import contracts of .importlinter hold when they should and break when provoked."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from .tree import ROOT

HONEST = {
    "console/tasks.py": "import click\nimport tasks.sampling",
    "tasks/sampling.py": "import sqlalchemy\nimport survey.rounds\nimport documents.word",
    "documents/word.py": "import docx\nimport docxtpl\nimport typst\nimport engine.errors",
    "survey/rounds.py": "import sqlalchemy\nimport engine.app",
    "engine/app.py": "import engine.commands.worklist",
    "engine/scheduler.py": "import apscheduler.triggers\nimport engine.app",
    "engine/commands/worklist.py": "import sqlalchemy\nimport engine.store.connect",
    "engine/bpmn/parser.py": "import SpiffWorkflow.bpmn.parser\nimport engine.errors",
    "engine/store/connect.py": "import alembic.command\nimport sqlite3\nimport psycopg\nimport sqlalchemy",
    "engine/errors.py": "",
}
# One fault for each contract.
FAULTS = {
    "packages": ("engine/app.py", "import survey.rounds"),
    "engine": ("engine/utils.py", ""),
    "documents": ("documents/word.py", "import engine.app"),
    "cycles": ("engine/store/schema.py", "import engine.store.columns"),
    "spiffworkflow": ("engine/commands/worklist.py", "import SpiffWorkflow.task"),
    "sqlalchemy": ("engine/app.py", "import sqlalchemy"),
    "drivers": ("survey/rounds.py", "import sqlite3"),
    "apscheduler": ("engine/app.py", "import apscheduler"),
    "click": ("tasks/sampling.py", "import click"),
    "writers": ("tasks/sampling.py", "import typst"),
}


def lint(folder: Path, modules: dict[str, str]) -> str:
    """What import-linter says of these modules (path to code) under our contracts."""
    for path, code in modules.items():
        module = folder / path
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(code, encoding="utf-8")
        for package in list(module.relative_to(folder).parents)[:-1]:
            (folder / package / "__init__.py").touch()
    shutil.copy(ROOT / ".importlinter", folder)
    command = "from importlinter.cli import lint_imports_command as lint; lint()"
    run = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONUTF8": "1", "COLUMNS": "200"},
    )
    return run.stdout + run.stderr


def contract_names() -> dict[str, str]:
    text = (ROOT / ".importlinter").read_text(encoding="utf-8")
    return dict(re.findall(r"^\[importlinter:contract:(\w+)\]\nname = (.+)$", text, re.MULTILINE))


def test_modules_that_keep_to_their_layers_pass(tmp_path: Path) -> None:
    said = lint(tmp_path, HONEST)
    assert f"Contracts: {len(contract_names())} kept, 0 broken" in said, said


def test_each_contract_breaks_when_provoked(tmp_path: Path) -> None:
    assert FAULTS.keys() == contract_names().keys()
    modules = HONEST | {"engine/store/columns.py": "import engine.store.schema"}
    for path, line in FAULTS.values():
        modules[path] = f"{modules.get(path, '')}\n{line}"
    said = lint(tmp_path, modules)
    for name in contract_names().values():
        assert f"{name} BROKEN" in said, said
