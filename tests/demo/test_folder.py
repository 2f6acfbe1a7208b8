"""The folder a demonstration is kept in: gone on with from its first file on, never lost unasked, one at a time."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

import cli
from console.demo import acting, place
from engine import config


class KilledError(Exception):
    """Stands for a kill: nothing of what was begun is cleared up."""


def demo(folder: Path, *args: str, exit_code: int = 0) -> Result:
    run = CliRunner().invoke(cli.flow, ["demo", "--folder", str(folder), *args], env={"FLOW_LANG": "en"})
    assert run.exit_code == exit_code, run.output
    return run


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens in the quarter is of no concern here."""
    monkeypatch.setattr(acting, "play", lambda _app: None)
    monkeypatch.setattr("console.demo.telling.told", lambda _app: None)
    monkeypatch.setattr("console.demo.telling.show", lambda _app, _told: None)
    monkeypatch.setattr("console.demo.stories.STORIES", ())


@pytest.fixture
def played(silent: None, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """With how many answers it was played; nothing is in the folder but its settings."""
    seen: list[int] = []

    def prepare(folder: Path, responses: int) -> object:
        seen.append(responses)
        config.make(folder, organisation="x", zone="Asia/Shanghai", language="zh", demo=True)
        return SimpleNamespace(store=nullcontext())

    monkeypatch.setattr(acting, "prepare", prepare)
    monkeypatch.setattr(acting, "begun", lambda _folder: seen[-1] if seen else 0)
    return seen


def test_one_that_was_killed_before_its_roster_was_in_goes_on_with_its_answers(
    silent: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "demo"

    def killed(folder: Path, responses: int) -> None:
        config.make(folder, organisation="x", zone="Asia/Shanghai", language="zh", demo=True)
        (folder / config.DATABASE).write_bytes(b"")
        (folder / "processes" / acting.PROCEDURE).mkdir()
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(acting, "prepare", killed)
        run = CliRunner().invoke(cli.flow, ["demo", "--folder", str(folder), "--responses", "14"])
        assert isinstance(run.exception, KilledError)
    demo(folder, "--resume", "--responses", "15", exit_code=3)
    demo(folder, "--resume")
    assert acting.begun(folder) == 14


def test_one_killed_before_its_first_file_goes_on(played: list[int], tmp_path: Path) -> None:
    demo(tmp_path, "--resume", "--responses", "12")
    assert played == [12]
    demo(tmp_path, "--resume")
    assert played == [12, 12]


def test_a_restart_begins_where_nothing_was_begun_and_says_so(played: list[int], tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    assert "so one begins now" in demo(folder, "--resume", "--responses", "12").stderr
    assert "begins now" not in demo(folder, "--resume").stderr
    assert played == [12, 12]


def test_what_was_changed_in_one_is_lost_only_by_again(
    played: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "demo"
    demo(folder, "--responses", "12")
    changed = folder / "mine.txt"
    changed.write_text("mine", encoding="utf-8")
    refused = demo(folder, "--responses", "12", exit_code=3).stderr
    assert "--again" in refused
    assert "--resume" in refused
    monkeypatch.setattr("console.output.interactive", lambda: True)
    args = ["demo", "--folder", str(folder), "--responses", "12"]
    assert CliRunner().invoke(cli.flow, args, input="n\n").exit_code != 0
    assert changed.exists()
    assert CliRunner().invoke(cli.flow, args, input="y\n").exit_code == 0
    assert not changed.exists()
    monkeypatch.setattr("console.output.interactive", lambda: False)
    changed.write_text("mine", encoding="utf-8")
    demo(folder, "--again", "--responses", "13")
    assert not changed.exists()
    assert played == [12, 12, 13]
    demo(folder, "--again", "--resume", exit_code=2)


def test_a_second_one_in_the_same_folder_is_told_of_the_first(played: list[int], tmp_path: Path) -> None:
    demo(tmp_path, "--responses", "12")
    hold = (
        "import sys; from pathlib import Path; from console.demo import place\n"
        "with place.ready(Path(sys.argv[1]), None, resume=True, again=False, ask=False):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    (tmp_path / config.FILE).unlink()  # the other process begins anew
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        for args in ((), ("--resume",), ("--again",)):
            assert "Another `flow demo`" in demo(tmp_path, *args, exit_code=3).stderr
        first.communicate("")
    demo(tmp_path, "--resume")
    assert (tmp_path / place.MARK).exists()
