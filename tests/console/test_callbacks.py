"""`flow callback`, as a clerk types it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from console.callback import callback
from console.session import Session
from engine import config
from engine.commands.organisation import MoveClock
from engine.errors import Conflict, EngineError, Invalid, NotFound
from engine.model import SYSTEM
from tests.procedures.aftermath import Aftermath, aftermath, copied

ANSWERS = {"H-1": "1,2,电梯常停,1,", "H-2": "4,4,=HYPERLINK,,"}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    folder = tmp_path_factory.mktemp("survey")
    made = config.make(folder, organisation="test", zone="Asia/Shanghai", language="en", demo=True)
    with aftermath(folder, made.database, answers=ANSWERS, issued=3, returned=3) as found:
        found.collected("2026-07-20")
        move(found, "2026-07-20 18:00")
        yield found


@pytest.fixture
def survey(played: Aftermath, tmp_path: Path) -> Iterator[Aftermath]:
    """A workspace of its own for each test, as the clerk finds it."""
    with copied(played, tmp_path / "workspace") as found:
        yield found


def move(survey: Aftermath, moment: str) -> None:
    """To a time at which commands are typed too."""
    survey.move(moment)
    survey.app.do(MoveClock(by=SYSTEM, to=survey.app.clock.now()))


def flow(survey: Aftermath, *words: str, by: str = "ann") -> Result:
    session = Session()
    session.folder = survey.folder
    result = CliRunner().invoke(callback, [*words, "--as", by], obj=session)
    session.app.store.close()
    return result


def listed(survey: Aftermath, *words: str, by: str = "ann") -> list[dict[str, object]]:
    result = flow(survey, "list", *words, "--json", by=by)
    assert result.exit_code == 0, result.output
    return list(json.loads(result.stdout))


def test_the_late_come_first_and_who_may_call_sees_the_number(survey: Aftermath) -> None:
    move(survey, "2026-07-28 09:00")
    found = listed(survey)
    assert [(each["customer"], each["late"], each["due"]) for each in found] == [
        ("H-1", True, "2026-07-27"),
        ("H-1", False, "2026-08-04"),
        ("H-2", False, "2026-08-04"),
    ]
    assert found[0]["contact"] == {"name": "户主1", "phone": "13800000001"}
    shown = flow(survey, "list", "--late").output
    assert "working day late" in shown
    assert "户主1" in shown
    nxt = flow(survey, "next").output
    assert "13800000001" in nxt
    assert "2 more to call" in nxt


def test_who_may_not_call_sees_no_name_and_no_number(survey: Aftermath) -> None:
    assert listed(survey, by="bo") == []
    everything = flow(survey, "list", "--all", "--json", by="bo").output
    assert "H-1" in everything
    assert "13800000001" not in everything
    assert "户主" not in everything
    item = str(listed(survey)[0]["id"])
    assert "138" not in flow(survey, "show", item, by="bo").output


def test_an_attempt_is_entered_and_a_failed_one_stays_open(survey: Aftermath) -> None:
    opinion = next(str(each["id"]) for each in listed(survey) if each["customer"] == "H-2")
    tried = flow(survey, "log", opinion, "--outcome", "unreachable", "--note", "无人接听")
    assert f"Entered; {opinion} stays open until 2026-08-04 (attempts: 1)" in tried.output
    shown = flow(survey, "show", opinion).output
    assert "无人接听" in shown
    assert f"{opinion}.2" in shown
    refused = flow(survey, "log", opinion, "--outcome", "satisfied")
    assert isinstance(refused.exception, Invalid)
    assert str(refused.exception).startswith("note: ")
    done = flow(survey, "log", f"{opinion}.2", "--outcome", "satisfied", "--note", "认可", "--mode", "visit")
    assert f"{opinion} is done: satisfied" in done.output
    again = flow(survey, "log", opinion, "--outcome", "satisfied", "--note", "认可")
    assert isinstance(again.exception, Conflict)
    assert opinion not in [each["id"] for each in listed(survey)]
    assert opinion in [each["id"] for each in listed(survey, "--all")]


def test_a_sheet_goes_out_and_its_outcomes_come_back(survey: Aftermath, tmp_path: Path) -> None:
    file = tmp_path / "calls.xlsx"
    assert "3 to call back" in flow(survey, "export", "-o", str(file)).output
    assert isinstance(flow(survey, "export", "-o", str(file)).exception, Conflict)
    book = load_workbook(file)
    sheet = book.active
    assert sheet is not None
    head = [cell.value for cell in sheet[1]]
    place = {str(name): number for number, name in enumerate(head, 1)}
    assert [sheet.cell(row, place["电话"]).value for row in (2, 3, 4)] == [
        "13800000001",
        "13800000001",
        "13800000002",
    ]
    sheet.cell(2, place["结果"]).value = "不满意"
    sheet.cell(4, place["结果"]).value = "满意"
    sheet.cell(4, place["说明"]).value = "认可"
    book.save(file)
    refused = flow(survey, "import", str(file))
    assert isinstance(refused.exception, Invalid)
    assert [each.field for each in refused.exception.problems] == ["row 2, note"]
    assert all(not each["attempts"] for each in listed(survey))
    sheet.cell(2, place["说明"]).value = "仍不满意"
    book.save(file)
    taken = flow(survey, "import", str(file))
    assert "Entered 2 attempts (XLSX): not satisfied 1, satisfied 1" in taken.output
    assert isinstance(flow(survey, "import", str(file)).exception, Invalid)


def test_a_csv_sheet_is_read_back_too_and_its_texts_are_no_formulas(
    survey: Aftermath, tmp_path: Path
) -> None:
    file = tmp_path / "calls.csv"
    flow(survey, "export", "-o", str(file))
    rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert [row[rows[0].index("事由")] for row in rows][3] == "其他意见：=HYPERLINK"
    rows[1][rows[0].index("结果")] = "未联系上"
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    file.write_bytes(text.getvalue().encode("gbk"))
    assert "Entered 1 attempts (GBK): not reached 1" in flow(survey, "import", str(file)).output


def test_nothing_to_call_and_what_is_no_call_back_are_said(survey: Aftermath) -> None:
    assert "Nobody to call back" in flow(survey, "next", by="bo").output
    for words in (("export",), ("show", "SV-1"), ("log", "SV-999", "--outcome", "satisfied")):
        assert isinstance(flow(survey, *words, by="bo").exception, (NotFound, EngineError))
