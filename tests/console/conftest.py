"""A workspace with the small office of `office.py`, its procedure published, and a way to type commands in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

import cli
from console import account, language
from engine.clock import SystemClock
from tests.console.office import furnish

MONDAY = datetime(2026, 9, 14, 9, tzinfo=ZoneInfo("Asia/Shanghai"))


@dataclass
class Terminal:
    """Types commands as some system user; time stands until it is moved."""

    folder: Path
    now: datetime = MONDAY
    env: dict[str, str] = field(default_factory=dict)

    def __call__(
        self, *args: str, user: str = "zhao", lang: str = "en", exit_code: int = 0, typed: str | None = None
    ) -> Result:
        """Type `flow ARGS`; the outcome has to be `exit_code`."""
        env = {"FLOW_LANG": lang, "FLOW_HOME": str(self.folder), **self.env}
        with mock.patch.object(account, "system_user", return_value=user):
            result = CliRunner().invoke(cli.flow, list(args), input=typed, env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == exit_code, result.output
        return result

    def json(self, *args: str, user: str = "zhao") -> Any:
        """What the command prints with `--json`."""
        return json.loads(self(*args, "--json", user=user).stdout)

    def pass_time(self, **by: float) -> None:
        """Move the clock."""
        self.now += timedelta(**by)


@pytest.fixture(autouse=True)
def _speech(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The language of one test is not that of the next."""
    monkeypatch.setenv("LANGUAGE", "en")
    for name in ("FLOW_LANG", "FLOW_HOME", "LC_ALL", "LC_MESSAGES", "LANG", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    yield
    language.use("en")


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace that each test gets a copy of."""
    folder = tmp_path_factory.mktemp("office") / "workspace"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemClock, "now", lambda _clock: MONDAY)
        terminal = Terminal(folder)
        terminal("init", str(folder), "--organisation", "第一物业", "--language", "zh")
        furnish(folder)
        terminal("org", "import")
        terminal("procedure", "layout", "purchase")
        terminal("procedure", "publish", "purchase")
    return folder


@pytest.fixture
def flow(furnished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal in a workspace of one's own."""
    folder = tmp_path / "workspace"
    shutil.copytree(furnished, folder)
    terminal = Terminal(folder)
    monkeypatch.setattr(SystemClock, "now", lambda _clock: terminal.now)
    return terminal


@pytest.fixture
def started(flow: Terminal) -> Terminal:
    """The same, with a purchase asked for by the first office: SV-1."""
    flow("start", "P-1", "--unit", "office-1", user="wang")
    return flow
