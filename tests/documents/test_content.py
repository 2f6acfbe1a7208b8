"""Numbers, numbering and what no document may hold."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.content import Chart, Column, Heading, Paragraph, Series, Table, decimal, shown
from documents.excel import Sheet, workbook
from documents.measure import INSET, fitted, widths
from documents.numbering import MOST_LABELS, chinese, numbered
from documents.pdf import pdf, picture
from documents.plot import plotted
from engine.errors import Invalid

from .samples import CONTROL, Document, table


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (Fraction(1, 8), 2, "0.13"),
        (0.145, 2, "0.15"),  # as written, not as the nearest binary number
        (Decimal("2.5"), 0, "3"),
        (-0.004, 2, "0.00"),
        (-2.5, 0, "-3"),
        (1000, 1, "1000.0"),
    ],
)
def test_numbers_are_rounded_half_up_as_by_hand(value: Fraction, places: int, text: str) -> None:
    assert decimal(value, places) == text


@given(st.fractions(), st.integers(0, 6))
def test_a_shown_number_is_within_half_of_its_last_place(value: Fraction, places: int) -> None:
    assert abs(Fraction(decimal(value, places)) - value) <= Fraction(1, 2 * 10**places)


def test_what_has_no_value_is_a_dash_and_no_zero() -> None:
    assert shown(None, Column("满意率", "percent")) == "—"


def test_headings_are_numbered_by_level_and_begin_anew_below_each_other() -> None:
    levels = [1, 2, 2, 3, 1, 2]
    blocks = [Heading("题", level) for level in levels]  # type: ignore[arg-type]
    said = [block.text for block in numbered(blocks) if isinstance(block, Heading)]
    assert said == ["一、题", "（一）题", "（二）题", "1. 题", "二、题", "（一）题"]


def test_chinese_numerals_of_ten_and_more_are_read_as_people_do() -> None:
    assert [chinese(number) for number in (1, 10, 11, 20, 21, 99)] == [
        "一",
        "十",
        "十一",
        "二十",
        "二十一",
        "九十九",
    ]


def test_a_chart_of_more_bars_than_a_page_holds_is_continued_and_loses_none() -> None:
    labels = tuple(f"第{number}项" for number in range(MOST_LABELS * 2 + 5))
    chart = Chart("bars", labels, (Series("满意率", tuple(range(len(labels)))),), caption="全部")
    parts = [block for block in numbered([chart]) if isinstance(block, Chart)]
    assert [part.caption for part in parts] == ["图1　全部（1/3）", "图2　全部（2/3）", "图3　全部（3/3）"]
    assert sum((part.labels for part in parts), ()) == labels
    assert [value for part in parts for value in part.series[0].values] == list(range(len(labels)))


HUNDREDTHS = st.integers(-100_000, 100_000).map(lambda number: Fraction(number, 100))


@given(st.lists(HUNDREDTHS, min_size=1, max_size=8), st.none() | HUNDREDTHS)
def test_every_mark_of_a_chart_stands_where_its_value_is_on_the_axis(
    values: list[Fraction], gap: Fraction | None
) -> None:
    chart = Chart("bars", tuple("甲" for _ in [*values, gap]), (Series("a", (*values, gap)),))
    plan = plotted(chart)
    marks = [mark and mark["at"] for mark in plan["series"][0]["marks"]]
    ticks = plan["ticks"]
    low, high = Fraction(ticks[0]["text"]), Fraction(ticks[-1]["text"])
    assert 2 <= len(ticks) <= 8
    assert (ticks[0]["at"], ticks[-1]["at"]) == (0, 1)
    for value, mark in zip((*values, gap), marks, strict=True):
        assert (mark is None) == (value is None)
        assert value is None or mark == pytest.approx(float((value - low) / (high - low)))


@given(st.lists(st.text("满意a", max_size=40), min_size=1, max_size=9), st.floats(30, 80))
def test_columns_of_figures_keep_their_breadth_while_texts_give_way(cells: list[str], room: float) -> None:
    columns = (*(Column("项目") for _ in cells), Column("满意率", "percent", 1))
    made = Table(columns, ((*cells, Fraction(1, 3)),))
    breadths = fitted(made, room)
    assert breadths[-1] == widths(made)[-1] + INSET
    assert sum(breadths) <= max(room, sum(breadths[:-1]) + breadths[-1]) + 1e-6
    assert min(breadths) >= 3


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (Paragraph("响铃\a"), "响铃: The character U+0007"),
        (Table((Column("甲"),), (("好",), ("坏\ud800",))), "table 1 row 2: The character U+D800"),
        (
            Table((Column("甲"), Column("乙")), (("一格",),), caption="台账"),
            "台账 row 1: It has 1 cells, the head has 2",
        ),
        (Table((Column("满意率", "percent"),), ((float("nan"),),)), "table row 1, 满意率: The value nan"),
        (Table((Column("满意率", "percent"),), (("八成",), (10**400,))), "table row 2, 满意率"),
        (Table((), ()), "The table has no columns"),
        (Chart("bars", ("甲", "乙"), (Series("满意率", (1,)),)), "has 1 values for 2 labels"),
        (Chart("stacked", ("甲",), (Series("满意率", (-1,)),)), "below zero"),
        (Chart("lines", ("甲",), (Series("满意率", (float("inf"),)),)), "no number"),
        (Chart("lines", ("甲",), (Series("满意率", (1,)),), axis=(5, 1)), "ends before it begins"),
    ],
)
def test_what_cannot_be_printed_is_refused_by_place(block: Paragraph | Table | Chart, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        pdf(Document(CONTROL, (block,)))
    assert said in str(caught.value)


def test_the_same_content_gives_the_same_bytes_whatever_was_made_before() -> None:
    first = picture(Chart("bars", ("甲",), (Series("a", (1,)),)))
    workbook([Sheet("别的", table(3))])
    assert picture(Chart("bars", ("甲",), (Series("a", (1,)),))) == first
