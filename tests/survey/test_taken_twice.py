"""A file that comes in twice, to a round of which nobody is to know what came from where."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from json import loads

import pytest
from openpyxl import Workbook
from sqlalchemy import insert, select

from engine.errors import Denied, Invalid
from engine.store import tables
from survey import ledger
from survey.commands import OpenRound
from tests.survey.test_anonymity import found, take
from tests.survey.waves import CLERK, Wave, copied, make_wave


def varied(wave: Wave, *, backwards: bool = False) -> list[list[str]]:
    """A file of six answer sets that differ; `backwards` in the other order, of rows and of columns."""
    header, line = wave.sound[0][1:], wave.sound[1][1:]
    place = header.index("q2_01")
    lines = [
        ["一期" if n % 2 else "二期", *line[:place], str(n % 5 + 1), *line[place + 1 :]] for n in range(6)
    ]
    if not backwards:
        return [["项目", *header], *lines]
    return [each[::-1] for each in (["项目", *header], *lines[::-1])]


def as_csv(lines: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(lines)
    return text.getvalue().encode()


def as_workbook(lines: list[list[str]]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    for line in lines:
        book.worksheets[0].append(line)
    book.save(file)
    return file.getvalue()


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wave]:
    for wave in make_wave(tmp_path_factory.mktemp("wave"), anonymity="anonymous"):
        wave.app.do(OpenRound(by=CLERK, instance=wave.instance, part="secret", groups=("project",)))
        with wave.app.store.write() as conn:
            ledger.hand_out(conn, found(wave, conn), {"一期": 14, "二期": 14}, {})
        yield wave


@pytest.fixture
def wide(once: Wave) -> Iterator[Wave]:
    """Twenty-eight questionnaires were given out to whoever came."""
    with copied(once) as wave:
        yield wave


def test_a_file_taken_in_is_not_taken_in_once_more_in_whatever_order_and_format(wide: Wave) -> None:
    take(wide, as_csv(varied(wide)))
    for again in (as_csv(varied(wide)), as_workbook(varied(wide)), as_workbook(varied(wide, backwards=True))):
        with pytest.raises(Invalid, match="All 6 answer sets of this file are in already"):
            take(wide, again)
    # one answer more than is in: others' answers, as far as anybody can tell
    one_more = [*varied(wide), varied(wide)[1]]
    assert take(wide, as_csv(one_more)).returned == 13
    assert take(wide, as_csv(varied(wide)), reason="另一批，内容相同").returned == 19


def test_what_was_taken_in_twice_is_taken_back_whole_by_who_may_with_a_reason(wide: Wave) -> None:
    take(wide, as_csv(varied(wide)))
    take(wide, as_csv(varied(wide)), reason="误导入")
    with wide.app.store.write() as conn:
        conn.execute(insert(tables.permission).values(person="manager", name="admin"))
    with pytest.raises(Denied, match="needs the permission `admin`"):
        take(wide, as_csv(varied(wide)), take_back=True, reason="重复导入")
    with wide.app.store.write() as conn:
        conn.execute(insert(tables.permission).values(person="clerk", name="admin"))
    with pytest.raises(Invalid, match="reason: Say why"):
        take(wide, as_csv(varied(wide)), take_back=True)
    with pytest.raises(Invalid, match="5 answer sets or more"):
        take(wide, as_csv(varied(wide)[:3]), take_back=True, reason="重复导入")
    other = as_csv([varied(wide)[0], *[varied(wide)[1]] * 5])
    with pytest.raises(Invalid, match="Not all answer sets of this file are in: none is taken back"):
        take(wide, other, take_back=True, reason="重复导入")
    done = take(wide, as_workbook(varied(wide, backwards=True)), take_back=True, reason="重复导入")
    assert (done.taken_back, done.returned) == (6, 6)
    with wide.app.store.read() as conn:
        journal = tables.journal.c
        kinds = ("round.returns", "round.returns_taken_back")
        facts = conn.execute(
            select(journal.facts).where(journal.kind.in_(kinds)).order_by(journal.seq)
        ).scalars()
        assert [{name: each for name, each in loads(fact).items() if name != "part"} for fact in facts] == [
            {"taken": 6, "returned": 6},
            {"taken": 6, "returned": 12, "reason": "误导入"},
            {"taken_back": 6, "returned": 6, "reason": "重复导入"},
        ]
