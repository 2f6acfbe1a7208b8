"""What an instance left is sealed whole, is found changed when it was, and can be checked by a stranger."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, update

from engine.archiving import zipped
from engine.commands.archives import SealArchive, judge_retention
from engine.errors import Conflict, Denied, Invalid, NotFound
from engine.handlers import Call
from engine.model import SYSTEM, Actor
from engine.queries import archives
from engine.store import Store, open_store, tables
from engine.store.contradictions import contradictions
from engine.store.journal import digest
from tasks.archive import handlers as archiving
from tests.engine.stage import Stage, open_stage
from tests.store.histories import tampering

RECORDS = (
    "records:\n  report: {title: 报告, code: QR-7, retention: P3Y}\n  notes: {title: 笔记, retention: P1Y}"
)
RUN = """
start s
service write flow.handler=t.write flow.record=report
user look flow.record=notes form=look
{more}end e
s -> write -> look -> {way}e
"""
FORM = {
    "look": "  - {id: verdict, type: text, label: 结论}\n  - {id: phone, type: text, label: 电话, personal: true}"
}


def prepared(store: Store, folder: Path) -> Stage:
    stage = open_stage(store, folder)
    stage.handlers.include(archiving)

    @stage.handlers.inside
    def write(call: Call) -> dict[str, object]:
        """Writes two files."""
        return {"$record": {"报告.csv": "项目,满意率\n保洁,95%\n", "说明.txt": f"{call.label}\n"}}

    stage.app.registry.known = stage.handlers.known
    stage.organise()
    stage.calendars(2026, 2027)
    return stage


@pytest.fixture
def stage(store: Store, tmp_path: Path) -> Iterator[Stage]:
    found = prepared(store, tmp_path)
    yield found
    found.check()


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Stage]:
    with open_store("sqlite://") as store:
        yield prepared(store, tmp_path)


def run(stage: Stage, more: str = "", way: str = "") -> int:
    stage.publish(RUN.format(more=more, way=way), more=RECORDS, forms=FORM)
    number = stage.start()
    stage.complete("look", verdict="很好", phone="13900000000")
    return number


def sealed(stage: Stage, number: int, **more: object) -> archives.Archive:
    stage.do(SealArchive(by=Actor("ann"), instance=number, custodian="gus", **more))  # type: ignore[arg-type]
    with stage.app.store.read() as conn:
        return archives.find(conn, number)[0]


def changed(stage: Stage, number: int) -> list[str]:
    with stage.app.store.read() as conn:
        return [
            each.name
            for each in archives.faults(conn, stage.app.workspace.folder, *archives.find(conn, number))
        ]


def exported(stage: Stage, number: int, target: Path) -> Path:
    with stage.app.store.read() as conn:
        found, manifest = archives.find(conn, number)
        files, sums = archives.to_hand_over(conn, stage.app.workspace.folder, found, manifest, b"told\n")
        zipped.write(target, found.sealed_at.astimezone(ZoneInfo("Asia/Shanghai")), files, sums)
    return target


def test_a_set_holds_the_records_the_procedure_and_the_journal(stage: Stage) -> None:
    number = run(stage)
    found = sealed(stage, number)
    with stage.app.store.read() as conn:
        said = json.loads(archives.find(conn, number)[1])
    names = [each["name"] for each in said["files"]]
    assert names == [
        "definitions/p-1/forms/look.yaml",
        "definitions/p-1/p.bpmn",
        "definitions/p-1/procedure.yaml",
        "history.jsonl",
        "records/SV-1/notes-1.txt",
        "records/SV-1/报告.csv",
        "records/SV-1/说明.txt",
    ]
    report = said["files"][5]
    assert (report["title"], report["code"]) == ("报告", "QR-7")
    assert said["custodian"] == {"id": "gus", "name": "古"}
    assert found.keep_until == date(2029, 9, 14), "the longest of its records"
    assert found.sha256 == stage.journal("archive.sealed")[0].facts["sha256"]
    assert changed(stage, number) == []


def test_what_was_changed_afterwards_is_named(stage: Stage, tmp_path: Path) -> None:
    number = run(stage)
    sealed(stage, number)
    report = tmp_path / "records" / "SV-1" / "报告.csv"
    raw = report.read_bytes()
    report.write_bytes(raw.replace(b"95", b"99"))
    (tmp_path / "records" / "SV-1" / "说明.txt").unlink()
    assert changed(stage, number) == ["records/SV-1/报告.csv", "records/SV-1/说明.txt"]


@pytest.mark.parametrize("what", ["journal", "definition", "manifest", "list"])
def test_what_was_changed_in_the_database_is_named(quick: Stage, what: str) -> None:
    number = run(quick)
    sealed(quick, number)
    table = tables.archive
    with quick.app.store.write() as conn:
        if what == "journal":
            row = tables.journal
            conn.execute(update(row).where(row.c.chain == "SV-1", row.c.seq == 2).values(by="bob"))
        elif what == "definition":
            other = tables.definition
            text = conn.exec_driver_sql("SELECT bundle FROM definition").scalar_one()
            from engine.procedures.packing import pack, unpack

            files = unpack(text) | {"p.bpmn": unpack(text)["p.bpmn"].replace(b"look", b"lock")}
            conn.execute(update(other).values(bundle=pack(files)))
        elif what == "manifest":
            conn.execute(update(table).values(manifest=table.c.manifest + " "))
        else:
            text = conn.exec_driver_sql("SELECT manifest FROM archive").scalar_one().replace("报告", "报吿")
            sum_ = hashlib.sha256(text.encode()).hexdigest()
            conn.execute(update(table).values(manifest=text, sha256=sum_))
    expected = {"journal": "history.jsonl", "definition": "definitions/p-1/p.bpmn"}.get(what, "manifest.json")
    assert changed(quick, number) == [expected]


def test_a_stranger_checks_the_exported_file_without_us(quick: Stage, tmp_path: Path) -> None:
    number = run(quick)
    sealed(quick, number)
    file = exported(quick, number, tmp_path / "SV-1.zip")
    with zipfile.ZipFile(file) as opened:
        opened.extractall(tmp_path / "unpacked")
    tool = shutil.which("sha256sum")
    assert tool is not None
    run_ = subprocess.run(
        [tool, "-c", "--strict", "SHA256SUMS"], cwd=tmp_path / "unpacked", capture_output=True, text=True
    )
    assert run_.returncode == 0, run_.stderr
    assert len(run_.stdout.splitlines()) == 10
    everything = b"".join(each.read_bytes() for each in (tmp_path / "unpacked").rglob("*.jsonl"))
    assert b"13900000000" not in everything, "personal values can be erased; what was handed over cannot"
    previous = bytes(32)
    for line in everything.splitlines():
        row = json.loads(line)
        assert row["prev"] == previous.hex()
        previous = digest(
            previous,
            *(row[name] for name in ("chain", "seq", "at", "by", "acting_for", "kind", "subject", "facts")),
        )
        assert row["hash"] == previous.hex()


def test_the_same_set_gives_the_same_bytes(quick: Stage, tmp_path: Path) -> None:
    number = run(quick)
    sealed(quick, number)
    first = exported(quick, number, tmp_path / "a.zip").read_bytes()
    quick.wait(days=3)
    assert exported(quick, number, tmp_path / "b.zip").read_bytes() == first


@pytest.mark.parametrize("how", ["changed", "missing", "added", "relisted", "twice"])
def test_a_file_that_was_tampered_with_is_found_out(quick: Stage, tmp_path: Path, how: str) -> None:
    number = run(quick)
    sealed(quick, number)
    good = exported(quick, number, tmp_path / "good.zip")
    manifest, _, faults = zipped.check(good)
    assert manifest["instance"] == "SV-1"
    assert not faults
    name, bad = "records/SV-1/报告.csv", tmp_path / "bad.zip"
    with zipfile.ZipFile(good) as source:
        files = {each: source.read(each) for each in source.namelist()}
    if how in ("changed", "relisted"):
        before = hashlib.sha256(files[name]).hexdigest()
        files[name] = files[name].replace(b"95", b"99")
        if how == "relisted":
            after = hashlib.sha256(files[name]).hexdigest()
            files["SHA256SUMS"] = files["SHA256SUMS"].replace(before.encode(), after.encode())
    elif how == "missing":
        del files[name]
    elif how == "added":
        name = "records/SV-1/neu.txt"
        files[name] = b"x"
    with zipfile.ZipFile(bad, "w") as target:
        for each, raw in files.items():
            target.writestr(each, raw)
        if how == "twice":
            with pytest.warns(UserWarning, match="Duplicate"):
                target.writestr(name, files[name])
    assert {each.name for each in zipped.check(bad)[2]} == {name}


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"no zip at all"])
def test_what_is_no_archive_is_refused(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "x.zip"
    file.write_bytes(raw)
    with pytest.raises(Invalid):
        zipped.check(file)
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("manifest.json", '{"archive": "other"}')
        target.writestr("SHA256SUMS", "")
    with pytest.raises(Invalid):
        zipped.check(file)


@pytest.mark.parametrize("name", ["manifest.json", "SHA256SUMS"])
def test_a_list_that_grows_without_bound_as_it_is_unpacked_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(zipped, "_MOST", 1000)
    lists = {"manifest.json": '{"archive": "satisflow-archive/1", "files": []}', "SHA256SUMS": ""}
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as target:
        for each, text in {**lists, name: lists[name] + " " * 10**6}.items():
            target.writestr(each, text)
    with pytest.raises(Invalid, match="larger than 1000 bytes when unpacked"):
        zipped.check(tmp_path / "x.zip")


def test_only_what_has_ended_is_sealed_by_whoever_works_there_for_somebody_known(quick: Stage) -> None:
    quick.publish(RUN.format(more="", way=""), more=RECORDS, forms=FORM)
    quick.organise(quick_organisation(admin=True))
    number = quick.start()
    with pytest.raises(Conflict):
        sealed(quick, number)
    quick.complete("look", verdict="很好")
    with pytest.raises(NotFound):
        quick.do(SealArchive(by=Actor("ann"), instance=number, custodian="nobody"))
    with pytest.raises(Denied):
        quick.do(SealArchive(by=Actor("dan"), instance=number, custodian="gus"))
    with pytest.raises(Invalid):
        judge_retention("forever")
    with pytest.raises(Invalid):
        judge_retention("P0D")


def quick_organisation(*, admin: bool) -> str:
    from tests.engine.stage import ORGANISATION

    return ORGANISATION.replace("may: [assign]", "may: [assign, admin]") if admin else ORGANISATION


def test_what_is_kept_for_ever_is_never_due_and_the_rest_on_its_day(quick: Stage) -> None:
    number, other = run(quick), quick.start()
    quick.complete("look", verdict="好")
    sealed(quick, number, retention="permanent")
    sealed(quick, other, retention="P1Y")
    with quick.app.store.read() as conn:
        assert [each.instance for each in archives.archives(conn)] == ["SV-2", "SV-1"]
        assert not archives.archives(conn, ended_by=date(2027, 9, 13))
        assert [each.instance for each in archives.archives(conn, ended_by=date(2027, 9, 14))] == ["SV-2"]


def test_a_second_sealing_makes_a_second_set(quick: Stage) -> None:
    number = run(quick)
    first, second = sealed(quick, number), sealed(quick, number)
    assert (first.number, second.number) == (1, 2)
    assert first.sha256 != second.sha256
    assert changed(quick, number) == []


def test_a_diagram_seals_by_a_service_task(quick: Stage) -> None:
    number = run(
        quick,
        more="service close flow.handler=archive.seal flow.custodian=boss flow.retention=P10Y\n",
        way="close -> ",
    )
    with quick.app.store.read() as conn:
        found, _ = archives.find(conn, number)
    assert (found.custodian_name, found.keep_until) == ("主管", date(2036, 9, 14))
    assert quick.outcome(number) is not None
    assert quick.variables(number)["archive_sha256"] == found.sha256
    assert changed(quick, number) == []


def test_what_was_called_is_archived_with_its_caller(quick: Stage) -> None:
    quick.publish("start s\nservice w flow.handler=t.write\nend e\ns -> w -> e", "child", process="child")
    quick.publish("start s\ncall c calls=child\nend e\ns -> c -> e", "p")
    number = quick.start()
    sealed(quick, number)
    with pytest.raises(Conflict):
        quick.do(SealArchive(by=SYSTEM, instance=number + 1, custodian="gus"))
    with quick.app.store.read() as conn:
        said = json.loads(archives.find(conn, number)[1])
    names = {each["name"] for each in said["files"]}
    assert {"records/SV-2/报告.csv", "definitions/child-1/child.bpmn", "definitions/p-1/p.bpmn"} <= names
    assert [chain for chain, _, _ in said["journal"]["heads"]] == ["SV-1", "SV-2"]


@pytest.mark.parametrize(
    "statement",
    [
        update(tables.record).values(sha256="0" * 64),
        update(tables.record).values(path="records/SV-1/other.txt"),
        delete(tables.record),
    ],
)
def test_a_list_of_records_that_was_changed_is_found_by_the_journal(quick: Stage, statement: Any) -> None:
    run(quick)
    with tampering(quick.app.store) as conn:
        assert contradictions(conn) == ()
        conn.execute(statement)
        assert {each.chain for each in contradictions(conn)} == {"SV-1"}


def test_a_set_that_is_damaged_already_is_not_sealed_and_its_files_are_named(
    quick: Stage, tmp_path: Path
) -> None:
    number = run(quick)
    report, text = (tmp_path / "records" / "SV-1" / name for name in ("报告.csv", "说明.txt"))
    raw = report.read_bytes()
    report.write_bytes(raw.replace(b"95", b"99"))
    text.unlink()
    with pytest.raises(Invalid) as found:
        sealed(quick, number)
    assert [str(problem) for problem in found.value.problems] == [
        "The file records/SV-1/报告.csv was changed after it was made: put it back as it was",
        "The file records/SV-1/说明.txt is missing: put it back from a backup",
    ]
    with quick.app.store.read() as conn, pytest.raises(NotFound, match="is not archived"):
        archives.find(conn, number)
    report.write_bytes(raw)
    text.write_text("SV-1\n", encoding="utf-8", newline="")
    assert sealed(quick, number).files == 7
