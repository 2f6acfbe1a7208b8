"""Instances, procedures, the organisation, calendars and the journal, as they are typed and shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console import account
from tests.console.conftest import Terminal


def through(flow: Terminal) -> None:
    """Bring SV-1 to its wait for the delivery."""
    flow("task", "complete", "SV-1.1", "--set", "what=打印纸", "--set", "amount=300", user="wang")
    flow("task", "complete", "SV-1.2", "--set", "decision=agree", user="zhao")


def test_an_instance_shows_who_did_what_by_when(started: Terminal) -> None:
    started("task", "complete", "SV-1.1", "--set", "what=打印纸", "--set", "amount=300", user="wang")
    started.pass_time(days=10)
    shown = started("instance", "view", "SV-1", lang="zh").stdout
    assert "填写采购申请" in shown
    assert "王芳" in shown
    steps = started.json("instance", "view", "SV-1")["steps"]
    assert [(step["task"], step["late"]) for step in steps] == [("SV-1.1", False), ("SV-1.2", True)]
    assert started.json("status")["overview"]["late"][0]["id"] == "SV-1"


def test_a_message_reaches_the_instance_that_waits_for_it(started: Terminal) -> None:
    through(started)
    assert "delivered" in started("instance", "view", "SV-1").stdout
    assert started.json("message", "send", "delivered", "--key", "SV-1")["status"] == "completed"
    assert started.json("instance", "list", "--status", "running") == []


def test_history_reads_like_a_log_book(started: Terminal) -> None:
    through(started)
    lines = started("instance", "history", "SV-1", lang="zh").stdout.splitlines()
    assert any("王芳" in line and "SV-1.1 填写采购申请" in line for line in lines)
    assert not any("提出" in line for line in lines)
    assert any("提出" in line for line in started("instance", "history", "SV-1", "--all").stdout.splitlines())
    kinds = [line["kind"] for line in started.json("instance", "history", "SV-1")]
    assert kinds[0] == "instance.started"


def test_an_instance_is_suspended_resumed_and_cancelled_with_reasons(started: Terminal) -> None:
    started("instance", "suspend", "SV-1", "--reason", "停业")
    started("task", "complete", "SV-1.1", "--set", "what=纸", "--set", "amount=3", user="wang", exit_code=3)
    started("instance", "resume", "SV-1")
    started("instance", "cancel", "SV-1", "--reason", " ", exit_code=6)
    assert started.json("instance", "cancel", "SV-1", "--reason", "重复")["status"] == "cancelled"
    assert "重复" in started("instance", "history", "SV-1").stdout
    started("task", "claim", "SV-1.1", user="wang", exit_code=3)


def test_instances_are_listed_by_procedure_unit_and_state(started: Terminal) -> None:
    started("start", "purchase", "--unit", "office-2", user="zhao")

    def found(*options: str) -> list[str]:
        return [each["id"] for each in started.json("instance", "list", *options)]

    assert found() == ["SV-2", "SV-1"]
    assert found("--unit", "office-1") == ["SV-1"]
    assert found("--procedure", "P-1", "-L", "1") == ["SV-2"]
    assert found("--status", "completed") == []


def test_a_procedure_that_was_edited_is_published_as_the_next_version(flow: Terminal) -> None:
    assert "nothing changed" in flow("procedure", "publish", "P-1").stdout
    [row] = flow.json("procedure", "list")
    assert (row["version"], row["state"]) == (1, "published")
    form = flow.folder / "forms" / "purchase" / "request.yaml"
    form.write_text(form.read_text(encoding="utf-8").replace("max: 10000", "max: 500"), encoding="utf-8")
    assert flow.json("procedure", "list")[0]["state"] == "changed since"
    assert flow.json("procedure", "publish", "purchase")[0]["version"] == 2
    assert [each["version"] for each in flow.json("procedure", "show", "P-1")["versions"]] == [2, 1]


def test_a_running_instance_keeps_its_version(started: Terminal) -> None:
    form = started.folder / "forms" / "purchase" / "request.yaml"
    form.write_text(form.read_text(encoding="utf-8").replace("max: 10000", "max: 500"), encoding="utf-8")
    started("procedure", "publish", "purchase")
    started("task", "complete", "SV-1.1", "--set", "what=纸", "--set", "amount=600", user="wang")
    started("start", "P-1", "--unit", "office-1", user="wang")
    started("task", "complete", "SV-2.1", "--set", "what=纸", "--set", "amount=600", user="wang", exit_code=6)


def test_a_check_names_every_fault_and_publish_refuses_it(flow: Terminal) -> None:
    diagram = flow.folder / "processes" / "purchase" / "purchase.bpmn"
    text = diagram.read_text(encoding="utf-8").replace('formKey="approve"', 'formKey="aprove"')
    diagram.write_text(text, encoding="utf-8")
    assert "aprove" in flow("procedure", "check", "P-1", exit_code=1).stderr
    flow("procedure", "publish", "P-1", exit_code=8)
    assert [each["version"] for each in flow.json("procedure", "show", "P-1")["versions"]] == [1]


def test_a_diagram_is_drawn_once_and_left_alone_afterwards(flow: Terminal) -> None:
    diagram = flow.folder / "processes" / "purchase" / "purchase.bpmn"
    before = diagram.read_bytes()
    assert b"BPMNDiagram" in before
    assert "--redraw" in flow("procedure", "layout", "P-1").stdout
    assert diagram.read_bytes() == before
    copy = flow.folder / "copy.bpmn"
    assert flow.json("procedure", "layout", str(diagram), "-o", str(copy))["changed"]
    assert copy.read_bytes() == before


def test_a_shipped_procedure_is_copied_to_be_edited(flow: Terminal) -> None:
    shipped = flow.json("procedure", "list", "--shipped")
    assert "003G" in [each["code"] for each in shipped]
    folder = flow.folder / "processes" / "building-quarterly-15-workdays"
    assert "cs_supervisor" not in flow("procedure", "add", "003G").stdout
    assert (folder / "procedure.yaml").is_file()
    assert (flow.folder / "forms" / folder.name).is_dir()
    assert "already" in flow("procedure", "add", "003G", exit_code=3).stderr


def test_a_shipped_procedure_brings_those_it_calls_and_names_the_roles_of_all(flow: Terminal) -> None:
    added = flow("procedure", "add", "004B")
    assert (flow.folder / "processes" / "shared" / "corrective-action" / "procedure.yaml").is_file()
    assert (flow.folder / "forms" / "corrective-action").is_dir()
    for role in ("sales_support_head", "research_agency", "action_owner", "action_verifier"):
        assert f"id: {role}" in added.stderr
    assert "publish archiving corrective-action distribute-and-collect pharma-annual-plan-200" in added.stderr


def test_roles_that_a_call_gives_to_its_own_are_not_asked_for(flow: Terminal) -> None:
    added = flow("procedure", "add", "004G").stderr
    assert "id: center_officer" in added
    assert "id: action_verifier" not in added


def test_a_procedure_that_calls_another_is_rehearsed_with_it(flow: Terminal) -> None:
    assert "not_effective" in flow("rehearse", "004G", "--scenario", "not_effective").stdout


def test_a_procedure_shows_its_steps_with_role_requirement_and_record(flow: Terminal) -> None:
    approve = next(
        each for each in flow.json("procedure", "show", "P-1")["steps"] if each["step"] == "approve"
    )
    shown = flow("procedure", "show", "P-1", "--steps").stdout
    assert "Requirement" in shown
    assert approve["role"] in shown
    assert approve["name"] in shown


def test_the_organisation_is_shown_as_the_database_has_it(flow: Terminal) -> None:
    shown = flow("org", "show", "--unit", "office-1").stdout
    assert "王芳" in shown
    assert "孙悦" not in shown.split("Substitute")[0]
    file = flow.folder / "org.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("王芳", "王芬"), encoding="utf-8")
    assert "王芬" not in flow("org", "show").stdout
    assert "flow org import" in flow("status").stderr
    flow("org", "import")
    assert "王芬" in flow("org", "show").stdout
    assert "flow org import" not in flow("status").stderr


def test_a_calendar_is_imported_once_and_moves_what_is_open(started: Terminal) -> None:
    own = started.folder / "own.yaml"
    own.write_text('days_off: {停电: ["2026-09-15"]}\n', encoding="utf-8")
    assert started.json("calendar", "import", str(own), "--unit", "office-1")["moved"] == 1
    assert not started.json("calendar", "import", str(own), "--unit", "office-1")["fresh"]
    assert "2026-09-18" in started("task", "why", "SV-1.1", user="wang").stdout
    assert "停电" in started("calendar", "show", "--unit", "office-1").stdout
    assert "国庆节" in started("calendar", "show", "2026").stdout
    started("calendar", "show", "1999", exit_code=5)


def test_the_journal_verifies_and_an_altered_row_is_named(started: Terminal) -> None:
    head = started.folder / "head.txt"
    head.write_text(started("audit", "head").stdout, encoding="utf-8")
    assert started.json("audit", "verify", "--head", str(head))["faults"] == []
    alter(started, "UPDATE journal SET facts = '{}' WHERE chain = 'SV-1' AND seq = 2")
    found = json.loads(started("audit", "verify", "--json", exit_code=1).stdout)["faults"]
    assert {(each["chain"], each["seq"]) for each in found} == {("SV-1", 2)}
    assert "SV-1 #2" in started("audit", "verify", exit_code=1).stdout


def test_a_seal_that_is_none_is_refused(started: Terminal) -> None:
    head = started.folder / "head.txt"
    head.write_text("1 yesterday abc", encoding="utf-8")
    started("audit", "verify", "--head", str(head), exit_code=6)


def alter(flow: Terminal, statement: str) -> None:
    """Write into the database behind the program's back."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(flow.folder / "flow.db")) as database, database:
        database.execute(statement)


