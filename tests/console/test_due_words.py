"""A rule for a due date, told in the reader's words."""

from __future__ import annotations

import itertools

import pytest

from console import language
from console.due_words import in_words

STEPS = {"distribute": "发放问卷"}
DAYS = {"d0": "2026-09-09", "opened": "2026-09-01"}


@pytest.mark.parametrize(
    ("rule", "zh", "en"),
    [
        ("P2WD", "任务开启（2026-09-01）之后 2 个工作日内（自次日起算）",
         "within 2 working days after the opening of the task (2026-09-01), counted from the day after"),
        ("P15D from d0", "自d0（2026-09-09）起 15 个自然日内（当日计为第一日）",
         "within 15 calendar days from d0 (2026-09-09), which counts as the first day"),
        ("P14D before d0", "最迟在d0（2026-09-09）之前 14 个自然日",
         "14 calendar days before d0 (2026-09-09) at the latest"),
        ("P1WD after planned(distribute)", "“发放问卷”的计划完成日之后 1 个工作日内（自次日起算）",
         "within 1 working day after the planned end of 发放问卷, counted from the day after"),
        ("P2WD counted d0", "自d0（2026-09-09）起 2 个工作日内（当日计为第一日）",
         "within 2 working days from d0 (2026-09-09), which counts as the first day"),
        ("P1MT4H after actual(x)", "“x”的完成日之后 1 个月 4 小时内", "within 1 month, 4 hours after the end of x"),
        ("P0D after d0", "d0（2026-09-09）当日", "on the day of d0 (2026-09-09)"),
        ("P8D before d0, previous working day", "最迟在d0（2026-09-09）之前 8 个自然日；逢非工作日提前到前一个工作日",
         "8 calendar days before d0 (2026-09-09) at the latest; "
         "moved back to the working day before where that is none"),
        ("day 5 of next month", "下月的第 5 日", "on day 5 of next month"),
        ("working day 3 of previous quarter of d0", "d0（2026-09-09）所在季度的上一季度的第 3 个工作日",
         "on working day 3 of the quarter before that of d0 (2026-09-09)"),
        ("last working day of quarter of d0", "d0（2026-09-09）所在季度的最后一个工作日",
         "on the last working day of the quarter of d0 (2026-09-09)"),
        ("31 december of next year", "明年12月31日", "on 31 December of next year"),
        ("2026-12-31T17:00", "2026-12-31 17:00:00 之前完成（含当日）", "by 2026-12-31 17:00:00"),
    ],
)  # fmt: skip
def test_a_rule_is_told_in_the_language_in_use(rule: str, zh: str, en: str) -> None:
    said = []
    for each in ("zh", "en"):
        language.use(each)
        said.append(in_words(rule, "from", STEPS, DAYS))
    assert said == [zh, en]


def test_no_form_of_the_grammar_is_without_its_words() -> None:
    language.use("zh")
    lengths = ("P1Y", "P2M", "P3W", "P4D", "P5WD", "PT6H", "PT7M", "PT8S", "P0D", "P0WD")
    anchors = ("d0", "planned(a)", "actual(a)")
    units = ("month", "quarter", "half-year", "year")
    days = ("day 1", "working day 2", "first day", "last day", "first working day", "last working day")
    offsets = itertools.product(lengths, ("after", "before", "from", "counted"), anchors)
    periods = itertools.product(
        days, ("this", "next", "previous"), units, ("", *(f" of {each}" for each in anchors))
    )
    rules = [
        *(f"{length} {counting} {anchor}" for length, counting, anchor in offsets),
        *(f"{day} of {shift} {unit}{anchor}" for day, shift, unit, anchor in periods),
        *lengths,
    ]
    for rule in rules:
        for roll in ("", ", next working day", ", previous working day"):
            said = in_words(rule + roll, None, {}, {})
            assert "{" not in said
            assert not any(word in said for word in (" the ", "of ", "on ", "within", "days", "before"))
