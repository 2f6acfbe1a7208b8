"""问卷发放与回收, the shared procedure: counts against quotas, reminders, and a decision where a quota is missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from engine.app import App
from engine.clock import VirtualClock
from engine.errors import Invalid
from engine.model import Actor
from engine.procedures import Procedure, from_files
from engine.rehearsal.courses import staged
from engine.scenarios import Scenarios
from engine.scheduler import tick
from engine.store import tables
from survey import ledger, rounds
from survey.commands import ImportReturns, ImportRoster
from tasks import subjects
from tests.engine.drawing import diagram
from tests.procedures.playing import complete, started

ID = "shared/distribute-and-collect"
ROLES = "distributor = clerk, collector = clerk, survey_head = boss"
GIVES = "issued, returned, abstained, quota_met, shortfall_decision, shortfall_reason, return_target"
LISTED = """
start s
service opened flow.handler=fieldwork.open_round flow.questionnaire=questionnaire flow.moved-in=true \
    flow.groups=project flow.sets=customers
service wanted flow.handler=quotas.targets flow.base=moved-in flow.issue=issue_share flow.return=80 \
    flow.sets="quota_base, issue_target, return_target, quota_text"
"""
FOR_WHOEVER_COMES = """
start s
service opened flow.handler=handouts.open_round flow.questionnaire=questionnaire flow.groups=project
script wanted do="issue_target = 5"
"""
CALL = """
call fieldwork calls=distribute_and_collect flow.roles="{roles}" flow.out="{gives}" \
    flow.in="issue_target, return_share = 80, collect_days = 10, reminder_days = 3"
end e
s -> opened -> wanted -> fieldwork -> e
"""
ABOUT = """procedure: flow/1
id: caller
title: 住户调查
process: main
parameters: {issue_share: {value: 90, title: 发放比例}}
"""
QUESTIONNAIRE = """form: flow/1
id: questionnaire
version: "1"
kind: questionnaire
anonymity: ANONYMITY
title: 问卷
scales: {level: {points: [{value: 2, label: 满意}, {value: 1, label: 不满意}]}}
score: {method: top2/answered, overall: overall}
fields:
  - {id: overall, type: choice, scale: level, label: 总体}