@pytest.mark.parametrize("name", ["journal.csv", "journal.jsonl"])
def test_the_journal_is_exported_with_its_hashes(started: Terminal, name: str) -> None:
    file = started.folder / name
    started("audit", "export", "-o", str(file))
    text = file.read_text(encoding="utf-8-sig")
    assert "task.opened" in text
    lines = started("audit", "export").stdout.splitlines()
    assert len(text.splitlines()) - (name == "journal.csv") == len(lines)
    assert all(len(json.loads(line)["hash"]) == 64 for line in lines)
    assert started("audit", "export", "--until", "2026-09-13").stdout == ""


def test_the_doctor_says_what_to_do(flow: Terminal) -> None:
    found = flow.json("doctor")
    assert not [each for each in found if each["level"] == "error"]
    assert "2027" in flow("doctor").stdout
    (flow.folder / "flow.db").write_bytes(b"this is no database at all" * 100)
    assert "✗" in flow("doctor", exit_code=1).stdout


def test_status_says_that_nothing_is_ticking_and_what_waits(started: Terminal) -> None:
    result = started("status", user="wang", lang="zh")
    assert "SV-1.1" in result.stdout
    assert "flow run" in result.stderr
    assert not started.json("status")["overview"]["ticking"]


def test_status_says_how_long_ago_the_scheduler_ticked_for_one_that_was_killed_cannot(
    started: Terminal,
) -> None:
    from engine.bootstrap import open_app
    from engine.commands.organisation import Tick
    from engine.config import read
    from engine.model import SYSTEM

    app = open_app(read(started.folder))
    with app.store:
        app.do(Tick(by=SYSTEM))
    started.pass_time(seconds=70)
    assert "its last tick was 70 s ago" in started("status").stdout
    assert "its last tick was 70 s ago" in started("doctor").stdout
    started.pass_time(seconds=70)
    assert "No scheduler is running" in started("status").stderr


