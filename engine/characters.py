"""Characters: what a text may be made of, when it says nothing, and when two writings are the same id.

The classes are those of the Unicode Character Database; ids are compared in normalisation form NFKC (Unicode
Standard Annex 15), in which a full-width `１` is a `1`.
"""

from __future__ import annotations

import re
import unicodedata

# Tab and the ends of lines are kept; what moves a terminal's cursor, or is half a character, is not.
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and signs that leave no mark, beside those whose class says so."""


def unstorable(text: str) -> bool:
    """Whether a control character, or half of one outside the basic plane, stands in the text."""
    return _UNSTORABLE.search(text) is not None


def blank(text: str) -> bool:
    """Whether nothing in the text can be seen: spaces, zero-width characters, fillers."""
    if text.isascii() and text.isalnum():
        return False  # most answers are a digit: a file has millions of them
    return all(
        sign.isspace() or sign in _UNSEEN or unicodedata.category(sign) in ("Cf", "Cc") for sign in text
    )


def identity(text: str) -> str:
    """An id as it is compared and kept: NFKC, without outer spaces and without what cannot be seen."""
    if text.isascii():
        return text.strip()
    plain = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in plain if unicodedata.category(sign) != "Cf").strip()


def folded(value: object) -> str:
    """How two writings of one option are compared: without width, case and outer blanks."""
    return unicodedata.normalize("NFKC", str(value)).strip().casefold()
