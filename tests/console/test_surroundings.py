"""Files that cannot be read or written, a database that is gone or damaged, output that nobody takes, accounts."""

from __future__ import annotations

import errno
import os
import pwd
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from console import account
from engine import config
from engine.procedures.packing import pack
from engine.store import connect
from tests.console.conftest import Terminal
from tests.console.office import DIAGRAM
from tests.console.test_workspace import alter

HUGE = "1" + "0" * 26


def contents(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


# --- the database


def test_a_database_that_is_gone_is_told_and_nothing_is_made(flow: Terminal) -> None:
    (flow.folder / "flow.db").unlink()
    before = contents(flow.folder)
    for args, code in ((["status"], 5), (["doctor"], 1), (["audit", "verify"], 5)):
        result = flow(*args, exit_code=code)
        assert "backup" in result.output
        assert "flow init" in result.output
    assert contents(flow.folder) == before


def test_init_gives_a_workspace_without_database_an_empty_one(flow: Terminal) -> None:
    settings = (flow.folder / "flow.toml").read_bytes()
    (flow.folder / "flow.db").write_bytes(b"")
    assert "empty" in flow("doctor", exit_code=1).stdout
    flow("init", str(flow.folder))
    assert (flow.folder / "flow.toml").read_bytes() == settings
    assert {person["id"] for person in flow.json("org", "show")["people"]} >= {"wang.fang", "zhao.min"}
    flow("init", str(flow.folder), exit_code=3)


def test_init_makes_no_empty_database_beside_records_of_a_lost_one(flow: Terminal) -> None:
    (flow.folder / "records" / "SV-1").mkdir()
    (flow.folder / "flow.db").unlink()
    assert "records" in flow("init", str(flow.folder), exit_code=3).stderr
    assert not (flow.folder / "flow.db").exists()


def test_an_init_that_fails_leaves_nothing_behind(flow: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = flow.folder.parent / "new" / "office"
    original = Path.write_text

    def write_text(path: Path, text: str, encoding: str) -> int:
        if path.name == ".flow.toml.part":
            original(path, "", encoding=encoding)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return original(path, text, encoding=encoding)

    monkeypatch.setattr(Path, "write_text", write_text)
    refused = flow("init", str(folder), exit_code=1)
    assert "no space left for" in refused.stderr
    assert "flow.toml" in refused.stderr
    assert not folder.parent.exists()
    monkeypatch.undo()
    flow("init", str(folder))


@pytest.mark.parametrize(
    "damage", ["DROP TABLE user_task", "DELETE FROM alembic_version", "DROP TABLE alembic_version"]
)
def test_a_database_that_lost_a_table_is_called_damaged(flow: Terminal, damage: str) -> None:
    alter(flow, damage)
    told = flow("status", exit_code=1).stderr
    assert "damaged" in told
    assert "backup" in told


@pytest.mark.parametrize("state", ["x'00'", "'[]'"])
def test_a_damaged_instance_is_named_and_the_others_go_on(started: Terminal, state: str) -> None:
    started("start", "P-1", "--unit", "office-1", user="wang")
    alter(started, f"UPDATE instance SET state = {state} WHERE id = 1")
    values = ("--set", "what=纸", "--set", "amount=3")
    told = started("task", "complete", "SV-1.1", *values, user="wang", exit_code=1).stderr
    assert "SV-1" in told
    assert "backup" in told
    started("task", "complete", "SV-2.1", *values, user="wang")


@pytest.mark.parametrize("bundle", ["x'00'", "x'789c030000000001'", "(SELECT bundle FROM other)"])
def test_a_published_procedure_that_was_damaged_is_named_and_never_run(flow: Terminal, bundle: str) -> None:
    other = pack({"procedure.yaml": b"procedure: flow/1"}).hex()
    alter(
        flow, "UPDATE definition SET bundle = " + bundle.replace("(SELECT bundle FROM other)", f"x'{other}'")
    )
    for words in (("start", "P-1", "--unit", "office-1"), ("procedure", "show", "P-1")):
        told = flow(*words, user="wang", exit_code=1).stderr
        assert "Version 1 of purchase" in told
        assert "backup" in told
    told = flow("doctor", exit_code=1).stdout
    assert "Version 1 of purchase" in told
    assert "✓ P-1" not in told
    assert "purchase 1: the files" in flow("audit", "verify", exit_code=1).stdout


@pytest.mark.parametrize("body", ["{}", "x", "[]"])
def test_a_damaged_working_day_table_is_named_and_imported_again(flow: Terminal, body: str) -> None:
    alter(flow, f"UPDATE calendar_table SET body = '{body}' WHERE year = 2026")
    told = flow("doctor", exit_code=1).stdout
    assert "The working-day table for 2026 is damaged" in told
    assert "✓ Working-day table for 2026" not in told
    assert "damaged" in flow("calendar", "show").stdout
    assert "The working-day table for 2026 is damaged" in flow("calendar", "show", "2026", exit_code=1).stderr
    told = flow("start", "P-1", "--unit", "office-1").stderr
    assert "SV-1 填写采购申请 failed: The working-day table for 2026 is damaged" in told
    flow("calendar", "import", str(config.shipped() / "processes" / "calendars" / "2026.yaml"))
    assert flow.json("job", "retry", "1")["status"] == "done"
    assert flow.json("instance", "view", "SV-1")["steps"][0]["task"] == "SV-1.1"


def test_the_doctor_sees_a_working_day_that_was_altered(flow: Terminal) -> None:
    alter(
        flow, "UPDATE calendar_table SET body = replace(body, '2026-10-01', '2026-10-09') WHERE year = 2026"
    )
    assert "2026: the table calendar_table has sha256" in flow("doctor", exit_code=1).stdout


# --- files


def test_a_folder_where_a_file_belongs_and_the_reverse_are_named(flow: Terminal) -> None:
    export = flow("audit", "export", "-o", str(flow.folder / "flow.toml" / "x.csv"), exit_code=3)
    assert "x.csv" in export.stderr
    assert "is no folder" in flow("init", str(flow.folder / "org.yaml" / "x"), exit_code=3).stderr
    (flow.folder / "org.yaml").unlink()
    (flow.folder / "org.yaml").mkdir()
    assert "no file" in flow("org", "import", exit_code=5).stderr


def test_a_disk_that_fills_up_under_a_drawing_leaves_the_old_one(
    flow: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    diagram = flow.folder / "processes" / "purchase" / "purchase.bpmn"
    diagram.write_text(DIAGRAM, encoding="utf-8")
    before, there = diagram.read_bytes(), contents(diagram.parent)
    original = Path.write_bytes

    def write_bytes(path: Path, data: bytes) -> int:
        original(path, data[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    told = flow("procedure", "layout", "purchase", exit_code=1).stderr
    assert f"no space left for {diagram}" in told
    assert (diagram.read_bytes(), contents(diagram.parent)) == (before, there)


@pytest.mark.parametrize(
    ("text", "reason"), [("x = [", "at end of document"), ('zone = "Mars"', "'Mars' is no time zone")]
)
def test_the_doctor_says_what_is_wrong_with_flow_toml(flow: Terminal, text: str, reason: str) -> None:
    (flow.folder / "flow.toml").write_text(text, encoding="utf-8")
    assert reason in flow("doctor", exit_code=1).stdout


# --- the command line


@pytest.mark.parametrize(
    "args",
    [
        ["job", "retry", HUGE],
        ["job", "skip", HUGE, "--reason", "x"],
        ["start", "P-1", "--unit", "office-1", "--version", HUGE],
        ["task", "list", "-L", HUGE],
        ["instance", "list", "-L", HUGE],
        ["instance", "view", HUGE],
        ["instance", "view", f"SV-{HUGE}"],
        ["instance", "view", "9" * 5000],
        ["instance", "view", "²"],
        ["task", "view", f"SV-1.{HUGE}"],
    ],
)
def test_a_number_that_nothing_can_have_is_refused(flow: Terminal, args: list[str]) -> None:
    from click.testing import CliRunner

    import cli

    result = CliRunner().invoke(cli.flow, args, env={"FLOW_HOME": str(flow.folder), "FLOW_LANG": "en"})
    assert result.exit_code in (2, 5), result.exception


@pytest.mark.parametrize(
    ("redirection", "code", "told"),
    [
        ("| true", 141, ""),
        ("> /dev/full", 1, "no space left for the output"),
        ("> /dev/full 2>&1", 1, ""),
        (">&-", 0, ""),
    ],
)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_nobody_takes_ends_the_command_quietly(redirection: str, code: int, told: str) -> None:
    # A closed pipe is made sure of by its reader ending before the writer has loaded.
    program = f'"{sys.executable}" -c "from cli import main; main()" --help'
    line = f"{program} {redirection}; exit ${{PIPESTATUS[0]}}"
    run = subprocess.run(
        ["bash", "-c", line],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "FLOW_LANG": "en"},
    )
    assert run.returncode == code
    assert "Traceback" not in run.stderr
    assert told in run.stderr
    assert told or not run.stderr


# --- who one is


def test_no_variable_of_the_environment_says_who_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "FLOW_USER"):
        monkeypatch.setenv(name, "zhao")
    assert account.system_user() == pwd.getpwuid(os.getuid()).pw_name


def test_an_account_without_name_is_called_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_001)
    assert account.system_user() == "4000000001"


def test_flow_user_plays_somebody_in_a_demonstration_only(started: Terminal) -> None:
    started.env = {"FLOW_USER": "wang"}
    assert started.json("status", user="nobody")["tasks"] is None
    with (started.folder / config.FILE).open("a", encoding="utf-8") as file:
        file.write("demo = true\n")
    assert [task["id"] for task in started.json("status", user="nobody")["tasks"]] == ["SV-1.1"]


# --- the demonstration


def test_a_demonstration_is_gone_on_with_only_where_one_has_begun(flow: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "nothing"
    config.make(folder, organisation="test", zone="Asia/Shanghai", language="zh", demo=True)
    flow("demo", "--folder", str(folder), "--resume", exit_code=5)
    assert not (folder / config.DATABASE).exists()


def test_a_clock_beyond_all_dates_is_refused_and_stays_where_it_was(flow: Terminal) -> None:
    with (flow.folder / config.FILE).open("a", encoding="utf-8") as file:
        file.write("demo = true\n")
    flow("demo", "clock", "--to", "9999-12-31", exit_code=3)
    flow("demo", "clock", "--advance", "P100Y", exit_code=3)
    assert "2026-09-14 09:00" in flow("demo", "clock").stdout


def test_a_demonstration_names_people_to_play_to_whom_it_does_not_know(started: Terminal) -> None:
    with (started.folder / config.FILE).open("a", encoding="utf-8") as file:
        file.write("demo = true\n")
    refused = started("task", "list", user="nobody", exit_code=7).stderr
    assert "--as li.lei, --as wang.fang" in refused
    started("task", "list", "--as", "wang.fang", user="nobody")


def test_in_a_demo_workspace_only_the_person_played_counts(started: Terminal) -> None:
    with (started.folder / config.FILE).open("a", encoding="utf-8") as file:
        file.write("demo = true\n")
    given = ("--set", "what=纸", "--set", "amount=3")
    started("task", "complete", "SV-1.1", *given, "--as", "li.lei", user="zhao")
    agree = ("task", "complete", "SV-1.2", "--set", "decision=agree")
    assert "李雷 already did" in started(*agree, "--as", "li.lei", user="zhao", exit_code=7).stderr
    started(*agree, "--as", "zhao.min", user="zhao")


def test_in_a_demo_workspace_who_is_played_may_do_what_that_person_may(started: Terminal) -> None:
    file = started.folder / "org.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("[act-for, assign]", "[act-for, assign, admin]"), encoding="utf-8")
    started("org", "import", user="zhao")
    with (started.folder / config.FILE).open("a", encoding="utf-8") as settings:
        settings.write("demo = true\n")
    suspend = ("instance", "suspend", "SV-1", "--reason", "停")
    for user, played in (("anybody", "wang.fang"), ("zhao", "wang.fang"), ("anybody", "li.lei")):
        assert "赵敏 (zhao.min) may do it" in started(*suspend, "--as", played, user=user, exit_code=7).stderr
    started("start", "P-1", "--unit", "office-2", "--as", "wang.fang", user="anybody", exit_code=7)
    started(*suspend, "--as", "zhao.min", user="anybody")
    # Whoever sits there and plays nobody may administer.
    started("org", "import", user="anybody")
    started("instance", "resume", "SV-1", user="anybody")
    started("instance", "correct", "SV-1", "--set", "amount:=5", "--reason", "误填", user="anybody")
    started("instance", "cancel", "SV-1", "--reason", "误启动", user="anybody")
    started("procedure", "publish", "P-1", "--as", "wang.fang", user="anybody", exit_code=7)


# --- others who write, and places where nobody can


def test_whoever_waits_for_another_writer_says_so_once_and_goes_on(
    flow: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "SILENCE", 0.05)
    with closing(
        sqlite3.connect(flow.folder / "flow.db", check_same_thread=False, isolation_level=None)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.3, other.execute, ["COMMIT"])
        release.start()
        started = flow("start", "P-1", "--unit", "office-1", user="wang")
        release.join()
        assert started.stderr.count("Waiting for another program") == 1
        assert "SV-1 is started" in started.stdout
        monkeypatch.setattr(connect, "PATIENCE", 0.1)
        other.execute("BEGIN IMMEDIATE")
        refused = flow("start", "P-1", "--unit", "office-1", user="wang", exit_code=3).stderr
        assert refused.index("Waiting") < refused.index("is busy")


def test_a_copy_that_can_only_be_read_is_shown_and_left_as_it_is(
    started: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, _mode, **_: Path(path) != started.folder)
    before = contents(started.folder)
    for args in (
        ("status",), ("audit", "verify"), ("instance", "list"), ("instance", "history", "SV-1"), ("archive", "verify"),
    ):  # fmt: skip
        assert started(*args).stderr.count("may only be read here") == 1
        assert contents(started.folder) == before
    assert "may only be read" in started("task", "claim", "SV-1.1", user="wang", exit_code=7).stderr
    assert contents(started.folder) == before


# --- words


def test_a_strange_option_is_likened_only_to_what_is_like_it(started: Terminal) -> None:
    refused = started("task", "assign", "SV-1.1", "--to", "wang.fang", exit_code=2).stderr
    assert "--to" in refused
    assert "--json" not in refused
    assert "--json" in started("task", "list", "--jsn", exit_code=2).stderr


def test_a_task_of_a_cancelled_instance_is_said_to_be_so(started: Terminal) -> None:
    started("instance", "cancel", "SV-1", "--reason", "twice", "--yes")
    refused = started("task", "claim", "SV-1.1", user="wang", exit_code=3).stderr
    assert "no longer needed: SV-1 was cancelled" in refused


def test_a_resumption_may_say_why(started: Terminal) -> None:
    for reason, told in (((), "resumed"), (("--reason", "reopened"), "resumed: reopened")):
        started("instance", "suspend", "SV-1", "--reason", "shut")
        started("instance", "resume", "SV-1", *reason)
        assert started("instance", "history", "SV-1").stdout.rstrip().endswith(told)


def test_a_message_for_nobody_is_quoted_and_a_key_named_only_where_one_was_given(started: Terminal) -> None:
    assert "message ' '; see" in started("message", "send", " ", exit_code=5).stderr
    assert "message 'm' with key 'k'" in started("message", "send", "m", "--key", "k", exit_code=5).stderr


def test_one_is_counted_as_one(started: Terminal) -> None:
    started.pass_time(days=3)
    assert "1 working day late" not in started("status", user="wang").stdout
    started.pass_time(days=1)
    late = started("status", user="wang").stdout
    assert "One instance is late." in late
    assert "1 working day late" in late
