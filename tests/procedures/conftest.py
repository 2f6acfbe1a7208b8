"""What the tests of every procedure begin with: each file says which it is about by its `ID`.

`COURSE` names the scenario that its `happy` is to be, where that is not the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from engine.procedures import Procedure
from engine.scenarios import Scenarios
from tests.procedures.playing import Player, played
from tests.procedures.shipped import procedure_of, scenarios_of
from tests.procedures.walking import Way, walked, watched


@dataclass(frozen=True, slots=True)
class Course:
    """What came of a scenario."""

    deviations: list[str]
    """Where it came otherwise than expected."""
    ways: set[Way]
    """Where it went."""


class Courses:
    """The scenarios as they were played: each at most once in a run."""

    def __init__(self, stack: ExitStack, folders: pytest.TempPathFactory) -> None:
        self._stack, self._folders = stack, folders
        self._kept: dict[tuple[str, str], Player] = {}
        self._taken: dict[tuple[str, str], Course] = {}

    def kept(self, id_: str, name: str | None = None) -> Player:
        """A scenario (else the first) at its end, on an engine that stays open."""
        key = (id_, name or next(iter(scenarios_of(id_).scenarios)))
        if key not in self._kept:
            self._kept[key] = self._play(self._stack, *key)
        return self._kept[key]

    def taken(self, id_: str, name: str) -> Course:
        """What came of a scenario."""
        if (id_, name) not in self._taken:
            with ExitStack() as stack:
                self._play(stack, id_, name)
        return self._taken[id_, name]

    def _play(self, stack: ExitStack, id_: str, name: str) -> Player:
        folder = self._folders.mktemp("company")
        with watched() as flows:
            player = stack.enter_context(played(scenarios_of(id_), procedure_of(id_), name, folder))
        self._taken[id_, name] = Course(list(player.deviations), flows | walked(player.app))
        return player


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
