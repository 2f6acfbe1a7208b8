"""Answers that cannot well be true are pointed out."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from engine.forms import load_form
from survey.plausibility import doubts

FORM = load_form(
    """
form: flow/1
id: asked
version: "1"
kind: questionnaire
anonymity: confidential
title: 问卷
scales:
  level:
    points: [{value: 5, label: 好}, {value: 3, label: 中}, {value: 1, label: 差}]
    na: {value: 9, label: 不了解}
score: {method: top2/answered, overall: overall}
fields:
  - {id: service, type: matrix, scale: level, label: 服务, rows: [{id: a, label: 甲}, {id: b, label: 乙}]}
  - {id: overall, type: choice, scale: level, label: 总体}
  - {id: wish, type: text, label: 意见}
""".encode(),
    "asked.yaml",
)
GAP = Fraction(2)


def answers(a: int | None, b: int | None, overall: int | None, wish: str = "") -> dict[str, object]:
    return {"service": {"a": a, "b": b}, "overall": overall, "wish": wish}


def test_the_same_set_twice_is_doubted_on_both_sides() -> None:
    sets = [answers(5, 3, 5, "快点"), answers(5, 3, 5), answers(5, 3, 5, "快点")]
    assert [(each.place, each.others) for each in doubts(FORM, sets, GAP)] == [(0, (2,)), (2, (0,))]


def test_many_may_give_one_and_the_same_point_to_everything() -> None:
    assert list(doubts(FORM, [answers(5, 5, 5), answers(5, 5, 5)], GAP)) == []


def test_an_overall_judgement_at_odds_with_the_items_is_doubted_from_the_gap_on() -> None:
    sets = [answers(5, 5, 1), answers(5, 1, 1), answers(5, 3, 1), answers(5, 9, 3)]
    found = [(each.place, each.overall, each.mean) for each in doubts(FORM, sets, GAP)]
    assert found == [(0, 1, 5), (1, 1, 3), (2, 1, 4), (3, 3, 5)]
    assert [each.place for each in doubts(FORM, sets, Fraction(5, 2))] == [0, 2]


points = st.sampled_from([5, 3, 1, 9, None])


@given(st.lists(st.builds(answers, points, points, points), max_size=8))
def test_what_was_not_answered_is_never_at_odds_and_places_come_in_order(
    sets: list[dict[str, object]],
) -> None:
    found = list(doubts(FORM, sets, GAP))
    assert [each.place for each in found] == sorted(each.place for each in found)
    for each in found:
        if each.others:
            assert all(sets[other] == sets[each.place] for other in each.others)
        else:
            assert sets[each.place]["overall"] in (5, 3, 1)
