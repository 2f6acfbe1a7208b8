"""How commands fail: exit codes by kind, in words and as JSON, in both languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.failures import EXIT_CODES
from engine import errors
from tests.console.conftest import Terminal


def test_every_kind_of_error_has_its_own_exit_code() -> None:
    kinds = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.EngineError)
    }
    assert kinds == EXIT_CODES.keys()
    assert len(set(EXIT_CODES.values())) == len(EXIT_CODES)
    assert not {0, 2, 4, 130} & set(EXIT_CODES.values())


@pytest.mark.parametrize(
    ("args", "code", "kind"),
    [
        (["task", "view", "SV-9.9"], 5, "NotFound"),
        (["task", "view", "what"], 5, "NotFound"),
        (["instance", "view", "SV-9"], 5, "NotFound"),
        (["start", "P-1", "--unit", "office-9"], 5, "NotFound"),
        (["start", "P-9", "--unit", "office-1"], 5, "NotFound"),
        (["job", "retry", "7"], 5, "NotFound"),
        (["message", "send", "delivered", "--key", "SV-1"], 5, "NotFound"),
        (["schedule", "fire", "P-1", "--unit", "office-1"], 5, "NotFound"),
        (["task", "frobnicate"], 2, "Usage"),
        (["task", "list", "--due", "never"], 2, "Usage"),
        (["task", "list", "--mine", "--all"], 2, "Usage"),
        (["task", "complete", "SV-1.1", "--set", "amount"], 2, "Usage"),
        (["audit", "export", "--since", "yesterday"], 2, "Usage"),
        (["start", "P-1"], 2, "Usage"),
        (["procedure", "add", "P-1"], 5, "NotFound"),
        (["init", "."], 3, "Conflict"),
    ],
)
def test_an_error_has_the_exit_code_of_its_kind_and_says_so_as_json(
    flow: Terminal, monkeypatch: pytest.MonkeyPatch, args: list[str], code: int, kind: str
) -> None:
    monkeypatch.chdir(flow.folder)
    result = flow(*args, "--json", exit_code=code)
    error = json.loads(result.stderr)["error"]
    assert error["kind"] == kind
    assert error["message"]
    assert result.stdout == ""
    words = flow(*args, exit_code=code, lang="zh")
    assert words.stderr.strip()
    assert words.stdout == ""


def test_a_faulty_organisation_is_refused_whole_with_every_line(flow: Terminal) -> None:
    file = flow.folder / "org.yaml"
    text = file.read_text(encoding="utf-8").replace("role: manager, unit: head", "role: manger, unit: haed")
    file.write_text(text, encoding="utf-8")
    refused = json.loads(flow("org", "import", "--json", exit_code=8).stderr)["error"]
    assert refused["kind"] == "Misbuilt"
    assert {problem["file"] for problem in refused["problems"]} == {"org.yaml"}
    assert len(refused["problems"]) == 2
    assert all(
        problem["element"].startswith("line ") and problem["remedy"] for problem in refused["problems"]
    )
    assert len(flow.json("org", "show")["people"]) >= 4


def test_a_file_in_another_encoding_is_refused_with_its_name(flow: Terminal) -> None:
    (flow.folder / "org.yaml").write_bytes("organisation: 公司".encode("gbk"))
    assert "GBK" in flow("org", "import", exit_code=8).stderr


def test_outside_a_workspace_the_remedy_is_told(flow: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    flow.env = {"FLOW_HOME": ""}
    assert "flow init" in flow("task", "list", exit_code=5).stderr


@pytest.mark.parametrize(
    "words", [("procedure", "layout"), ("procedure", "picture"), ("procedure", "check"), ("rehearse",)]
)
def test_a_diagram_that_is_not_there_is_named_where_there_is_no_workspace_either(
    flow: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    said = flow(*words, "nope.bpmn", exit_code=5).stderr
    assert "There is no" in said
    assert "nope.bpmn" in said
    assert "flow init" not in said


def test_the_workspace_is_found_upward_and_by_option(flow: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    flow.env = {"FLOW_HOME": ""}
    monkeypatch.chdir(flow.folder / "processes" / "purchase")
    flow("task", "list", user="wang")
    monkeypatch.chdir("/")
    flow("-C", str(flow.folder), "task", "list", user="wang")
    flow("-C", "/", "task", "list", user="wang", exit_code=5)


def test_a_faulty_setting_is_named(flow: Terminal) -> None:
    with (flow.folder / "flow.toml").open("a", encoding="utf-8") as file:
        file.write("langauge = 'zh'\n")
    assert "langauge" in flow("task", "list", exit_code=8).stderr


def test_an_unknown_system_user_is_told_what_to_do(flow: Terminal) -> None:
    refused = flow("task", "list", user="mallory", exit_code=7)
    assert "system_user: mallory" in refused.stderr


def test_who_names_no_unit_is_told_where_they_are_listed(started: Terminal) -> None:
    assert "`flow org show`" in started("start", "P-1", exit_code=2).stderr
    assert "`flow org show`" in started("schedule", "pause", "P-1", exit_code=2).stderr


def test_acting_for_another_needs_the_permission(started: Terminal) -> None:
    assert "act-for" in started("task", "list", "--as", "wang.fang", user="li", exit_code=7).stderr
    started("task", "claim", "SV-1.1", "--as", "wang.fang", user="zhao")
    assert "赵敏 for 王芳" in started("instance", "history", "SV-1").stdout
    started("task", "list", "--as", "nobody", user="zhao", exit_code=5)


def test_whoever_an_import_left_out_can_still_mend_it(flow: Terminal) -> None:
    flow("org", "import", user="mallory")
    assert "mallory" in flow("audit", "export", "--since", "2026-09-14").stdout


def test_ctrl_c_ends_with_130(flow: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.queries.worklist.worklist", interrupt)
    flow("task", "list", user="wang", exit_code=130)


def test_a_bug_stays_a_traceback(flow: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def blunder(*_args: object, **_options: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("engine.queries.worklist.worklist", blunder)
    with pytest.raises(ZeroDivisionError):
        flow("task", "list", user="wang")


def test_who_is_not_known_yet_is_told_how_org_yaml_comes_to_count(started: Terminal) -> None:
    said = started("task", "list", "--as", "new.one", exit_code=5).stderr
    assert "flow org import" in said
