"""Every `must` of every procedure: broken on purpose, it is still published, and a scenario of its clause notices."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from tests.mutation.proving import Proof, procedures, proof_of, shortcomings

TOGETHER = 6
"""Clauses that one test judges, so that several workers share a procedure."""


@cache
def proof(name: str) -> Proof:
    return proof_of(name)


def parts() -> Iterator[tuple[str, int]]:
    """Each procedure with where each of its parts begins among its `must`; nothing is loaded yet."""
    for folder in procedures():
        clauses = (folder.folder / "clauses.yaml").read_text("utf-8")
        for start in range(0, clauses.count("level: must"), TOGETHER):
            yield folder.id, start


@pytest.mark.slow
@pytest.mark.parametrize(("procedure", "start"), list(parts()))
def test_what_breaks_a_must_is_noticed_by_a_scenario_that_its_clause_names(
    procedure: str, start: int
) -> None:
    found = proof(procedure)
    musts = [each for each in found.procedure.clauses if each.level == "must"]
    unproven = {}
    for clause in musts[start : start + TOGETHER]:
        if faults := shortcomings(clause, list(found.clause(clause))):
            unproven[clause.id] = faults
    assert unproven == {}
