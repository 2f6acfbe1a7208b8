"""The postman: collects what happened, plans digests, delivers what is due. `flow run` sends him round."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass, field

from engine.app import App
from engine.errors import EngineError
from engine.model import SYSTEM
from notices import chats
from notices.composing import Writing, compose
from notices.delivering import Report, Take, Taken
from notices.digests import PlanDigests
from notices.mail import Postbox, letter
from notices.outbox import Collect
from notices.outcome import MOOT, Outcome, later, refused
from notices.readers import Reader, everybody
from notices.settings import MAIL, Settings, read_settings
from notices.wording import Message

log = logging.getLogger("satisflow")


def go_round(app: App) -> int:
    """Make messages of what happened and deliver what is due. Returns how many were tried.

    Raises Misbuilt when [notices] cannot be read.
    """
    settings = read_settings(app.workspace)
    app.do(Collect(by=SYSTEM))
    if not settings.on:
        return 0
    app.do(PlanDigests(by=SYSTEM))
    return deliver(app, settings)


MOST = 50
"""Messages of one round, so that whoever stops the program does not wait for all the others."""


def deliver(app: App, settings: Settings, *, only: int | None = None) -> int:
    """Try what is due, as far as one round goes, or the one of that number. Returns how many were tried."""
    count = 0
    with ExitStack() as stack:
        bag = _Bag(app, settings, stack)
        while count < MOST and (taken := app.do(Take(by=SYSTEM, only=only)).value) is not None:
            count += 1
            outcome, subject = bag.deliver(taken)
            app.do(
                Report(
                    by=SYSTEM, number=taken.number, attempt=taken.attempt, outcome=outcome, subject=subject
                )
            )
            if only is not None:
                break
    return count


@dataclass(slots=True)
class _Bag:
    """One round: the mail server stays connected for it."""

    app: App
    settings: Settings
    stack: ExitStack
    postbox: Postbox | None = None
    people: dict[str, Reader] = field(default_factory=dict)

    def deliver(self, taken: Taken) -> tuple[Outcome, str | None]:
        """Try one message; whatever goes wrong is counted against it, never lost."""
        subject = None
        try:
            with self.app.store.read() as conn:
                reader = None
                if taken.person is not None:
                    reader = everybody(conn).get(taken.person)
                    if reader is None:
                        return MOOT, None  # has left meanwhile
                writing = Writing(taken.kind, reader, taken.about, taken.total)
                message = compose(self.app, conn, writing, self.app.clock.now())
            if message is None:
                return MOOT, None
            subject = message.subject
            return self._send(taken, reader, message), subject
        except EngineError as error:
            return later(str(error)), subject
        except Exception as error:  # a bug, or a template's: it is tried again, then a person sees it
            log.exception("message %s", taken.number)
            return later(f"{type(error).__name__}: {error}"), subject

    def _send(self, taken: Taken, reader: Reader | None, message: Message) -> Outcome:
        now = self.app.clock.now()
        if taken.channel in self.settings.chats:
            return chats.robot(self.settings.chats[taken.channel]).send(message, now)
        if taken.channel != MAIL or self.settings.mail is None:
            return later(f"[notices] has no {taken.channel} any more")
        if reader is None or reader.email is None:
            return refused("The person has no mail address any more")
        if self.postbox is None:
            self.postbox = self.stack.enter_context(Postbox(self.settings.mail, self.settings.sender))
        mail = letter(
            message,
            sender=self.settings.sender,
            name=reader.name,
            address=reader.email,
            key=taken.key,
            now=now.astimezone(self.app.zone),
        )
        return self.postbox.send(mail, reader.email)
