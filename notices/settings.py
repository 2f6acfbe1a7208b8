"""How notices go out: the table [notices] of flow.toml, read and checked. Secrets are named there, never written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from engine.config import FILE, Workspace
from engine.errors import Finding, Misbuilt, NotFound

MAIL, NONE = "mail", "none"
"""Channels that are no group chat."""
AT_ONCE = ("task", "reminder", "overdue", "notice", "incident")
"""What people are told as it happens; the daily digest tells of all that is due, late and new."""
CHATS = ("wecom", "dingtalk", "feishu")
SECURITIES = {"tls": 465, "starttls": 587, "none": 25}
"""How a mail server is spoken to, to the port where it usually listens."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret lies: `env:NAME` or `file:PATH` (within the workspace, unless absolute)."""

    source: str
    folder: Path

    def read(self) -> str:
        """The secret itself. Raises NotFound when it is not there."""
        kind, _, place = self.source.partition(":")
        if kind == "env":
            found = os.environ.get(place, "")
        else:
            try:
                found = (self.folder / place).read_text("utf-8")
            except (OSError, UnicodeDecodeError):
                found = ""
        if not found.strip():
            raise NotFound("The secret {source} of [notices] is missing or empty", source=self.source)
        return found.strip()


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server."""

    host: str
    port: int
    security: str
    """`tls` from the first byte, `starttls`, or `none`."""
    user: str | None
    password: Secret | None


@dataclass(frozen=True, slots=True)
class Chat:
    """A group chat with a robot that is spoken to by a webhook."""

    kind: str
    url: Secret
    """Its address, which holds its key."""
    secret: Secret | None
    """What the address is signed with (DingTalk, Feishu)."""
    about: frozenset[str]
    """The kinds of notices it is told."""
    units: frozenset[str]
    """Of these units and those below; of all when empty."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All of [notices]."""

    sender: str = ""
    """Name and address that mail comes from."""
    digest: time | None = None
    """When the daily digest goes out, local time; None: never."""
    at_once: frozenset[str] = frozenset(AT_ONCE)
    gather: timedelta = timedelta(seconds=60)
    """So long what happens is gathered into one message."""
    mail: Mail | None = None
    chats: Mapping[str, Chat] = field(default_factory=dict)

    @property
    def on(self) -> bool:
        """Whether anything can be delivered at all."""
        return self.mail is not None or bool(self.chats)

    def channel_of(self, email: str | None, channel: str | None) -> str | None:
        """How a person is reached; None: not at all."""
        if channel == NONE:
            return None
        if channel in self.chats:
            return channel
        return MAIL if self.mail is not None and email else None


def read_settings(workspace: Workspace) -> Settings:
    """The settings of a workspace. Raises Misbuilt naming every one that is wrong."""
    faults: list[Finding] = []
    top = _Table("notices", workspace.notices, workspace.folder, faults)
    mail, chats = top.table("mail"), top.table("chats")
    read = {name: _chat(chats.table(name), name) for name in chats.names()} if chats is not None else {}
    settings = Settings(
        sender=top.text("from") or "",
        digest=_time(top),
        at_once=frozenset(top.words("at_once", AT_ONCE, AT_ONCE)),
        gather=timedelta(seconds=top.number("gather", 60, 0, 3600)),
        mail=None if mail is None else _mail(mail),
        chats={name: chat for name, chat in read.items() if chat is not None},
    )
    if settings.mail is not None and "@" not in parseaddr(settings.sender)[1]:
        top.fault("from", 'Mail needs a sender, as in "满意度调查 <survey@example.com>"')
    top.done()
    if faults:
        raise Misbuilt(faults)
    return settings


