"""What the tests of every procedure begin with: each file says which it is about by its `ID`.

`COURSE` names the scenario that its `happy` is to be, where that is not the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from engine.procedures import Procedure
from engine.scenarios import Scenarios
from tests.procedures.playing import Player, play, played
from tests.procedures.shipped import procedure_of, scenarios_of


class Courses:
    """The scenarios as they were played: each at most once in a run."""

    def __init__(self, stack: ExitStack, folders: pytest.TempPathFactory) -> None:
        self._stack, self._folders = stack, folders
        self._kept: dict[tuple[str, str], Player] = {}

    def kept(self, id_: str, name: str | None = None) -> Player:
        """A scenario (else the first) at its end, on an engine that stays open."""
        scenarios = scenarios_of(id_)
        key = (id_, name or next(iter(scenarios.scenarios)))
        if key not in self._kept:
            folder = self._folders.mktemp("company")
            self._kept[key] = self._stack.enter_context(played(scenarios, procedure_of(id_), key[1], folder))
        return self._kept[key]

    def deviations(self, id_: str, name: str) -> list[str]:
        """Where a scenario came otherwise than expected."""
        if (id_, name) in self._kept:
            return self._kept[id_, name].deviations
        return play(procedure_of(id_), scenarios_of(id_), name)


@pytest.fixture(scope="session")
def courses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Courses]:
    with ExitStack() as stack:
        yield Courses(stack, tmp_path_factory)


@pytest.fixture(scope="module")
def procedure(request: pytest.FixtureRequest) -> Procedure:
    return procedure_of(request.module.ID)


@pytest.fixture(scope="module")
def scenarios(request: pytest.FixtureRequest) -> Scenarios:
    return scenarios_of(request.module.ID)


@pytest.fixture(scope="module")
def happy(request: pytest.FixtureRequest, courses: Courses) -> Player:
    """The procedure's first scenario (or the one that the file names) at its end."""
    player = courses.kept(request.module.ID, getattr(request.module, "COURSE", None))
    assert player.deviations == []
    return player
