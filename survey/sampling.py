"""Samples that anybody can draw again: frame, design and seed in, the same sample out, for ever. Pure.

The order of chance. Every member of the frame has the rank SHA-256 of `seed + "\\n" + code` (UTF-8), read as hex;
ranks ascending are the order in which a simple random sample takes them. A systematic sample of n out of N goes
through the frame in the natural order of stratum and code, from the place floor(N (H + i·2^256) / (n·2^256)) for
i = 0 … n-1, counted from 0, where H is SHA-256 of the seed as a number: a random start, then every (N/n)th.
No library's generator is used, so no library's next version can change a sample.

Who has `turn` 0 is taken before who has 1, and so on: those not asked yet in the cycle before those asked already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from hashlib import sha256
from itertools import groupby

from engine.errors import Invalid, Problem
from engine.strict_yaml import nearest
from survey.numbering import natural, some
from survey.precision import exact, part_of, sample_size

METHODS = ("census", "simple", "stratified", "systematic", "targeted")


@dataclass(frozen=True, slots=True)
class Listed:
    """One member of a frame."""

    code: str
    stratum: str = ""
    turn: int = 0
    fresh: bool = False
    """Never asked before, by whichever procedure; kept only where the design looks at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How a sample is drawn, and from whom."""

    method: str = "census"
    size: int | None = None
    share: str | None = None
    """Of the frame: `0.1`, rounded up."""
    error: str | None = None
    """The ± wanted at 95 %: `0.05`."""
    response: str | None = None
    """The part expected to answer: so many more are drawn."""
    least: int | None = None
    """The smallest size allowed."""
    stratify: str | None = None
    """`project`, `segment`, or the name of an attribute."""
    fixed: int | None = None
    """So many of each stratum, instead of in proportion."""
    least_each: int = 0
    """At least so many of each stratum."""
    codes: tuple[str, ...] = ()
    reason: str = ""
    """Why these codes: a targeted sample is no random one."""
    no_repeat: bool = False
    """Nobody is asked again before everybody was asked."""
    new_share: str | None = None
    """At least this part of the sample was never asked before, by whichever procedure."""
    moved_in: bool = False
    """Only who has moved in (has become a customer), as far as the roster knows the day."""
    months: int = 0
    """Only who has been there for so many months."""
    window: int = 0
    """Of these only who reached the months within the last so many days: the first survey after moving in."""
    dated: str | None = None
    """`since`, or the attribute that holds a day (of the last service), which lies in the period:"""
    first_day: str | None = None
    last_day: str | None = None
    until: str | None = None
    """Only who was there on that day: whoever came later belongs to the next survey."""
    where: Mapping[str, str] = field(default_factory=dict)
    """Only who has these values: project, segment, kind, key_account or attributes."""

    def plain(self) -> dict[str, object]:
        """What differs from the defaults, as JSON keeps it."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        kept = {name: value for name, value in found.items() if value not in (None, "", (), {}, 0, False)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}


@dataclass(frozen=True, slots=True)
class Sample:
    """Who was drawn, in natural order."""

    codes: tuple[str, ...]
    strata: Mapping[str, int] = field(default_factory=dict)
    """How many of each stratum."""
    remark: Problem | None = None
    """What whoever planned it has to know: that a sample became a census."""


def design_of(given: Mapping[str, object]) -> Design:
    """The design as JSON, options or properties say it. Raises `Invalid` naming every field that does not fit."""
    known = [each.name for each in fields(Design)]
    problems = []
    for name in given:
        if name not in known:
            template = "There is no such setting; did you mean {meant}? There are: {known}"
            meant = nearest(name, known) or known[0]
            problems.append(Problem(name, template, {"meant": meant, "known": ", ".join(known)}))
    values = {name: value for name, value in given.items() if name in known and value is not None}
    try:
        for name in ("size", "least", "fixed", "least_each", "months", "window"):
            if name in values:
                values[name] = _whole(name, values[name])
        for name in ("share", "error", "response", "new_share"):
            if name in values:
                values[name] = _part(name, values[name])
        for name in ("until", "first_day", "last_day"):
            if name in values:
                values[name] = _day(name, values[name])
    except Invalid as error:
        problems += error.problems
    if isinstance(codes := values.get("codes"), Iterable):
        values["codes"] = tuple(map(str, codes))
    if problems:
        raise Invalid(problems)
    design = Design(**values)  # type: ignore[arg-type]
    _check(design)
    return design


