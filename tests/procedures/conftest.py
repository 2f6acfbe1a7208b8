"""What the tests of every procedure begin with: each file says which it is about by its `ID` and `CODE`."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from engine.procedures import Procedure, load
from engine.scenarios import Scenarios, read_scenarios
from tests.procedures.playing import ROOT

ACCEPTANCE = ROOT.parent / "shared" / "procedures.yaml"


@pytest.fixture(scope="module")
def procedure(request: pytest.FixtureRequest) -> Procedure:
    return load(ROOT / "processes" / request.module.ID, ROOT / "forms")


@pytest.fixture(scope="module")
def scenarios(procedure: Procedure) -> Scenarios:
    assert procedure.scenarios is not None
    return read_scenarios(procedure.scenarios)


@pytest.fixture(scope="module")
def acceptance(request: pytest.FixtureRequest) -> dict[str, Any]:
    if not ACCEPTANCE.exists():
        pytest.skip("needs the acceptance list beside the clone")
    listed = yaml.load(ACCEPTANCE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return next(each for each in listed if each["code"] == request.module.CODE)
