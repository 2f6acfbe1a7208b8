"""What becomes of the values a person gives, and what they are told."""

import json
from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.errors import Invalid
from engine.forms import Form, clean, draft, prefill, visible
from tests.forms.samples import QUESTIONNAIRE, TASK, TODAY, VARIABLES, cleaned, form, refused

AGREED: dict[str, object] = {"decision": "agree", "due": "2026-09-20"}
AGREED_FIELDS = [field.id for field in visible(form(TASK), AGREED)]
FORMS = {"task": form(TASK), "questionnaire": form(QUESTIONNAIRE)}


def test_a_task_form_gives_typed_values_of_every_visible_field():
    assert cleaned(TASK, **AGREED) == {
        **{"unit": "三车间", "decision": "agree", "due": "2026-09-20", "seen": None, "called_at": None},
        **{"sample_size": 100, "rate": None, "again": None, "ways": [], "owner": None, "problems": []},
    }


@pytest.mark.parametrize(
    ("field", "written", "value"),
    [
        ("sample_size", "300", 300),
        ("sample_size", "３００", 300),
        ("sample_size", "1,200", 1200),
        ("sample_size", 300.0, 300),
        ("rate", " 0.85 ", 0.85),
        ("rate", "1.0", 1),
        ("again", "是", True),
        ("again", "否", False),
        ("again", "true", True),
        ("again", "No", False),
        ("again", 1, True),
        ("decision", "同意", "agree"),
        ("decision", "AGREE", "agree"),
        ("due", "2026年9月14日", "2026-09-14"),
        ("due", "２０２６／９／１４", "2026-09-14"),
        ("due", "2026.9.14", "2026-09-14"),
        ("due", date(2026, 9, 14), "2026-09-14"),
        ("due", datetime(2026, 9, 14), "2026-09-14"),  # noqa: DTZ001 (a spreadsheet's date)
        ("called_at", "2026年9月14日 16时30分", "2026-09-14T16:30:00"),
        ("called_at", "2026-09-14T16:30", "2026-09-14T16:30:00"),
        ("ways", "上门、电话", ["phone", "visit"]),
        ("ways", ["visit", "visit"], ["visit"]),
        ("ways", "邮寄, 快递", ["mail"]),
        ("ways", '["mail"]', ["mail"]),
        ("owner", 1024, "1024"),
        ("owner", "  ", None),
        ("problems", '[{"what": "慢", "count": "２"}]', [{"what": "慢", "limit": None, "count": 2}]),
        ("problems", [{"what": "慢"}, {"what": ""}, {}], [{"what": "慢", "limit": None, "count": None}]),
    ],
)
def test_what_a_person_writes_becomes_the_typed_value(field, written, value):
    assert cleaned(TASK, **AGREED | {field: written})[field] == value


@pytest.mark.parametrize(
    ("field", "written", "where", "said"),
    [
        ("decision", None, "decision", "An answer is required"),
        ("decision", "agreed", "decision", "agreed is not among the options; did you mean agree?"),
        ("due", "2026-09-13", "due", "2026-09-13 lies before 2026-09-14 (today)"),
        ("due", "2026-02-30", "due", "There is no day 2026-02-30"),
        ("due", "0226-09-14", "due", "Expected a year from 1900"),
        ("due", "soon", "due", "Expected a date such as"),
        ("due", "2026-09-14 10:00", "due", "Expected a date such as"),
        ("seen", "2026-09-09", "seen", "2026-09-09 lies before 2026-09-10 (fieldwork_closed)"),
        ("seen", "2026-09-21", "seen", "2026-09-21 lies after 2026-09-20 (due)"),
        ("called_at", "2026-09-14 25:00", "called_at", "There is no time 25:00"),
        ("called_at", "2026-09-14", "called_at", "Expected a date and time"),
        ("sample_size", "29", "sample_size", "Expected at least 30, found 29"),
        ("sample_size", 5001, "sample_size", "Expected at most 5000, found 5001"),
        ("sample_size", "1.5", "sample_size", "Expected a whole number, found 1.5"),
        ("sample_size", True, "sample_size", "Expected a number, found true"),
        ("sample_size", 10**50, "sample_size", "too large"),
        ("rate", "85%", "rate", "Expected a number, found 85%"),
        ("rate", float("nan"), "rate", "too large"),
        ("again", "perhaps", "again", "Expected yes or no"),
        ("ways", "phone、visit、邮寄", "ways", "邮寄 is not among the options"),
        ("ways", ["phone", "visit", "mail"], "ways", "Expected 0 to 2 entries, found 3"),
        ("owner", "a\nb", "owner", "Expected one line"),
        ("owner", "a\x00b", "owner", "cannot be stored"),
        ("owner", "\ud800", "owner", "cannot be stored"),
        ("owner", ["a"], "owner", "Expected text, found […]"),
        ("unit", "一车间", "unit", "cannot be changed"),
        ("problems", [{"what": "慢"}, {"count": 2}], "problems.2.what", "An answer is required"),
        ("problems", [{"what": "慢", "limit": "2026-09-01"}], "problems.1.limit", "lies before"),
        ("problems", [{"what": "慢", "cout": 1}], "problems.1.cout", "did you mean count?"),
        ("problems", [{"what": "慢"}, "x"], "problems.2", "Expected a row"),
        ("problems", [{"what": "慢"}] * 4, "problems", "Expected 0 to 3 entries, found 4"),
        ("problems", "[" * 100_000, "problems", "Expected JSON"),
        ("reasn", "x", "reasn", "did you mean reason?"),
        ("decision.agree", "x", "decision.agree", "There is no such field"),
    ],
)
def test_what_does_not_fit_is_refused_with_place_and_reason(field, written, where, said):
    (told,) = refused(TASK, **AGREED | {field: written}).items()
    assert told[0] == where
    assert said in told[1]


