"""`flow round enter`: questionnaires typed in, as a clerk reads them off the paper."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.round import round_
from engine import config
from engine.errors import Conflict, Invalid
from survey import opinions, returns, rounds
from survey.commands import DrawSample, ImportRoster, OpenRound, Record
from tests.survey.test_round_command import flow, session_in
from tests.survey.waves import CLERK, Wave, make_wave


@pytest.fixture
def wave(tmp_path: Path) -> Iterator[Wave]:
    made = config.make(tmp_path, organisation="test", zone="Asia/Shanghai", language="en", demo=True)
    yield from make_wave(tmp_path, made.database)


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


def test_a_second_entry_ends_with_what_differs_and_the_round_shows_it_later(
    wave: Wave, tmp_path: Path
) -> None:
    instance, head = f"SV-{wave.instance}", "\n\n\n\n"
    assert "entered twice" not in typed(tmp_path, head + "4" * 70 + "\nq\n", instance).output
    assert "entered twice" not in flow(tmp_path, "show", instance).output
    second = typed(tmp_path, head + "44445" + "4" * 65 + "\nq\n", instance, "--second")
    shown = flow(tmp_path, "show", instance)
    for output in (second.output, shown.output):
        assert re.search(r"A-1 +q2_05 +4 +5", output), output
        assert "1 were entered twice: 72 of 73 items agree, 1 differ" in output
    twice = json.loads(flow(tmp_path, "show", instance, "--json").stdout)["twice"]
    assert [(each["code"], each["first"], each["second"]) for each in twice["differences"]] == [("A-1", 4, 5)]


def test_a_customer_whose_questionnaire_does_not_fit_is_told_before_anything_is_typed(
    wave: Wave, tmp_path: Path
) -> None:
    result = typed(tmp_path, "Z-1\na\nx\nq\n", f"SV-{wave.instance}")
    before, _, after = result.output.partition("Customer Z-1 is not on")
    assert after, before
    assert "调查方式" not in before  # before a single item is asked
    assert "0 questionnaires were typed in" in result.output


def test_an_abstention_is_refused_once_something_is_rated_and_what_is_not_finished_is_said_to_be_lost(
    wave: Wave, tmp_path: Path
) -> None:
    told = typed(tmp_path, "\nu\n\n\n\n45\na\nu\nu\nWeb\na\n", f"SV-{wave.instance}").output
    assert f"flow round correct SV-{wave.instance} CODE" in told
    assert "2 items are rated already, so it is no abstention" in told
    assert "Web is no answer to q2_01" in told
    assert "1 questionnaires were typed in" in told
    lost = typed(tmp_path, "\nWeb\n\n\n4\nq\n", f"SV-{wave.instance}").output
    assert "The questionnaire begun is not kept" in lost
    assert "0 questionnaires were typed in" in lost


def test_a_dash_is_no_opinion_however_it_comes_in_and_what_cannot_be_read_is_asked_for_again(
    tmp_path: Path,
) -> None:
    made = config.make(tmp_path, organisation="test", zone="Asia/Shanghai", language="en", demo=True)
    more = "  - {id: visits, type: integer, label: 次数}\n  - {id: wishes, type: text, label: 意见}\n"
    for wave in make_wave(tmp_path, made.database, more=more):
        rated = "-\n１\n－\n" + "４" * 30 + "4" * 41 + "\n"
        told = typed(tmp_path, f"\n{rated}often\n－\n3\n\n{rated}2\n无\nq\n", f"SV-{wave.instance}").output
        assert "answers more items than there are" not in told
        assert "4 is no answer to visits; what stood before it is taken" in told
        assert "visits: Expected a number, found" in told
        assert "2 questionnaires were typed in" in told
        with wave.app.store.read() as conn:
            found = rounds.round_of(conn, wave.instance)
            given = [each.answers for each in returns.stored(conn, found).values()]
            assert {(each["district"], each["visits"], each["wishes"]) for each in given} == {
                (1, 3, None),
                (1, 2, "无"),
            }
            assert [each.text for each in opinions.written(conn, found)] == ["无"]
        head, sound = wave.sound[:2]
        rows = [[*head, "wishes"], ["B-2", *sound[1:], " ／ "]]
        assert wave.take("\n".join(",".join(row) for row in rows)).taken == 1
        changed = flow(
            tmp_path, "correct", f"SV-{wave.instance}", "A-2", "--set", "wishes=--", "--reason", "划掉"
        )
        assert changed.exit_code == 0, changed.output
        with wave.app.store.read() as conn:
            assert opinions.written(conn, found) == []


def test_a_line_with_an_answer_too_many_is_not_taken(wave: Wave, tmp_path: Path) -> None:
    told = typed(tmp_path, "\n\n\n\n" + "4" * 71 + "\n" + "5" * 70 + "\nq\n", f"SV-{wave.instance}").output
    assert "answers more items than there are" in told
    with wave.app.store.read() as conn:
        (kept,) = returns.stored(conn, rounds.round_of(conn, wave.instance)).values()
    assert {*kept.answers["q2"].values()} == {5}  # type: ignore[attr-defined]


def test_of_an_anonymous_round_what_cannot_come_in_is_said_before_it_is_typed(tmp_path: Path) -> None:
    made = config.make(tmp_path, organisation="test", zone="Asia/Shanghai", language="en", demo=True)
    for wave in make_wave(tmp_path, made.database, anonymity="anonymous"):
        instance, part = f"SV-{wave.instance}", ("--part", "secret")
        where = {"by": CLERK, "instance": wave.instance, "part": "secret"}
        wave.app.do(ImportRoster(by=CLERK, data="customer,unit,project\nK-1,tower,一期\n", partial=True))
        wave.app.do(OpenRound(**where, groups=("project",)))  # type: ignore[arg-type]
        wave.app.do(DrawSample(**where, design={"where": {"project": "一期"}}))  # type: ignore[arg-type]
        early = typed(tmp_path, "", instance, *part)
        assert isinstance(early.exception, Invalid)
        assert "is given out yet" in str(early.exception)
        wave.app.do(Record(**where, codes=("*",), kind="issue"))  # type: ignore[arg-type]
        assert isinstance(typed(tmp_path, "", instance, *part, "--second").exception, Conflict)
        told = typed(tmp_path, "一七\n一期\n\n\n\n4", instance, *part)
        assert "一七 is not among those asked" in told.output
        assert told.output.count("调查方式") + told.output.count("Channel") == 1
        assert "The questionnaire begun is not kept" in told.output
        told = typed(tmp_path, "一期\n\n\n\n" + "4" * 70 + "\n", instance, *part)
        assert "1 are in, 0 are not" in told.output
        assert "1 questionnaires were typed in" in told.output
