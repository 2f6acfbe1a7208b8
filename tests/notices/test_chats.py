"""Group chats are told what concerns them, and what their robots answer is believed, not the status 200."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from engine.store import Store
from notices.chats import fitting
from tests.notices.office import ASK, ORGANISATION, Office, Robots, open_office


@pytest.fixture
def chatting(memory: Store, tmp_path: Path, web: Robots, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Opens an office with one chat, told of new tasks."""

    def opened(organisation: str = ORGANISATION, **chat: Any) -> Office:
        monkeypatch.setenv("FLOW_TEST_URL", f"{web.address}/send?key=sesam")
        monkeypatch.setenv("FLOW_TEST_SECRET", "SEC123")
        settings = {"kind": "wecom", "url": "env:FLOW_TEST_URL", "about": ["task"], **chat}
        office = open_office(memory, tmp_path, {"chats": {"service": settings}}, organisation)
        office.publish(ASK.format(options="flow.due=P3WD"))
        office.start(by="gus")
        return office

    return opened


def test_a_chat_is_told_once_and_not_in_anybodys_name(chatting: Any, web: Robots) -> None:
    office = chatting()
    assert office.after(minutes=2) == 1
    path, body = web.heard[0]
    assert path == "/send?key=sesam"
    assert body["msgtype"] == "text"
    assert body["text"]["content"].startswith("新任务：ask\n\n以下任务等待办理：")
    assert office.states() == {"service": "sent"}


def test_a_chat_of_a_unit_hears_of_that_unit_and_those_below_it(chatting: Any, web: Robots) -> None:
    office = chatting(units=["west"])
    office.after(minutes=2)
    assert not web.heard
    office.start(by="gus", unit="west")
    office.after(minutes=2)
    assert len(web.heard) == 1


def test_a_person_may_prefer_a_chat_which_then_names_them(chatting: Any, web: Robots) -> None:
    people = ORGANISATION.replace("email: ann@example.com", "channel: service")
    office = chatting(people, about=["incident"])
    office.after(minutes=2)
    assert next(body["text"]["content"] for _, body in web.heard).split("\n\n")[1] == "安妮，您好："
    assert office.states() == {"ann": "sent"}


def test_dingtalk_is_signed_in_its_address(chatting: Any, web: Robots) -> None:
    office = chatting(kind="dingtalk", secret="env:FLOW_TEST_SECRET")
    office.after(minutes=2)
    asked = parse_qs(urlsplit(web.heard[0][0]).query)
    stamp = asked["timestamp"][0]
    assert stamp == str(int(office.clock.now().timestamp() * 1000))
    expected = hmac.new(b"SEC123", f"{stamp}\nSEC123".encode(), hashlib.sha256).digest()
    assert asked["sign"] == [base64.b64encode(expected).decode()]


def test_feishu_is_signed_in_its_body(chatting: Any, web: Robots) -> None:
    office = chatting(kind="feishu", secret="env:FLOW_TEST_SECRET")
    office.after(minutes=2)
    body = web.heard[0][1]
    expected = hmac.new(f"{body['timestamp']}\nSEC123".encode(), b"", hashlib.sha256).digest()
    assert body["sign"] == base64.b64encode(expected).decode()
    assert body["content"]["text"].startswith("新任务：ask")
    assert office.states() == {"service": "sent"}


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"errcode": 45009, "errmsg": "api freq out of limit"}, "new"),
        ({"errcode": 93000, "errmsg": "invalid webhook url"}, "failed"),
        ({"hello": "world"}, "failed"),
        ({"errcode": 0, "errmsg": "ok"}, "sent"),
        (429, "new"),
        (503, "new"),
        (500, "unknown"),
        (404, "failed"),
        (302, "failed"),
        (None, "unknown"),
    ],
)
def test_what_a_robot_answers_decides(chatting: Any, web: Robots, answer: Any, state: str) -> None:
    web.answers = [answer]
    office = chatting()
    office.after(minutes=2)
    row = office.messages()[0]
    assert row.status == state
    assert "sesam" not in (row.error or ""), "the address holds the key"
    if state in ("new", "unknown"):
        office.after(minutes=2)
        assert office.states() == {"service": "sent"}


def test_a_robot_nobody_answers_for_was_surely_not_told(
    chatting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = chatting()
    monkeypatch.setenv("FLOW_TEST_URL", "http://127.0.0.1:9/send?key=sesam")
    office.after(minutes=2)
    row = office.messages()[0]
    assert row.status == "new"
    assert "sesam" not in row.error


def test_an_address_that_is_no_web_address_is_refused(chatting: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    office = chatting()
    monkeypatch.setenv("FLOW_TEST_URL", "file:///etc/passwd")
    office.after(minutes=2)
    assert office.states() == {"service": "failed"}


def test_a_long_text_is_cut_between_two_characters() -> None:
    cut = fitting("满意度" * 1000, 2048)
    assert len(cut.encode()) <= 2048
    assert cut.endswith("…")
    assert fitting("短", 2048) == "短"
