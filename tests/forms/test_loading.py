"""Which forms are accepted, and what an author is told."""

import re

import pytest

from engine.forms import outline
from tests.forms.samples import QUESTIONNAIRE, TASK, faults, form


def test_a_questionnaire_is_read_whole():
    survey = form(QUESTIONNAIRE)
    assert (survey.id, survey.version, survey.kind, survey.anonymity) == (
        *("satisfaction", "2026.1", "questionnaire", "confidential"),
    )
    assert survey.title.of("en_GB") == "Customer satisfaction"
    assert survey.fields[0].label.of("en") == "请按实际感受填写"
    quality = survey.fields[1]
    assert [(row.id, row.weight) for row in quality.rows] == [("q1", 0.6), ("q2", 0.4)]
    assert [option.value for option in quality.options] == [5, 4, 3, 2, 1, "NA"]
    assert quality.scale is not None
    assert quality.scale.na is not None
    assert survey.score is not None
    assert (survey.score.method, survey.score.na, survey.score.to) == ("weighted_mean", "redistribute", 100)
    assert survey.personal == {"telephone"}


def test_a_form_names_the_variables_it_reads():
    assert form(TASK).variables == {"unit", "fieldwork_closed"}


LABEL = "label: 题"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("- {id: a, type: text, label: {en: only}}", "line 6: zh is missing"),
        ("- {id: a, type: text}", "line 6: label is missing"),
        (f"- {{id: A-1, type: text, {LABEL}}}", "A-1 cannot be an id"),
        (f"- {{id: any, type: text, {LABEL}}}", "any is a word of conditions"),
        (f"- {{id: class, type: text, {LABEL}}}", "class is a word of conditions"),
        (
            f"- {{id: a, type: text, {LABEL}}}\n- {{id: a, type: text, {LABEL}}}",
            "line 7: The id a is given twice",
        ),
        (f"- {{id: a, type: textt, min: 1, {LABEL}}}", "type cannot be textt. Did you mean text?"),
        (f"- {{id: a, type: text, requird: true, {LABEL}}}", "Unknown key requird. Did you mean required?"),
        (f"- {{id: a, type: boolean, min: 1, {LABEL}}}", "Unknown key min"),
        (f"- {{id: a, type: info, required: true, {LABEL}}}", "Unknown key required"),
        (f"- {{id: a, type: text, anonymity: x, {LABEL}}}", "Unknown key anonymity"),
        (f"- {{id: a, type: text, pattern: '(', {LABEL}}}", "The pattern cannot be read"),
        (f"- {{id: a, type: text, pattern: '(?=b)b', {LABEL}}}", "The pattern cannot be read: invalid perl"),
        (f"- {{id: a, type: text, min_length: 9, max_length: 3, {LABEL}}}", "The lengths fit no text"),
        (f"- {{id: a, type: integer, min: 9, max: 3, {LABEL}}}", "min lies above max"),
        (f"- {{id: a, type: integer, min: x, {LABEL}}}", "min does not fit: Expected a number, found x"),
        (
            f"- {{id: a, type: integer, max: 3, default: 4, {LABEL}}}",
            "default does not fit: Expected at most 3",
        ),
        (f"- {{id: a, type: date, default: soon, {LABEL}}}", "default does not fit: Expected a date"),
        (f"- {{id: a, type: text, read_only: true, {LABEL}}}", "Nothing fills in this read-only field"),
        (f"- {{id: a, type: choice, options: [], {LABEL}}}", "options is empty"),
        (f"- {{id: a, type: choice, scale: s, {LABEL}}}", "There is no scale s"),
        (
            f"- {{id: a, type: choice, options: [{{value: x, label: 甲}}, {{value: X, label: 乙}}], {LABEL}}}",
            "x already stands for the option x",
        ),
        (
            f"- {{id: a, type: choice, options: [{{value: x, label: 甲}}, {{value: y, label: 甲}}], {LABEL}}}",
            "甲 already stands for the option x",
        ),
        (
            f"- {{id: a, type: choice, options: [{{label: 甲}}], {LABEL}}}",
            "An option needs a value, found null",
        ),
        (
            f"- {{id: a, type: choices, max: -1, options: [{{value: x, label: 甲}}], {LABEL}}}",
            "min and max fit no count",
        ),
        (
            f"- {{id: a, type: date, not_before: b, {LABEL}}}\n- {{id: b, type: date, {LABEL}}}",
            "b comes later",
        ),
        (
            f"- {{id: b, type: text, {LABEL}}}\n- {{id: a, type: date, not_before: b, {LABEL}}}",
            "line 7: b is no date",
        ),
        (
            f"- {{id: a, type: table, {LABEL}, fields: [{{id: b, type: table, {LABEL}}}]}}",
            "type cannot be table",
        ),
        (
            f"- {{id: a, type: table, {LABEL}, fields: [{{id: b, type: date, show_if: {{}}, {LABEL}}}]}}",
            "show_if",
        ),
        (
            f"- {{id: a, type: matrix, scale: s, {LABEL}, rows: [{{id: r, weight: x, {LABEL}}}]}}",
            "weight expects a number",
        ),
        (f"- {{id: a, type: matrix, scale: s, {LABEL}, rows: [{{id: r, weight: -1, {LABEL}}}]}}", "below 0"),
        (
            f"- {{id: a, type: matrix, scale: s, {LABEL}, rows: [{{id: r, weight: 1, {LABEL}}}, {{id: q, {LABEL}}}]}}",
            "weights of the rows are incomplete",
        ),
    ],
)
def test_a_faulty_field_is_refused_by_line_and_reason(fields, said):
    assert any(
        said in fault for fault in faults(f"form: flow/1\nid: f\nversion: '1'\ntitle: 表\nfields:\n{fields}")
    )


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("{later: {eq: x}}", "later is no earlier field"),
        ("{itself: {eq: x}}", "itself is no earlier field"),
        ("{decisio: {eq: agree}}", "Did you mean decision?"),
        ("{decision: {eq: agreed}}", "did you mean agree?"),
        ("{decision: {eq: 同意}}", "No answer is ever 同意. Write agree"),
        ("{decision: {lt: agree}}", "lt cannot be asked of this field. Write one of: eq, ne, in, answered"),
        ("{decision: {equals: agree}}", "equals cannot be asked"),
        ("{decision: {in: agree}}", "in expects a list"),
        ("{decision: agree}", "decision expects keys with values"),
        ("{decision: {answered: 1}}", "answered expects true or false"),
        ("{decision.x: {eq: agree}}", "decision has no row x"),
        ("{grid.r9: {eq: 1}}", "grid has no row r9"),
        ("{grid: {eq: 1}}", "eq cannot be asked of this field. Write one of: answered"),
        ("{grid.r1: {gt: 3}}", "3 is not among the options"),
        ("{size: {gt: '3'}}", "No answer is ever 3. Write 3"),
        ("{any: []}", "any is empty"),
        ("{}", "The condition is empty"),
        ("{not: {nobody: {eq: 1}}}", "nobody is no earlier field"),
    ],
)
def test_a_condition_that_could_never_hold_is_refused(condition, said):
    text = f"""
form: flow/1
id: f
version: "1"
title: 表
scales:
  s: {{points: [{{value: 1, label: 好}}, {{value: 2, label: 差}}]}}
fields:
  - {{id: decision, type: choice, label: 意见, options: [{{value: agree, label: 同意}}]}}
  - {{id: grid, type: matrix, scale: s, label: 表, rows: [{{id: r1, label: 一}}]}}
  - {{id: size, type: integer, label: 数}}
  - {{id: itself, type: text, label: 题, show_if: {condition}}}
  - {{id: later, type: text, label: 题}}
"""
    found = faults(text)
    assert len(found) == 1
    assert found[0].startswith("form.yaml line 12: ")
    assert said in found[0]


