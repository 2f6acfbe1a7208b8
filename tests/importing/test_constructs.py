"""What becomes of each construct of another engine, and that the report says so."""

from __future__ import annotations

import difflib

import pytest

from engine.bpmn.reader import read
from engine.check import check_diagram
from engine.errors import Misbuilt
from engine.forms import load_form
from engine.importing import take_in
from tests.importing.diagrams import CAMUNDA, FILES, choice, diagram, imported, line, loads, rows


def user_task(attributes: str = "", inside: str = "") -> str:
    return line(f'<userTask id="n1" name="审批" {attributes}>{inside}</userTask>')


def extended(inside: str) -> str:
    return f"<extensionElements>{inside}</extensionElements>"


def test_a_camunda_7_file_becomes_a_procedure_that_can_run() -> None:
    found = take_in((FILES / "camunda7.bpmn").read_bytes(), "leave")
    assert found.written_by == "Camunda 7"
    assert not rows(found, "refused")
    assert check_diagram(found.diagram) == []
    procedure = loads(found)
    assert procedure.title.of("zh") == "请假审批"
    assert set(procedure.forms) == {"apply", "decide"}
    before, after = (
        (FILES / "camunda7.bpmn").read_text("utf-8").splitlines(),
        found.diagram.decode().splitlines(),
    )
    translated = (
        "camunda:",
        "${",
        "execution.",
        "scriptFormat",
        "formKey",
        "extensionElements",
        "leave_days",
        "by =",
    )
    assert [each for each in difflib.unified_diff(before, after, n=0) if not _is_part(each, translated)] == []


def _is_part(line: str, translated: tuple[str, ...]) -> bool:
    """Whether a line of a comparison is no change, or one of a translated place."""
    return (
        line.startswith(("---", "+++", "@@"))
        or any(part in line for part in translated)
        or "scriptTask" in line
    )


@pytest.mark.parametrize(
    ("vendor", "prefix", "name"),
    [
        ("http://flowable.org/bpmn", "flowable", "Flowable"),
        ("http://activiti.org/bpmn", "activiti", "Activiti"),
        ("http://operaton.org/schema/1.0/bpmn", "operaton", "Operaton"),
        (CAMUNDA, "camunda", "Camunda 7"),
        (CAMUNDA, "activiti", "Camunda 7"),
    ],
)
def test_the_relatives_extensions_are_those_of_camunda(vendor: str, prefix: str, name: str) -> None:
    inside = user_task(f'{prefix}:assignee="${{who}}" {prefix}:candidateGroups="clerk"')
    found = imported(inside, vendor=vendor, prefix=prefix)
    assert found.written_by == name
    assert f'xmlns:{prefix}="{CAMUNDA}"'.encode() in found.diagram
    assert f'{prefix}:assignee="who"'.encode() in found.diagram
    assert check_diagram(found.diagram) == []
    assert bool(rows(found, "translated", f"xmlns:{prefix}")) is (vendor != CAMUNDA)


def test_one_attribute_for_two_engines_is_refused_before_anything_is_written() -> None:
    inside = user_task('camunda:assignee="a" f:assignee="b" xmlns:f="http://flowable.org/bpmn"')
    with pytest.raises(Misbuilt, match="two engines"):
        imported(inside)


@pytest.mark.parametrize(
    ("attribute", "after"),
    [
        ('camunda:assignee="${clerk}"', 'camunda:assignee="clerk"'),
        ("camunda:assignee='#{order.clerk}'", "camunda:assignee='order[\"clerk\"]'"),
        ('camunda:assignee="li.hong"', 'camunda:assignee="&quot;li.hong&quot;"'),
        ('camunda:priority="${50}"', 'camunda:priority="50"'),
        ('camunda:dueDate="P3D"', '<camunda:property name="flow.due" value="P3D" />'),
        ('camunda:dueDate="${last}"', '<camunda:property name="flow.due" value="P0D after last" />'),
        ('camunda:dueDate="2026-12-31"', '<camunda:property name="flow.due" value="2026-12-31" />'),
        ('camunda:formRef="ask" camunda:formRefBinding="latest"', 'camunda:formKey="ask"'),
        ('camunda:formKey="embedded:app:forms/approveOrder.html"', 'camunda:formKey="approve_order"'),
    ],
)
def test_attributes_of_user_tasks_are_translated(attribute: str, after: str) -> None:
    found = imported(user_task(attribute))
    assert after in found.diagram.decode()
    assert check_diagram(found.diagram) == []


