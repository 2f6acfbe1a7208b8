"""`flow archive`: sealing, showing, verifying and handing over what an instance left."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.console.conftest import Terminal
from tests.console.test_workspace import alter


@pytest.fixture
def ended(started: Terminal) -> Terminal:
    """SV-1 is cancelled; it left a journal, and a record put there by hand."""
    started("instance", "cancel", "SV-1", "--reason", "不再需要", "--yes")
    return started


def test_a_set_is_sealed_shown_exported_and_verified(ended: Terminal, tmp_path: Path) -> None:
    assert (
        "SV-1 is sealed"
        in ended("archive", "seal", "SV-1", "--custodian", "manager", "--retention", "P2Y").output
    )
    listed = ended.json("archive", "list")
    assert [(each["instance"], each["custodian_name"], each["keep_until"]) for each in listed] == [
        ("SV-1", "项目总经理", "2028-09-14")
    ]
    shown = ended("archive", "show", "SV-1").output
    assert "history.jsonl" in shown
    assert "2028-09-14" in shown
    file = tmp_path / "SV-1.zip"
    ended("archive", "export", "SV-1", "--to", str(file))
    ended("archive", "export", "SV-1", "--to", str(file), exit_code=3)
    assert "✓" in ended("archive", "verify", str(file)).output
    assert "✓ SV-1" in ended("archive", "verify").output
    with zipfile.ZipFile(file) as opened:
        told = opened.read("history.txt").decode()
        assert "物资采购" in told
        assert "cancelled" in told
        assert "sha256sum -c SHA256SUMS" in opened.read("README.txt").decode()
    assert "archived: " in ended("instance", "history", "SV-1").output


def test_a_file_of_another_set_is_not_taken_for_ours(ended: Terminal, tmp_path: Path) -> None:
    ended("archive", "seal", "SV-1")
    ended("archive", "export", "SV-1", "--to", str(tmp_path / "ours.zip"))
    with zipfile.ZipFile(tmp_path / "ours.zip") as source:
        files = {each: source.read(each) for each in source.namelist()}
    import hashlib

    before = hashlib.sha256(files["manifest.json"]).hexdigest().encode()
    files["manifest.json"] = files["manifest.json"].replace("物资采购".encode(), "物质采购".encode())
    after = hashlib.sha256(files["manifest.json"]).hexdigest().encode()
    files["SHA256SUMS"] = files["SHA256SUMS"].replace(before, after)
    with zipfile.ZipFile(tmp_path / "theirs.zip", "w") as target:
        for name, raw in files.items():
            target.writestr(name, raw)
    said = ended("archive", "verify", str(tmp_path / "theirs.zip"), exit_code=1).output
    assert "It is not the set that was sealed here" in said


def test_what_is_not_archived_or_not_over_is_said(started: Terminal) -> None:
    assert "has not ended yet" in started("archive", "seal", "SV-1", exit_code=3).output
    assert "is not archived" in started("archive", "show", "SV-1", exit_code=5).output
    assert "There is nothing" in started("archive", "due").output
    started("archive", "seal", "SV-1", "--retention", "soon", exit_code=6)
    started("archive", "verify", "gone.zip", exit_code=5)
    assert "It is no archive" in started("archive", "verify", "some.csv", exit_code=6).output
    assert "is no instance" in started("archive", "verify", "SV-x", exit_code=5).output


def test_where_it_is_not_said_how_long_to_keep_them_the_remedy_is_named_once(ended: Terminal) -> None:
    ended("archive", "seal", "SV-1")
    ended("archive", "seal", "SV-1")
    told = ended("archive", "list").output
    assert told.count("archive_retention") == 1
    ended("archive", "seal", "SV-1", "--retention", "permanent")
    assert "archive_retention" not in ended("archive", "list").output


def test_a_set_that_is_gone_from_the_database_or_altered_there_is_told_from_the_journal(
    ended: Terminal,
) -> None:
    ended("archive", "seal", "SV-1", "--custodian", "manager")
    for statement, seen, audited in (
        (
            "UPDATE archive SET custodian = 'li.lei'",
            "custodian li.lei, the journal says manager",
            "custodian li.lei",
        ),
        ("UPDATE archive SET files = files + 5, custodian = 'manager'", "files", "files"),
        ("UPDATE archive SET keep_until = 1, files = files - 5", "keep_until", "keep_until 1"),
        (
            "UPDATE archive SET keep_until = NULL, manifest = replace(manifest, 'SV-', 'SX-')",
            "manifest",
            "manifest",
        ),
        (
            "DELETE FROM archive",
            "was sealed, as the journal says, and is missing",
            "is missing in the table archive",
        ),
    ):
        alter(ended, statement)
        for words in (("archive", "verify"), ("archive", "verify", "SV-1")):
            told = ended(*words, exit_code=1).stdout
            assert "✗ SV-1" in told, statement
            assert seen in told, statement
        assert audited in ended("audit", "verify", exit_code=1).stdout, statement
    assert "The sealed set of SV-1 is missing" in ended("archive", "list").stderr
    assert "The sealed set of SV-1 is missing" in ended("archive", "show", "SV-1", exit_code=5).stderr


def test_what_need_not_be_kept_any_more_is_listed_on_its_day(ended: Terminal) -> None:
    ended("archive", "seal", "SV-1", "--retention", "P1M")
    ended.pass_time(days=29)
    assert ended.json("archive", "due") == []
    ended.pass_time(days=1)
    assert [each["instance"] for each in ended.json("archive", "due")] == ["SV-1"]