def test_procedures_and_instances_are_called_what_the_reader_s_language_calls_them(started: Terminal) -> None:
    started("start", "P-1", "--unit", "office-1", "--title", "第二批", user="wang")
    for words in (
        ("instance", "list"), ("instance", "view", "SV-1"), ("instance", "history", "SV-1"), ("task", "list"),
        ("task", "view", "SV-1.1"), ("procedure", "list"), ("status",),
    ):  # fmt: skip
        shown = started(*words, user="wang").stdout
        assert "Purchase" in shown, words
        assert "物资采购" not in shown, words
        assert "物资采购" in started(*words, user="wang", lang="zh").stdout, words
    assert "第二批" in started("instance", "list", user="wang").stdout
    assert {each["title"] for each in started.json("instance", "list")} == {"物资采购", "第二批"}


def test_status_is_shown_to_somebody_the_organisation_does_not_know(started: Terminal) -> None:
    assert started.json("status", user="mallory")["tasks"] is None


def test_status_shows_what_it_can_where_org_yaml_may_not_be_read(
    started: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_file: Path, _limit: int) -> bytes:
        raise PermissionError

    monkeypatch.setattr("console.status.read_file", refused)
    assert "org.yaml may not be read" in started("status").stderr
    assert started.json("status")["overview"]["org_file_newer"] is None


