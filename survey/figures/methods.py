"""The methods by which a satisfaction rate is computed: the sources use three that do not agree.

Every figure names its method and its base. A questionnaire chooses by `score: {method: …}`; without a choice
`TOP2_ANSWERED` holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import Invalid, Problem
from engine.forms import Form, Text


@dataclass(frozen=True, slots=True)
class Method:
    """One way to compute a satisfaction rate."""

    id: str
    title: Text
    base: Text
    """What the rate is divided by, in one sentence."""
    clause: str
    """Where the source documents say so."""


TOP2_ANSWERED = Method(
    "top2/answered",
    Text(
        "满意率＝评为满意等级（一般为最高两级）的份数÷有效评价份数（不含“不了解”及未答）",
        "answers at the satisfied levels (as a rule the best two) over answers given, abstentions and blanks left out",
    ),
    Text("有效评价份数", "answers given"),
    "003F 4.6 (003F-12 … 003F-14)",
)
TOP2_RETURNED = Method(
    "top2/returned",
    Text(
        "满意率＝评为满意等级（一般为最高两级）的份数÷回收份数（含“不了解”及未答）",
        "answers at the satisfied levels (as a rule the best two) over questionnaires returned, abstentions and "
        "blanks included",
    ),
    Text("回收份数", "questionnaires returned"),
    "003I 2) … 5) (003I-19, 003I-20)",
)
MEAN_DEPARTMENTS = Method(
    "mean/departments",
    Text(
        "满意度＝加权平均分÷最高分；部门为其各小项的平均，整体为各部门的平均",
        "weighted mean over the best weight; a department is the mean of its items, the whole the mean of departments",
    ),
    Text("有效评价份数", "answers given"),
    "003E 4.2, 4.5 (003E-11 … 003E-13, 003E-19; readings A3, A4)",
)
MEAN_ANSWERS = Method(
    "mean/answers",
    Text(
        "满意度＝加权平均分÷最高分；部门及整体按有效评价份数合并计算",
        "weighted mean over the best weight; departments and the whole pool the answers given",
    ),
    Text("有效评价份数", "answers given"),
    "003E 4.2, 4.5 (003E-13, the other reading of A4)",
)

METHODS: Mapping[str, Method] = {
    each.id: each for each in (TOP2_ANSWERED, TOP2_RETURNED, MEAN_DEPARTMENTS, MEAN_ANSWERS)
}


def method(name: str) -> Method:
    """The method of that id. Raises `Invalid` naming those there are."""
    found = METHODS.get(name)
    if found is None:
        known = {"name": name, "known": ", ".join(METHODS)}
        template = "There is no method {name} for a satisfaction rate; there are {known}"
        raise Invalid([Problem("method", template, known)])
    return found


def method_of(questionnaire: Form) -> Method:
    """The method that the questionnaire chose. Raises `Invalid` for an unknown one."""
    return TOP2_ANSWERED if questionnaire.score is None else method(questionnaire.score.method)
