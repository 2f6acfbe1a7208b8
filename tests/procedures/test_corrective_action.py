"""整改, the shared procedure: what is not effective begins again, and nobody judges their own work."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from engine.errors import Denied
from engine.procedures import Procedure
from engine.scenarios import Scenarios
from tests.procedures.playing import complete, stage_app, started

ID = "shared/corrective-action"


def test_nobody_judges_the_effect_of_their_own_work(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    answers = {name: dict(each.values) for name, each in scenarios.stage.answers.items()}
    with stage_app(procedure, scenarios.stage, datetime(2026, 9, 1, 9), tmp_path) as app:  # noqa: DTZ001
        number = started(
            app, procedure, scenarios.stage, {"action_item": "走廊照明损坏", "action_person": "both"}
        )
        complete(app, number, "plan_action", "both", answers["plan_action"])
        complete(app, number, "execute_action", "both", answers["execute_action"])
        with pytest.raises(Denied):
            complete(app, number, "verify_effect", "both", answers["verify_effect"])
        complete(app, number, "verify_effect", "checker", answers["verify_effect"])
