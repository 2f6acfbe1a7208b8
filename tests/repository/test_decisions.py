"""The pages under docs/decisions are short, alike and listed."""

from __future__ import annotations

import re

from .tree import ROOT

FOLDER = ROOT / "docs" / "decisions"
HEADINGS = ["Context", "Choice", "Consequences", "What would change our mind"]
LONGEST = 40


def test_the_index_lists_every_decision_by_its_title() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    listed = {name: title for title, name in re.findall(r"\[(.+?)\]\((\d{4}-[\w-]+\.md)\)", index)}
    titles = {
        page.name: page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        for page in FOLDER.glob("[0-9]*.md")
    }
    assert listed == titles


def test_every_decision_is_one_short_page_with_the_same_headings() -> None:
    for page in FOLDER.glob("[0-9]*.md"):
        lines = page.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith(f"# {page.name[:4]} "), page.name
        assert [line.removeprefix("## ") for line in lines if line.startswith("## ")] == HEADINGS, page.name
        assert len(lines) < LONGEST, page.name
