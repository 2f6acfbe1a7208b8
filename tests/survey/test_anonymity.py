"""An anonymous round keeps its promise in the database itself: no way leads from answers to a person."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from json import loads
from typing import Any

import pytest
from sqlalchemy import Integer, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from engine.errors import Conflict, Invalid
from engine.store import tables
from engine.store.columns import Instant, metadata
from survey import analysis, ledger, reading, returns, rounds
from survey.commands import (
    CloseRound,
    DrawSample,
    ImportReturns,
    ImportRoster,
    OpenRound,
    Record,
    ReturnsTaken,
)
from survey.tables import answers, attempt, member, survey_round
from tests.survey.waves import CLERK, Wave, copied, make_wave

ROSTER = "customer,unit,project\n" + "".join(
    f"K-{number},tower,{'一期' if number % 2 else '二期'}\n" for number in range(1, 9)
)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wave]:
    for wave in make_wave(tmp_path_factory.mktemp("wave"), anonymity="anonymous"):
        where = {"by": CLERK, "instance": wave.instance}
        wave.app.do(ImportRoster(by=CLERK, data=ROSTER))
        wave.app.do(OpenRound(**where, part="secret", groups=("project",)))  # type: ignore[arg-type]
        wave.app.do(DrawSample(**where, part="secret", design={}))  # type: ignore[arg-type]
        wave.app.do(Record(**where, part="secret", codes=("*",), kind="issue"))  # type: ignore[arg-type]
        yield wave


@pytest.fixture
def wave(once: Wave) -> Iterator[Wave]:
    with copied(once) as wave:
        yield wave


def rows(wave: Wave, *projects: str, extra: dict[str, str] | None = None) -> bytes:
    """Sound answers, each with the project it came from."""
    header, line = wave.sound[0][1:], wave.sound[1][1:]
    out = io.StringIO(newline="")
    more = extra or {}
    writer = csv.writer(out)
    writer.writerow(["项目", *more, *header])
    writer.writerows([project, *more.values(), *line] for project in projects)
    return out.getvalue().encode()


def take(wave: Wave, data: bytes, **options: Any) -> ReturnsTaken:
    command = ImportReturns(by=CLERK, instance=wave.instance, part="secret", data=data, **options)
    taken = wave.app.do(command).value
    assert isinstance(taken, ReturnsTaken)
    return taken


def found(wave: Wave, conn: Any) -> rounds.Round:
    return rounds.round_of(conn, wave.instance, "secret")


def test_returns_are_counted_by_group_and_not_by_person(wave: Wave) -> None:
    taken = take(wave, rows(wave, "一期", "二期", "一期"))
    assert (taken.taken, taken.returned, taken.issued, taken.groups) == (3, 3, 8, {"一期": 2, "二期": 1})
    with wave.app.store.read() as conn:
        counts = rounds.progress(conn, found(wave, conn))
        assert {name: number for name, number in counts.dispositions.items() if number} == {"issued": 8}
        made = rounds.figures_of(conn, [found(wave, conn)])
        assert (made.returned, made.issued) == (3, 8)
        split = rounds.counts_of(conn, [found(wave, conn)], ["project"]).split("project")
        assert {name: part.returned for name, part in split.items()} == {"一期": 2, "二期": 1}


def test_a_file_that_says_who_answered_is_refused(wave: Wave) -> None:
    for name in ("respondent", "客户编号"):
        with pytest.raises(Invalid, match="The round is anonymous: delete this column"):
            take(wave, rows(wave, "一期", extra={name: "K-1"}))
    with pytest.raises(Invalid, match="row 2, project: 一期期 is not among those asked; did you mean 一期"):
        take(wave, rows(wave, "一期期"))
    for option in ("replace", "second"):
        with pytest.raises(Invalid, match="Nobody knows which answers"):
            take(wave, rows(wave, "一期"), **{option: True})


def test_more_cannot_come_back_than_were_given_out(wave: Wave) -> None:
    with pytest.raises(Invalid, match="More came back than were given out: 9 of 8"):
        take(wave, rows(wave, *["一期"] * 9))


def test_no_table_holds_a_way_from_an_answer_to_a_person(wave: Wave) -> None:
    take(wave, rows(wave, "一期", "二期"))
    take(wave, rows(wave, "一期"))
    with wave.app.store.read() as conn:
        number = found(wave, conn).id
        sets = conn.execute(select(answers).where(answers.c.round_id == number)).mappings().all()
        assert len(sets) == 3
        for each in sets:
            # All that a set knows of its origin: the round, a group of many, a day, who typed it in.
            assert {name for name, value in each.items() if value not in (None, "", {})} <= {
                *("id", "round_id", "anonymity", "entry", "groups", "answers", "abstained"),
                *("recorded_on", "recorded_by"),
            }
            assert len(each["recorded_on"]) == len("2026-09-11")
        ids = {each["id"] for each in sets}
        for table in metadata.sorted_tables:
            if table is answers:
                continue
            everything = str(conn.execute(select(table)).all())
            assert not any(each in everything for each in ids), table.name
        # No row of a member or of the ledger came to be, or changed, when a return came in.
        members = conn.execute(select(member).where(member.c.round_id == number)).mappings().all()
        assert {(each["disposition"], each["returned_on"]) for each in members} == {("issued", None)}
        lines = conn.execute(select(attempt).where(attempt.c.round_id == number)).mappings().all()
        assert {(each["kind"], each["at"]) for each in lines} == {("issue", None)}
        # Rows have no number that counts them in the order they came.
        with pytest.raises(Exception, match="no such column: rowid"):
            conn.execute(text("SELECT rowid FROM answer_set"))
        assert not any(isinstance(column.type, Integer) and column.primary_key for column in answers.c)
        journal = tables.journal.c
        facts = [
            loads(each)
            for each in conn.execute(select(journal.facts).where(journal.kind == "round.returns")).scalars()
        ]
    # How many came in, and no file: its name may be a person's, what was chosen an answer.
    assert [{*each} for each in facts] == [{"taken", "returned", "part"}] * 2


def test_only_days_are_kept_of_what_happens_in_an_anonymous_round() -> None:
    """A column for an instant, added to these tables later, has to be thought about here."""
    instants = {
        f"{table.name}.{column.name}"
        for table in (answers, attempt, member)
        for column in table.c
        if isinstance(column.type, Instant)
    }
    assert instants == {"answer_set.recorded_at", "contact_attempt.at"}


@pytest.mark.parametrize(
    "values",
    [
        {"member_id": 1},
        {"recorded_at": True},
        {"entry": 2},
        {"source": "张三的答卷.csv"},
        {"anonymity": "confidential"},
    ],
)
def test_the_database_itself_refuses_an_answer_that_tells(wave: Wave, values: dict[str, Any]) -> None:
    if "recorded_at" in values:
        values = {"recorded_at": wave.app.clock.now()}
    with wave.app.store.read() as conn:
        number = found(wave, conn).id
    row = {
        **{"round_id": number, "anonymity": "anonymous", "answers": {}, "recorded_on": "2026-09-18"},
        **{"recorded_by": "clerk", **values},
    }
    with pytest.raises(IntegrityError), wave.app.store.write() as conn:
        conn.execute(insert(answers).values(row))


def test_the_database_itself_refuses_to_note_who_sent_it_back_or_to_break_the_promise(wave: Wave) -> None:
    take(wave, rows(wave, "一期"))
    with wave.app.store.read() as conn:
        number = found(wave, conn).id
    here = member.c.round_id == number
    for statement in (
        update(member).where(here, member.c.number == 1).values(returned_on="2026-09-18"),
        update(member).where(here, member.c.number == 1).values(disposition="complete"),
        update(attempt).where(attempt.c.round_id == number).values(at=wave.app.clock.now()),
        update(attempt).where(attempt.c.round_id == number).values(kind="return"),
        update(survey_round).where(survey_round.c.id == number).values(anonymity="named"),
    ):
        with pytest.raises(IntegrityError), wave.app.store.write() as conn:
            conn.execute(statement)


def test_the_name_of_a_file_is_kept_nowhere(wave: Wave) -> None:
    take(wave, rows(wave, "一期"), source="张三的答卷.csv", only={"project": "一期"})
    with wave.app.store.read() as conn:
        for table in metadata.sorted_tables:
            assert "张三的答卷" not in str(conn.execute(select(table)).all()), table.name


def test_figures_are_shown_of_a_closed_round_with_enough_answers_only(wave: Wave) -> None:
    def refused() -> str:
        with wave.app.store.read() as conn, pytest.raises(Conflict) as found_out:
            analysis.check_shown(conn, found(wave, conn))
        return str(found_out.value)

    take(wave, rows(wave, *["一期"] * 4))
    assert "still open" in refused()
    with copied(wave) as few:
        few.app.do(CloseRound(by=CLERK, instance=few.instance, part="secret"))
        with few.app.store.read() as conn, pytest.raises(Conflict, match="fewer than 5 came back"):
            analysis.trend_of(conn, [found(few, conn)] * 2)
    take(wave, rows(wave, "二期"))
    assert "still open" in refused()
    wave.app.do(CloseRound(by=CLERK, instance=wave.instance, part="secret"))
    with wave.app.store.read() as conn:
        analysis.check_shown(conn, found(wave, conn))


def test_everybody_or_nobody_is_reminded_and_nobody_checked(wave: Wave) -> None:
    take(wave, rows(wave, "一期"))
    with wave.app.store.read() as conn:
        there = found(wave, conn)
        assert len(ledger.to_remind(conn, there, 0, wave.app.clock.now().date())) == 8
        assert reading.layout(there, rounds.questionnaire(conn, there)).required[0] != reading.CUSTOMER
        with pytest.raises(Exception, match="Nobody knows which answers"):
            returns.compare(conn, there, rounds.questionnaire(conn, there))
    with pytest.raises(Invalid, match="nobody's answers can be checked"):
        wave.app.do(Record(by=CLERK, instance=wave.instance, part="secret", codes=("K-1",), kind="recheck"))


def test_questionnaires_for_whoever_comes_are_counted_by_department_and_nobody_is_on_a_roster(
    wave: Wave,
) -> None:
    wave.app.do(OpenRound(by=CLERK, instance=wave.instance, part="desk", groups=("project",)))
    with wave.app.store.write() as conn:
        desk = rounds.round_of(conn, wave.instance, "desk")
        ledger.hand_out(conn, desk, {"东门": 2}, {})
        ledger.hand_out(conn, desk, {"东门": 1, "西门": 1}, {"东门": 2})
    with pytest.raises(Invalid, match="东们 is not among those asked"):
        wave.app.do(ImportReturns(by=CLERK, instance=wave.instance, part="desk", data=rows(wave, "东们")))
    with pytest.raises(Invalid, match="5 of 4"):
        wave.app.do(
            ImportReturns(by=CLERK, instance=wave.instance, part="desk", data=rows(wave, *["东门"] * 5))
        )
    wave.app.do(ImportReturns(by=CLERK, instance=wave.instance, part="desk", data=rows(wave, "东门", "西门")))
    with wave.app.store.read() as conn:
        assert rounds.counted(conn, desk, rounds.HANDED_OUT) == {"东门": 3, "西门": 1}
        assert rounds.counted(conn, desk, rounds.COLLECTED) == {"东门": 2}
        progress = rounds.progress(conn, desk)
    assert (progress.members, progress.issued, progress.returned) == (0, 4, 2)


def test_a_round_that_knows_whom_it_asks_hands_nothing_out_to_whoever_comes(fresh_wave: Wave) -> None:
    with fresh_wave.app.store.write() as conn, pytest.raises(Conflict, match="people on its roster"):
        ledger.hand_out(conn, rounds.round_of(conn, fresh_wave.instance), {"东门": 1}, {})
