"""A machine's clock that was wrong: what is refused, how history goes on, and how an auditor sees it."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime

import pytest

import tasks
from engine.bootstrap import open_app
from engine.config import read
from engine.scheduler import serve, tick
from tests.console.conftest import MONDAY, Terminal
from tests.console.test_calendar_starts import surveying

__all__ = ["surveying"]


@pytest.fixture
def misled(started: Terminal) -> Terminal:
    """Somebody worked while the clock said next June; it is right again."""
    started.pass_time(days=270)
    started("task", "complete", "SV-1.1", "--set", "what=纸", "--set", "amount=3", user="wang")
    started("start", "P-1", "--unit", "office-1", user="wang")
    started.now = MONDAY.astimezone(UTC)
    started.pass_time(hours=1)
    return started


def test_after_a_false_time_commands_are_refused_and_the_remedy_is_named(misled: Terminal) -> None:
    refused = misled("start", "P-1", "--unit", "office-1", user="wang", exit_code=3)
    assert "2027-06" in refused.stderr
    assert "flow audit clock" in refused.stderr
    assert "flow audit clock" in misled("doctor", exit_code=1).stdout
    shown = misled("audit", "clock")
    assert "SV-1, SV-2" in shown.stdout
    assert "--accept" in shown.stderr


def test_history_goes_on_at_the_true_time_once_somebody_vouches_for_the_clock(misled: Terminal) -> None:
    shown = misled("audit", "clock", "--accept", "--reason", "主板电池没电").stdout
    assert "cancelled or put right: SV-2" in shown
    assert "looked at: SV-1" in shown
    misled("start", "P-1", "--unit", "office-1", user="wang")
    [line] = misled.json("instance", "history", "SV-3")[:1]
    assert line["at"].startswith("2026-09-14")
    verified = misled("audit", "verify")
    assert "2027-06" in verified.stdout
    assert "主板电池没电" in verified.stdout
    [change] = misled.json("audit", "verify")["clocks"]
    assert (change["facts"]["started"], change["facts"]["moved"]) == (["SV-2"], ["SV-1"])
    assert misled("status").exit_code == 0


def test_history_keeps_the_order_in_which_things_happened_through_a_false_time(misled: Terminal) -> None:
    misled("audit", "clock", "--accept", "--reason", "主板电池没电")
    misled("task", "complete", "SV-1.2", "--set", "decision=agree", user="li")
    lines = misled.json("instance", "history", "SV-1")
    assert [line["seq"] for line in lines] == sorted(line["seq"] for line in lines)
    assert [line["at"][:7] for line in lines if line["kind"] == "task.completed"] == ["2027-06", "2026-09"]


def test_the_true_time_may_run_into_the_false_one_again(misled: Terminal) -> None:
    misled("audit", "clock", "--accept", "--reason", "主板电池没电")
    misled.pass_time(days=100)
    misled("start", "P-1", "--unit", "office-1", user="wang")
    misled.pass_time(days=-1)
    misled("start", "P-1", "--unit", "office-1", user="wang", exit_code=3)


def test_vouching_wants_a_reason_a_right_and_a_contradiction(misled: Terminal) -> None:
    misled("audit", "clock", "--accept", exit_code=6)
    file = misled.folder / "org.yaml"
    misled("audit", "clock", "--accept", "--reason", "电池")
    assert "agree" in misled("audit", "clock", "--accept", "--reason", "电池", exit_code=3).stderr
    file.write_text(file.read_text("utf-8").replace("may: [act-for, assign]", "may: [admin]"), "utf-8")
    misled("org", "import")
    misled.pass_time(days=-1)
    misled("audit", "clock", "--accept", "--reason", "电池", user="wang", exit_code=7)


def test_a_clock_that_leapt_beyond_all_that_happened_is_refused_until_vouched_for(started: Terminal) -> None:
    started.pass_time(days=3 * 365)
    before = len(started.json("instance", "list"))
    refused = started("start", "P-1", "--unit", "office-1", user="wang", exit_code=3)
    assert "2026-09-14" in refused.stderr
    assert len(started.json("instance", "list")) == before
    started("run", exit_code=3)
    started("audit", "clock", "--accept", "--reason", "三年没有用过")
    started("start", "P-1", "--unit", "office-1", user="wang")


def test_a_program_at_work_learns_that_somebody_vouched_for_the_clock(misled: Terminal) -> None:
    app = open_app(read(misled.folder))
    with app.store:
        misled("audit", "clock", "--accept", "--reason", "电池")
        assert app.now() == misled.now


def test_kick_offs_of_the_false_time_are_made_again_in_theirs(surveying: Terminal) -> None:
    surveying("schedule", "add", "003G", "--unit", "office-1")

    def watched() -> list[str]:
        app = open_app(read(surveying.folder), tasks.subjects())
        with app.store:
            tick(app)
        return [each["period"] for each in surveying.json("instance", "list", "--procedure", "003G")]

    surveying.pass_time(days=100)
    assert watched() == ["2026-Q4"]
    surveying.pass_time(days=-100)
    surveying("audit", "clock", "--accept", "--reason", "电池")
    surveying("instance", "cancel", "SV-1", "--reason", "时钟错误")
    [coming] = surveying.json("schedule", "next", "--days", "90")
    assert coming["period"] == "2026-Q4"
    surveying.now = datetime(2026, 11, 20, 1, 1, tzinfo=UTC)
    assert watched() == ["2026-Q4", "2026-Q4"]


def test_a_scheduler_that_stops_says_so_and_one_of_a_false_time_is_not_believed(flow: Terminal) -> None:
    def run(*, stop_at_once: bool = True) -> None:
        app, stop = open_app(read(flow.folder)), threading.Event()
        if stop_at_once:
            stop.set()
        with app.store:
            serve(app, until=stop)

    run()
    stopped = flow("status")
    assert "It was stopped at 2026-09-14 09:00" in stopped.stderr
    assert not json.loads(flow("status", "--json").stdout)["overview"]["ticking"]
    flow.pass_time(days=30)
    run()
    flow.pass_time(days=-30)
    assert "still to come" in flow("status").stderr
    assert "still to come" in flow("doctor").stdout
