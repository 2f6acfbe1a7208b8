"""The command line: which benchmarks to run, and where to keep what they found."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.figures import large_round
from benchmarks.growth import growth
from benchmarks.measuring import Table, machine
from benchmarks.rehearsals import rehearsals
from benchmarks.workload import POSTGRESQL, workload

BENCHMARKS: Mapping[str, Callable[[bool], Table]] = {
    "workload": workload,
    "growth": growth,
    "rehearsals": rehearsals,
    "figures": large_round,
}


def main() -> None:
    """Run the benchmarks named (all by default) and print their tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=f"{POSTGRESQL}=postgresql://USER@HOST/NAME has PostgreSQL measured too: there, in new databases.",
    )
    parser.add_argument("name", nargs="*", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="smaller and shorter, to see that it works")
    parser.add_argument("--save", type=Path, metavar="FILE", help="also write the tables to a file")
    given = parser.parse_args()
    if unknown := set(given.name) - set(BENCHMARKS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    text = [machine()]
    print(text[0])
    for name, benchmark in BENCHMARKS.items():
        if not given.name or name in given.name:
            table = str(benchmark(given.quick))
            print(f"\n{table}", flush=True)
            text.append(table)
    if given.save is not None:
        given.save.write_text("\n\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