def test_a_form_that_is_not_in_the_diagram_is_said_to_be_missing() -> None:
    (row,) = rows(imported(user_task('camunda:formKey="embedded:app:a/B.html"')), "refused")
    assert (row.element, row.after) == ("n1", "formKey: b")
    assert "forms/{procedure}/{form}.yaml" in row.remedy


MAPPING = """<camunda:inputOutput><camunda:inputParameter name="a">1</camunda:inputParameter>
</camunda:inputOutput>"""
OUT = '<camunda:out source="a" target="b"/>'
CRON = """<timerEventDefinition id="t"><timeCycle>0 0 9 ? * MON-FRI</timeCycle></timerEventDefinition>"""


@pytest.mark.parametrize(
    "inside",
    [
        user_task('camunda:candidateUsers="a,b"'),
        user_task('camunda:candidateGroups="a,b"'),
        user_task('camunda:candidateGroups="${group}"'),
        user_task('camunda:followUpDate="${x}"'),
        user_task('camunda:dueDate="${bean.date()}"'),
        user_task('camunda:assignee="${bean.who()}"'),
        user_task('camunda:priority="${x}"'),
        user_task("", extended('<camunda:taskListener event="create" class="a.B"/>')),
        user_task("", extended(MAPPING)),
        line('<serviceTask id="n1" camunda:class="a.B"/>'),
        line('<serviceTask id="n1" camunda:type="external" camunda:topic="ship"/>'),
        line('<serviceTask id="n1" camunda:expression="${b.c()}" camunda:resultVariable="d"/>'),
        line('<serviceTask id="n1" camunda:asyncBefore="true" camunda:delegateExpression="${b}"/>'),
        line('<scriptTask id="n1" scriptFormat="groovy"><script>def x = 1\nfor (i in 1..3) {}</script></scriptTask>'),
        line('<scriptTask id="n1" scriptFormat="groovy" camunda:resource="a.groovy"/>'),
        line('<callActivity id="n1" calledElement="${which}"/>'),
        line(f'<callActivity id="n1" calledElement="other">{extended(OUT)}</callActivity>'),
        line(f'<intermediateCatchEvent id="n1">{CRON}</intermediateCatchEvent>'),
        line('<adHocSubProcess id="n1"/>'),
        line('<userTask id="n1"><multiInstanceLoopCharacteristics camunda:collection="${bean.all()}"/></userTask>'),
    ],
)  # fmt: skip
def test_what_has_no_counterpart_is_refused_and_check_objects_to_it(inside: str) -> None:
    found = imported(inside)
    refused = rows(found, "refused")
    assert {row.element for row in refused} == {"n1"}
    assert all(row.reason and row.remedy and row.line for row in refused)
    assert "n1" in {finding.element for finding in check_diagram(found.diagram)}


def test_who_started_is_no_variable() -> None:
    inside = user_task('camunda:assignee="${boss}"').replace(
        '"begin"/>', '"begin" camunda:initiator="boss"/>', 1
    )
    found = imported(inside)
    assert [row.what for row in rows(found, "refused")] == ["camunda:assignee"]
    assert [row.what for row in rows(found, "dropped")] == ["camunda:initiator"]


def test_form_fields_become_a_form_with_their_types_and_limits() -> None:
    found = imported(
        user_task(
            "",
            extended(
                """<camunda:formData>
        <camunda:formField id="name" label="姓名：&quot;全名&quot;" type="string"><camunda:validation>
          <camunda:constraint name="required"/><camunda:constraint name="maxlength" config="30"/></camunda:validation>
        </camunda:formField>
        <camunda:formField id="age" type="long" defaultValue="18"><camunda:validation>
          <camunda:constraint name="min" config="0"/></camunda:validation></camunda:formField>
        <camunda:formField id="birthDay" label="生日" type="date"/>
        <camunda:formField id="seen" label="已读" type="boolean" defaultValue="${seenBefore}"/>
        <camunda:formField id="any" label="任意" type="string"/>
        <camunda:formField id="way" label="方式" type="enum">
          <camunda:value id="a" name="甲"/><camunda:value id="b"/></camunda:formField>
      </camunda:formData>"""
            ),
        )
    )
    form = load_form(found.forms["n1"].encode(), "n1")
    fields = {field.id: field for field in form.fields}
    assert list(fields) == ["name", "age", "birth_day", "seen", "any_", "way"]
    assert (fields["name"].label.zh, fields["name"].required, fields["name"].max_length) == (
        '姓名："全名"',
        True,
        30,
    )
    assert (fields["age"].type, fields["age"].default, fields["age"].min) == ("integer", 18, 0)
    assert fields["seen"].variable == "seenBefore"
    assert [(option.value, option.label.zh) for option in fields["way"].options] == [("a", "甲"), ("b", "b")]
    assert b"formData" not in found.diagram
    assert b'camunda:formKey="n1"' in found.diagram
    assert not rows(found, "refused")


