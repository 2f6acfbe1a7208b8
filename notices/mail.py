"""Mail: one message to one address over SMTP (RFC 5321), and what the server said to it."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from types import TracebackType
from typing import Self

from notices.outcome import SENT, Outcome, later, refused, unknown
from notices.settings import Mail
from notices.wording import Message

SECONDS = 30
"""Waited for a server's answer."""
_TEMPORARY = range(400, 500)


@dataclass(slots=True)
class Postbox:
    """A mail server, connected to when first used and as long as it goes well."""

    mail: Mail
    sender: str
    _smtp: smtplib.SMTP | None = None
    _down: Outcome | None = None
    """Why the server could not be reached: nobody waits for it again in this round."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def send(self, message: EmailMessage, to: str) -> Outcome:
        """Hand a message over. A connection that the server closed meanwhile is opened once more."""
        if self._down is not None:
            return self._down
        again = self._smtp is not None
        outcome, gone = self._try(message, to)
        if gone and again:
            outcome, _ = self._try(message, to)
        return outcome

    def _try(self, message: EmailMessage, to: str) -> tuple[Outcome, bool]:
        """The outcome, and whether the connection was lost before anything was handed over."""
        try:
            smtp = self._smtp = self._smtp or self._connect()
        except (smtplib.SMTPException, OSError) as error:  # the server or the settings, not the message
            self._down = later(_unreached(error, self.mail.host))
            return self._down, False
        try:
            code, reply = smtp.mail(parseaddr(self.sender)[1])
            if code == 250:
                code, reply = smtp.rcpt(to)
        except (smtplib.SMTPException, OSError) as error:
            self._leave()
            return later(_reason(error)), True
        if code not in (250, 251):
            self._leave()
            return _said(code, reply), code == 421
        return self._hand_over(smtp, message), False

    def _hand_over(self, smtp: smtplib.SMTP, message: EmailMessage) -> Outcome:
        try:
            code, reply = smtp.data(message.as_bytes(policy=SMTP))
        except smtplib.SMTPDataError as error:
            code, reply = error.smtp_code, str(error.smtp_error).encode()
        except (smtplib.SMTPException, OSError) as error:
            self._leave()
            return unknown(_reason(error))
        if code == 250:
            return SENT
        self._leave()
        return _said(code, reply)

    def _connect(self) -> smtplib.SMTP:
        mail = self.mail
        if mail.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                mail.host, mail.port, timeout=SECONDS, context=ssl.create_default_context()
            )
        else:
            smtp = smtplib.SMTP(mail.host, mail.port, timeout=SECONDS)
        try:
            if mail.security == "starttls":
                smtp.starttls(context=ssl.create_default_context())
            if mail.user is not None and mail.password is not None:
                smtp.login(mail.user, mail.password.read())
            else:
                smtp.ehlo_or_helo_if_needed()
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _leave(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            try:
                smtp.quit()
            except (smtplib.SMTPException, OSError):
                smtp.close()


def letter(
    message: Message, *, sender: str, name: str, address: str, key: str, now: datetime
) -> EmailMessage:
    """A message as mail. A repeated one has the same Message-ID, so that a reader's program sees it as one."""
    mail = EmailMessage(policy=SMTP)
    from_name, from_address = parseaddr(sender)
    mail["From"] = Address(from_name, addr_spec=from_address)
    mail["To"] = Address(name, addr_spec=address)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(now)
    domain = from_address.rpartition("@")[2]
    mail["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html")
    return mail


def _said(code: int, reply: bytes | str) -> Outcome:
    return (later if code in _TEMPORARY or code < 0 else refused)(_words(code, reply))


def _unreached(error: Exception, host: str) -> str:
    """Why no connection came about; of a certificate first what it means."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{host}: its certificate is not trusted, nothing was sent ({error.verify_message})"
    return _reason(error)


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _words(error.smtp_code, error.smtp_error)
    return f"{type(error).__name__}: {error}"


def _words(code: int, reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return f"{code} {text}".strip()
