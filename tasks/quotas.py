"""Quotas: how many questionnaires have to go out and come back, and whether so many did. On whole counts only.

A share is written as people write it: `90`, `90%`, `0.9` and `"0.9"` all mean nine tenths (1 means all), exactly; a
target is rounded up (003I: 90 % of 1013 households are 912, of which 80 % are 730). Of nothing, nothing is reached.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from engine.errors import EngineError
from engine.handlers import Call, Handlers, Values, anything, takes
from survey import draws, rounds
from survey.figures import quota
from survey.sampling import Design
from tasks.meaning import conditions, current, meant, value_of

handlers = Handlers("quotas")

BASES = {"roster": "名册", "moved-in": "已办理入住", "sample": "样本", "issued": "已发放"}
"""What a quota may be a share of: who may be asked, who of them has moved in, who was drawn, who got something."""
COUNTS = ("issued", "returned")

_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)\s*%?")
_NAME = re.compile(r"[A-Za-z_]\w*")


def share(value: Any) -> Fraction:
    """A share as a percentage: 90 for `90`, `"90%"`, `0.9`. Raises `EngineError` for what is none."""
    text = str(value).strip().replace("％", "%")
    found = None if isinstance(value, bool) else _SHARE.fullmatch(text)
    number = Fraction(found[1]) if found else Fraction(0)
    if not text.endswith("%") and number <= 1:
        number *= 100
    if not 0 < number <= 100:
        raise EngineError("{value} is no share: write 90, 90% or 0.9", value=text[:40] or "''")
    return number


def _shared(value: Any) -> None:
    """The judge of a share: one, or the name of a parameter or variable that holds it."""
    if not _NAME.fullmatch(str(value).strip()):
        share(value)


def _counted(value: Any) -> None:
    """The judge of what is counted."""
    if str(value).strip() not in COUNTS:
        raise EngineError("{value} is none of {known}", value=value, known=", ".join(COUNTS))


@dataclass(frozen=True, slots=True)
class Base:
    """What a share is taken of."""

    number: int
    label: str
    left_out: Mapping[str, int]


@handlers.inside
@takes(
    {"flow.base": anything},
    {
        **{"flow.issue": _shared, "flow.return": _shared},
        **dict.fromkeys(("flow.where", "flow.part", "flow.sets"), anything),
    },
)
def targets(call: Call) -> Values:
    """How many questionnaires have to be given out, and how many of these have to come back.

    Properties: `flow.base`, what is counted (roster, moved-in, sample, issued, or the variable with a whole number);
    `flow.issue`, the share of it to give out (without it, all); `flow.return`, the share of what is given out to come
    back (without it, no quota); each a share or the name of a parameter or variable; `flow.where`, which customers of
    the roster count, as for `fieldwork.open_round`. Sets `quota_base`, `issue_target`, `return_target` (null without a
    quota) and `quota_text`, which says it in words.
    """
    base = _base(call)
    out, back = (_percent(call, name) for name in ("flow.issue", "flow.return"))
    issue = quota(0, base.number, Fraction(100) if out is None else out).needed
    returned = None if back is None else quota(0, issue, back).needed
    text = f"{base.label}{base.number}，应发放{issue}" + ("" if out is None else f"（{float(out):g}%）")
    if back is not None:
        text += f"，应回收{returned}（发放数的{float(back):g}%）"
    facts = {"base": base.number, "of": base.label, "issue": issue, "back": returned}
    call.note("quota.set", {**facts, "left_out": dict(base.left_out)})
    found: dict[str, object] = {
        "quota_base": base.number,
        "return_target": returned,
        "quota_text": f"{text}。",
    }
    return found if base.label == BASES["issued"] else {**found, "issue_target": issue}


@handlers.inside
@takes({"flow.count": _counted}, {"flow.part": anything, "flow.sets": anything})
def compare(call: Call) -> Values:
    """Holds what was given out, or what came back, against its target; a missed one is journaled.

    Property: `flow.count`, issued or returned. The target is the variable `issue_target` or `return_target`, where
    `return_share` gives a share instead, that of what was given out. Sets `issued` and `issue_met`, or `returned`,
    `abstained`, `return_target` and `return_met`; besides `quota_met`, `quota_missing` and `quota_text`. Without a
    target everything is met; nothing given out, or nothing back, meets none.
    """
    there = rounds.progress(call.conn, current(call))
    what = call.properties["flow.count"].strip()
    if what == "issued":
        count, wanted = there.issued, _target(call, "issue_target")
        word = "发放"
        found: dict[str, object] = {"issued": count}
        if (given := call.variables.get("return_share")) is not None:
            found["return_target"] = quota(0, count, share(given)).needed
    else:
        count, wanted = there.returned, _target(call, "return_target")
        if (given := call.variables.get("return_share")) is not None:
            wanted = quota(count, there.issued, share(given)).needed
        word = "回收"
        found = {"returned": count, "abstained": there.abstained, "return_target": wanted}
    met = wanted is None or 0 < wanted <= count
    missing = 0 if wanted is None else max(0, wanted - count)
    text = f"已{word}{count}份" + ("" if wanted is None else f"，应{word}{wanted}份")
    if not met:
        text += f"，尚缺{missing}份" if missing else "（没有发放，目标无从谈起）"
        kind = "quota.issue_missed" if what == "issued" else "quota.return_missed"
        call.note(kind, {"count": count, "wanted": wanted, "missing": missing})
    name = "issue_met" if what == "issued" else "return_met"
    return {**found, name: met, "quota_met": met, "quota_missing": missing, "quota_text": f"{text}。"}


def _base(call: Call) -> Base:
    named = call.properties["flow.base"].strip()
    if named in ("roster", "moved-in"):
        design = Design(moved_in=named == "moved-in", where=conditions(call))
        there, left_out = draws.candidates(call.conn, call.unit, design, date.fromisoformat(call.today))
        return Base(len(there), BASES[named], left_out)
    if named in BASES:
        found = rounds.progress(call.conn, current(call))
        return Base(found.members if named == "sample" else found.issued, BASES[named], {})
    number = _whole(call, named, value_of(call, named))
    return Base(number, "基数", {})


def _percent(call: Call, name: str) -> Fraction | None:
    named = call.properties.get(name)
    if named is None:
        return None
    value = meant(call, named)
    return None if value is None else share(value)


def _target(call: Call, name: str) -> int | None:
    value = call.variables.get(name)
    return None if value is None else _whole(call, name, value)


def _whole(call: Call, name: str, value: object) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"\d{1,9}", text):
        template = "{element} needs the whole number {name}, found {found!r}"
        raise EngineError(template, element=call.element, name=name, found=value)
    return int(text)
