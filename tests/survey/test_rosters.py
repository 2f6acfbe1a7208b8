"""Rosters: files as people keep them, reported row by row; personal data apart, and erasable."""

from __future__ import annotations

import io
from json import dumps
from pathlib import Path

import pytest
from click.testing import CliRunner
from openpyxl import Workbook
from sqlalchemy import delete, insert, select

from console.roster import roster
from engine import config
from engine.errors import Conflict, Denied, Invalid, NotFound
from engine.model import SYSTEM
from engine.store import tables
from engine.store.columns import metadata
from survey import returns, rosters, rounds
from survey.commands import DrawSample, EraseRespondent, Exclude, ImportRoster, OpenRound, RosterTaken
from tests.survey.test_round_command import flow, session_in
from tests.survey.waves import CLERK, Wave, make_wave

FILE = """客户编号,单位,项目,客户类型,姓名,手机,入住日期,重点客户,属性:科室
A-1,tower,一期,租户,张三,13800000000,2025-03-01,是,内科
A-9,tower,二期,业主,李四,,2026/9/1,,
"""


@pytest.fixture
def wave(fresh_wave: Wave) -> Wave:
    return fresh_wave


def take(wave: Wave, data: bytes | str, **options: bool) -> RosterTaken:
    taken = wave.app.do(ImportRoster(by=CLERK, data=data, **options)).value
    assert isinstance(taken, RosterTaken)
    return taken


