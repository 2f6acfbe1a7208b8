"""Templates: a department's own look for the papers that a procedure makes in Word, judged before it is published."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from pathlib import PurePosixPath
from xml.sax.saxutils import unescape

from documents.content import Control, Document, Paragraph, Signature
from documents.word import word
from documents.word_style import standard_template
from engine.bpmn.rules.properties import pairs
from engine.errors import Conflict, Finding, Misbuilt
from engine.handlers import Handlers
from engine.procedures import Procedure
from tasks.controlled import FILLED, listed

handlers = Handlers("templates")

FOLDER = "templates"
_SAMPLE = date(2026, 1, 1)
_TAG = re.compile(r"<[^>]+>")
_SIGNED = re.compile(r"""signed\[\s*["']([^"']+)["']\s*\]""")


@handlers.judges(f"{FOLDER}/*.docx")
def fits(name: str, content: bytes, steps: Sequence[Mapping[str, str]]) -> None:
    """The template belongs to a paper, and can be filled in. Raises `Misbuilt` naming what is wrong with it."""
    record = PurePosixPath(name).stem
    known = in_word(steps)
    if record not in known:
        template = "No step sets a record {record} in Word: the template would never be used"
        own = sorted(name for name, acts in known.items() if acts is not None)
        remedy = "Name it after a record that is: {known}" if own else "Delete it"
        params = {"record": record, "known": ", ".join(own)}
        raise Misbuilt([Finding("error", name, "", template, remedy, params)])
    acts = known[record]
    if acts is None:  # the process called says who signs; here it cannot be seen
        acts = _named(content)
    signatures = tuple(Signature(act, "赵敏", _SAMPLE) for act in acts)
    about = Control("文件", _SAMPLE, "JL-01", "V1", "服务中心", signatures)
    word(Document(about, (Paragraph("正文"),)), content, name)


def in_word(steps: Iterable[Mapping[str, str]]) -> dict[str, list[str] | None]:
    """The records that steps set in Word, with what is signed on them; None: it is filed for a process called."""
    from tasks import registry

    functions = registry().known
    found: dict[str, list[str] | None] = {}
    for step in steps:
        found |= {
            record: None for record in pairs(step.get("flow.records", "")).values() if record not in found
        }
        function = functions.get(step.get("flow.handler", "").strip())
        if function is None:  # a form, where its record is to be kept as Word
            papers = "flow.files" in step
        else:
            papers = function.settings is not None and "flow.files" in function.settings.properties
        if papers and "word" in (listed(step.get("flow.files")) or ["word"]):
            signed = listed(step.get("flow.signed")) if function is not None else [FILLED]
            acts = [part.split()[0] for part in signed]
            record = step.get("flow.record", "").strip()
            found[record] = [*(found.get(record) or ()), *acts]
    return found


def _named(content: bytes) -> list[str]:
    """What a template names as signed; nothing where it is no Word document, which is said elsewhere."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            pages = [parts.read(name).decode() for name in parts.namelist() if name.endswith(".xml")]
    except (zipfile.BadZipFile, ValueError):
        return []
    words = unescape(_TAG.sub("", "".join(pages)), {"&quot;": '"', "&apos;": "'"})
    return list(dict.fromkeys(_SIGNED.findall(words)))


def standard(procedure: Procedure, steps: Collection[Mapping[str, str]], record: str) -> bytes:
    """What a template of one's own begins with. Raises `Conflict` for a record that is not set in Word."""
    known = in_word(steps)
    if record not in known:
        named = ", ".join(
            f"{name} ({procedure.records[name].title.zh})"
            for name in sorted(known)
            if known[name] is not None
        )
        template = (
            "{record} of {procedure} is not made in Word, so that it has no template; those are: {known}"
        )
        raise Conflict(template, record=record, procedure=procedure.id, known=named or "—")
    return standard_template()