def test_a_workspace_is_made_with_everything_to_begin(flow: Terminal) -> None:
    folder = flow.folder.parent / "新 空间"
    flow("init", str(folder), "--organisation", '第"一"物业', user="new user")
    flow.env = {"FLOW_HOME": str(folder)}
    [person] = flow.json("org", "show", user="new user")["people"]
    assert person["system_user"] == "new user"
    assert flow.json("task", "list", user="new user") == []
    assert {each["year"] for each in flow.json("calendar", "show", user="new user")} >= {2026, 2027}
    flow("init", str(folder), exit_code=3)


def test_a_wrong_time_zone_leaves_nothing_behind(flow: Terminal) -> None:
    flow("init", str(flow.folder.parent / "other"), "--zone", "Asia/Peking", exit_code=2)
    assert not (flow.folder.parent / "other").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_is_told_how_to_complete(flow: Terminal, shell: str) -> None:
    assert "_FLOW_COMPLETE" in flow("completion", shell).stdout


def test_ids_are_completed_with_the_names_of_tasks(started: Terminal) -> None:
    from click.shell_completion import ShellComplete

    import cli

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(account, "system_user", lambda: "wang")
        patch.setenv("FLOW_HOME", str(started.folder))
        complete = ShellComplete(cli.flow, {}, "flow", "_FLOW_COMPLETE")
        [item] = complete.get_completions(["task", "claim"], "sv-1")
        assert (item.value, item.help) == ("SV-1.1", "填写采购申请 · 第一管理处")
        units = complete.get_completions(["start", "P-1", "--unit"], "office")
        assert [unit.value for unit in units] == ["office-1", "office-2"]


def test_a_demo_workspace_says_that_its_clock_is_virtual(started: Terminal) -> None:
    from datetime import timedelta

    from engine.bootstrap import open_app
    from engine.commands.organisation import MoveClock
    from engine.config import read
    from engine.model import SYSTEM

    with (started.folder / "flow.toml").open("a", encoding="utf-8") as file:
        file.write("demo = true\n")
    app = open_app(read(started.folder))
    with app.store:
        app.do(MoveClock(by=SYSTEM, to=started.now + timedelta(days=1)))
    listed = started("task", "list", "--as", "wang.fang", user="anybody", lang="zh")
    assert "2026-09-15 09:00" in listed.stderr
    assert "SV-1.1" in listed.stdout


def test_a_unit_or_role_that_leaves_org_yaml_is_given_up_and_what_is_open_there_is_told(
    started: Terminal,
) -> None:
    file = started.folder / "org.yaml"
    text = file.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "{id: office-1" not in line]
    file.write_text("\n".join(lines).replace("unit: office-1", "unit: office-2"), encoding="utf-8")
    said = started("org", "import", lang="zh").stderr
    assert "第一管理处已不在 org.yaml 中" in said
    assert "1 项未完成的任务、1 个实例" in said
    [unit] = [each for each in started.json("org", "show")["units"] if each["id"] == "office-1"]
    assert not unit["active"]
    assert (
        "org.yaml no longer names it"
        in started("start", "P-1", "--unit", "office-1", exit_code=3, user="zhao").stderr
    )
    file.write_text(text, encoding="utf-8")
    started("org", "import")
    started("start", "P-1", "--unit", "office-1", user="wang")


def test_a_start_with_a_name_that_the_procedure_does_not_know_is_refused(flow: Terminal) -> None:
    said = flow("start", "P-1", "--unit", "office-1", "--set", "amuont=3", user="wang", exit_code=6).stderr
    assert "did you mean amount?" in said
    flow("start", "P-1", "--unit", "office-1", "--set", "amount=3", user="wang")
    said = flow("instance", "correct", "SV-1", "--set", "amuont=3", "--reason", "笔误", exit_code=6).stderr
    assert "did you mean amount?" in said


def test_a_diagram_is_written_as_a_picture_and_nothing_is_written_over(flow: Terminal) -> None:
    file = flow.folder / "picture.svg"
    assert "is written" in flow("procedure", "picture", "003G", "--to", str(file)).stdout
    kept = file.read_text(encoding="utf-8")
    assert kept.startswith("<svg")
    assert "审批方案" in "".join(kept.split())
    assert "--force" in flow("procedure", "picture", "004G", "--to", str(file), exit_code=3).stderr
    assert file.read_text(encoding="utf-8") == kept
    flow("procedure", "picture", "004G", "--to", str(file), "--force")
    assert file.read_text(encoding="utf-8") != kept
