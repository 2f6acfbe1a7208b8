"""`flow procedure check` on procedures, bare diagrams, folders and patterns."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from tests.bpmn.models import BASIC, FLOWS, line, process
from tests.console.conftest import Terminal

KEYS = ["file", "line", "element", "level", "reason", "remedy"]
GOOD = process(BASIC, FLOWS)
BAD = process(BASIC, "s > t")


@pytest.fixture
def drafts(tmp_path: Path) -> Path:
    """A folder of diagrams, and no workspace around it."""
    folder = tmp_path / "drafts"
    (folder / "inner").mkdir(parents=True)
    (folder / "good.bpmn").write_bytes(GOOD)
    (folder / "bad.bpmn").write_bytes(BAD)
    (folder / "inner" / "other.bpmn").write_bytes(GOOD)
    return folder


def checked(*args: str, exit_code: int) -> str:
    """What `flow procedure check ARGS` says outside a workspace."""
    result = CliRunner().invoke(cli.flow, ["--lang", "en", "procedure", "check", *args])
    assert result.exit_code == exit_code, result.output
    return result.output


def test_a_bare_diagram_is_checked_without_a_workspace(
    drafts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "nothing to object to" in checked("drafts/good.bpmn", exit_code=0)
    assert "Nothing follows here" in checked("drafts/bad.bpmn", exit_code=1)


def test_several_files_folders_and_patterns_are_checked_at_once(
    drafts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(drafts)
    said = checked(".", exit_code=1)
    assert said.count("nothing to object to") == 2
    assert checked("*.bpmn", exit_code=1).count("nothing to object to") == 1
    assert checked("inner", "good.bpmn", exit_code=0).count("nothing to object to") == 2
    assert checked(str(drafts / "g*.bpmn"), exit_code=0).count("nothing to object to") == 1
    assert "Nothing matches" in checked("*.xml", exit_code=5)
    (drafts / "empty").mkdir()
    assert "neither a procedure nor a diagram" in checked("empty", exit_code=5)


def test_programs_get_a_list_with_fields_that_stay(drafts: Path) -> None:
    found = json.loads(checked(str(drafts), "--json", exit_code=1))
    assert {each["file"] for each in found} == {str(drafts / "bad.bpmn")}
    assert all(list(each) == KEYS for each in found)
    assert {(each["element"], each["line"], each["level"]) for each in found} >= {("t", 1, "error")}
    assert json.loads(checked(str(drafts / "good.bpmn"), "--json", exit_code=0)) == []


def test_a_file_that_is_no_diagram_is_a_finding_with_its_line(drafts: Path) -> None:
    (drafts / "broken.bpmn").write_bytes(GOOD[:-5])
    [found] = json.loads(checked(str(drafts / "broken.bpmn"), "--json", exit_code=1))
    assert (found["element"], found["line"]) == ("", 1)


def test_a_procedure_is_checked_by_its_folder_also_outside_a_workspace(
    flow: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(flow.folder / "processes", copy / "processes")
    shutil.copytree(flow.folder / "forms", copy / "forms")
    monkeypatch.chdir(tmp_path)
    assert "purchase: nothing to object to" in checked("elsewhere", exit_code=0)
    (copy / "forms" / "purchase" / "approve.yaml").unlink()
    [found] = json.loads(checked(str(copy / "processes" / "purchase"), "--json", exit_code=1))
    assert found["file"] == str(copy / "processes" / "purchase" / "purchase.bpmn")
    assert (found["element"], found["level"]) == ("approve", "incomplete")
    assert found["line"] > 1


def test_in_a_workspace_the_organisation_counts(flow: Terminal) -> None:
    diagram = flow.folder / "processes" / "purchase" / "purchase.bpmn"
    diagram.write_text(diagram.read_text(encoding="utf-8").replace('"approve"', '"aprove"'), encoding="utf-8")
    assert flow("procedure", "check", "P-1", exit_code=1).output
    assert flow("procedure", "check", str(diagram.parent), exit_code=1).output


def test_the_diagram_of_a_procedures_folder_is_judged_as_the_procedure(flow: Terminal) -> None:
    home = flow.folder / "processes" / "purchase"
    assert "purchase: nothing to object to" in flow("procedure", "check", str(home / "purchase.bpmn")).output
    (flow.folder / "forms" / "purchase" / "approve.yaml").unlink()
    whole = flow("procedure", "check", "P-1", exit_code=1).output
    assert flow("procedure", "check", str(home / "purchase.bpmn"), exit_code=1).output == whole


def test_a_bare_diagram_names_functions_tables_roles_and_forms_that_there_are(
    flow: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "drafts" / "bare.bpmn"
    file.parent.mkdir()
    camunda = "<camunda:properties><camunda:property name='flow.handler' value='nothing.there'/></camunda:properties>"
    file.write_bytes(
        line(
            '<userTask id="u" camunda:formKey="nowhere" camunda:candidateGroups="nobody"/><businessRuleTask id="r" '
            f'camunda:decisionRef="dec"/><serviceTask id="v"><extensionElements>{camunda}</extensionElements>'
            "</serviceTask>", "u", "r", "v",
        )
    )  # fmt: skip
    found = flow("procedure", "check", str(file), "--json", exit_code=1).output
    levels = {(each["element"], each["level"]) for each in json.loads(found)}
    assert levels == {("u", "incomplete"), ("r", "error"), ("v", "incomplete")}
    assert "There is no form nowhere" in found
    assert "The organisation has no role nobody" in found
    monkeypatch.chdir(tmp_path)
    found = checked("drafts", "--json", exit_code=1)
    assert {each["element"] for each in json.loads(found)} == {"r", "v"}
    (file.parent / "dec.dmn").write_text("<no/>", "utf-8")
    found = checked("drafts", "--json", exit_code=1)
    assert str(Path("drafts", "dec.dmn")) in {each["file"] for each in json.loads(found)}


def test_a_folder_without_procedure_yaml_is_told_so(flow: Terminal) -> None:
    (flow.folder / "processes" / "half").mkdir()
    said = flow("procedure", "check", "half", exit_code=5).output
    assert "has no procedure.yaml" in said


def test_a_copy_that_was_broken_off_is_no_procedure(flow: Terminal) -> None:
    shutil.copytree(flow.folder / "processes" / "purchase", flow.folder / "processes" / ".both.1.copying")
    assert {each["procedure"] for each in flow.json("procedure", "list")} == {"purchase"}
    assert "copying" not in flow("procedure", "check", str(flow.folder / "processes")).output
