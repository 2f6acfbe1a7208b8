"""A bundle as the database keeps it: compressed, the same bytes for the same files."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from engine.errors import EngineError
from engine.procedures import Procedure


def pack(files: Mapping[str, bytes]) -> bytes:
    """A bundle as it is stored."""
    plain = {name: b64encode(files[name]).decode() for name in sorted(files)}
    return zlib.compress(json.dumps(plain).encode())


def unpack(stored: bytes) -> dict[str, bytes]:
    """A bundle as it was packed. Raises EngineError for what is none: the database was damaged, or altered."""
    try:
        return {name: b64decode(text) for name, text in json.loads(zlib.decompress(stored)).items()}
    except (zlib.error, ValueError, TypeError, AttributeError):
        raise EngineError(
            "The files of a published procedure are damaged in the database. Restore it from a backup; "
            "`flow audit verify` names the procedure"
        ) from None


def listed(procedure: Procedure) -> dict[str, Any]:
    """What the database keeps beside the bundle, to list the procedure by without reading it."""
    return {
        "code": procedure.code or "",
        "title": procedure.title.of("zh"),
        "facts": {"process": procedure.process, "title_en": procedure.title.of("en")},
    }
