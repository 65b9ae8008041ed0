#!/usr/bin/env python3
"""Measures what machine code of hot loops (VGPU_COMPILE=1) gains on this machine, and what it costs.

Prints two tables: the speed of each kernel, interpreted and compiled, with one CPU thread and with one per core (median
of the launches, the first one left out, and the best of them); and the CPU time of a process that launches once, with
nothing in the cache, with the machine code in it, and without machine code.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench import BUILD, WORKLOADS, Workload, cpu_model, launches
from rich.console import Console
from rich.table import Table

PROGRAMS = ("flash_one_thread_per_row", "naive_attention", "bf16_gemm")
ROUNDS = (
    5  # processes of a kind, taken in turns: of their medians and start times the best one counts
)


@dataclass
class Speed:
    """Billions per second: the best process's median launch, and the best launch of all."""

    median: float = 0.0
    best: float = 0.0


Key = tuple[str, int, bool]  # kernel, threads, compiled


def measure_speeds(workload: Workload, threads: list[int]) -> dict[Key, Speed]:
    """Speeds of a program's kernels. Interpreter and machine code take turns, so that both see the same machine."""
    speeds: dict[Key, Speed] = {}
    counts: dict[str, set[int]] = {}
    for _ in range(ROUNDS):
        for count in threads:
            for compiled in (False, True):
                os.environ["VGPU_COMPILE"] = "1" if compiled else "0"
                by_kernel: dict[str, list[float]] = {}
                for record in launches(workload, "", count):
                    kernel = record["kernel"].partition("(")[0]
                    counts.setdefault(kernel, set()).add(record["lane_instructions"])
                    operations = workload.operations or record["lane_instructions"]
                    by_kernel.setdefault(kernel, []).append(operations / record["seconds"] / 1e9)
                for kernel, values in by_kernel.items():
                    speed = speeds.setdefault((kernel, count, compiled), Speed())
                    speed.median = max(speed.median, statistics.median(values[1:]))
                    speed.best = max(speed.best, *values[1:])
    for kernel, different in counts.items():
        if len(different) != 1:
            raise SystemExit(f"bench: {kernel}: the counts differ: {sorted(different)}")
    return speeds


def cpu_seconds(workload: Workload, cache: str, compiled: bool) -> float:
    """CPU time of a process that launches each kernel once, its compiler included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [
            str(BUILD / "bin/vgpu"),
            *("run", "--threads", "1"),
            str(BUILD / "tests/vgpu/programs" / workload.program),
            *("64", "1"),
        ],
        check=True,
        capture_output=True,
        env={**os.environ, "XDG_CACHE_HOME": cache, "VGPU_COMPILE": "1" if compiled else "0"},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def measure_starts(workload: Workload) -> list[float]:
    """CPU seconds of a start: interpreted, with nothing in the cache, with the machine code in it."""
    best = [float("inf")] * 3
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as cache:
            for k, compiled in enumerate((False, True, True)):
                best[k] = min(best[k], cpu_seconds(workload, cache, compiled))
    return best


def main() -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")
    options = parser.parse_args()
    threads = sorted({1, len(os.sched_getaffinity(0))})
    title = f"{cpu_model()}, {threads[-1]} CPUs"
    speeds = Table("kernel", "command", title=f"{title}: median (best)", title_justify="left")
    for count in threads:
        for name in ("interpreted", "compiled", "gain"):
            speeds.add_column(f"{name}, {count}", justify="right")
    starts = Table("program", title=f"{title}: CPU milliseconds of one start", title_justify="left")
    for name in ("interpreted", "cache miss", "cache hit", "compiling"):
        starts.add_column(name, justify="right")

    document = []
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        for workload in WORKLOADS:
            if workload.program not in PROGRAMS or workload.check:
                continue
            measured = measure_speeds(workload, threads)
            for kernel in dict.fromkeys(key[0] for key in measured):
                row = []
                for count in threads:
                    plain, fast = measured[kernel, count, False], measured[kernel, count, True]
                    row += [f"{s.median:.1f} ({s.best:.1f})" for s in (plain, fast)]
                    row.append(f"{fast.median / plain.median:.2f} ({fast.best / plain.best:.2f})")
                speeds.add_row(kernel, " ".join(workload.command), *row)
            interpreted, miss, hit = measure_starts(workload)
            row = [f"{1e3 * s:.1f}" for s in (interpreted, miss, hit, miss - hit)]
            starts.add_row(workload.program, *row)
            document.append(
                {
                    "program": workload.program,
                    "speeds": [
                        {"kernel": k, "threads": t, "compiled": c, **vars(s)}
                        for (k, t, c), s in measured.items()
                    ],
                    "start_seconds": {"interpreted": interpreted, "miss": miss, "hit": hit},
                }
            )
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(speeds)
    console.print(starts)
    if options.json is not None:
        content = {"cpu": cpu_model(), "cpus": threads[-1], "programs": document}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
