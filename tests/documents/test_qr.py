"""QR codes: the picture of a link has a quiet margin, is the same every time, and a link too long is refused."""

from __future__ import annotations

import struct
import zlib

import pytest

from documents.qr import picture
from engine.errors import EngineError


def test_the_picture_is_square_with_a_quiet_margin_and_always_the_same() -> None:
    data = picture("https://a.b/?q=xyZ09xyZ09x", scale=3)
    assert data == picture("https://a.b/?q=xyZ09xyZ09x", scale=3)
    wide, high = struct.unpack(">II", data[16:24])
    assert wide == high == (25 + 2 * 4) * 3, "26 bytes at level M fill version 2, of 25 modules"
    start = data.index(b"IDAT") + 4
    pixels = zlib.decompress(data[start:])
    row = len(pixels) // high
    assert len({pixels[row * at + 1 : row * (at + 1)] for at in range(4 * 3)}) == 1, "nothing above the code"
    assert pixels[1:row] != pixels[row * 12 + 1 : row * 13]


def test_chinese_links_are_taken() -> None:
    assert picture("https://调查.example/问卷?客户=12").startswith(b"\x89PNG")


def test_a_link_too_long_is_refused() -> None:
    with pytest.raises(EngineError, match="has 3000 bytes, more than a QR code takes"):
        picture("x" * 3_000)
