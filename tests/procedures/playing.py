"""Scenarios of the shipped procedures, played by the engine's own rehearsal with the program's handlers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from engine.app import App
from engine.procedures import Procedure
from engine.rehearsal.courses import ZONE, Player, staged
from engine.rehearsal.courses import play as rehearse
from engine.scenarios import Scenarios, Stage
from tasks import subjects

__all__ = ["ROOT", "ZONE", "Player", "play", "stage_app"]

ROOT = Path(__file__).parents[2]


@contextmanager
def stage_app(
    procedure: Procedure, stage: Stage, begin: datetime, folder: Path, database: str = "sqlite://"
) -> Iterator[App]:
    """The engine set up for the procedure's scenarios."""
    with staged(procedure, stage, begin, folder, subjects(), database=database) as app:
        yield app


def play(procedure: Procedure, scenarios: Scenarios, name: str, _folder: Path) -> list[str]:
    """Where one scenario came otherwise than expected."""
    return list(rehearse(procedure, scenarios.stage, scenarios.scenarios[name], subjects()).deviations)
