"""A sealed set as one file to hand over: a zip that anybody can check with `sha256sum -c SHA256SUMS`.

The same set gives the same bytes: names are sorted, every file bears the time of the sealing.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

import orjson

from engine.archiving.contents import FORMAT, HISTORY
from engine.errors import Conflict, Invalid, Problem

SUMS, MANIFEST, READ_ME, TOLD = "SHA256SUMS", "manifest.json", "README.txt", "history.txt"
_OURS = (SUMS, MANIFEST, READ_ME, TOLD)
"""What a file holds besides the files of the set."""
_PIECE = 1 << 20
_MOST = 64 << 20
"""Bytes of the lists of a set, unpacked, that are read: some hundred thousand files."""
_EARLIEST = 1980
"""The first year that a zip can name."""

Pieces = Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Fault:
    """One file of a set that is not what was sealed."""

    name: str
    template: str
    params: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}: {self.template.format(**self.params) if self.params else self.template}"


def write(target: Path, sealed_at: datetime, files: Mapping[str, Pieces], sums: Mapping[str, str]) -> int:
    """Write a zip; `sums` has the SHA-256 of every file by name. Returns its size in bytes.

    Raises Conflict, naming the file, when what comes has not that sum: it was changed since.
    """
    listed = "".join(f"{sums[name]}  {name}\n" for name in sorted(files))
    at = sealed_at.timetuple()[:6] if sealed_at.year >= _EARLIEST else (_EARLIEST, 1, 1, 0, 0, 0)
    with ZipFile(target, "w", ZIP_DEFLATED) as zipped:
        for name, pieces in {**dict(sorted(files.items())), SUMS: [listed.encode()]}.items():
            info = ZipInfo(name, at)
            info.compress_type, info.create_system, info.external_attr = ZIP_DEFLATED, 3, 0o644 << 16
            digest = hashlib.sha256()
            with zipped.open(info, "w", force_zip64=True) as entry:
                for piece in pieces:
                    digest.update(piece)
                    entry.write(piece)
            if name != SUMS and digest.hexdigest() != sums[name]:
                raise Conflict(
                    "The file {path} was changed after it was made: put it back as it was", path=name
                )
    return target.stat().st_size


def pieces_of(file: Path) -> Iterator[bytes]:
    """A file's bytes, in pieces."""
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            yield piece


def check(file: Path) -> tuple[dict[str, Any], str, list[Fault]]:
    """A zip's manifest, the manifest's SHA-256, and what is wrong with the file by itself.

    Raises Invalid for what is no archive at all.
    """
    try:
        with ZipFile(file) as zipped:
            return _check(zipped)
    except (BadZipFile, KeyError, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        template = "It is no archive that can be read: {reason}"
        raise Invalid([Problem(file.name, template, {"reason": str(error)})]) from error


def _check(zipped: ZipFile) -> tuple[dict[str, Any], str, list[Fault]]:
    names = [each.filename for each in zipped.infolist() if not each.is_dir()]
    faults = [
        Fault(name, "It stands twice in the archive") for name in sorted(set(names)) if names.count(name) > 1
    ]
    raw = _whole(zipped, MANIFEST)
    manifest = _manifest(raw)
    listed = _sums(_whole(zipped, SUMS))
    sealed = {str(each["name"]): str(each["sha256"]) for each in manifest["files"]}
    for name in sorted({*names, *listed, *sealed} - {SUMS}):
        if name not in names:
            faults.append(Fault(name, "It is missing"))
            continue
        found = _sum(zipped, name)
        if name not in listed:
            faults.append(Fault(name, "The list of sums does not name it"))
        elif listed[name] != found:
            faults.append(Fault(name, "It is not what the list of sums says: it was changed"))
        if name not in _OURS and name not in sealed:
            faults.append(Fault(name, "It does not belong to the sealed set"))
        elif name in sealed and sealed[name] != found:
            faults.append(Fault(name, "It is not what was sealed: it was changed"))
    return manifest, hashlib.sha256(raw).hexdigest(), faults


def _whole(zipped: ZipFile, name: str) -> bytes:
    """A list of the set. Raises Invalid for one that grows beyond all measure as it is unpacked."""
    with zipped.open(name) as entry:
        raw = entry.read(_MOST + 1)
    if len(raw) > _MOST:
        raise Invalid([Problem(name, "It is larger than {limit} bytes when unpacked", {"limit": _MOST})])
    return raw


def _manifest(raw: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(raw)
        if found["archive"] != FORMAT or not all({"name", "sha256"} <= set(each) for each in found["files"]):
            raise ValueError
    except (ValueError, TypeError, KeyError):
        raise Invalid([Problem(MANIFEST, "It is no manifest of an archive")]) from None
    return dict(found)


def _sums(raw: bytes) -> dict[str, str]:
    lines = [line.partition("  ") for line in raw.decode("utf-8", "replace").splitlines()]
    return {name: digest for digest, _, name in lines}


def _sum(zipped: ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with zipped.open(name) as entry:
        while piece := entry.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


READ_ME_TEXT = """\
{title}  {instance}

本压缩包是一次调查的全部存档：受控记录（records/）、所依据的规程（definitions/）、完整的流程日志（history.jsonl，
可读文本见 history.txt）以及清单（manifest.json）。

不需要任何专用程序即可核对：解压后在此目录运行

    sha256sum -c SHA256SUMS

manifest.json 的 SHA-256 记入了该流程（或其所调用的归档流程）的日志（archive.sealed）：

    {sha256}

This is the complete archive of one run of a procedure: its controlled records (records/), the procedure it followed
(definitions/), its whole journal ({history}; as text: history.txt), and the manifest (manifest.json). Check it
without any program of ours: unpack it and run the command above there. The SHA-256 of manifest.json, printed above,
stands in the journal (archive.sealed) of the instance, or of the one it called to be sealed.
"""


def read_me(*, title: str, instance: str, sha256: str) -> bytes:
    """What a stranger has to know, in both languages."""
    return READ_ME_TEXT.format(title=title, instance=instance, sha256=sha256, history=HISTORY).encode()