"""


@dataclass
class Called:
    """The block as a procedure calls it, with its distribution open."""

    app: App
    instance: int

    def do(self, element: str, person: str = "ann", **values: object) -> None:
        complete(self.app, self.instance, element, person, values)

    def returns(self, *lines: str, head: str = "respondent,overall") -> None:
        data = "\n".join((head, *lines))
        self.app.do(ImportReturns(by=Actor("ann"), instance=self.instance, data=data))

    def open(self) -> list[str]:
        with self.app.store.read() as conn:
            task = tables.user_task
            return sorted(conn.execute(select(task.c.element).where(tables.OPEN_WORK)).scalars())

    def variables(self) -> Mapping[str, Any]:
        from engine.bpmn.state import variables

        with self.app.store.read() as conn:
            table = tables.instance
            row = conn.execute(select(table).where(table.c.id == self.instance)).one()
            return variables(row.state)

    def journal(self, kind: str) -> list[dict[str, Any]]:
        with self.app.store.read() as conn:
            table = tables.journal
            return [
                orjson.loads(each)
                for each in conn.execute(
                    select(table.c.facts).where(table.c.kind == kind).order_by(table.c.seq)
                ).scalars()
            ]

    def entries(self) -> list[tuple[str, str, str | None]]:
        with self.app.store.read() as conn:
            found = rounds.round_of(conn, self.instance)
            return [
                (each.code, each.kind, each.channel)
                for each in ledger.lines(conn, found)
                if each.kind != "issue"
            ]

    def wait(self, days: int) -> None:
        clock = self.app.clock
        assert isinstance(clock, VirtualClock)
        clock.move_to(clock.now() + timedelta(days=days))
        while tick(self.app):
            pass


Opener = Callable[..., AbstractContextManager[Called]]


@pytest.fixture
def called(procedure: Procedure, scenarios: Scenarios, tmp_path: Path) -> Opener:
    @contextmanager
    def opener(
        roster: str, begin: str = LISTED, anonymity: str = "confidential", **variables: object
    ) -> Iterator[Called]:
        form = QUESTIONNAIRE.replace("ANONYMITY", anonymity)
        caller = from_files(
            {
                "procedure.yaml": ABOUT.encode(),
                "caller.bpmn": diagram(begin + CALL.format(roles=ROLES, gives=GIVES)),
                "forms/questionnaire.yaml": form.encode(),
            }
        )
        stage = replace(scenarios.stage, people={"ann": ("clerk",), "bob": ("boss",)})
        start = datetime(2026, 9, 1, 9)  # noqa: DTZ001
        with staged(caller, stage, start, tmp_path, subjects(), others=[procedure]) as app:
            if roster:
                app.do(ImportRoster(by=Actor("ann"), data=roster))
            yield Called(app, started(app, caller, stage, variables))

    return opener


def roster(count: int, vacant: int = 0) -> str:
    """So many households that have moved in, in two buildings, and flats that nobody has moved into."""
    rows = [
        f"H-{number},tower,{'一期' if number % 2 else '二期'},2026-01-15" for number in range(1, count + 1)
    ]
    rows += [f"V-{number},tower,一期," for number in range(1, vacant + 1)]
    return "\n".join(("customer,unit,project,since", *rows))


def without(*numbers: int) -> list[dict[str, object]]:
    return [{"number": number, "reason": "unreachable"} for number in numbers]


def test_1013_households_make_912_and_730_as_003i_counts_them(called: Opener) -> None:
    with called(roster(1013, vacant=20)) as there:
        (quota,) = there.journal("quota.set")
        assert (quota["base"], quota["issue"], quota["back"]) == (1013, 912, 730)
        assert quota["left_out"] == {"moved_in": 20}
        there.do("distribute", not_issued=without(*range(1, 103)))
        assert there.open() == ["issue_shortfall"]
        (missed,) = there.journal("quota.issue_missed")
        assert (missed["count"], missed["wanted"], missed["missing"]) == (911, 912, 1)
        there.do("issue_shortfall", "bob", issue_decision="extend", distribute_by="2026-09-10")
        there.do("distribute", not_issued=without(*range(1, 102)))
        there.returns(*(f"H-{number},2" for number in range(102, 831)))
        there.do("collect", returned_forms=729)
        assert there.open() == ["return_shortfall"]
        there.do("return_shortfall", "bob", return_decision="extend", collect_by="2026-09-30")
        there.returns("H-831,1")
        there.do("collect", returned_forms=730)
        found = there.variables()
        assert (found["issued"], found["return_target"], found["returned"]) == (912, 730, 730)
        assert (found["quota_met"], found["shortfall_decision"]) == (True, "extend")


def test_an_inexact_share_is_no_trap_of_binary_fractions(called: Opener) -> None:
    with called(roster(10), issue_share=0.7) as there:
        assert there.journal("quota.set")[0]["issue"] == 7
    with called(roster(10), issue_share="70 %") as there:
        assert there.journal("quota.set")[0]["issue"] == 7


def test_who_refused_stays_refused_and_who_was_not_met_is_tried_again(called: Opener) -> None:
    with called(roster(4)) as there:
        rows = [{"number": 1, "reason": "refused"}, *without(2)]
        there.do("distribute", not_issued=rows)
        there.do("issue_shortfall", "bob", issue_decision="extend", distribute_by="2026-09-10")
        there.do("distribute", channel="visit")
        assert there.variables()["issue_target"] == 4
        assert there.open() == ["issue_shortfall"], "3 of 4 are out, for number 1 refused"
        there.do("issue_shortfall", "bob", issue_decision="accept", issue_reason="住户拒收")
        with there.app.store.read() as conn:
            found = rounds.round_of(conn, there.instance)
            members = [
                (each.number, each.disposition, each.channel) for each in rounds.roster(conn, found.id)
            ]
        assert members == [
            (1, "refusal", None), (2, "issued", "visit"), (3, "issued", "paper"), (4, "issued", "paper")
        ]  # fmt: skip


def test_only_those_still_out_are_reminded_and_again_after_the_same_time(called: Opener) -> None:
    with called(roster(3)) as there:
        there.do("distribute")
        there.returns("H-1,2")
        there.wait(4)
        assert there.open() == ["collect", "remind"]
        there.do("remind", remind_channel="phone", remind_note="请尽快交回")
        assert [each for each in there.entries() if each[1] == "reminder"] == [
            ("H-2", "reminder", "phone"),
            ("H-3", "reminder", "phone"),
        ]
        with there.app.store.read() as conn:
            found = rounds.round_of(conn, there.instance)
            assert {each.channel for each in rounds.roster(conn, found.id)} == {"paper"}
        there.returns("H-2,1", "H-3,1")
        there.wait(5)
        assert there.open() == ["collect"], "nothing is out any more"
        there.do("collect", returned_forms=3)
        assert there.variables()["quota_met"] is True


def test_an_open_reminder_ends_with_the_collection(called: Opener) -> None:
    with called(roster(3)) as there:
        there.do("distribute")
        there.wait(4)
        there.returns("H-1,2", "H-2,2", "H-3,2")
        there.do("collect", returned_forms=3)
        assert (there.open(), there.variables()["returned"]) == ([], 3)


def test_in_an_anonymous_round_nobody_is_reminded_by_name(called: Opener) -> None:
    with called(roster(3), anonymity="anonymous") as there:
        there.do("distribute")
        there.returns("一期,2", head="project,overall")
        there.wait(4)
        there.do("remind", remind_channel="paper")
        assert there.entries() == []
        assert [each["channel"] for each in there.journal("round.reminded")] == ["paper"]
        assert there.journal("round.ledger") == []
        there.do("collect", returned_forms=1)
        there.do("return_shortfall", "bob", return_decision="accept", return_reason="不记名，无从催收")
        found = there.variables()
        assert (found["returned"], found["return_target"], found["quota_met"]) == (1, 3, False)
        assert found["shortfall_reason"] == "不记名，无从催收"


def test_questionnaires_for_whoever_comes_are_counted_by_group(called: Opener) -> None:
    with called("", FOR_WHOEVER_COMES, "anonymous") as there:
        twice = [{"department": "内科", "issued": 2}, {"department": "内科", "issued": 1}]
        with pytest.raises(Invalid, match="内科 stands here twice"):
            there.do("distribute", handed_out=twice)
        with pytest.raises(Invalid, match="An answer is required"):
            there.do("distribute")
        there.do(
            "distribute",
            handed_out=[{"department": "内科", "issued": 3}, {"department": "外科", "issued": 1}],
        )
        assert there.open() == ["issue_shortfall"]
        there.do("issue_shortfall", "bob", issue_decision="extend", distribute_by="2026-09-10")
        there.do("distribute", handed_out=[{"department": "外科", "issued": 1}])
        there.returns(*["内科,2"] * 3, "外科,1", head="project,overall")
        there.do("collect", returned_forms=4)
        found = there.variables()
        assert (found["issued"], found["return_target"], found["quota_met"]) == (5, 4, True)


def test_nobody_got_one_so_no_quota_is_reached(called: Opener) -> None:
    with called(roster(2)) as there:
        there.do("distribute", not_issued=without(1, 2))
        there.do("issue_shortfall", "bob", issue_decision="accept", issue_reason="无人在家")
        there.do("collect", returned_forms=0)
        assert there.open() == ["return_shortfall"]
        assert [each["wanted"] for each in there.journal("quota.return_missed")] == [0]


def test_nobody_returned_is_decided_on(called: Opener) -> None:
    with called(roster(2)) as there:
        there.do("distribute")
        there.do("collect", returned_forms=0)
        there.do("return_shortfall", "bob", return_decision="accept", return_reason="均未交回")
        found = there.variables()
        assert (found["returned"], found["quota_met"]) == (0, False)


def test_one_respondent_who_abstains_has_returned_and_is_counted_as_abstained(called: Opener) -> None:
    with called(roster(1)) as there:
        there.do("distribute")
        there.returns("H-1,,yes", head="respondent,overall,abstained")
        there.do("collect", returned_forms=1)
        found = there.variables()
        assert (found["returned"], found["abstained"], found["quota_met"]) == (1, 1, True)


def test_no_return_comes_twice_outside_the_scale_or_from_who_moved_in_after_the_draw(called: Opener) -> None:
    with called(roster(3)) as there:
        there.do("distribute")
        for lines, said in (
            (("H-1,2", "H-1,1"), "H-1"),
            (("H-1,3",), "3 is not among the options"),
        ):
            with pytest.raises(Invalid, match=said):
                there.returns(*lines)
        there.returns("H-1,2")
        with pytest.raises(Invalid, match="H-1"):
            there.returns("H-1,2")
        there.app.do(ImportRoster(by=Actor("ann"), data=roster(2) + "\nN-9,tower,一期,2026-09-02"))
        with pytest.raises(Invalid, match="N-9"):
            there.returns("N-9,2")
        there.returns("H-3,2")
        there.do("collect", returned_forms=2)
        assert there.open() == ["return_shortfall"], "H-3 left the roster, not the round: 2 of 3 are not 80 %"
