"""Records: which there are, which of them count, taken out, and made in a department's own look."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import click
import docx
import pytest
from sqlalchemy import insert, select

from documents.word_style import standard_template
from engine import config
from engine.clock import SystemClock
from engine.errors import Misbuilt
from engine.procedures import load
from engine.scenarios import read_scenarios
from engine.store import open_store
from engine.store.tables import record
from tasks import templates
from tests.console.conftest import MONDAY, Terminal
from tests.procedures.playing import ROOT, Player, stage_app

CENSUS = "it-service-annual-census"


def edited(file: Path, *lines: str) -> None:
    """What a department does in Word."""
    document = docx.Document(str(file))
    document.sections[0].header.add_paragraph("某某科技有限公司")
    for line in lines:
        document.add_paragraph(line)
    document.save(str(file))


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which the annual census was played, one of its measures corrected twice.

    Its plan is set into the department's own template.
    """
    folder = tmp_path_factory.mktemp("census") / "workspace"
    for part in ("processes", "forms"):
        shutil.copytree(ROOT / part / CENSUS, folder / "own" / part / CENSUS)
    file = folder / "own" / "processes" / CENSUS / "templates" / "plan.docx"
    file.parent.mkdir()
    file.write_bytes(standard_template())
    edited(file)
    made = config.make(folder, organisation="test", zone="Asia/Shanghai", language="zh", demo=True)
    procedure = load(folder / "own" / "processes" / CENSUS, folder / "own" / "forms")
    assert procedure.scenarios is not None
    scenarios = read_scenarios(procedure.scenarios)
    course = scenarios.scenarios["not_effective"]
    with stage_app(procedure, scenarios.stage, course.begin.at, folder, made.database) as app:
        assert Player(app, procedure, scenarios.stage, course).play().deviations == ()
    return folder


