"""A large file is read and judged while others write; what they change meanwhile counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from engine.clock import VirtualClock
from engine.errors import Conflict, Invalid
from engine.store import tables
from survey import matching, reading, rosters
from survey.commands import CloseRound, CorrectAnswers, ImportReturns, ImportRoster, Record
from survey.commands import answers as returns_commands
from survey.commands import rosters as roster_commands
from survey.tables import answers, respondent
from tests.survey.waves import CLERK, Wave

NEWCOMER = "customer,unit,项目\nN-1,tower,一期\n"


def meanwhile(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, deed: Callable[[], object]) -> None:
    """Something is done once, as soon as `place.name` was called and has returned."""
    usual, done = getattr(place, name), list[bool]()

    def followed(*args: Any, **options: Any) -> Any:
        found = usual(*args, **options)
        if not done:
            done.append(True)
            deed()
        return found

    monkeypatch.setattr(place, name, followed)


def interrupted(*_args: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def held(fresh_wave: Wave, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What of the long work was done, and whether a transaction that writes was open."""
    found, open_, write = list[str](), list[bool](), fresh_wave.app.store.write

    @contextmanager
    def writing() -> Iterator[Connection]:
        with write() as conn:
            open_.append(True)
            try:
                yield conn
            finally:
                open_.pop()

    def noted(name: str, usual: Callable[..., Any]) -> Callable[..., Any]:
        def told(*args: Any, **options: Any) -> Any:
            found.append(f"{name} {'inside' if open_ else 'before'}")
            return usual(*args, **options)

        return told

    monkeypatch.setattr(fresh_wave.app.store, "write", writing)
    for place, name in (
        (returns_commands, "read_sheet"),
        (reading, "clean"),
        (matching.Matcher, "matched"),
        (roster_commands, "read_sheet"),
        (rosters, "entries"),
        (rosters, "merge"),
    ):
        monkeypatch.setattr(place, name, noted(name, getattr(place, name)))
    return found


def test_no_row_is_read_judged_or_matched_while_others_wait_to_write(
    fresh_wave: Wave, held: list[str]
) -> None:
    fresh_wave.take(fresh_wave.file())
    rows = len(fresh_wave.sound) - 1
    assert held == ["read_sheet before", *["clean before"] * rows, "matched before"]
    held.clear()
    fresh_wave.app.do(ImportRoster(by=CLERK, data=NEWCOMER, partial=True))
    assert held == ["read_sheet before", "entries before", "merge before"]


def test_a_faulty_file_never_asks_for_the_lock(fresh_wave: Wave, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh_wave.app.store, "write", lambda: pytest.fail("the lock is taken"))
    for command in (
        ImportReturns(by=CLERK, instance=fresh_wave.instance, data=fresh_wave.file((2, "q2_01", "99"))),
        ImportRoster(by=CLERK, data="customer,unit\nN-1,nowhere\n"),
    ):
        with pytest.raises(Invalid, match=r"row [23]"):
            fresh_wave.app.do(command)


@pytest.mark.parametrize(
    "place",
    [(reading.Reader, "judged"), (returns_commands, "standing"), (matching, "roster")],
    ids=["while rows are judged", "before the roster is read", "after the roster was read"],
)
def test_who_refuses_while_the_file_is_read_is_found_out(
    fresh_wave: Wave, monkeypatch: pytest.MonkeyPatch, place: tuple[Any, str]
) -> None:
    code = fresh_wave.sound[1][0]
    refusal = Record(by=CLERK, instance=fresh_wave.instance, codes=(code,), kind="refusal")
    meanwhile(monkeypatch, *place, lambda: fresh_wave.app.do(refusal))
    with pytest.raises(Invalid, match=f"The ledger has customer {code} as refusal"):
        fresh_wave.take(fresh_wave.file())
    assert fresh_wave.count() == 0


def test_the_same_file_brought_in_while_it_is_read_is_in_once(
    fresh_wave: Wave, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = fresh_wave.file()
    meanwhile(monkeypatch, matching, "roster", lambda: fresh_wave.take(data))
    with pytest.raises(Invalid, match="are already in"):
        fresh_wave.take(data)
    assert fresh_wave.count() == len(fresh_wave.sound) - 1


def test_a_round_closed_while_the_file_is_read_takes_nothing(
    fresh_wave: Wave, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = CloseRound(by=CLERK, instance=fresh_wave.instance)
    meanwhile(monkeypatch, reading.Reader, "judged", lambda: fresh_wave.app.do(close))
    with pytest.raises(Conflict, match="is closed"):
        fresh_wave.take(fresh_wave.file())
    assert fresh_wave.count() == 0


def test_answers_corrected_while_the_file_is_read_are_compared_as_corrected(
    fresh_wave: Wave, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, code = fresh_wave.file(), fresh_wave.sound[1][0]
    fresh_wave.take(data)
    other = "1" if fresh_wave.sound[1][fresh_wave.sound[0].index("q2_01")] != "1" else "2"
    correct = CorrectAnswers(
        by=CLERK, instance=fresh_wave.instance, code=code, values={"q2_01": other}, reason="误录"
    )
    meanwhile(monkeypatch, reading.Reader, "judged", lambda: fresh_wave.app.do(correct))
    again = ImportReturns(by=CLERK, instance=fresh_wave.instance, data=data, replace=True)
    with pytest.raises(Invalid, match="1 answers that are in would change"):
        fresh_wave.app.do(again)


def test_a_file_read_over_midnight_is_judged_and_recorded_on_the_new_day(
    fresh_wave: Wave, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = fresh_wave.app.clock.now()
    clock = fresh_wave.app.clock = VirtualClock(now)
    meanwhile(monkeypatch, reading.Reader, "judged", lambda: clock.advance(days=1))
    fresh_wave.take(fresh_wave.file())
    tomorrow = (now + timedelta(days=1)).astimezone(fresh_wave.app.zone).date()
    with fresh_wave.app.store.read() as conn:
        assert set(conn.scalars(select(answers.c.recorded_on))) == {tomorrow.isoformat()}


def test_an_import_cut_off_after_its_rows_were_written_leaves_none(
    fresh_wave: Wave, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fresh_wave.round()
    with monkeypatch.context() as cut:
        cut.setattr(returns_commands, "note", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fresh_wave.take(fresh_wave.file())
    assert (fresh_wave.count(), fresh_wave.round()) == (0, before)
    assert fresh_wave.take(fresh_wave.file()).taken == len(fresh_wave.sound) - 1


def test_a_roster_changed_while_the_file_is_read_is_compared_as_changed(
    fresh_wave: Wave, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ImportRoster(by=CLERK, data=NEWCOMER, partial=True)
    second = ImportRoster(by=CLERK, data=NEWCOMER.replace("一期", "二期"), partial=True)
    meanwhile(monkeypatch, rosters, "listed", lambda: fresh_wave.app.do(first))
    taken = fresh_wave.app.do(second).value
    assert (taken.added, taken.changed) == (0, 1)
    with fresh_wave.app.store.read() as conn:
        assert list(conn.scalars(select(respondent.c.project).where(respondent.c.code == "N-1"))) == ["二期"]


def test_units_renamed_while_a_roster_is_read_refuse_it(
    fresh_wave: Wave, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename() -> None:
        with fresh_wave.app.store.write() as conn:
            conn.execute(update(tables.unit).values(name="别处"))

    meanwhile(monkeypatch, rosters, "entries", rename)
    with pytest.raises(Conflict, match="units changed while the file was read"):
        fresh_wave.app.do(ImportRoster(by=CLERK, data=NEWCOMER, partial=True))
