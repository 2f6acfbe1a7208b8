"""What the function of a service task leaves: variables, and the tables that are filed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from engine.errors import Conflict
from engine.handlers import Call, Kind
from engine.ports import Connection
from survey import rounds
from survey.tables import answers, member
from tasks import figures
from tests.survey.waves import Wave, make_wave

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


def lines(made: Any, name: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(made["$record"][name].removeprefix("\ufeff"))))


def test_a_large_round_is_figured_as_a_job_once_it_is_closed(wave: Wave) -> None:
    wave.take(wave.file())
    with wave.app.store.write() as conn:
        with pytest.raises(Conflict, match=r"figures\.close before statistics"):
            figures.compute(call(wave, conn))
        assert figures.close(call(wave, conn)) == {}
    with wave.app.store.read() as conn:
        made = figures.compute(call(wave, conn))
        assert made == figures.compute(call(wave, conn))  # a job may be done twice
    with wave.app.store.write() as conn:
        assert made == figures.summarise(call(wave, conn))
    assert figures.handlers.find("figures.compute").kind is Kind.OUTSIDE


def test_the_method_and_the_crossing_are_said_in_the_diagram(wave: Wave) -> None:
    wave.take(wave.file())
    with wave.app.store.write() as conn:
        made = figures.summarise(call(wave, conn, method="top2/returned", by="method, district"))
    files: Any = made["$record"]
    assert sorted(files) == [
        "交叉分组表-district.csv",
        "交叉分组表-method.csv",
        "客户满意度调查统计表.csv",
    ]
    table = lines(made, "客户满意度调查统计表.csv")
    assert table[0][-7:] == [
        "回收份数（基数）",
        "满意率",
        "平均分",
        "指数",
        "95%置信区间",
        "计算方法",
        "备注",
    ]
    assert {row[-2] for row in table[1:82]} == {"top2/returned"}
    assert ["满意等级", "5分、4分"] in table
    crossed = lines(made, "交叉分组表-method.csv")
    assert crossed[0] == ["项目", "分组", "有效份数（基数）", "5分", "4分", "3分", "2分", "1分", "备注"]
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