@pytest.fixture
def census(surveyed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    folder = tmp_path / "workspace"
    shutil.copytree(surveyed, folder)
    monkeypatch.setattr(SystemClock, "now", lambda _clock: MONDAY)
    return Terminal(folder)


def number(flow: Terminal, file: str) -> str:
    (found,) = [each for each in flow.json("record", "list", "--all") if each["path"].endswith(file)]
    return str(found["number"])


def test_records_are_listed_with_code_version_file_and_sum(census: Terminal) -> None:
    shown = census("record", "list", "SV-1", "--code", "XX-ITSMS-QR-07-02").stdout
    assert "客户满意度调查统计分析报告.pdf" in shown
    assert "V1" in shown
    (report,) = [each for each in census.json("record", "list", "SV-1") if each["path"].endswith("报告.pdf")]
    content = (census.folder / report["path"]).read_bytes()
    assert report["sha256"] == hashlib.sha256(content).hexdigest()
    assert (report["code"], report["procedure"]) == ("XX-ITSMS-QR-07-02", "客户满意度调查（年度普查）")


def test_a_form_filled_in_again_names_its_later_one_and_both_are_kept(census: Terminal) -> None:
    listed = {each["path"].rpartition("/")[2]: each for each in census.json("record", "list")}
    first, second = listed["整改措施-1.docx"], listed["整改措施-4.docx"]
    assert (first["later"], second["later"]) == (second["number"], None)
    assert first["counts"]
    assert f"made again: {second['number']}" in census("record", "list").stdout


def test_of_a_file_written_over_the_last_record_counts(census: Terminal) -> None:
    with open_store(f"sqlite:///{census.folder / 'flow.db'}") as store, store.write() as unit:
        (row,) = unit.execute(select(record).where(record.c.path.endswith("调查方案.docx"))).mappings().all()
        unit.execute(insert(record).values({**row, "id": 900, "sha256": "0" * 64}))
    old = next(
        each for each in census.json("record", "list", "--all") if each["path"].endswith("调查方案.docx")
    )
    assert (old["replaced_by"], old["counts"]) == (900, False)
    assert "written over; 900 counts" in census("record", "show", str(old["number"])).stdout
    assert str(old["number"]) not in [str(each["number"]) for each in census.json("record", "list")]
    refused = census("record", "export", str(old["number"]), "--to", "x", exit_code=3)
    assert "record 900 counts" in refused.stderr


def test_chosen_records_go_to_a_folder_with_a_list_and_sums(census: Terminal, tmp_path: Path) -> None:
    target = tmp_path / "out"
    done = census(
        "record", "export", "--instance", "SV-1", "--code", "XX-ITSMS-QR-07-02", "--to", str(target)
    )
    assert "2 records" in done.stdout
    names = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    report = "SV-1/客户满意度调查统计分析报告"
    assert names == sorted(["SHA256SUMS", f"{report}.docx", f"{report}.pdf", "records.csv"])
    for line in (target / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256((target / name).read_bytes()).hexdigest() == digest
    assert "XX-ITSMS-QR-07-02" in (target / "records.csv").read_text(encoding="utf-8-sig")
    again = ("record", "export", "--instance", "SV-1", "--code", "XX-ITSMS-QR-07-02", "--to", str(target))
    assert "--force" in census(*again, exit_code=3).stderr
    census(*again, "--force")
    census("record", "export", "--to", str(target), exit_code=2)


def test_a_file_that_was_changed_or_is_missing_is_named_and_nothing_is_taken_out(
    census: Terminal, tmp_path: Path
) -> None:
    changed, missing = number(census, "报告.pdf"), number(census, "调查方案.pdf")
    census.folder.joinpath("records/SV-1/客户满意度调查统计分析报告.pdf").write_bytes(b"other")
    census.folder.joinpath("records/SV-1/客户满意度调查方案.pdf").unlink()
    assert "changed since" in census("record", "show", changed).stdout
    target = tmp_path / "out"
    assert (
        "is not what was listed"
        in census("record", "export", changed, "--to", str(target), exit_code=3).stderr
    )
    assert "is missing" in census("record", "export", missing, "--to", str(target), exit_code=5).stderr
    assert not target.exists()
    assert "no record 999" in census("record", "show", "999", exit_code=5).stderr


def test_a_record_is_opened_with_the_program_of_the_machine(
    census: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def launch(file: str) -> int:
        opened.append(file)
        return 0

    monkeypatch.setattr(click, "launch", launch)
    census("record", "open", number(census, "报告.pdf"))
    assert opened[0].endswith("records/SV-1/客户满意度调查统计分析报告.pdf")
    monkeypatch.setattr(click, "launch", lambda _url: 3)
    failed = census("record", "open", number(census, "报告.pdf"), exit_code=1)
    assert "报告.pdf" in failed.stderr


@pytest.fixture
def own(flow: Terminal) -> Terminal:
    flow("procedure", "add", "000A")
    return flow


def test_the_standard_template_is_written_where_publishing_takes_it_from(own: Terminal) -> None:
    said = own("record", "template", "000A", "report").stdout
    file = own.folder / "processes" / CENSUS / "templates" / "report.docx"
    assert "edit it in Word" in said
    assert "{{ body }}" in "".join(paragraph.text for paragraph in docx.Document(str(file)).paragraphs)
    assert "--force" in own("record", "template", "000A", "report", exit_code=3).stderr
    own("record", "template", "000A", "XX-ITSMS-QR-07-03", "--to", str(own.folder / "plan.docx"))
    assert (own.folder / "plan.docx").is_file()
    edited(file, "本报告须经总经理批准：{{ signed['批准'].name }}")
    assert "report.docx" not in own("procedure", "check", "000A", exit_code=1).output
    assert "is not made in Word" in own("record", "template", "000A", "statistics", exit_code=3).stderr


def test_a_broken_template_is_refused_before_it_is_published_with_place_and_remedy(own: Terminal) -> None:
    folder = own.folder / "processes" / CENSUS / "templates"
    for name, line in (("report", "审核：{{ reviewer }}"), ("plan", "{{ signed['复核'].name }}")):
        own("record", "template", "000A", name)
        edited(folder / f"{name}.docx", line)
    shutil.copy(folder / "report.docx", folder / "reprot.docx")
    (folder / "questionnaire.docx").write_bytes(b"no zip")
    docx.Document().save(str(folder / "improvement.docx"))
    said = own("procedure", "check", "000A", exit_code=1).output
    for expected in (
        "templates/report.docx 审核：{{ reviewer }}  A placeholder cannot be filled in: 'reviewer' is undefined",
        "templates/plan.docx {{ signed['复核'].name }}",
        "Correct it, or take it out; docs/documents.md lists what a template may name",
        "templates/reprot.docx  No step sets a record reprot in Word",
        "Name it after a record that is: improvement, plan, questionnaire, report",
        "templates/questionnaire.docx  It is no Word document",
        "templates/improvement.docx {{ body }}  The template has no place for the document's text",
    ):
        assert expected in said
    own("procedure", "publish", "000A", exit_code=8)


def test_papers_made_after_publishing_have_the_department_s_look(surveyed: Path) -> None:
    made = docx.Document(str(surveyed / "records" / "SV-1" / "客户满意度调查方案.docx"))
    assert "某某科技有限公司" in [each.text for each in made.sections[0].header.paragraphs]
    assert "XX-ITSMS-QR-07-03" in made.sections[0].header.paragraphs[0].text
    assert made.tables[0].rows[0].cells[1].text == "XX-ITSMS-QR-07-03"


def test_a_record_filed_for_a_called_process_may_have_a_template_too(tmp_path: Path) -> None:
    calling = [{"flow.records": "callback_record = visit_record"}]
    file = tmp_path / "visit_record.docx"
    file.write_bytes(standard_template())
    edited(file, "回访人：{{ signed['回访'].name }}")
    templates.fits("templates/visit_record.docx", file.read_bytes(), calling)
    edited(file, "{{ caller }}")
    with pytest.raises(Misbuilt, match="'caller' is undefined"):
        templates.fits("templates/visit_record.docx", file.read_bytes(), calling)
