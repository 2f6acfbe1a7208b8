"""All cases, in the order of docs/bpmn-support.md."""

from __future__ import annotations

from tests.standard import (
    activities,
    boundary,
    compensation,
    ends,
    flows,
    gateways,
    intermediate,
    loops,
    patterns,
    rare,
    transactions,
)

MODULES = (
    flows,
    gateways,
    activities,
    loops,
    boundary,
    intermediate,
    ends,
    compensation,
    transactions,
    rare,
    patterns,
)
CASES = [each for module in MODULES for each in module.CASES]
