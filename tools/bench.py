#!/usr/bin/env python3
"""Measures how fast the virtual GPU executes tests/bench/flash_one_thread_per_row.cu on this machine.

Prints lane-instructions per second for one CPU thread and for one per core, the best of several launches. With
`--at-least G` the exit code is 1 when one thread stays below G billion per second.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

BUILD = Path(__file__).resolve().parents[1] / "build"
PROGRAM = BUILD / "tests" / "vgpu" / "programs" / "flash_one_thread_per_row"


def launches(threads: int, n: int, repeats: int) -> list[dict]:
    """Counts and CPU time of each launch: sequence length n, head dimension 64, one head."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "counters.json"
        options = ["--threads", str(threads), "--counters", "json", "--output", str(output)]
        subprocess.run(
            [BUILD / "bin" / "vgpu", "run", *options, PROGRAM, str(n), str(repeats)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return json.loads(output.read_text(encoding="utf-8"))


def main() -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=1024, help="sequence length, a multiple of 64")
    parser.add_argument(
        "--repeats", type=int, default=10, help="launches, of which the best counts"
    )
    parser.add_argument("--at-least", type=float, default=0.0, metavar="G", help="see above")
    options = parser.parse_args()

    cores = len(os.sched_getaffinity(0))
    counts, speed = [], {}
    print(f"N {options.n}, d 64, best of {options.repeats}")
    for threads in sorted({1, cores}):
        records = launches(threads, options.n, options.repeats)
        best = min(record["seconds"] for record in records)
        counts += [record["lane_instructions"] for record in records]
        speed[threads] = counts[-1] / best / 1e9
        print(
            f"{threads:3} threads: {counts[-1]:,} lane-instructions in {best * 1e3:.2f} ms, "
            f"{speed[threads]:.2f} G/s, {speed[threads] / threads:.2f} G/s per core"
        )
    if len(set(counts)) != 1:
        print(f"bench: the counts differ between launches: {sorted(set(counts))}", file=sys.stderr)
        return 1
    if speed[1] < options.at_least:
        print(
            f"bench: one thread does {speed[1]:.2f} G/s, less than {options.at_least:g}",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