def test_a_field_that_our_forms_cannot_have_is_told() -> None:
    data = '<camunda:formData><camunda:formField id="a" type="custom"/></camunda:formData>'
    found = imported(user_task("", extended(data)))
    assert [(row.before, row.what) for row in rows(found, "refused")] == [("a: custom", "camunda:formData")]
    assert load_form(found.forms["n1"].encode(), "n1").fields[0].type == "text"


def test_a_renamed_field_is_renamed_wherever_it_is_read() -> None:
    found = take_in((FILES / "flowable.bpmn20.xml").read_bytes(), "purchase")
    assert b"supplier_name not in" in found.diagram
    assert "supplier_name" in found.forms["ask"]
    assert [row.after for row in rows(found, "translated", "variable")] == ["supplier_name"]


def test_a_new_name_does_not_fall_together_with_one_that_there_is() -> None:
    data = '<camunda:formData><camunda:formField id="dueDay"/><camunda:formField id="due_day"/></camunda:formData>'
    found = imported(user_task("", extended(data)))
    assert [field.id for field in load_form(found.forms["n1"].encode(), "n1").fields] == [
        "due_day_2",
        "due_day",
    ]


@pytest.mark.parametrize(
    ("script", "after"),
    [
        ('<script>execution.setVariable("a", b &amp;&amp; c);</script>', "<script>a = b and c</script>"),
        ("<script>a = b + 1</script>", "<script>a = b + 1</script>"),
    ],
)
def test_simple_scripts_are_taken_over(script: str, after: str) -> None:
    found = imported(line(f'<scriptTask id="n1" scriptFormat="javascript">{script}</scriptTask>'))
    assert after in found.diagram.decode()
    assert check_diagram(found.diagram) == []


def test_the_result_of_a_script_is_assigned() -> None:
    head = '<scriptTask id="n1" scriptFormat="groovy" camunda:resultVariable="sum">'
    found = imported(line(f"{head}<script>a * 2</script></scriptTask>"))
    assert b'<scriptTask id="n1"><script>sum = a * 2</script>' in found.diagram
    assert check_diagram(found.diagram) == []


def test_a_decision_table_decides_here_too_and_its_file_is_asked_for() -> None:
    task = '<businessRuleTask id="n1" camunda:decisionRef="rate" camunda:resultVariable="r" \
camunda:mapDecisionResult="singleEntry"/>'
    found = imported(line(task))
    assert found.diagram == diagram(line(task))
    assert [(row.element, "decision" in row.reason) for row in rows(found, "refused")] == [("n1", True)]
    assert check_diagram(found.diagram) == []


def test_inputs_of_a_service_become_parameters_of_its_function() -> None:
    service = '<serviceTask id="n1" camunda:class="a.B">' + extended(
        '<camunda:field name="to" stringValue="a&quot;b"/><camunda:field name="x" expression="${y}"/>'
    )
    found = imported(line(service + "</serviceTask>"))
    assert b'<camunda:property name="flow.to" value="a&quot;b" />' in found.diagram
    assert b'<camunda:field name="x"' in found.diagram


def test_what_a_call_gives_and_takes_is_mapped() -> None:
    call = '<callActivity id="n1" calledElement="other" camunda:calledElementBinding="latest">' + extended(
        """<camunda:inputOutput><camunda:inputParameter name="sum">${a * 2}</camunda:inputParameter>
        </camunda:inputOutput>
        <camunda:in source="unit" target="unit"/><camunda:in source="sum" target="total"/>
        <camunda:in sourceExpression="${b > 1}" target="many"/><camunda:in businessKey="#{k}"/>
        <camunda:out source="verdict" target="verdict"/>"""
    )
    found = imported(line(call + "</callActivity>"))
    assert 'value="unit, total = a * 2, many = b &gt; 1"' in found.diagram.decode()
    assert b'<camunda:property name="flow.out" value="verdict" />' in found.diagram
    assert b"inputParameter" not in found.diagram
    assert not rows(found, "refused")
    assert check_diagram(found.diagram) == []


