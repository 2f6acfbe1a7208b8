"""A workspace: the folder an organisation works in, and its settings in flow.toml.

A command finds it upward from the current folder, or by the environment variable FLOW_HOME.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.errors import Finding, Misbuilt, NotFound
from engine.files import read_file

FILE = "flow.toml"
DATABASE = "flow.db"
ORGANISATION = "org.yaml"
FOLDERS = ("processes", "forms", "records")
MAX_BYTES = 100_000
"""Of flow.toml."""

TEMPLATE = """\
# Settings of this workspace. `flow doctor` checks them.
organisation = "{organisation}"
zone = "{zone}"            # time zone in which days begin and end
language = "{language}"              # of messages: zh or en
# database = "postgresql://flow@localhost/flow"   # default: flow.db in this folder
# durable = false          # faster on SQLite, but the last commits may be lost when the power fails
# [notices]                # reminders by mail and in group chats: docs/notices.md
"""


@dataclass(frozen=True, slots=True)
class Workspace:
    """An organisation's folder and settings."""

    folder: Path
    organisation: str
    zone: ZoneInfo
    language: str
    database: str
    durable: bool
    demo: bool
    """The workspace keeps a virtual clock, and anybody may act for anybody."""
    notices: Mapping[str, object] = field(default_factory=dict)
    """The table [notices] as written, for whoever delivers them."""

    @property
    def processes(self) -> Path:
        """Procedures being edited."""
        return self.folder / "processes"

    @property
    def forms(self) -> Path:
        """Their forms, a folder a procedure."""
        return self.folder / "forms"

    @property
    def records(self) -> Path:
        """The controlled documents that instances produced, a folder an instance."""
        return self.folder / "records"

    @property
    def org_file(self) -> Path:
        """The organisation as a file; the database counts, and `flow org import` brings it there."""
        return self.folder / ORGANISATION


def shipped() -> Path:
    """The folder in which the program's own `processes` and `forms` stand: the clone, or the installed wheel."""
    return Path(__file__).resolve().parent.parent


def find(start: Path, environment: Mapping[str, str]) -> Workspace:
    """The workspace that FLOW_HOME names, else the nearest one from `start` upward. Raises NotFound."""
    home = environment.get("FLOW_HOME")
    if home:
        if not (Path(home) / FILE).is_file():
            raise NotFound("FLOW_HOME names {folder}, which holds no {file}", folder=home, file=FILE)
        return read(Path(home))
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return read(folder)
    raise NotFound(
        "No workspace here or above {folder}: make one with `flow init DIR`, or set FLOW_HOME", folder=start
    )


def read(folder: Path) -> Workspace:
    """The settings of the workspace in `folder`. Raises Misbuilt naming every setting that is wrong."""
    return parse(folder, read_file(folder / FILE, MAX_BYTES))


def parse(folder: Path, raw: bytes) -> Workspace:
    """The settings that `raw`, the content of a flow.toml, makes of a folder. Raises Misbuilt like `read`."""
    if len(raw) > MAX_BYTES:
        raise Misbuilt([_fault("", "The file is larger than {limit} bytes", limit=MAX_BYTES)])
    try:
        content = tomllib.loads(raw.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misbuilt([_fault("", "It cannot be read: {reason}", reason=str(error))]) from None
    faults = [
        _fault(name, "There is no such setting")
        for name in content
        if name not in {"organisation", "zone", "language", "database", "durable", "demo", "notices"}
    ]

    def take(name: str, kind: type, default: object) -> object:
        value = content.get(name, default)
        if not isinstance(value, kind):
            faults.append(_fault(name, "{value!r} is not of the right kind", value=value))
            return default
        return value

    zone = str(take("zone", str, "Asia/Shanghai"))
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        faults.append(_fault("zone", "{zone!r} is no time zone; write one like Asia/Shanghai", zone=zone))
        place = ZoneInfo("Asia/Shanghai")
    language = take("language", str, "zh")
    if language not in ("zh", "en"):
        faults.append(_fault("language", "{value!r} is not zh or en", value=language))
    workspace = Workspace(
        folder=folder.resolve(),
        organisation=str(take("organisation", str, folder.name)),
        zone=place,
        language=str(language),
        database=str(take("database", str, f"sqlite:///{folder.resolve() / DATABASE}")),
        durable=bool(take("durable", bool, True)),
        demo=bool(take("demo", bool, False)),
        notices=cast(Mapping[str, object], take("notices", dict, {})),
    )
    if faults:
        raise Misbuilt(faults)
    return workspace


def settings(*, organisation: str, zone: str, language: str, demo: bool = False) -> str:
    """The content of a new flow.toml."""
    quoted = organisation.replace("\\", "\\\\").replace('"', '\\"')
    text = TEMPLATE.format(organisation=quoted, zone=zone, language=language)
    return f"demo = true              # virtual clock; anybody may act for anybody\n{text}" if demo else text


def lay_out(folder: Path, text: str) -> Workspace:
    """Make the folders of a workspace with these settings. It is none until `put` has written its flow.toml."""
    for each in (folder, *(folder / name for name in FOLDERS)):
        each.mkdir(parents=True, exist_ok=True)
    return parse(folder, text.encode())


def make(folder: Path, *, organisation: str, zone: str, language: str, demo: bool = False) -> Workspace:
    """Lay out a workspace that still lacks its database."""
    text = settings(organisation=organisation, zone=zone, language=language, demo=demo)
    with undone(folder):
        workspace = lay_out(folder, text)
        put(folder / FILE, text)
    return workspace


def put(file: Path, text: str) -> None:
    """Write a file whole or not at all."""
    with whole(file) as beside:
        beside.write_text(text, encoding="utf-8")


@contextmanager
def whole(file: Path) -> Iterator[Path]:
    """A place beside a file to write to, which becomes the file when the block ends and is gone when it raises."""
    beside = file.with_name(f".{file.name}.part")
    try:
        yield beside
        beside.replace(file)
    except BaseException as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(file)  # a full disk does not say which file had no place on it
        raise


@contextmanager
def undone(folder: Path) -> Iterator[None]:
    """When the block raises, what it made of a workspace in `folder` is taken away; what was there before stays."""
    files = (FILE, ORGANISATION, DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm")
    places = [*(folder / name for name in (*files, *FOLDERS)), folder, *folder.parents]
    new = [place for place in places if not place.exists()]
    try:
        yield
    except BaseException:
        for place in new:
            with suppress(OSError):  # a folder that somebody else put something into, meanwhile
                place.rmdir() if place.is_dir() else place.unlink(missing_ok=True)
        raise


def _fault(name: str, template: str, **params: object) -> Finding:
    return Finding("error", FILE, name, template, "Correct it, or take the line out", params)
