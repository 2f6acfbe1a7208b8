"""`flow round`, as typed in a workspace."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from click import Group
from click.testing import CliRunner, Result
from openpyxl import load_workbook
from sqlalchemy import insert, select

from console.roster import roster
from console.round import round_
from console.session import Session
from engine import config
from engine.errors import Conflict, Denied, Invalid
from engine.store import open_store, tables
from survey.commands import CloseRound, DrawSample, OpenRound, Record
from survey.rosters import listed
from tests.survey.waves import CLERK, Wave, make_wave
from tests.workbooks import rows as table_of


@pytest.fixture
def wave(tmp_path: Path) -> Iterator[Wave]:
    made = config.make(tmp_path, organisation="test", zone="Asia/Shanghai", language="en", demo=True)
    yield from make_wave(tmp_path, made.database)


def flow(folder: Path, *words: str, of: Group = round_, by: str = "clerk") -> Result:
    session = Session()
    session.folder = folder
    result = CliRunner().invoke(of, [*words, "--as", by], obj=session)
    session.app.store.close()
    return result


def test_returns_are_brought_in_and_the_figures_shown(wave: Wave, tmp_path: Path) -> None:
    file = tmp_path / "returns.csv"
    file.write_bytes(wave.file((1, "method", "网上"), encoding="gbk"))
    taken = flow(tmp_path, "import", f"SV-{wave.instance}", str(file), "--only", "method=网上")
    assert taken.exit_code == 0, taken.output
    assert "Took in 1 answers (GBK); 1 of 4 are back" in taken.output
    shown = flow(tmp_path, "show", f"SV-{wave.instance}", "--items")
    assert "Returned 1 of 4, 25.0%" in shown.output
    assert "top2/answered" in shown.output
    as_json = CliRunner().invoke(round_, ["show", f"SV-{wave.instance}", "--json"], obj=session_in(tmp_path))
    figures = json.loads(as_json.stdout)["figures"]
    assert (figures["returned"], len(figures["items"]), figures["return_rate"]) == (1, 70, "25.0%")


def test_figures_are_shown_by_another_method_and_of_a_confidential_round_by_no_small_group(
    wave: Wave, tmp_path: Path
) -> None:
    file = tmp_path / "returns.csv"
    file.write_bytes(wave.file((1, "method", "网上")))
    flow(tmp_path, "import", f"SV-{wave.instance}", str(file))
    shown = flow(tmp_path, "show", f"SV-{wave.instance}", "--method", "mean/departments", "--by", "method")
    assert shown.exit_code == 0, shown.output
    assert "mean/departments: weighted mean" in shown.output
    assert re.search(r"Web +\* .*too few to be shown", shown.output)
    refused = flow(tmp_path, "show", f"SV-{wave.instance}", "--by", "metod")
    assert isinstance(refused.exception, Invalid)
    assert "The questionnaire has no item metod" in str(refused.exception)


def session_in(folder: Path) -> Session:
    session = Session()
    session.folder = folder
    return session


def test_a_file_that_does_not_fit_changes_nothing(wave: Wave, tmp_path: Path) -> None:
    file = tmp_path / "returns.csv"
    file.write_bytes(wave.file((0, "q2_01", "q2_1")))
    result = flow(tmp_path, "import", f"SV-{wave.instance}", str(file))
    assert isinstance(result.exception, Invalid)
    assert "did you mean q2_01?" in str(result.exception)
    assert wave.count() == 0


def test_a_roster_is_brought_in(wave: Wave, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text("customer,unit\nA-1,tower\nNew,tower\n", encoding="utf-8")
    result = flow(tmp_path, "import", str(file), of=roster)
    assert result.exit_code == 0, result.output
    assert "1 are new, 0 changed, 1 stayed the same, 4 left (UTF-8)" in result.output
    with open_store(f"sqlite:///{tmp_path / 'flow.db'}") as store, store.read() as conn:
        active = [each.code for each in listed(conn, active=True)]
    assert sorted(active) == ["A-1", "New"]


def test_ids_written_full_width_or_with_unseen_characters_are_the_same_ids(
    wave: Wave, tmp_path: Path
) -> None:
    file = tmp_path / "customers.csv"
    file.write_text(
        "customer,unit\nＡ-１,tower\nA-\u200b2,ｔｏｗｅｒ\nB-2,tower\nB-10,tower\nC-1,tower\n",
        encoding="utf-8",
    )
    assert (
        "0 are new, 0 changed, 5 stayed the same, 0 left"
        in flow(tmp_path, "import", str(file), of=roster).output
    )
    file.write_text("customer,unit\nA-1,tower\nＡ-１,tower\n", encoding="utf-8")
    assert "stands already in row 2" in str(flow(tmp_path, "import", str(file), of=roster).exception)
    returns = tmp_path / "returns.csv"
    returns.write_bytes(wave.file((1, "respondent", "Ａ-１")))
    assert flow(tmp_path, "import", f"SV-{wave.instance}", str(returns)).exit_code == 0


def test_a_sample_is_drawn_shown_and_proved(wave: Wave, tmp_path: Path) -> None:
    instance = f"SV-{wave.instance}"
    opened = flow(tmp_path, "open", instance, "--part", "phone")
    assert f"draw its sample: `flow round draw {instance} --part phone`" in opened.output
    drawn = flow(tmp_path, "draw", instance, "--part", "phone", "--method", "simple", "--size", "3")
    assert "3 of 5" in drawn.output
    assert "± " in drawn.output
    assert "the same 3 customers" in flow(tmp_path, "draw", instance, "--part", "phone", "--verify").output
    with wave.app.store.write() as conn:
        conn.execute(insert(tables.permission).values(person="manager", name="admin"))
    again = flow(tmp_path, "draw", instance, "--part", "phone", "--again", "size noted wrongly")
    assert "3 of 5" in again.output, again.exception
    assert "simple" in again.output
    assert isinstance(
        flow(tmp_path, "draw", instance, "--part", "phone", "--again", "all", "--method", "census").exception,
        Denied,
    )
    assert flow(tmp_path, "log", instance, "--part", "phone", "--all", "--kind", "issue").exit_code == 0
    assert "issued" in flow(tmp_path, "ledger", instance, "--part", "phone").output
    assert flow(tmp_path, "close", instance, "--part", "phone").exit_code == 0
    assert "over" in flow(tmp_path, "show", instance, "--part", "phone").output
    assert "Say which one" in str(flow(tmp_path, "show", instance).exception)


def test_a_targeted_sample_has_no_margin_of_error(wave: Wave, tmp_path: Path) -> None:
    instance, part = f"SV-{wave.instance}", ("--part", "chosen")
    flow(tmp_path, "open", instance, *part)
    drawn = flow(
        tmp_path, "draw", instance, *part, "--method", "targeted", "--code", "A-1", "--reason", "asked for"
    )
    assert "1 of 5" in drawn.output, drawn.exception
    assert "no random sample" in drawn.output
    assert "±" not in drawn.output


def test_customers_are_listed_shown_excluded_and_erased(wave: Wave, tmp_path: Path) -> None:
    file = tmp_path / "more.csv"
    file.write_text("customer,unit,name,phone\nA-1,tower,张三,138\n", encoding="utf-8")
    assert flow(tmp_path, "import", str(file), "--partial", of=roster).exit_code == 0
    assert "张三" in flow(tmp_path, "list", "--unit", "tower", of=roster).output
    assert flow(tmp_path, "exclude", "A-1", "--reason", "asked so", of=roster).exit_code == 0
    assert "asked so" in flow(tmp_path, "show", "A-1", of=roster).output
    assert "2 personal values of A-1" in flow(tmp_path, "erase", "A-1", "--reason", "wish", of=roster).output
    assert "张三" not in flow(tmp_path, "show", "A-1", of=roster).output
    assert "tower  4" in " ".join(flow(tmp_path, "list", of=roster).output.split()).replace(" 4", "  4")


def test_a_corrected_result_is_counted_and_papers_made_before_are_said_to_be_older(
    wave: Wave, tmp_path: Path
) -> None:
    instance = f"SV-{wave.instance}"
    wave.take(wave.file())
    wave.app.do(CloseRound(by=CLERK, instance=wave.instance))
    assert "corrected since" not in flow(tmp_path, "show", instance).output
    words = ("log", instance, "C-1", "--kind", "correction", "--result", "ineligible", "--note", "已搬走")
    assert "Entered for 1 customers" in flow(tmp_path, *words).output
    shown = " ".join(flow(tmp_path, "show", instance).output.split())
    assert (
        "1 results in the ledger were corrected since the closing: papers made before have the earlier"
        in shown
    )
    assert "ineligible 1" in shown
    lines = flow(tmp_path, "ledger", instance, "--of", "C-1").output.splitlines()
    assert "correction" in lines[-1]
    assert "已搬走" in lines[-1]


def test_the_ledger_is_written_as_a_workbook_with_days_and_all_its_entries(
    wave: Wave, tmp_path: Path
) -> None:
    instance, file = f"SV-{wave.instance}", tmp_path / "ledger.xlsx"
    flow(tmp_path, "log", instance, "A-1", "--kind", "attempt", "--channel", "phone", "--note", "无人接听")
    assert flow(tmp_path, "ledger", instance, "--xlsx", str(file)).exit_code == 0
    head, first, *_ = table_of(file, "序号", "客户")
    assert head == ["序号", "客户", "调查人员", "渠道", "发放日期", "收回日期", "结果", "联系次数"]
    assert (first[0], first[1], first[3], first[6], first[7]) == (1, "A-1", "纸质", "已发放未回收", 1)
    assert isinstance(first[4], datetime)
    entry = table_of(file, "序号", "客户", sheet="联系台账")[-1]
    assert (entry[2], entry[3], entry[6]) == ("联系", "电话", "无人接听")
    assert flow(tmp_path, "ledger", instance, "--xlsx", str(file)).exit_code != 0
    assert flow(tmp_path, "ledger", instance, "--of", "B-2", "--xlsx", str(file), "--force").exit_code == 0
    assert [line[1] for line in table_of(file, "序号", "客户")[1:]] == ["B-2"]


def test_who_reads_names_and_telephone_numbers_stands_in_the_history(wave: Wave, tmp_path: Path) -> None:
    file = tmp_path / "more.csv"
    file.write_text("customer,unit,name,phone\nA-1,tower,张三,138\nA-2,tower,李四,139\n", encoding="utf-8")
    assert flow(tmp_path, "import", str(file), "--partial", of=roster).exit_code == 0

    def read() -> list[tuple[str, str, dict[str, object]]]:
        entries = select(tables.journal).where(tables.journal.c.kind == "contacts.read")
        with wave.app.store.read() as conn:
            return [
                (row.by, row.subject, json.loads(row.facts))
                for row in conn.execute(entries.order_by(tables.journal.c.seq))
            ]

    for words in (("list",), ("show", "C-1")):  # numbers only; somebody without a contact
        assert flow(tmp_path, *words, of=roster).exit_code == 0
    assert read() == []
    assert "138" in flow(tmp_path, "show", "A-1", of=roster).output
    assert "李四" not in flow(tmp_path, "list", "--unit", "tower", "--limit", "1", of=roster).output
    assert "李四" in flow(tmp_path, "list", "--unit", "tower", "--json", of=roster).output
    one = {"unit": "tower", "count": 1}
    assert read() == [
        ("clerk", "tower/A-1", {**one, "way": "roster show"}),
        ("clerk", "tower/A-1", {**one, "way": "roster list"}),
        ("clerk", "tower", {**one, "count": 2, "way": "roster list"}),
    ]


def test_rosters_and_rounds_are_read_by_the_people_of_their_units_and_by_auditors(
    wave: Wave, tmp_path: Path
) -> None:
    file = tmp_path / "more.csv"
    file.write_text("customer,unit,name,phone\nA-1,tower,张三,138\n", encoding="utf-8")
    assert flow(tmp_path, "import", str(file), "--partial", of=roster).exit_code == 0
    with wave.app.store.write() as conn:
        for person in ("nob", "eve"):
            conn.execute(insert(tables.person).values(id=person, name=person, active=True))
        conn.execute(insert(tables.permission).values(person="eve", name="audit"))
    instance, answers = f"SV-{wave.instance}", str(tmp_path / "a.csv")
    reads: list[tuple[Group, tuple[str, ...]]] = [
        (roster, ("list", "--unit", "tower")),
        (roster, ("show", "A-1")),
        (round_, ("show", instance)),
        (round_, ("ledger", instance)),
        (round_, ("ledger", instance, "--of", "A-1")),
        (round_, ("figures", instance)),
        (round_, ("draw", instance, "--verify")),
        (round_, ("enter", instance)),
        (round_, ("export", instance, "-o", answers, "--force")),
        (round_, ("export", instance, "--entry", "-o", answers, "--force")),
    ]
    for group, words in reads:
        refused = flow(tmp_path, *words, of=group, by="nob")
        assert isinstance(refused.exception, Denied), words
        assert refused.stdout == ""
        for by in ("clerk", "eve"):
            assert flow(tmp_path, *words, of=group, by=by).exit_code == 0, words
    assert json.loads(flow(tmp_path, "list", "--json", of=roster, by="nob").stdout) == {}
    assert list(json.loads(flow(tmp_path, "list", "--json", of=roster, by="eve").stdout)) == ["tower"]


def test_answers_and_entry_forms_are_written_and_corrected(wave: Wave, tmp_path: Path) -> None:
    instance = f"SV-{wave.instance}"
    file = tmp_path / "returns.csv"
    file.write_bytes(wave.file())
    assert flow(tmp_path, "import", instance, str(file)).exit_code == 0
    corrected = flow(tmp_path, "correct", instance, "A-1", "--set", "q2_01=5", "--reason", "misread")
    assert "q2_01" in corrected.output
    assert "1 more" not in corrected.output
    exported = flow(tmp_path, "export", instance, "-o", str(tmp_path / "a.csv"))
    assert "3 rows stand there without their groups" in exported.output
    text = (tmp_path / "a.csv").read_text(encoding="utf-8-sig")
    assert text.startswith("project,segment,method")
    assert not [code for code in ("A-1", "A-2", "B-2", "B-10", "C-1") if code in text]  # confidential
    entry = ("export", instance, "--entry", "-o", str(tmp_path / "e.xlsx"))
    assert flow(tmp_path, *entry).exit_code == 0
    typed = tmp_path / "e.xlsx"
    typed.write_bytes(b"typed in, and saved")
    assert isinstance(flow(tmp_path, *entry).exception, Conflict)
    assert typed.read_bytes() == b"typed in, and saved"
    assert flow(tmp_path, *entry, "--force").exit_code == 0
    assert load_workbook(typed).sheetnames == ["录入", "说明"]
    refused = flow(tmp_path, "import", instance, str(file), "--replace")
    assert str(refused.exception) == "reason: 1 answers that are in would change: say why"
    second = flow(tmp_path, "import", instance, str(file), "--second")
    assert "3 were entered twice" in second.output
    assert "1 differ" in second.output


def test_small_groups_of_an_anonymous_round_are_in_no_figure_and_in_no_workbook(tmp_path: Path) -> None:
    place = tmp_path / "secret"
    place.mkdir()
    made = config.make(place, organisation="test", zone="Asia/Shanghai", language="en", demo=True)
    for wave in make_wave(place, made.database, anonymity="anonymous"):
        where = {"by": CLERK, "instance": wave.instance, "part": "secret"}
        wave.app.do(OpenRound(**where, groups=("project",)))  # type: ignore[arg-type]
        wave.app.do(DrawSample(**where, design={}))  # type: ignore[arg-type]
        wave.app.do(Record(**where, codes=("*",), kind="issue"))  # type: ignore[arg-type]
        header, line = wave.sound[0][1:], wave.sound[1][1:]
        rows = [
            ["项目", *header],
            *([project, *line] for project in ("一期", "一期", "一期", "一期", "二期")),
        ]
        text = "\n".join(",".join(row) for row in rows)
        (place / "returns.csv").write_text(text, encoding="utf-8")
        here = (f"SV-{wave.instance}", "--part", "secret")
        assert "together, 5 or more" not in flow(place, "import", *here, str(place / "returns.csv")).output
        _shows_no_figure(place, here)
        wave.app.do(CloseRound(**where))  # type: ignore[arg-type]
        words = ("figures", *here, "--by", "project")
        found = json.loads(flow(place, *words, "--json").stdout)
        assert (found["response"], found["dispositions"]) == (None, None)
        assert found["by"]["project"]["groups"] == {"一期": None, "二期": None}
        assert all(
            row is None for item in found["by"]["project"]["items"].values() for row in item["rows"].values()
        )
        shown = flow(place, *words).output
        assert shown.count("too few to be shown") == 2
        assert "RR1" not in shown
        flow(place, *words, "--xlsx", str(place / "f.xlsx"))
        groups = load_workbook(place / "f.xlsx")["1按项目"]
        assert [[cell.value for cell in row[1:4]] for row in groups.iter_rows(min_row=2, max_row=3)] == [
            ["—"] * 3
        ] * 2
        written = flow(place, "export", *here, "-o", str(place / "a.csv"))
        assert "5 rows stand there without their groups" in written.output
        lines = list(csv.reader((place / "a.csv").read_text(encoding="utf-8-sig").splitlines()))
        assert (lines[0][0], [each[0] for each in lines[1:]]) == ("project", [""] * 5)
        assert json.loads(flow(place, "show", *here, "--json").stdout)["figures"]["returned"] == 5


def _shows_no_figure(place: Path, here: tuple[str, ...]) -> None:
    """Of a round that is still open: every return would show what it changed."""
    for words in (("figures",), ("priorities",), ("export", "-o", str(place / "early.csv"))):
        refused = flow(place, words[0], *here, *words[1:])
        assert isinstance(refused.exception, Conflict), refused.output
        assert "still open" in str(refused.exception)
    assert not (place / "early.csv").exists()
    shown = flow(place, "show", *here)
    assert "Returned 5 of" in shown.output
    assert "still open" in shown.output
    assert "Satisfied" not in shown.output
    assert json.loads(flow(place, "show", *here, "--json").stdout)["figures"] is None
    assert flow(place, "export", *here, "--entry", "-o", str(place / "entry.xlsx")).exit_code == 0


def test_a_file_of_few_answers_to_an_anonymous_round_is_warned_of(tmp_path: Path) -> None:
    place = tmp_path / "secret"
    place.mkdir()
    made = config.make(place, organisation="test", zone="Asia/Shanghai", language="en", demo=True)
    for wave in make_wave(place, made.database, anonymity="anonymous"):
        header, line = wave.sound[0][1:], wave.sound[1][1:]
        (place / "张三.csv").write_text("\n".join(",".join(row) for row in (header, line)), encoding="utf-8")
        taken = flow(place, "import", f"SV-{wave.instance}", str(place / "张三.csv"))
        assert "Only 1 came in this file" in taken.output
        assert "together, 5 or more at a time" in taken.output


WHY = (
    "  - {id: why, type: long_text, label: {zh: 不满意的原因, en: Why},\n"
    "     show_if: {method: {eq: Phone}}}\n"
)


def test_an_answer_to_a_question_that_was_not_asked_is_named_with_its_row_and_not_lost_silently(
    tmp_path: Path,
) -> None:
    place = tmp_path / "asked"
    place.mkdir()
    made = config.make(place, organisation="test", zone="Asia/Shanghai", language="en", demo=True)
    for wave in make_wave(place, made.database, more=WHY):
        instance, method = f"SV-{wave.instance}", wave.sound[0].index("method")
        lines = [
            [*wave.sound[0], "why"],
            *([*line, f"理由{at}"] for at, line in enumerate(wave.sound[1:], 2)),
        ]
        for line, channel in zip(lines[1:], ("电话", "网上", ""), strict=True):
            line[method] = channel
        file = place / "returns.csv"
        file.write_text("\n".join(",".join(line) for line in lines), encoding="utf-8")
        taken = flow(place, "import", instance, str(file))
        assert "Row 3, why: not taken in, since it is asked only where Channel is By phone" in taken.output
        assert "Row 4, why" in taken.output
        assert "Row 2, why" not in taken.output
        assert "2 answers to questions that were not asked are not taken in" in taken.output
        as_json = json.loads(flow(place, "import", instance, str(file), "--replace", "--json").stdout)
        assert [(each["row"], each["column"]) for each in as_json["unasked"]] == [(3, "why"), (4, "why")]
        second = lines[2][0]
        words = ("correct", instance, second, "--reason", "漏录", "--set", "why=太吵")
        refused = flow(place, *words)
        assert "why: It is not asked after these answers, only where Channel is By phone" in str(
            refused.exception
        )
        assert "太吵" in flow(place, *words, "--set", "method=Phone").output