def _mail(table: _Table) -> Mail:
    security = table.choice("security", tuple(SECURITIES), "tls")
    found = Mail(
        host=table.text("host", needed=True) or "",
        port=table.number("port", SECURITIES[security], 1, 65535),
        security=security,
        user=table.text("user"),
        password=table.secret("password"),
    )
    if (found.user is None) != (found.password is None):
        table.fault("user", "Write both `user` and `password`, or neither")
    table.done()
    return found


def _chat(table: _Table | None, name: str) -> Chat | None:
    if table is None:
        return None
    if name in (MAIL, NONE):
        table.fault("", "A chat cannot be called {name}", name=name)
    found = Chat(
        kind=table.choice("kind", CHATS, None),
        url=table.secret("url", needed=True) or Secret("env:", table.folder),
        secret=table.secret("secret"),
        about=frozenset(table.words("about", AT_ONCE, ("overdue", "incident"))),
        units=frozenset(table.words("units", None, ())),
    )
    if found.secret is not None and found.kind == "wecom":
        table.fault("secret", "WeCom's robots are not signed: take the line out")
    table.done()
    return found


def _time(table: _Table) -> time | None:
    text = table.text("digest")
    if text is None:
        return None
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        table.fault("digest", '{value!r} is no time of day; write one like "08:30"', value=text)
        return None
    return time.fromisoformat(text)


class _Table:
    """One table of TOML: takes what it knows and finds fault with the rest."""

    def __init__(self, path: str, values: Mapping[str, Any], folder: Path, faults: list[Finding]) -> None:
        self.path, self.values, self.folder, self.faults = path, values, folder, faults
        self.taken: set[str] = set()

    def fault(self, name: str, template: str, /, **params: object) -> None:
        place = ".".join(part for part in (self.path, name) if part)
        self.faults.append(
            Finding("error", FILE, place, template, "Correct it, or take the line out", params)
        )

    def names(self) -> Iterator[str]:
        return iter(self.values)

    def table(self, name: str) -> _Table | None:
        found = self._take(name, dict)
        return None if found is None else _Table(f"{self.path}.{name}", found, self.folder, self.faults)

    def text(self, name: str, *, needed: bool = False) -> str | None:
        found = self._take(name, str)
        if needed and not found:
            self.fault(name, "It is missing")
        return None if found is None else str(found)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        found = self._take(name, int)
        if found is None:
            return default
        if isinstance(found, bool) or not least <= found <= most:
            self.fault(
                name, "{value} is no number from {least} to {most}", value=found, least=least, most=most
            )
            return default
        return int(found)

    def choice(self, name: str, choices: tuple[str, ...], default: str | None) -> str:
        found = self.text(name, needed=default is None) or default or choices[0]
        if found not in choices:
            self.fault(name, "{value!r} is none of {choices}", value=found, choices=", ".join(choices))
            return default or choices[0]
        return found

    def words(self, name: str, choices: tuple[str, ...] | None, default: tuple[str, ...]) -> tuple[str, ...]:
        found = self._take(name, list)
        if found is None:
            return default
        for each in found:
            if not isinstance(each, str) or (choices is not None and each not in choices):
                known = ", ".join(choices or ())
                self.fault(name, "{value!r} is none of {choices}", value=each, choices=known)
        return tuple(each for each in found if isinstance(each, str))

    def secret(self, name: str, *, needed: bool = False) -> Secret | None:
        found = self.text(name, needed=needed)
        if found is None:
            return None
        if not re.fullmatch(r"(env:[A-Za-z_]\w*|file:.+)", found):
            self.fault(
                name,
                "A secret does not stand here, where everybody reads it: write env:NAME or file:PATH for where it is",
            )
        return Secret(found, self.folder)

    def _take(self, name: str, kind: type) -> Any:
        self.taken.add(name)
        found = self.values.get(name)
        if found is not None and not isinstance(found, kind):
            self.fault(name, "{value!r} is not of the right kind", value=found)
            return None
        return found

    def done(self) -> None:
        for name in self.values:
            if name not in self.taken:
                self.fault(name, "There is no such setting")
