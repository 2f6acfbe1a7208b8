"""方案审批, 公示, 公布, 存档: shared processes, by themselves and as their callers have them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

import pytest
from sqlalchemy import select

from engine.errors import Denied
from engine.procedures import Procedure, load
from engine.scenarios import read_scenarios
from engine.store import open_store, tables
from tasks import registry
from tests.engine.stage import open_stage
from tests.procedures.playing import ROOT, complete, stage_app, started


def block(name: str) -> Procedure:
    return load(ROOT / "processes" / "shared" / name, ROOT / "forms")


def test_neither_who_drafted_a_plan_nor_who_reviewed_it_approves_it(tmp_path: Path) -> None:
    procedure = block("plan-approval")
    assert procedure.scenarios is not None
    stage = read_scenarios(procedure.scenarios).stage
    given = {"approval_item": "方案", "approval_drafter": "drafter", "approval_reviewed": True}
    with stage_app(procedure, stage, datetime(2026, 9, 1, 9), tmp_path) as app:  # noqa: DTZ001
        number = started(app, procedure, stage, given)
        with pytest.raises(Denied, match="second pair of eyes"):
            complete(app, number, "review_item", "drafter", {"review_verdict": "pass"})
        complete(app, number, "review_item", "boss", {"review_verdict": "pass"})
        for person in ("drafter", "boss"):
            with pytest.raises(Denied):
                complete(app, number, "approve_item", person, {"approval_verdict": "approve"})


def test_the_archivist_sees_what_was_filed_and_the_seal_says_who_keeps_it(tmp_path: Path) -> None:
    procedure = block("archiving")
    assert procedure.scenarios is not None
    stage = read_scenarios(procedure.scenarios).stage
    answer = dict(stage.answers["archive"].values)
    with stage_app(procedure, stage, datetime(2026, 9, 1, 9), tmp_path) as app:  # noqa: DTZ001
        first = started(app, procedure, stage, {"archive_custodian": "archivist", "archive_retention": "P3Y"})
        complete(app, first, "archive", "keeper", answer)
        second = started(app, procedure, stage, {"archive_custodian": None, "archive_retention": ""})
        complete(app, second, "archive", "keeper", answer)
        with app.store.read() as conn:
            sealed = conn.execute(select(tables.archive).order_by(tables.archive.c.id)).all()
    assert [(each.custodian, each.retention) for each in sealed] == [("archivist", "P3Y"), ("keeper", None)]


def test_a_paper_set_by_a_called_process_is_the_callers_document(tmp_path: Path) -> None:
    drawing = (
        "start s flow.sets=told\nuser a form=note\n"
        "service set flow.handler=papers.form flow.form=note flow.record=paper flow.files=word\nend e\n"
        "s -> a -> set -> e"
    )
    record = "records:\n  {}: {{title: {}, code: {}}}\n"
    with open_store("sqlite://") as store:
        stage = open_stage(store, tmp_path, registry())
        stage.organise()
        fields = {"note": "  - {id: told, type: text, label: 回访情况}"}
        stage.publish(
            drawing, "block", process="block", forms=fields, more=record.format("paper", "通用记录", "B-1")
        )
        call = 'call c calls=block flow.records="paper = visit"'
        stage.publish(f"start s\n{call}\nend e\ns -> c -> e", more=record.format("visit", "回访记录", "P-7"))
        number = stage.start()
        stage.complete("a", told="满意")
        (row,) = stage.rows(tables.record)
        assert stage.row(number).status == "completed"
    assert (row.name, row.code, Path(row.path).name) == ("回访记录", "P-7", "回访记录.docx")
    with ZipFile(tmp_path / row.path) as file:
        text = "".join(file.read(name).decode() for name in file.namelist() if name.endswith(".xml"))
    assert "P-7" in text
    assert "B-1" not in text
