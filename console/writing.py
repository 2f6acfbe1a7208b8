"""Files that commands write for people: whole or not at all, and over what is there only when told to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from console.shape import option
from engine.config import whole
from engine.errors import Conflict

FORCE = option("--force", is_flag=True, help="Write over a file that is there.")


def check_free(file: Path | None, *, force: bool) -> None:
    """Raise Conflict where something would be written over that nobody gave up; before what cannot be undone."""
    if file is not None and file.exists() and not force:
        raise Conflict("{file} is there already: name another file, or add --force", file=file)


@contextmanager
def written(file: Path, *, force: bool) -> Iterator[Path]:
    """A place to write to, which becomes the file when the block ends. Raises as `check_free` does."""
    check_free(file, force=force)
    with whole(file) as beside:
        yield beside
