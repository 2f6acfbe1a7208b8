"""`python -m tests.mutation PROCEDURE [CLAUSE…] [--all]`: what became of each mutant of each `must`."""

from __future__ import annotations

import gc
import logging
import sys
import time

from tests.mutation.proving import CLAIMED, NOTICED, proof_of, shortcomings


def main(arguments: list[str]) -> int:
    """Print a line a mutant, and count the clauses that are not proven."""
    logging.disable()  # what a mutant breaks is no news
    gc.set_threshold(50_000)
    everything = "--all" in arguments
    name, *wanted = [each for each in arguments if each != "--all"]
    proof, begun = proof_of(name), time.monotonic()
    for scenario in proof.scenarios.scenarios:
        if fault := proof.baseline(scenario):
            print(f"{scenario} fails as the procedure stands: {fault}")  # noqa: T201
    if any(proof.sound.values()):
        print("Mend them first: a scenario that fails anyhow notices nothing")  # noqa: T201
        return 1
    unproven = 0
    clauses = [
        each for each in proof.procedure.clauses if each.level == "must" and (not wanted or each.id in wanted)
    ]
    for clause in clauses:
        verdicts = []
        for each in proof.clause(clause, everything=everything):
            verdicts.append(each)
            mark = "✓" if each.outcome in (NOTICED, CLAIMED) else "·"
            by = f"{each.outcome} by {each.scenario}: " if each.scenario else f"{each.outcome}: "
            print(f"{clause.id:9} {mark} {each.mutant:44} {(by + each.reason)[:230]}", flush=True)  # noqa: T201
        if faults := shortcomings(clause, verdicts):
            unproven += 1
            print(f"{clause.id:9} ✗ NOT PROVEN: {'; '.join(faults)[:600]}", flush=True)  # noqa: T201
    took = time.monotonic() - begun
    print(f"{len(clauses) - unproven} of {len(clauses)} clauses proven in {took:.0f} s")  # noqa: T201
    return 1 if unproven else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python -m tests.mutation PROCEDURE|FOLDER [CLAUSE…] [--all]")
    sys.exit(main(sys.argv[1:]))
