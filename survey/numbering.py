"""How members are numbered, and who surveys which numbers. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import Invalid, Problem

_PARTS = re.compile("[0-9]+|[^0-9]+")


def natural(code: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts 2 before 10, and 3-2 before 3-10."""
    parts = _PARTS.findall(code)
    return tuple((0, len(p.lstrip("0")), p.lstrip("0")) if "0" <= p[0] <= "9" else (1, 0, p) for p in parts)


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers in short: 1-3, 7, 9-12; at most the first ten parts."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    shown = ", ".join("-".join(str(end) for end in part) for part in parts[:10])
    return f"{shown}, …" if len(parts) > 10 else shown


def some(codes: Sequence[str]) -> str:
    """The codes that a refusal names: all, or the first twenty."""
    return ", ".join(codes[:20]) + (", …" if len(codes) > 20 else "")


def allocation(size: int, parts: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Which surveyor each number of a sample of `size` goes to.

    `parts` are rows of surveyor, first and last number; with no numbers at all the sample is split evenly, in
    the order of the rows. Raises `Invalid` unless every customer has exactly one surveyor.
    """
    if parts and all(part.get("first") is None and part.get("last") is None for part in parts):
        return _even(size, [str(part["surveyor"]) for part in parts])
    problems: list[Problem] = []
    found: dict[int, str] = {}
    twice: set[int] = set()
    for place, part in enumerate(parts, 1):
        first, last = part.get("first"), part.get("last")
        if first is None or last is None or not 1 <= first <= last <= size:
            params = {"first": first or "…", "last": last or "…", "size": size}
            template = "{first} to {last} is no part of the roster, which goes from 1 to {size}"
            problems.append(Problem(f"parts.{place}", template, params))
            continue
        for number in range(first, last + 1):
            if number in found:
                twice.add(number)
            found[number] = str(part["surveyor"])
    missing = [number for number in range(1, size + 1) if number not in found]
    if twice:
        template = "Customers {numbers} are given to more than one surveyor"
        problems.append(Problem("parts", template, {"numbers": ranges(sorted(twice))}))
    if missing and not problems:
        template = "Customers {numbers} have no surveyor"
        problems.append(Problem("parts", template, {"numbers": ranges(missing)}))
    if problems:
        raise Invalid(problems)
    return found


def _even(size: int, surveyors: Sequence[str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for place, surveyor in enumerate(surveyors):
        first, last = place * size // len(surveyors), (place + 1) * size // len(surveyors)
        found.update(dict.fromkeys(range(first + 1, last + 1), surveyor))
    return found