@pytest.mark.parametrize("field", AGREED_FIELDS)
def test_a_number_too_long_to_be_written_out_is_refused_anywhere(field):
    assert refused(TASK, **AGREED | {field: 10**5000})


def test_all_problems_are_told_at_once():
    assert set(refused(TASK, due="x", sample_size=1, rate=2, problems=[{"count": 0}], nobody=1)) == {
        *("decision", "sample_size", "rate", "problems.1.what", "problems.1.count", "nobody"),
    }


def test_an_answer_to_a_hidden_field_is_dropped_unread():
    values = cleaned(TASK, **AGREED, reason="too long by far " * 100)
    assert "reason" not in values
    assert "due" not in cleaned(TASK, decision="return", reason="缺样本", due="no date")


def test_a_field_shown_by_an_answer_is_required_by_it():
    assert refused(TASK, decision="退回修改") == {"reason": "An answer is required"}


def test_a_matrix_is_given_whole_or_by_row():
    assert cleaned(QUESTIONNAIRE, **{"quality.q1": "满意", "quality": {"q2": "不适用"}})["quality"] == {
        "q1": 4,
        "q2": "NA",
    }
    assert refused(QUESTIONNAIRE, **{"quality.q1": 9, "quality.q2": 1})["quality.q1"].startswith(
        "9 is not among"
    )
    assert refused(QUESTIONNAIRE, quality={"q1": 4}) == {"quality.q2": "An answer is required"}
    assert "quality.q1" in refused(QUESTIONNAIRE, **{"quality": {"q1": 4, "q2": 4}, "quality.q1": 3})


def test_a_poor_mark_asks_for_its_reason_and_not_applicable_does_not():
    assert refused(QUESTIONNAIRE, quality={"q1": 2, "q2": 5}) == {"why": "An answer is required"}
    assert "why" not in cleaned(QUESTIONNAIRE, quality={"q1": "NA", "q2": 3})


def test_a_pattern_has_to_match_the_whole_text():
    good: dict[str, object] = {"quality": {"q1": 5, "q2": 5}}
    assert cleaned(QUESTIONNAIRE, **good, telephone=13800138000)["telephone"] == "13800138000"
    assert "does not have the form" in refused(QUESTIONNAIRE, **good, telephone="138001380001")["telephone"]


def test_a_pattern_with_nested_repetition_is_answered_at_once():
    text = 'form: flow/1\nid: a\nversion: "1"\ntitle: 名\n'
    text += "fields:\n  - {id: name, type: text, label: 名, pattern: '([A-Za-z]+ ?)+'}\n"
    long = "Zhang San Property Management Office Building Number " * 10
    assert cleaned(text, name=long.strip())["name"] == long.strip()
    assert "does not have the form" in refused(text, name=long + "3")["name"]


def test_a_default_stands_when_nothing_is_given_and_not_when_the_answer_is_blank():
    assert cleaned(TASK, **AGREED)["sample_size"] == 100
    assert cleaned(TASK, **AGREED, sample_size="")["sample_size"] is None