def draw(frame: Sequence[Listed], design: Design, seed: str) -> Sample:
    """The sample. Raises `Invalid` for a design that cannot be carried out on the frame."""
    listed = sorted(frame, key=lambda each: (natural(each.stratum), natural(each.code), each.code))
    if design.method == "stratified" and listed and not any(each.stratum for each in listed):
        template = "Nobody has a value of {name}, so that there is one stratum: fill it in, or draw otherwise"
        raise Invalid([Problem("stratify", template, {"name": design.stratify})])
    remark = None
    if design.method == "targeted":
        chosen = _targeted(listed, design)
    elif design.method == "stratified" and design.fixed is not None:
        chosen, remark = _fixed(listed, design.fixed, seed)
    else:
        size = wanted(design, len(listed))
        if size > len(listed):
            template = "The frame has {population}, fewer than the {size} wanted: all of them are taken"
            remark = Problem("size", template, {"population": len(listed), "size": size})
        if size >= len(listed):
            chosen = listed
        elif design.new_share is not None:
            chosen, remark = _renewed(listed, size, design.new_share, seed)
        elif design.method == "stratified":
            chosen = _proportional(listed, size, design.least_each, seed)
        else:
            chosen = _take(listed, size, seed, systematic if design.method == "systematic" else simple)
    strata: dict[str, int] = {}
    for each in chosen:
        strata[each.stratum] = strata.get(each.stratum, 0) + 1
    codes = sorted((each.code for each in chosen), key=lambda code: (natural(code), code))
    return Sample(tuple(codes), strata, remark)


