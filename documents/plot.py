"""Where everything of a chart stands, as shares of its area: what is drawn from this needs no arithmetic."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from documents.content import Chart, Number, decimal
from documents.measure import breadth
from documents.palette import BELOW, SERIES, TARGET, scale

STEPS = (1, 2, Fraction(5, 2), 5, 10)
MOST_TICKS = 6
MOST_LABELS = 12
"""Labels below a chart of lines; of more, some are left out. With more, points bear no numbers."""
WIDEST_LABEL = 13.0
"""Characters of a bar's label before it is broken into lines."""
NARROWEST_NUMBER = Fraction(6, 100)
"""The least share of a stacked bar that its number is written into."""


def plotted(chart: Chart) -> dict[str, Any]:
    """The chart as positions from 0 to 1, texts and colours, ready to be written as JSON."""
    values = [Fraction(value) for series in chart.series for value in series.values if value is not None]
    plan: dict[str, Any] = {
        "kind": chart.kind,
        "caption": chart.caption,
        "note": chart.note,
        "empty": "" if values else chart.empty,
        "target": None,
        "legend": [],
        "breadth": min(max((breadth(label) for label in chart.labels), default=0.0), WIDEST_LABEL),
        "labels": list(chart.labels),
    }
    if not values:
        return plan
    if chart.kind == "lines":
        step = -(-len(chart.labels) // MOST_LABELS)
        plan["labels"] = ["" if number % step else label for number, label in enumerate(chart.labels)]
        plan["numbers"] = step == 1 and len(chart.series) <= 2
    if chart.kind == "stacked":
        return plan | _stacked(chart)
    low, high, ticks = _axis(chart, values)

    def at(value: Number) -> float:
        return float(min(max((Fraction(value) - low) / (high - low), Fraction(0)), Fraction(1)))

    plan["ticks"] = [{"at": at(tick), "text": _number(tick, chart, _places(ticks, chart))} for tick in ticks]
    plan["zero"] = at(0)
    if chart.target:
        text = f"{chart.target.name} {_number(Fraction(chart.target.value), chart, chart.places)}"
        plan["target"] = {"at": at(chart.target.value), "text": text, "colour": TARGET}
    plan["series"] = [
        {
            "name": series.name,
            "colour": SERIES[number % len(SERIES)],
            "marks": [
                None
                if value is None
                else {
                    "at": at(value),
                    "text": _number(Fraction(value), chart, chart.places),
                    "colour": _colour(chart, number, value),
                }
                for value in series.values
            ],
        }
        for number, series in enumerate(chart.series)
    ]
    plan["legend"] = [{"name": s["name"], "colour": s["colour"]} for s in plan["series"]]
    if chart.kind == "bars" and any(m and m["colour"] == BELOW for s in plan["series"] for m in s["marks"]):
        plan["legend"].append({"name": "低于目标", "colour": BELOW})
    return plan


def _stacked(chart: Chart) -> dict[str, Any]:
    colours = scale(len(chart.series))
    bars = []
    for index in range(len(chart.labels)):
        given = [Fraction(series.values[index] or 0) for series in chart.series]
        total = sum(given)
        shares = [value / total if total else Fraction(0) for value in given]
        bars.append(
            [
                {
                    "share": float(share),
                    "text": f"{decimal(share * 100, chart.places)}%" if share >= NARROWEST_NUMBER else "",
                    "colour": colour,
                    "light": _dark(colour),
                }
                for share, colour in zip(shares, colours, strict=True)
                if share
            ]
        )
    ticks = [{"at": tick / 5, "text": f"{tick * 20}%"} for tick in range(6)]
    legend = [{"name": s.name, "colour": c} for s, c in zip(chart.series, colours, strict=True)]
    return {"bars": bars, "ticks": ticks, "legend": legend}


def _axis(chart: Chart, values: list[Fraction]) -> tuple[Fraction, Fraction, list[Fraction]]:
    """Where the axis begins and ends, and its ticks: round numbers."""
    if chart.target:
        values = [*values, Fraction(chart.target.value)]
    low, high = min(Fraction(0), *values), max(Fraction(0), *values)
    if chart.axis:
        low, high = Fraction(chart.axis[0]), Fraction(chart.axis[1])
    elif chart.percent:
        low, high = min(low, Fraction(0)), max(high, Fraction(1))
    elif low == high:
        high = low + 1
    step = _step((high - low) / (MOST_TICKS - 1))
    if not chart.axis:
        low, high = (low // step) * step, -((-high) // step) * step
    first = -((-low) // step)
    return low, high, [tick * step for tick in range(int(first), int(high // step) + 1)]


def _step(least: Fraction) -> Fraction:
    """The least of 1, 2, 2.5, 5 times a power of ten that is not below `least`."""
    power = Fraction(1)
    while power > least:
        power /= 10
    while power * 10 <= least:
        power *= 10
    return next(power * step for step in STEPS if power * step >= least)


def _places(ticks: list[Fraction], chart: Chart) -> int:
    """As many decimals as the ticks need to be told apart."""
    factor = 100 if chart.percent else 1
    return next((n for n in range(12) if all((t * factor * 10**n).denominator == 1 for t in ticks)), 12)


def _number(value: Fraction, chart: Chart, places: int) -> str:
    return f"{decimal(value * 100, places)}%" if chart.percent else decimal(value, places)


def _colour(chart: Chart, number: int, value: Number) -> str:
    short = chart.kind == "bars" and chart.target is not None and value < chart.target.value
    return BELOW if short else SERIES[number % len(SERIES)]


def _dark(colour: str) -> bool:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return 299 * red + 587 * green + 114 * blue < 150_000
