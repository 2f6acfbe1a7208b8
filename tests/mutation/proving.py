"""Clauses put to the proof: each of their mutants is published and played, until a scenario notices it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from console import folders
from console.folders import Folder
from engine.config import shipped
from engine.errors import EngineError, Misbuilt
from engine.procedures import Clause, Procedure
from engine.rehearsal.courses import Player, staged
from engine.scenarios import Scenarios, read_scenarios
from tasks import subjects
from tests.mutation.changing import Mutant, NothingChangedError, bypasses, declared
from tests.mutation.claims import untrue
from tests.mutation.surgery import NotBypassedError

PATIENCE = 60
"""Seconds that one scenario of a mutant may take: a loop that lost its step may go round for ever."""

NOTICED, UNNOTICED, UNPUBLISHED, IMPOSSIBLE, CLAIMED = (
    "noticed",
    "NOT NOTICED",
    "not published",
    "no bypass",
    "holds",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one mutant, or assertion, of a clause."""

    clause: str
    mutant: str
    outcome: str
    reason: str = ""
    """By which scenario it was noticed and how, or why it was not."""
    scenario: str = ""
    obliged: bool = False
    """Whether the clause declares it, so that it has to be noticed by itself."""


class NoticedError(Exception):
    """The scenario went otherwise than expected."""


class Watcher(Player):
    """Plays a scenario until the first deviation."""

    def differs(self, text: str) -> None:
        raise NoticedError(f"{self.now():%Y-%m-%d %H:%M} {text}")


@dataclass(slots=True)
class Proof:
    """A procedure, the ones it calls, and its scenarios."""

    procedure: Procedure
    others: list[Procedure]
    scenarios: Scenarios
    sound: dict[str, str] = field(default_factory=dict)
    """Scenarios played on the procedure as it is: what went wrong, if anything."""

    def clause(self, clause: Clause, *, everything: bool = False) -> Iterator[Verdict]:
        """The verdicts on a clause: its assertions, the mutants it declares, its elements until one is noticed."""
        for claim in clause.claims:
            fault = untrue(self.procedure, claim)
            outcome = CLAIMED if fault is None else UNNOTICED
            yield Verdict(clause.id, f"assert {claim.id}", outcome, fault or "", obliged=True)
        for changes in clause.mutants:
            yield from self._played(clause, lambda changes=changes: declared(self.procedure, changes), True)
        if clause.claims and not clause.mutants and not everything:
            return
        for element in clause.elements:
            found = list(
                self._played(clause, lambda element=element: bypasses(self.procedure, element), False)
            )
            yield from found
            if any(_all_noticed(found)) and not everything:
                return

    def _played(self, clause: Clause, build, obliged: bool) -> Iterator[Verdict]:  # type: ignore[no-untyped-def]
        try:
            mutants: list[Mutant] = build()
        except (NotBypassedError, NothingChangedError) as error:
            yield Verdict(clause.id, "", IMPOSSIBLE, str(error), obliged=obliged)
            return
        for mutant in mutants:
            outcome, scenario, reason = self.judge(mutant, clause.scenarios)
            yield Verdict(clause.id, mutant.name, outcome, reason, scenario, obliged)

    def judge(self, mutant: Mutant, scenarios: tuple[str, ...]) -> tuple[str, str, str]:
        """What becomes of a mutant: the outcome, the scenario that noticed it, and how."""
        try:
            procedure = mutant.build()
        except (NotBypassedError, NothingChangedError) as error:
            return IMPOSSIBLE, "", str(error)
        except Misbuilt as error:
            return UNPUBLISHED, "", str(error)
        for name in scenarios:
            if name not in self.scenarios.scenarios:
                continue
            try:
                noticed = self.play(procedure, name)
            except Misbuilt as error:
                return UNPUBLISHED, "", str(error)
            if noticed is None:
                continue
            if self.baseline(name):
                return UNNOTICED, name, f"the scenario fails as it is: {self.baseline(name)}"
            return NOTICED, name, noticed
        return UNNOTICED, "", ", ".join(scenarios) or "no scenario is named"

    def baseline(self, name: str) -> str:
        """What goes wrong in a scenario on the procedure as it is; nothing when all is well."""
        if name not in self.sound:
            self.sound[name] = self.play(self.procedure, name) or ""
        return self.sound[name]

    def play(self, procedure: Procedure, name: str) -> str | None:
        """The first deviation of a scenario; None when it goes as expected. Raises Misbuilt when it cannot start."""
        scenario, stage = self.scenarios.scenarios[name], self.scenarios.stage
        try:
            with (
                _limited(),
                TemporaryDirectory(prefix="flow-mutant-") as folder,
                staged(
                    procedure, stage, scenario.begin.at, Path(folder), subjects(), others=self.others
                ) as app,
            ):
                Watcher(app, procedure, stage, scenario).play()
        except NoticedError as noticed:
            return str(noticed)
        except Misbuilt:
            raise
        except Exception as broken:  # noqa: BLE001 - a step that misses what another left breaks off
            return f"broke: {type(broken).__name__}: {broken}"
        return None


