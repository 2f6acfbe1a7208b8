"""What the procedures say about figures, with the examples that prove them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from engine.errors import Invalid
from survey.figures import (
    MEAN_DEPARTMENTS,
    TOP2_RETURNED,
    Counting,
    figures,
    method,
    outcomes,
    percent,
    quota,
    shown,
    summarise,
    to_issue,
)
from tests.survey.asked import form, with_overall


def test_five_levels_weigh_as_003e_has_it() -> None:
    asked = form(5, "kf: a\ngc: b c")
    marks = [5] * 10 + [4] * 5 + [3] * 3 + [2] + [1]
    answers = [{"kf": {"a": mark}, "gc": {"b": 5, "c": 3}} for mark in marks]
    found = summarise(asked, answers, 20, method=MEAN_DEPARTMENTS)
    a = found.items[0]
    assert (shown(a.mean), percent(a.rate.value)) == ("4.10", "82.0%")
    assert [shown(group.mean) for group in found.groups] == ["4.10", "4.00"]
    assert shown(found.whole.mean) == "4.05"  # of the departments, not of the answers
    assert found.method.clause.startswith("003E")


def test_blanks_and_unreturned_questionnaires_are_in_no_base_of_003f() -> None:
    asked = form(5, "m: a b")
    answers = [{"m": {"a": None if place < 2 else 4, "b": 5}} for place in range(35)]
    a = summarise(asked, answers, 40).items[0]
    assert (a.rate.base, a.tally.blank) == (33, 2)
    answers = [{"m": {"a": None if place < 1 else 4}} for place in range(8)]
    assert summarise(asked, answers, 10).items[0].rate.base == 7


@pytest.mark.parametrize(("satisfied", "printed", "met"), [(657, "90.0%", True), (656, "89.9%", False)])
def test_the_whole_of_003i_is_the_overall_judgement_over_all_returned(
    satisfied: int, printed: str, met: bool
) -> None:
    asked = with_overall(4, "m: a", "top2/returned")
    answers: list[dict[str, object]] = [
        {"overall": 4 if place % 2 else 3, "m": {"a": 1}} for place in range(satisfied)
    ]
    answers += [{"overall": None if place % 2 else 2, "m": {"a": None}} for place in range(730 - satisfied)]
    found = summarise(asked, answers, 912)
    assert found.satisfied == (4, 3)
    assert (found.whole.rate.base, percent(found.whole.rate.value)) == (730, printed)
    assert found.whole.rate.value is not None
    assert (found.whole.rate.value >= Fraction(9, 10)) is met
    assert (found.items[0].rate.base, found.items[0].rate.value) == (730, Fraction(0))


def test_quotas_are_judged_on_counts() -> None:
    assert quota(912, 1013, 90).reached
    assert not quota(911, 1013, 90).reached
    assert [quota(0, of, share).needed for of, share in ((1013, 90), (912, 80), (101, 90), (91, 80))] == [
        *(912, 730, 91, 73)
    ]
    assert quota(200, 250, 80).reached
    missed = quota(199, 250, "80")
    assert (missed.reached, missed.short, percent(missed.rate)) == (False, 1, "79.6%")
    assert not quota(0, 0, 80).reached
    assert to_issue(200, 0.35) == 572  # 004B


def test_seven_levels_count_three_as_satisfied_and_weigh_as_004f_has_it() -> None:
    asked = form(7, "m: a*0.5 b*0.3 c*0.2")
    answers = [{"m": {"a": a, "b": 5, "c": 4}} for a in (7, 6, 6, 6, 6)]
    found = summarise(asked, answers, 5, method=MEAN_DEPARTMENTS)
    assert found.satisfied == (7, 6, 5)
    assert (found.items[0].mean, found.whole.mean) == (Fraction(31, 5), Fraction(27, 5))
    assert (shown(found.whole.index, 1), percent(found.whole.rate.value)) == ("73.3", "77.1%")


def test_the_questionnaire_may_say_how_many_points_satisfy() -> None:
    asked = form(5, "m: a", satisfied=3)
    assert summarise(asked, [{"m": {"a": 3}}], 1).whole.rate.value == 1
    assert summarise(form(5, "m: a"), [{"m": {"a": 3}}], 1).whole.rate.value == 0


def test_a_questionnaire_names_a_method_that_there_is() -> None:
    asked = with_overall(5, "m: a", "top3")
    with pytest.raises(Invalid, match=r"no method top3.*top2/answered, top2/returned, mean/departments"):
        summarise(asked, [], 0)
    assert method("top2/returned") == TOP2_RETURNED


def test_who_was_not_asked_an_item_is_in_no_base() -> None:
    extra = "  - {id: why, type: choice, scale: s, label: 投诉处理, show_if: {overall: {lt: 3}}}\n"
    asked = with_overall(4, "m: a", "top2/returned", extra)
    found = summarise(asked, [{"overall": 4}, {"overall": 1, "why": None}, {"overall": 2, "why": 3}], 3)
    why = next(line for line in found.items if line.id == "why")
    assert (why.tally.unasked, why.tally.blank, why.rate.base, why.rate.value) == (1, 1, 2, Fraction(1, 2))


def test_hospital_parts_and_departments_have_rates_of_their_own() -> None:
    counting = Counting(form(5, "m: a"), groups=("part", "department"))
    for part, department, mark in [
        ("门诊", "内科", 5),
        ("门诊", "外科", 1),
        ("住院", "内科", 4),
        ("住院", "内科", 2),
    ]:
        counting.add({"m": {"a": mark}}, {"part": part, "department": department})
    counts = counting.counts()
    rates = {
        (by, name): figures(part, issued=0).whole.rate.value
        for by in ("part", "department")
        for name, part in counts.split(by).items()
    }
    assert rates == {
        **{("part", "门诊"): Fraction(1, 2), ("part", "住院"): Fraction(1, 2)},
        **{("department", "内科"): Fraction(2, 3), ("department", "外科"): 0},
    }


def test_outcome_rates_are_aapors() -> None:
    found = outcomes({"complete": 60, "partial": 5, "refusal": 10, "non-contact": 15, "other": 4,
                      "unknown-eligibility": 6, "ineligible": 50})  # fmt: skip
    assert (found.response_rate_1, found.response_rate_2) == (Fraction(60, 100), Fraction(65, 100))
    assert (found.cooperation_rate_1, found.refusal_rate_1) == (Fraction(60, 79), Fraction(10, 100))
    assert found.contact_rate_1 == Fraction(79, 100)
    assert outcomes({"returned": 3, "issued": 1, "unreachable": 1}).response_rate_1 == Fraction(3, 5)
    assert outcomes({"complete": 3, "blank": 1}).cooperation_rate_1 == Fraction(3, 4)
    assert outcomes({}).response_rate_1 is None


def test_a_questionnaire_without_ratings_has_a_return_rate_and_no_more() -> None:
    asked = form(5, "", more="  - {id: said, type: text, label: 意见}\n")
    found = summarise(asked, [{"said": "好"}], 4)
    assert (found.return_rate, found.items, found.whole.rate.value) == (Fraction(1, 4), (), None)
    assert (found.whole.index, found.whole.interval, found.points) == (None, None, ())
