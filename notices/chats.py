"""Group chats: a text to a robot of WeCom, DingTalk or Feishu, and what it answered.

All three answer 200 also when they refuse; what counts is the code within the answer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote_plus, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from notices.outcome import SENT, Outcome, later, refused, unknown
from notices.settings import Chat
from notices.wording import Message

SECONDS = 20
"""Waited for an answer."""
_BYTES = {"wecom": 2048, "dingtalk": 20_000, "feishu": 20_000}
"""The longest text each takes, in UTF-8."""
_BUSY = {"wecom": (-1, 45009, 45033), "dingtalk": (-1, 130101, 410100), "feishu": (11232, 11233)}
"""Codes that mean: too much at this moment."""
_MOST = 65_536
"""Bytes of an answer that are read."""


class _StayHere(HTTPRedirectHandler):
    """A webhook that sends us elsewhere is no webhook."""

    def redirect_request(self, *args: Any, **options: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Robot:
    """One group chat's robot."""

    chat: Chat
    opener: OpenerDirector

    def send(self, message: Message, now: datetime) -> Outcome:
        """Say a text in the chat. Raises NotFound when a secret is missing."""
        address = self.chat.url.read()
        if urlsplit(address).scheme not in ("http", "https"):
            return refused("The webhook's address begins with neither https:// nor http://")
        text = fitting(f"{message.subject}\n\n{message.text}".strip(), _BYTES[self.chat.kind])
        body, more = self._signed(self._body(text), now)
        request = Request(  # noqa: S310 (its scheme was looked at)
            address + more,
            data=json.dumps(body, ensure_ascii=False).encode(),
            headers={"Content-Type": "application/json; charset=utf-8"},
        )
        try:
            with self.opener.open(request, timeout=SECONDS) as answer:
                return self._judged(answer.read(_MOST))
        except HTTPError as error:
            with error:
                return _of_status(error.code)
        except URLError as error:  # not even asked
            return later(f"{type(error.reason).__name__}: {error.reason}")
        except (HTTPException, OSError) as error:
            return unknown(type(error).__name__)

    def _body(self, text: str) -> dict[str, Any]:
        if self.chat.kind == "feishu":
            return {"msg_type": "text", "content": {"text": text}}
        return {"msgtype": "text", "text": {"content": text}}

    def _signed(self, body: dict[str, Any], now: datetime) -> tuple[dict[str, Any], str]:
        """The body and what comes after the address, as the chat wants them signed."""
        if self.chat.secret is None:
            return body, ""
        secret = self.chat.secret.read()
        if self.chat.kind == "dingtalk":
            stamp = str(int(now.timestamp() * 1000))
            sign = _hmac(secret.encode(), f"{stamp}\n{secret}".encode())
            return body, f"&timestamp={stamp}&sign={quote_plus(sign)}"
        stamp = str(int(now.timestamp()))
        return {"timestamp": stamp, "sign": _hmac(f"{stamp}\n{secret}".encode(), b""), **body}, ""

    def _judged(self, raw: bytes) -> Outcome:
        try:
            answer = json.loads(raw)
        except ValueError:
            answer = None
        names = ("code", "StatusCode") if self.chat.kind == "feishu" else ("errcode",)
        code = next((answer[name] for name in names if name in answer), None) if _is_object(answer) else None
        if code == 0:
            return SENT
        if code is None:
            return refused("The answer is not that of a robot: is the address right?")
        words = str(answer.get("errmsg") or answer.get("msg") or "")[:300]
        busy = code in _BUSY[self.chat.kind]
        return (later if busy else refused)(f"{code} {words}".strip())


def _is_object(answer: object) -> bool:
    return isinstance(answer, Mapping)


def _hmac(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def _of_status(code: int) -> Outcome:
    words = f"HTTP {code}"
    if code in (408, 429, 503):
        return later(words)
    return unknown(words) if code >= 500 else refused(words)


def robot(chat: Chat) -> Robot:
    """The robot of a chat. Proxies are those of the environment."""
    return Robot(chat, build_opener(_StayHere))


def fitting(text: str, most: int) -> str:
    """A text cut to so many bytes of UTF-8, the last of them an ellipsis."""
    raw = text.encode()
    return text if len(raw) <= most else raw[: most - 3].decode("utf-8", "ignore") + "…"
