"""`flow procedure import` and `export`, as they are typed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from console import folders
from tests.console.conftest import Terminal
from tests.importing.diagrams import FILES


def test_an_imported_diagram_is_checked_completed_and_published(flow: Terminal) -> None:
    said = flow("procedure", "import", str(FILES / "bpmn-io.bpmn"), "--name", "call").output
    assert "7 kept, 0 translated, 0 dropped, 0 refused" in said
    diagram = flow.folder / "processes" / "call" / "call.bpmn"
    assert diagram.read_bytes() == (FILES / "bpmn-io.bpmn").read_bytes()
    assert "Nobody's role" in flow("procedure", "check", "call", exit_code=1).output
    text = diagram.read_text("utf-8").replace(
        'xmlns:di="', 'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:di="'
    )
    diagram.write_text(text.replace('name="回访"', 'name="回访" camunda:candidateGroups="clerk"'), "utf-8")
    flow("procedure", "publish", "call")


def test_exported_files_differ_from_the_imported_ones_in_the_changed_label_only(
    flow: Terminal, tmp_path: Path
) -> None:
    original = (FILES / "bpmn-io.bpmn").read_text("utf-8").replace(
        'xmlns:di="', 'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:di="'
    )  # fmt: skip
    original = original.replace('name="回访"', 'name="回访" camunda:candidateGroups="clerk"').replace(
        "\n", "\r\n"
    )
    file = tmp_path / "call.bpmn"
    file.write_bytes(original.encode())
    flow("procedure", "import", str(file))
    flow("procedure", "publish", "call")
    diagram = flow.folder / "processes" / "call" / "call.bpmn"
    diagram.write_bytes(diagram.read_bytes().replace("回访".encode(), "电话回访".encode()))
    flow("procedure", "publish", "call")
    first, second = tmp_path / "first", tmp_path / "second"
    flow("procedure", "export", "call", "--version", "1", "-o", str(first))
    told = flow.json("procedure", "export", "call", "-o", str(second))
    assert (told["version"], told["files"]) == (
        2,
        ["processes/call/call.bpmn", "processes/call/procedure.yaml"],
    )
    assert (first / "processes/call/call.bpmn").read_bytes() == original.encode()
    assert (second / "processes/call/call.bpmn").read_bytes() == original.replace("回访", "电话回访").encode()


def test_exported_files_are_a_procedure_again(flow: Terminal, tmp_path: Path) -> None:
    target = tmp_path / "out"
    flow("procedure", "export", "P-1", "-o", str(target))
    for part in ("processes", "forms"):
        ours = sorted(path for path in (flow.folder / part / "purchase").rglob("*") if path.is_file())
        theirs = sorted(path for path in (target / part / "purchase").rglob("*") if path.is_file())
        assert [path.read_bytes() for path in ours] == [path.read_bytes() for path in theirs]
    flow("procedure", "check", str(target / "processes" / "purchase"))
    assert "there already" in flow("procedure", "export", "P-1", "-o", str(target), exit_code=3).output
    assert "no version 9, but 1" in flow("procedure", "export", "P-1", "--version", "9", exit_code=5).output


def test_a_rehearsal_of_the_import_writes_nothing(flow: Terminal) -> None:
    told = flow.json("procedure", "import", str(FILES / "flowable.bpmn20.xml"), "--dry-run")
    assert (told["procedure"], told["process"], told["folder"]) == ("flowable", "purchase", None)
    assert not (flow.folder / "processes" / "flowable").exists()
    assert not (flow.folder / "forms" / "flowable").exists()
    condition = next(each for each in told["constructs"] if each["what"] == "conditionExpression")
    assert condition == {
        "outcome": "translated",
        "element": "s4",
        "line": 25,
        "what": "conditionExpression",
        "from": "${amount > 1000 and not empty supplierName}",
        "to": 'amount > 1000 and supplier_name not in [None, "", [], {}]',
        "reason": "",
        "remedy": "",
    }


def test_an_existing_procedure_is_never_written_over(flow: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "purchase.bpmn"
    shutil.copy(FILES / "bpmn-io.bpmn", file)
    before = (flow.folder / "processes" / "purchase" / "purchase.bpmn").read_bytes()
    assert "there already" in flow("procedure", "import", str(file), exit_code=3).output
    assert (flow.folder / "processes" / "purchase" / "purchase.bpmn").read_bytes() == before
    (flow.folder / "forms" / "other").mkdir()
    assert "there already" in flow("procedure", "import", str(file), "--name", "other", exit_code=3).output


def test_a_file_that_cannot_be_read_leaves_nothing_behind(flow: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "broken.bpmn"
    file.write_bytes(b"<definitions>")
    flow("procedure", "import", str(file), exit_code=8)
    assert not (flow.folder / "processes" / "broken").exists()


def test_a_name_is_asked_for_where_the_file_gives_none(flow: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "流程.bpmn"
    file.write_text((FILES / "bpmn-io.bpmn").read_text("utf-8").replace("Process_1", "流程"), "utf-8")
    assert "--name" in flow("procedure", "import", str(file), exit_code=6).output
    assert "cannot be" in flow("procedure", "import", str(file), "--name", "../x", exit_code=6).output
    said = flow("procedure", "import", str(file), "--dry-run").output
    assert "7 kept, 0 translated" in said
    assert "say one with --name" in said
    assert flow.json("procedure", "import", str(file), "--dry-run")["procedure"] is None


def test_the_report_names_places_changes_and_remedies_in_chinese(flow: Terminal) -> None:
    said = flow("procedure", "import", str(FILES / "flowable.bpmn20.xml"), "--dry-run", lang="zh").output
    assert "pay 第 28 行  flowable:delegateExpression ${payBean}" in said
    assert "flow.handler" in said
    assert "保留" in said


def test_a_name_that_is_not_quite_the_files_is_told(flow: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "op_utf_8.bpmn"
    shutil.copy(FILES / "bpmn-io.bpmn", file)
    assert "op_utf_8.bpmn becomes op-utf-8" in flow("procedure", "import", str(file), "--dry-run").output
    assert "--name" not in flow("procedure", "import", str(file), "--dry-run", "--name", "x1").output


def test_of_two_imports_of_one_name_at_once_the_later_is_told_that_it_is_taken(
    flow: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = folders.free

    def meanwhile(workspace, name):  # type: ignore[no-untyped-def]
        place = told(workspace, name)
        folders.write(place.folder, {"procedure.yaml": b"first"})
        return place

    monkeypatch.setattr(folders, "free", meanwhile)
    said = flow("procedure", "import", str(FILES / "bpmn-io.bpmn"), "--name", "both", exit_code=3).output
    assert "both is there already: it was made at the same time" in " ".join(said.split())
    assert "copying" not in said
    assert [each.name for each in (flow.folder / "processes").glob("*both*")] == ["both"]
    assert (flow.folder / "processes" / "both" / "procedure.yaml").read_bytes() == b"first"


def test_what_stands_outside_of_extension_elements_is_refused(flow: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "strange.bpmn"
    text = (FILES / "bpmn-io.bpmn").read_text("utf-8")
    end = text.index("</bpmn:process>")
    file.write_text(text[:end] + '<x:remark xmlns:x="urn:x"/>\n' + text[end:], "utf-8")
    told = flow.json("procedure", "import", str(file), "--dry-run")
    (row,) = (each for each in told["constructs"] if each["outcome"] in ("refused", "dropped"))
    assert (row["outcome"], row["line"]) == ("refused", text[:end].count("\n") + 1)
    assert "x:remark is no element of BPMN" in row["reason"]
    assert "extensionElements of the process" in row["remedy"]
    assert told["written_by"] == "BPMN"


def test_a_namespace_that_nothing_uses_does_not_say_which_engine_a_file_is_for(
    flow: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "plain.bpmn"
    text = (FILES / "bpmn-io.bpmn").read_text("utf-8")
    declared = text.replace('xmlns:di="', 'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:di="', 1)
    file.write_text(declared, "utf-8")
    assert flow.json("procedure", "import", str(file), "--dry-run")["written_by"] == "BPMN"
    file.write_text(declared.replace('name="回访"', 'name="回访" camunda:assignee="li"'), "utf-8")
    assert flow.json("procedure", "import", str(file), "--dry-run")["written_by"] == "Camunda 7"
