"""The stage of the engine's tests, in memory, and the same on a file that is read anew."""

from tests.engine.conftest import handlers, quick, stage

__all__ = ["handlers", "quick", "stage"]