def workbook(*rows: tuple[object, ...]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def test_a_file_is_reported_row_by_row(wave: Wave) -> None:
    taken = take(wave, FILE.encode("gbk"))
    assert (taken.encoding, taken.added, taken.changed, taken.left) == ("GBK", 1, 1, 4)
    outcomes = [(each.row, each.code, each.outcome) for each in taken.rows]
    assert outcomes[:2] == [(2, "A-1", "changed"), (3, "A-9", "added")]
    assert {*taken.rows[0].what} == {
        "project",
        "segment",
        "attributes",
        "since",
        "key_account",
        "name",
        "phone",
    }
    assert [each[2] for each in outcomes[2:]] == ["left"] * 4
    again = take(wave, FILE)
    assert (again.unchanged, again.changed, again.added, again.left) == (2, 0, 0, 0)
    with wave.app.store.read() as conn:
        found = rosters.find(conn, "A-1")
    assert (found.project, found.segment, found.since, found.key_account) == (
        "一期",
        "租户",
        "2025-03-01",
        True,
    )
    assert (found.attributes, found.contact) == ({"科室": "内科"}, {"name": "张三", "phone": "13800000000"})


def test_a_part_of_the_roster_leaves_the_rest_as_it_is(wave: Wave) -> None:
    taken = take(wave, FILE, partial=True)
    assert (taken.added, taken.left) == (1, 0)
    with wave.app.store.read() as conn:
        assert rosters.sizes(conn)["tower"] == {"active": 6, "left": 0, "excluded": 0}


def test_a_file_without_most_of_a_roster_retires_nobody_unless_told_so(wave: Wave) -> None:
    head = "customer,unit\n"
    take(wave, head + "".join(f"N-{number},tower\n" for number in range(40)), yes=True)
    few = head + "N-1,tower\nN-2,tower\n"
    with pytest.raises(Invalid, match=r"yes: 38 of the 40 customers of tower are not in the file.*--partial"):
        take(wave, few)
    assert take(wave, few, partial=True).left == 0
    assert take(wave, head + "".join(f"N-{number},tower\n" for number in range(20))).left == 20
    assert take(wave, few, yes=True).left == 18


def test_at_a_terminal_it_is_asked_whether_most_of_a_roster_have_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = config.make(tmp_path, organisation="test", zone="Asia/Shanghai", language="en", demo=True)
    for wave in make_wave(tmp_path, made.database):
        all_, few = tmp_path / "all.csv", tmp_path / "few.csv"
        all_.write_text(
            "customer,unit\n" + "".join(f"N-{number},tower\n" for number in range(40)), encoding="utf-8"
        )
        few.write_text("customer,unit\nN-1,tower\n", encoding="utf-8")
        flow(tmp_path, "import", str(all_), "--yes", of=roster)
        assert isinstance(flow(tmp_path, "import", str(few), of=roster).exception, Invalid)
        monkeypatch.setattr("console.output.interactive", lambda: True)
        for answer, left in (("n", 0), ("y", 39)):
            session = session_in(tmp_path)
            told = CliRunner().invoke(
                roster, ["import", str(few), "--as", "clerk"], obj=session, input=answer
            )
            session.app.store.close()
            assert "39 of the 40 customers of tower are not in the file" in told.output
            with wave.app.store.read() as conn:
                gone = [
                    each
                    for each in rosters.listed(conn, units=["tower"], active=False)
                    if each.code.startswith("N-")
                ]
            assert len(gone) == left


def test_who_left_comes_back_with_the_next_file(wave: Wave) -> None:
    take(wave, "customer,unit\nA-1,tower\n")
    with wave.app.store.read() as conn:
        left = rosters.find(conn, "A-2")
    assert (left.status, left.left_on) == ("left", "2026-09-11")
    take(wave, "customer,unit\nA-2,tower\n", partial=True)
    with wave.app.store.read() as conn:
        back = rosters.find(conn, "A-2")
    assert (back.status, back.left_on) == ("active", None)


def test_a_workbook_is_read_as_well_as_a_csv_file(wave: Wave) -> None:
    from datetime import datetime

    since = datetime(2025, 3, 1)  # noqa: DTZ001
    data = workbook(
        ("客户编号", "单位", "入住日期"), ("A-1", "tower", since), (1203, "tower", None), (None,) * 3
    )
    taken = take(wave, data, partial=True)
    assert (taken.encoding, taken.added, taken.changed) == ("XLSX", 1, 1)
    with wave.app.store.read() as conn:
        assert rosters.find(conn, "A-1").since == "2025-03-01"
        assert rosters.find(conn, "1203").since is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("客户编号,单位,电活\n1,tower,2\n", "column 电活: There is no such column"),
        ("customer,unit,projct\n1,tower,2\n", "did you mean project?"),
        ("customer,unit,since\n1,tower,soon\n", "row 2, since: Expected a date"),
        ("customer,unit,kind\n1,tower,alien\n", "row 2, kind: alien is no kind"),
        ("customer,unit,key_account\n1,tower,maybe\n", "row 2, key_account: Expected yes or no"),
        ("customer,unit,attr:note\n1,tower," + "x" * 201, "row 2, attr:note: The cell has 201"),
        (
            "customer,unit,客户编号\n1,tower,2\n",
            "column customer: The column stands in the header more than once",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(wave: Wave, data: str, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        take(wave, data)
    assert said in str(refused.value)


def test_faulty_rows_can_be_left_out_and_touch_nobody(wave: Wave) -> None:
    taken = take(wave, "customer,unit,since\nA-1,tower,\nA-2,tower,soon\nX,attic,\n", skip=True)
    assert (taken.unchanged, taken.refused, taken.left) == (1, 2, 3)
    assert [str(each.problems[0])[:5] for each in taken.rows if each.outcome == "refused"] == [
        "row 3",
        "row 4",
    ]
    with wave.app.store.read() as conn:
        assert rosters.find(conn, "A-2").status == "active"


def test_an_erased_customer_leaves_no_trace_in_any_table_and_history_stays_whole(wave: Wave) -> None:
    take(wave, FILE)
    with pytest.raises(Invalid, match="Say why"):
        wave.app.do(EraseRespondent(by=SYSTEM, code="A-1", reason=" "))
    assert wave.app.do(EraseRespondent(by=SYSTEM, code="A-1", reason="来函要求")).value == 2
    with wave.app.store.read() as conn:
        everything = dumps(
            [[str(row) for row in conn.execute(select(each))] for each in metadata.sorted_tables]
        )
        assert rosters.find(conn, "A-1").contact == {}
    assert "张三" not in everything
    assert "13800000000" not in everything
    assert "李四" in dumps(everything, ensure_ascii=False) or "\\u674e" in everything
    from engine.store.verify import verify

    with wave.app.store.read() as conn:
        assert not list(verify(conn).faults)


def test_names_never_reach_the_journal(wave: Wave) -> None:
    take(wave, FILE)
    with wave.app.store.read() as conn:
        facts = conn.execute(select(tables.journal.c.facts)).scalars().all()
    assert not any("张三" in each or "1380000" in each for each in facts)


def test_the_excluded_are_counted_apart_and_need_a_reason(wave: Wave) -> None:
    with pytest.raises(Invalid, match="Say why"):
        wave.app.do(Exclude(by=CLERK, code="A-2", reason=""))
    wave.app.do(Exclude(by=CLERK, code="A-2", reason="不愿受访"))
    with wave.app.store.read() as conn:
        assert rosters.sizes(conn)["tower"]["excluded"] == 1
    wave.app.do(Exclude(by=CLERK, code="A-2", reason=None))
    with wave.app.store.read() as conn:
        assert rosters.sizes(conn)["tower"]["excluded"] == 0


def test_who_only_surveys_changes_no_roster_neither_by_a_file_nor_by_leaving_somebody_out(wave: Wave) -> None:
    holding = tables.holding
    with wave.app.store.write() as conn:  # of the roles of the clerk the one of a surveyor alone remains
        conn.execute(delete(holding).where(holding.c.person == "clerk", holding.c.role != "surveyor"))
    with pytest.raises(Denied, match="who may be asked, the others there decide"):
        wave.app.do(Exclude(by=CLERK, code="A-2", reason="不愿受访"))
    with pytest.raises(Denied, match="who may be asked, the others there decide"):
        take(wave, FILE)
    with wave.app.store.read() as conn:
        assert rosters.sizes(conn)["tower"]["excluded"] == 0


def test_a_code_of_two_units_has_to_say_which(wave: Wave) -> None:
    with wave.app.store.write() as conn:
        conn.execute(insert(tables.unit).values(id="annex", name="附楼", active=True))
    wave.app.do(ImportRoster(by=SYSTEM, data="customer,unit\nA-1,附楼\n"))
    with wave.app.store.read() as conn:
        with pytest.raises(Conflict, match=r"annex, tower. Say which with --unit"):
            rosters.find(conn, "A-1")
        assert rosters.find(conn, "A-1", "annex").unit == "annex"
        assert rosters.find(conn, "annex/A-1").unit == "annex"
        with pytest.raises(NotFound, match="No customer Z"):
            rosters.find(conn, "Z")


def test_a_customer_of_a_unit_below_is_found_with_and_without_the_unit(wave: Wave) -> None:
    with wave.app.store.write() as conn:
        for unit in ("east", "west"):
            conn.execute(insert(tables.unit).values(id=unit, name=unit, parent="tower", active=True))
    data = "customer,unit\nH-1,east\nH-2,east\nH-2,west\nA/1,east\nA-1,east\n"
    wave.app.do(ImportRoster(by=SYSTEM, data=data))
    wave.app.do(OpenRound(by=CLERK, instance=wave.instance, part="all"))
    wave.app.do(DrawSample(by=CLERK, instance=wave.instance, part="all", design={}))
    with wave.app.store.read() as conn:
        found = rounds.round_of(conn, wave.instance, "all")

        def meant(code: str) -> str:
            return returns.member_called(conn, found, code).code

        assert {each: meant(each) for each in ("H-1", "east/H-1", "A/1", "east/A/1", "A-1", "tower/A-1")} == {
            "H-1": "east/H-1",
            "east/H-1": "east/H-1",
            "A/1": "east/A/1",
            "east/A/1": "east/A/1",
            "A-1": "A-1",
            "tower/A-1": "A-1",
        }
        with pytest.raises(Conflict, match="have the code H-2: east/H-2, west/H-2"):
            meant("H-2")
        for code in ("west/H-1", "1", "#99"):
            with pytest.raises(NotFound, match=f"Customer {code} is not on"):
                meant(code)
    assert wave.app.do(EraseRespondent(by=SYSTEM, code="east/A/1", reason="来函要求")).value == 0
