"""Databases for the tests: SQLite files, and a PostgreSQL server of their own from the system's binaries.

The server listens on 127.0.0.1 only, on a free port, keeps its data in a private folder, and ends with the tests.
Each test gets a fresh database, copied from one that was migrated once.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.store import open_store

MISSING = "PostgreSQL tests skipped: install Debian's postgresql (apt-get install postgresql)"

GUARDED = "guarded"
"""A database name for which the server asks for a password, and takes none."""

_TEMPLATE = "migrated"
_CLEAR_UP = 'cat; "$2/pg_ctl" stop --pgdata="$1/data" --mode=immediate --silent; rm -rf "$1"'
_SETTINGS = "-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c full_page_writes=off"


def postgresql_binaries() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, the newest version first; None when PostgreSQL is not installed."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True
    )
    found = shutil.which("initdb")
    folders = [*debian, *([Path(found).resolve().parent] if found else [])]
    return next(
        (folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None
    )


class PostgreSQL:
    """A running server; `stop()` it, or the end of this process does, whatever ends it."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="satisflow-postgresql-", dir=_quick_folder()))
        self._account = _unprivileged()
        if self._account:
            os.chown(self._folder, self._account.pw_uid, self._account.pw_gid)
        self._guard = self._set_guard()
        self._numbers = iter(range(1, 1_000_000))
        self._run(
            "initdb",
            "--pgdata=data",
            "--auth=trust",
            "--username=tests",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
        )
        access = self._folder / "data" / "pg_hba.conf"
        access.write_text(f"host {GUARDED} all 127.0.0.1/32 scram-sha-256\n{access.read_text()}")
        self.port = self._start()
        with self._administer() as run:
            run(f"CREATE DATABASE {_TEMPLATE}")
        open_store(self.url(_TEMPLATE), upgrade=True).close()

    def url(self, name: str) -> str:
        """The address of a database of this server."""
        return f"postgresql://tests@127.0.0.1:{self.port}/{name}"

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[str]:
        """The address of a fresh database, dropped afterwards."""
        name = f"test_{next(self._numbers)}"
        with self._administer() as run:
            run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE if migrated else 'template0'}")
        try:
            yield self.url(name)
        finally:
            with self._administer() as run:
                run(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        """Stop the server and remove its data."""
        self._guard.communicate(timeout=60)

    def _set_guard(self) -> subprocess.Popen[bytes]:
        """A process that sees our end of a pipe close, however we end, and then clears up."""
        return subprocess.Popen(
            ["sh", "-c", _CLEAR_UP, "guard", str(self._folder), str(self._binaries)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            **self._as_whom(),
        )

    def _as_whom(self) -> dict[str, Any]:
        if self._account is None:
            return {}
        return {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}

    def _start(self) -> int:
        for attempt in range(5):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port: int = probe.getsockname()[1]
            try:
                # Without a log file the server would hold our output open for as long as it lives.
                self._run(
                    "pg_ctl",
                    "start",
                    "--pgdata=data",
                    "--wait",
                    "--log=log",
                    f"--options=-p {port} {_SETTINGS}",
                )
            except RuntimeError:
                if attempt == 4:  # the port may have been taken since
                    raise
            else:
                return port
        raise AssertionError("unreachable")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._binaries / program, *arguments],
            cwd=self._folder,
            env={"PATH": os.environ.get("PATH", ""), "HOME": str(self._folder), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **self._as_whom(),
        )
        if done.returncode:
            log = self._folder / "log"
            said = log.read_text() if log.exists() else ""
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}{said}")

    @contextmanager
    def _administer(self) -> Iterator[Callable[[str], object]]:
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as conn:
            yield lambda statement: conn.execute(statement.encode())


def _quick_folder() -> str | None:
    """Memory rather than disk where there is enough: a fresh database then takes a thirtieth of the time."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30:
        return str(memory)
    return None


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: whom to run it as then."""
    if os.getuid() != 0:
        return None
    known = {account.pw_name: account for account in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]
