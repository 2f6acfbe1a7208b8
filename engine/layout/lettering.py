"""How much room a label takes: widths, line breaks and boxes, in pixels at font size 12.

The measures are a little generous (a full-width character counts 14 px, any other 7), so that a label
that fits here also fits in the modelers' own fonts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

WIDE = 14
NARROW = 7
LINE = 16
_OPENING = frozenset("（《【「『“‘([{")
_CLOSING = frozenset("，。、；：！？）】》」』”’,.;:!?)]}%％")


@dataclass(frozen=True, slots=True)
class Block:
    """A label broken into lines, with the box they need."""

    lines: tuple[str, ...]
    width: int
    height: int


def width(text: str, *, wide: float = WIDE, narrow: float = NARROW) -> float:
    """The length of one line of text; `wide` and `narrow` are the pixels a character takes."""
    return sum(
        0 if unicodedata.combining(char) else wide if unicodedata.east_asian_width(char) in "WFA" else narrow
        for char in text
    )


def wrap(text: str, limit: float, *, wide: float = WIDE, narrow: float = NARROW) -> tuple[str, ...]:
    """The lines of `text` when none may be longer than `limit` pixels.

    Chinese breaks between any two characters but not before closing punctuation, Latin at spaces; a word
    longer than a line is broken where the line ends.
    """
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for piece in _pieces(paragraph):
            if width((line + piece).rstrip(), wide=wide, narrow=narrow) <= limit:
                line += piece
                continue
            if line.strip():
                lines.append(line.strip())
            line = piece.lstrip()
            while len(line) > 1 and width(line.rstrip(), wide=wide, narrow=narrow) > limit:
                fits = _prefix(line, limit, wide, narrow)
                lines.append(line[:fits])
                line = line[fits:]
        if line.strip():
            lines.append(line.strip())
    return tuple(lines)


def block(text: str, limit: float) -> Block:
    """The box of a label no wider than `limit`, its lines about equally long (a character is never broken)."""
    lines = wrap(text, limit)
    while len(lines) > 1 and limit > WIDE and len(closer := wrap(text, limit - NARROW)) == len(lines):
        lines, limit = closer, limit - NARROW
    longest = max((width(line) for line in lines), default=0)
    even = int(longest) + int(longest) % 2
    return Block(lines, even, LINE * len(lines))


def _pieces(text: str) -> Iterator[str]:
    """The parts between which a line may break."""
    piece = ""
    for char in text:
        if piece and piece[-1] not in _OPENING and _parts(piece[-1], char):
            yield piece
            piece = ""
        piece += char
    if piece:
        yield piece


def _parts(last: str, char: str) -> bool:
    if char in _CLOSING or char.isspace():
        return False
    return last.isspace() or any(unicodedata.east_asian_width(each) in "WF" for each in (last, char))


def _prefix(text: str, limit: float, wide: float, narrow: float) -> int:
    count = 1
    while count < len(text) and width(text[: count + 1], wide=wide, narrow=narrow) <= limit:
        count += 1
    return count
