"""The ledger: what became of everybody, what of it stands once the round is closed, and how it is put right."""

from __future__ import annotations

from datetime import date, timedelta
from json import loads

import pytest
from sqlalchemy import select

from engine.errors import Conflict, Invalid, NotFound
from engine.store import tables
from survey import ledger, returns, rounds
from survey.commands import CloseRound, OpenRound, Record
from tests.procedures.playing import ZONE
from tests.survey.waves import CLERK, Wave


@pytest.fixture
def wave(fresh_wave: Wave) -> Wave:
    return fresh_wave


def log(wave: Wave, *who: str, **entry: str | None) -> None:
    wave.app.do(Record(by=CLERK, instance=wave.instance, codes=who, **{"kind": "attempt", **entry}))  # type: ignore[arg-type]


def test_the_ledger_tells_what_became_of_everybody(wave: Wave) -> None:
    log(wave, "A-1", "#2", channel="phone", note="无人接听")
    log(wave, "B-2", kind="refusal", channel="visit")
    log(wave, "A-1", kind="reminder", channel="phone")
    with pytest.raises(Invalid, match="There is no telex; there are: paper"):
        log(wave, "A-1", channel="telex")
    with pytest.raises(Invalid, match="is yet to come"):
        log(wave, "A-1", day="2027-01-01")
    with pytest.raises(NotFound, match="Customer Z is not on"):
        log(wave, "Z")
    with wave.app.store.read() as conn:
        found = rounds.round_of(conn, wave.instance)
        first = [(each.kind, each.channel) for each in ledger.lines(conn, found, 1)]
        assert first == [("issue", "paper"), ("attempt", "phone"), ("reminder", "phone")]
        counts = rounds.progress(conn, found)
        assert {name: number for name, number in counts.dispositions.items() if number} == {
            "issued": 3,
            "refusal": 1,
            "non-contact": 1,
        }
        assert counts.issued == 4
        waiting = ledger.to_remind(conn, found, 0, wave.app.clock.now().date())
        assert [each.code for each in waiting] == ["A-1", "A-2", "B-10"]
        assert ledger.to_remind(conn, found, 5, wave.app.clock.now().date()) == ()
    wave.take(wave.file())
    with pytest.raises(Conflict, match="The answers of A-1 are in"):
        log(wave, "A-1", kind="refusal")
    assert wave.round()[1].dispositions["complete"] == 3


def test_the_response_figures_of_a_closed_round_stay_as_they_are(wave: Wave) -> None:
    wave.take(wave.file())
    wave.app.do(CloseRound(by=CLERK, instance=wave.instance))
    before = wave.round()[1]
    for entry in ({"kind": "refusal"}, {"kind": "attempt", "disposition": "ineligible"}, {"kind": "issue"}):
        with pytest.raises(Conflict, match="is closed: what became of everybody stands in its figures"):
            log(wave, "C-1", **entry)
    log(wave, "C-1", channel="phone", note="事后来电，已搬走")
    assert wave.round()[1] == before
    with wave.app.store.read() as conn:
        found = rounds.round_of(conn, wave.instance)
        who = returns.member_called(conn, found, "C-1")
        assert who.channel is None
        assert ledger.lines(conn, found, who.number)[-1].note == "事后来电，已搬走"


def test_a_wrong_disposition_is_corrected_with_a_reason_also_after_the_closing(wave: Wave) -> None:
    wave.app.do(CloseRound(by=CLERK, instance=wave.instance))
    for entry, fault in (
        ({"note": "记错了"}, "result: Say what became of them"),
        ({"disposition": "ineligible"}, "note: Say why"),
        ({"disposition": "complete", "note": "记错了"}, "There is no complete"),
    ):
        with pytest.raises(Invalid, match=fault):
            log(wave, "C-1", kind="correction", **entry)
    with pytest.raises(Conflict, match="Of C-1 the ledger says otherwise"):
        log(wave, "C-1", kind="correction", disposition="issued", note="记错了")
    log(wave, "C-1", kind="correction", disposition="ineligible", note="已搬走，原记为未能联系")
    counts = wave.round()[1]
    assert (counts.dispositions["ineligible"], counts.dispositions["non-contact"]) == (1, 0)
    with wave.app.store.read() as conn:
        found = rounds.round_of(conn, wave.instance)
        assert rounds.population_of(conn, [found]) == 4  # the frame of five without who did not belong there
        who = returns.member_called(conn, found, "C-1")
        line = ledger.lines(conn, found, who.number)[-1]
        assert (line.kind, line.note) == ("correction", "已搬走，原记为未能联系")
        assert ledger.corrected_since(conn, found, wave.app.clock.now().date()) == 1
        kinds = tables.journal.c.kind == "round.ledger_corrected"
        (facts,) = map(loads, conn.execute(select(tables.journal.c.facts).where(kinds)).scalars())
    assert (facts["was"], facts["disposition"], facts["after_closing"]) == (
        {"non-contact": 1},
        "ineligible",
        True,
    )


def test_who_was_noted_as_refusing_by_mistake_is_reminded_again(wave: Wave) -> None:
    log(wave, "A-1", kind="refusal")
    log(wave, "A-1", kind="correction", disposition="issued", note="拒访的是A-2")
    with wave.app.store.read() as conn:
        waiting = ledger.to_remind(conn, rounds.round_of(conn, wave.instance), 0, wave.app.clock.now().date())
    assert "A-1" in [each.code for each in waiting]


def test_an_entry_is_not_dated_before_its_round_was_opened(wave: Wave) -> None:
    opened = wave.round()[0].opened_at.astimezone(ZONE).date()
    for day in (opened - timedelta(days=1), date(1999, 1, 1)):
        with pytest.raises(Invalid, match=f"day: {day} is before {opened}, when the round was opened"):
            log(wave, "A-1", day=day.isoformat())
    log(wave, "A-1", day=opened.isoformat())


def test_a_customer_named_twice_gets_one_entry(wave: Wave) -> None:
    log(wave, "A-1", "A-1", "#1", "tower/A-1", channel="phone")
    with wave.app.store.read() as conn:
        found = rounds.round_of(conn, wave.instance)
        assert list(ledger.attempts(conn, found).values()) == [1]


def test_an_entry_for_all_of_a_round_without_a_sample_says_that_none_is_drawn(wave: Wave) -> None:
    wave.app.do(OpenRound(by=CLERK, instance=wave.instance, part="later"))
    with pytest.raises(
        Conflict, match="later has no customers: its sample is not drawn yet; flow round draw"
    ):
        log(wave, "*", kind="issue", part="later")