def test_a_comparison_with_a_variable_that_holds_no_date_is_told():
    with pytest.raises(Invalid, match="variable fieldwork_closed, no date: null"):
        clean(form(TASK), {**AGREED, "seen": "2026-09-15"}, today=TODAY, variables={"unit": "三车间"})


def test_a_form_is_opened_with_variables_and_defaults():
    assert prefill(form(TASK), today=TODAY, variables=VARIABLES) == {"unit": "三车间", "sample_size": 100}
    text = TASK.replace("{id: called_at, type: datetime", "{id: called_at, default: today, type: date")
    assert prefill(form(text), today=TODAY, variables={})["called_at"] == "2026-09-14"


def test_a_required_field_that_nobody_can_fill_names_its_variable():
    text = TASK.replace("read_only: true,", "read_only: true, required: true,")
    with pytest.raises(Invalid, match="variable unit, which is empty"):
        clean(form(text), AGREED, today=TODAY, variables={})


def test_a_draft_keeps_what_is_there_and_asks_for_nothing():
    assert draft(form(TASK), {}) == {}
    assert draft(form(TASK), {"sample_size": "3", "due": "soon", "reason": "缺"}) == {
        "sample_size": 3,
        "due": "soon",
        "reason": "缺",
    }
    with pytest.raises(Invalid, match="did you mean reason"):
        draft(form(TASK), {"reasn": "x"})
    with pytest.raises(Invalid, match="cannot be stored"):
        draft(form(TASK), {"sample_size": float("inf")})


def test_the_fields_to_show_follow_the_answers_so_far():
    def names(**values: object) -> set[str]:
        return {field.id for field in visible(form(TASK), values)} & {"reason", "due"}

    assert names() == set()
    assert names(decision="退回修改") == {"reason"}
    assert names(decision="agree") == {"due"}
    assert names(decision="unreadable") == set()


CONDITIONS = [
    ("{size: {eq: 3}}", {"size": 3}, True),
    ("{size: {ne: 3}}", {"size": 3}, False),
    ("{size: {ne: 3}}", {"size": 4}, True),
    ("{size: {ne: 3}}", {}, False),
    ("{size: {answered: false}}", {}, True),
    ("{size: {answered: true}}", {}, False),
    ("{size: {gte: 3, lt: 5}}", {"size": 5}, False),
    ("{size: {gte: 3, lt: 5}}", {"size": 4}, True),
    ("{size: {gt: 3}}", {}, False),
    ("{day: {lte: '2026-09-14'}}", {"day": "2026年9月14日"}, True),
    ("{day: {gt: '2026-09-14'}}", {"day": "2026-09-14"}, False),
    ("{ways: {eq: a}}", {"ways": ["a", "b"]}, True),
    ("{ways: {ne: a}}", {"ways": ["a", "b"]}, False),
    ("{ways: {in: [b, c]}}", {"ways": ["a", "b"]}, True),
    ("{ways: {in: [c]}}", {"ways": ["a", "b"]}, False),
    ("{ways: {answered: false}}", {"ways": []}, True),
    ("{not: {size: {eq: 3}}}", {}, True),
    ("{not: {size: {eq: 3}, day: {answered: true}}}", {"size": 3}, True),
    ("{any: [{size: {eq: 3}}, {ways: {eq: c}}]}", {"ways": "c"}, True),
    ("{all: [{size: {eq: 3}}, {ways: {eq: c}}]}", {"ways": "c"}, False),
    ("{size: {eq: 3}, ways: {eq: c}}", {"ways": "c", "size": 3}, True),
]


@pytest.mark.parametrize(("condition", "answers", "shown"), CONDITIONS)
def test_a_condition_decides_whether_a_field_is_shown(condition, answers, shown):
    text = f"""
form: flow/1
id: f
version: "1"
title: 表
fields:
  - {{id: size, type: integer, label: 数}}
  - {{id: day, type: date, label: 日}}
  - id: ways
    type: choices
    label: 式
    options: [{{value: a, label: 甲}}, {{value: b, label: 乙}}, {{value: c, label: 丙}}]
  - {{id: more, type: text, label: 题, show_if: {condition}}}
"""
    assert ("more" in cleaned(text, **answers)) is shown


scalars = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    st.sampled_from(["agree", "return", "同意", "2026-09-20", "１２", "是", 5, "NA", "phone", "[]", "{}"]),
)
json_values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["q1", "q2", "what", "limit", "count", "x"]), inner, max_size=3),
    ),
    max_leaves=8,
)
filled = st.sampled_from(sorted(FORMS)).flatmap(
    lambda name: st.tuples(
        st.just(FORMS[name]),
        st.dictionaries(
            st.sampled_from([field.id for field in FORMS[name].fields] + ["quality.q1", "nobody"]),
            json_values,
            max_size=6,
        ),
    )
)

