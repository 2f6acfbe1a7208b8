"""A bundle as the database keeps it: compressed, the same bytes for the same files."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping


def pack(files: Mapping[str, bytes]) -> bytes:
    """A bundle as it is stored."""
    plain = {name: b64encode(files[name]).decode() for name in sorted(files)}
    return zlib.compress(json.dumps(plain).encode())


def unpack(stored: bytes) -> dict[str, bytes]:
    """A bundle as it was packed."""
    return {name: b64decode(text) for name, text in json.loads(zlib.decompress(stored)).items()}
