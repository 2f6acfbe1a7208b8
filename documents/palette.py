"""Colours of charts: told apart by people who are colour-blind, and in a grey print by their lightness."""

from __future__ import annotations

SERIES = ("#2F5D8A", "#D98E32", "#3F8F6B", "#8A5A99", "#6B6B6B", "#B5485D")
BELOW = "#C8553D"
"""What does not reach the target."""
TARGET = "#8C1D18"

_BEST, _MIDDLE, _WORST = (47, 93, 138), (226, 226, 226), (200, 85, 61)


def scale(count: int) -> list[str]:
    """So many colours from the best level of a scale to the worst, over a light grey."""
    places = [0.0] if count == 1 else [number / (count - 1) for number in range(count)]
    return [
        _mixed(_BEST, _MIDDLE, place * 2) if place <= 0.5 else _mixed(_MIDDLE, _WORST, place * 2 - 1)
        for place in places
    ]


def _mixed(one: tuple[int, int, int], other: tuple[int, int, int], share: float) -> str:
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in zip(one, other, strict=True))
