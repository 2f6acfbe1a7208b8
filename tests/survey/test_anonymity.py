"""An anonymous round keeps its promise in the database itself: no way leads from answers to a person."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from json import loads
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Integer, insert, literal_column, select, update
from sqlalchemy import text as text_
from sqlalchemy.exc import IntegrityError

from engine.errors import Conflict, Invalid
from engine.handlers import Call
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
from tasks import figures, opinions, papers, plausibility, standards
from tests.survey.waves import CLERK, Wave, copied, make_wave
from tests.workbooks import rows as table_of

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


def rows(
    wave: Wave, *projects: str, extra: dict[str, str] | None = None, changed: dict[str, str] | None = None
) -> bytes:
    """Sound answers, each with the project it came from; with some of them changed."""
    header, sound = wave.sound[0][1:], wave.sound[1][1:]
    line = [(changed or {}).get(name, cell) for name, cell in zip(header, sound, strict=True)]
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
        assert (made.returned, made.withheld, made.issued) == (3, 3, 8)
    take(wave, rows(wave, "二期", "二期", "二期"))
    with wave.app.store.read() as conn:
        split = rounds.counts_of(conn, [found(wave, conn)], ["project"]).split("project")
        assert {name: part.returned for name, part in split.items()} == {"一期": 2, "二期": 4}


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


def test_before_anything_is_given_out_the_step_that_comes_first_is_named(wave: Wave) -> None:
    where: dict[str, Any] = {"by": CLERK, "instance": wave.instance, "part": "early"}
    wave.app.do(OpenRound(**where, groups=("project",)))
    wave.app.do(DrawSample(**where, design={}))
    with pytest.raises(Invalid, match=r"No questionnaire of .* is given out yet: .*--kind issue"):
        wave.app.do(ImportReturns(**where, data=rows(wave, "一期", "二期")))


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
            conn.execute(text_("SELECT rowid FROM answer_set"))
        assert not any(isinstance(column.type, Integer) and column.primary_key for column in answers.c)
        journal = tables.journal.c
        facts = [
            loads(each)
            for each in conn.execute(select(journal.facts).where(journal.kind == "round.returns")).scalars()
        ]
    # How many came in, and no file: its name may be a person's, what was chosen an answer.
    assert [{*each} for each in facts] == [{"taken", "returned", "part"}] * 2


def test_no_place_in_the_database_tells_in_which_order_answers_typed_in_singly_came(
    database: str, tmp_path: Path
) -> None:
    for desk in make_wave(tmp_path, database, anonymity="anonymous"):
        desk.app.do(OpenRound(by=CLERK, instance=desk.instance, part="secret", groups=("project",)))
        with desk.app.store.write() as conn:
            ledger.hand_out(conn, found(desk, conn), {"一期": 12}, {})
        came = [
            (1 + number // 5, 1 + number % 5) for number in range(12)
        ]  # told apart by their first answers
        seen: list[str] = []
        for first, second in came:
            take(desk, rows(desk, "一期", changed={"q2_01": str(first), "q2_02": str(second)}))
            with desk.app.store.read() as conn:
                seen += conn.execute(select(answers.c.id)).scalars()
        with desk.app.store.read() as conn:
            postgresql = conn.dialect.name == "postgresql"
            place = (
                literal_column("ctid") if postgresql else answers.c.id
            )  # SQLite has no place but the key's
            kept = conn.execute(select(answers.c.answers).order_by(place)).scalars().all()
            if postgresql:
                # Rows say by which transaction they came to be: all by the last one.
                number = conn.execute(text_("SELECT count(DISTINCT xmin::text) FROM answer_set")).scalar_one()
                assert number == 1
            journal = tables.journal.c
            facts = conn.execute(select(journal.facts).where(journal.kind == "round.returns")).scalars()
            assert [{*loads(each)} for each in facts] == [{"taken", "returned", "part"}] * 12
        order = [(each["q2"]["q2_01"], each["q2"]["q2_02"]) for each in kept]
        assert sorted(order) == sorted(came)
        assert order != came  # by chance in one of 479,001,600 runs
        # Who looked between two answers finds none of the ids again: not even the others' tell which is new.
        assert len({*seen}) == len(seen) == 12 * 13 // 2


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


def called(wave: Wave, conn: Any, element: str) -> Call:
    return Call(
        instance=wave.instance,
        label=f"SV-{wave.instance}",
        root=wave.instance,
        unit="tower",
        procedure="003G",
        element=element,
        name="统计",
        properties={"flow.part": "secret"},
        variables={},
        parameters={"problem_threshold": 100, "indicative_base": 30, "doubt_gap": 0},
        by="clerk",
        now=wave.app.clock.now(),
        today="2026-09-18",
        conn=conn,
        folder=Path(),
    )


def test_papers_and_variables_of_a_closed_round_show_nothing_of_fewer_than_five_answers(wave: Wave) -> None:
    take(wave, rows(wave, *["一期"] * 4))
    with copied(wave) as few, few.app.store.write() as conn:
        made: Any = figures.summarise(called(few, conn, "statistics"))
        assert (made["returned"], made["return_rate"], made["satisfaction_rate"]) == (4, "50.0%", "—")
        assert (made["low_items"], made["low_fields"]) == ([], [])
        assert made["figures_summary"] == "发放8份，回收4份，回收率50.0%；匿名答卷不足5份，为保密不列结果。"
        (book,) = made["$record"].values()
        head, *lines = table_of(book, "类别", "项目")
        assert {cell for line in lines for cell in line[2 : head.index("备注")] if line[1]} <= {0, "—"}
        assert ["其中未计入", 4, "—", "匿名答卷不足5份，为保密不列结果"] in table_of(
            book, "指标", sheet="回收情况"
        )
        kept: Any = papers.answers(called(few, conn, "keep_answers"))["$record"]
        assert [text.splitlines()[1:] for text in kept.values()] == [["匿名答卷不足5份，为保密不列结果"]]
        said: Any = opinions.gather(called(few, conn, "gather"))
        assert (said["opinions_count"], said["opinions_text"]) == (0, "匿名答卷不足5份，为保密不列结果。")
        doubts: Any = plausibility.examine(called(few, conn, "examine"))
        judged: Any = standards.judge(called(few, conn, "judge"))
        assert (judged["standard_mark"], judged["overall_rate"], len(judged["failed"])) == ("未评定", "—", 1)
        assert (doubts["doubtful"], doubts["doubtful_text"]) == (0, "匿名答卷不足5份，为保密不列结果。")
    take(wave, rows(wave, "二期"))
    with wave.app.store.write() as conn:
        assert figures.summarise(called(wave, conn, "statistics"))["satisfaction_rate"] != "—"


def test_rounds_put_together_leave_those_of_few_answers_out(wave: Wave) -> None:
    """Otherwise the sum less the others would say what those few answered."""
    wave.app.do(OpenRound(by=CLERK, instance=wave.instance, part="other", groups=("project",)))
    with wave.app.store.write() as conn:
        ledger.hand_out(conn, rounds.round_of(conn, wave.instance, "other"), {"一期": 9}, {})
    take(wave, rows(wave, *["一期"] * 6))
    wave.app.do(ImportReturns(by=CLERK, instance=wave.instance, part="other", data=rows(wave, *["一期"] * 4)))
    with wave.app.store.read() as conn:
        both = [rounds.round_of(conn, wave.instance, part) for part in ("secret", "other")]
        alone, together = rounds.figures_of(conn, both[:1]), rounds.figures_of(conn, both)
    assert [line.tally for line in together.items] == [line.tally for line in alone.items]
    assert (together.returned, together.withheld) == (10, 4)


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
