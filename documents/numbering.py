"""Numbers of headings, tables and charts, so that Word and PDF count alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from documents.content import Block, Chart, Heading, Series, Table

MOST_LABELS = 40
"""Labels of one chart: as many bars as a page holds. A chart with more is continued in a further one."""

_DIGITS = "〇一二三四五六七八九"


def numbered(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks with their numbers in headings and captions; charts too long for a page divided."""
    counts = [0, 0, 0]
    tables = charts = 0
    for block in blocks:
        match block:
            case Heading(numbered=True):
                counts[block.level - 1 :] = [counts[block.level - 1] + 1, *[0] * (3 - block.level)]
                yield replace(block, text=_number(block.level, counts[block.level - 1]) + block.text)
            case Table(caption=caption) if caption:
                tables += 1
                yield replace(block, caption=f"表{tables}　{caption}")
            case Chart():
                parts = _parts(block)
                for part in parts:
                    charts += bool(part.caption)
                    yield replace(part, caption=f"图{charts}　{part.caption}" if part.caption else "")
            case _:
                yield block


def chinese(number: int) -> str:
    """The number, from 1 to 99, in Chinese numerals."""
    tens, ones = divmod(number, 10)
    return (_DIGITS[tens] if tens > 1 else "") + ("十" if tens else "") + (_DIGITS[ones] if ones else "")


def _number(level: int, count: int) -> str:
    numeral = chinese(count) if count < 100 else str(count)
    return (f"{numeral}、", f"（{numeral}）", f"{count}. ")[level - 1]


def _parts(chart: Chart) -> list[Chart]:
    bars = len(chart.series) if chart.kind == "bars" else 1
    most = max(1, MOST_LABELS // max(1, bars))
    if chart.kind == "lines" or len(chart.labels) <= most:
        return [chart]
    count = -(-len(chart.labels) // most)
    size = -(-len(chart.labels) // count)
    return [
        replace(
            chart,
            caption=f"{chart.caption}（{number}/{count}）" if chart.caption else "",
            labels=chart.labels[start : start + size],
            series=tuple(Series(one.name, one.values[start : start + size]) for one in chart.series),
        )
        for number, start in enumerate(range(0, len(chart.labels), size), start=1)
    ]
