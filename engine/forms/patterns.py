"""The `pattern` of a text field: a regular expression for the whole of an answer, matched in linear time.

RE2 and not `re`, whose search can take exponential time: `([A-Za-z]+ ?)+` on a name of ten words would hold the
database's writer for hours. Its language is that of `re` without look-around and references back, and its `\\w`, `\\d`
and `\\s` are ASCII; `\\p{Han}` is a Chinese character (https://github.com/google/re2/wiki/Syntax).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """The expression, for `fullmatch`.

    :raises ValueError: RE2 cannot read it; the message says what, in RE2's words.
    """
    options = re2.Options()
    options.log_errors = False  # else RE2 also writes to stderr
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0]
        raise ValueError(said.decode(errors="replace") if isinstance(said, bytes) else str(said)) from error
