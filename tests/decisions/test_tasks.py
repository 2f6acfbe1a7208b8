"""Business rule tasks that decision tables decide: in a diagram, in a published procedure, in the journal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.check import World, check
from engine.commands.personal import Erase
from engine.errors import Finding, Misbuilt
from engine.handlers import Handlers
from engine.model import SYSTEM
from engine.procedures import from_files
from engine.queries import history
from engine.rehearsal import Rehearsal, run
from engine.store import Store
from tests.decisions.tables import dmn, table
from tests.engine.drawing import diagram
from tests.engine.stage import Stage, open_stage

MEASURES = table(
    [
        ('"很满意", "满意"', "-", '"归档"', "0"),
        ('"一般"', "-", '"电话回访"', "15"),
        ('"不满意"', "< 3", '"上门回访"', "7"),
        ('"不满意"', ">= 3", '"整改"', "3"),
    ],
    [
        {"name": "grade", "type": "string", "label": "满意度等级"},
        {"name": "problems", "type": "integer", "label": "问题数"},
    ],
    [{"name": "measure", "type": "string"}, {"name": "days", "type": "integer"}],
    id="measure",
    name="处理措施",
)  # fmt: skip
DRAWING = """
    start begin
    rule decide decision=measure
    xor which
    user visit
    end done
    begin -> decide -> which
    which -> visit : measure == "上门回访"
    which -> done : else
    visit -> done