def test_all_faults_of_a_form_are_told_at_once():
    text = QUESTIONNAIRE.replace("value: 4", "value: 5").replace("weight: 0.4, label", "weight: 高, label")
    text = text.replace("scale: sat5, label", "scale: sat6, label").replace("id: why", "id: overall")
    text = text.replace('version: "2026.1"', "version: 2026.1").replace("quality.q1:", "quality.q7:")
    assert [fault.split(": ")[0].removeprefix("form.yaml ") for fault in faults(text)] == [
        *("line 4", "line 13", "line 25", "line 27", "line 28", "line 29", "line 33"),
    ]


def test_a_form_without_version_is_told_how_one_is_written():
    [said] = faults(re.sub("version: .*\n", "", QUESTIONNAIRE))
    assert said.endswith('version is missing. Add `version: "1"` here')


def test_an_anonymous_questionnaire_asks_for_nothing_personal():
    (fault,) = faults(QUESTIONNAIRE.replace("anonymity: confidential", "anonymity: anonymous"))
    assert "An anonymous form asks for personal values" in fault


def test_a_questionnaire_has_to_say_how_anonymous_it_is_and_a_task_form_may_not():
    assert "anonymity is missing" in faults(QUESTIONNAIRE.replace("anonymity: confidential\n", ""))[0]
    assert "Unknown key anonymity" in faults(TASK + "anonymity: named\n")[0]


