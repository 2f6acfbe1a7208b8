"""Charts that Excel draws itself, from numbers that stand on a sheet of their own."""

from __future__ import annotations

from typing import Any

from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from documents.content import Chart
from documents.palette import BELOW, SERIES, TARGET, scale

DATA = "图表数据"
"""The sheet behind the charts; people may check or change what they show."""
ROW_HEIGHT = 20
"""Pixels of a sheet's row."""


def insert(book: Workbook, page: Worksheet, chart: Chart, row: int, font: str) -> int:
    """Puts the chart on the page from `row` down; returns the row below it."""
    data = book.get_worksheet_by_name(DATA)
    if data is None:
        data = book.add_worksheet(DATA)
        data.set_column(0, 0, 36)
        data.fit_to_pages(1, 0)
    first = (data.dim_rowmax or -1) + 2 if data.dim_rowmax is not None else 0
    _write(data, chart, first, book.add_format({"num_format": _numbers(chart)}))
    if not chart.labels or not chart.series:
        page.write_string(row, 0, f"{chart.caption}{chart.empty}")
        return row + 2
    drawn = _drawn(book, chart, first, font)
    height = 90 + (26 * len(chart.labels) if chart.kind == "stacked" else 260)
    breadth = min(max(640, 28 * len(chart.labels)), 1400)
    drawn.set_size({"width": breadth, "height": height})
    alternative = {"description": chart.caption, "object_position": 1}
    page.insert_chart(row, 0, drawn, alternative)
    return row + -(-height // ROW_HEIGHT) + 1


def _numbers(chart: Chart) -> str:
    places = f".{'0' * chart.places}" if chart.places else ""
    return f"0{places}%" if chart.percent else f"0{places}"


def _write(data: Worksheet, chart: Chart, first: int, look: Any) -> None:
    """The chart's numbers: a row for each label, a column for each series, the target last."""
    data.write_string(first, 0, chart.caption)
    for column, series in enumerate(chart.series, start=1):
        data.write_string(first, column, series.name)
        for offset, value in enumerate(series.values, start=1):
            if value is not None:
                data.write_number(first + offset, column, float(value), look)
    for offset, label in enumerate(chart.labels, start=1):
        data.write_string(first + offset, 0, label)
        if chart.target:
            data.write_number(first + offset, len(chart.series) + 1, float(chart.target.value), look)
    if chart.target:
        data.write_string(first, len(chart.series) + 1, chart.target.name)


def _drawn(book: Workbook, chart: Chart, first: int, font: str) -> Any:
    kinds: dict[str, dict[str, str]] = {
        "bars": {"type": "column"},
        "lines": {"type": "line"},
        "stacked": {"type": "bar", "subtype": "percent_stacked"},
    }
    drawn = book.add_chart(kinds[chart.kind])
    assert drawn is not None  # the kinds above are Excel's
    last = first + len(chart.labels)
    colours = scale(len(chart.series)) if chart.kind == "stacked" else SERIES
    words = {"name": font, "size": 9}
    for number, _ in enumerate(chart.series):
        drawn.add_series(
            {
                "name": [DATA, first, number + 1],
                "categories": [DATA, first + 1, 0, last, 0],
                "values": [DATA, first + 1, number + 1, last, number + 1],
                **_look(chart, number, colours[number % len(colours)], words),
            }
        )
    if chart.target and chart.kind != "stacked":
        line = drawn if chart.kind == "lines" else book.add_chart({"type": "line"})
        assert line is not None
        column = len(chart.series) + 1
        line.add_series(
            {
                "name": [DATA, first, column],
                "categories": [DATA, first + 1, 0, last, 0],
                "values": [DATA, first + 1, column, last, column],
                "line": {"color": TARGET, "dash_type": "dash", "width": 1.5},
                "marker": {"type": "none"},
            }
        )
        if line is not drawn:
            drawn.combine(line)
    drawn.set_title(
        {"name": chart.caption, "name_font": {**words, "size": 12, "bold": False}, "overlay": False}
    )
    drawn.set_legend({"position": "bottom", "font": words})
    drawn.show_blanks_as("gap")
    _axes(drawn, chart, words)
    return drawn


def _axes(drawn: Any, chart: Chart, words: dict[str, Any]) -> None:
    numbers: dict[str, Any] = {"num_font": words, "num_format": "0%" if chart.percent else "General"}
    if chart.axis:
        numbers |= {"min": float(chart.axis[0]), "max": float(chart.axis[1])}
    elif chart.percent:
        numbers |= {"min": 0, "max": 1}
    labels: dict[str, Any] = {"num_font": words}
    if chart.kind == "stacked":
        drawn.set_x_axis({"num_font": words, "num_format": "0%"})
        drawn.set_y_axis({**labels, "reverse": True})
    else:
        drawn.set_x_axis(labels)
        drawn.set_y_axis({**numbers, "major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}}})


def _look(chart: Chart, number: int, colour: str, words: dict[str, Any]) -> dict[str, Any]:
    series = chart.series[number]
    labels = {"value": True, "font": {**words, "size": 8}, "num_format": _numbers(chart)}
    if chart.kind == "lines":
        shapes = ("circle", "square", "triangle", "diamond")
        return {
            "line": {"color": colour, "width": 2},
            "marker": {
                "type": shapes[number % len(shapes)],
                "fill": {"color": colour},
                "border": {"color": colour},
            },
            **({"data_labels": {**labels, "position": "above"}} if len(chart.series) <= 2 else {}),
        }
    look: dict[str, Any] = {"fill": {"color": colour}, "gap": 60}
    if chart.kind == "bars" and len(chart.labels) * len(chart.series) <= 20:
        look["data_labels"] = labels
    if chart.kind == "bars" and chart.target:
        short = {"fill": {"color": BELOW}}
        target = chart.target.value
        look["points"] = [short if value is not None and value < target else None for value in series.values]
    return look
