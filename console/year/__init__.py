"""A whole year of all procedures at once, for a sample organisation, with people who are sometimes late.

Its database is private and in memory, its clock virtual; everything happens by the commands that people use. Nothing
about any procedure stands here: people know what its scenarios know.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from console.language import tr
from console.session import Session
from console.shape import NUMBER, Real, option

if TYPE_CHECKING:
    from console.folders import Folder
    from console.year.gathering import Year
    from console.year.people import Manners

_F = TypeVar("_F", bound=Callable[..., Any])

_SHARE = Real(0, 1)
_DAYS = Real(1, 60)
_DAY = click.DateTime(["%Y-%m-%d"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What of a year is to be played, and how its people are."""

    begin: date
    end: date
    """The last day."""
    only: tuple[str, ...] = ()
    """Codes or ids of procedures; none: all."""
    seed: int = 7
    late: float = 0.08
    late_days: float = 2.0
    unusual: float = 0.1
    answers: float = 0.85
    answer_days: float = 3.0
    customers: int = 24


_NO_SCENARIOS = "{procedure} has no scenarios.yaml"
_DEFAULT = Wish(begin=date.min, end=date.min)


def options(function: _F) -> _F:
    """The options of a rehearsed year, handed on by their names in `Wish`."""
    year = [
        option("--all", "everything", is_flag=True, help="All procedures at once, over a span of time."),
        option("--from", "begin", type=_DAY, metavar="DAY", help="With --all: the first day."),
        option("--to", "end", type=_DAY, metavar="DAY", help="With --all: the last day."),
        option("--procedure", "chosen", metavar="PROCEDURE", multiple=True,
               help="With --all: this procedure only; may be repeated."),
        option("--seed", type=int, default=_DEFAULT.seed, show_default=True,
               help="With --all: the same seed, the same year."),
        option("--late", type=_SHARE, default=_DEFAULT.late, show_default=True,
               help="With --all: share of the tasks with a due date that are done late."),
        option("--late-days", type=_DAYS, default=_DEFAULT.late_days, show_default=True,
               help="With --all: by how many working days on average (geometric distribution)."),
        option("--unusual", type=_SHARE, default=_DEFAULT.unusual, show_default=True,
               help="With --all: share of the steps that are decided as in another scenario."),
        option("--answers", type=_SHARE, default=_DEFAULT.answers, show_default=True,
               help="With --all: share of those asked who answer."),
        option("--answer-days", type=_DAYS, default=_DEFAULT.answer_days, show_default=True,
               help="With --all: after how many days on average (geometric distribution)."),
        option("--customers", type=NUMBER, default=_DEFAULT.customers, show_default=True,
               help="With --all: so many on each roster at least."),
    ]  # fmt: skip
    for each in reversed(year):
        function = each(function)
    return function


def rehearse(session: Session, given: dict[str, Any]) -> None:
    """Play the span that the options give and print what it came to.

    Raises click.UsageError for no span, EngineError when incidents are left.
    """
    from console import folders, output
    from console.year import telling
    from engine.errors import EngineError

    begin, end, chosen = given.pop("begin"), given.pop("end"), given.pop("chosen")
    if begin is None or end is None or end < begin:
        raise click.UsageError(tr("--all needs a span of time: --from DAY and --to DAY, not before it"))
    wish = Wish(begin=begin.date(), end=end.date(), only=chosen, **given)
    year, manners = played(wish, folders.at_hand(session), _show_month if sys.stderr.isatty() else None)
    if session.json:
        output.dump(telling.plain(year, manners))
    else:
        telling.tell(year, manners)
    if year.incidents:
        raise EngineError(
            "{number} incidents in the span, named with what is still open", number=year.incidents
        )


def played(
    wish: Wish, known: list[Folder], progress: Callable[[date], None] | None = None
) -> tuple[Year, Manners]:
    """The span played with the procedures `known`; `progress` is told each month that begins.

    One without scenarios is named in the year as not started. Raises NotFound for it when it was asked for, and for
    a procedure that is not among them, Misbuilt for one that cannot be published.
    """
    from console.year import gathering, people, place
    from console.year.playing import Play
    from console.year.respondents import Habits
    from engine.errors import NotFound
    from engine.rehearsal.courses import ZONE

    manners = people.Manners(
        wish.seed, wish.late, wish.late_days, wish.unusual,
        Habits(wish.seed, wish.answers, wish.answer_days),
    )  # fmt: skip
    begin = datetime.combine(wish.begin, time(), ZONE)
    until = datetime.combine(wish.end + timedelta(days=1), time(), ZONE)
    chosen = _chosen(wish.only, known)
    able = [each for each in chosen if (each.folder / "scenarios.yaml").is_file()]
    faults = [
        (str(each.about().get("code") or each.id), NotFound(_NO_SCENARIOS, procedure=each.id))
        for each in chosen
        if each not in able
    ]
    if faults and (wish.only or not able):
        raise faults[0][1]
    with place.opened(able, known, begin, wish.customers) as there:
        play = Play(there, people.People(there, manners), until, refused=[*faults])
        play.play(progress)
        return gathering.gather(play, wish.begin, wish.end), manners


def _chosen(names: tuple[str, ...], known: list[Folder]) -> list[Folder]:
    """Those to play, by code: all that are not made to be called by others."""
    from console import folders
    from engine.errors import NotFound

    if names:
        found = [(name, folders.named(name, known)) for name in names]
        for name, each in found:
            if each is None:
                raise NotFound(
                    "No procedure {name} is shipped; see `flow procedure list --shipped`", name=name
                )
        chosen = [each for _, each in found if each is not None]
    else:
        chosen = [each for each in known if not each.about().get("called")]
    return sorted(chosen, key=lambda each: (str(each.about().get("code", "")), each.id))


def _show_month(month: date) -> None:
    from console import output

    output.note("{month} begins", month=month.strftime("%Y-%m"))
