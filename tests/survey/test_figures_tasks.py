"""What the function of a service task leaves: variables, and the tables that are filed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from engine.errors import Conflict
from engine.handlers import Call, Kind
from engine.ports import Connection
from survey import rounds
from survey.tables import answers, member
from tasks import figures
from tests.survey.waves import Wave, make_wave
from tests.workbooks import rows as table_of
from tests.workbooks import sheets

NOW = datetime(2026, 9, 18, 9, tzinfo=UTC)


@pytest.fixture
def wave(tmp_path: Path) -> Iterator[Wave]:
    yield from make_wave(tmp_path)


def call(wave: Wave, conn: Connection, **properties: str) -> Call:
    return Call(
        instance=wave.instance,
        label=f"SV-{wave.instance}",
        root=wave.instance,
        unit="tower",
        procedure="003G",
        element="statistics",
        name="统计",
        properties={f"flow.{name}": value for name, value in properties.items()},
        variables={},
        parameters={"problem_threshold": 60, "indicative_base": 30},
        by="clerk",
        now=NOW,
        today="2026-09-18",
        conn=conn,
        folder=Path(),
    )


def test_figures_are_a_job_that_only_reads_and_the_round_is_closed_before(wave: Wave) -> None:
    wave.take(wave.file())
    summarise = figures.handlers.find("figures.summarise")
    assert summarise.kind is Kind.OUTSIDE
    assert summarise.first is not None
    with wave.app.store.write() as conn:
        summarise.first(call(wave, conn, closes="false"))
        assert rounds.round_of(conn, wave.instance).status == "open"
        summarise.first(call(wave, conn))
        assert rounds.round_of(conn, wave.instance).status == "closed"
    with pytest.raises(Conflict, match="closed"):
        wave.take(wave.file())
    with wave.app.store.read() as conn:
        made = figures.summarise(call(wave, conn))
        assert made == figures.summarise(call(wave, conn))  # a job may be done twice


def test_the_method_and_the_crossing_are_said_in_the_diagram(wave: Wave) -> None:
    wave.take(wave.file())
    with wave.app.store.write() as conn:
        made = figures.summarise(call(wave, conn, method="top2/returned", by="method, district"))
    ((name, book),) = dict[str, bytes](made["$record"]).items()  # type: ignore[call-overload]
    assert name == "统计.xlsx"
    first, second, way, *_ = sheets(book)
    assert (first, second, way) == ("各项满意度", "回收情况", "按调查方式交叉分组")
    head, *lines = table_of(book, "类别", "项目")
    assert head[-6:] == ["回收份数", "满意率", "平均分", "指数", "95%置信区间", "备注"]
    assert {type(line[head.index("满意率")]) for line in lines[:50]} <= {float, int}
    assert any("满意等级：5分、4分" in str(line) for line in sheets(book)["回收情况"])
    crossed = table_of(book, "项目", sheet=way)
    assert crossed[0][2:] == ["有效评价份数", "5分", "4分", "3分", "2分", "1分", "备注", "卡方检验"]
    assert len({row[0] for row in crossed[1:]}) == 70


def test_answers_of_several_portions_are_all_counted(wave: Wave, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "PORTION", 3)
    with wave.app.store.write() as conn:
        found = rounds.round_of(conn, wave.instance)
        ids = conn.execute(select(member.c.id).where(member.c.round_id == found.id)).scalars().all()
        given = {"q2": {"q2_01": 4}}
        for number in ids:
            conn.execute(
                insert(answers).values(
                    round_id=found.id,
                    anonymity=found.anonymity,
                    member_id=number,
                    answers=given,
                    recorded_on="2026-09-18",
                    recorded_at=NOW,
                    recorded_by="clerk",
                )
            )
        made = rounds.figures_of(conn, [found])
    assert (made.returned, made.items[0].tally.base) == (len(ids), len(ids))
    assert len(ids) > 3