likely = st.fixed_dictionaries(
    {"decision": st.sampled_from(["agree", "同意", "return"])},
    optional={
        "due": st.dates(TODAY, date(2027, 1, 1)).map(str),
        "reason": st.text(max_size=20),
        "called_at": st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001
        "sample_size": st.one_of(st.integers(30, 5000), st.integers(30, 5000).map(str), st.just("")),
        "rate": st.floats(0, 1),
        "again": st.booleans(),
        "ways": st.lists(st.sampled_from(["phone", "上门", "mail"]), max_size=2),
        "owner": st.text(max_size=20),
        "problems": st.lists(
            st.fixed_dictionaries({"what": st.text("ab\r\n 　", max_size=4), "count": st.integers(1, 9)}),
            max_size=3,
        ),
    },
)


@given(filled)
def test_no_input_is_answered_by_anything_but_values_or_problems(case: tuple[Form, dict[str, object]]):
    filled_form, values = case
    for use in (
        lambda: clean(filled_form, values, today=TODAY, variables=VARIABLES),
        lambda: draft(filled_form, values),
    ):
        try:
            told: object = json.dumps(use(), allow_nan=False, ensure_ascii=False).encode()
        except Invalid as refusal:
            told = [str(problem) for problem in refusal.problems]
        assert told
    assert visible(filled_form, values)


@given(json_values)
def test_no_input_in_place_of_the_values_is_a_crash(values):
    try:
        told: object = clean(FORMS["task"], values, today=TODAY, variables=VARIABLES)
    except Invalid as refusal:
        told = refusal.problems
    assert told


@settings(suppress_health_check=[HealthCheck.filter_too_much])  # most random forms are rightly refused
@given(likely)
def test_cleaning_clean_values_changes_nothing(values):
    try:
        once = clean(FORMS["task"], values, today=TODAY, variables=VARIABLES)
    except Invalid:
        assume(False)
    assert clean(FORMS["task"], once, today=TODAY, variables=VARIABLES) == once


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "sample_size": st.integers(30, 5000),
            "rate": st.floats(0, 1),
            "again": st.booleans(),
            "seen": st.dates(date(2026, 9, 10), date(2026, 9, 20)).map(str),
            "owner": st.text("abc张三", min_size=1),
            "ways": st.lists(st.sampled_from(["phone", "visit", "mail"]), max_size=2, unique=True).map(
                sorted
            ),
        },
    )
)
def test_values_written_as_text_are_the_same_as_typed_ones(values):
    def written(value: object) -> str:
        return ",".join(value) if isinstance(value, list) else str(value)

    typed = cleaned(TASK, **AGREED, **values)
    assert cleaned(TASK, **AGREED, **{name: written(value) for name, value in values.items()}) == typed


def asking(*fields: str) -> str:
    """A form with these fields."""
    lines = "".join(f"  - {{{field}, label: 问}}\n" for field in fields)
    return f'form: flow/1\nid: f\nversion: "1"\ntitle: 表\nfields:\n{lines}'


@pytest.mark.parametrize("nothing", ["\u200b", " \u3000\ufeff", "\u2800", "\u3164"])
def test_what_cannot_be_seen_is_no_answer(nothing: str) -> None:
    with pytest.raises(Invalid, match="why: An answer is required"):
        cleaned(asking("id: why, type: text, required: true"), why=nothing)


def test_a_person_is_named_by_their_id_however_wide_it_is_written() -> None:
    assert cleaned(asking("id: who, type: person"), who="ｗａｎｇ．fang\u200b") == {"who": "wang.fang"}


def test_a_row_whose_json_gives_one_key_twice_is_refused() -> None:
    with pytest.raises(Invalid, match="rows: a is given twice"):
        cleaned(
            asking("id: rows, type: table, fields: [{id: a, type: integer, label: 甲}]"),
            rows='[{"a": 1, "a": 2}]',
        )


def test_of_very_many_unknown_fields_the_first_are_named_and_the_rest_counted() -> None:
    with pytest.raises(Invalid) as found:
        cleaned(asking("id: why, type: text"), **{f"{'why' * 30}{number}": 1 for number in range(5_000)})
    assert len(found.value.problems) == 51
    assert "4950 more fields" in str(found.value)
