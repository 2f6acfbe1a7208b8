"""`flow round`, as typed in a workspace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.round import round_
from console.session import Session
from engine import config
from engine.errors import Invalid
from engine.store import open_store
from tests.survey.waves import Wave, make_wave


@pytest.fixture
def wave(tmp_path: Path) -> Iterator[Wave]:
    made = config.make(tmp_path, organisation="test", zone="Asia/Shanghai", language="en", demo=True)
    yield from make_wave(tmp_path, made.database)


def flow(folder: Path, *words: str) -> Result:
    session = Session()
    session.folder = folder
    result = CliRunner().invoke(round_, [*words, "--as", "clerk"], obj=session)
    session.app.store.close()
    return result


def test_returns_are_brought_in_and_the_figures_shown(wave: Wave, tmp_path: Path) -> None:
    file = tmp_path / "returns.csv"
    file.write_bytes(wave.file((1, "method", "网上"), encoding="gbk"))
    taken = flow(tmp_path, "import", f"SV-{wave.instance}", str(file), "--only", "method=网上")
    assert taken.exit_code == 0, taken.output
    assert "Took in 1 answers (GBK); 1 of 4 are back" in taken.output
    shown = flow(tmp_path, "show", f"SV-{wave.instance}", "--items")
    assert "Returned 1 of 4, 25.0%" in shown.output
    assert "top2/answered" in shown.output
    as_json = CliRunner().invoke(round_, ["show", f"SV-{wave.instance}", "--json"], obj=session_in(tmp_path))
    figures = json.loads(as_json.stdout)["figures"]
    assert (figures["returned"], len(figures["items"]), figures["return_rate"]) == (1, 70, "25.0%")


def session_in(folder: Path) -> Session:
    session = Session()
    session.folder = folder
    return session


def test_a_file_that_does_not_fit_changes_nothing(wave: Wave, tmp_path: Path) -> None:
    file = tmp_path / "returns.csv"
    file.write_bytes(wave.file((0, "q2_01", "q2_1")))
    result = flow(tmp_path, "import", f"SV-{wave.instance}", str(file))
    assert isinstance(result.exception, Invalid)
    assert "did you mean q2_01?" in str(result.exception)
    assert wave.count() == 0


def test_a_roster_is_brought_in(wave: Wave, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text("customer,unit\nA-1,tower\nNew,tower\n", encoding="utf-8")
    result = flow(tmp_path, "roster", str(file))
    assert result.exit_code == 0, result.output
    assert "1 are new, 4 left (UTF-8)" in result.output
    with open_store(f"sqlite:///{tmp_path / 'flow.db'}") as store, store.read() as conn:
        from sqlalchemy import select

        from survey.tables import household

        active = conn.execute(select(household.c.code).where(household.c.active)).scalars().all()
    assert sorted(active) == ["A-1", "New"]
