"""The metronome: looks every second for what fell due, and now and then for what was forgotten.

APScheduler beats the time (docs/decisions/0005); it keeps no job of ours. What is due stands in the tables, so
any number of these may run, and a missed beat costs time, never a timer.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Mapping
from time import monotonic

from apscheduler.schedulers.background import BackgroundScheduler

from engine.app import App, Beat
from engine.commands import journal, organisation, schedules, timers
from engine.errors import EngineError
from engine.model import SYSTEM
from engine.queries import schedules as planned
from engine.store.calendars import calendar_of

log = logging.getLogger("satisflow")

TICK_SECONDS = 1
SWEEP_SECONDS = 15
SEAL_SECONDS = 3600
PLANS_SECONDS = 3600
WATCH_SECONDS = 5
JUMP_SECONDS = 2
CHUNK = 200


def tick(app: App) -> int:
    """Start and fire what fell due and run the jobs that follow. Returns how much there was."""
    count = 0
    while started := app.do(schedules.FireSchedules(by=SYSTEM)).value:
        count += len(started)
    while (fired := app.do(timers.FireTimers(by=SYSTEM, limit=CHUNK)).value) > 0:
        count += fired
        app.settle()
        if fired < CHUNK:
            break
    return count + app.settle()


def sweep(app: App) -> None:
    """Leave word that somebody watches, and run what no ring announced."""
    app.do(organisation.Tick(by=SYSTEM))
    app.settle()


def seal(app: App) -> None:
    """Chain what happened since the last seal."""
    app.do(journal.Seal(by=SYSTEM))


def watch_plans(app: App) -> None:
    """Say in the log which schedules have no next start, and why: nothing else would, until it is missed."""
    with app.store.read() as conn:
        found = planned.schedules(conn)
        waiting = planned.unplanned(found, app.clock.now(), lambda unit: calendar_of(conn, unit), app.zone)
        units: dict[tuple[str, str], list[str]] = {}
        for each, why in waiting:
            units.setdefault((each.procedure, str(why)), []).append(each.unit)
        for (procedure, reason), where in units.items():
            log.warning("%s for %s has no next start: %s", procedure, ", ".join(where), reason)


BEATS: Mapping[str, Beat] = {
    "sweep": (sweep, SWEEP_SECONDS),
    "tick": (tick, TICK_SECONDS),
    "seal": (seal, SEAL_SECONDS),
    "plans": (watch_plans, PLANS_SECONDS),
}


def serve(app: App, *, until: threading.Event | None = None) -> None:
    """Watch until SIGTERM, SIGINT or the event; then finish the beat, leave word and stop.

    Raises Conflict when the clock cannot be right; one that goes wrong later is logged, and nothing is done by it.
    """
    app.now()
    stop = until or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    beat = BackgroundScheduler(
        timezone=app.zone,
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    lock = threading.Lock()
    # What a subject does may wait for the world outside: it shares its lock with nobody.
    locks = {**dict.fromkeys(BEATS, lock), **{name: threading.Lock() for name in app.beats}}
    for name, (act, seconds) in {**BEATS, **app.beats}.items():
        beat.add_job(_safely(app, act, locks[name]), "interval", seconds=seconds, id=name)
    for act, _ in BEATS.values():
        _safely(app, act, lock)()
    beat.start()
    try:
        _watch(app, beat, stop)
    finally:
        beat.shutdown(wait=True)
        _safely(app, lambda app: app.do(organisation.Tick(by=SYSTEM, last=True)), lock)()


def _watch(app: App, beat: BackgroundScheduler, stop: threading.Event) -> None:
    """Wait for the end; set the beat going again when the clock was put back, which would silence it meanwhile."""
    wall, steady = app.clock.now(), monotonic()
    while not stop.wait(WATCH_SECONDS):
        passed, elapsed = (app.clock.now() - wall).total_seconds(), monotonic() - steady
        if passed < elapsed - JUMP_SECONDS:
            log.warning("the clock was put back by %.0f seconds", elapsed - passed)
            for name, (_, seconds) in {**BEATS, **app.beats}.items():
                beat.reschedule_job(name, trigger="interval", seconds=seconds)
        wall, steady = app.clock.now(), monotonic()


def _safely(app: App, act: Callable[[App], object], lock: threading.Lock) -> Callable[[], None]:
    """A beat that fails is logged, and the next one tries again: nothing was lost, it stands in the tables."""
    told = ""

    def beat() -> None:
        nonlocal told
        with lock:
            try:
                act(app)
                told = ""
            except EngineError as error:
                if (kind := error.template) != told:  # once, not every second
                    log.warning("%s", error)
                told = kind
            except Exception:
                log.exception("the metronome stumbled")

    return beat
