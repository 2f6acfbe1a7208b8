"""The demonstration, cut off anywhere, goes on and ends as if nothing had happened."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.demo import interrupting

SAMPLE = 5
"""Of several hundred boundaries; `python -m tests.demo.interrupting` takes them all."""


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], int]:
    return interrupting.whole(tmp_path_factory.mktemp("whole") / "demo")


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("place", range(SAMPLE))
def test_a_demo_cut_off_at_a_commit_goes_on_to_the_same_end(
    uninterrupted: tuple[dict[str, Any], int], tmp_path: Path, place: int, after: bool
) -> None:
    wanted, commits = uninterrupted
    number = random.Random(f"{place}/{after}").randrange(1, commits + 1)
    found = interrupting.interrupted(tmp_path / "demo", number, after=after)
    assert {name: found[name] for name in wanted} == wanted, f"cut off at commit {number} of {commits}"


@pytest.mark.slow
def test_a_demo_killed_and_resumed_ends_the_same(
    uninterrupted: tuple[dict[str, Any], int], tmp_path: Path
) -> None:
    wanted, _ = uninterrupted
    interrupting.kill(tmp_path / "演示", 1.5)
    app = interrupting.play(tmp_path / "演示")
    with app.store:
        assert interrupting.outcome(app) == wanted