@contextmanager
def _limited() -> Iterator[None]:
    def over(*_: object) -> None:
        raise NoticedError(f"it does not end within {PATIENCE} seconds")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def shortcomings(clause: Clause, verdicts: list[Verdict]) -> list[str]:
    """Why a clause is not proven; nothing when it is.

    Whatever it declares has to hold or be noticed by itself. Of its elements one has to be noticed, in every way
    it can be bypassed: others may be there for a course that no scenario of this clause takes. One that only
    asserts, or whose elements have no bypass while it declares a mutant, needs no element.
    """
    found = [
        f"{each.mutant or each.clause}: {each.outcome}: {each.reason}"
        for each in verdicts
        if each.obliged and each.outcome not in (NOTICED, CLAIMED)
    ]
    free = [each for each in verdicts if not each.obliged]
    if not verdicts:
        found.append("it names rules only: declare a mutant or an assertion")
    elif free and not any(_all_noticed(free)) and not _excused(clause, free):
        found += [f"{each.mutant}: {each.outcome}: {each.reason}" for each in free if each.outcome != NOTICED]
    return found


def _all_noticed(verdicts: list[Verdict]) -> Iterator[bool]:
    """For each element, whether it was noticed in all its ways. The ways of a choice stand one after another.

    A way of a choice that leaves no procedure (always back to the beginning) does not count beside one that does.
    """
    ways: dict[str, list[str]] = {}
    for place, each in enumerate(verdicts):
        choice = each.mutant.startswith("always")
        key = f"choice {_first(verdicts, place)}" if choice else f"{place} {each.mutant}"
        ways.setdefault(key, []).append(each.outcome)
    for outcomes in ways.values():
        played = [each for each in outcomes if each != UNPUBLISHED]
        yield bool(played) and all(each == NOTICED for each in played)


def _first(verdicts: list[Verdict], place: int) -> int:
    while place and verdicts[place - 1].mutant.startswith("always"):
        place -= 1
    return place


def _excused(clause: Clause, free: list[Verdict]) -> bool:
    return bool(clause.mutants) and all(each.outcome == IMPOSSIBLE for each in free)


def proof_of(name: str) -> Proof:
    """A procedure by its id or code, or by the path of its folder. Raises NotFound, Misbuilt."""
    path = Path(name)
    known = folders.shipped()
    source = folders.named(name, known)
    if (path / "procedure.yaml").is_file():
        source = folders.at(path)
        home = source.forms.parent / "processes"
        known = [Folder(each.parent, source.forms) for each in sorted(home.rglob("procedure.yaml"))] + known
    if source is None:
        raise EngineError("There is no procedure {name}", name=name)
    procedure = source.load()
    assert procedure.scenarios is not None, "a procedure without scenarios proves nothing"
    others = [each.load() for each in folders.called(source, known)]
    return Proof(procedure, others, read_scenarios(procedure.scenarios))


def procedures() -> list[Folder]:
    """Every procedure under processes/ that has clauses."""
    home = shipped() / "processes"
    return [
        each
        for each in folders.shipped()
        if each.folder.is_relative_to(home) and (each.folder / "clauses.yaml").is_file()
    ]
