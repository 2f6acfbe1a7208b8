"""What came back: return rate and quotas on counts, and AAPOR's outcome rates. All exact.

Source of the outcome rates: AAPOR, Standard Definitions (10th edition, 2023), section "Calculating outcome rates".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

_NAMES = {
    **{"complete": "complete", "returned": "complete", "partial": "partial"},
    **{
        "blank": "refusal",
        "refusal": "refusal",
        "refused": "refusal",
        "non-contact": "non_contact",
        "unreachable": "non_contact",
    },
    **{"other": "other", "unknown-eligibility": "unknown", "listed": "unknown", "issued": "unknown"},
    "ineligible": "ineligible",
}


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Members of a round by what became of them, in AAPOR's terms."""

    complete: int = 0
    """I."""
    partial: int = 0
    """P."""
    refusal: int = 0
    """R: refusals, spoken and implicit: a questionnaire that comes back blank (2.11) is no interview."""
    non_contact: int = 0
    """NC."""
    other: int = 0
    """O: eligible, contacted, not interviewed."""
    unknown: int = 0
    """UH and UO; also questionnaires out of which nothing is known."""
    ineligible: int = 0
    """In no rate."""

    @property
    def eligible(self) -> int:
        """The denominator: all but the ineligible, the unknown counted as eligible (e = 1)."""
        return self.interviewed + self.refusal + self.non_contact + self.other + self.unknown

    @property
    def interviewed(self) -> int:
        """I + P."""
        return self.complete + self.partial

    @property
    def response_rate_1(self) -> Fraction | None:
        """RR1: I / ((I + P) + (R + NC + O) + (UH + UO)), the minimum response rate."""
        return _of(self.complete, self.eligible)

    @property
    def response_rate_2(self) -> Fraction | None:
        """RR2: partial returns count as well."""
        return _of(self.interviewed, self.eligible)

    @property
    def cooperation_rate_1(self) -> Fraction | None:
        """COOP1: I / ((I + P) + R + O)."""
        return _of(self.complete, self.interviewed + self.refusal + self.other)

    @property
    def refusal_rate_1(self) -> Fraction | None:
        """REF1: R over the same as RR1."""
        return _of(self.refusal, self.eligible)

    @property
    def contact_rate_1(self) -> Fraction | None:
        """CON1: ((I + P) + R + O) over the same as RR1."""
        return _of(self.interviewed + self.refusal + self.other, self.eligible)


def outcomes(dispositions: Mapping[str, int]) -> Outcomes:
    """Counts by disposition as AAPOR groups them. Raises KeyError for a disposition that is none."""
    found = dict.fromkeys(_NAMES.values(), 0)
    for name, number in dispositions.items():
        found[_NAMES[name]] += number
    return Outcomes(**found)


@dataclass(frozen=True, slots=True)
class Quota:
    """A count that has to reach a percentage of another; judged on the counts, never on a rounded rate."""

    count: int
    of: int
    percent: Fraction

    @property
    def needed(self) -> int:
        """The least count that reaches it: rounded up (003I-6: 90 % of 101 are 91)."""
        return ceil(self.of * self.percent / 100)

    @property
    def reached(self) -> bool:
        """count · 100 >= percent · of; of nothing, nothing is reached."""
        return self.of > 0 and self.count * 100 >= self.percent * self.of

    @property
    def short(self) -> int:
        """How many are missing."""
        return max(0, self.needed - self.count)

    @property
    def rate(self) -> Fraction | None:
        """The count over the other; None of nothing."""
        return _of(self.count, self.of)


def quota(count: int, of: int, percent: int | float | str | Fraction) -> Quota:
    """`count` against `percent` of `of`."""
    return Quota(count, of, percent if isinstance(percent, Fraction) else Fraction(str(percent)))


def to_issue(wanted: int, expected: int | float | str | Fraction) -> int:
    """How many to issue so that `wanted` come back when the part `expected` (0.35) does: rounded up."""
    return ceil(wanted / (expected if isinstance(expected, Fraction) else Fraction(str(expected))))


def _of(part: int, base: int) -> Fraction | None:
    return Fraction(part, base) if base else None
