"""Waves for every test of the survey: played once, copied for each test that changes one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.survey.waves import Wave, copied, make_wave


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wave]:
    """Not to be changed."""
    yield from make_wave(tmp_path_factory.mktemp("wave"))


@pytest.fixture
def fresh_wave(played: Wave) -> Iterator[Wave]:
    """To be changed at will."""
    with copied(played) as wave:
        yield wave
