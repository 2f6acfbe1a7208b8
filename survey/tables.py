"""The tables of the survey domain, beside the engine's and under the same migrations.

A household is asked in many rounds; a round is one survey wave of one instance, with its own roster, so that
who moves in or out later changes no figure of the past. What a household answered is one row for each return.
Personal data is kept to a code and, where an organisation wants it, a name.
"""

from __future__ import annotations

from sqlalchemy import Boolean, ForeignKey, Integer, Table, Text, UniqueConstraint

from engine.store.columns import Id, Instant, Json, key, may, metadata, must, numbered
from engine.store.tables import instance, unit

__all__ = ["DISPOSITIONS", "answers", "household", "member", "survey_round"]

DISPOSITIONS = ("listed", "issued", "returned", "refused", "unreachable", "ineligible")
"""What became of a questionnaire, per household, in the terms of AAPOR's standard definitions."""

household = numbered(
    "household",
    must("unit", Text, ForeignKey(unit.c.id)),
    must("code", Text),  # what the organisation calls it: a customer number, a flat
    may("name", Text),
    must("active", Boolean, default=True),
    UniqueConstraint("unit", "code"),
)

survey_round = numbered(
    "round",
    must("instance_id", Id, ForeignKey(instance.c.id), unique=True),
    must("unit", Text),
    must("procedure", Text),
    may("period", Text),
    must("definition", Text),  # the hash of the bundle that holds the questionnaire
    must("questionnaire", Text),
    must("version", Text),
    must("status", Text),  # open | closed
    must("opened_at", Instant),
    may("closed_at", Instant),
)

member = numbered(
    "round_member",
    must("round_id", Id, ForeignKey("round.id")),
    must("number", Integer),  # on the round's roster, from 1
    must("household_id", Id, ForeignKey("household.id")),
    may("surveyor", Text),
    must("disposition", Text, default="listed"),
    may("issued_at", Instant),
    may("returned_at", Instant),
    UniqueConstraint("round_id", "number"),
    UniqueConstraint("round_id", "household_id"),
)

answers = Table(
    "answer_set",
    metadata,
    key("member_id", Id, ForeignKey("round_member.id")),
    must("answers", Json),
    must("source", Text),  # the file it came from
    must("recorded_at", Instant),
    must("recorded_by", Text),
)
