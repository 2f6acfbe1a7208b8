"""The office's workspace, to import into and to export from."""

from __future__ import annotations

from tests.console.conftest import flow, furnished

__all__ = ["flow", "furnished"]
