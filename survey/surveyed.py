"""Who was surveyed when, over all rounds of a unit: what coverage over the years is judged on.

Asked counts, whether or not an answer came; who refused to be met, or turned out not to belong there, was not asked.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select

from engine.ports import Connection
from survey.coverage import Known
from survey.draws import NOT_ASKED, candidates, last_asked, units_below
from survey.rosters import Respondent
from survey.sampling import Design
from survey.tables import member, survey_round


def known(conn: Connection, unit: str, design: Design, day: date) -> dict[str, tuple[Known, Respondent]]:
    """The customers who may be asked on the day, by code: since when they are, and when they were asked last."""
    there, _ = candidates(conn, unit, design, day)
    last = last_asked(conn, unit)
    return {
        code: (Known(code, _day(each.since), _day(last.get(each.id))), each) for code, each in there.items()
    }


def asked_between(conn: Connection, unit: str, first: date, last: date) -> set[int]:
    """The ids of those who were asked in the period, by any procedure: when the questionnaire came, or came back."""
    day = func.coalesce(member.c.returned_on, member.c.issued_on)
    rows = conn.execute(
        select(member.c.respondent_id)
        .join(survey_round, survey_round.c.id == member.c.round_id)
        .where(
            survey_round.c.unit.in_(units_below(conn, unit)),
            member.c.disposition.not_in(NOT_ASKED),
            day.between(first.isoformat(), last.isoformat()),
        )
        .distinct()
    )
    return set(rows.scalars())


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
