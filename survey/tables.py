"""The tables of the survey domain, beside the engine's and under the same migrations.

A respondent is asked in many rounds; a round is one survey wave of one instance (or one of its parts), with its
own sample, so that who moves in or out later changes no figure of the past. Personal data stands in `contact`
alone, where it can be erased; codes, projects and segments are all that the rest knows of a respondent.

What a round promised those who answer is kept by the tables themselves: rows of an anonymous round cannot say
whose answers they are, from which file, nor when within a day they came (the constraints called `promise`).
"""

from __future__ import annotations

from secrets import token_hex

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from engine.store.columns import Id, Instant, Json, key, may, metadata, must, numbered
from engine.store.tables import instance, unit

__all__ = [
    "DISPOSITIONS",
    "KINDS",
    "answers",
    "attempt",
    "contact",
    "draw",
    "member",
    "respondent",
    "spot_check",
    "spot_verdict",
    "survey_round",
]

KINDS = ("customer", "owner", "household", "patient", "other")
"""What a respondent is to the organisation."""

DISPOSITIONS = (
    *("listed", "issued"),
    *("complete", "partial", "blank", "refusal", "non-contact", "other", "unknown-eligibility", "ineligible"),
)
"""What became of a member: before the end (listed, issued), then AAPOR's final codes (Standard Definitions).

Blank is a questionnaire that came back without a rating: AAPOR's implicit refusal."""

respondent = numbered(
    "respondent",
    must("unit", Text, ForeignKey(unit.c.id)),
    must("code", Text),  # what the organisation calls it: a customer number, a flat
    must("kind", Text, default="customer"),
    may("project", Text),
    may("segment", Text),
    must("attributes", Json, default=dict),  # department, ward, product: small, never personal
    must("status", Text, default="active"),  # active | left
    may("since", Text),  # the day of moving in, or of becoming a customer
    may("left_on", Text),
    must("key_account", Boolean, default=False),
    may("excluded", Text),  # the reason why they are not asked
    UniqueConstraint("unit", "code"),
)

contact = Table(
    "contact",
    metadata,
    key("respondent_id", Id, ForeignKey(respondent.c.id)),
    may("name", Text),
    may("phone", Text),
    may("email", Text),
    may("address", Text),
)

survey_round = numbered(
    "round",
    must("instance_id", Id, ForeignKey(instance.c.id)),
    must("part", Text, default=""),  # of a procedure with several rounds at a time: outpatients, inpatients
    must("unit", Text),
    must("procedure", Text),
    may("period", Text),
    must("definition", Text),  # the hash of the bundle that holds the questionnaire
    must("questionnaire", Text),
    must("version", Text),
    must("anonymity", Text),  # named | confidential | anonymous
    must("design", Json, default=dict),  # the sample's, and by what answers are grouped
    may("method", Text),  # of the satisfaction rate
    must("status", Text),  # open | closed
    must("opened_at", Instant),
    may("closed_at", Instant),
    UniqueConstraint("instance_id", "part"),
    UniqueConstraint("id", "anonymity"),
)


def _promise(rule: str) -> tuple[ForeignKeyConstraint, CheckConstraint]:
    """A row carries its round's promise; where that is anonymity, `rule` holds."""
    return (
        ForeignKeyConstraint(["round_id", "anonymity"], ["round.id", "round.anonymity"]),
        CheckConstraint(f"anonymity <> 'anonymous' OR ({rule})", name="promise"),
    )


draw = numbered(
    "draw",
    must("round_id", Id, ForeignKey("round.id"), unique=True),
    must("method", Text),
    must("parameters", Json),
    must("seed", Text),
    must("frame", LargeBinary),  # JSON, zlib: what was drawn from, so that anybody can draw again
    must("frame_sha256", Text),  # of the JSON
    must("population", Integer),
    must("size", Integer),
    must("drawn_at", Instant),
    must("drawn_by", Text),
)

member = numbered(
    "round_member",
    must("round_id", Id),
    must("anonymity", Text),
    must("number", Integer),  # within the round, from 1
    must("respondent_id", Id, ForeignKey(respondent.c.id)),
    may("project", Text),  # as it was when the sample was drawn, like the next two
    may("segment", Text),
    must("attributes", Json, default=dict),
    may("cycle", Integer),  # in which everybody is asked once before anybody is asked again
    may("surveyor", Text),
    may("channel", Text),  # paper | phone | visit | email | link
    must("disposition", Text, default="listed"),
    may("issued_on", Text),
    may("returned_on", Text),
    *_promise("returned_on IS NULL AND disposition NOT IN ('complete', 'partial')"),
    UniqueConstraint("round_id", "number"),
    UniqueConstraint("round_id", "respondent_id"),
)
Index(None, member.c.respondent_id)

attempt = numbered(
    "contact_attempt",
    must("round_id", Id),
    must("anonymity", Text),
    must("member_id", Id, ForeignKey(member.c.id)),
    must("kind", Text),  # issue | reminder | attempt | return | refusal | recheck
    may("channel", Text),
    must("day", Text),
    may("at", Instant),
    must("recorded_by", Text),
    may("note", Text),
    *_promise("at IS NULL AND kind NOT IN ('return', 'recheck')"),
)
Index(None, attempt.c.round_id)
Index(None, attempt.c.member_id)

answers = Table(
    "answer_set",
    metadata,
    key(
        "id", Text, default=lambda: token_hex(16)
    ),  # neither it nor the row's place tells who came before whom
    must("round_id", Id),
    must("anonymity", Text),
    may("member_id", Id, ForeignKey(member.c.id)),
    must("entry", Integer, default=1),  # 2: typed in again, to find what was mistyped
    must("groups", Json, default=dict),  # project, segment, department: those the round's design names
    must("answers", Json),
    must("abstained", Boolean, default=False),  # the return rates nothing at all
    may("source", Text),  # the file it came from; of an anonymous round none: its name may be a person's
    must("recorded_on", Text),
    may("recorded_at", Instant),
    must("recorded_by", Text),
    *_promise("member_id IS NULL AND recorded_at IS NULL AND entry = 1 AND source IS NULL"),
    UniqueConstraint("member_id", "entry"),
    sqlite_with_rowid=False,
)
Index(None, answers.c.round_id)

spot_check = numbered(
    "spot_check",
    must("round_id", Id, ForeignKey("round.id")),
    must("instance_id", Id, ForeignKey(instance.c.id)),  # the check's own
    must("kind", Text),  # phone | recheck | full
    must("seed", Text),
    must("frame", LargeBinary),  # JSON, zlib: the codes drawn from
    must("frame_sha256", Text),  # of the JSON
    must("population", Integer),
    must("size", Integer),
    must("drawn_at", Instant),
    must("drawn_by", Text),
    UniqueConstraint("instance_id", "kind"),
)
Index(None, spot_check.c.round_id)

spot_verdict = Table(
    "spot_verdict",
    metadata,
    key("check_id", Id, ForeignKey(spot_check.c.id)),
    key("member_id", Id, ForeignKey(member.c.id)),
    may("verdict", Text),  # None: drawn, and not judged yet
    may("note", Text),
    may("judged_on", Text),
    may("judged_by", Text),
)
