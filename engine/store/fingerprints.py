"""What rows too long to be repeated in the journal come to: it keeps the sums, `audit verify` compares them.

SHA-256 (FIPS 180-4) over the values as JSON, keys in order, in hexadecimal.
"""

from __future__ import annotations

from typing import Any

import orjson

from engine.store.journal import digest


def of_calendar(body: Any) -> str:
    """Of a working-day table, as it is stored."""
    return digest(_text(body)).hex()


def of_arithmetic(anchors: Any, counting: str | None, calendar: str | None, lines: Any) -> str:
    """Of how a due date was counted: what it was measured from, how, by which table, day by day."""
    return digest(_text(anchors), counting, calendar, _text(lines)).hex()


def _text(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