def test_all_variables_in_and_out_is_what_is_done_anyhow() -> None:
    call = '<callActivity id="n1" calledElement="other">' + extended(
        '<camunda:in variables="all"/><camunda:out variables="all"/>'
    )
    found = imported(line(call + "</callActivity>"))
    assert b"extensionElements" not in found.diagram
    assert check_diagram(found.diagram) == []


def test_all_variables_beside_some_of_them_are_refused_each_by_what_it_says() -> None:
    call = '<callActivity id="n1" calledElement="other">' + extended(OUT + '<camunda:out variables="all"/>')
    found = imported(line(call + "</callActivity>"))
    assert [each.before for each in rows(found, "refused")] == ["a → b", 'variables="all"']


def test_multi_instance_activities_keep_their_list_and_counters() -> None:
    loop = """<multiInstanceLoopCharacteristics camunda:collection="${voters}" camunda:elementVariable="voter">
      <completionCondition>${nrOfCompletedInstances/nrOfInstances &gt;= 0.5}</completionCondition>
    </multiInstanceLoopCharacteristics>"""
    found = imported(user_task('camunda:assignee="${voter}"', loop))
    assert b'camunda:collection="voters"' in found.diagram
    assert check_diagram(found.diagram) == []


@pytest.mark.parametrize("text", ["PT4H", "P15D", "2026-12-31T17:00:00Z", "R3/P1W"])
def test_times_that_are_read_here_too_are_kept(text: str) -> None:
    kind = "timeCycle" if text.startswith("R") else "timeDuration" if text.startswith("P") else "timeDate"
    waiting = f'<timerEventDefinition id="t"><{kind}>{text}</{kind}></timerEventDefinition>'
    inside = (
        user_task(inside="") + f'<boundaryEvent id="late" attachedToRef="n1" cancelActivity="false">{waiting}'
    )
    inside += (
        '</boundaryEvent><endEvent id="told"/><sequenceFlow id="tell" sourceRef="late" targetRef="told"/>'
    )
    found = imported(inside)
    assert [row.before for row in rows(found, "kept", kind)] == [text]
    assert check_diagram(found.diagram) == []


def test_a_computed_time_is_translated() -> None:
    waiting = '<timerEventDefinition id="t"><timeDate>${order.due}</timeDate></timerEventDefinition>'
    found = imported(line(f'<intermediateCatchEvent id="n1">{waiting}</intermediateCatchEvent>'))
    assert b'<timeDate>order["due"]</timeDate>' in found.diagram


def test_a_start_by_the_calendar_is_referred_to_the_schedules() -> None:
    timer = (
        '<timerEventDefinition id="t"><timeCycle>0 0 9 1 * ?</timeCycle></timerEventDefinition></startEvent>'
    )
    found = imported(line().replace('"begin"/>', f'"begin">{timer}', 1))
    (row,) = rows(found, "refused", "timeCycle")
    assert (row.element, row.before) == ("begin", "0 0 9 1 * ?")
    assert "schedules: {start}" in row.remedy
    assert "begin: manual   # 0 0 9 1 * ?" in found.procedure
    assert loads(found).schedules == {}


def test_a_condition_in_another_language_is_refused_and_stays() -> None:
    inside = choice("a &gt; 1").replace(b'"tFormalExpression"', b'"tFormalExpression" language="groovy"')
    found = take_in(inside, "tried")
    assert found.diagram == inside
    assert [row.element for row in rows(found, "refused")] == ["yes"]


def test_a_diagram_that_is_not_marked_executable_is_marked() -> None:
    xml = diagram(line()).replace(b'isExecutable="true"', b'isExecutable="false"')
    found = take_in(xml, "tried")
    assert found.diagram == xml.replace(b'isExecutable="false"', b'isExecutable="true"')
    assert check_diagram(found.diagram) == []


def test_an_element_of_which_something_was_translated_is_told_as_kept_beside_that() -> None:
    found = imported(user_task('camunda:assignee="${who}"'))
    assert [(row.outcome, row.what) for row in found.rows if row.element == "n1"] == [
        ("kept", "userTask"), ("translated", "camunda:assignee"),
    ]  # fmt: skip


def test_every_element_of_a_file_stands_in_the_report() -> None:
    xml = (FILES / "camunda7.bpmn").read_bytes()
    told = {row.element for row in take_in(xml, "leave").rows if row.outcome in ("kept", "refused")}
    (process,) = read(xml).processes.values()
    assert {*process.nodes, *process.flows} <= told
