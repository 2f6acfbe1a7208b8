"""An office that sends notices, a mail server and a chat's robot to send them to: all on this machine."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from ssl import SSLContext
from typing import Any
from zoneinfo import ZoneInfo

from aiosmtpd.smtp import SMTP, AuthResult, TLSSetupException

from engine.bootstrap import Subject, open_app
from engine.clock import VirtualClock
from engine.config import Workspace
from engine.handlers import Handlers
from engine.model import Actor
from engine.store import Store
from notices import subject
from notices.postman import go_round
from notices.tables import delivery
from tests.engine.stage import BEGIN, Stage

ORGANISATION = """
organisation: flow/1
units:
  - {id: head, name: 总部}
  - {id: east, name: 东区, parent: head}
  - {id: west, name: 西区, parent: head}
roles:
  - {id: clerk, name: 经办}
  - {id: boss, name: 主管}
people:
  - {id: ann, name: 安妮, email: ann@example.com, roles: [{role: clerk, unit: east}]}
  - {id: bob, name: 博文, email: bob@example.com, roles: [{role: clerk, unit: east}], language: en}
  - {id: cat, name: 卡林, roles: [{role: clerk, unit: east}]}
  - {id: dan, name: 丹青, email: dan@example.com, channel: none, roles: [{role: clerk, unit: east}]}
  - {id: eve, name: 伊人, email: eve@example.com}
  - {id: gus, name: 古月, email: gus@example.com, roles: [{role: boss, unit: head}], may: [admin]}
"""
ASK = "start s\nuser ask {options}\nend e\ns -> ask -> e"
"""One user task of the clerks."""


@dataclass
class PostOffice:
    """A mail server: keeps what it takes; what it says to an address can be set."""

    letters: list[EmailMessage] = field(default_factory=list)
    at_rcpt: dict[str, list[str]] = field(default_factory=dict)
    """Replies to the next mails to an address; then they are taken."""
    cut: int = 0
    """So many times the line goes dead after the whole message was taken, before the answer."""
    logins: list[str] = field(default_factory=list)
    password: str = "correct horse"
    port: int = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.at_rcpt.get(address):
            return self.at_rcpt[address].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        letter = message_from_bytes(envelope.content, policy=default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        if self.cut:
            self.cut -= 1
            server.transport.abort()
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins.append(data.login.decode())
        return AuthResult(success=data.password == self.password.encode(), handled=False)

    @property
    def to(self) -> list[str]:
        """The addresses of what was taken, in order."""
        return sorted(each["To"].addresses[0].addr_spec for each in self.letters)

    def letter(self, to: str) -> EmailMessage:
        """The one letter to an address."""
        found = [each for each in self.letters if each["To"].addresses[0].addr_spec == f"{to}@example.com"]
        assert len(found) == 1, self.to
        return found[0]


async def _closed(server: asyncio.Server) -> None:
    """The server takes nobody any more, and every connection is over."""
    over = asyncio.ensure_future(server.wait_closed())
    await asyncio.sleep(0)  # it has to wait already: a server that is closed waits for nobody (Python 3.11)
    server.close()
    await over


@contextmanager
def post_office(*, ssl_from_start: SSLContext | None = None, **how: Any) -> Iterator[PostOffice]:
    """A mail server of one's own."""
    office, loop = PostOffice(), asyncio.new_event_loop()

    def speak() -> SMTP:
        return SMTP(
            office, hostname="localhost", loop=loop, enable_SMTPUTF8=True, authenticator=office.authenticate,
            auth_require_tls=False, **how,
        )  # fmt: skip

    server = loop.run_until_complete(loop.create_server(speak, "127.0.0.1", 0, ssl=ssl_from_start))
    office.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield office
    finally:
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(_closed(server), loop).result(timeout=5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with suppress(asyncio.CancelledError, TLSSetupException):
                loop.run_until_complete(task)
        loop.close()


@dataclass
class Robots:
    """A web server that answers as the chats' robots do."""

    address: str = ""
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    """What is said next: a dict (200), a status, or None (the line goes dead); then `errcode` 0."""


@contextmanager
def robots() -> Iterator[Robots]:
    """A web server of one's own."""
    found = Robots()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            found.heard.append((self.path, json.loads(raw)))
            answer = found.answers.pop(0) if found.answers else {"errcode": 0, "code": 0}
            if answer is None:
                self.connection.close()
                return
            self.send_response(answer if isinstance(answer, int) else 200)
            if answer in (301, 302):
                self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *args: Any) -> None:
            """Nothing is printed."""

        def finish(self) -> None:
            if not self.wfile.closed:
                with suppress(OSError):
                    super().finish()

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    found.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Office(Stage):
    """A stage whose postman goes round when told."""

    go: Callable[[], int] = lambda: 0

    def after(self, **time: float) -> int:
        """Let time pass, then send the postman round. Returns how many messages he tried."""
        self.wait(**time)
        return self.go()

    def messages(self) -> list[Any]:
        return list(self.rows(delivery))

    def states(self) -> dict[str, str]:
        """What became of the message to each person (or chat)."""
        return {each.person or each.channel: each.status for each in self.messages()}


def open_office(
    store: Store, folder: Path, notices: Mapping[str, Any], organisation: str = ORGANISATION
) -> Office:
    """An office on an open store."""
    clock, handlers = VirtualClock(BEGIN), Handlers("t")
    workspace = Workspace(
        folder, "第一物业", ZoneInfo("Asia/Shanghai"), "zh", store.place, False, False, notices
    )
    from tasks.notices import handlers as telling

    handlers.include(telling)
    app = open_app(workspace, (Subject(handlers), subject.subject()), clock=clock, store=store)
    office = Office(app, clock, handlers, go=lambda: go_round(app))
    app.witness = office.seen.append
    office.organise(organisation)
    office.calendars(2026, 2027)
    return office


def by_mail(server: PostOffice, **more: Any) -> dict[str, Any]:
    """[notices] for mail through this server."""
    return {
        "from": "满意度调查 <survey@example.com>",
        "mail": {"host": "127.0.0.1", "port": server.port, "security": "none"},
        **more,
    }


GUS = Actor("gus")