def test_an_outline_says_what_is_asked_in_either_language():
    prompts = {prompt.name: prompt for prompt in outline(form(QUESTIONNAIRE), "zh")}
    assert list(prompts) == ["lead", "quality", "quality.q1", "quality.q2", "overall", "why", "telephone"]
    assert prompts["quality"].type == prompts["lead"].type == "info"
    assert prompts["quality.q2"].label == "可靠性"
    assert prompts["quality.q2"].required
    assert prompts["quality.q2"].choices[-1] == ("NA", "不适用")
    assert prompts["why"].when == "性能 不大于 不满意 或 可靠性 不大于 不满意"
    english = {prompt.name: prompt for prompt in outline(form(QUESTIONNAIRE), "en")}
    assert english["why"].when == "Performance is at most Dissatisfied or Reliability is at most Dissatisfied"
    assert english["quality.q1"].hint == "choose one"


def test_an_outline_after_some_answers_leaves_hidden_fields_out():
    assert "why" not in {prompt.name for prompt in outline(form(QUESTIONNAIRE), "zh", {})}
    assert "why" in {prompt.name for prompt in outline(form(QUESTIONNAIRE), "zh", {"quality.q1": "不满意"})}


def test_an_outline_tells_limits_and_columns():
    prompts = {prompt.name: prompt for prompt in outline(form(TASK), "zh")}
    assert prompts["sample_size"].hint == "整数；至少 30；至多 5000"
    assert prompts["rate"].hint == "数字；至少 0；至多 1"
    assert "不早于 今天" in prompts["due"].hint
    assert "不晚于 完成日期" in prompts["seen"].hint
    assert prompts["unit"].read_only
    assert [(column.name, column.label) for column in prompts["problems"].columns] == [
        *(("what", "问题"), ("limit", "期限"), ("count", "数量")),
    ]


def test_an_outline_puts_every_kind_of_condition_into_words():
    text = (
        TASK
        + """
  - id: last
    type: info
    label: 完
    show_if:
      all:
        - {not: {again: {eq: true}}}
        - {ways: {in: [phone, visit]}}
        - {any: [{owner: {answered: true}}, {sample_size: {gte: 50, lt: 60}}]}
"""
    )
    assert outline(form(text), "zh")[-1].when == (
        "(并非 需要复查 为 是) 且 方式 为 电话、上门 之一 且 (负责人 已填写 或 (样本量 不小于 50 且 样本量 小于 60))"
    )


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("    na:", "    satisfied: 5\n    na:", "The scale cannot be told apart so"),
        ("to: 100}", "to: 100, overall: q11}", "There is no overall q11. Did you mean q1?"),
        ("to: 100}", "to: 100, scale: likert}", "There is no scale likert"),
    ],
)
def test_what_figures_are_told_has_to_be_there(was, now, said):
    assert was in QUESTIONNAIRE
    assert said in faults(QUESTIONNAIRE.replace(was, now))[0]


def test_a_questionnaire_says_what_figures_need():
    survey = form(
        QUESTIONNAIRE.replace("    na:", "    satisfied: 3\n    na:").replace(
            "to: 100}", "to: 100, overall: q1}"
        )
    )
    assert survey.score is not None
    assert (survey.scales[0].satisfied, survey.score.overall, survey.score.scale) == (3, "q1", None)
