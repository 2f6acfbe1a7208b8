"""Two forms as an author writes them, and shorthands to use them."""

from datetime import date

import pytest

from engine.errors import Invalid, Misbuilt
from engine.forms import Form, clean, load_form

TODAY = date(2026, 9, 14)
VARIABLES = {"unit": "三车间", "fieldwork_closed": "2026-09-10"}

QUESTIONNAIRE = """
form: flow/1
id: satisfaction
version: "2026.1"
kind: questionnaire
title: {zh: 顾客满意度调查问卷, en: Customer satisfaction}
anonymity: confidential
scales:
  sat5:
    na: {value: NA, label: {zh: 不适用, en: N/A}}
    points:
      - {value: 5, label: {zh: 非常满意, en: Very satisfied}}
      - {value: 4, label: {zh: 满意, en: Satisfied}}
      - {value: 3, label: {zh: 一般, en: Neutral}}
      - {value: 2, label: {zh: 不满意, en: Dissatisfied}}
      - {value: 1, label: {zh: 非常不满意, en: Very dissatisfied}}
fields:
  - {id: lead, type: info, label: 请按实际感受填写}
  - id: quality
    type: matrix
    scale: sat5
    required: true
    weight: 0.4
    label: {zh: 产品质量, en: Quality}
    rows:
      - {id: q1, weight: 0.6, label: {zh: 性能, en: Performance}}
      - {id: q2, weight: 0.4, label: {zh: 可靠性, en: Reliability}}
  - {id: overall, type: choice, scale: sat5, label: 总体评价}
  - id: why
    type: long_text
    required: true
    label: 不满意的原因
    show_if: {any: [{quality.q1: {lte: 2}}, {quality.q2: {lte: 2}}]}
  - {id: telephone, type: text, personal: true, pattern: '1\\d{10}', label: 联系电话}
score: {method: weighted_mean, na: redistribute, to: 100}
"""

TASK = """
form: flow/1
id: follow-up
version: "3"
title: 整改安排
fields:
  - {id: unit, type: text, read_only: true, value: {var: unit}, label: 单位}
  - id: decision
    type: choice
    required: true
    label: 意见
    options:
      - {value: agree, label: {zh: 同意, en: Agree}}
      - {value: return, label: {zh: 退回修改, en: Return}}
  - {id: reason, type: text, max_length: 20, required: true, label: 退回原因, show_if: {decision: {eq: return}}}
  - {id: due, type: date, required: true, not_before: today, label: 完成日期, show_if: {decision: {eq: agree}}}
  - {id: seen, type: date, not_before: fieldwork_closed, not_after: due, label: 查看日期}
  - {id: called_at, type: datetime, label: 回访时间}
  - {id: sample_size, type: integer, min: 30, max: 5000, default: 100, label: 样本量}
  - {id: rate, type: number, min: 0, max: 1, label: 回收率}
  - {id: again, type: boolean, label: 需要复查}
  - id: ways
    type: choices
    max: 2
    label: 方式
    options:
      - {value: phone, label: 电话}
      - {value: visit, label: 上门}
      - {value: mail, label: '邮寄, 快递'}
  - {id: owner, type: person, label: 负责人}
  - id: problems
    type: table
    max: 3
    label: 问题清单
    fields:
      - {id: what, type: text, required: true, label: 问题}
      - {id: limit, type: date, not_before: today, label: 期限}
      - {id: count, type: integer, min: 1, label: 数量}
"""


def form(text: str) -> Form:
    return load_form(text.encode(), "form.yaml")


def cleaned(text: str, **values: object) -> dict[str, object]:
    return clean(form(text), values, today=TODAY, variables=VARIABLES)


def refused(text: str, **values: object) -> dict[str, str]:
    """What is wrong, by field."""
    with pytest.raises(Invalid) as caught:
        cleaned(text, **values)
    return {
        problem.field: str(problem).removeprefix(f"{problem.field}: ") for problem in caught.value.problems
    }


def faults(text: str) -> list[str]:
    with pytest.raises(Misbuilt) as caught:
        form(text)
    return str(caught.value).splitlines()
