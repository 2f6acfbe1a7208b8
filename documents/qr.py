"""QR codes of links, as pictures to be printed or sent (ISO/IEC 18004)."""

from __future__ import annotations

import io

import segno

from engine.errors import EngineError


def picture(text: str, *, scale: int = 8) -> bytes:
    """The code as a black and white PNG, `scale` pixels a module, with the quiet zone of four modules.

    A code is read with a seventh of it unreadable (error correction M), as it is on a poster in the rain. Raises
    `EngineError` for a text too long.
    """
    try:
        code = segno.make_qr(text, error="m", boost_error=False)
    except segno.DataOverflowError:
        size = len(text.encode())
        raise EngineError(
            "The link has {size} bytes, more than a QR code takes: shorten it", size=size
        ) from None
    file = io.BytesIO()
    code.save(file, kind="png", scale=scale)
    return file.getvalue()
