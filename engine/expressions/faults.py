"""What can go wrong in a run, how far values may grow, and the words for both.

Values are JSON values: None, bool, int, float, str, list, and dict with text keys. Dates are ISO 8601
text, so they compare as text.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from typing import Any, Final

from engine.errors import EngineError

MAX_BITS: Final = 4096
"""Longest whole number, in bits (about 1,230 digits)."""
MAX_TEXT: Final = 100_000
"""Longest text, and most text in one value, in characters."""
MAX_ENTRIES: Final = 10_000
"""Most entries in one value, over all its levels."""
MAX_LEVELS: Final = 50
"""Deepest nesting of lists and mappings in one value."""
MAX_WORK: Final = 1_000_000
"""Most characters and entries one run may make or copy."""
MAX_NAME: Final = 100
"""Longest name, in characters; longer keys are not searched for suggestions."""


class ExpressionFault(EngineError):
    """A condition or script that reads well met a value it cannot work with.

    Templates name `{line}` and `{column}` (both from 1, in characters of the text as written); whoever
    runs the operation knows the place and fills it in with `locate`.
    """

    def locate(self, line: int, column: int) -> None:
        """Fill in the place, unless a place closer to the fault has been filled in."""
        if "line" not in self.params:
            self.params.update(line=line, column=column)


class NotSet(ExpressionFault):
    """The variable it reads is not set."""


_KINDS: Final = {
    type(None): "None",
    bool: "a truth value",
    int: "a whole number",
    float: "a decimal number",
    str: "text",
    list: "a list",
    tuple: "a list",
    dict: "a mapping",
}


def kind(value: object) -> str:
    """What a value is, as a message says it."""
    return _KINDS.get(type(value), type(value).__name__)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None."""
    short = [each for each in known if isinstance(each, str) and len(each) <= MAX_NAME]
    matches = difflib.get_close_matches(name[:MAX_NAME], short[:1000], n=1)
    return matches[0] if matches else None


def shown(value: object) -> str:
    """A key or a piece of text, short enough for a message."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def text_key(key: object) -> str:
    """The key, if it is text; ExpressionFault otherwise."""
    if not isinstance(key, str):
        raise ExpressionFault(
            "Line {line}, column {column}: a mapping's keys are text, but this is {kind}; put it in quotes",
            kind=kind(key),
        )
    return key


def too_long() -> ExpressionFault:
    """The fault of text beyond the bound."""
    return ExpressionFault(
        "Line {line}, column {column}: the text is longer than {limit} characters", limit=MAX_TEXT
    )


def too_many() -> ExpressionFault:
    """The fault of a list or mapping beyond the bound."""
    return ExpressionFault(
        "Line {line}, column {column}: the value has more than {limit} entries; "
        "keep a collection in its own table and give the variables only its totals",
        limit=MAX_ENTRIES,
    )


def too_large() -> ExpressionFault:
    """The fault of a number beyond the bound."""
    return ExpressionFault("Line {line}, column {column}: the number is too large")


def checked(value: Any) -> Any:
    """The value, if it is within bounds: for numbers their size, for text and lists their length."""
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise too_large()
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise too_large()
    elif isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise too_long()
    elif isinstance(value, list) and len(value) > MAX_ENTRIES:
        raise too_many()
    return value
