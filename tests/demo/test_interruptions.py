"""The demonstration, cut off anywhere, goes on and ends as if nothing had happened."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.demo import interrupting

ABOUT = 500
"""Fewer than the commits of the demonstration; `python -m tests.demo.interrupting` cuts at all of them."""
SAMPLE = random.Random(7).sample([(n, when) for n in range(1, ABOUT) for when in ("before", "after")], 10)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("whole")
    outcome, commits = interrupting.whole(folder / "demo", folder, lambda cut: cut in SAMPLE)
    assert commits >= ABOUT
    return outcome, folder


@pytest.mark.parametrize("cut", SAMPLE, ids=lambda cut: f"{cut[1]} commit {cut[0]}")
def test_a_demo_cut_off_at_a_commit_goes_on_to_the_same_end(
    uninterrupted: tuple[dict[str, Any], Path], cut: interrupting.Cut
) -> None:
    outcome, folder = uninterrupted
    assert interrupting.ended(folder / f"{cut[0]}-{cut[1]}") == outcome


def test_a_demo_killed_and_resumed_ends_the_same(
    uninterrupted: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    interrupting.kill(tmp_path / "演示", 1.5)
    assert interrupting.ended(tmp_path / "演示") == uninterrupted[0]


@pytest.mark.parametrize(("code", "cuts"), [("000A", (71, 130)), ("004B", (60, 150)), ("004G", (95, 180))])
def test_a_story_cut_off_at_a_commit_goes_on_to_the_same_end(
    code: str, cuts: tuple[int, ...], tmp_path: Path
) -> None:
    taken = {(number, when) for number, when in zip(cuts, ("after", "before"), strict=True)}
    outcome, commits = interrupting.whole(tmp_path / "whole", tmp_path, lambda cut: cut in taken, code)
    assert commits >= max(cuts)
    for number, when in taken:
        assert interrupting.ended(tmp_path / f"{number}-{when}", code) == outcome, (number, when)
