"""What can be found wrong with a questionnaire by reading it alone."""

from __future__ import annotations

import pytest

from engine.errors import Misbuilt
from engine.forms import Form, load_form
from survey.wording import faults, private

HEAD = """
form: flow/1
id: asked
version: "1"
kind: questionnaire
anonymity: confidential
title: 问卷
"""
INTRO = "intro: 本次调查是为了改进服务。\n"
SCALE = """
scales:
  judgement:
    points: [{value: 3, label: 好}, {value: 2, label: 一般}, {value: 1, label: 差}]
"""
SERVICE = "  - {id: service, type: matrix, scale: judgement, label: 服务, rows: [{id: speed, label: 速度}]}\n"
PRIVATE = ("身份证", "手机号", "收入")


def asked(*fields: str, intro: str = INTRO) -> Form:
    return load_form(f"{HEAD}{intro}{SCALE}fields:\n{SERVICE}{''.join(fields)}".encode(), "asked.yaml")


def test_a_plain_questionnaire_has_nothing_wrong() -> None:
    again = "  - {id: overall, type: choice, scale: judgement, label: 总体}\n"
    assert list(faults(asked(again), 4)) == []
    assert list(private(asked(again), PRIVATE)) == []


def test_it_has_to_say_what_it_is_for() -> None:
    assert [(each.kind, each.text) for each in faults(asked(intro=""), 4)] == [("purpose", "问卷")]


def test_options_that_read_the_same_are_refused_however_they_are_written() -> None:
    twice = "  - {id: kind, type: choice, label: 您是, options: [{value: a, label: Ａ座}, {value: b, label: A座}]}\n"
    with pytest.raises(Misbuilt, match="already stands for the option a"):
        asked(twice)


def test_options_that_are_too_long_are_found() -> None:
    options = "[{value: a, label: 一二三四}, {value: b, label: 一二三四五}]"
    long = f"  - {{id: kind, type: choices, label: 您是, options: {options}}}\n"
    assert [(each.kind, each.text) for each in faults(asked(long), 4)] == [("long", "一二三四五")]


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("  - {id: number, type: text, label: 您的身份证号码}\n", ("number", "身份证")),
        ("  - {id: reach, type: text, label: 怎样联系您, help: 请填手机号}\n", ("reach", "手机号")),
        (
            "  - {id: life, type: matrix, scale: judgement, label: 生活, rows: [{id: pay, label: 收入水平}]}\n",
            ("pay", "收入"),
        ),
        ("  - {id: who, type: text, label: 怎么称呼您, personal: true}\n", ("who", "怎么称呼您")),
    ],
)
def test_private_questions_are_found_in_labels_helps_rows_and_marks(
    field: str, found: tuple[str, str]
) -> None:
    assert [(each.field, each.word) for each in private(asked(field), PRIVATE)] == [found]
