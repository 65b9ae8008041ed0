#!/usr/bin/env python3
"""Measures how fast the virtual GPU executes kernels on this machine.

Prints a table: kernel, vector instructions, CPU threads, speed. The speed is the median of a kernel's launches in one
process, the first one left out; `best` is that of the fastest launch, which tells more on a busy machine. With
`--require` the exit code is 1 when one thread stays below a target.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

BUILD = Path(__file__).resolve().parents[1] / "build"
VARIANTS = {"baseline": "AVX2", "wide": "AVX-512"}


@dataclass(frozen=True)
class Workload:
    """A program whose arguments are a size and a number of launches."""

    program: str
    size: int
    launches: int
    check: str = ""  # as VGPU_CHECK
    operations: int = 0  # floating-point operations of a launch; 0: count lane-instructions

    @property
    def command(self) -> list[str]:
        """What a person would type."""
        check = ["--check", self.check] if self.check else []
        return ["vgpu", "run", *check, self.program, str(self.size), str(self.launches)]


WORKLOADS = [
    Workload("flash_one_thread_per_row", 1024, 15),
    Workload("flash_one_thread_per_row", 1024, 15, check="all"),
    Workload("naive_attention", 512, 15),
    Workload("global_loads", 512, 15),
    Workload("bf16_gemm", 512, 15, operations=2 * 512**3),
]
# Billions per second with one thread, whatever the vector instructions, by program and kernel.
TARGETS = {
    ("flash_one_thread_per_row", "flash"): 12.0,
    ("naive_attention", "qkt"): 5.0,
    ("naive_attention", "softmax"): 5.0,
    ("naive_attention", "pv"): 5.0,
    ("bf16_gemm", "gemm"): 10.0,
}
MOST_FOR_CHECKS = 2.5  # times the plain time


@dataclass(frozen=True)
class Figure:
    """The speed of one kernel."""

    program: str
    kernel: str
    check: str
    variant: str
    threads: int
    milliseconds: float  # of a launch
    speed: float  # billions per second
    best: float  # the same of the fastest launch
    unit: str
    command: str


def launches(workload: Workload, variant: str, threads: int) -> list[dict]:
    """Counts and seconds of each launch; none when this CPU lacks the variant ("": the widest it has)."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "counters.json"
        options = ["--counters", "json", "--output", str(output), "--threads", str(threads)]
        words = [str(word) for word in workload.command]
        words[0] = str(BUILD / "bin" / "vgpu")
        words[words.index(workload.program)] = str(
            BUILD / "tests" / "vgpu" / "programs" / workload.program
        )
        done = subprocess.run(
            [*words[:2], *options, *words[2:]],
            capture_output=True,
            text=True,
            env={**os.environ, "VGPU_ISA": variant},
        )
        if done.returncode != 0:
            raise SystemExit(f"bench: {workload.program} failed:\n{done.stdout}{done.stderr}")
        if "VGPU_ISA=" in done.stderr:
            return []
        return json.loads(output.read_text(encoding="utf-8"))


def figures(workload: Workload, variant: str, threads: int) -> list[Figure]:
    """The median speed of each kernel of a program."""
    by_kernel: dict[str, list[dict]] = {}
    for record in launches(workload, variant, threads):
        by_kernel.setdefault(record["kernel"].partition("(")[0], []).append(record)
    result = []
    for kernel, records in by_kernel.items():
        if len({record["lane_instructions"] for record in records}) != 1:
            raise SystemExit(f"bench: {kernel}: the counts differ between launches")
        times = [record["seconds"] for record in records[1:]]
        seconds = statistics.median(times)
        operations = workload.operations or records[0]["lane_instructions"]
        unit = "GFLOP/s" if workload.operations else "G lane-instructions/s"
        speed, best = (operations / time / 1e9 for time in (seconds, min(times)))
        command = " ".join(workload.command)
        milliseconds = seconds * 1e3
        result.append(
            Figure(
                workload.program,
                kernel,
                workload.check,
                variant,
                threads,
                milliseconds,
                speed,
                best,
                unit,
                command,
            )
        )
    return result


def missed(figure: Figure, measured: list[Figure]) -> tuple[str, bool]:
    """The target of a figure, in words, and whether it is missed; "" when it has none."""
    if figure.threads != 1:
        return "", False
    if not figure.check:
        target = TARGETS.get((figure.program, figure.kernel))
        return (f">= {target:g}", figure.speed < target) if target else ("", False)
    same = (figure.program, figure.kernel, "", figure.variant, 1)
    for plain in measured:
        if (plain.program, plain.kernel, plain.check, plain.variant, plain.threads) == same:
            ratio = figure.milliseconds / plain.milliseconds
            return f"{ratio:.2f} <= {MOST_FOR_CHECKS:g} x plain", ratio > MOST_FOR_CHECKS
    return "", False


def cpu_model() -> str:
    """The processor's name as the kernel knows it."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def table(measured: list[Figure], title: str) -> Table:
    """Figures as text."""
    result = Table("kernel", "checks", "vectors", title=title, title_justify="left")
    for name in ("threads", "ms", "speed", "best", "target"):
        result.add_column(name, justify="right")
    for name in ("unit", "command"):
        result.add_column(name)
    for f in measured:
        result.add_row(
            f.kernel,
            f.check or "none",
            f"{f.variant} ({VARIANTS[f.variant]})" if platform.machine() == "x86_64" else f.variant,
            str(f.threads),
            f"{f.milliseconds:.2f}",
            f"{f.speed:.2f}",
            f"{f.best:.2f}",
            missed(f, measured)[0],
            f.unit,
            f.command,
        )
    return result


def main() -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")
    parser.add_argument("--program", help="measure this program only")
    parser.add_argument("--require", action="store_true", help="fail below a target")
    options = parser.parse_args()

    workloads = [w for w in WORKLOADS if options.program in (None, w.program)]
    if not workloads:
        names = ", ".join(sorted({w.program for w in WORKLOADS}))
        print(f"bench: no program {options.program}; there are {names}", file=sys.stderr)
        return 2
    cores = len(os.sched_getaffinity(0))
    measured = [
        figure
        for workload in workloads
        for variant in VARIANTS
        for threads in sorted({1, cores})
        for figure in figures(workload, variant, threads)
    ]
    model = cpu_model()
    Console(width=None if sys.stdout.isatty() else 200).print(
        table(measured, f"{model}, {cores} CPUs: medians of launches, the first left out")
    )
    if options.json is not None:
        document = {"cpu": model, "cpus": cores, "figures": [asdict(f) for f in measured]}
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    slow = [f for f in measured if missed(f, measured)[1]]
    for f in slow:
        check = f" with --check {f.check}" if f.check else ""
        print(
            f"bench: {f.program}: {f.kernel}{check}, {f.variant}: {f.speed:.2f} {f.unit}, "
            f"target {missed(f, measured)[0]}",
            file=sys.stderr,
        )
    return 1 if slow and options.require else 0


if __name__ == "__main__":
    sys.exit(main())
