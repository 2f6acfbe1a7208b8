"""What happens reaches the right people by mail, once, whatever the mail server does."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from engine.commands.worklist import Claim
from engine.errors import Conflict, Invalid
from engine.model import SYSTEM, Actor
from engine.store import Store, open_store
from engine.store.tables import UNDELIVERED, journal
from notices.agreement import unmarked
from notices.delivering import WAITS, Retry, Skip, Take
from notices.postman import go_round
from notices.tables import delivery
from tests.notices.office import ASK, GUS, ORGANISATION, Office, PostOffice, by_mail, open_office, post_office
from tests.store.histories import tampering


def asked(office: Office, options: str = "flow.due=P3WD") -> int:
    """A task opened for the clerks of the east."""
    office.publish(ASK.format(options=options))
    return office.start(by="gus")


def test_a_new_task_reaches_everybody_who_holds_its_role_and_can_be_reached(
    office: Office, server: PostOffice
) -> None:
    asked(office)
    assert office.after(minutes=2) == 2
    assert server.to == ["ann@example.com", "bob@example.com"]
    letter = server.letter("ann")
    assert letter["Subject"] == "新任务：ask"
    assert str(letter["To"]) == "安妮 <ann@example.com>"
    assert str(letter["From"]) == "满意度调查 <survey@example.com>"
    assert letter["Auto-Submitted"] == "auto-generated"
    text = letter.get_content()
    assert "安妮，您好" in text
    assert "· ask（SV-1.1） p 东区，期限2026-09-17，角色：经办\r\n" in text
    assert office.states() == {"ann": "sent", "bob": "sent"}


def test_people_are_written_to_in_their_own_language(office: Office, server: PostOffice) -> None:
    asked(office)
    office.after(minutes=2)
    letter = server.letter("bob")
    assert letter["Subject"] == "New task: ask"
    assert "- ask (SV-1.1), p 东区, due 2026-09-17, for 经办" in letter.get_content()


def test_what_happens_within_a_minute_is_told_in_one_message(office: Office, server: PostOffice) -> None:
    asked(office)
    for _ in range(60):
        office.start(by="gus")
    assert office.after(seconds=59) == 0
    assert office.after(seconds=2) == 2
    text = server.letter("ann").get_content()
    assert server.letter("ann")["Subject"] == "新任务：ask等61项"
    assert text.count("· ask") == 50
    assert "……共61项" in text
    assert office.after(minutes=5) == 0


def test_an_entry_is_taken_over_once_and_what_concerns_nobody_waits_for_nobody(office: Office) -> None:
    asked(office)
    assert {row.kind for row in office.rows(journal, UNDELIVERED)} == {"task.opened"}
    office.after(minutes=2)
    assert not office.rows(journal, UNDELIVERED)


@pytest.mark.parametrize("moment", [None, "later"])
def test_a_mark_that_says_otherwise_than_the_message_is_found(office: Office, moment: str | None) -> None:
    asked(office)
    office.after(minutes=2)
    (entry,) = office.rows(journal, journal.c.kind == "task.opened")
    assert entry.delivered_at is not None
    false = None if moment is None else entry.delivered_at + timedelta(seconds=1)
    with tampering(office.app.store) as conn:
        assert not list(unmarked(conn))
        conn.execute(update(journal).where(journal.c.kind == "task.opened").values(delivered_at=false))
        assert {(each.chain, each.seq) for each in unmarked(conn)} == {(entry.chain, entry.seq)}
        conn.execute(update(delivery).values(about=[["SV-9", 1]]))
        assert {(each.chain, each.seq) for each in unmarked(conn)} == {("SV-9", 1)}
        conn.execute(update(delivery).values(about={"x": 1}))
        assert {each.chain for each in unmarked(conn)} == {"org"}


def test_nobody_is_told_of_a_task_that_is_done_or_taken_before_the_message_went_out(
    office: Office, server: PostOffice
) -> None:
    asked(office)
    office.complete("ask", by="ann")
    office.start(by="gus")
    office.do(Claim(by=Actor("ann"), task=office.task("ask")))
    assert office.after(minutes=2) == 0
    office.start(by="gus")
    server.at_rcpt = {"ann@example.com": ["451 later"], "bob@example.com": ["451 later"]}
    office.after(minutes=2)
    task = office.tasks("ask")[-1]
    office.do(Claim(by=Actor("ann"), task=task))
    office.after(minutes=2)
    assert office.states() == {"ann": "sent", "bob": "moot"}


def test_reminders_and_overdue_notices_go_to_whom_the_diagram_names(
    office: Office, server: PostOffice
) -> None:
    asked(office, 'flow.due=P3D flow.remind="P1D before due" flow.overdue="P0D after due: boss"')
    office.after(minutes=2)
    server.letters.clear()
    office.wait(days=3)
    office.after(minutes=2)
    assert server.letter("ann")["Subject"] == "即将到期：ask"
    server.letters.clear()
    office.wait(days=1)
    office.after(minutes=2)
    assert server.to == ["gus@example.com"]
    assert "已过期限" in server.letter("gus").get_content()


def test_who_stands_in_for_somebody_is_told_too(memory: Store, tmp_path: Path, server: PostOffice) -> None:
    substitutes = 'substitutes:\n  - {person: ann, substitute: eve, from: "2026-09-14", to: "2026-09-18"}\n'
    office = open_office(memory, tmp_path, by_mail(server), ORGANISATION + substitutes)
    asked(office)
    office.after(minutes=2)
    assert server.to == ["ann@example.com", "bob@example.com", "eve@example.com"]


def test_four_eyes_who_may_not_do_a_task_is_not_told_of_it(office: Office, server: PostOffice) -> None:
    office.publish("start s\nuser a\nuser b flow.not-same-as=a\nend e\ns -> a -> b -> e")
    office.start(by="ann")
    office.complete("a", by="ann")
    office.after(minutes=2)
    assert server.to == ["bob@example.com"]


def test_a_diagram_tells_people_something_by_a_service_task(office: Office, server: PostOffice) -> None:
    office.publish(
        'start s\nservice told flow.handler=notices.tell flow.to=boss flow.text="共回收{count}份，请审阅"\n'
        "user a\nend e\ns -> told -> a -> e"
    )
    office.start(by="ann", count=37)
    office.after(minutes=2)
    assert "共回收37份，请审阅" in server.letter("gus").get_content()


@pytest.mark.parametrize(("who", "told"), [("ann", ["ann"]), ("gus", ["ann", "bob", "cat", "dan"])])
def test_a_diagram_tells_one_of_those_who_hold_the_role(
    office: Office, server: PostOffice, who: str, told: list[str]
) -> None:
    office.publish(
        "start s\nservice told flow.handler=notices.tell flow.to=clerk flow.person=leader flow.text=请安排\n"
        "user a assignee=leader\nend e\ns -> told -> a -> e"
    )
    office.start(by="ann", leader=who)
    with office.app.store.read() as conn:
        facts = conn.execute(select(journal.c.facts).where(journal.c.kind == "notice.given")).scalar_one()
    assert json.loads(facts)["to"] == told


def test_an_incident_reaches_the_administrators(office: Office, server: PostOffice) -> None:
    @office.handlers.inside
    def breaks(call: object) -> dict[str, object]:
        raise RuntimeError("打印机没纸")

    office.app.registry.known.update(office.handlers.known)
    office.publish("start s\nservice x flow.handler=t.breaks\nend e\ns -> x -> e")
    office.start(by="ann")
    office.after(minutes=2)
    assert server.to == ["gus@example.com"]
    assert "打印机没纸" in server.letter("gus").get_content()


def test_a_refused_address_needs_a_person_and_holds_up_nobody_else(
    office: Office, server: PostOffice
) -> None:
    server.at_rcpt["ann@example.com"] = ["550 no such mailbox"]
    asked(office)
    office.after(minutes=2)
    assert server.to == ["bob@example.com"]
    row = next(each for each in office.messages() if each.person == "ann")
    assert (row.status, row.attempts, row.error) == ("failed", 1, "550 no such mailbox")
    assert office.after(days=1) == 0
    facts = office.journal("notice.undelivered")[0]
    assert facts.subject == "ann"
    assert "mailbox" not in str(facts.facts), "an address belongs into no journal"


def test_a_temporary_refusal_is_tried_again_and_arrives_once(office: Office, server: PostOffice) -> None:
    server.at_rcpt["ann@example.com"] = ["451 greylisted", "450 still busy"]
    asked(office)
    assert office.after(minutes=2) == 2
    assert office.after(seconds=30) == 0, "not before its time"
    assert office.after(minutes=1) == 1
    assert office.after(minutes=6) == 1
    assert server.to == ["ann@example.com", "bob@example.com"]
    assert office.after(days=1) == 0


def test_a_message_whose_answer_was_lost_is_repeated_recognisably(office: Office, server: PostOffice) -> None:
    server.cut = 1
    asked(office)
    office.after(minutes=2)
    assert sorted(office.states().values()) == ["sent", "unknown"]
    lost = next(each for each in office.messages() if each.status == "unknown")
    office.after(minutes=2)
    assert set(office.states().values()) == {"sent"}
    copies = [
        each for each in server.letters if each["To"].addresses[0].addr_spec == f"{lost.person}@example.com"
    ]
    assert len(copies) == 2
    assert copies[0]["Message-ID"] == copies[1]["Message-ID"]


def test_a_server_that_stays_away_leaves_an_incident_that_a_person_retries(
    memory: Store, tmp_path: Path
) -> None:
    with post_office() as gone:
        notices = by_mail(gone)
    office = open_office(memory, tmp_path, notices)
    asked(office)
    tried = office.after(minutes=2)
    for wait in WAITS:
        assert set(office.states().values()) == {"new"}
        tried += office.after(seconds=wait.total_seconds() + 1)
    assert tried == 2 * (len(WAITS) + 1)
    assert set(office.states().values()) == {"failed"}
    with pytest.raises(Invalid):
        office.do(Skip(by=GUS, number=1, reason=" "))
    office.do(Skip(by=GUS, number=1, reason="口头通知"))
    with pytest.raises(Conflict):
        office.do(Skip(by=GUS, number=1, reason="口头通知"))
    assert office.do(Retry(by=GUS)) == 1
    assert office.go() == 1
    assert sorted(office.states().values()) == ["new", "skipped"]


def test_two_workers_at_once_send_nothing_twice(database: str, tmp_path: Path, server: PostOffice) -> None:
    people = "".join(
        f"  - {{id: p{n}, name: 员工{n}, email: p{n}@example.com, roles: [{{role: clerk, unit: east}}]}}\n"
        for n in range(20)
    )
    with open_store(database, durable=False) as store, open_store(database, durable=False) as other:
        office = open_office(store, tmp_path, by_mail(server), ORGANISATION + people)
        second = open_office(other, tmp_path, by_mail(server), ORGANISATION + people)
        asked(office)
        office.wait(minutes=2)
        second.clock.move_to(office.clock.now())
        threads = [threading.Thread(target=go_round, args=(each.app,)) for each in (office, second, office)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert len(server.to) == len(set(server.to)) == 22
        assert set(office.states().values()) == {"sent"}


def test_a_message_whose_program_was_stopped_meanwhile_is_taken_up_again(
    office: Office, server: PostOffice
) -> None:
    asked(office)
    office.do(Take(by=SYSTEM))  # nothing is collected yet
    office.after(minutes=2)
    server.letters.clear()
    office.start(by="gus")
    server.at_rcpt = {"ann@example.com": ["451 later"], "bob@example.com": ["451 later"]}
    office.after(minutes=2)
    office.wait(minutes=2)
    taken = office.do(Take(by=SYSTEM))
    assert taken.attempt == 2
    office.go()
    assert len(server.letters) == 1, "what somebody else is sending is left alone"
    office.after(minutes=11)
    office.after(minutes=6)
    assert len(server.letters) == 2
    assert set(office.states().values()) == {"sent"}


def test_a_password_comes_from_outside_and_is_never_told(
    memory: Store, tmp_path: Path, server: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices = by_mail(server)
    notices["mail"] |= {"user": "survey", "password": "env:FLOW_TEST_PASSWORD"}
    office = open_office(memory, tmp_path, notices)
    asked(office)
    office.after(minutes=2)
    assert "FLOW_TEST_PASSWORD" in office.messages()[0].error
    monkeypatch.setenv("FLOW_TEST_PASSWORD", "wrong-one")
    office.after(minutes=2)
    assert "535" in office.messages()[0].error
    assert "wrong-one" not in office.messages()[0].error
    assert set(office.states().values()) == {"new"}, "the settings are wrong, the message is not"
    (tmp_path / "secret").write_text(server.password + "\n", "utf-8")
    monkeypatch.setenv("FLOW_TEST_PASSWORD", server.password)
    office.after(minutes=6)
    assert server.logins[-1] == "survey"
    assert set(office.states().values()) == {"sent"}


def test_who_has_left_is_written_to_no_more(office: Office, server: PostOffice) -> None:
    asked(office)
    server.at_rcpt["ann@example.com"] = ["451 later"]
    office.after(minutes=2)
    office.organise(
        ORGANISATION.replace(
            "  - {id: ann, name: 安妮, email: ann@example.com, roles", "  - {id: amy, name: 艾米, roles"
        )
    )
    office.after(minutes=2)
    assert office.states() == {"ann": "moot", "bob": "sent"}


def test_without_settings_nothing_is_kept_for_later(memory: Store, tmp_path: Path) -> None:
    office = open_office(memory, tmp_path, {})
    asked(office)
    assert office.after(minutes=2) == 0
    assert not office.messages()
    assert not office.rows(journal, UNDELIVERED), "whoever sets notices up later is not flooded with old ones"
