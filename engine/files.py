"""Files that people name, whatever lies behind the name: read no further than somebody will look at them."""

from __future__ import annotations

import os
import select
from pathlib import Path
from stat import S_ISFIFO, S_ISREG

from engine.errors import Conflict

WRITER_S = 2.0
"""Seconds in which somebody has to begin writing to a pipe."""


def is_there(file: Path) -> bool:
    """Whether something other than a folder has this name."""
    return file.exists() and not file.is_dir()


def read_file(file: Path, limit: int) -> bytes:
    """What is in the file; if that is more than `limit` bytes, one more, by which its reader knows and refuses it.

    A pipe is read to its end. Raises Conflict for one that nobody writes to and for a device, OSError for what the
    system refuses.
    """
    with open(file, "rb", opener=_AT_ONCE) as content:
        if S_ISREG(mode := os.fstat(content.fileno()).st_mode) or S_ISFIFO(mode) or content.isatty():
            found = content.read(limit + 1)
            if not found and S_ISFIFO(mode):
                raise Conflict("{file} is a pipe, and nothing came through it", file=file)
            return found
    raise Conflict("{file} is a device, not a file", file=file)


def _at_once(path: str, flags: int) -> int:
    """Opened without waiting for ever for somebody to open the other end of a pipe."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    if S_ISFIFO(os.fstat(descriptor).st_mode):
        select.select([descriptor], [], [], WRITER_S)
    os.set_blocking(descriptor, True)
    return descriptor


_AT_ONCE = _at_once if hasattr(os, "O_NONBLOCK") else None
"""Windows has no such pipes."""
