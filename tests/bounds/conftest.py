"""The stage of the engine's tests."""

from tests.engine.conftest import handlers, quick

__all__ = ["handlers", "quick"]
