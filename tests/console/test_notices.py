"""`flow notice`: what is on its way, what failed, and a trial of the settings; commands never wait for a server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.session import subjects
from engine import config
from engine.bootstrap import open_app
from engine.scheduler import serve
from tests.console.conftest import Terminal
from tests.notices.office import PostOffice, post_office


@pytest.fixture
def server() -> Iterator[PostOffice]:
    with post_office() as found:
        yield found


@pytest.fixture
def writing(flow: Terminal, server: PostOffice) -> Terminal:
    """A workspace that sends mail; 王芳 and 李雷 have addresses."""
    with (flow.folder / "flow.toml").open("a", encoding="utf-8") as file:
        file.write(
            f'\n[notices]\nfrom = "调查 <survey@example.com>"\ngather = 0\n'
            f'[notices.mail]\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\n'
        )
    org = flow.folder / "org.yaml"
    text = org.read_text("utf-8")
    for name in ("wang", "li"):
        text = text.replace(f"system_user: {name},", f"system_user: {name}, email: {name}@example.com,")
    org.write_text(text, "utf-8")
    flow("org", "import")
    return flow


def test_a_command_leaves_the_sending_to_flow_run(writing: Terminal, server: PostOffice) -> None:
    writing("start", "P-1", "--unit", "office-1", user="wang")
    assert not server.letters
    app = open_app(config.read(writing.folder), subjects())
    app.beats = {name: (act, 1) for name, (act, _) in app.beats.items()}
    stop = threading.Event()
    runner = threading.Thread(target=serve, args=(app,), kwargs={"until": stop})
    runner.start()
    try:
        for _ in range(100):
            if len(server.letters) == 2 or stop.wait(0.1):
                break
    finally:
        stop.set()
        runner.join()
        app.store.close()
    assert server.to == ["li@example.com", "wang@example.com"]


def test_what_failed_is_listed_shown_and_retried_or_given_up(writing: Terminal, server: PostOffice) -> None:
    server.at_rcpt["li@example.com"] = ["550 unknown mailbox"]
    writing("start", "P-1", "--unit", "office-1", user="wang")
    writing("notice", "send")
    assert "Nothing waits" not in writing("notice", "list", "--failed").output
    found = writing.json("notice", "list", "--failed")
    assert [(each["person"], each["status"], each["error"]) for each in found] == [
        ("li.lei", "failed", "550 unknown mailbox")
    ]
    assert "One notice could not be delivered" in writing("status").output
    assert "550 unknown mailbox" in writing("notice", "show", str(found[0]["number"])).output
    assert "flow.toml" not in writing("doctor").output
    writing("notice", "retry", exit_code=2)
    writing("notice", "retry", "--all")
    writing("notice", "send")
    assert server.to == ["li@example.com", "wang@example.com"]
    assert writing.json("notice", "list") == []
    assert {each["status"] for each in writing.json("notice", "list", "--all")} == {"sent"}
    writing("notice", "retry", str(found[0]["number"]), exit_code=3)
    writing("notice", "skip", "99", "--reason", "x", exit_code=5)


def test_a_trial_says_what_the_server_answered(writing: Terminal, server: PostOffice) -> None:
    assert "Sent by mail" in writing("notice", "try", "--to", "wang.fang").output
    assert server.letter("wang")["Subject"] == "通知渠道测试"
    server.at_rcpt["wang@example.com"] = ["550 go away"]
    assert "550 go away" in writing("notice", "try", "--to", "wang.fang", exit_code=3).output
    assert "cannot be reached" in writing("notice", "try", "--to", "zhao.min", exit_code=3).output
    writing("notice", "try", "--chat", "nowhere", exit_code=5)


def test_the_doctor_names_settings_that_are_wrong_and_people_whom_nothing_reaches(writing: Terminal) -> None:
    assert "2 people have no mail address and get no notices: 孙悦, 赵敏" in writing("doctor").output
    with (writing.folder / "flow.toml").open("a", encoding="utf-8") as file:
        file.write('user = "u"\npassword = "env:NOT_SET_ANYWHERE"\n')
    assert "env:NOT_SET_ANYWHERE" in writing("doctor", exit_code=1).output


def test_an_address_that_is_none_is_refused_with_its_line(flow: Terminal) -> None:
    org = flow.folder / "org.yaml"
    org.write_text(
        org.read_text("utf-8").replace("system_user: li,", "system_user: li, email: li at home,"), "utf-8"
    )
    assert "li at home is no mail address" in flow("org", "import", exit_code=8).output


def test_whoever_leaves_is_written_to_no_more(writing: Terminal, tmp_path: Path) -> None:
    from sqlalchemy import select

    from engine.store import open_store
    from engine.store.tables import person

    org = writing.folder / "org.yaml"
    lines = [line for line in org.read_text("utf-8").splitlines() if "id: wang.fang" not in line]
    org.write_text("\n".join(lines), "utf-8")
    writing("org", "import")
    with open_store(f"sqlite:///{writing.folder / 'flow.db'}") as store, store.read() as conn:
        assert conn.execute(select(person.c.email).where(person.c.id == "wang.fang")).scalar_one() is None
