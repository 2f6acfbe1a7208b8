"""`flow round`, as typed in a workspace."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click import Group
from click.testing import CliRunner, Result
from openpyxl import load_workbook
from sqlalchemy import insert

from console.roster import roster
from console.round import round_
from console.session import Session
from engine import config
from engine.errors import Conflict, Denied, Invalid
from engine.store import open_store, tables
from survey import returns, rounds
from survey.commands import CloseRound, DrawSample, OpenRound, Record
from survey.rosters import listed
from tests.survey.waves import CLERK, Wave, make_wave


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


def test_figures_are_shown_by_another_method_and_by_group(wave: Wave, tmp_path: Path) -> None:
    file = tmp_path / "returns.csv"
    file.write_bytes(wave.file((1, "method", "网上")))
    flow(tmp_path, "import", f"SV-{wave.instance}", str(file))
    shown = flow(tmp_path, "show", f"SV-{wave.instance}", "--method", "mean/departments", "--by", "method")
    assert shown.exit_code == 0, shown.output
    assert "mean/departments: weighted mean" in shown.output
    assert re.search(r"Web +1 .*indicative only", shown.output)
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
    assert flow(tmp_path, "log", instance, "--part", "phone", "--all", "--kind", "issue").exit_code == 0
    assert "issued" in flow(tmp_path, "ledger", instance, "--part", "phone").output
    assert flow(tmp_path, "close", instance, "--part", "phone").exit_code == 0
    assert "over" in flow(tmp_path, "show", instance, "--part", "phone").output
    assert "Say which one" in str(flow(tmp_path, "show", instance).exception)


def typed(folder: Path, lines: str, *words: str) -> Result:
    session = session_in(folder)
    result = CliRunner().invoke(round_, ["enter", *words, "--as", "clerk"], obj=session, input=lines)
    session.app.store.close()
    return result


def test_questionnaires_are_typed_in_by_digits_with_undo_and_resumed(wave: Wave, tmp_path: Path) -> None:
    instance = f"SV-{wave.instance}"
    head = "\n\n\n\n"  # the next customer, then three items of text left blank
    first = typed(tmp_path, head + "5\nu\n4443\n7\n4-" + "4" * 64 + "\nq\n", instance)
    assert "7 is no answer" in first.output
    assert "1 questionnaires were typed in" in first.output
    with wave.app.store.read() as conn:
        found = rounds.round_of(conn, wave.instance)
        (kept,) = returns.stored(conn, found).values()
    assert [*kept.answers["q2"].values()] == [4, 4, 4, 3, 4, None, 4, 4]  # type: ignore[attr-defined]
    again = typed(tmp_path, "#4\na\nq\n", instance)
    assert "Customer (Enter: #2 A-2)" in again.output
    with wave.app.store.read() as conn:
        progress = rounds.progress(conn, rounds.round_of(conn, wave.instance))
    assert (progress.returned, progress.abstained) == (2, 1)


def test_what_does_not_fit_is_said_and_nothing_kept(wave: Wave, tmp_path: Path) -> None:
    result = typed(tmp_path, "Z-1\na\nx\nq\n", f"SV-{wave.instance}")
    assert "Customer Z-1 is not on" in result.output
    assert "0 questionnaires were typed in" in result.output


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
        (round_, ("export", instance, "-o", answers)),
        (round_, ("export", instance, "--entry", "-o", answers)),
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
    assert flow(tmp_path, "export", instance, "-o", str(tmp_path / "a.csv")).exit_code == 0
    assert flow(tmp_path, "export", instance, "--entry", "-o", str(tmp_path / "e.xlsx")).exit_code == 0
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
        assert flow(place, "export", *here, "-o", str(place / "a.csv")).exit_code == 0
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
