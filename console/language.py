"""The language people are spoken to in: Chinese or English.

Messages are written in English in the code; the catalogue `locale/zh_CN/LC_MESSAGES/flow.po` has the Chinese.
A text without translation is shown in English. Which language: `--lang`, else the variable FLOW_LANG, else the
locale of the terminal, else the workspace's own (`language` in flow.toml), else English.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("zh", "en")
LOCALE = Path(__file__).parent / "locale"
DOMAIN = "flow"

Messages = Mapping[Any, str]
"""Annotates a table of texts that are shown through `tr`, so that they are found for the catalogue."""
Words = tuple[str, ...]
"""The same of a list."""

STATES: Words = (
    *("open", "claimed", "done", "cancelled", "running", "suspended", "completed", "failed"),
    *("armed", "met", "missed", "active", "paused", "published", "not published", "changed since"),
    *(
        "listed",
        "issued",
        "complete",
        "partial",
        "blank",
        "refusal",
        "non-contact",
        "other",
        "unknown-eligibility",
    ),
    *("ineligible", "issue", "reminder", "attempt", "return", "recheck", "correction"),
    *("paper", "phone", "visit", "email", "link", "post", "fax", "sms", "chat"),
    *("named", "confidential", "anonymous"),
    *("census", "simple", "stratified", "systematic", "targeted", "where", "months", "until", "dated"),
    *("customer", "owner", "household", "patient", "name", "address", "attributes", "status", "kind"),
    *("key_account", "yes", "active", "sample", "frame", "moved_in"),
    *("timer", "message", "signal", "condition", "batch", "job", "incident"),
)
"""States and kinds as the tables have them."""

_FOLDERS = {"zh": "zh_CN", "en": "en"}
_chosen: ContextVar[str] = ContextVar("language", default="en")


def use(language: str) -> None:
    """Speak `language` from now on. click's own words are looked up in the same catalogue."""
    _chosen.set(language)
    gettext.bindtextdomain(DOMAIN, str(LOCALE))
    gettext.textdomain(DOMAIN)
    # click asks the standard library, which asks the environment.
    os.environ["LANGUAGE"] = _FOLDERS[language]


def chosen() -> str:
    """The language in use: `zh` or `en`."""
    return _chosen.get()


def tr(template: str, /, **params: object) -> str:
    """A text in the language in use, its parameters filled in."""
    text = _catalogue(chosen()).gettext(template) if template else ""
    return text.format(**params) if params else text


def both(zh: str, en: str) -> str:
    """Of a text that is kept in both languages, the one to show."""
    return en if chosen() == "en" and en else zh


def asked(args: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """The language that `--lang` or the variable FLOW_LANG asks for.

    Looked for before the command line is parsed, so that its own errors are in that language too.
    """
    for position, word in enumerate(args):
        if word == "--":
            break
        if word == "--lang" and position + 1 < len(args):
            return _known(args[position + 1])
        if word.startswith("--lang="):
            return _known(word.removeprefix("--lang="))
    if environment.get("FLOW_LANG"):
        return _known(environment["FLOW_LANG"])
    return None


def wanted(args: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """The language that a command line, the environment or the locale asks for; None when none does."""
    if (found := asked(args, environment)) is not None:
        return found
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        locale = environment.get(name, "")
        if locale:
            return None if locale.partition(".")[0] in ("C", "POSIX") else _known(locale)
    return None


def _known(text: str) -> str:
    return "zh" if text.lower().startswith("zh") else "en"


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, str(LOCALE), [_FOLDERS[language]], fallback=True)
