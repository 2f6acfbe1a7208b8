"""Files that commands read: those that may not be read, are too large, have no end or come through a pipe."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from console import account
from tests.console.conftest import Terminal


@pytest.mark.parametrize(
    ("file", "args"),
    [
        ("org.yaml", ["org", "import"]),
        ("processes/purchase/purchase.bpmn", ["procedure", "publish", "purchase"]),
        ("processes/purchase/purchase.bpmn", ["procedure", "check", "purchase"]),
        ("processes/purchase/procedure.yaml", ["procedure", "check", "purchase"]),
        ("flow.toml", ["doctor"]),
        ("flow.toml", ["status"]),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    flow: Terminal, monkeypatch: pytest.MonkeyPatch, file: str, args: list[str]
) -> None:
    original = os.open

    def refuse(path: str, *how: int, **more: int | None) -> int:
        if Path(path).name == Path(file).name:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return original(path, *how, **more)

    monkeypatch.setattr(os, "open", refuse)
    result = flow(*args, exit_code=1 if args == ["doctor"] else 7)
    assert f"{file} may not be read" in result.output
    assert "right" in result.output


def test_the_organisation_comes_in_through_a_pipe(flow: Terminal) -> None:
    pipe = flow.folder / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[(flow.folder / "org.yaml").read_bytes()])
    writer.start()
    assert "Imported 4 people" in flow("org", "import", str(pipe)).stdout
    writer.join()


@pytest.mark.parametrize(
    "command",
    [
        ["org", "import", "{file}"],
        ["calendar", "import", "{file}"],
        ["roster", "import", "{file}"],
        ["callback", "import", "{file}"],
        ["task", "complete", "SV-1.1", "--form", "{file}"],
        ["audit", "verify", "--head", "{file}"],
        ["procedure", "check", "{file}"],
        ["procedure", "import", "{file}", "--dry-run"],
        ["procedure", "layout", "{file}"],
        ["procedure", "picture", "{file}"],
        ["rehearse", "{file}"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_no_command_reads_on_in_what_is_too_large_or_has_no_end(
    flow: Terminal, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    large = flow.folder / "large.json"
    with large.open("wb") as file:
        file.truncate(3 << 30)  # takes no room on the disk

    def typed(name: Path | str) -> str:
        args = [part.format(file=name) for part in command]
        result = CliRunner().invoke(cli.flow, args, env={"FLOW_HOME": str(flow.folder), "FLOW_LANG": "en"})
        assert isinstance(result.exception, SystemExit), result.output
        return result.output

    monkeypatch.setattr(account, "system_user", lambda: "zhao")
    said = typed(large)
    assert "larger than" in said or "is no seal" in said
    assert "is a device, not a file" in typed("/dev/zero")
    monkeypatch.setattr("engine.files.WRITER_S", 0.01)
    os.mkfifo(pipe := flow.folder / "pipe")
    assert "is a pipe, and nothing came through it" in typed(pipe)


@pytest.mark.parametrize("name", ["flow.toml", "org.yaml"])
def test_a_file_of_the_workspace_that_is_too_large_is_named(flow: Terminal, name: str) -> None:
    with (flow.folder / name).open("ab") as file:
        file.truncate(3 << 30)
    result = flow("org", "import", exit_code=8)
    assert "larger than" in result.output
    assert name in result.output


def test_a_fault_of_the_program_stays_a_traceback(flow: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: Path, limit: int) -> bytes:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr("engine.files.read_file", fail)  # as `flow org import` takes it
    with pytest.raises(OSError, match="Invalid argument"):
        flow("org", "import")
