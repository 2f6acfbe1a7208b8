"""docs/bpmn-support.md as values, and how many cases speak for each of its rows.

python -m tests.standard.table writes the numbers into the page.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.test_kit import _CASES, outcome
from tests.standard.catalogue import CASES
from tests.standard.outside import SPEAKS
from tests.standard.unrun import INERT, REFUSED

PAGE = Path(__file__).parents[2] / "docs" / "bpmn-support.md"
KIT = re.compile(r"Of its (\d+) cases\s(\d+) run and leave the marks expected, (\d+) are refused")
STATES = ("runs", "refused", "no effect", "abstract")


@dataclass(frozen=True)
class Row:
    """One construct."""

    name: str
    elements: tuple[str, ...]
    state: str
    cases: int


def rows() -> list[Row]:
    """The rows of the page, the figures of its other tables left out."""
    found = []
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        state = next((each for each in STATES if len(cells) == 5 and cells[2].startswith(each)), None)
        if state is not None:
            elements = tuple(re.findall(r"`(\w+)`", cells[1]))
            found.append(Row(cells[0], elements, state, int(cells[4])))
    return found


def counts() -> dict[str, Counter[str]]:
    """By state: how many cases or models each row has."""
    from tests.standard import test_outside  # its tests say by themselves for which rows they speak

    assert test_outside.__name__
    runs = Counter(row for each in CASES for row in each.rows)
    runs.update(row for spoken in SPEAKS.values() for row in spoken)
    models = {name: len(xml) for name, xml in REFUSED.items()}
    inert = {name: len(xml) for name, xml in INERT.items()}
    return {"runs": runs, "refused": Counter(models), "no effect": Counter(inert), "abstract": Counter()}


def of_kit() -> tuple[int, int, int] | None:
    """Cases of the conformance kit, those that run, those refused; None without the kit."""
    ran = sum(outcome(place, False) is not None for place in range(len(_CASES)))
    return (len(_CASES), ran, len(_CASES) - ran) if _CASES else None


def write() -> None:
    """Put the numbers as they are into the page."""
    known, lines = counts(), []
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        state = next((each for each in STATES if len(cells) == 5 and cells[2].startswith(each)), None)
        if state is not None:
            line = line[: line.rstrip("| ").rindex("|")] + f"| {known[state][cells[0]]} |"
        lines.append(line)
    text = "\n".join(lines) + "\n"
    if kit := of_kit():
        text = KIT.sub(
            "Of its {} cases\n{} run and leave the marks expected, {} are refused".format(*kit), text
        )
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    write()