"""
FILES = {"measures.dmn": dmn(MEASURES)}


def rehearsed(drawing: str, files: Mapping[str, bytes] | None = None, /, **variables: object) -> Rehearsal:
    return run(diagram(drawing), "main", variables, decisions=files or FILES, reload=True)


def decided(options: str, decision: str, **variables: object) -> Mapping[str, object]:
    """The variables after one business rule task."""
    drawing = f"start a\nrule t decision=rating {options}\nend z\na -> t -> z"
    result = rehearsed(drawing, {"rating.dmn": dmn(decision)}, **variables)
    assert result.ended == "completed", result
    return {name: value for name, value in result.variables.items() if name not in variables}


def test_a_table_decides_which_way_a_diagram_takes() -> None:
    result = rehearsed(DRAWING, grade="不满意", problems=2)
    assert (result.ended, result.visited) == ("completed", ("begin", "decide", "which", "visit", "done"))
    assert (result.variables["measure"], result.variables["days"]) == ("上门回访", 7)
    assert "visit" not in rehearsed(DRAWING, grade="满意", problems=0).visited


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ("", {"a": 1, "b": "p"}),
        ("result=r", {"r": [{"a": 1, "b": "p"}]}),
        ("result=r mapped=resultList", {"r": [{"a": 1, "b": "p"}]}),
        ("result=r mapped=singleResult", {"r": {"a": 1, "b": "p"}}),
    ],
)
def test_results_become_variables_as_the_task_says(options: str, variables: Mapping[str, object]) -> None:
    assert decided(options, table([("-", "1", '"p"')], outputs=("a", "b")), x=0) == variables


@pytest.mark.parametrize(
    ("options", "hit", "missed"),
    [
        ("", {"y": [1, 2]}, {"y": []}),
        ("result=r", {"r": [{"y": 1}, {"y": 2}]}, {"r": []}),
        ("result=r mapped=collectEntries", {"r": [1, 2]}, {"r": []}),
    ],
)
def test_several_results_become_a_list(
    options: str, hit: Mapping[str, object], missed: Mapping[str, object]
) -> None:
    rules = table([("> 0", "1"), ("> 1", "2")], policy="COLLECT")
    assert (decided(options, rules, x=5), decided(options, rules, x=0)) == (hit, missed)


def test_a_single_entry_is_a_plain_value_and_null_when_no_rule_applies() -> None:
    rules = table([("> 0", "1")])
    assert decided("result=r mapped=singleEntry", rules, x=5) == {"r": 1}
    assert decided("result=r mapped=singleEntry", rules, x=0) == {"r": None}


def test_parameters_are_seen_by_tables(quick: Stage) -> None:
    drawing = "start a\nrule t decision=rating\nend z\na -> t -> z"
    tables = {"rating.dmn": dmn(table([(">= target", '"达标"'), ("< target", '"未达标"')]))}
    quick.publish(drawing, tables=tables, more="parameters:\n  target: {value: 80, title: 目标}")
    assert quick.variables(quick.start(x=80))["y"] == "达标"


def test_a_table_decides_for_each_item_of_a_batch() -> None:
    rule = "rule t decision=rating each=found:x gather=all:y"
    drawing = f"start a\nscript s do='found = [10, 70, 90]'\n{rule}\nend z\na -> s -> t -> z"
    rules = table([("< 60", '"差"'), (">= 60", '"好"')])
    assert rehearsed(drawing, {"rating.dmn": dmn(rules)}).variables["all"] == ["差", "好", "好"]


def test_an_instance_goes_on_in_another_program_by_the_table_it_was_published_with(
    store: Store, tmp_path: Path
) -> None:
    drawing = "start a\nuser u form=f\nrule t decision=rating\nuser w\nend z\na -> u -> t -> w -> z"
    fields = "  - {id: grade, type: text, label: 等级}"
    first = open_stage(store, tmp_path)
    first.organise()
    first.publish(drawing, forms={"f": fields}, tables={"t.dmn": dmn(table([("-", "1")], ("grade",)))})
    number = first.start()
    second = open_stage(store, tmp_path)
    second.publish(drawing, forms={"f": fields}, tables={"t.dmn": dmn(table([("-", "2")], ("grade",)))})
    second.complete("u", grade="差")
    assert second.variables(number)["y"] == 1
    assert open_stage(store, tmp_path).open(number) == ["w"]
    second.check()


# -- the journal -----------------------------------------------------------------------------------


def test_the_journal_says_which_rules_applied_to_which_values(stage: Stage) -> None:
    stage.publish(DRAWING, tables=FILES)
    number = stage.start(grade="不满意", problems=4)
    [fact] = stage.journal("decision.made", instance=number)
    assert fact.subject == "decide"
    assert fact.facts == {
        "decision": "measure", "name": "处理措施", "policy": "UNIQUE",
        "inputs": [{"满意度等级": "不满意"}, {"问题数": 4}],
        "rules": [4], "ids": ["r4"], "result": {"measure": "整改", "days": 3},
    }  # fmt: skip


def test_the_journal_has_the_decisions_required_too(quick: Stage) -> None:
    grade = table([("< 60", '"差"'), (">= 60", '"好"')], ("score",), ("grade",), id="grade")
    top = table([('"差"', '"回访"'), ('"好"', '"归档"')], ("grade",), ("action",), requires=("grade",))
    quick.publish("start a\nrule t decision=rating\nend z\na -> t -> z", tables={"a.dmn": dmn(top, grade)})
    number = quick.start(score=59)
    assert [(fact.facts["decision"], fact.facts["rules"]) for fact in quick.journal("decision.made")] == [
        ("grade", [1]), ("rating", [1]),
    ]  # fmt: skip
    assert quick.variables(number)["action"] == "回访"
    assert "grade" not in quick.variables(number)


def test_a_personal_answer_that_a_table_read_can_be_erased_from_the_journal(quick: Stage) -> None:
    drawing = "start a\nuser u form=f\nrule t decision=rating\nend z\na -> u -> t -> z"
    fields = "  - {id: phone, type: text, label: 电话, personal: true}"
    rules = table([('"13800000000"', '"重复"')], [{"name": "phone", "label": "电话"}])
    quick.publish(drawing, forms={"f": fields}, tables={"t.dmn": dmn(rules)})
    number = quick.start()
    quick.complete("u", phone="13900000000")

    def kept() -> object:
        with quick.app.store.read() as conn:
            lines = history.of_instance(conn, number)
        return next(line.facts["inputs"] for line in lines if line.kind == "decision.made")

    assert kept() == [{"电话": "13900000000"}]
    quick.do(Erase(by=SYSTEM, instance=number, reason="请求"))
    assert "13900000000" not in str(kept())


# -- what goes wrong -------------------------------------------------------------------------------


def test_two_rules_that_apply_at_once_stop_the_task_until_a_person_puts_it_right(quick: Stage) -> None:
    rules = table([("< low", "1"), (">= high", "2")], [{"name": "x", "label": "分数"}])
    drawing = 'start a\nscript s do="low = 60"\nscript h do="high = 50"\nrule t decision=rating\nend z'
    quick.publish(f"{drawing}\na -> s -> h -> t -> z", tables={"t.dmn": dmn(rules)})
    quick.start(x=55)
    [incident] = quick.incidents()
    assert incident.error == "评级: rules 1, 2 apply at once, but under the hit policy UNIQUE only one may"
    assert not quick.journal("decision.made")


def test_a_value_of_the_wrong_type_is_an_incident_that_names_table_and_column() -> None:
    result = rehearsed(DRAWING, grade=5, problems=0)
    assert (result.ended, result.incidents) == ("incident", ("处理措施, column 满意度等级: 5 is no string",))


def test_a_diagram_whose_table_is_missing_or_faulty_is_not_run() -> None:
    with pytest.raises(Misbuilt, match=r"decide: There is no decision measure\. Put the \.dmn file"):
        run(diagram(DRAWING), "main", {})
    with pytest.raises(Misbuilt, match=r"a\.dmn measure: Rules 1 and 2 can apply at once"):
        rehearsed(DRAWING, {"a.dmn": dmn(table([("1", "2"), ("1", "3")], id="measure"))})


TASKS: dict[str, tuple[str, str, str]] = {
    "no function or table": ("rule t", "Nothing decides in this business rule task", "Name a decision table"),
    "both": ("rule t decision=measure flow.handler=a.b", "Both a decision table and a function", "Delete"),
    "a parameter of a function": ("rule t decision=measure flow.limit=3", "Unknown property flow.limit", ""),
    "a declaration": ("rule t decision=measure flow.sets=a", "flow.sets has no effect here", ""),
    "an expression": ("rule t decision=${name}", "is no plain id", "Write the id"),
    "no name": ("rule t decision=measure result=a-b", "cannot be a variable", "Write one name"),
    "an unknown mapping": ("rule t decision=measure result=r mapped=single", "is not known", "singleEntry, "),
    "a mapping without variable": ("rule t decision=measure mapped=singleEntry", "without a result variable", "Add"),
    "a result without decision": ("rule t flow.handler=a.b result=r", "without a decision", "Add"),
    "several outputs": ("rule t decision=measure result=r mapped=singleEntry", "one output, but measure has 2", ""),
    "a misspelt table": ("rule t decision=mesure", "There is no decision mesure", "Did you mean measure?"),
}  # fmt: skip


@pytest.mark.parametrize(("task", "reason", "remedy"), TASKS.values(), ids=TASKS)
def test_a_task_that_cannot_take_its_decision_is_refused(task: str, reason: str, remedy: str) -> None:
    with pytest.raises(Misbuilt) as refused:
        rehearsed(f"start a\n{task}\nend z\na -> t -> z")
    [finding] = refused.value.findings
    assert (finding.element, finding.level) == ("t", "error")
    assert reason in finding.reason
    assert remedy in finding.remedy


def test_a_loop_of_decisions_without_a_way_out_is_refused() -> None:
    with pytest.raises(Misbuilt, match="has no way out and never waits"):
        rehearsed("start a\nrule t decision=measure\nrule u decision=measure\na -> t -> u -> t")


def test_a_list_is_not_taken_for_one_result() -> None:
    with pytest.raises(Misbuilt, match="takes one result, but by its hit policy rating gives a list"):
        decided("result=r mapped=singleResult", table([("-", "1")], policy="COLLECT"), x=0)


# -- a procedure, whole ----------------------------------------------------------------------------


def found(
    tables: Mapping[str, bytes], *, decision: str = "measure", more: str = "", then: str = ""
) -> list[Finding]:
    """What the check finds in a procedure whose one form asks for `grade` and `problems`."""
    body = (
        f"start a\nuser u form=f\nrule t decision={decision}\nxor x\nend y\nend z\na -> u -> t -> x\n"
        f"x -> y : {then or 'True'}\nx -> z : else"
    )
    fields = "  - {id: grade, type: text, label: 等级}\n  - {id: problems, type: integer, label: 问题}"
    files = {
        "p.bpmn": diagram(body),
        "procedure.yaml": f"procedure: flow/1\nid: p\ntitle: p\nprocess: main\n{more}".encode(),
        "forms/f.yaml": f'form: flow/1\nid: f\nversion: "1"\ntitle: f\nfields:\n{fields}\n'.encode(),
        **tables,
    }
    return check(from_files(files), World(roles={"clerk"}, registry=Handlers("t")))


def test_a_procedure_with_its_tables_is_in_order() -> None:
    assert [str(each) for each in found(FILES, then='measure == "整改" and days < 7')] == []


def test_a_faulty_table_is_named_with_file_table_rule_and_column() -> None:
    broken = MEASURES.replace("&lt; 3", "&lt; 三 个")
    with pytest.raises(Misbuilt) as refused:
        found({"measures.dmn": dmn(broken)})
    [finding] = refused.value.findings
    assert (finding.file, finding.element) == ("measures.dmn", "measure")
    assert finding.reason.startswith("Rule 3, column 问题数: ")


def test_text_without_quotes_is_found_by_the_check() -> None:
    rules = MEASURES.replace('"一般"', "一般").replace('"整改"', "整改")
    told = [(each.file, each.element, each.reason) for each in found({"measures.dmn": dmn(rules)})]
    assert told == [
        ("measures.dmn", "measure", "Rule 2, column 满意度等级: 一般 is read here, but nothing sets it"),
        ("measures.dmn", "measure", "Rule 4, column measure: 整改 is read here, but nothing sets it"),
    ]


def test_a_table_that_no_task_names_is_reported() -> None:
    other = {**FILES, "other.dmn": dmn(table([("-", "1")]))}
    assert [str(each) for each in found(other)] == [
        "other.dmn rating: No step uses the decision. Name it in the camunda:decisionRef of a business rule task"
    ]


SCHEDULED = "schedules:\n  a: {every: quarter, start: {day: 1}}\n"


def test_what_a_table_gives_may_be_read_and_what_it_reads_has_to_be_set() -> None:
    body = (
        "start a timer=\nuser u form=f\nrule t decision=measure\nxor x\nend y\nend z\na -> u -> t -> x\n"
        "x -> y : measure == days\nx -> z : else"
    )
    bpmn = diagram(body).replace(b"<timeDuration></timeDuration>", b"")
    for fields, reasons in (
        ("  - {id: grade, type: text, label: 等级}", ["problems is read here, but nothing sets it"]),
        ("  - {id: grade, type: text, label: 等级}\n  - {id: problems, type: integer, label: 问题}", []),
    ):
        files = {
            "p.bpmn": bpmn,
            "procedure.yaml": f"procedure: flow/1\nid: p\ntitle: p\nprocess: main\n{SCHEDULED}".encode(),
            "forms/f.yaml": f'form: flow/1\nid: f\nversion: "1"\ntitle: f\nfields:\n{fields}\n'.encode(),
            **FILES,
        }
        told = check(from_files(files), World(roles={"clerk"}, registry=Handlers("t")))
        assert [(each.element, each.reason) for each in told] == [("t", each) for each in reasons]
