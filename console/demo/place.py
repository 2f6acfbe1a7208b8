"""Where a demonstration is kept: whose folder it is, what was begun in it, and that only one plays there at a time."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from console import output
from console.demo import acting
from console.language import tr
from engine import config
from engine.errors import Conflict, NotFound

if sys.platform != "win32":
    import fcntl

MARK = ".demo"
"""The first file of a demonstration: it holds the number of answers, and whoever plays holds it locked."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that is a demonstration's, locked."""

    folder: Path
    mark: int
    """The open file descriptor of the mark."""

    @property
    def wanted(self) -> int:
        """With how many answers a demonstration was to be played that did not get as far as its roster; 0: unknown."""
        os.lseek(self.mark, 0, os.SEEK_SET)
        kept = os.read(self.mark, 20).decode("ascii", "replace").strip()
        return int(kept) if kept.isdecimal() else 0

    def begin(self, responses: int) -> None:
        """Note the number, and take away what is there: the database first, so that half of it is nothing begun."""
        os.lseek(self.mark, 0, os.SEEK_SET)
        os.ftruncate(self.mark, os.write(self.mark, f"{responses}\n".encode()))
        for each in sorted(self.folder.iterdir(), key=lambda path: path.name != config.DATABASE):
            if each.name != MARK:
                shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()


@contextmanager
def ready(folder: Path, responses: int | None, *, resume: bool, again: bool, ask: bool) -> Iterator[int]:
    """The folder as it is needed to play in, locked while the block lasts; gives the number of answers.

    Raises NotFound where something else than a demonstration is to be gone on with, Conflict where another plays,
    where the folder is not a demonstration's, and where one would be lost that nobody gave up: `again` does, or who
    says so when asked.
    """
    mark = folder / MARK
    is_workspace = (folder / config.FILE).is_file()
    is_ours = mark.exists() or not is_workspace
    if not mark.exists():
        is_demo = is_workspace and config.read(folder).demo
        is_full = folder.exists() and any(folder.iterdir())
        if resume and is_full and not (is_demo and acting.begun(folder)):
            raise NotFound(
                "No demonstration has begun in {folder} that could go on; begin one with `flow demo` without --resume",
                folder=folder,
            )
        if is_full and not is_demo:
            raise Conflict("{folder} is there already and is no demo; name another folder", folder=folder)
        if resume and not is_full:
            output.note("No demonstration has begun in {folder} yet, so one begins now", folder=folder)
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder) as place:
        begun = acting.begun(folder) if (folder / config.FILE).is_file() else 0
        kept = (begun or place.wanted) if resume else 0
        if kept and responses is not None and acting.answers(responses) != kept:
            raise Conflict(
                "This demonstration began with {begun} answers and goes on with them; leave --responses out",
                begun=kept,
            )
        if not resume and (begun or not is_ours) and not again:
            _give_up(folder, ask=ask)
        number = kept or acting.answers(responses)
        if not (resume and begun):
            place.begin(number)
        yield number


def _give_up(folder: Path, *, ask: bool) -> None:
    if not ask:
        raise Conflict(
            "A demonstration is kept in {folder}, with whatever was changed there since. Go on with it by --resume, "
            "play it afresh and lose it by --again, or name another folder with --folder",
            folder=folder,
        )
    click.confirm(
        tr("Play the demonstration in {folder} afresh? What was changed there is lost.", folder=folder),
        abort=True,
    )


@contextmanager
def _locked(folder: Path) -> Iterator[Place]:
    mark = os.open(folder / MARK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if sys.platform != "win32":
            try:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(
                    "Another `flow demo` plays in {folder} just now. Wait until it is over, or name another folder "
                    "with --folder",
                    folder=folder,
                ) from None
        yield Place(folder, mark)
    finally:
        os.close(mark)
