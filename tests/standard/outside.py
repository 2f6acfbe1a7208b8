"""Where the standard's cases meet the world outside: which tests speak for which rows of the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SPEAKS: dict[str, tuple[str, ...]] = {}
"""Test to rows, for what a diagram alone cannot show: what begins an instance, functions, people."""


def speaks_for(*rows: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The test is a case of these rows."""

    def kept(test: Callable[..., Any]) -> Callable[..., Any]:
        SPEAKS[test.__name__] = rows
        return test

    return kept
