"""Every working day one message: what is late, what is due, what is new."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.store import Store
from tests.engine.stage import local
from tests.notices.office import ASK, Office, PostOffice, by_mail, open_office


@pytest.fixture
def daily(memory: Store, tmp_path: Path, server: PostOffice) -> Office:
    """Nothing is told at once; the digest goes out at half past eight."""
    office = open_office(memory, tmp_path, by_mail(server, digest="08:30", at_once=[]))
    office.publish(ASK.format(options="flow.due=P3WD"))
    return office


def at(office: Office, text: str) -> int:
    office.clock.move_to(local(text))
    return office.after(seconds=0)


def test_the_digest_says_what_is_late_due_and_new(daily: Office, server: PostOffice) -> None:
    at(daily, "2026-09-14T12:00")
    daily.start(by="gus")
    assert at(daily, "2026-09-15T08:00") == 0
    assert at(daily, "2026-09-15T08:31") == 4
    assert server.to == ["ann@example.com", "bob@example.com"], "the others have nothing to be told"
    letter = server.letter("ann")
    assert letter["Subject"] == "2026-09-15待办：逾期0项，三日内到期1项，新增0项"
    assert "三日内到期（1）\r\n· ask（SV-1.1） p 东区，期限2026-09-17\r\n" in letter.get_content()
    assert at(daily, "2026-09-15T18:00") == 0, "once a day"
    server.letters.clear()
    daily.start(by="gus")
    at(daily, "2026-09-18T09:00")
    assert "1 late, 1 due within three days, 0 new" in server.letter("bob")["Subject"]


def test_no_digest_on_a_day_off_but_on_a_make_up_day(daily: Office, server: PostOffice) -> None:
    daily.start(by="gus")
    assert at(daily, "2026-09-19T10:00") == 0, "a Saturday"
    assert at(daily, "2026-09-20T10:00") == 4, "a Sunday that is worked for the National Day"
    assert server.to == ["ann@example.com", "bob@example.com"]


def test_a_digest_missed_in_the_morning_comes_later_that_day_and_no_other(
    daily: Office, server: PostOffice
) -> None:
    daily.start(by="gus")
    at(daily, "2026-09-16T17:00")
    assert len(server.letters) == 2
    at(daily, "2026-09-17T07:00")
    assert len(server.letters) == 2


def test_what_was_told_of_as_new_is_not_new_the_next_day(
    memory: Store, tmp_path: Path, server: PostOffice
) -> None:
    office = open_office(memory, tmp_path, by_mail(server, digest="08:30", at_once=[]))
    office.publish(ASK.format(options=""))
    at(office, "2026-09-14T12:00")
    at(office, "2026-09-15T09:00")
    office.wait(minutes=1)
    office.start(by="gus")
    at(office, "2026-09-16T09:00")
    assert "新增1项" in server.letter("ann")["Subject"]
    server.letters.clear()
    at(office, "2026-09-17T09:00")
    assert not server.letters