def wanted(design: Design, population: int) -> int:
    """How many the design asks for, out of so many; may be more than there are."""
    if design.size is not None:
        size = design.size
    elif design.share is not None:
        size = part_of(population, design.share)
    elif design.error is not None:
        size = sample_size(population, design.error)
    else:
        return population
    if design.response is not None:
        size = -int(-size // exact(design.response))
    return max(size, design.least or 0)


def simple(listed: Sequence[Listed], size: int, seed: str) -> list[Listed]:
    """The first `size` in the order of chance."""
    return sorted(listed, key=lambda each: (rank(seed, each.code), each.code))[:size]


def systematic(listed: Sequence[Listed], size: int, seed: str) -> list[Listed]:
    """Every (N/n)th from a random start, in the order given."""
    start, whole = int(sha256(seed.encode()).hexdigest(), 16), 2**256
    return [listed[len(listed) * (start + place * whole) // (size * whole)] for place in range(size)]


def rank(seed: str, code: str) -> str:
    """Where chance puts the code: SHA-256 in hex."""
    return sha256(f"{seed}\n{code}".encode()).hexdigest()


def proportion(strata: Mapping[str, int], size: int, least_each: int = 0) -> dict[str, int]:
    """`size` divided among strata by their numbers: largest remainder, after the least that each has to have.

    Remainders alike go to the larger stratum, then to the one whose name sorts first. Raises `Invalid` when the
    leasts alone are more than `size`.
    """
    floor = {name: min(least_each, number) for name, number in strata.items()}
    if sum(floor.values()) > size:
        template = "{count} strata with at least {least} each make {sum}, more than the sample of {size}"
        params = {"count": len(strata), "least": least_each, "sum": sum(floor.values()), "size": size}
        raise Invalid([Problem("least_each", template, params)])
    settled: dict[str, int] = {}
    while True:
        open_ = {name: number for name, number in strata.items() if name not in settled}
        shares = _largest_remainder(open_, size - sum(settled.values()))
        short = [name for name, number in shares.items() if number < floor[name]]
        if not short:
            return {name: (settled | shares)[name] for name in strata}
        settled |= {name: floor[name] for name in short}


def _largest_remainder(strata: Mapping[str, int], size: int) -> dict[str, int]:
    total = sum(strata.values()) or 1
    found = {name: size * number // total for name, number in strata.items()}
    order = sorted(strata, key=lambda name: (-(size * strata[name] % total), -strata[name], name))
    for name in order[: size - sum(found.values())]:
        found[name] += 1
    return found


Choose = Callable[[Sequence[Listed], int, str], list[Listed]]


def _take(listed: Sequence[Listed], size: int, seed: str, choose: Choose = simple) -> list[Listed]:
    """`size` of them, by turns."""
    chosen: list[Listed] = []
    for _, turn in groupby(sorted(listed, key=lambda each: each.turn), key=lambda each: each.turn):
        there = list(turn)
        left = size - len(chosen)
        chosen += there if len(there) <= left else choose(there, left, seed)
        if len(chosen) == size:
            break
    return chosen


def _strata(listed: Sequence[Listed]) -> dict[str, list[Listed]]:
    found: dict[str, list[Listed]] = {}
    for each in listed:
        found.setdefault(each.stratum, []).append(each)
    return found


def _proportional(listed: Sequence[Listed], size: int, least_each: int, seed: str) -> list[Listed]:
    strata = _strata(listed)
    shares = proportion({name: len(there) for name, there in strata.items()}, size, least_each)
    return [each for name, there in strata.items() for each in _take(there, shares[name], seed)]


def _fixed(listed: Sequence[Listed], number: int, seed: str) -> tuple[list[Listed], Problem | None]:
    strata = _strata(listed)
    small = [name or "…" for name, there in strata.items() if len(there) < number]
    chosen = [each for there in strata.values() for each in _take(there, min(number, len(there)), seed)]
    template = "Strata with fewer than {number} are taken whole: {strata}"
    remark = Problem("fixed", template, {"number": number, "strata": ", ".join(small[:10])})
    return chosen, remark if small else None


def _renewed(
    listed: Sequence[Listed], size: int, share: str, seed: str
) -> tuple[list[Listed], Problem | None]:
    """First those of the sample that have to be new, then the rest from everybody left."""
    fresh, needed = [each for each in listed if each.fresh], part_of(size, share)
    chosen = _take(fresh, min(needed, len(fresh)), seed)
    taken = {each.code for each in chosen}
    chosen += _take([each for each in listed if each.code not in taken], size - len(chosen), seed)
    template = (
        "{needed} of the sample have to be new, but only {found} were never asked: all of them are taken"
    )
    remark = Problem("new_share", template, {"needed": needed, "found": len(fresh)})
    return chosen, remark if len(fresh) < needed else None


def _targeted(listed: Sequence[Listed], design: Design) -> list[Listed]:
    there = {each.code: each for each in listed}
    missing = [code for code in design.codes if code not in there]
    if missing:
        template = "Not among those who may be asked: {codes}"
        raise Invalid([Problem("codes", template, {"codes": some(missing)})])
    return [there[code] for code in dict.fromkeys(design.codes)]


def _check(design: Design) -> None:
    problems: list[Problem] = []
    sizes = [name for name in ("size", "share", "error", "fixed") if getattr(design, name) is not None]
    if design.method not in METHODS:
        template = "There is no method {found}; there are: {known}"
        known = ", ".join(METHODS)
        problems.append(Problem("method", template, {"found": str(design.method)[:40], "known": known}))
    elif design.method == "targeted":
        if not design.codes or not design.reason.strip():
            problems.append(Problem("codes", "A targeted sample names its codes and the reason for them"))
    elif design.method != "census" and len(sizes) != 1:
        template = "Say how many, in one way: size, share, error, or fixed of each stratum"
        problems.append(Problem("size", template))
    elif design.method == "census" and sizes:
        problems.append(Problem("size", "A census asks everybody: leave the size out, or choose a method"))
    if design.method == "stratified" and not design.stratify:
        problems.append(Problem("stratify", "Say by what to stratify: project, segment or an attribute"))
    if design.fixed is not None and design.method != "stratified":
        problems.append(Problem("fixed", "Only a stratified sample has so many of each stratum"))
    if design.new_share is not None and design.method != "simple":
        problems.append(Problem("new_share", "Only a simple random sample has a share of new ones"))
    if design.window and not design.months:
        problems.append(Problem("window", "Say after how many months: the window begins then"))
    if (design.dated is None) != (design.first_day is None and design.last_day is None):
        template = "Say which day has to lie in which period: dated with first_day, last_day or both"
        problems.append(Problem("dated", template))
    if design.size is not None and design.least is not None and design.size < design.least:
        params = {"least": design.least, "size": design.size}
        problems.append(Problem("size", "The sample has to have at least {least}, found {size}", params))
    if problems:
        raise Invalid(problems)


def _whole(name: str, value: object) -> int:
    text = str(value).strip()
    if not text.isascii() or not text.isdigit() or len(text) > 9 or (int(text) == 0 and name != "least_each"):
        raise Invalid([Problem(name, "{found} is no whole number from 1", {"found": text[:40] or "…"})])
    return int(text)


def _day(name: str, value: object) -> str:
    try:
        return date.fromisoformat(str(value).strip()).isoformat()
    except ValueError:
        template = "Expected a date such as 2026-09-14, found {found}"
        raise Invalid([Problem(name, template, {"found": str(value)[:40]})]) from None


def _part(name: str, value: object) -> str:
    """A part, between 0 and 1, also written as a percentage."""
    text = str(value).strip().replace("％", "%")
    try:
        number = exact(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except (ValueError, ZeroDivisionError):
        number = exact(0)
    if not 0 < number <= 1:
        template = "{found} is no part: write 0.1 or 10%"
        raise Invalid([Problem(name, template, {"found": text[:40] or "…"})])
    return str(number)
