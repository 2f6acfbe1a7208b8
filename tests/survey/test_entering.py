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
from survey import returns, rounds
from tests.survey.test_round_command import flow, session_in
from tests.survey.waves import Wave, make_wave


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


def test_what_does_not_fit_is_said_and_nothing_kept(wave: Wave, tmp_path: Path) -> None:
    result = typed(tmp_path, "Z-1\na\nx\nq\n", f"SV-{wave.instance}")
    assert "Customer Z-1 is not on" in result.output
    assert "0 questionnaires were typed in" in result.output
